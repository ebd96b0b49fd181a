/* SPDX-License-Identifier: MIT */
#include "base/endian.h"
#include "base/prng.h"
#include "behaviour/mdns_state.h"

#define INTERVAL_NS   TRP_MIN(5)
#define TTL_NS        TRP_MIN(6)
#define ADDRESSES_MAX 1024u
/* Of one that is not part of a node. */
#define OWN_MEMORY_BYTES (8ull << 20)

/* ---- hooks ---- */

static void sockets_open(struct trp_mdns *mdns)
{
    const bool off[MDNS_FAMILIES] = {mdns->config.no_ip4, mdns->config.no_ip6};
    for (uint32_t family = 0; family < MDNS_FAMILIES; family++) {
        struct mdns_socket *socket = &mdns->sockets[family];
        const struct trp_bind_request request = {
            .behaviour = mdns->index,
            .address = {.ip_bytes = trp_mdns_groups[family].ip_bytes, .port = TRP_MDNS_PORT},
            .shared = true};
        if (off[family] || socket->id != 0) {
            continue;
        }
        enum trp_status status = trp_swarm_bind(mdns->swarm, &request, &socket->id);
        if (status != TRP_OK) {
            trp_mdns_trace_unavailable(mdns, family == 1, 0, status);
            mdns_retry_later(mdns);
        }
    }
}

static void mdns_dial_failed(void *self, const struct trp_dial_report *report)
{
    trp_mdns_on_dial_failed(self, report);
}

static uint64_t default_seed(const struct trp_peer_id *self, trp_time now)
{
    uint64_t seed = now;
    for (uint32_t i = 0; i + 8 <= self->size; i += 8) {
        seed = trp_draw(seed, trp_load_le64(self->bytes + i), 0, 0);
    }
    return seed;
}

/* Gets what there is to be had of what is missing; the rest later. */
static void mdns_begin(struct trp_mdns *mdns)
{
    const struct trp_peer_id *id = trp_swarm_peer_id(mdns->swarm);
    enum trp_status status = TRP_OK;
    if (mdns->machine == NULL) {
        const struct trp_mdns_machine_config machine = {
            .memory = mdns->memory,
            .self = *id,
            .seed = mdns->config.seed != 0 ? mdns->config.seed : default_seed(id, mdns_now(mdns)),
            .service = mdns->service,
            .interval_ns = mdns->config.interval_ns,
            .ttl_ns = mdns->config.ttl_ns,
            .addresses_max = mdns->config.addresses_max,
            .addresses_per_peer = trp_swarm_limits(mdns->swarm)->addresses_per_peer};
        status = trp_mdns_machine_open(&machine, &mdns->machine);
    }
    if (status == TRP_OK && !mdns->watches) {
        status = trp_swarm_watch_interfaces(mdns->swarm);
        mdns->watches = status == TRP_OK;
    }
    if (status == TRP_OK) {
        sockets_open(mdns);
    } else {
        trp_mdns_trace_unavailable(mdns, false, 0, status);
        mdns_retry_later(mdns);
    }
}

static void mdns_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_mdns *mdns = self;
    mdns->swarm = swarm;
    mdns->index = index;
    mdns->dials_since = mdns_now(mdns);
    mdns_begin(mdns);
}

static void mdns_interfaces(void *self, const struct trp_interface *interfaces, uint32_t count)
{
    struct trp_mdns *mdns = self;
    memcpy(mdns->interfaces, interfaces, count * sizeof *interfaces);
    mdns->interfaces_count = count;
    trp_mdns_look(mdns);
}

static void mdns_self_changed(void *self)
{
    trp_mdns_look(self);
}

static struct mdns_socket *socket_find(struct trp_mdns *mdns, trp_socket id)
{
    return mdns->sockets[0].id == id ? &mdns->sockets[0] : &mdns->sockets[1];
}

static void mdns_bound(void *self, trp_socket socket, const struct trp_udp_address *address)
{
    struct trp_mdns *mdns = self;
    struct mdns_socket *bound = socket_find(mdns, socket);
    (void)address;
    bound->bound = true;
    bound->status = TRP_OK;
    trp_mdns_look(mdns);
}

static void mdns_unbound(void *self, trp_socket socket, enum trp_status reason)
{
    struct trp_mdns *mdns = self;
    struct mdns_socket *unbound = socket_find(mdns, socket);
    bool ip6 = unbound == &mdns->sockets[1];
    if (unbound->status != reason) { /* else it was said */
        trp_mdns_trace_unavailable(mdns, ip6, 0, reason);
    }
    *unbound = (struct mdns_socket){.status = reason};
    trp_mdns_look(mdns);
    mdns_retry_later(mdns);
}

static void mdns_joined(void *self, trp_socket socket, const struct trp_udp_address *group,
                        uint32_t interface, enum trp_status status)
{
    struct trp_mdns *mdns = self;
    bool ip6 = group->ip_bytes == 16;
    if (mdns->sockets[ip6].id == socket) { /* else it was of one that broke since */
        trp_mdns_on_joined(mdns, interface, ip6, status);
    }
}

static void mdns_datagram(void *self, const struct trp_datagram *datagram)
{
    struct trp_mdns *mdns = self;
    if (mdns->left) {
        return;
    }
    enum trp_status status = trp_mdns_recv(mdns->machine, datagram->interface, &datagram->remote,
                                           datagram->bytes, mdns_now(mdns));
    if (status != TRP_OK) {
        (void)trp_trace_mdns_refused(
            mdns->trace, &(struct trp_event_mdns_refused){.interface = datagram->interface,
                                                          .bytes = datagram->bytes.size,
                                                          .status = status});
    }
    trp_mdns_drain(mdns);
}

static trp_time mdns_deadline(const void *self)
{
    const struct trp_mdns *mdns = self;
    return mdns->machine == NULL ? mdns->retry_at
                                 : trp_time_min(trp_mdns_deadline(mdns->machine), mdns->retry_at);
}

static void mdns_expire(void *self, trp_time now)
{
    struct trp_mdns *mdns = self;
    if (mdns->machine != NULL) {
        trp_mdns_expire(mdns->machine, now);
        trp_mdns_drain(mdns);
    }
    if (mdns->retry_at <= now) {
        mdns->retry_at = TRP_NEVER;
        mdns->retries = true;
        mdns_begin(mdns);
        trp_mdns_look(mdns);
        mdns->retries = false;
    }
}

static const struct trp_behaviour_ops mdns_ops = {.name = "mdns",
                                                  .attach = mdns_attach,
                                                  .dial_failed = mdns_dial_failed,
                                                  .self_changed = mdns_self_changed,
                                                  .bound = mdns_bound,
                                                  .unbound = mdns_unbound,
                                                  .joined = mdns_joined,
                                                  .datagram = mdns_datagram,
                                                  .interfaces = mdns_interfaces,
                                                  .deadline = mdns_deadline,
                                                  .expire = mdns_expire};

struct trp_behaviour trp_mdns_behaviour(struct trp_mdns *mdns)
{
    return (struct trp_behaviour){.ops = &mdns_ops, .self = mdns};
}

/* ---- life ---- */

/* Copies a text with its NUL; false when there is no room. */
static bool text_copy(char *to, size_t room, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > room) {
        return false;
    }
    memcpy(to, text, size);
    return true;
}

static bool config_take(struct trp_mdns *mdns, const struct trp_mdns_config *config)
{
    struct trp_mdns_config *taken = &mdns->config;
    struct trp_mdns_names names;
    *taken = *config;
    taken->interval_ns = config->interval_ns != 0 ? config->interval_ns : INTERVAL_NS;
    taken->ttl_ns = config->ttl_ns != 0 ? config->ttl_ns : TTL_NS;
    taken->addresses_max = config->addresses_max != 0 ? config->addresses_max : ADDRESSES_MAX;
    taken->interfaces = NULL;
    taken->service = NULL;
    const char *service = config->service != NULL ? config->service : TRP_MDNS_SERVICE;
    if (!text_copy(mdns->service, sizeof mdns->service, service) ||
        trp_mdns_names_init(service, &names) != TRP_OK ||
        config->interfaces_count > TRP_MDNS_INTERFACES_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < config->interfaces_count; i++) {
        if (!text_copy(mdns->interfaces_wanted[i], TRP_INTERFACE_NAME_MAX, config->interfaces[i])) {
            return false;
        }
    }
    return true;
}

static enum trp_status mdns_make(struct trp_memory *memory, const struct trp_mdns_config *config,
                                 struct trp_mdns **ret_mdns)
{
    static const struct trp_mdns_config defaults;
    struct trp_mdns *mdns = trp_memory_alloc(memory, sizeof *mdns);
    if (mdns == NULL) {
        return TRP_ENOMEM;
    }
    mdns->retry_at = TRP_NEVER;
    if (!config_take(mdns, config != NULL ? config : &defaults)) {
        trp_memory_free(memory, mdns);
        return TRP_EINVAL;
    }
    *ret_mdns = mdns;
    return TRP_OK;
}

enum trp_status trp_mdns_open(const struct trp_mdns_config *config, struct trp_mdns **ret_mdns)
{
    struct trp_memory own = trp_memory_init(OWN_MEMORY_BYTES);
    struct trp_mdns *mdns;
    enum trp_status status = mdns_make(&own, config, &mdns);
    if (status == TRP_OK) {
        mdns->own = own;
        mdns->memory = &mdns->own;
        mdns->trace = &mdns->no_trace;
        *ret_mdns = mdns;
    }
    return status;
}

enum trp_status trp_mdns_open_within(struct trp_memory *memory, struct trp_trace *trace,
                                     const struct trp_mdns_config *config,
                                     struct trp_mdns **ret_mdns)
{
    struct trp_mdns *mdns;
    enum trp_status status = mdns_make(memory, config, &mdns);
    if (status == TRP_OK) {
        mdns->memory = memory;
        mdns->trace = trace;
        *ret_mdns = mdns;
    }
    return status;
}

void trp_mdns_leave(struct trp_mdns *mdns)
{
    if (mdns->machine != NULL && !mdns->left) {
        mdns->left = true;
        trp_mdns_machine_leave(mdns->machine);
        trp_mdns_drain(mdns);
    }
}

void trp_mdns_close(struct trp_mdns *mdns)
{
    if (mdns == NULL) {
        return;
    }
    trp_mdns_machine_close(mdns->machine);
    struct trp_memory own = mdns->own; /* it counts itself */
    trp_memory_free(mdns->memory == &mdns->own ? &own : mdns->memory, mdns);
}
