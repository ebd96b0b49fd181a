/* SPDX-License-Identifier: MIT */
#include "net/idle.h"

#include "net/connection.h"
#include "net/stream.h"

/* A connection in use would have failed after twice the keep-alive span of silence. */
#define TRUST_SPANS 2u
#define ANSWER_NS   TRP_S(3)

static bool is_used(const struct trp_connection *c)
{
    return c->streams_active > 0 || c->peer->keep_alive > 0 || c->answer_by != TRP_NEVER;
}

static void close_longest_idle(struct trp_swarm *swarm)
{
    struct trp_list_link *link = trp_list_front(&swarm->idle);
    if (link != NULL) {
        trp_connection_close(swarm, TRP_CONTAINER(link, struct trp_connection, idle_link),
                             TRP_EIDLE);
    }
}

static void set_used(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (c->idle_since != TRP_NEVER) {
        trp_list_link_remove(&c->idle_link);
        swarm->idle_count--;
        c->idle_since = TRP_NEVER;
        c->used_since = swarm->now;
    }
}

void trp_idle_remove(struct trp_swarm *swarm, struct trp_connection *c)
{
    set_used(swarm, c);
    if (c->answer_by != TRP_NEVER) {
        c->answer_by = TRP_NEVER;
        c->peer->asking_count--;
    }
}

void trp_idle_update(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (is_used(c)) {
        set_used(swarm, c);
    } else if (c->idle_since == TRP_NEVER) {
        c->idle_since = swarm->now;
        trp_list_push_back(&swarm->idle, &c->idle_link);
        if (++swarm->idle_count > swarm->limits->connections_idle) {
            close_longest_idle(swarm);
        }
    }
}

bool trp_idle_is_trusted(const struct trp_swarm *swarm, const struct trp_connection *c)
{
    trp_time until =
        trp_time_after(trp_yamux_heard_at(c->yamux), TRUST_SPANS * swarm->limits->keepalive_ns);
    return c->answer_by == TRP_NEVER && (c->idle_since == TRP_NEVER || until > swarm->now);
}

void trp_idle_ask(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (c->answer_by == TRP_NEVER) {
        c->answer_by = trp_time_after(swarm->now, ANSWER_NS);
        c->peer->asking_count++;
        trp_yamux_ping(c->yamux, swarm->now);
        trp_connection_touch(swarm, c);
    }
}

void trp_idle_check_answer(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (c->answer_by != TRP_NEVER && trp_yamux_is_answered(c->yamux)) {
        c->answer_by = TRP_NEVER;
        c->peer->asking_count--;
        trp_stream_attach_waiting(swarm, c->peer);
    }
}

trp_time trp_idle_ends_at(const struct trp_swarm *swarm, const struct trp_connection *c)
{
    return trp_time_after(c->idle_since, swarm->limits->idle_timeout_ns);
}

/* Silence counts from when the connection came into use: before, nobody listened for it. */
trp_time trp_idle_keepalive_at(const struct trp_swarm *swarm, const struct trp_connection *c)
{
    if (c->idle_since != TRP_NEVER) {
        return TRP_NEVER;
    }
    const struct trp_limits *limits = swarm->limits;
    trp_time first = trp_time_after(c->used_since, c->peer->keep_alive > 0 ? limits->link_probe_ns
                                                                           : limits->keepalive_ns);
    trp_time at = trp_yamux_deadline(c->yamux);
    return at > first ? at : first;
}

bool trp_idle_has_room(const struct trp_swarm *swarm)
{
    return swarm->open_count < swarm->limits->connections || swarm->idle_count > 0;
}

void trp_idle_make_room(struct trp_swarm *swarm)
{
    if (swarm->open_count >= swarm->limits->connections) {
        close_longest_idle(swarm);
    }
}
