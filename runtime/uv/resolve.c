/* SPDX-License-Identifier: MIT */
#include "uv/socket.h"

#include <stdio.h>

/* A question to the system's resolver. */
struct resolution {
    uv_getaddrinfo_t request;  /* data: this */
    struct trp_list_link link; /* in driver->resolutions, or in driver->answers */
    struct trp_uv_driver *driver;
    trp_socket id;
    uint64_t cause;
    struct trp_endpoint endpoint;
    struct trp_peer_id peer; /* of a trailing /p2p; size 0: none */
    enum trp_status status;  /* of one that could not be asked */
};

static void resolve_answer(struct trp_uv_driver *driver, const struct resolution *asked,
                           enum trp_status status, const struct addrinfo *found)
{
    struct trp_multiaddr addresses[TRP_INPUT_ADDRESSES_MAX];
    struct trp_input in = {.kind = TRP_IN_RESOLVED,
                           .status = status,
                           .cause = asked->cause,
                           .socket = asked->id,
                           .addresses = addresses};
    for (; found != NULL && in.addresses_count < TRP_INPUT_ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6) {
            continue;
        }
        struct trp_multiaddr *address = &addresses[in.addresses_count];
        *address = trp_uv_address(found->ai_addr);
        if (asked->peer.size == 0 ||
            trp_multiaddr_with_peer(address, &asked->peer, address) == TRP_OK) {
            in.addresses_count++;
        }
    }
    if (status == TRP_OK && in.addresses_count == 0) {
        in.status = TRP_ERESOLVE;
    }
    trp_uv_step(driver, &in);
}

static void resolve_on_answer(uv_getaddrinfo_t *request, int error, struct addrinfo *found)
{
    struct resolution *asked = request->data;
    struct trp_uv_driver *driver = asked->driver;
    struct resolution copy = *asked;
    trp_list_link_remove(&asked->link);
    trp_memory_free(&driver->memory, asked);
    if (!driver->closing) {
        resolve_answer(driver, &copy, error == 0 ? TRP_OK : TRP_ERESOLVE, found);
        trp_uv_settle(driver);
    }
    uv_freeaddrinfo(found);
    trp_uv_handle_closed(driver);
}

static enum trp_status resolve_ask(struct trp_uv_driver *driver, struct resolution *asked)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    if (asked->endpoint.host == TRP_MA_DNS4) {
        hints.ai_family = AF_INET;
    } else if (asked->endpoint.host == TRP_MA_DNS6) {
        hints.ai_family = AF_INET6;
    } else if (asked->endpoint.host != TRP_MA_DNS) {
        return TRP_EUNSUPPORTED;
    }
    (void)snprintf(port, sizeof port, "%u", (unsigned)asked->endpoint.port);
    int error = uv_getaddrinfo(driver->config.loop, &asked->request, resolve_on_answer,
                               asked->endpoint.name, port, &hints);
    return error == 0 ? TRP_OK : TRP_ERESOLVE;
}

void trp_uv_resolve(struct trp_uv_driver *driver, const struct trp_output *out)
{
    struct resolution *asked = trp_memory_alloc(&driver->memory, sizeof *asked);
    if (asked == NULL) {
        trp_uv_break(driver, TRP_ENOMEM); /* there is nothing left to answer with */
        return;
    }
    asked->driver = driver;
    asked->id = out->socket;
    asked->cause = out->cause;
    asked->request.data = asked;
    if (trp_multiaddr_peer(out->address, &asked->peer) != TRP_OK) {
        asked->peer.size = 0;
    }
    asked->status = trp_multiaddr_tcp(out->address, &asked->endpoint);
    if (asked->status == TRP_OK) {
        asked->status = resolve_ask(driver, asked);
    }
    if (asked->status == TRP_OK) {
        trp_list_push_back(&driver->resolutions, &asked->link);
        driver->handles++;
    } else {
        trp_list_push_back(&driver->answers, &asked->link);
    }
}

bool trp_uv_resolve_tell(struct trp_uv_driver *driver)
{
    struct trp_list_link *link = trp_list_pop_front(&driver->answers);
    if (link == NULL) {
        return false;
    }
    struct resolution *asked = TRP_CONTAINER(link, struct resolution, link);
    struct resolution copy = *asked;
    trp_memory_free(&driver->memory, asked);
    resolve_answer(driver, &copy, copy.status, NULL);
    return true;
}

void trp_uv_resolve_cancel(struct trp_uv_driver *driver)
{
    struct trp_list_link *link = trp_list_front(&driver->resolutions);
    for (; link != NULL; link = trp_list_next(&driver->resolutions, link)) {
        struct resolution *asked = TRP_CONTAINER(link, struct resolution, link);
        /* One that is being worked on cannot be cancelled; its answer is ignored. */
        (void)uv_cancel((uv_req_t *)&asked->request);
    }
    while ((link = trp_list_pop_front(&driver->answers)) != NULL) {
        trp_memory_free(&driver->memory, TRP_CONTAINER(link, struct resolution, link));
    }
}
