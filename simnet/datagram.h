/* SPDX-License-Identifier: MIT */
/* simnet/datagram.h - simulated UDP: sockets, the datagrams on their way, and multicast on a LAN.
 *
 * A datagram takes the path between two hosts as a segment of TCP does, but nobody repeats what is
 * lost: by chance, in a cut or a stall, where the queue of the path is full, where nobody has the
 * port. It may be overtaken by one that leaves later, come twice, or come changed, as its path has
 * it; of two copies each has its own way. A multicast goes to each member of the group on the
 * sender's LAN by the path to that member, and to the sender itself.
 * Not modelled: IPv6, several interfaces, fragments, ICMP.
 * Limits     TRP_SIM_DATAGRAMS_MAX under way; TRP_SIM_DATAGRAM_UNREAD_BYTES wait for a process that
 *            stands still. */
#ifndef SIMNET_DATAGRAM_H
#define SIMNET_DATAGRAM_H

#include <troupe/driver.h>

#include "base/list.h"
#include "simnet/happening.h"

struct trp_sim_host;

#define TRP_SIM_DATAGRAMS_MAX         (1u << 20)
#define TRP_SIM_DATAGRAM_UNREAD_BYTES 212992u /* a socket's receive buffer on Linux */
/* What a path that reorders may add to the latency of a datagram. */
#define TRP_SIM_REORDER_NS TRP_MS(100)
/* Of IPv4 and UDP; for the MTU. */
#define TRP_SIM_DATAGRAM_HEADER_BYTES 28u
/* The one interface of a host. */
#define TRP_SIM_INTERFACE 1u

struct trp_sim_datagram_socket {
    struct trp_list_link link; /* in host->datagram_sockets */
    trp_socket id;
    struct trp_sim_host *host;
    uint64_t cause;         /* of the answer to its BIND */
    enum trp_status status; /* TRP_OK: it is bound */
    bool answered;
    bool shared;
    bool loopback; /* bound to the host's loopback address */
    uint16_t port;
    uint32_t unread_bytes;
    struct trp_list groups; /* of struct trp_sim_membership */
};

/* A group that a socket is a member of, or a join that is not answered yet. */
struct trp_sim_membership {
    struct trp_list_link link;   /* in socket->groups */
    struct trp_list_link member; /* in world->members, while it is one */
    struct trp_sim_datagram_socket *socket;
    uint8_t ip[4];
    uint32_t interface;
    enum trp_status status;
    bool answered;
    uint64_t cause;
};

/* A datagram on its way to a host. */
struct trp_sim_datagram {
    uint32_t from;
    trp_socket socket; /* of a multicast: the member; 0: whoever has the port */
    struct trp_udp_address local;
    struct trp_udp_address remote;
    trp_time sent_at;
    uint64_t cause;
    bool unread; /* waits for a process that stands still */
    uint32_t size;
    uint8_t *bytes;
};

/* BIND, DATAGRAM, JOIN, LEAVE, WATCH; and CLOSE when the socket is one of these: else false. */
bool trp_sim_datagram_perform(struct trp_world *world, struct trp_sim_host *host,
                              const struct trp_output *out);
/* Tells the process the answer to a BIND, JOIN or WATCH. */
void trp_sim_datagram_answer(struct trp_world *world, struct trp_sim_host *host,
                             const struct trp_happening *happening);
/* A datagram reaches its host; may end the host's life. */
void trp_sim_datagram_arrive(struct trp_world *world, struct trp_sim_host *host,
                             const struct trp_happening *happening);
/* Forgets one that waited for a process that is no more. */
void trp_sim_datagram_forget(struct trp_world *world, uint64_t handle);
/* Closes every socket of a host. */
void trp_sim_datagrams_end(struct trp_world *world, struct trp_sim_host *host);
/* Frees what is under way. */
void trp_sim_datagrams_free(struct trp_world *world);

#endif
