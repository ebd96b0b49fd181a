/* SPDX-License-Identifier: MIT */
#include "net/limits.h"

#include "net/state.h"

struct limit_text {
    const char *name;
    uint64_t value;
};

static struct limit_text limit_text(const struct trp_limits *limits, enum trp_net_limit limit)
{
    switch (limit) {
    case TRP_NET_CONNECTIONS:
        return (struct limit_text){"connections", limits->connections};
    case TRP_NET_CONNECTIONS_PER_PEER:
        return (struct limit_text){"connections_per_peer", limits->connections_per_peer};
    case TRP_NET_CONNECTIONS_PENDING_IN:
        return (struct limit_text){"connections_pending_in", limits->connections_pending_in};
    case TRP_NET_CONNECTIONS_PENDING_OUT:
        return (struct limit_text){"connections_pending_out", limits->connections_pending_out};
    case TRP_NET_STREAMS_PER_CONNECTION:
        return (struct limit_text){"streams_per_connection", limits->streams_per_connection};
    case TRP_NET_STREAMS_PENDING_IN:
        return (struct limit_text){"streams_pending_in", limits->streams_pending_in};
    case TRP_NET_PEERS_KNOWN:
        return (struct limit_text){"peers_known", limits->peers_known};
    case TRP_NET_LISTENERS:
        return (struct limit_text){"listeners", TRP_LISTENERS_MAX};
    case TRP_NET_DATAGRAM_SOCKETS:
        return (struct limit_text){"datagram_sockets", limits->datagram_sockets};
    case TRP_NET_TURNS:
    case TRP_NET_LIMITS_COUNT:
        break;
    }
    return (struct limit_text){"turns", TRP_TURNS_MAX};
}

void trp_net_limit_reached(struct trp_limit_marks *marks, struct trp_trace *trace,
                           const struct trp_limits *limits, enum trp_net_limit limit)
{
    struct limit_text text = limit_text(limits, limit);
    trp_limit_say(&marks->marks[limit], trace, text.name, text.value);
}
