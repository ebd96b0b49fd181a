/* SPDX-License-Identifier: MIT */
#include "proto/mdns/mdns.h"

#include "base/prng.h"
#include "proto/mdns/state.h"

/* RFC 6762 5.2, 6: those who heard the same do not all speak at once. */
#define SOON_LEAST_NS TRP_MS(20)
#define SOON_MOST_NS  TRP_MS(120)
/* Intervals differ by up to so much, so that nodes fall out of step. */
#define INTERVAL_SPREAD_NS TRP_MS(100)
#define ANNOUNCE_PARTS     4u  /* an announcement in this part of the time to live */
#define ANNOUNCE_SPREAD    10u /* ... less up to this part of it, by chance */

/* ---- life ---- */

enum trp_status trp_mdns_machine_open(const struct trp_mdns_machine_config *config,
                                      struct trp_mdns_machine **ret_machine)
{
    struct trp_mdns_names names;
    struct trp_dns_name longest;
    static const char label[TRP_DNS_LABEL_MAX];
    if (trp_mdns_names_init(config->service, &names) != TRP_OK ||
        trp_dns_name_child(&names.service, trp_bytes(label, sizeof label), &longest) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    struct trp_mdns_machine *machine = trp_memory_alloc(config->memory, sizeof *machine);
    if (machine == NULL) {
        return TRP_ENOMEM;
    }
    machine->config = *config;
    machine->config.service = NULL; /* it is in the names */
    machine->names = names;
    trp_list_init(&machine->scopes);
    trp_mdns_cache_init(&machine->cache, config->memory,
                        trp_draw(config->seed, 0, MDNS_DRAW_CACHE, 0), config->addresses_max,
                        config->addresses_per_peer);
    *ret_machine = machine;
    return TRP_OK;
}

static void scope_free(struct trp_mdns_machine *machine, struct mdns_scope *scope)
{
    trp_list_link_remove(&scope->link);
    machine->scopes_count--;
    trp_memory_free(machine->config.memory, scope->told);
    trp_memory_free(machine->config.memory, scope);
}

static struct mdns_scope *scope_of(struct trp_list_link *link)
{
    return link == NULL ? NULL : TRP_CONTAINER(link, struct mdns_scope, link);
}

static struct mdns_scope *scope_next(const struct trp_mdns_machine *machine,
                                     const struct mdns_scope *scope)
{
    return scope_of(scope == NULL ? trp_list_front(&machine->scopes)
                                  : trp_list_next(&machine->scopes, &scope->link));
}

void trp_mdns_machine_close(struct trp_mdns_machine *machine)
{
    if (machine == NULL) {
        return;
    }
    struct mdns_scope *scope;
    while ((scope = scope_next(machine, NULL)) != NULL) {
        scope_free(machine, scope);
    }
    trp_mdns_cache_deinit(&machine->cache);
    trp_memory_free(machine->config.memory, machine);
}

/* ---- scopes ---- */

struct mdns_scope *trp_mdns_scope_find(const struct trp_mdns_machine *machine, uint32_t interface,
                                       bool ip6)
{
    struct mdns_scope *scope = scope_next(machine, NULL);
    while (scope != NULL && (scope->interface != interface || scope->ip6 != ip6)) {
        scope = scope_next(machine, scope);
    }
    return scope;
}

bool trp_mdns_has_scope(const struct trp_mdns_machine *machine, uint32_t interface, bool ip6)
{
    return trp_mdns_scope_find(machine, interface, ip6) != NULL;
}

void trp_mdns_remove_scope(struct trp_mdns_machine *machine, uint32_t interface, bool ip6)
{
    struct mdns_scope *scope = trp_mdns_scope_find(machine, interface, ip6);
    if (scope != NULL) {
        scope_free(machine, scope);
    }
}

static uint64_t scope_key(const struct mdns_scope *scope)
{
    return (uint64_t)scope->interface << 1 | scope->ip6;
}

static uint64_t scope_draw(const struct trp_mdns_machine *machine, struct mdns_scope *scope)
{
    return trp_draw(machine->config.seed, scope_key(scope), MDNS_DRAW_TIME, scope->draws++);
}

trp_time trp_mdns_soon(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                       trp_time now, trp_time least_ns, trp_time most_ns)
{
    uint32_t steps = (uint32_t)((most_ns - least_ns) / TRP_US(1));
    trp_time more = trp_draw_below(scope_draw(machine, scope), steps + 1) * TRP_US(1);
    return trp_time_after(now, least_ns + more);
}

static struct mdns_scope *scope_add(struct trp_mdns_machine *machine, uint32_t interface, bool ip6,
                                    trp_time now)
{
    struct mdns_scope *scope = trp_memory_alloc(machine->config.memory, sizeof *scope);
    if (scope == NULL) {
        return NULL;
    }
    scope->interface = interface;
    scope->ip6 = ip6;
    scope->respond_at = scope->announce_at = scope->responded_at = scope->asked_at = TRP_NEVER;
    scope->ask_at = trp_mdns_soon(machine, scope, now, SOON_LEAST_NS, SOON_MOST_NS);
    trp_list_push_back(&machine->scopes, &scope->link);
    machine->scopes_count++;
    return scope;
}

static bool ips_equal(const struct mdns_scope *scope, const struct trp_mdns_scope *wanted,
                      uint32_t count)
{
    bool equal = scope->ips_count == count;
    for (uint32_t i = 0; i < count && equal; i++) {
        equal = scope->ips[i].ip_bytes == wanted->ips[i].ip_bytes &&
                scope->ips[i].prefix_bits == wanted->ips[i].prefix_bits &&
                memcmp(scope->ips[i].ip, wanted->ips[i].ip, sizeof wanted->ips[i].ip) == 0;
    }
    return equal;
}

static bool told_equal(const struct mdns_scope *scope, const struct trp_mdns_scope *wanted,
                       uint32_t count)
{
    bool equal = scope->told_count == count;
    for (uint32_t i = 0; i < count && equal; i++) {
        equal = trp_multiaddr_equal(&scope->told[i], &wanted->told[i]);
    }
    return equal;
}

/* Replaces what is told; the packets it goes into are settled here. */
static enum trp_status scope_tell(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                                  const struct trp_mdns_scope *wanted, uint32_t count)
{
    struct trp_multiaddr *told =
        trp_memory_alloc(machine->config.memory, (count + 1) * sizeof *told);
    if (told == NULL) {
        return TRP_ENOMEM;
    }
    if (count > 0) {
        memcpy(told, wanted->told, count * sizeof *told);
    }
    trp_memory_free(machine->config.memory, scope->told);
    scope->told = told;
    scope->told_count = count;
    scope->parts_count = 0;
    for (uint32_t at = 0; at < count; at += scope->parts[scope->parts_count++]) {
        scope->parts[scope->parts_count] =
            (uint8_t)trp_mdns_fitting(&machine->config.self, told + at, count - at);
    }
    return TRP_OK;
}

enum trp_status trp_mdns_set_scope(struct trp_mdns_machine *machine,
                                   const struct trp_mdns_scope *wanted, trp_time now)
{
    uint32_t ips = wanted->ips_count < TRP_MDNS_IPS_MAX ? wanted->ips_count : TRP_MDNS_IPS_MAX;
    uint32_t told = wanted->told_count < TRP_MDNS_TOLD_MAX ? wanted->told_count : TRP_MDNS_TOLD_MAX;
    struct mdns_scope *scope = trp_mdns_scope_find(machine, wanted->interface, wanted->ip6);
    bool added = scope == NULL;
    if (machine->left) {
        return TRP_OK;
    }
    if (added) {
        if (machine->scopes_count == TRP_MDNS_SCOPES_MAX) {
            return TRP_EFULL;
        }
        scope = scope_add(machine, wanted->interface, wanted->ip6, now);
        if (scope == NULL) {
            return TRP_ENOMEM;
        }
    } else if (ips_equal(scope, wanted, ips) && told_equal(scope, wanted, told)) {
        return TRP_OK;
    }
    enum trp_status status = scope_tell(machine, scope, wanted, told);
    if (status != TRP_OK) {
        if (added) {
            scope_free(machine, scope);
        }
        return status;
    }
    scope->ips_count = ips;
    for (uint32_t i = 0; i < ips; i++) {
        scope->ips[i] = wanted->ips[i];
    }
    scope->generation++;
    scope->sending = 0;
    if (told > 0) {
        scope->announcements = TRP_MDNS_ANNOUNCEMENTS;
        trp_mdns_respond(machine, scope, TRP_MDNS_WANT_INSTANCE, now);
    } else {
        scope->respond_at = scope->announce_at = TRP_NEVER;
        scope->wants = 0;
    }
    return TRP_OK;
}

/* ---- what we are called ---- */

uint32_t trp_mdns_ttl_s(const struct trp_mdns_machine *machine)
{
    uint64_t seconds = machine->config.ttl_ns / TRP_S(1);
    return seconds == 0 ? 1 : (uint32_t)(seconds < UINT32_MAX ? seconds : UINT32_MAX);
}

/* Lower-case letters and digits, by chance: 12 of each draw, 36^12 being less than 2^63. */
static void label_draw(const struct trp_mdns_machine *machine, const struct mdns_scope *scope,
                       uint32_t part, char ret_label[TRP_MDNS_LABEL_BYTES])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t draw = 0;
    for (uint32_t i = 0; i < TRP_MDNS_LABEL_BYTES; i++) {
        if (i % 12 == 0) {
            uint64_t counter = (uint64_t)scope->generation << 16 | part << 4 | i / 12;
            draw = trp_draw(machine->config.seed, scope_key(scope), MDNS_DRAW_LABEL, counter);
        }
        ret_label[i] = alphabet[draw % 36];
        draw /= 36;
    }
}

struct trp_mdns_instance trp_mdns_instance_of(const struct trp_mdns_machine *machine,
                                              const struct mdns_scope *scope, uint32_t part)
{
    struct trp_mdns_instance instance = {.names = &machine->names,
                                         .peer = &machine->config.self,
                                         .addresses = scope->told,
                                         .ips = scope->ips,
                                         .ips_count = scope->ips_count};
    for (uint32_t i = 0; i < part; i++) {
        instance.addresses += scope->parts[i];
    }
    instance.addresses_count = part < scope->parts_count ? scope->parts[part] : 0;
    label_draw(machine, scope, part, instance.label);
    return instance;
}

/* ---- time ---- */

void trp_mdns_respond(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                      uint32_t wants, trp_time now)
{
    if (scope->told_count == 0) {
        return;
    }
    trp_time at = trp_mdns_soon(machine, scope, now, SOON_LEAST_NS, SOON_MOST_NS);
    trp_time gap = scope->responded_at == TRP_NEVER
                       ? 0
                       : trp_time_after(scope->responded_at, TRP_MDNS_RESPONSE_GAP_NS);
    at = at > gap ? at : gap;
    scope->wants |= wants;
    scope->respond_at = trp_time_min(scope->respond_at, at);
}

static void scope_settle(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                         trp_time now)
{
    scope->settled = true;
    scope->ask_at = trp_mdns_soon(machine, scope, now, machine->config.interval_ns,
                                  trp_time_after(machine->config.interval_ns, INTERVAL_SPREAD_NS));
}

void trp_mdns_on_answered(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                          trp_time now)
{
    scope->answered = true;
    if (!scope->settled && scope->questions >= TRP_MDNS_PROBES_MIN) {
        scope_settle(machine, scope, now);
    }
}

void trp_mdns_on_asked(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                       trp_time now)
{
    if (scope->settled) { /* RFC 6762 7.3: their question is ours */
        scope_settle(machine, scope, now);
    }
}

static void scope_ask(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                      trp_time now)
{
    uint32_t doublings = scope->questions < 32 ? scope->questions : 32;
    trp_time span = TRP_MDNS_PROBE_NS << doublings;
    scope->questions++;
    scope->asks = true;
    scope->asked_at = now;
    bool heard = scope->answered && scope->questions >= TRP_MDNS_PROBES_MIN;
    if (scope->settled || heard || span >= machine->config.interval_ns) {
        scope_settle(machine, scope, now);
    } else {
        scope->ask_at = trp_time_after(now, span);
    }
    /* libp2p/specs discovery/mdns.md: a peer answers its own question. */
    trp_mdns_respond(machine, scope, TRP_MDNS_WANT_INSTANCE, now);
}

static void scope_answer(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                         trp_time now)
{
    trp_time part = machine->config.ttl_ns / ANNOUNCE_PARTS;
    scope->sending = scope->wants;
    scope->sending_part = 0;
    scope->sending_ttl_s = trp_mdns_ttl_s(machine);
    scope->wants = 0;
    scope->responded_at = now;
    scope->respond_at = TRP_NEVER;
    scope->announce_at = trp_mdns_soon(machine, scope, now, part - part / ANNOUNCE_SPREAD, part);
    if ((scope->sending & TRP_MDNS_WANT_INSTANCE) != 0 && scope->announcements > 0 &&
        --scope->announcements > 0) {
        uint32_t made = TRP_MDNS_ANNOUNCEMENTS - scope->announcements;
        scope->announce_at = trp_time_after(now, TRP_MDNS_RESPONSE_GAP_NS << (made - 1));
    }
}

/* Something heard here is about to be forgotten. */
static void scope_ask_again(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                            trp_time now)
{
    trp_time soon = trp_mdns_soon(machine, scope, now, SOON_LEAST_NS, SOON_MOST_NS);
    trp_time gap =
        scope->asked_at == TRP_NEVER ? 0 : trp_time_after(scope->asked_at, TRP_MDNS_ASK_GAP_NS);
    scope->ask_at = trp_time_min(scope->ask_at, soon > gap ? soon : gap);
}

void trp_mdns_expire(struct trp_mdns_machine *machine, trp_time now)
{
    uint32_t interface;
    while (trp_mdns_cache_expire(&machine->cache, now, &interface)) {
        for (struct mdns_scope *scope = scope_next(machine, NULL); scope != NULL;
             scope = scope_next(machine, scope)) {
            if (scope->interface == interface && !machine->left) {
                scope_ask_again(machine, scope, now);
            }
        }
    }
    for (struct mdns_scope *scope = scope_next(machine, NULL); scope != NULL && !machine->left;
         scope = scope_next(machine, scope)) {
        if (scope->ask_at <= now) {
            scope_ask(machine, scope, now);
        }
        if (scope->announce_at <= now) {
            scope->announce_at = TRP_NEVER;
            trp_mdns_respond(machine, scope, TRP_MDNS_WANT_INSTANCE, now);
        }
        if (scope->respond_at <= now) {
            scope_answer(machine, scope, now);
        }
    }
}

trp_time trp_mdns_deadline(const struct trp_mdns_machine *machine)
{
    trp_time deadline = trp_mdns_cache_deadline(&machine->cache);
    for (const struct mdns_scope *scope = scope_next(machine, NULL); scope != NULL;
         scope = scope_next(machine, scope)) {
        deadline = trp_time_min(deadline, trp_time_min(scope->ask_at, scope->respond_at));
        deadline = trp_time_min(deadline, scope->announce_at);
    }
    return deadline;
}

/* ---- what leaves ---- */

void trp_mdns_machine_leave(struct trp_mdns_machine *machine)
{
    machine->left = true;
    machine->unicasts_count = 0;
    for (struct mdns_scope *scope = scope_next(machine, NULL); scope != NULL;
         scope = scope_next(machine, scope)) {
        bool told = scope->responded_at != TRP_NEVER && scope->told_count > 0;
        scope->asks = false;
        scope->ask_at = scope->respond_at = scope->announce_at = TRP_NEVER;
        scope->sending = told ? TRP_MDNS_WANT_INSTANCE : 0;
        scope->sending_part = 0;
        scope->sending_ttl_s = 0;
    }
}

static bool unicast_next(struct trp_mdns_machine *machine, struct trp_mdns_packet *ret_packet)
{
    size_t size;
    while (machine->unicasts_count > 0) {
        const struct mdns_unicast *first = &machine->unicasts[--machine->unicasts_count];
        const struct mdns_scope *scope = trp_mdns_scope_find(machine, first->interface, first->ip6);
        if (scope == NULL || scope->told_count == 0) {
            continue;
        }
        const struct trp_mdns_instance instance = trp_mdns_instance_of(machine, scope, 0);
        const struct trp_mdns_reply reply = {.wants = first->wants,
                                             .ttl_s = trp_mdns_ttl_s(machine),
                                             .question = first->legacy ? &first->question : NULL,
                                             .id = first->legacy ? first->id : 0};
        if (trp_mdns_write_response(&instance, &reply, machine->packet, sizeof machine->packet,
                                    &size) == TRP_OK) {
            *ret_packet = (struct trp_mdns_packet){.interface = first->interface,
                                                   .ip6 = first->ip6,
                                                   .to = first->to,
                                                   .bytes = trp_bytes(machine->packet, size)};
            return true;
        }
    }
    return false;
}

/* Writes the scope's next packet; 0: it has none. */
static size_t scope_write(struct trp_mdns_machine *machine, struct mdns_scope *scope)
{
    size_t size = 0;
    if (scope->asks) {
        scope->asks = false;
        return trp_mdns_write_query(&machine->names, machine->packet, sizeof machine->packet,
                                    &size) == TRP_OK
                   ? size
                   : 0;
    }
    while (scope->sending != 0 && size == 0) {
        const struct trp_mdns_instance instance =
            trp_mdns_instance_of(machine, scope, scope->sending_part);
        const struct trp_mdns_reply reply = {.wants = scope->sending,
                                             .ttl_s = scope->sending_ttl_s};
        if (trp_mdns_write_response(&instance, &reply, machine->packet, sizeof machine->packet,
                                    &size) != TRP_OK) {
            size = 0;
        }
        scope->sending &= (uint32_t)~TRP_MDNS_WANT_SERVICE; /* once is enough */
        if (++scope->sending_part >= scope->parts_count) {
            scope->sending = 0;
        }
    }
    return size;
}

bool trp_mdns_next_packet(struct trp_mdns_machine *machine, struct trp_mdns_packet *ret_packet)
{
    if (unicast_next(machine, ret_packet)) {
        return true;
    }
    for (struct mdns_scope *scope = scope_next(machine, NULL); scope != NULL;
         scope = scope_next(machine, scope)) {
        size_t size = scope_write(machine, scope);
        if (size > 0) {
            *ret_packet = (struct trp_mdns_packet){.interface = scope->interface,
                                                   .ip6 = scope->ip6,
                                                   .bytes = trp_bytes(machine->packet, size)};
            return true;
        }
    }
    return false;
}

bool trp_mdns_next_news(struct trp_mdns_machine *machine, struct trp_mdns_news *ret_news)
{
    return trp_mdns_cache_next_news(&machine->cache, ret_news);
}
