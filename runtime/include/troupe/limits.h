/* SPDX-License-Identifier: MIT */
/* troupe/limits.h - the bound of every queue, table, pool and wait of a node, in one table.
 *
 * A zero field of a struct trp_limits given to a node means its default. */
#ifndef TROUPE_LIMITS_H
#define TROUPE_LIMITS_H

#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

/* X(type, name, default, minimum, reason) */
#define TRP_LIMITS_MAP(X)                                                                          \
    X(uint64_t, memory_bytes, 1024ull * 1024 * 1024, 1024ull * 1024, "all a node allocates")       \
    X(uint32_t, connections, 1024, 4, "established, both directions")                              \
    X(uint32_t, connections_idle, 128, 1, "kept for reuse; the one idle longest is closed")        \
    X(uint32_t, connections_per_peer, 4, 1, "duplicates from simultaneous dials")                  \
    X(uint32_t, connections_pending_in, 128, 1, "accepted, not yet upgraded: floods end here")     \
    X(uint32_t, connections_pending_out, 128, 1, "being dialed or upgraded")                       \
    X(uint32_t, dial_addresses, 8, 1, "addresses tried per dial")                                  \
    X(uint32_t, dial_concurrency, 4, 1, "addresses of one dial tried at once")                     \
    X(uint32_t, streams_per_connection, 256, 8, "both directions; rust-yamux dies at 512")         \
    X(uint32_t, streams_pending_in, 256, 4, "inbound streams still negotiating, per connection")   \
    X(uint32_t, stream_send_bytes, 65536, 1024, "buffered per stream before write says EAGAIN")    \
    X(uint32_t, socket_send_bytes, 262144, 65536, "handed to the driver and not yet sent")         \
    X(uint32_t, datagram_sockets, 16, 1, "UDP sockets of behaviours")                              \
    X(uint32_t, datagram_send_bytes, 262144, 65507, "of one socket, in one step")                  \
    X(uint32_t, yamux_window_bytes, 262144, 262144, "receive window per stream")                   \
    X(uint32_t, peers_known, 4096, 16, "peers in the peer store")                                  \
    X(uint32_t, addresses_per_peer, 8, 1, "addresses kept per peer; rust drops larger packets")    \
    X(uint32_t, kad_queries, 64, 4, "iterative queries at once; more wait")                        \
    X(uint32_t, kad_queries_waiting, 1024, 4, "queries waiting for a place")                       \
    X(uint32_t, kad_records, 1024, 16, "records stored for others")                                \
    X(uint32_t, kad_record_bytes, 65536, 1024, "one record's value")                               \
    X(uint32_t, kad_provider_keys, 4096, 16, "keys with providers stored for others")              \
    X(uint32_t, kad_providers_per_key, 20, 1, "k")                                                 \
    X(uint32_t, requests_per_connection, 100, 1, "request-response streams, as Kameo's")           \
    X(uint32_t, requests_waiting_per_peer, 1024, 1, "requests queued for a peer")                  \
    X(uint32_t, channel_send_bytes, 4194304, 65536, "asks and tells not yet written to a peer")    \
    X(uint32_t, request_bytes, 1048576, 1024, "encoded request, as Kameo's")                       \
    X(uint64_t, received_bytes, 256ull * 1024 * 1024, 65536,                                       \
      "requests and responses of peers; their messages")                                           \
    X(uint64_t, received_bytes_per_peer, 32ull * 1024 * 1024, 65536, "the same, of one peer")      \
    X(uint32_t, response_bytes, 10485760, 1024, "encoded response, as Kameo's")                    \
    X(uint32_t, actors, 1048576, 1, "live actors")                                                 \
    X(uint32_t, mailbox_messages, 64, 1, "of our own in a mailbox, and of a peer; as Kameo's")     \
    X(uint32_t, message_bytes, 1048576, 64, "one encoded message")                                 \
    X(uint32_t, message_memory_bytes, 16777216, 64, "one message with all that it points to")      \
    X(uint32_t, requests, 65536, 1, "asks without an outcome yet")                                 \
    X(uint32_t, timers, 65536, 1, "pending tell_after")                                            \
    X(uint32_t, links_per_actor, 1024, 1, "links of one actor")                                    \
    X(uint32_t, links_per_peer, 16384, 1, "links with the actors of one peer")                     \
    X(uint32_t, types, 1024, 1, "ids of actor types that others told of")                          \
    X(uint32_t, names, 4096, 1, "names registered by this node")                                   \
    X(uint32_t, commands, 4096, 1, "commands without a final result yet")                          \
    X(trp_time, dial_timeout_ns, TRP_S(10), TRP_MS(1), "one address, connect to upgraded")         \
    X(trp_time, upgrade_timeout_ns, TRP_S(10), TRP_MS(1), "inbound, accept to upgraded")           \
    X(trp_time, negotiation_timeout_ns, TRP_S(10), TRP_MS(1), "one stream's multistream-select")   \
    X(trp_time, idle_timeout_ns, TRP_MIN(10), TRP_MS(1), "no stream and no keep-alive reference")  \
    X(trp_time, keepalive_ns, TRP_S(30), TRP_MS(10), "silence in use before a yamux ping")         \
    X(trp_time, request_timeout_ns, TRP_S(10), TRP_MS(1), "request to response, as Kameo's")       \
    X(trp_time, ping_timeout_ns, TRP_S(20), TRP_MS(1), "libp2p ping, dial to echo")                \
    X(trp_time, link_probe_ns, TRP_MS(500), TRP_MS(1),                                             \
      "silence of a peer with links, then probed")                                                 \
    X(trp_time, link_answer_ns, TRP_MS(1250), TRP_MS(1), "to the probe, then redialed, then dead") \
    X(trp_time, kad_rpc_timeout_ns, TRP_S(10), TRP_MS(1), "one kad request")                       \
    X(trp_time, kad_query_timeout_ns, TRP_S(60), TRP_MS(1), "one iterative query")                 \
    X(trp_time, link_verify_ns, TRP_S(8), TRP_MS(10), "asking about a link; Kameo idles at 10 s")  \
    X(trp_time, link_redial_ns, TRP_MS(1250), TRP_MS(1), "for a lost peer with links, then dead")  \
    X(trp_time, lookup_check_ns, TRP_S(3), TRP_MS(1), "a provider's word that it has the name")    \
    X(trp_time, kad_refresh_ns, TRP_MIN(5), TRP_S(1), "bucket refresh and self-lookup")            \
    X(trp_time, kad_republish_ns, TRP_MIN(20), TRP_S(1), "own records and provider records")       \
    X(trp_time, kad_record_ttl_ns, TRP_MIN(60), TRP_S(1), "a stored record, as Kameo's")           \
    X(trp_time, kad_provider_ttl_ns, TRP_MIN(60), TRP_S(1), "a stored provider; Kameo's is 48 h")  \
    X(trp_time, bootstrap_redial_ns, TRP_S(30), TRP_S(1), "re-dial of lost peers")

struct trp_limits {
#define TRP_LIMITS_FIELD(type, name, default_, minimum, reason) type name;
    TRP_LIMITS_MAP(TRP_LIMITS_FIELD)
#undef TRP_LIMITS_FIELD
};

/* Replaces zero fields by their defaults; TRP_EINVAL when a field is below its minimum, with its
 * name in *ret_name (may be NULL). */
TRP_API enum trp_status trp_limits_complete(struct trp_limits *limits,
                                            const char **ret_name) TRP_NODISCARD;

TRP_EXTERN_C_END

#endif
