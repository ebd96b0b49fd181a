/* SPDX-License-Identifier: MIT */
#include "net/datagram.h"

#include "net/state.h"

/* Something for the driver to do. */
struct trp_datagram_output {
    struct trp_list_link link;
    enum trp_output_kind kind;
    trp_socket socket;
    uint32_t interface;
    bool shared;
    uint64_t cause;
    struct trp_udp_address udp;
    struct trp_datagram datagram;
    uint8_t bytes[];
};

void trp_datagrams_init(struct trp_datagrams *datagrams, struct trp_memory *memory)
{
    *datagrams = (struct trp_datagrams){.memory = memory};
    trp_list_init(&datagrams->outputs);
}

static struct trp_datagram_socket *socket_find(const struct trp_datagrams *datagrams, trp_socket id)
{
    struct trp_datagram_socket *socket;
    HASH_FIND(hh, datagrams->sockets, &id, sizeof id, socket);
    return socket;
}

static void socket_remove(struct trp_datagrams *datagrams, struct trp_datagram_socket *socket)
{
    struct trp_memory *uthash_memory = datagrams->memory;
    HASH_DELETE(hh, datagrams->sockets, socket);
    trp_memory_free(datagrams->memory, socket->close);
    trp_memory_free(datagrams->memory, socket);
}

void trp_datagrams_deinit(struct trp_datagrams *datagrams)
{
    trp_datagrams_release(datagrams);
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&datagrams->outputs)) != NULL) {
        trp_memory_free(datagrams->memory, TRP_CONTAINER(link, struct trp_datagram_output, link));
    }
    while (datagrams->sockets != NULL) {
        socket_remove(datagrams, datagrams->sockets);
    }
}

/* ---- outputs ---- */

/* Makes an output with room for `size` bytes; NULL when out of memory. */
static struct trp_datagram_output *output_make(struct trp_swarm *swarm, enum trp_output_kind kind,
                                               trp_socket socket, size_t size)
{
    struct trp_datagram_output *out = trp_memory_alloc(swarm->memory, sizeof *out + size);
    if (out != NULL) {
        out->kind = kind;
        out->socket = socket;
        out->cause = swarm->trace->cause;
    }
    return out;
}

static void output_queue(struct trp_swarm *swarm, struct trp_datagram_output *out)
{
    trp_list_push_back(&swarm->datagrams.outputs, &out->link);
}

void trp_datagrams_release(struct trp_datagrams *datagrams)
{
    trp_memory_free(datagrams->memory, datagrams->lent);
    datagrams->lent = NULL;
}

bool trp_datagrams_next_output(struct trp_datagrams *datagrams, struct trp_output *ret_out)
{
    trp_datagrams_release(datagrams);
    struct trp_list_link *link = trp_list_pop_front(&datagrams->outputs);
    if (link == NULL) {
        return false;
    }
    struct trp_datagram_output *out = TRP_CONTAINER(link, struct trp_datagram_output, link);
    datagrams->lent = out;
    *ret_out = (struct trp_output){.kind = out->kind,
                                   .cause = out->cause,
                                   .socket = out->socket,
                                   .udp = &out->udp,
                                   .interface = out->interface,
                                   .shared = out->shared};
    if (out->kind == TRP_OUT_DATAGRAM) {
        struct trp_datagram_socket *socket = socket_find(datagrams, out->socket);
        if (socket != NULL) {
            socket->waiting_bytes -= (uint32_t)out->datagram.bytes.size;
        }
        ret_out->datagram = &out->datagram;
    }
    return true;
}

/* ---- what behaviours ask for ---- */

static struct trp_datagram_socket *socket_make(struct trp_swarm *swarm, uint32_t behaviour)
{
    struct trp_memory *uthash_memory = swarm->memory;
    struct trp_datagram_socket *socket = trp_memory_alloc(swarm->memory, sizeof *socket);
    if (socket == NULL) {
        return NULL;
    }
    socket->id = trp_transport_take_id(&swarm->transport);
    socket->behaviour = behaviour;
    socket->close = output_make(swarm, TRP_OUT_CLOSE, socket->id, 0);
    if (socket->close != NULL) {
        HASH_ADD(hh, swarm->datagrams.sockets, id, sizeof socket->id, socket);
    }
    if (socket->hh.tbl == NULL) {
        trp_memory_free(swarm->memory, socket->close);
        trp_memory_free(swarm->memory, socket);
        return NULL;
    }
    return socket;
}

enum trp_status trp_swarm_bind(struct trp_swarm *swarm, const struct trp_bind_request *request,
                               trp_socket *ret_socket)
{
    if (request->behaviour >= swarm->behaviours_count ||
        (request->address.ip_bytes != 4 && request->address.ip_bytes != 16)) {
        return TRP_EINVAL;
    }
    if (HASH_COUNT(swarm->datagrams.sockets) >= swarm->limits->datagram_sockets) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                              TRP_NET_DATAGRAM_SOCKETS);
        return TRP_EFULL;
    }
    struct trp_datagram_output *out = output_make(swarm, TRP_OUT_BIND, 0, 0);
    struct trp_datagram_socket *socket =
        out == NULL ? NULL : socket_make(swarm, request->behaviour);
    if (socket == NULL) {
        trp_memory_free(swarm->memory, out);
        return TRP_ENOMEM;
    }
    out->socket = socket->id;
    out->udp = request->address;
    out->shared = request->shared;
    output_queue(swarm, out);
    *ret_socket = socket->id;
    return TRP_OK;
}

void trp_swarm_unbind(struct trp_swarm *swarm, trp_socket socket)
{
    struct trp_datagram_socket *found = socket_find(&swarm->datagrams, socket);
    if (found != NULL) {
        found->close->cause = swarm->trace->cause;
        output_queue(swarm, found->close);
        found->close = NULL;
        socket_remove(&swarm->datagrams, found);
    }
}

static enum trp_status group_output(struct trp_swarm *swarm, enum trp_output_kind kind,
                                    trp_socket socket, const struct trp_udp_address *group,
                                    uint32_t interface)
{
    if (socket_find(&swarm->datagrams, socket) == NULL) {
        return TRP_ENOTFOUND;
    }
    struct trp_datagram_output *out = output_make(swarm, kind, socket, 0);
    if (out == NULL) {
        return TRP_ENOMEM;
    }
    out->udp = *group;
    out->interface = interface;
    output_queue(swarm, out);
    return TRP_OK;
}

enum trp_status trp_swarm_join(struct trp_swarm *swarm, trp_socket socket,
                               const struct trp_udp_address *group, uint32_t interface)
{
    return group_output(swarm, TRP_OUT_JOIN, socket, group, interface);
}

enum trp_status trp_swarm_leave(struct trp_swarm *swarm, trp_socket socket,
                                const struct trp_udp_address *group, uint32_t interface)
{
    return group_output(swarm, TRP_OUT_LEAVE, socket, group, interface);
}

enum trp_status trp_swarm_send(struct trp_swarm *swarm, const struct trp_datagram *datagram)
{
    struct trp_datagram_socket *socket = socket_find(&swarm->datagrams, datagram->socket);
    size_t size = datagram->bytes.size;
    if (socket == NULL) {
        return TRP_ENOTFOUND;
    }
    if (size > TRP_DATAGRAM_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    if (socket->waiting_bytes + size > swarm->limits->datagram_send_bytes) {
        return TRP_EFULL;
    }
    struct trp_datagram_output *out = output_make(swarm, TRP_OUT_DATAGRAM, socket->id, size);
    if (out == NULL) {
        return TRP_ENOMEM;
    }
    out->datagram = *datagram;
    out->datagram.bytes = trp_bytes(out->bytes, size);
    if (size > 0) {
        memcpy(out->bytes, datagram->bytes.data, size);
    }
    socket->waiting_bytes += (uint32_t)size;
    output_queue(swarm, out);
    return TRP_OK;
}

enum trp_status trp_swarm_watch_interfaces(struct trp_swarm *swarm)
{
    struct trp_datagram_output *out = output_make(swarm, TRP_OUT_WATCH, 0, 0);
    if (out == NULL) {
        return TRP_ENOMEM;
    }
    output_queue(swarm, out);
    return TRP_OK;
}

/* ---- inputs ---- */

static void tell_interfaces(struct trp_swarm *swarm, const struct trp_input *in)
{
    uint32_t count = in->interfaces_count < TRP_INPUT_INTERFACES_MAX ? in->interfaces_count
                                                                     : TRP_INPUT_INTERFACES_MAX;
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->interfaces != NULL) {
            behaviour->ops->interfaces(behaviour->self, in->interfaces, count);
        }
    }
}

static void tell_owner(struct trp_swarm *swarm, struct trp_datagram_socket *socket,
                       const struct trp_input *in)
{
    const struct trp_behaviour *owner = &swarm->behaviours[socket->behaviour];
    const struct trp_behaviour_ops *ops = owner->ops;
    trp_socket id = socket->id;
    if (in->kind == TRP_IN_DATAGRAM && ops->datagram != NULL) {
        ops->datagram(owner->self, in->datagram);
    } else if (in->kind == TRP_IN_BOUND && ops->bound != NULL) {
        ops->bound(owner->self, id, in->udp);
    } else if (in->kind == TRP_IN_JOINED && ops->joined != NULL) {
        ops->joined(owner->self, id, in->udp, in->interface, in->status);
    } else if (in->kind == TRP_IN_CLOSED) {
        socket_remove(&swarm->datagrams, socket);
        if (ops->unbound != NULL) {
            ops->unbound(owner->self, id, in->status);
        }
    }
}

bool trp_datagrams_input(struct trp_swarm *swarm, const struct trp_input *in)
{
    if (in->kind == TRP_IN_INTERFACES) {
        tell_interfaces(swarm, in);
        return true;
    }
    bool concerns =
        in->kind == TRP_IN_DATAGRAM || in->kind == TRP_IN_BOUND || in->kind == TRP_IN_JOINED;
    struct trp_datagram_socket *socket = NULL;
    if (concerns || in->kind == TRP_IN_CLOSED) {
        socket = socket_find(&swarm->datagrams, in->socket);
    }
    if (socket != NULL) { /* else it crossed with our closing */
        tell_owner(swarm, socket, in);
    }
    return concerns || socket != NULL;
}
