/* SPDX-License-Identifier: MIT */
/* troupe/node.h - a whole node: actors, swarm and behaviours behind one step function.
 *
 * Purity     No clock, file, socket, thread or entropy: whatever reaches a node is an input, its
 *            configuration with the seed included.
 * Driving    See troupe/driver.h; trp_node_process() makes it drivable.
 * Threading  One thread per node. */
#ifndef TROUPE_NODE_H
#define TROUPE_NODE_H

#include <troupe/access.h>
#include <troupe/actor.h>
#include <troupe/base.h>
#include <troupe/behaviour.h>
#include <troupe/driver.h>
#include <troupe/limits.h>
#include <troupe/mdns.h>
#include <troupe/messaging.h>
#include <troupe/registry.h>
#include <troupe/trace.h>

TRP_EXTERN_C_BEGIN

struct trp_node;
struct trp_blocks;
struct trp_crypto_memo;

/* Whether a node finds others, and lets itself be found, on the local network. TRP_MDNS_BY_DEFAULT:
 * as trp_bootstrap of troupe/uv.h makes it, yes, unless it is bare; else no. */
enum trp_mdns_use { TRP_MDNS_BY_DEFAULT, TRP_MDNS_ON, TRP_MDNS_OFF };

enum trp_security { TRP_SECURITY_NOISE, TRP_SECURITY_PLAINTEXT };

struct trp_node_config {
    uint8_t seed[32];     /* of keys, nonces and draws: OS entropy on a real machine */
    uint8_t identity[32]; /* Ed25519 seed of the PeerId; all zero: derived from `seed` */
    trp_time now;         /* moment of opening, on the driver's clock */
    uint64_t unix_ns;     /* wall-clock time at `now`, for records and peer records */
    struct trp_limits limits;
    enum trp_security security; /* TRP_SECURITY_PLAINTEXT only for simulations and tests */
    const struct trp_actor_type *const *actor_types; /* reachable by name; borrowed for ever */
    uint32_t actor_types_count;
    const struct trp_behaviour *behaviours; /* the user's own, beside ours; copied */
    uint32_t behaviours_count;
    bool bare; /* only the user's behaviours, no actors: LISTEN, DIAL, BOOTSTRAP, PEERS, LEAVE */
    bool kameo_only; /* messages by Kameo's protocol alone, also to nodes of our own kind */
    const struct trp_access_rule *access; /* who may do what; borrowed for the node's life */
    uint32_t access_count;                /* 0: everybody everything, as Kameo */
    /* Believe a peer that tells of the death of an actor of its own though no link with it is known
     * here. Kameo's ActorRef::link_remote tells only its own node of a link; without this, an actor
     * here does not hear of the end of a Rust actor that linked itself in that way. With it, any
     * peer that has TRP_ACCESS_LINK can end any actor here that does not handle on_link_died. */
    bool accept_unlinked_deaths;
    struct trp_bytes saved;   /* the last TRP_OUT_SAVE of an earlier life; may be empty */
    const char *kad_protocol; /* NULL: TRP_PROTOCOL_REGISTRY, as Kameo; borrowed for ever */
    const char *agent;        /* identify's agentVersion; NULL: "troupe/<version>" */
    bool kad_client;          /* ask the DHT, do not serve it */
    enum trp_mdns_use mdns;
    struct trp_mdns_config mdns_config;  /* `dials` NULL: peers that the DHT does not know */
    struct trp_recorder *recorder;       /* borrowed for the node's life; NULL: no trace */
    uint32_t trace_node;                 /* `node` of its events */
    struct trp_crypto_memo *crypto_memo; /* only for simulations, whose nodes share it; borrowed */
    struct trp_blocks *blocks;           /* the same (troupe/blocks.h); NULL: the system's heap */
};

/* Results of pure cryptographic functions that the nodes of one simulation share: signatures found
 * good, and key agreements whose other end has been computed. A run is the same with and without.
 * For one thread, and never for a real network: it keeps secrets of many nodes in one place.
 * TRP_ENOMEM. Close it after its nodes. */
TRP_API enum trp_status trp_crypto_memo_open(uint32_t nodes_count,
                                             struct trp_crypto_memo **ret_memo) TRP_NODISCARD;
/* Wipes and frees; NULL is fine. */
TRP_API void trp_crypto_memo_close(struct trp_crypto_memo *memo);

/* Makes a node. TRP_EINVAL (a limit), TRP_ENOMEM. Close it with trp_node_close. */
TRP_API enum trp_status trp_node_open(const struct trp_node_config *config,
                                      struct trp_node **ret_node) TRP_NODISCARD;
/* Frees everything at once, without goodbye; NULL is fine. `now` is when, for the trace; before the
 * last input it is that one's. */
TRP_API void trp_node_close(struct trp_node *node, trp_time now);

/* Feeds one input; `in->now` never goes back (TRP_EINVAL). Then drain trp_node_next_output. A
 * failure is final, and never a peer's doing: TRP_ENOMEM, or an input that no driver should give.
 */
TRP_API enum trp_status trp_node_step(struct trp_node *node,
                                      const struct trp_input *in) TRP_NODISCARD;
/* Gives the next output, which borrows until the next call of the node; false when there is none.
 */
TRP_API bool trp_node_next_output(struct trp_node *node, struct trp_output *ret_out);
/* Gives the moment by which the node wants an input, if only TRP_IN_TIME; TRP_NEVER. */
TRP_API trp_time trp_node_deadline(const struct trp_node *node);
/* Borrows the node as something a driver can drive. */
TRP_API struct trp_process trp_node_process(struct trp_node *node);

/* Borrows the node's own PeerId for its life. */
TRP_API const struct trp_peer_id *trp_node_peer_id(const struct trp_node *node);
/* Borrows the swarm, for behaviours of the user. */
TRP_API struct trp_swarm *trp_node_swarm(struct trp_node *node);

/* The node as an observer sees it, for metrics and the DHT oracle; changes nothing. */
struct trp_node_view {
    uint64_t memory_bytes;
    uint32_t connections;
    uint32_t streams;
    uint32_t actors;
    uint32_t requests; /* asks without an outcome */
    uint32_t kad_peers;
    uint32_t kad_records;
    uint32_t kad_providers;
    uint64_t kad_rpcs;
    uint64_t kad_timeouts;
};
/* Counts what is there, for observers. */
TRP_API void trp_node_inspect(const struct trp_node *node, struct trp_node_view *ret_view);
/* Walks the routing table, bucket by bucket: start with *at = 0, or with that of a bucket; gives a
 * peer and its bucket (bits in common). */
#define TRP_NODE_KAD_BUCKET_AT 32u /* times the bucket */
TRP_API bool trp_node_next_kad_peer(const struct trp_node *node, uint32_t *at,
                                    struct trp_peer_id *ret_peer, uint32_t *ret_bucket);
/* Says whether this node stores a live provider record of `provider` (NULL: of anybody) under
 * `key`. */
TRP_API bool trp_node_holds_provider(const struct trp_node *node, struct trp_bytes key,
                                     const struct trp_peer_id *provider);
/* Gives the actor registered here under `name`; TRP_ENOTFOUND. */
TRP_API enum trp_status trp_node_find_name(const struct trp_node *node, struct trp_bytes name,
                                           struct trp_actor_ref *ret_ref) TRP_NODISCARD;

TRP_EXTERN_C_END

#endif
