/* SPDX-License-Identifier: MIT */
#include "net/listen.h"

enum trp_status trp_swarm_listen(struct trp_swarm *swarm, const struct trp_multiaddr *address)
{
    struct trp_endpoint endpoint;
    if (trp_multiaddr_tcp(address, &endpoint) != TRP_OK ||
        (endpoint.host != TRP_MA_IP4 && endpoint.host != TRP_MA_IP6)) {
        return TRP_EINVAL;
    }
    uint32_t place = 0;
    while (place < TRP_LISTENERS_MAX && swarm->listeners[place] != NULL) {
        place++;
    }
    if (place == TRP_LISTENERS_MAX) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits, TRP_NET_LISTENERS);
        return TRP_EFULL;
    }
    struct trp_listener *listener = trp_memory_alloc(swarm->memory, sizeof *listener);
    if (listener == NULL) {
        return TRP_ENOMEM;
    }
    listener->requested = trp_multiaddr_without_peer(address);
    enum trp_status status =
        trp_transport_add(&swarm->transport, &listener->socket, TRP_SOCKET_LISTENER, 0);
    if (status != TRP_OK) {
        trp_memory_free(swarm->memory, listener);
        return status;
    }
    swarm->listeners[place] = listener;
    trp_transport_open(&swarm->transport, &listener->socket, &listener->requested,
                       swarm->trace->cause);
    return TRP_OK;
}

void trp_listener_on_bound(struct trp_swarm *swarm, struct trp_listener *listener,
                           const struct trp_multiaddr *addresses, uint32_t addresses_count)
{
    uint32_t count =
        addresses_count < TRP_INPUT_ADDRESSES_MAX ? addresses_count : TRP_INPUT_ADDRESSES_MAX;
    struct trp_multiaddr *copy = trp_memory_alloc(swarm->memory, (count + 1) * sizeof *copy);
    if (copy == NULL) {
        trp_transport_close(&swarm->transport, &listener->socket, true, swarm->trace->cause);
        trp_listener_on_closed(swarm, listener, TRP_ENOMEM);
        return;
    }
    trp_memory_free(swarm->memory, listener->addresses);
    listener->addresses = copy;
    listener->addresses_count = count;
    for (uint32_t i = 0; i < count; i++) {
        char text[TRP_MULTIADDR_TEXT_MAX];
        copy[i] = trp_multiaddr_without_peer(&addresses[i]);
        trp_multiaddr_print(&copy[i], text);
        trp_trace_listening(swarm->trace,
                            &(struct trp_event_listening){.address = trp_bytes_text(text),
                                                          .socket = listener->socket.id});
    }
    trp_swarm_report_self_changed(swarm);
}

void trp_listener_on_closed(struct trp_swarm *swarm, struct trp_listener *listener,
                            enum trp_status status)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_multiaddr_print(&listener->requested, text);
    trp_trace_listen_failed(swarm->trace, &(struct trp_event_listen_failed){
                                              .address = trp_bytes_text(text), .status = status});
    bool was_bound = listener->addresses_count > 0;
    for (uint32_t i = 0; i < TRP_LISTENERS_MAX; i++) {
        if (swarm->listeners[i] == listener) {
            swarm->listeners[i] = NULL;
        }
    }
    if (!listener->socket.close_due) {
        trp_transport_forget(&swarm->transport, &listener->socket);
    }
    if (was_bound) {
        trp_swarm_report_self_changed(swarm);
    }
}

void trp_listener_discard(struct trp_swarm *swarm, struct trp_listener *listener)
{
    trp_memory_free(swarm->memory, listener->addresses);
    trp_memory_free(swarm->memory, listener);
}

static uint32_t listen_addresses(const struct trp_swarm *swarm, bool zoned,
                                 struct trp_multiaddr *ret_addresses, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < TRP_LISTENERS_MAX; i++) {
        const struct trp_listener *listener = swarm->listeners[i];
        for (uint32_t k = 0; listener != NULL && k < listener->addresses_count; k++) {
            if (count < max && trp_multiaddr_has_zone(&listener->addresses[k]) == zoned) {
                ret_addresses[count++] = listener->addresses[k];
            }
        }
    }
    return count;
}

uint32_t trp_swarm_listen_addresses(const struct trp_swarm *swarm,
                                    struct trp_multiaddr *ret_addresses, uint32_t max)
{
    return listen_addresses(swarm, false, ret_addresses, max);
}

uint32_t trp_swarm_link_addresses(const struct trp_swarm *swarm,
                                  struct trp_multiaddr *ret_addresses, uint32_t max)
{
    return listen_addresses(swarm, true, ret_addresses, max);
}
