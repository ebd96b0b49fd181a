/* SPDX-License-Identifier: MIT */
#include "proto/mdns/message.h"

#include "base/assert.h"
#include "base/endian.h"

#define SERVICES "_services._dns-sd._udp.local"
#define HOSTS    "p2p.local"

enum trp_status trp_mdns_names_init(const char *service, struct trp_mdns_names *ret_names)
{
    enum trp_status status = trp_dns_name_parse(service, &ret_names->service);
    if (status == TRP_OK) {
        status = trp_dns_name_parse(SERVICES, &ret_names->services);
    }
    return status == TRP_OK ? trp_dns_name_parse(HOSTS, &ret_names->hosts) : status;
}

static struct trp_dns_name instance_name(const struct trp_mdns_instance *instance,
                                         const struct trp_dns_name *parent)
{
    struct trp_dns_name name;
    enum trp_status status =
        trp_dns_name_child(parent, trp_bytes(instance->label, sizeof instance->label), &name);
    TRP_ASSERT(status == TRP_OK); /* the service was checked to leave room */
    return name;
}

/* ---- writing ---- */

enum trp_status trp_mdns_write_query(const struct trp_mdns_names *names, uint8_t *out, size_t room,
                                     size_t *ret_size)
{
    struct trp_dns_writer writer = trp_dns_writer_init(out, room, 0, 0);
    trp_dns_put_question(&writer, &names->service, TRP_DNS_PTR, false);
    return trp_dns_writer_end(&writer, ret_size);
}

/* A response that is being written. */
struct response {
    struct trp_dns_writer writer;
    const struct trp_mdns_instance *instance;
    const struct trp_mdns_reply *reply;
    struct trp_dns_name name;
    struct trp_dns_name host;
};

static void record_begin(struct response *response, enum trp_dns_section section,
                         const struct trp_dns_name *name, enum trp_dns_type type)
{
    const struct trp_mdns_reply *reply = response->reply;
    bool of_host = type == TRP_DNS_A || type == TRP_DNS_AAAA;
    uint32_t ttl_s = reply->ttl_s;
    if (reply->question != NULL && ttl_s > TRP_MDNS_LEGACY_TTL_S) {
        ttl_s = TRP_MDNS_LEGACY_TTL_S;
    } else if (of_host && ttl_s > TRP_MDNS_HOST_TTL_S) {
        ttl_s = TRP_MDNS_HOST_TTL_S;
    }
    /* The name of an instance is ours alone; others have records under that of the service too. */
    const struct trp_dns_owner owner = {.name = name,
                                        .type = type,
                                        .top = type != TRP_DNS_PTR && reply->question == NULL,
                                        .ttl_s = ttl_s};
    trp_dns_begin_record(&response->writer, section, &owner);
}

static void put_pointer(struct response *response, enum trp_dns_section section,
                        const struct trp_dns_name *name, const struct trp_dns_name *target)
{
    record_begin(response, section, name, TRP_DNS_PTR);
    trp_dns_put_name(&response->writer, target);
    trp_dns_end_record(&response->writer);
}

/* The text of an address with its peer; its size, 0 when it does not go into a string. */
static size_t address_text(const struct trp_peer_id *peer, const struct trp_multiaddr *address,
                           char ret_text[TRP_MULTIADDR_TEXT_MAX + sizeof TRP_MDNS_DNSADDR])
{
    struct trp_multiaddr whole;
    size_t prefix = sizeof TRP_MDNS_DNSADDR - 1;
    if (trp_multiaddr_with_peer(address, peer, &whole) != TRP_OK) {
        return 0;
    }
    memcpy(ret_text, TRP_MDNS_DNSADDR, prefix);
    trp_multiaddr_print(&whole, ret_text + prefix);
    size_t size = prefix + strlen(ret_text + prefix);
    return size <= TRP_DNS_TEXT_MAX ? size : 0;
}

static void put_text(struct response *response, enum trp_dns_section section)
{
    const struct trp_mdns_instance *instance = response->instance;
    char text[TRP_MULTIADDR_TEXT_MAX + sizeof TRP_MDNS_DNSADDR];
    record_begin(response, section, &response->name, TRP_DNS_TXT);
    size_t before = response->writer.out.size;
    for (uint32_t i = 0; i < instance->addresses_count; i++) {
        size_t size = address_text(instance->peer, &instance->addresses[i], text);
        if (size > 0) {
            trp_dns_put_text(&response->writer, trp_bytes(text, size));
        }
    }
    if (response->writer.out.size == before) { /* RFC 6763 6.1: never without a string */
        trp_dns_put_text(&response->writer, TRP_BYTES_NONE);
    }
    trp_dns_end_record(&response->writer);
}

static void put_port(struct response *response, enum trp_dns_section section)
{
    const struct trp_mdns_instance *instance = response->instance;
    struct trp_endpoint endpoint = {.port = 0};
    uint8_t data[6] = {0}; /* priority, weight, port */
    if (instance->addresses_count > 0 &&
        trp_multiaddr_tcp(&instance->addresses[0], &endpoint) == TRP_OK) {
        trp_store_be16(data + 4, endpoint.port);
    }
    record_begin(response, section, &response->name, TRP_DNS_SRV);
    trp_dns_put_bytes(&response->writer, trp_bytes(data, sizeof data));
    trp_dns_put_name(&response->writer, &response->host);
    trp_dns_end_record(&response->writer);
}

/* The first address of each family. */
static void put_host(struct response *response, enum trp_dns_section section)
{
    const struct trp_mdns_instance *instance = response->instance;
    bool done[2] = {false, false};
    for (uint32_t i = 0; i < instance->ips_count; i++) {
        const struct trp_interface *ip = &instance->ips[i];
        bool ip6 = ip->ip_bytes == 16;
        if (!done[ip6]) {
            done[ip6] = true;
            record_begin(response, section, &response->host, ip6 ? TRP_DNS_AAAA : TRP_DNS_A);
            trp_dns_put_bytes(&response->writer, trp_bytes(ip->ip, ip->ip_bytes));
            trp_dns_end_record(&response->writer);
        }
    }
}

/* Writes the records of one section: in the answers what is wanted, in the additionals what goes
 * with it. */
static void put_section(struct response *response, enum trp_dns_section section, uint32_t kinds)
{
    const struct trp_mdns_names *names = response->instance->names;
    if ((kinds & TRP_MDNS_WANT_SERVICE) != 0) {
        put_pointer(response, section, &names->services, &names->service);
    }
    if ((kinds & TRP_MDNS_WANT_INSTANCE) != 0) {
        put_pointer(response, section, &names->service, &response->name);
    }
    if ((kinds & TRP_MDNS_WANT_PORT) != 0) {
        put_port(response, section);
    }
    if ((kinds & TRP_MDNS_WANT_TEXT) != 0) {
        put_text(response, section);
    }
    if ((kinds & TRP_MDNS_WANT_HOST) != 0) {
        put_host(response, section);
    }
}

enum trp_status trp_mdns_write_response(const struct trp_mdns_instance *instance,
                                        const struct trp_mdns_reply *reply, uint8_t *out,
                                        size_t room, size_t *ret_size)
{
    if (reply->wants == 0) {
        return TRP_ENOTFOUND;
    }
    struct response response = {.writer = trp_dns_writer_init(
                                    out, room, reply->id, TRP_DNS_RESPONSE | TRP_DNS_AUTHORITATIVE),
                                .instance = instance,
                                .reply = reply,
                                .name = instance_name(instance, &instance->names->service),
                                .host = instance_name(instance, &instance->names->hosts)};
    uint32_t others = 0; /* RFC 6763 12 */
    if ((reply->wants & TRP_MDNS_WANT_INSTANCE) != 0) {
        others = TRP_MDNS_WANT_PORT | TRP_MDNS_WANT_TEXT | TRP_MDNS_WANT_HOST;
    } else if ((reply->wants & TRP_MDNS_WANT_PORT) != 0) {
        others = TRP_MDNS_WANT_HOST;
    }
    if (reply->question != NULL) {
        trp_dns_put_question(&response.writer, &reply->question->name,
                             (enum trp_dns_type)reply->question->type, false);
    }
    put_section(&response, TRP_DNS_ANSWER, reply->wants);
    put_section(&response, TRP_DNS_ADDITIONAL, others & ~reply->wants);
    return trp_dns_writer_end(&response.writer, ret_size);
}

uint32_t trp_mdns_fitting(const struct trp_peer_id *peer, const struct trp_multiaddr *addresses,
                          uint32_t count)
{
    char text[TRP_MULTIADDR_TEXT_MAX + sizeof TRP_MDNS_DNSADDR];
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += 1 + address_text(peer, &addresses[i], text);
        if (size > TRP_MDNS_TEXTS_BYTES_MAX) {
            return i > 0 ? i : 1;
        }
    }
    return count;
}

/* ---- reading ---- */

static uint32_t kinds_of_type(uint16_t type)
{
    switch (type) {
    case TRP_DNS_PTR:
        return TRP_MDNS_WANT_INSTANCE | TRP_MDNS_WANT_SERVICE;
    case TRP_DNS_TXT:
        return TRP_MDNS_WANT_TEXT;
    case TRP_DNS_SRV:
        return TRP_MDNS_WANT_PORT;
    case TRP_DNS_A:
    case TRP_DNS_AAAA:
        return TRP_MDNS_WANT_HOST;
    case TRP_DNS_ANY:
        return TRP_MDNS_WANT_ALL;
    default:
        return 0;
    }
}

uint32_t trp_mdns_wants(const struct trp_mdns_instance *instance,
                        const struct trp_dns_record *question)
{
    if (question->class_ != TRP_DNS_CLASS_IN && question->class_ != TRP_DNS_ANY) {
        return 0;
    }
    const struct trp_dns_name name = instance_name(instance, &instance->names->service);
    const struct trp_dns_name host = instance_name(instance, &instance->names->hosts);
    uint32_t has = 0; /* records of that name */
    if (trp_dns_name_equal(&question->name, &instance->names->service)) {
        has = TRP_MDNS_WANT_INSTANCE;
    } else if (trp_dns_name_equal(&question->name, &instance->names->services)) {
        has = TRP_MDNS_WANT_SERVICE;
    } else if (trp_dns_name_equal(&question->name, &name)) {
        has = TRP_MDNS_WANT_TEXT | TRP_MDNS_WANT_PORT;
    } else if (trp_dns_name_equal(&question->name, &host)) {
        has = TRP_MDNS_WANT_HOST;
    }
    return has & kinds_of_type(question->type);
}

/* RFC 6762 7.1: known with at least half of its time left. */
bool trp_mdns_is_known(const struct trp_mdns_instance *instance,
                       const struct trp_dns_reader *reader, const struct trp_dns_record *record,
                       uint32_t ttl_s)
{
    struct trp_dns_name target;
    if (record->section != TRP_DNS_ANSWER || record->type != TRP_DNS_PTR ||
        record->class_ != TRP_DNS_CLASS_IN || record->ttl_s < ttl_s / 2 ||
        !trp_dns_name_equal(&record->name, &instance->names->service) ||
        trp_dns_target(reader, record, &target) != TRP_OK) {
        return false;
    }
    const struct trp_dns_name name = instance_name(instance, &instance->names->service);
    return trp_dns_name_equal(&target, &name);
}

enum trp_status trp_mdns_read_text(struct trp_bytes text, struct trp_peer_id *ret_peer,
                                   struct trp_multiaddr *ret_address)
{
    char address[TRP_DNS_TEXT_MAX + 1];
    struct trp_multiaddr whole;
    size_t prefix = sizeof TRP_MDNS_DNSADDR - 1;
    if (text.size <= prefix || memcmp(text.data, TRP_MDNS_DNSADDR, prefix) != 0 ||
        memchr(text.data, 0, text.size) != NULL) {
        return TRP_EMALFORMED;
    }
    text = trp_bytes_skip(text, prefix);
    memcpy(address, text.data, text.size);
    address[text.size] = '\0';
    if (trp_multiaddr_parse(address, &whole, NULL) != TRP_OK ||
        trp_multiaddr_peer(&whole, ret_peer) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    whole = trp_multiaddr_without_zone(&whole); /* the sender's means nothing here */
    *ret_address = trp_multiaddr_without_peer(&whole);
    return ret_address->size > 0 ? TRP_OK : TRP_EMALFORMED;
}
