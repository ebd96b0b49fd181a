/* SPDX-License-Identifier: MIT */
/* What comes: questions that are answered, and answers of others. */
#include "proto/mdns/state.h"

/* ---- where it comes from ---- */

static bool ip_is_in(const uint8_t *ip, const struct trp_interface *of)
{
    uint32_t whole = of->prefix_bits / 8u;
    uint32_t rest = of->prefix_bits % 8u;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return memcmp(ip, of->ip, whole) == 0 &&
           (rest == 0 || ((ip[whole] ^ of->ip[whole]) & mask) == 0);
}

/* Says whether an address is on the link of the scope's interface. */
static bool ip_is_on_link(const struct mdns_scope *scope, const uint8_t *ip, uint8_t ip_bytes)
{
    for (uint32_t i = 0; i < scope->ips_count; i++) {
        if (scope->ips[i].ip_bytes == ip_bytes && ip_is_in(ip, &scope->ips[i])) {
            return true;
        }
    }
    return false;
}

static bool ip_is_own(const struct trp_mdns_machine *machine, const uint8_t *ip, uint8_t ip_bytes)
{
    struct trp_list_link *link = trp_list_front(&machine->scopes);
    for (; link != NULL; link = trp_list_next(&machine->scopes, link)) {
        const struct mdns_scope *scope = TRP_CONTAINER(link, struct mdns_scope, link);
        for (uint32_t i = 0; i < scope->ips_count; i++) {
            if (scope->ips[i].ip_bytes == ip_bytes && memcmp(scope->ips[i].ip, ip, ip_bytes) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool ip_is_link_local(const uint8_t *ip, uint8_t ip_bytes)
{
    return ip_bytes == 16 && ip[0] == 0xfe && (ip[1] & 0xc0u) == 0x80;
}

static bool ip_is_loopback(const uint8_t *ip, uint8_t ip_bytes)
{
    static const uint8_t loopback[16] = {[15] = 1};
    return ip_bytes == 4 ? ip[0] == 127 : memcmp(ip, loopback, sizeof loopback) == 0;
}

/* ---- questions ---- */

/* What a query asks of us. */
struct asked {
    uint32_t wants;
    bool unicast; /* every question of those asks for an answer to the asker alone */
    bool service; /* it looks for instances */
    struct trp_dns_record first;
};

static void asked_add(struct asked *asked, const struct trp_dns_record *question, uint32_t wants)
{
    if (wants == 0) {
        return;
    }
    asked->unicast = question->top && (asked->wants == 0 || asked->unicast);
    if (asked->wants == 0) {
        asked->first = *question;
        asked->first.data = TRP_BYTES_NONE;
    }
    asked->wants |= wants;
}

static enum trp_status query_read(const struct trp_mdns_machine *machine,
                                  const struct mdns_scope *scope, struct trp_dns_reader *reader,
                                  struct asked *asked)
{
    const struct trp_mdns_instance instance = trp_mdns_instance_of(machine, scope, 0);
    struct trp_dns_record record;
    enum trp_status status;
    while ((status = trp_dns_next(reader, &record)) == TRP_OK) {
        if (record.section == TRP_DNS_QUESTION) {
            uint32_t wants = trp_mdns_wants(&instance, &record);
            asked->service = asked->service || (wants & TRP_MDNS_WANT_INSTANCE) != 0;
            asked_add(asked, &record, wants);
        } else if (trp_mdns_is_known(&instance, reader, &record, trp_mdns_ttl_s(machine))) {
            asked->wants &= (uint32_t)~TRP_MDNS_WANT_INSTANCE;
        }
    }
    return status == TRP_ENOTFOUND ? TRP_OK : status;
}

/* Queues an answer for one asker, within the bounds of a second. */
static bool unicast_add(struct trp_mdns_machine *machine, const struct mdns_scope *scope,
                        const struct mdns_unicast *unicast, trp_time now)
{
    if (now >= trp_time_after(machine->unicasts_second_at, TRP_S(1))) {
        machine->unicasts_second_at = now;
        machine->unicasts_made = 0;
    }
    if (scope->told_count == 0 || machine->unicasts_made == TRP_MDNS_UNICASTS_PER_S ||
        machine->unicasts_count == TRP_MDNS_UNICASTS_PER_S) {
        return false;
    }
    machine->unicasts_made++;
    machine->unicasts[machine->unicasts_count++] = *unicast;
    return true;
}

static enum trp_status on_query(struct trp_mdns_machine *machine, struct mdns_scope *scope,
                                const struct trp_udp_address *from, struct trp_dns_reader *reader,
                                trp_time now)
{
    struct asked asked = {.wants = 0};
    enum trp_status status = query_read(machine, scope, reader, &asked);
    if (status != TRP_OK) {
        return status;
    }
    if (asked.service) {
        trp_mdns_on_asked(machine, scope, now);
    }
    if (asked.wants == 0) {
        return TRP_OK;
    }
    const struct mdns_unicast unicast = {.interface = scope->interface,
                                         .ip6 = scope->ip6,
                                         .to = *from,
                                         .id = reader->header.id,
                                         .legacy = from->port != TRP_MDNS_PORT,
                                         .wants = asked.wants,
                                         .question = asked.first};
    /* RFC 6762 5.4: by multicast nevertheless when that was not done lately. */
    bool lately = scope->responded_at != TRP_NEVER &&
                  now < trp_time_after(scope->responded_at, machine->config.ttl_ns / 4);
    bool alone = unicast.legacy ? !asked.service : asked.unicast && lately;
    bool queued = (unicast.legacy || alone) && unicast_add(machine, scope, &unicast, now);
    /* rust-libp2p asks from another port than the one it listens at: it hears multicast only. */
    if (!alone || (!queued && !unicast.legacy)) {
        trp_mdns_respond(machine, scope, asked.wants, now);
    }
    return TRP_OK;
}

/* ---- answers ---- */

/* A peer that a packet names. */
struct named {
    struct trp_peer_id peer;
    uint32_t ttl_s;
    bool reached;                   /* at the address that the packet came from, by its own word */
    struct trp_multiaddr candidate; /* of the packet's family; size 0: none */
};

/* An answer that is being read. */
struct answer {
    struct trp_mdns_machine *machine;
    struct mdns_scope *scope;
    const struct trp_udp_address *from;
    trp_time now;
    enum trp_status status;
    bool heard;
    struct named named[TRP_MDNS_PEERS_PER_PACKET];
    uint32_t named_count;
};

/* Takes the IP address at the front of an address; false when it has none, or is a relayed one. */
static bool address_ip(const struct trp_multiaddr *address, struct trp_multiaddr_part *ret_ip)
{
    struct trp_multiaddr_part part;
    size_t at = 0;
    if (!trp_multiaddr_next(address, &at, ret_ip) ||
        (ret_ip->code != TRP_MA_IP4 && ret_ip->code != TRP_MA_IP6)) {
        return false;
    }
    while (trp_multiaddr_next(address, &at, &part)) {
        if (part.code == TRP_MA_CIRCUIT) {
            return false;
        }
    }
    return true;
}

static void answer_hear(struct answer *answer, const struct trp_peer_id *peer,
                        const struct trp_multiaddr *address, bool link_local, uint32_t ttl_s)
{
    const struct trp_mdns_news heard = {.peer = *peer,
                                        .address = *address,
                                        .interface = answer->scope->interface,
                                        .link_local = link_local};
    enum trp_status status =
        trp_mdns_cache_hear(&answer->machine->cache, &heard, ttl_s, answer->now);
    answer->status = status == TRP_OK ? answer->status : status;
    answer->heard = answer->heard || ttl_s > 0;
}

static struct named *answer_named(struct answer *answer, const struct trp_peer_id *peer,
                                  uint32_t ttl_s)
{
    for (uint32_t i = 0; i < answer->named_count; i++) {
        if (trp_peer_id_equal(&answer->named[i].peer, peer)) {
            return &answer->named[i];
        }
    }
    if (answer->named_count == TRP_MDNS_PEERS_PER_PACKET) {
        return NULL;
    }
    struct named *named = &answer->named[answer->named_count++];
    *named = (struct named){.peer = *peer, .ttl_s = ttl_s};
    return named;
}

/* Only what leads to the local network is taken: the address that the packet came from, others on
 * its link, and, from this very machine, loopback ones. */
static void answer_take(struct answer *answer, const struct trp_peer_id *peer,
                        const struct trp_multiaddr *address, uint32_t ttl_s)
{
    struct trp_multiaddr_part ip;
    struct named *named = answer_named(answer, peer, ttl_s);
    if (named == NULL || !address_ip(address, &ip)) {
        return;
    }
    const struct trp_udp_address *from = answer->from;
    uint8_t size = (uint8_t)ip.value.size;
    bool same = size == from->ip_bytes && memcmp(ip.value.data, from->ip, size) == 0;
    bool taken = same || ip_is_on_link(answer->scope, ip.value.data, size);
    if (ip_is_loopback(ip.value.data, size)) {
        taken = ip_is_own(answer->machine, from->ip, from->ip_bytes);
    }
    named->reached = named->reached || same;
    if (size == from->ip_bytes && named->candidate.size == 0) {
        named->candidate = *address;
    }
    if (taken) {
        answer_hear(answer, peer, address, ip_is_link_local(ip.value.data, size), ttl_s);
    }
}

/* A peer that did not name the address it is seen at is tried there as well: it may not know it. */
static void answer_translate(struct answer *answer, struct named *named)
{
    const struct trp_udp_address *from = answer->from;
    if (named->reached || named->candidate.size == 0) {
        return;
    }
    memcpy(named->candidate.bytes + 1, from->ip, from->ip_bytes); /* behind the protocol's code */
    answer_hear(answer, &named->peer, &named->candidate, ip_is_link_local(from->ip, from->ip_bytes),
                named->ttl_s);
}

static void answer_text(struct answer *answer, const struct trp_dns_record *record)
{
    struct trp_bytes text;
    size_t at = 0;
    while (trp_dns_next_text(record, &at, &text)) {
        struct trp_peer_id peer;
        struct trp_multiaddr address;
        if (trp_mdns_read_text(text, &peer, &address) == TRP_OK &&
            !trp_peer_id_equal(&peer, &answer->machine->config.self)) {
            answer_take(answer, &peer, &address, record->ttl_s);
        }
    }
}

/* Instances that a message names: those of rust-libp2p are bare labels, and only the PTR record
 * tells whose they are. */
struct instances {
    struct trp_dns_name names[TRP_MDNS_PEERS_PER_PACKET];
    uint32_t count;
};

static enum trp_status instances_read(const struct trp_mdns_machine *machine,
                                      struct trp_dns_reader reader, struct instances *ret_instances)
{
    struct trp_dns_record record;
    enum trp_status status;
    ret_instances->count = 0;
    while ((status = trp_dns_next(&reader, &record)) == TRP_OK) {
        if (record.section != TRP_DNS_QUESTION && record.type == TRP_DNS_PTR &&
            ret_instances->count < TRP_MDNS_PEERS_PER_PACKET &&
            trp_dns_name_equal(&record.name, &machine->names.service) &&
            trp_dns_target(&reader, &record, &ret_instances->names[ret_instances->count]) ==
                TRP_OK) {
            ret_instances->count++;
        }
    }
    return status == TRP_ENOTFOUND ? TRP_OK : status;
}

static bool is_instance(const struct trp_mdns_machine *machine, const struct instances *instances,
                        const struct trp_dns_name *name)
{
    bool found = trp_dns_name_is_child(name, &machine->names.service);
    for (uint32_t i = 0; i < instances->count && !found; i++) {
        found = trp_dns_name_equal(&instances->names[i], name);
    }
    return found;
}

static enum trp_status on_response(struct trp_mdns_machine *machine, struct mdns_scope *scope,
                                   const struct trp_udp_address *from,
                                   struct trp_dns_reader *reader, trp_time now)
{
    struct answer answer = {
        .machine = machine, .scope = scope, .from = from, .now = now, .status = TRP_OK};
    struct instances instances;
    struct trp_dns_record record;
    enum trp_status status = instances_read(machine, *reader, &instances);
    while (status == TRP_OK && (status = trp_dns_next(reader, &record)) == TRP_OK) {
        if (record.section != TRP_DNS_QUESTION && record.type == TRP_DNS_TXT &&
            record.class_ == TRP_DNS_CLASS_IN && is_instance(machine, &instances, &record.name)) {
            answer_text(&answer, &record);
        }
    }
    for (uint32_t i = 0; i < answer.named_count; i++) {
        answer_translate(&answer, &answer.named[i]);
    }
    if (answer.heard) {
        trp_mdns_on_answered(machine, scope, now);
    }
    return status == TRP_ENOTFOUND ? answer.status : status;
}

enum trp_status trp_mdns_recv(struct trp_mdns_machine *machine, uint32_t interface,
                              const struct trp_udp_address *from, struct trp_bytes bytes,
                              trp_time now)
{
    struct mdns_scope *scope = trp_mdns_scope_find(machine, interface, from->ip_bytes == 16);
    struct trp_dns_reader reader;
    if (scope == NULL || machine->left) {
        return TRP_ENOTFOUND;
    }
    if (!ip_is_on_link(scope, from->ip, from->ip_bytes)) { /* RFC 6762 11 */
        return TRP_EDENIED;
    }
    enum trp_status status = trp_dns_open(bytes, &reader);
    if (status != TRP_OK) {
        return status;
    }
    if ((reader.header.flags & TRP_DNS_NOT_PLAIN) != 0) { /* RFC 6762 18.3, 18.11 */
        return TRP_OK;
    }
    return (reader.header.flags & TRP_DNS_RESPONSE) != 0
               ? on_response(machine, scope, from, &reader, now)
               : on_query(machine, scope, from, &reader, now);
}
