/* SPDX-License-Identifier: MIT */
#include "uv/datagram.h"

#include <net/if.h>

static uint8_t prefix_bits(const uint8_t *mask, size_t size)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        for (uint8_t byte = mask[i]; (byte & 0x80u) != 0; byte = (uint8_t)(byte << 1)) {
            bits++;
        }
    }
    return bits;
}

static bool interface_read(const uv_interface_address_t *from, struct trp_interface *ret_interface)
{
    struct trp_interface interface = {.index = if_nametoindex(from->name),
                                      .loopback = from->is_internal != 0};
    size_t size = strlen(from->name);
    if (interface.index == 0 || size >= sizeof interface.name) {
        return false;
    }
    memcpy(interface.name, from->name, size);
    uint8_t mask[16] = {0};
    if (from->address.address4.sin_family == AF_INET) {
        interface.ip_bytes = 4;
        memcpy(interface.ip, &from->address.address4.sin_addr, 4);
        memcpy(mask, &from->netmask.netmask4.sin_addr, 4);
    } else if (from->address.address4.sin_family == AF_INET6) {
        interface.ip_bytes = 16;
        memcpy(interface.ip, &from->address.address6.sin6_addr, 16);
        memcpy(mask, &from->netmask.netmask6.sin6_addr, 16);
    } else {
        return false;
    }
    interface.prefix_bits = prefix_bits(mask, interface.ip_bytes);
    *ret_interface = interface;
    return true;
}

static bool interface_is_before(const struct trp_interface *a, const struct trp_interface *b)
{
    if (a->index != b->index) {
        return a->index < b->index;
    }
    if (a->ip_bytes != b->ip_bytes) {
        return a->ip_bytes < b->ip_bytes;
    }
    return memcmp(a->ip, b->ip, sizeof a->ip) < 0;
}

uint32_t trp_uv_interfaces(struct trp_interface ret_interfaces[TRP_INPUT_INTERFACES_MAX])
{
    uv_interface_address_t *found;
    int found_count;
    uint32_t count = 0;
    if (uv_interface_addresses(&found, &found_count) != 0) {
        return 0;
    }
    for (int i = 0; i < found_count && count < TRP_INPUT_INTERFACES_MAX; i++) {
        struct trp_interface interface;
        if (!interface_read(&found[i], &interface)) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && interface_is_before(&interface, &ret_interfaces[at - 1]); at--) {
            ret_interfaces[at] = ret_interfaces[at - 1];
        }
        ret_interfaces[at] = interface;
    }
    uv_free_interface_addresses(found, found_count);
    return count;
}

static bool is_link_local(const struct trp_interface *interface)
{
    return interface->ip_bytes == 16 && interface->ip[0] == 0xfe &&
           (interface->ip[1] & 0xc0u) == 0x80;
}

static bool is_wildcard(const struct trp_endpoint *endpoint)
{
    static const uint8_t zero[16];
    return memcmp(endpoint->ip, zero, sizeof zero) == 0;
}

uint32_t trp_uv_reachable(const struct trp_multiaddr *bound,
                          struct trp_multiaddr ret_addresses[TRP_INPUT_ADDRESSES_MAX])
{
    struct trp_endpoint endpoint;
    ret_addresses[0] = *bound;
    if (trp_multiaddr_tcp(bound, &endpoint) != TRP_OK || !is_wildcard(&endpoint)) {
        return 1;
    }
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    uint32_t interfaces_count = trp_uv_interfaces(interfaces);
    uint8_t wanted = endpoint.host == TRP_MA_IP4 ? 4 : 16;
    uint32_t count = 0;
    /* Link-local ones, which mean nothing without their zone, come last. */
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < interfaces_count && count < TRP_INPUT_ADDRESSES_MAX; i++) {
            const struct trp_interface *interface = &interfaces[i];
            struct trp_multiaddr address =
                trp_multiaddr_from_ip(interface->ip, interface->ip_bytes, endpoint.port);
            bool local = is_link_local(interface);
            bool named =
                !local || trp_multiaddr_with_zone(&address, interface->name, &address) == TRP_OK;
            if (interface->ip_bytes == wanted && local == (pass == 1) && named) {
                ret_addresses[count++] = address;
            }
        }
    }
    return count > 0 ? count : 1;
}

/* ---- watching ---- */

static bool interfaces_equal(const struct trp_uv_driver *driver,
                             const struct trp_interface *interfaces, uint32_t count)
{
    bool equal = count == driver->interfaces_count;
    for (uint32_t i = 0; i < count && equal; i++) {
        const struct trp_interface *a = &interfaces[i];
        const struct trp_interface *b = &driver->interfaces[i];
        equal = a->index == b->index && a->ip_bytes == b->ip_bytes &&
                a->prefix_bits == b->prefix_bits && a->loopback == b->loopback &&
                memcmp(a->name, b->name, sizeof a->name) == 0 &&
                memcmp(a->ip, b->ip, sizeof a->ip) == 0;
    }
    return equal;
}

void trp_uv_watch(struct trp_uv_driver *driver, const struct trp_output *out)
{
    driver->interfaces_count = trp_uv_interfaces(driver->interfaces);
    driver->interfaces_due = true;
    driver->interfaces_cause = out->cause;
    driver->watch_at = trp_time_after(trp_uv_now(), TRP_UV_WATCH_NS);
}

void trp_uv_watch_look(struct trp_uv_driver *driver)
{
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    uint32_t count = trp_uv_interfaces(interfaces);
    driver->watch_at = trp_time_after(trp_uv_now(), TRP_UV_WATCH_NS);
    if (interfaces_equal(driver, interfaces, count)) {
        return;
    }
    memcpy(driver->interfaces, interfaces, count * sizeof *interfaces);
    driver->interfaces_count = count;
    driver->interfaces_due = true;
    driver->interfaces_cause = 0;
    /* Listeners of a wildcard are reachable elsewhere now. */
    for (struct trp_list_link *link = trp_list_front(&driver->all); link != NULL;
         link = trp_list_next(&driver->all, link)) {
        struct trp_uv_socket *socket = TRP_CONTAINER(link, struct trp_uv_socket, all);
        if (socket->state == TRP_UV_LISTENER) {
            socket->listening_due = true;
            trp_uv_mark(socket);
        }
    }
}

bool trp_uv_watch_tell(struct trp_uv_driver *driver)
{
    if (!driver->interfaces_due) {
        return false;
    }
    struct trp_input in = {.kind = TRP_IN_INTERFACES,
                           .cause = driver->interfaces_cause,
                           .interfaces = driver->interfaces,
                           .interfaces_count = driver->interfaces_count};
    driver->interfaces_due = false;
    trp_uv_step(driver, &in);
    return true;
}
