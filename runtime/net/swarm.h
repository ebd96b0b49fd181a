/* SPDX-License-Identifier: MIT */
/* net/swarm.h - the inside of the swarm: how a node makes, feeds and drains it. */
#ifndef NET_SWARM_H
#define NET_SWARM_H

#include "base/memory.h"
#include "crypto/drbg.h"
#include "crypto/keys.h"
#include "crypto/signature_memo.h"
#include "crypto/x25519_memo.h"
#include "trace/trace.h"

#include <troupe/driver.h>
#include <troupe/swarm.h>

struct trp_swarm_config {
    struct trp_memory *memory; /* borrowed, as all pointers here */
    struct trp_trace *trace;
    struct trp_drbg *drbg; /* ephemeral secrets are drawn from it */
    const struct trp_keypair *identity;
    struct trp_signature_memo *memo;    /* of peers' signatures; NULL: none */
    struct trp_x25519_memo *agreements; /* NULL: none */
    const struct trp_limits *limits;
    uint64_t seed;  /* of keyed draws */
    bool plaintext; /* security is /plaintext/2.0.0 instead of Noise */
    trp_time now;
    const struct trp_behaviour *behaviours; /* copied; attached in this order */
    uint32_t behaviours_count;
};

enum trp_status trp_swarm_open(const struct trp_swarm_config *config,
                               struct trp_swarm **ret_swarm) TRP_NODISCARD;
void trp_swarm_close(struct trp_swarm *swarm);
/* Takes an input of the driver (not TRP_IN_COMMAND) and runs everything that follows from it, until
 * nothing more can be done at in->now. */
enum trp_status trp_swarm_step(struct trp_swarm *swarm, const struct trp_input *in) TRP_NODISCARD;
/* Runs what calls from outside a step (a command, an actor) have set in motion. Such calls see the
 * time of the last step or run: where it may be old, run first. */
enum trp_status trp_swarm_run(struct trp_swarm *swarm, trp_time now) TRP_NODISCARD;
bool trp_swarm_next_output(struct trp_swarm *swarm, struct trp_output *ret_out);
trp_time trp_swarm_deadline(const struct trp_swarm *swarm);
/* Borrows the trace, for behaviours that were given none. */
struct trp_trace *trp_swarm_trace(const struct trp_swarm *swarm);
/* True when a connected peer is known to accept a protocol: it said so, or agreed to it. */
bool trp_swarm_speaks(const struct trp_swarm *swarm, const struct trp_peer_id *peer,
                      const char *protocol);
/* Forgets that, until it is learned anew. */
void trp_swarm_forget_protocol(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                               const char *protocol);
/* Keeps what is known of a peer's addresses however many other peers come, or lets it go. */
void trp_swarm_keep_addresses(struct trp_swarm *swarm, const struct trp_peer_id *peer, bool keep);
/* Counts for trp_node_view. */
uint32_t trp_swarm_connections_count(const struct trp_swarm *swarm);
uint32_t trp_swarm_streams_count(const struct trp_swarm *swarm);

#endif
