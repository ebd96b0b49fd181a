/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include "base/assert.h"
#include "net/behaviours.h"
#include "net/connection.h"
#include "net/idle.h"
#include "net/pool.h"
#include "net/stream.h"

#define GATHER_MAX    16u /* addresses taken from one source of them */
#define WITH_RESOLVED 2u  /* as many addresses again may come of names */

static void dial_touch(struct trp_swarm *swarm, struct trp_dial *dial)
{
    if (!trp_list_link_is_linked(&dial->dirty_link)) {
        trp_list_push_back(&swarm->dirty_dials, &dial->dirty_link);
    }
}

static const struct trp_peer_id *dial_peer(const struct trp_dial *dial)
{
    return dial->peer == NULL ? NULL : &dial->peer->id;
}

/* ---- candidates ---- */

/* Adds an address unless it is there or there is no room. An address that names another peer is
 * kept, to be reported as refused. */
static void dial_add(struct trp_swarm *swarm, struct trp_dial *dial,
                     const struct trp_multiaddr *address, uint32_t origin)
{
    struct trp_multiaddr plain = trp_multiaddr_without_peer(address);
    for (uint32_t i = 0; i < dial->candidates_count; i++) {
        if (trp_multiaddr_equal(&dial->candidates[i].address, &plain)) {
            return;
        }
    }
    bool given = origin == UINT32_MAX;
    if (dial->candidates_count >= swarm->limits->dial_addresses * (given ? 1 : WITH_RESOLVED)) {
        return;
    }
    uint32_t index = dial->candidates_count++;
    struct trp_peer_id named;
    bool is_other = dial->peer != NULL && trp_multiaddr_peer(address, &named) == TRP_OK &&
                    !trp_peer_id_equal(&named, &dial->peer->id);
    dial->candidates[index] = (struct trp_dial_candidate){
        .address = plain, .origin = given ? index : origin, .refused = is_other};
}

static void dial_gather(struct trp_swarm *swarm, struct trp_dial *dial)
{
    struct trp_multiaddr addresses[GATHER_MAX];
    dial->gathered = true;
    if (dial->peer != NULL) {
        uint32_t count =
            trp_peer_store_addresses(&swarm->store, &dial->peer->id, addresses, GATHER_MAX);
        for (uint32_t i = 0; i < count; i++) {
            dial_add(swarm, dial, &addresses[i], UINT32_MAX);
        }
    }
    for (uint32_t i = 0; dial->peer != NULL && i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->addresses == NULL) {
            continue;
        }
        uint32_t count =
            behaviour->ops->addresses(behaviour->self, &dial->peer->id, addresses, GATHER_MAX);
        for (uint32_t k = 0; k < count && k < GATHER_MAX; k++) {
            dial_add(swarm, dial, &addresses[k], UINT32_MAX);
        }
    }
    uint64_t event = trp_trace_dial_started(
        swarm->trace, &(struct trp_event_dial_started){.peer = dial_peer(dial),
                                                       .addresses = dial->candidates_count});
    dial->cause = event != 0 ? event : dial->cause;
}

/* ---- beginning and ending ---- */

static struct trp_dial *dial_make(struct trp_swarm *swarm, enum trp_status *ret_status)
{
    trp_handle id;
    void *object;
    *ret_status = trp_slab_insert(&swarm->dials, &id, &object);
    if (*ret_status != TRP_OK) {
        if (*ret_status == TRP_EFULL) {
            trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                                  TRP_NET_CONNECTIONS_PENDING_OUT);
        }
        return NULL;
    }
    struct trp_dial *dial = object;
    *dial = (struct trp_dial){.id = id, .started_at = swarm->now, .cause = swarm->trace->cause};
    trp_list_init(&dial->connections);
    trp_list_init(&dial->resolves);
    uint32_t max = swarm->limits->dial_addresses * WITH_RESOLVED;
    dial->candidates = trp_memory_alloc(swarm->memory, max * sizeof *dial->candidates);
    dial->attempts = trp_memory_alloc(swarm->memory, max * sizeof *dial->attempts);
    if (dial->candidates == NULL || dial->attempts == NULL) {
        trp_dial_discard(swarm, dial);
        *ret_status = TRP_ENOMEM;
        return NULL;
    }
    return dial;
}

void trp_dial_discard(struct trp_swarm *swarm, struct trp_dial *dial)
{
    if (dial->peer != NULL) {
        dial->peer->dial = NULL;
    }
    trp_list_link_remove(&dial->dirty_link);
    trp_list_link_remove(&dial->slot_link);
    trp_memory_free(swarm->memory, dial->candidates);
    trp_memory_free(swarm->memory, dial->attempts);
    trp_slab_remove(&swarm->dials, dial->id);
    if (swarm->pending_out < swarm->limits->connections_pending_out) {
        trp_dial_next_waiting(swarm);
    }
}

/* A dial of the same address that expects nobody either. */
static bool dial_is_under_way(const struct trp_swarm *swarm, const struct trp_multiaddr *address)
{
    struct trp_multiaddr plain = trp_multiaddr_without_peer(address);
    uint32_t at = 0;
    trp_handle id;
    const struct trp_dial *dial;
    while ((dial = trp_slab_next(&swarm->dials, &at, &id)) != NULL) {
        if (dial->peer == NULL && dial->candidates_count > 0 &&
            trp_multiaddr_equal(&dial->candidates[0].address, &plain)) {
            return true;
        }
    }
    return false;
}

enum trp_status trp_dial_begin(struct trp_swarm *swarm, struct trp_pool_peer *peer,
                               const struct trp_multiaddr *addresses, uint32_t addresses_count)
{
    struct trp_dial *dial = peer == NULL ? NULL : peer->dial;
    enum trp_status status = TRP_EEXISTS;
    if (dial == NULL) { /* else it is shared */
        if (peer == NULL && dial_is_under_way(swarm, &addresses[0])) {
            return TRP_EEXISTS;
        }
        if (!trp_idle_has_room(swarm)) {
            trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                                  TRP_NET_CONNECTIONS);
            return TRP_EFULL;
        }
        dial = dial_make(swarm, &status);
        if (dial == NULL) {
            return status;
        }
        dial->peer = peer;
        if (peer != NULL) {
            peer->dial = dial;
        }
    }
    for (uint32_t i = 0; i < addresses_count; i++) {
        dial_add(swarm, dial, &addresses[i], UINT32_MAX);
    }
    dial->connected = false; /* who asks now is owed an outcome from now on */
    dial_touch(swarm, dial);
    return status;
}

static void resolve_end(struct trp_swarm *swarm, struct trp_resolve *resolve)
{
    trp_list_link_remove(&resolve->link);
    trp_heap_remove(&swarm->timers, &resolve->timer.entry);
    resolve->dial = NULL;
    trp_transport_forget(&swarm->transport, &resolve->socket); /* and is freed with it */
}

void trp_resolve_discard(struct trp_swarm *swarm, struct trp_resolve *resolve)
{
    trp_list_link_remove(&resolve->link);
    trp_heap_remove(&swarm->timers, &resolve->timer.entry);
    trp_memory_free(swarm->memory, resolve);
}

void trp_dial_won(struct trp_swarm *swarm, struct trp_dial *dial)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&dial->connections)) != NULL) {
        trp_connection_cancel(swarm, TRP_CONTAINER(link, struct trp_connection, dial_link));
    }
    while ((link = trp_list_front(&dial->resolves)) != NULL) {
        resolve_end(swarm, TRP_CONTAINER(link, struct trp_resolve, link));
    }
    struct trp_pool_peer *peer = dial->peer;
    trp_dial_discard(swarm, dial);
    if (peer != NULL) {
        trp_pool_release(swarm, peer);
    }
}

/* Tells the streams that waited, then the behaviours. What they ask for then belongs to a new
 * dial. */
static void dial_fail(struct trp_swarm *swarm, struct trp_dial *dial)
{
    struct trp_pool_peer *peer = dial->peer;
    struct trp_dial_attempt *attempts = dial->attempts;
    struct trp_dial_report report = {.status = TRP_ENOADDRESS,
                                     .attempts_count = dial->attempts_count,
                                     .attempts = dial->attempts};
    if (dial->attempts_count > 0) {
        report.status = dial->attempts[dial->attempts_count - 1].status;
    }
    if (peer != NULL) {
        report.peer = peer->id;
        peer->references++;
    }
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = dial->cause;
    uint64_t event = trp_trace_dial_failed(
        swarm->trace, &(struct trp_event_dial_failed){.peer = dial_peer(dial),
                                                      .attempts = dial->attempts_count,
                                                      .status = report.status,
                                                      .took = swarm->now - dial->started_at});
    swarm->trace->cause = event != 0 ? event : dial->cause;
    bool connected = dial->connected;
    dial->attempts = NULL; /* the report keeps them */
    trp_dial_discard(swarm, dial);
    struct trp_list_link *link;
    uint32_t waiting = peer == NULL ? 0 : peer->waiting_count;
    for (; waiting > 0 && (link = trp_list_front(&peer->waiting)) != NULL; waiting--) {
        trp_stream_end(swarm, TRP_CONTAINER(link, struct trp_stream, owner_link), report.status);
    }
    if (!connected) { /* else they have heard `connected` since it began */
        trp_behaviours_dial_failed(swarm, &report);
    }
    trp_memory_free(swarm->memory, attempts);
    if (peer != NULL) {
        peer->references--;
        trp_pool_release(swarm, peer);
    }
    swarm->trace->cause = cause;
}

/* ---- attempts ---- */

static void trace_attempt_failed(struct trp_swarm *swarm, struct trp_dial *dial,
                                 const struct trp_multiaddr *address, const char *stage,
                                 enum trp_status status, trp_time took_ns)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_multiaddr_print(address, text);
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = dial->cause;
    uint64_t event = trp_trace_dial_attempt_failed(
        swarm->trace, &(struct trp_event_dial_attempt_failed){.peer = dial_peer(dial),
                                                              .address = trp_bytes_text(text),
                                                              .stage = trp_bytes_text(stage),
                                                              .status = status,
                                                              .took = took_ns});
    dial->cause = event != 0 ? event : dial->cause;
    swarm->trace->cause = cause;
}

/* Notes a failure, of an attempt under way or of one that could not begin. */
static void dial_note_failed(struct trp_swarm *swarm, struct trp_dial *dial, uint32_t candidate,
                             enum trp_status status, const char *stage, trp_time started_at)
{
    const struct trp_dial_candidate *tried = &dial->candidates[candidate];
    const struct trp_multiaddr *given = &dial->candidates[tried->origin].address;
    trp_time took_ns = swarm->now - started_at;
    trace_attempt_failed(swarm, dial, &tried->address, stage, status, took_ns);
    TRP_ASSERT(dial->attempts_count < dial->candidates_count);
    dial->attempts[dial->attempts_count++] = (struct trp_dial_attempt){
        .address = *given, .status = status, .stage = stage, .took_ns = took_ns};
    enum trp_status_class class = trp_status_class(status);
    if (dial->peer != NULL && (class == TRP_CLASS_IO || class == TRP_CLASS_PEER)) {
        trp_peer_store_demote(&swarm->store, &dial->peer->id, given);
    }
}

void trp_dial_attempt_failed(struct trp_swarm *swarm, struct trp_dial *dial, uint32_t candidate,
                             enum trp_status status, const char *stage, trp_time started_at)
{
    dial->active--;
    dial_note_failed(swarm, dial, candidate, status, stage, started_at);
    dial_touch(swarm, dial);
}

static enum trp_status resolve_begin(struct trp_swarm *swarm, struct trp_dial *dial,
                                     uint32_t candidate)
{
    struct trp_resolve *resolve = trp_memory_alloc(swarm->memory, sizeof *resolve);
    if (resolve == NULL) {
        return TRP_ENOMEM;
    }
    *resolve = (struct trp_resolve){.dial = dial,
                                    .candidate = candidate,
                                    .started_at = swarm->now,
                                    .timer = {.kind = TRP_TIMER_RESOLVE}};
    enum trp_status status =
        trp_transport_add(&swarm->transport, &resolve->socket, TRP_SOCKET_RESOLVE, 0);
    if (status != TRP_OK) {
        trp_memory_free(swarm->memory, resolve);
        return status;
    }
    trp_time deadline = trp_time_after(swarm->now, swarm->limits->dial_timeout_ns);
    status = trp_heap_insert(&swarm->timers, &resolve->timer.entry, deadline, swarm->ties++);
    if (status != TRP_OK) {
        resolve_end(swarm, resolve);
        return status;
    }
    trp_list_push_back(&dial->resolves, &resolve->link);
    trp_transport_open(&swarm->transport, &resolve->socket, &dial->candidates[candidate].address,
                       dial->cause);
    return TRP_OK;
}

/* Says how an address is reached: by dialing it, or by resolving it first. */
static enum trp_status address_needs_resolve(const struct trp_multiaddr *address, bool *ret_resolve)
{
    size_t at = 0;
    struct trp_multiaddr_part part;
    if (!trp_multiaddr_next(address, &at, &part)) {
        return TRP_EUNSUPPORTED;
    }
    *ret_resolve = part.code == TRP_MA_DNS || part.code == TRP_MA_DNS4 ||
                   part.code == TRP_MA_DNS6 || part.code == TRP_MA_DNSADDR;
    struct trp_endpoint endpoint;
    return part.code == TRP_MA_DNSADDR ? TRP_OK : trp_multiaddr_tcp(address, &endpoint);
}

static void dial_try(struct trp_swarm *swarm, struct trp_dial *dial, uint32_t candidate)
{
    const struct trp_dial_candidate *tried = &dial->candidates[candidate];
    bool resolve = false;
    const char *stage = "identity";
    enum trp_status status = TRP_EAUTH;
    if (!tried->refused) {
        stage = "connect";
        status = address_needs_resolve(&tried->address, &resolve);
    }
    if (status == TRP_OK && resolve && tried->origin != candidate) {
        status = TRP_ERESOLVE; /* a name for a name goes no further */
    }
    if (status == TRP_OK && resolve) {
        stage = "resolve";
        status = resolve_begin(swarm, dial, candidate);
    } else if (status == TRP_OK) {
        status = trp_connection_dial(swarm, dial, candidate);
    }
    if (status == TRP_OK) {
        dial->active++;
    } else {
        dial_note_failed(swarm, dial, candidate, status, stage, swarm->now);
    }
}

void trp_dial_work(struct trp_swarm *swarm, struct trp_dial *dial)
{
    if (!dial->gathered) {
        dial_gather(swarm, dial);
    }
    while (dial->candidates_next < dial->candidates_count &&
           dial->active < swarm->limits->dial_concurrency) {
        if (swarm->pending_out >= swarm->limits->connections_pending_out) {
            if (!trp_list_link_is_linked(&dial->slot_link)) {
                trp_list_push_back(&swarm->dials_waiting, &dial->slot_link);
            }
            return;
        }
        dial_try(swarm, dial, dial->candidates_next++);
    }
    trp_list_link_remove(&dial->slot_link);
    if (dial->active == 0 && dial->candidates_next == dial->candidates_count) {
        dial_fail(swarm, dial);
    } else if (swarm->pending_out < swarm->limits->connections_pending_out) {
        trp_dial_next_waiting(swarm); /* the place that this one did not take */
    }
}

void trp_dial_next_waiting(struct trp_swarm *swarm)
{
    struct trp_list_link *link = trp_list_pop_front(&swarm->dials_waiting);
    if (link != NULL) {
        dial_touch(swarm, TRP_CONTAINER(link, struct trp_dial, slot_link));
    }
}

/* ---- names ---- */

/* What a name resolved to: an address, or only the host of the asked one. */
static bool resolved_address(const struct trp_multiaddr *asked, const struct trp_multiaddr *answer,
                             struct trp_multiaddr *ret_address)
{
    struct trp_endpoint endpoint;
    if (trp_multiaddr_tcp(answer, &endpoint) == TRP_OK) {
        *ret_address = *answer;
        return true;
    }
    size_t at = 0;
    struct trp_multiaddr_part part;
    if (trp_multiaddr_tcp(asked, &endpoint) != TRP_OK || !trp_multiaddr_next(answer, &at, &part) ||
        (part.code != TRP_MA_IP4 && part.code != TRP_MA_IP6) || at < answer->size) {
        return false;
    }
    *ret_address = trp_multiaddr_from_ip(part.value.data, part.value.size, endpoint.port);
    return true;
}

void trp_dial_on_resolved(struct trp_swarm *swarm, struct trp_resolve *resolve,
                          enum trp_status status, const struct trp_multiaddr *addresses,
                          uint32_t addresses_count)
{
    struct trp_dial *dial = resolve->dial;
    uint32_t candidate = resolve->candidate;
    trp_time started_at = resolve->started_at;
    resolve_end(swarm, resolve);
    uint32_t before = dial->candidates_count;
    const struct trp_multiaddr asked = dial->candidates[candidate].address;
    for (uint32_t i = 0; status == TRP_OK && i < addresses_count; i++) {
        struct trp_multiaddr address;
        if (resolved_address(&asked, &addresses[i], &address)) {
            dial_add(swarm, dial, &address, candidate);
        }
    }
    if (dial->candidates_count == before) {
        status = status == TRP_OK ? TRP_ERESOLVE : status;
        trp_dial_attempt_failed(swarm, dial, candidate, status, "resolve", started_at);
        return;
    }
    dial->active--;
    dial_touch(swarm, dial);
}

void trp_resolve_expire(struct trp_swarm *swarm, struct trp_resolve *resolve)
{
    trp_dial_on_resolved(swarm, resolve, TRP_ETIMEDOUT, NULL, 0);
}
