/* SPDX-License-Identifier: MIT */
#include "behaviour/mdns_state.h"

#define DIAL_SPAN_NS TRP_MIN(1)

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

static struct mdns_dialed *dialed_find(struct trp_mdns *mdns, const struct trp_peer_id *peer)
{
    for (uint32_t i = 0; i < MDNS_DIALED_MAX; i++) {
        if (trp_peer_id_equal(&mdns->dialed[i].peer, peer)) {
            return &mdns->dialed[i];
        }
    }
    return NULL;
}

static void mdns_dial(struct trp_mdns *mdns, const struct trp_peer_id *peer, bool fresh)
{
    trp_time now = mdns_now(mdns);
    struct mdns_dialed *dialed = dialed_find(mdns, peer);
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
        dialed = &mdns->dialed[mdns->dialed_next++ % MDNS_DIALED_MAX];
    }
    *dialed =
        (struct mdns_dialed){.peer = *peer, .until = trp_time_after(now, mdns->config.interval_ns)};
}

void trp_mdns_on_dial_failed(struct trp_mdns *mdns, const struct trp_dial_report *report)
{
    struct mdns_dialed *dialed = report->peer.size == 0 ? NULL : dialed_find(mdns, &report->peer);
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

void trp_mdns_drain(struct trp_mdns *mdns)
{
    struct trp_mdns_news news;
    struct trp_mdns_packet packet;
    while (trp_mdns_next_news(mdns->machine, &news)) {
        mdns_on_news(mdns, &news);
    }
    while (trp_mdns_next_packet(mdns->machine, &packet)) {
        const struct trp_datagram datagram = {
            .socket = mdns->sockets[packet.ip6].id,
            .interface = packet.interface,
            .remote = packet.to.ip_bytes == 0 ? trp_mdns_groups[packet.ip6] : packet.to,
            .bytes = packet.bytes};
        TRP_IGNORE(trp_swarm_send(mdns->swarm, &datagram)); /* any packet may be lost */
    }
}
