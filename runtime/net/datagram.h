/* SPDX-License-Identifier: MIT */
/* net/datagram.h - UDP sockets of behaviours: who owns which, and what the driver is to do.
 *
 * Order      What is asked for leaves in the order it was asked for, over all sockets.
 * Ownership  A datagram is copied until the driver has it.
 * Limits     datagram_sockets; datagram_send_bytes per socket. */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include "base/list.h"
#include "base/map.h"

#include <troupe/driver.h>

struct trp_swarm;
struct trp_datagram_output;

struct trp_datagram_socket {
    trp_socket id;
    uint32_t behaviour;
    uint32_t waiting_bytes;            /* not yet handed to the driver */
    struct trp_datagram_output *close; /* kept for the end, which cannot fail for want of memory */
    UT_hash_handle hh;
};

struct trp_datagrams {
    struct trp_memory *memory;
    struct trp_datagram_socket *sockets; /* uthash by id */
    struct trp_list outputs;
    struct trp_datagram_output *lent; /* the last output borrows from it */
};

void trp_datagrams_init(struct trp_datagrams *datagrams, struct trp_memory *memory);
void trp_datagrams_deinit(struct trp_datagrams *datagrams);
/* Takes an input that concerns datagrams or interfaces, and tells the behaviours; false when it
 * does not. */
bool trp_datagrams_input(struct trp_swarm *swarm, const struct trp_input *in);
/* Ends the loan of the last output. */
void trp_datagrams_release(struct trp_datagrams *datagrams);
bool trp_datagrams_next_output(struct trp_datagrams *datagrams, struct trp_output *ret_out);

#endif
