/* SPDX-License-Identifier: MIT */
/* net/limits.h - saying that a bound was reached, but at most once per second for each. */
#ifndef NET_LIMITS_H
#define NET_LIMITS_H

#include "trace/limit.h"

#include <troupe/limits.h>

enum trp_net_limit {
    TRP_NET_CONNECTIONS,
    TRP_NET_CONNECTIONS_PER_PEER,
    TRP_NET_CONNECTIONS_PENDING_IN,
    TRP_NET_CONNECTIONS_PENDING_OUT,
    TRP_NET_STREAMS_PER_CONNECTION,
    TRP_NET_STREAMS_PENDING_IN,
    TRP_NET_PEERS_KNOWN,
    TRP_NET_LISTENERS,
    TRP_NET_DATAGRAM_SOCKETS,
    TRP_NET_TURNS,
    TRP_NET_LIMITS_COUNT
};

/* When each was last said. */
struct trp_limit_marks {
    struct trp_limit_mark marks[TRP_NET_LIMITS_COUNT];
};

/* Traces limit_reached. */
void trp_net_limit_reached(struct trp_limit_marks *marks, struct trp_trace *trace,
                           const struct trp_limits *limits, enum trp_net_limit limit);

#endif
