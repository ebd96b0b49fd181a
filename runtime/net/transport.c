/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "base/assert.h"
#include "net/spare.h"

void trp_transport_init(struct trp_transport *transport, struct trp_memory *memory,
                        uint64_t send_bytes_max)
{
    *transport = (struct trp_transport){.memory = memory,
                                        .send_bytes_max = send_bytes_max,
                                        .sockets = trp_index_init(memory),
                                        .next_id = 2,
                                        .spare = trp_buffer_init(memory, 0)};
    trp_list_init(&transport->ready);
    trp_list_init(&transport->done);
}

void trp_transport_deinit(struct trp_transport *transport)
{
    TRP_ASSERT(transport->sockets.count == 0);
    trp_index_deinit(&transport->sockets);
    trp_buffer_free(&transport->spare);
}

struct trp_transport_socket *trp_transport_find(const struct trp_transport *transport,
                                                trp_socket id)
{
    uint32_t hash = trp_index_hash(&id, sizeof id);
    uint32_t at = hash;
    struct trp_transport_socket *socket;
    while ((socket = trp_index_next(&transport->sockets, hash, &at)) != NULL) {
        if (socket->id == id) {
            break;
        }
    }
    return socket;
}

trp_socket trp_transport_take_id(struct trp_transport *transport)
{
    trp_socket id = transport->next_id;
    transport->next_id += 2;
    return id;
}

enum trp_status trp_transport_add(struct trp_transport *transport,
                                  struct trp_transport_socket *socket, enum trp_socket_kind kind,
                                  trp_socket id)
{
    if (id != 0 && trp_transport_find(transport, id) != NULL) {
        return TRP_EEXISTS;
    }
    *socket = (struct trp_transport_socket){
        .id = id != 0 ? id : transport->next_id,
        .kind = kind,
        .tx = trp_buffer_init(transport->memory, (size_t)transport->send_bytes_max)};
    enum trp_status status = trp_index_insert(
        &transport->sockets, trp_index_hash(&socket->id, sizeof socket->id), socket);
    if (status != TRP_OK) {
        return status;
    }
    socket->indexed = true;
    if (id == 0) {
        (void)trp_transport_take_id(transport);
    }
    return TRP_OK;
}

/* ---- what a socket has to say ---- */

static void transport_queue(struct trp_transport *transport, struct trp_transport_socket *socket,
                            uint64_t cause)
{
    if (cause != 0) {
        socket->cause = cause;
    }
    if (!trp_list_link_is_linked(&socket->link)) {
        trp_list_push_back(&transport->ready, &socket->link);
    }
}

void trp_transport_open(struct trp_transport *transport, struct trp_transport_socket *socket,
                        const struct trp_multiaddr *address, uint64_t cause)
{
    socket->open_due = true;
    socket->address = address;
    transport_queue(transport, socket, cause);
}

size_t trp_transport_begin_fill(struct trp_transport *transport,
                                struct trp_transport_socket *socket)
{
    uint64_t credit = transport->send_bytes_max > socket->unsent_bytes
                          ? transport->send_bytes_max - socket->unsent_bytes
                          : 0;
    socket->tx.limit_bytes = credit > socket->tx.size ? (size_t)credit : socket->tx.size;
    trp_spare_lend(&transport->spare, &socket->tx);
    return trp_buffer_room(&socket->tx);
}

void trp_transport_end_fill(struct trp_transport *transport, struct trp_transport_socket *socket,
                            uint64_t cause)
{
    if (socket->tx.size > 0) {
        transport_queue(transport, socket, cause);
    } else {
        trp_spare_return(&transport->spare, &socket->tx);
    }
}

void trp_transport_sent(struct trp_transport_socket *socket, uint64_t bytes)
{
    socket->unsent_bytes -= bytes < socket->unsent_bytes ? bytes : socket->unsent_bytes;
}

void trp_transport_pause(struct trp_transport *transport, struct trp_transport_socket *socket,
                         bool pause, uint64_t cause)
{
    if (socket->done || socket->close_due || pause == socket->paused) {
        return;
    }
    socket->paused = pause;
    if (socket->pause_due || socket->resume_due) {
        socket->pause_due = false; /* the driver never heard of the other */
        socket->resume_due = false;
        return;
    }
    socket->pause_due = pause;
    socket->resume_due = !pause;
    transport_queue(transport, socket, cause);
}

void trp_transport_shutdown(struct trp_transport *transport, struct trp_transport_socket *socket,
                            uint64_t cause)
{
    socket->shutdown_due = true;
    transport_queue(transport, socket, cause);
}

/* ---- the end of a socket ---- */

static void transport_remove(struct trp_transport *transport, struct trp_transport_socket *socket)
{
    if (socket->indexed) {
        trp_index_remove(&transport->sockets, trp_index_hash(&socket->id, sizeof socket->id),
                         socket);
        socket->indexed = false;
    }
}

void trp_transport_forget(struct trp_transport *transport, struct trp_transport_socket *socket)
{
    if (socket->done) {
        return;
    }
    transport_remove(transport, socket);
    trp_list_link_remove(&socket->link);
    if (transport->lent == socket) {
        transport->lent = NULL;
    }
    trp_buffer_free(&socket->tx);
    socket->done = true;
    trp_list_push_back(&transport->done, &socket->link);
}

void trp_transport_close(struct trp_transport *transport, struct trp_transport_socket *socket,
                         bool abort, uint64_t cause)
{
    if (socket->done || socket->close_due) {
        return;
    }
    if (socket->open_due) {
        trp_transport_forget(transport, socket);
        return;
    }
    transport_remove(transport, socket);
    if (abort) {
        trp_buffer_free(&socket->tx);
        socket->shutdown_due = false;
    }
    socket->pause_due = false;
    socket->resume_due = false;
    socket->abort = abort;
    socket->close_due = true;
    transport_queue(transport, socket, cause);
}

enum trp_status trp_transport_refuse(struct trp_transport *transport, trp_socket id)
{
    if (transport->refused_count == TRP_REFUSALS_MAX) {
        return TRP_EFULL;
    }
    transport->refused[transport->refused_count++] = id;
    return TRP_OK;
}

struct trp_transport_socket *trp_transport_next_done(struct trp_transport *transport)
{
    struct trp_list_link *link = trp_list_pop_front(&transport->done);
    return link == NULL ? NULL : TRP_CONTAINER(link, struct trp_transport_socket, link);
}

/* ---- outputs ---- */

void trp_transport_release(struct trp_transport *transport)
{
    struct trp_transport_socket *socket = transport->lent;
    if (socket != NULL) {
        transport->lent = NULL;
        socket->tx.head = 0;
        socket->tx.size = 0;
        trp_spare_return(&transport->spare, &socket->tx);
    }
}

static enum trp_output_kind open_kind(enum trp_socket_kind kind)
{
    switch (kind) {
    case TRP_SOCKET_LISTENER:
        return TRP_OUT_LISTEN;
    case TRP_SOCKET_CONNECTION:
        return TRP_OUT_DIAL;
    case TRP_SOCKET_RESOLVE:
        break;
    }
    return TRP_OUT_RESOLVE;
}

/* Takes the next thing that a socket has to say; false when there is none. */
static bool socket_next_output(struct trp_transport *transport, struct trp_transport_socket *socket,
                               struct trp_output *ret_out)
{
    *ret_out = (struct trp_output){.socket = socket->id, .cause = socket->cause};
    if (socket->open_due) {
        socket->open_due = false;
        ret_out->kind = open_kind(socket->kind);
        ret_out->address = socket->address;
    } else if (socket->pause_due || socket->resume_due) {
        ret_out->kind = socket->pause_due ? TRP_OUT_PAUSE : TRP_OUT_RESUME;
        socket->pause_due = false;
        socket->resume_due = false;
    } else if (socket->tx.size > 0) {
        ret_out->kind = TRP_OUT_BYTES;
        ret_out->bytes = trp_buffer_view(&socket->tx);
        socket->unsent_bytes += socket->tx.size;
        transport->lent = socket;
    } else if (socket->shutdown_due) {
        socket->shutdown_due = false;
        ret_out->kind = TRP_OUT_SHUTDOWN;
    } else if (socket->close_due) {
        ret_out->kind = TRP_OUT_CLOSE;
        ret_out->abort = socket->abort;
        trp_list_link_remove(&socket->link);
        socket->done = true;
        trp_list_push_back(&transport->done, &socket->link);
    } else {
        return false;
    }
    return true;
}

bool trp_transport_next_output(struct trp_transport *transport, struct trp_output *ret_out)
{
    trp_transport_release(transport);
    if (transport->refused_count > 0) {
        *ret_out = (struct trp_output){.kind = TRP_OUT_CLOSE,
                                       .abort = true,
                                       .socket = transport->refused[--transport->refused_count]};
        return true;
    }
    struct trp_list_link *link;
    while ((link = trp_list_front(&transport->ready)) != NULL) {
        struct trp_transport_socket *socket =
            TRP_CONTAINER(link, struct trp_transport_socket, link);
        if (socket_next_output(transport, socket, ret_out)) {
            return true;
        }
        trp_list_link_remove(link);
    }
    return false;
}
