/* SPDX-License-Identifier: MIT */
#include "behaviour/mdns.h"

#include "base/endian.h"
#include "base/prng.h"
#include "proto/mdns/mdns.h"

#include <troupe/driver.h>
#include <troupe/swarm.h>

#define INTERVAL_NS   TRP_MIN(5)
#define TTL_NS        TRP_MIN(6)
#define ADDRESSES_MAX 1024u
/* Of one that is not part of a node. */
#define OWN_MEMORY_BYTES (8ull << 20)
/* How long a socket or group that could not be had is left alone. */
#define RETRY_NS     TRP_MIN(1)
#define LISTEN_MAX   32u
#define FAMILIES     2u /* IPv4, IPv6: also the index into tables */
#define DIAL_SPAN_NS TRP_MIN(1)
#define DIALED_MAX   32u

static const struct trp_udp_address groups[FAMILIES] = {
    {.ip = {224, 0, 0, 251}, .ip_bytes = 4, .port = TRP_MDNS_PORT},
    {.ip = {0xff, 0x02, [15] = 0xfb}, .ip_bytes = 16, .port = TRP_MDNS_PORT}};

enum membership_state { MEMBERSHIP_ASKED, MEMBERSHIP_MEMBER, MEMBERSHIP_REFUSED };

/* An interface whose group a socket is in, or wants to be in. */
struct membership {
    uint32_t interface;
    bool ip6;
    bool wanted; /* when last looked at */
    enum membership_state state;
};

struct mdns_socket {
    trp_socket id; /* 0: none */
    bool bound;
    enum trp_status status; /* of the last failure; TRP_OK: none */
};

/* A peer that was dialed is not dialed again before that, however often it is heard of. */
struct dialed {
    struct trp_peer_id peer;
    trp_time until;
};

struct trp_mdns {
    struct trp_memory own; /* of one that is not part of a node, itself included */
    struct trp_memory *memory;
    struct trp_trace *trace;
    struct trp_trace no_trace;
    struct trp_mdns_config config;
    char service[TRP_DNS_NAME_BYTES_MAX];
    char interfaces_wanted[TRP_MDNS_INTERFACES_MAX][TRP_INTERFACE_NAME_MAX];
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_mdns_machine *machine;
    struct mdns_socket sockets[FAMILIES];
    struct membership memberships[TRP_MDNS_SCOPES_MAX];
    uint32_t memberships_count;
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    uint32_t interfaces_count;
    bool watches; /* the interfaces */
    bool left;
    bool retries; /* what was refused is asked for again now */
    trp_time retry_at;
    trp_time dials_since;
    uint32_t dials;
    struct dialed dialed[DIALED_MAX]; /* the latest */
    uint32_t dialed_next;
};

static trp_time mdns_now(const struct trp_mdns *mdns)
{
    return trp_swarm_now(mdns->swarm);
}

static void mdns_retry_later(struct trp_mdns *mdns)
{
    mdns->retry_at = trp_time_min(mdns->retry_at, trp_time_after(mdns_now(mdns), RETRY_NS));
}

/* ---- what was heard ---- */

/* An address as the swarm can dial it: a link-local one needs the name of its interface. */
static bool news_address(const struct trp_mdns *mdns, const struct trp_mdns_news *news,
                         struct trp_multiaddr *ret_address)
{
    *ret_address = news->address;
    for (uint32_t i = 0; news->link_local && i < mdns->interfaces_count; i++) {
        if (mdns->interfaces[i].index == news->interface) {
            return trp_multiaddr_with_zone(&news->address, mdns->interfaces[i].name, ret_address) ==
                   TRP_OK;
        }
    }
    return !news->link_local;
}

static struct dialed *dialed_find(struct trp_mdns *mdns, const struct trp_peer_id *peer)
{
    for (uint32_t i = 0; i < DIALED_MAX; i++) {
        if (trp_peer_id_equal(&mdns->dialed[i].peer, peer)) {
            return &mdns->dialed[i];
        }
    }
    return NULL;
}

static void mdns_dial(struct trp_mdns *mdns, const struct trp_peer_id *peer, bool fresh)
{
    trp_time now = mdns_now(mdns);
    struct dialed *dialed = dialed_find(mdns, peer);
    if (mdns->config.dials == NULL || (!fresh && dialed != NULL && now < dialed->until) ||
        trp_swarm_connections_to(mdns->swarm, peer) > 0 ||
        !mdns->config.dials(mdns->config.user, peer, fresh)) {
        return;
    }
    if (now >= trp_time_after(mdns->dials_since, DIAL_SPAN_NS)) {
        mdns->dials_since = now;
        mdns->dials = 0;
    }
    const struct trp_dial_request request = {.peer = *peer};
    /* One that is not begun now is, perhaps, when the peer is heard of again. */
    if (mdns->dials == TRP_MDNS_DIALS_PER_MINUTE ||
        trp_swarm_dial(mdns->swarm, &request) != TRP_OK) {
        return;
    }
    mdns->dials++;
    if (dialed == NULL) {
        dialed = &mdns->dialed[mdns->dialed_next++ % DIALED_MAX];
    }
    *dialed =
        (struct dialed){.peer = *peer, .until = trp_time_after(now, mdns->config.interval_ns)};
}

static void mdns_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct trp_mdns *mdns = self;
    struct dialed *dialed = report->peer.size == 0 ? NULL : dialed_find(mdns, &report->peer);
    if (dialed != NULL) {
        trp_time again = trp_swarm_limits(mdns->swarm)->bootstrap_redial_ns;
        dialed->until = trp_time_min(dialed->until, trp_time_after(mdns_now(mdns), again));
    }
}

static void trace_news(struct trp_mdns *mdns, const struct trp_mdns_event *event)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_multiaddr_print(&event->address, text);
    if (event->kind == TRP_MDNS_DISCOVERED) {
        (void)trp_trace_mdns_discovered(
            mdns->trace, &(struct trp_event_mdns_discovered){.peer = &event->peer,
                                                             .address = trp_bytes_text(text),
                                                             .interface = event->interface});
    } else if (event->kind == TRP_MDNS_EXPIRED) {
        (void)trp_trace_mdns_expired(
            mdns->trace, &(struct trp_event_mdns_expired){.peer = &event->peer,
                                                          .address = trp_bytes_text(text),
                                                          .interface = event->interface});
    }
}

static void mdns_on_news(struct trp_mdns *mdns, const struct trp_mdns_news *news)
{
    struct trp_mdns_event event = {
        .kind = news->kind, .peer = news->peer, .interface = news->interface};
    if (!news_address(mdns, news, &event.address)) {
        return; /* its interface is gone */
    }
    if (event.kind == TRP_MDNS_EXPIRED) {
        trp_swarm_forget_address(mdns->swarm, &event.peer, &event.address, TRP_ADDRESS_MDNS);
    } else {
        trp_swarm_add_address(mdns->swarm, &event.peer, &event.address, TRP_ADDRESS_MDNS);
    }
    trace_news(mdns, &event);
    if (mdns->config.event != NULL) {
        mdns->config.event(mdns->config.user, &event);
    }
    if (event.kind != TRP_MDNS_EXPIRED) {
        mdns_dial(mdns, &event.peer, event.kind == TRP_MDNS_DISCOVERED);
    }
}

/* Passes on what the machine has: news, and packets. */
static void mdns_drain(struct trp_mdns *mdns)
{
    struct trp_mdns_news news;
    struct trp_mdns_packet packet;
    while (trp_mdns_next_news(mdns->machine, &news)) {
        mdns_on_news(mdns, &news);
    }
    while (trp_mdns_next_packet(mdns->machine, &packet)) {
        const struct trp_datagram datagram = {.socket = mdns->sockets[packet.ip6].id,
                                              .interface = packet.interface,
                                              .remote = packet.to.ip_bytes == 0 ? groups[packet.ip6]
                                                                                : packet.to,
                                              .bytes = packet.bytes};
        TRP_IGNORE(trp_swarm_send(mdns->swarm, &datagram)); /* any packet may be lost */
    }
}

/* ---- scopes ---- */

static bool interface_is_chosen(const struct trp_mdns *mdns, const struct trp_interface *interface)
{
    bool chosen = mdns->config.interfaces_count == 0;
    for (uint32_t i = 0; i < mdns->config.interfaces_count && !chosen; i++) {
        chosen = strcmp(mdns->interfaces_wanted[i], interface->name) == 0;
    }
    return chosen && (!interface->loopback || mdns->config.loopback);
}

/* The IP address at the front of an address. */
static struct trp_bytes address_ip(const struct trp_multiaddr *address)
{
    struct trp_multiaddr_part part;
    size_t at = 0;
    return trp_multiaddr_next(address, &at, &part) ? part.value : TRP_BYTES_NONE;
}

/* Collects of `from` the addresses that are of the interface. */
static uint32_t told_add(const struct trp_mdns_scope *scope, const struct trp_multiaddr *from,
                         uint32_t from_count, struct trp_multiaddr *told, uint32_t count)
{
    for (uint32_t i = 0; i < from_count && count < TRP_MDNS_TOLD_MAX; i++) {
        const struct trp_multiaddr address = trp_multiaddr_without_zone(&from[i]);
        const struct trp_bytes ip = address_ip(&address);
        for (uint32_t k = 0; k < scope->ips_count; k++) {
            if (trp_bytes_equal(ip, trp_bytes(scope->ips[k].ip, scope->ips[k].ip_bytes))) {
                told[count++] = address;
                break;
            }
        }
    }
    return count;
}

/* What a scope is like now: `ips` and `told` are its arrays. False when it has no part in this. */
static bool scope_describe(struct trp_mdns *mdns, struct trp_mdns_scope *scope,
                           struct trp_interface ips[TRP_MDNS_IPS_MAX],
                           struct trp_multiaddr told[TRP_MDNS_TOLD_MAX])
{
    struct trp_multiaddr listens[LISTEN_MAX];
    bool has_family = false;
    *scope = (struct trp_mdns_scope){
        .interface = scope->interface, .ip6 = scope->ip6, .ips = ips, .told = told};
    for (uint32_t i = 0; i < mdns->interfaces_count; i++) {
        const struct trp_interface *interface = &mdns->interfaces[i];
        if (interface->index == scope->interface && interface_is_chosen(mdns, interface) &&
            scope->ips_count < TRP_MDNS_IPS_MAX) {
            ips[scope->ips_count++] = *interface;
            has_family = has_family || (interface->ip_bytes == 16) == scope->ip6;
        }
    }
    uint32_t listens_count = trp_swarm_listen_addresses(mdns->swarm, listens, LISTEN_MAX);
    scope->told_count = told_add(scope, listens, listens_count, told, 0);
    uint32_t links_count = trp_swarm_link_addresses(mdns->swarm, listens, LISTEN_MAX);
    if (scope->told_count == 0) { /* others than ours may not know what to do with these */
        scope->told_count = told_add(scope, listens, links_count, told, 0);
    }
    return has_family && (scope->told_count > 0 || listens_count + links_count == 0);
}

static struct membership *membership_find(struct trp_mdns *mdns, uint32_t interface, bool ip6)
{
    for (uint32_t i = 0; i < mdns->memberships_count; i++) {
        struct membership *membership = &mdns->memberships[i];
        if (membership->interface == interface && membership->ip6 == ip6) {
            return membership;
        }
    }
    return NULL;
}

static void trace_unavailable(struct trp_mdns *mdns, bool ip6, uint32_t interface,
                              enum trp_status status)
{
    (void)trp_trace_mdns_unavailable(
        mdns->trace,
        &(struct trp_event_mdns_unavailable){.ip6 = ip6, .interface = interface, .status = status});
}

/* The group is joined: the machine works there, or hears what has changed. */
static void scope_update(struct trp_mdns *mdns, uint32_t interface, bool ip6)
{
    struct trp_interface ips[TRP_MDNS_IPS_MAX];
    struct trp_multiaddr told[TRP_MDNS_TOLD_MAX];
    struct trp_mdns_scope scope = {.interface = interface, .ip6 = ip6};
    if (!scope_describe(mdns, &scope, ips, told)) {
        return;
    }
    enum trp_status status = trp_mdns_set_scope(mdns->machine, &scope, mdns_now(mdns));
    if (status != TRP_OK) {
        trace_unavailable(mdns, ip6, interface, status);
        mdns_retry_later(mdns);
    }
}

static void membership_want(struct trp_mdns *mdns, uint32_t interface, bool ip6)
{
    struct membership *membership = membership_find(mdns, interface, ip6);
    bool asks = membership == NULL || (membership->state == MEMBERSHIP_REFUSED && mdns->retries);
    if (membership == NULL) {
        if (mdns->memberships_count == TRP_MDNS_SCOPES_MAX) {
            trace_unavailable(mdns, ip6, interface, TRP_EFULL);
            return;
        }
        membership = &mdns->memberships[mdns->memberships_count++];
        *membership = (struct membership){.interface = interface, .ip6 = ip6};
    }
    membership->wanted = true;
    if (membership->state == MEMBERSHIP_MEMBER) {
        scope_update(mdns, interface, ip6);
    } else if (asks) {
        bool asked =
            trp_swarm_join(mdns->swarm, mdns->sockets[ip6].id, &groups[ip6], interface) == TRP_OK;
        membership->state = asked ? MEMBERSHIP_ASKED : MEMBERSHIP_REFUSED;
        if (!asked) {
            mdns_retry_later(mdns);
        }
    }
}

/* Leaves the groups that are not wanted any more. */
static void memberships_sweep(struct trp_mdns *mdns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < mdns->memberships_count; i++) {
        const struct membership *membership = &mdns->memberships[i];
        if (membership->wanted) {
            mdns->memberships[kept++] = *membership;
            continue;
        }
        trp_mdns_remove_scope(mdns->machine, membership->interface, membership->ip6);
        TRP_IGNORE(trp_swarm_leave(mdns->swarm, mdns->sockets[membership->ip6].id,
                                   &groups[membership->ip6],
                                   membership->interface)); /* the interface may be gone */
    }
    mdns->memberships_count = kept;
}

/* Brings groups and scopes in line with sockets, interfaces and listen addresses. */
static void mdns_look(struct trp_mdns *mdns)
{
    if (mdns->machine == NULL || mdns->left) {
        return;
    }
    for (uint32_t i = 0; i < mdns->memberships_count; i++) {
        mdns->memberships[i].wanted = false;
    }
    for (uint32_t i = 0; i < mdns->interfaces_count; i++) {
        uint32_t interface = mdns->interfaces[i].index;
        if (i > 0 && mdns->interfaces[i - 1].index == interface) {
            continue; /* another address of the same one */
        }
        for (uint32_t family = 0; family < FAMILIES; family++) {
            struct trp_interface ips[TRP_MDNS_IPS_MAX];
            struct trp_multiaddr told[TRP_MDNS_TOLD_MAX];
            struct trp_mdns_scope scope = {.interface = interface, .ip6 = family == 1};
            if (mdns->sockets[family].bound && scope_describe(mdns, &scope, ips, told)) {
                membership_want(mdns, interface, family == 1);
            }
        }
    }
    memberships_sweep(mdns);
    mdns_drain(mdns);
}

/* ---- hooks ---- */

static void sockets_open(struct trp_mdns *mdns)
{
    const bool off[FAMILIES] = {mdns->config.no_ip4, mdns->config.no_ip6};
    for (uint32_t family = 0; family < FAMILIES; family++) {
        struct mdns_socket *socket = &mdns->sockets[family];
        const struct trp_bind_request request = {
            .behaviour = mdns->index,
            .address = {.ip_bytes = groups[family].ip_bytes, .port = TRP_MDNS_PORT},
            .shared = true};
        if (off[family] || socket->id != 0) {
            continue;
        }
        enum trp_status status = trp_swarm_bind(mdns->swarm, &request, &socket->id);
        if (status != TRP_OK) {
            trace_unavailable(mdns, family == 1, 0, status);
            mdns_retry_later(mdns);
        }
    }
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
        trace_unavailable(mdns, false, 0, status);
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
    mdns_look(mdns);
}

static void mdns_self_changed(void *self)
{
    mdns_look(self);
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
    mdns_look(mdns);
}

static void mdns_unbound(void *self, trp_socket socket, enum trp_status reason)
{
    struct trp_mdns *mdns = self;
    struct mdns_socket *unbound = socket_find(mdns, socket);
    bool ip6 = unbound == &mdns->sockets[1];
    if (unbound->status != reason) { /* else it was said */
        trace_unavailable(mdns, ip6, 0, reason);
    }
    *unbound = (struct mdns_socket){.status = reason};
    mdns_look(mdns);
    mdns_retry_later(mdns);
}

static void mdns_joined(void *self, trp_socket socket, const struct trp_udp_address *group,
                        uint32_t interface, enum trp_status status)
{
    struct trp_mdns *mdns = self;
    bool ip6 = group->ip_bytes == 16;
    struct membership *membership = membership_find(mdns, interface, ip6);
    if (membership == NULL || mdns->sockets[ip6].id != socket || mdns->left) {
        return; /* not wanted any more */
    }
    if (status != TRP_OK) {
        membership->state = MEMBERSHIP_REFUSED;
        trace_unavailable(mdns, ip6, interface, status);
        mdns_retry_later(mdns);
        return;
    }
    membership->state = MEMBERSHIP_MEMBER;
    scope_update(mdns, interface, ip6);
    mdns_drain(mdns);
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
    mdns_drain(mdns);
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
        mdns_drain(mdns);
    }
    if (mdns->retry_at <= now) {
        mdns->retry_at = TRP_NEVER;
        mdns->retries = true;
        mdns_begin(mdns);
        mdns_look(mdns);
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
        mdns_drain(mdns);
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
