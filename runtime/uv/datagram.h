/* SPDX-License-Identifier: MIT */
/* uv/datagram.h - UDP sockets of a process, and the interfaces of this machine; for the files of
 * uv.
 *
 * libuv's own UDP handles tell neither where a datagram was sent to nor the interface it came by,
 * and cannot choose the one it leaves by. So a socket is a descriptor of ours that libuv polls.
 * Limits     What waits to be sent: TRP_UV_DATAGRAM_QUEUE_BYTES per socket. Datagrams taken from a
 *            socket before others have their turn: TRP_UV_DATAGRAMS_MAX. */
#ifndef UV_DATAGRAM_H
#define UV_DATAGRAM_H

#include "uv/socket.h"

#define TRP_UV_DATAGRAM_QUEUE_BYTES 262144u
#define TRP_UV_DATAGRAMS_MAX        32u
/* How often interfaces are looked at. */
#define TRP_UV_WATCH_NS TRP_S(2)

/* ---- datagram.c ---- */

/* BIND, DATAGRAM, JOIN, LEAVE; and CLOSE, when the socket is one of these: else false. */
bool trp_uv_datagram_perform(struct trp_uv_driver *driver, const struct trp_output *out);
/* Tells the process one thing that is due; false when there is none. */
bool trp_uv_datagram_tell(struct trp_uv_driver *driver);
/* Closes every socket. */
void trp_uv_datagrams_close(struct trp_uv_driver *driver);

/* ---- interfaces.c ---- */

/* Takes over the interfaces as they are now; gives how many addresses. In the order of index, kind
 * and address. */
uint32_t trp_uv_interfaces(struct trp_interface ret_interfaces[TRP_INPUT_INTERFACES_MAX]);
/* Gives the addresses at which a socket bound to `bound` can be reached: of a wildcard, those of
 * this machine. */
uint32_t trp_uv_reachable(const struct trp_multiaddr *bound,
                          struct trp_multiaddr ret_addresses[TRP_INPUT_ADDRESSES_MAX]);
/* Performs a WATCH. */
void trp_uv_watch(struct trp_uv_driver *driver, const struct trp_output *out);
/* Looks whether the interfaces have changed. */
void trp_uv_watch_look(struct trp_uv_driver *driver);
/* Tells the process of changes; false when there are none. */
bool trp_uv_watch_tell(struct trp_uv_driver *driver);

#endif
