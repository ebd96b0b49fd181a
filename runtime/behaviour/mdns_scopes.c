/* SPDX-License-Identifier: MIT */
#include "behaviour/mdns_state.h"

#define LISTEN_MAX 32u

const struct trp_udp_address trp_mdns_groups[MDNS_FAMILIES] = {
    {.ip = {224, 0, 0, 251}, .ip_bytes = 4, .port = TRP_MDNS_PORT},
    {.ip = {0xff, 0x02, [15] = 0xfb}, .ip_bytes = 16, .port = TRP_MDNS_PORT}};

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

static struct mdns_membership *membership_find(struct trp_mdns *mdns, uint32_t interface, bool ip6)
{
    for (uint32_t i = 0; i < mdns->memberships_count; i++) {
        struct mdns_membership *membership = &mdns->memberships[i];
        if (membership->interface == interface && membership->ip6 == ip6) {
            return membership;
        }
    }
    return NULL;
}

void trp_mdns_trace_unavailable(const struct trp_mdns *mdns, bool ip6, uint32_t interface,
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
        trp_mdns_trace_unavailable(mdns, ip6, interface, status);
        mdns_retry_later(mdns);
    }
}

static void membership_want(struct trp_mdns *mdns, uint32_t interface, bool ip6)
{
    struct mdns_membership *membership = membership_find(mdns, interface, ip6);
    bool asks =
        membership == NULL || (membership->state == MDNS_MEMBERSHIP_REFUSED && mdns->retries);
    if (membership == NULL) {
        if (mdns->memberships_count == TRP_MDNS_SCOPES_MAX) {
            trp_mdns_trace_unavailable(mdns, ip6, interface, TRP_EFULL);
            return;
        }
        membership = &mdns->memberships[mdns->memberships_count++];
        *membership = (struct mdns_membership){.interface = interface, .ip6 = ip6};
    }
    membership->wanted = true;
    if (membership->state == MDNS_MEMBERSHIP_MEMBER) {
        scope_update(mdns, interface, ip6);
    } else if (asks) {
        bool asked = trp_swarm_join(mdns->swarm, mdns->sockets[ip6].id, &trp_mdns_groups[ip6],
                                    interface) == TRP_OK;
        membership->state = asked ? MDNS_MEMBERSHIP_ASKED : MDNS_MEMBERSHIP_REFUSED;
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
        const struct mdns_membership *membership = &mdns->memberships[i];
        if (membership->wanted) {
            mdns->memberships[kept++] = *membership;
            continue;
        }
        trp_mdns_remove_scope(mdns->machine, membership->interface, membership->ip6);
        TRP_IGNORE(trp_swarm_leave(mdns->swarm, mdns->sockets[membership->ip6].id,
                                   &trp_mdns_groups[membership->ip6],
                                   membership->interface)); /* the interface may be gone */
    }
    mdns->memberships_count = kept;
}

void trp_mdns_look(struct trp_mdns *mdns)
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
        for (uint32_t family = 0; family < MDNS_FAMILIES; family++) {
            struct trp_interface ips[TRP_MDNS_IPS_MAX];
            struct trp_multiaddr told[TRP_MDNS_TOLD_MAX];
            struct trp_mdns_scope scope = {.interface = interface, .ip6 = family == 1};
            if (mdns->sockets[family].bound && scope_describe(mdns, &scope, ips, told)) {
                membership_want(mdns, interface, family == 1);
            }
        }
    }
    memberships_sweep(mdns);
    trp_mdns_drain(mdns);
}

void trp_mdns_on_joined(struct trp_mdns *mdns, uint32_t interface, bool ip6, enum trp_status status)
{
    struct mdns_membership *membership = membership_find(mdns, interface, ip6);
    if (membership == NULL || mdns->left) {
        return; /* not wanted any more */
    }
    if (status != TRP_OK) {
        membership->state = MDNS_MEMBERSHIP_REFUSED;
        trp_mdns_trace_unavailable(mdns, ip6, interface, status);
        mdns_retry_later(mdns);
        return;
    }
    membership->state = MDNS_MEMBERSHIP_MEMBER;
    scope_update(mdns, interface, ip6);
    trp_mdns_drain(mdns);
}
