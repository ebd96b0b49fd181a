/* SPDX-License-Identifier: MIT */
#include "uv/datagram.h"

#include "base/assert.h"

#include <net/if.h>

enum trp_status trp_uv_status(int error)
{
    switch (error) {
    case 0:
        return TRP_OK;
    case UV_ECONNREFUSED:
        return TRP_EREFUSED;
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_EPIPE:
        return TRP_ERESET;
    case UV_ETIMEDOUT:
        return TRP_ETIMEDOUT;
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_ENETDOWN:
        return TRP_EUNREACHABLE;
    case UV_EADDRINUSE:
        return TRP_EADDRINUSE;
    case UV_EADDRNOTAVAIL:
    case UV_EINVAL:
        return TRP_EINVAL;
    case UV_EACCES:
    case UV_EPERM:
        return TRP_EDENIED;
    case UV_EAFNOSUPPORT:
        return TRP_EUNSUPPORTED;
    case UV_ENOMEM:
    case UV_ENOBUFS:
        return TRP_ENOMEM;
    case UV_EMFILE:
    case UV_ENFILE:
        return TRP_EFULL;
    case UV_ECANCELED:
        return TRP_ECANCELLED;
    default:
        return TRP_EIO;
    }
}

static struct trp_uv_socket *socket_find(struct trp_uv_driver *driver, trp_socket id)
{
    struct trp_uv_socket *socket;
    HASH_FIND(hh, driver->sockets, &id, sizeof id, socket);
    return socket;
}

/* Takes it from the process: no input for it follows. */
static void socket_unregister(struct trp_uv_socket *socket)
{
    struct trp_memory *uthash_memory = &socket->driver->memory;
    if (socket->hh.tbl != NULL) {
        HASH_DEL(socket->driver->sockets, socket);
        socket->hh.tbl = NULL;
    }
}

static void socket_on_closed(uv_handle_t *handle)
{
    struct trp_uv_socket *socket = handle->data;
    struct trp_uv_driver *driver = socket->driver;
    trp_list_link_remove(&socket->all);
    trp_list_link_remove(&socket->dirty);
    trp_buffer_free(&socket->out);
    trp_buffer_free(&socket->writing);
    trp_memory_free(&driver->memory, socket);
    trp_uv_handle_closed(driver);
}

/* Makes a socket of the process; NULL when out of memory. */
static struct trp_uv_socket *socket_make(struct trp_uv_driver *driver, trp_socket id,
                                         enum trp_uv_state state)
{
    struct trp_memory *uthash_memory = &driver->memory;
    struct trp_uv_socket *socket = trp_memory_alloc(&driver->memory, sizeof *socket);
    if (socket == NULL) {
        return NULL;
    }
    socket->driver = driver;
    socket->id = id;
    socket->state = state;
    socket->out = trp_buffer_init(&driver->memory, SIZE_MAX / 2);
    socket->writing = socket->out;
    HASH_ADD(hh, driver->sockets, id, sizeof socket->id, socket);
    if (socket->hh.tbl == NULL) {
        trp_memory_free(&driver->memory, socket);
        return NULL;
    }
    (void)uv_tcp_init(driver->config.loop, &socket->tcp); /* opens nothing yet: cannot fail */
    socket->tcp.data = socket;
    trp_list_push_back(&driver->all, &socket->all);
    driver->handles++;
    return socket;
}

void trp_uv_socket_close(struct trp_uv_socket *socket, bool reset)
{
    if (socket->state == TRP_UV_CLOSING) {
        return;
    }
    socket_unregister(socket);
    socket->state = TRP_UV_CLOSING;
    trp_list_link_remove(&socket->lingering);
    trp_list_link_remove(&socket->dirty);
    /* libuv refuses to reset what is being shut down; then the kernel decides. */
    if (!reset || uv_tcp_close_reset(&socket->tcp, socket_on_closed) != 0) {
        uv_close((uv_handle_t *)&socket->tcp, socket_on_closed);
    }
}

/* The process will be told that the socket is at its end. */
static void socket_end(struct trp_uv_socket *socket, enum trp_status status)
{
    if (socket->state == TRP_UV_LINGERING) {
        trp_uv_socket_close(socket, false);
    } else if (socket->state != TRP_UV_CLOSING && !socket->closed_due) {
        socket->closed_due = true;
        socket->closed_status = status;
        trp_uv_mark(socket);
    }
}

struct trp_multiaddr trp_uv_address(const struct sockaddr *address)
{
    const void *raw = address;
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = raw;
        struct trp_multiaddr whole =
            trp_multiaddr_from_ip(in6->sin6_addr.s6_addr, 16, ntohs(in6->sin6_port));
        char zone[IF_NAMESIZE];
        if (in6->sin6_scope_id != 0 && if_indextoname(in6->sin6_scope_id, zone) != NULL) {
            TRP_IGNORE(trp_multiaddr_with_zone(&whole, zone, &whole)); /* a name always fits */
        }
        return whole;
    }
    const struct sockaddr_in *in4 = raw;
    uint8_t ip[4];
    memcpy(ip, &in4->sin_addr, sizeof ip);
    return trp_multiaddr_from_ip(ip, sizeof ip, ntohs(in4->sin_port));
}

/* Gives the socket address of host/tcp/port. */
static enum trp_status socket_address(const struct trp_multiaddr *address,
                                      struct sockaddr_storage *ret_address)
{
    struct trp_endpoint endpoint;
    enum trp_status status = trp_multiaddr_tcp(address, &endpoint);
    if (status != TRP_OK) {
        return status;
    }
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(endpoint.port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint.port)};
    memset(ret_address, 0, sizeof *ret_address);
    if (endpoint.host == TRP_MA_IP4) {
        memcpy(&in4.sin_addr, endpoint.ip, 4);
        memcpy(ret_address, &in4, sizeof in4);
        return TRP_OK;
    }
    if (endpoint.host == TRP_MA_IP6) {
        memcpy(&in6.sin6_addr, endpoint.ip, 16);
        in6.sin6_scope_id = if_nametoindex(endpoint.name);
        memcpy(ret_address, &in6, sizeof in6);
        return TRP_OK;
    }
    return TRP_EUNSUPPORTED;
}

/* The local and the remote address. */
static void socket_names(const struct trp_uv_socket *socket, struct trp_multiaddr ret_addresses[2])
{
    struct sockaddr_storage name = {.ss_family = AF_INET};
    int size = sizeof name;
    (void)uv_tcp_getsockname(&socket->tcp, (struct sockaddr *)&name, &size);
    ret_addresses[0] = trp_uv_address((const struct sockaddr *)&name);
    size = sizeof name;
    memset(&name, 0, sizeof name);
    name.ss_family = AF_INET;
    (void)uv_tcp_getpeername(&socket->tcp, (struct sockaddr *)&name, &size);
    ret_addresses[1] = trp_uv_address((const struct sockaddr *)&name);
}

static void driver_feed(struct trp_uv_driver *driver, struct trp_input *in)
{
    /* Fails only when the process is broken, which was told. */
    enum trp_status status = trp_uv_input(driver, in);
    (void)status;
}

/* ---- reading ---- */

static void socket_on_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct trp_uv_socket *socket = handle->data;
    (void)wanted;
    *buffer = uv_buf_init((char *)socket->driver->read_buffer, TRP_UV_READ_BYTES);
}

static void socket_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct trp_uv_socket *socket = stream->data;
    struct trp_uv_driver *driver = socket->driver;
    struct trp_input in = {.kind = TRP_IN_BYTES, .socket = socket->id};
    if (count == 0 || socket->state != TRP_UV_OPEN) {
        return;
    }
    if (count > 0) {
        in.bytes = trp_bytes(buffer->base, (size_t)count);
        in.sent_bytes = socket->sent_due;
        socket->sent_due = 0;
        driver_feed(driver, &in);
        return;
    }
    (void)uv_read_stop(stream);
    if (count != UV_EOF) {
        socket_end(socket, trp_uv_status((int)count));
        trp_uv_settle(driver);
        return;
    }
    socket->eof = true;
    if (socket->shutdown_done) {
        socket_end(socket, TRP_OK);
    }
    in.kind = TRP_IN_EOF;
    driver_feed(driver, &in);
}

static void socket_read(struct trp_uv_socket *socket)
{
    if (socket->state != TRP_UV_OPEN || socket->paused || socket->eof || socket->closed_due) {
        return;
    }
    int error = uv_read_start((uv_stream_t *)&socket->tcp, socket_on_buffer, socket_on_read);
    if (error != 0 && error != UV_EALREADY) {
        socket_end(socket, trp_uv_status(error));
    }
}

/* ---- writing ---- */

static void socket_on_shutdown(uv_shutdown_t *request, int error)
{
    struct trp_uv_socket *socket = request->handle->data;
    struct trp_uv_driver *driver = socket->driver;
    if (socket->state == TRP_UV_CLOSING) {
        return;
    }
    socket->shutdown_done = error == 0;
    if (error != 0) {
        socket_end(socket, trp_uv_status(error));
    } else if (socket->state == TRP_UV_LINGERING || socket->eof) {
        socket_end(socket, TRP_OK);
    }
    trp_uv_settle(driver);
}

static void socket_on_write(uv_write_t *request, int error)
{
    struct trp_uv_socket *socket = request->handle->data;
    struct trp_uv_driver *driver = socket->driver;
    if (socket->state == TRP_UV_CLOSING) {
        return;
    }
    size_t size = socket->writing.size;
    trp_buffer_free(&socket->writing);
    if (error != 0) {
        socket_end(socket, trp_uv_status(error));
    } else {
        socket->sent_due += size;
        trp_uv_mark(socket);
    }
    trp_uv_settle(driver);
}

/* Hands what the kernel did not take at once to libuv. */
static void socket_write_rest(struct trp_uv_socket *socket)
{
    socket->writing = socket->out;
    socket->out = trp_buffer_init(&socket->driver->memory, socket->writing.limit_bytes);
    struct trp_bytes rest = trp_buffer_view(&socket->writing);
    uv_buf_t buffer = {.base = (char *)(socket->writing.data + socket->writing.head),
                       .len = rest.size};
    int error = uv_write(&socket->write, (uv_stream_t *)&socket->tcp, &buffer, 1, socket_on_write);
    if (error != 0) {
        trp_buffer_free(&socket->writing);
        socket_end(socket, trp_uv_status(error));
    }
}

/* Drops what was sent, but keeps the block: a busy socket fills it again at once. */
static void socket_sent(struct trp_uv_socket *socket, size_t size)
{
    struct trp_buffer *out = &socket->out;
    if (size == out->size && out->capacity <= TRP_UV_KEEP_BYTES) {
        out->head = out->size = 0;
    } else {
        trp_buffer_consume(out, size);
    }
    socket->sent_due += size;
}

void trp_uv_socket_flush(struct trp_uv_socket *socket)
{
    bool sends = socket->state == TRP_UV_OPEN || socket->state == TRP_UV_LINGERING;
    if (!sends || socket->closed_due || socket->writing.size > 0) {
        return;
    }
    struct trp_bytes bytes = trp_buffer_view(&socket->out);
    if (bytes.size > 0) {
        uv_buf_t buffer = {.base = (char *)(socket->out.data + socket->out.head),
                           .len = bytes.size};
        int count = uv_try_write((uv_stream_t *)&socket->tcp, &buffer, 1);
        if (count < 0 && count != UV_EAGAIN) {
            socket_end(socket, trp_uv_status(count));
            return;
        }
        if (count > 0) {
            socket_sent(socket, (size_t)count);
        }
        if (socket->out.size > 0) {
            socket_write_rest(socket);
            return;
        }
    }
    if (socket->shutdown_asked && !socket->shutdown_begun) {
        socket->shutdown_begun = true;
        int error = uv_shutdown(&socket->shutdown, (uv_stream_t *)&socket->tcp, socket_on_shutdown);
        if (error != 0) {
            socket_end(socket, trp_uv_status(error));
        }
    }
}

/* ---- telling ---- */

static void tell_listening(struct trp_uv_socket *socket)
{
    struct trp_multiaddr addresses[TRP_INPUT_ADDRESSES_MAX];
    struct sockaddr_storage name = {.ss_family = AF_INET};
    int size = sizeof name;
    (void)uv_tcp_getsockname(&socket->tcp, (struct sockaddr *)&name, &size);
    struct trp_multiaddr bound = trp_uv_address((const struct sockaddr *)&name);
    struct trp_input in = {.kind = TRP_IN_LISTENING,
                           .cause = socket->cause,
                           .socket = socket->id,
                           .addresses = addresses,
                           .addresses_count = trp_uv_reachable(&bound, addresses)};
    socket->listening_due = false;
    trp_uv_step(socket->driver, &in);
}

void trp_uv_socket_tell(struct trp_uv_socket *socket)
{
    struct trp_uv_driver *driver = socket->driver;
    if (socket->state == TRP_UV_CLOSING || socket->state == TRP_UV_LINGERING) {
        return;
    }
    struct trp_input in = {.kind = TRP_IN_CLOSED, .cause = socket->cause, .socket = socket->id};
    if (socket->closed_due) {
        in.status = socket->closed_status;
        trp_uv_socket_close(socket, false);
        trp_uv_step(driver, &in);
    } else if (socket->listening_due) {
        tell_listening(socket);
    } else if (socket->sent_due >= TRP_SENT_BYTES_MIN) {
        in.kind = TRP_IN_SENT;
        in.cause = 0;
        in.sent_bytes = socket->sent_due;
        socket->sent_due = 0;
        trp_uv_step(driver, &in);
    }
}

/* ---- listening ---- */

static void socket_accept(struct trp_uv_socket *listener)
{
    struct trp_uv_driver *driver = listener->driver;
    struct trp_uv_socket *socket = socket_make(driver, driver->accepted_next, TRP_UV_OPEN);
    if (socket == NULL) {
        /* The connection waits at the listener, which accepts no other before. */
        listener->stalled = true;
        driver->accept_at = trp_time_after(trp_uv_now(), TRP_UV_ACCEPT_RETRY_NS);
        trp_uv_arm(driver);
        return;
    }
    driver->accepted_next += 2;
    listener->stalled = false;
    int error = uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&socket->tcp);
    if (error != 0) {
        trp_uv_socket_close(socket, false);
        return;
    }
    (void)uv_tcp_nodelay(&socket->tcp, 1);
    struct trp_multiaddr addresses[2];
    socket_names(socket, addresses);
    struct trp_input in = {.kind = TRP_IN_ACCEPTED,
                           .socket = socket->id,
                           .listener = listener->id,
                           .addresses = addresses,
                           .addresses_count = 2};
    socket_read(socket);
    driver_feed(driver, &in);
}

static void socket_on_connection(uv_stream_t *stream, int error)
{
    struct trp_uv_socket *listener = stream->data;
    struct trp_uv_driver *driver = listener->driver;
    if (error != 0) {
        driver->trace.now = trp_uv_now();
        (void)trp_trace_accept_failed(
            &driver->trace, &(struct trp_event_accept_failed){.status = trp_uv_status(error)});
        return;
    }
    socket_accept(listener);
}

void trp_uv_accept_again(struct trp_uv_driver *driver)
{
    struct trp_list_link *link = trp_list_front(&driver->all);
    while (link != NULL) {
        struct trp_uv_socket *socket = TRP_CONTAINER(link, struct trp_uv_socket, all);
        if (socket->state == TRP_UV_LISTENER && socket->stalled) {
            socket_accept(socket);
        }
        link = trp_list_next(&driver->all, link);
    }
}

static void socket_listen(struct trp_uv_socket *socket, const struct trp_multiaddr *address)
{
    struct sockaddr_storage name;
    enum trp_status status = socket_address(address, &name);
    if (status == TRP_OK) {
        unsigned flags = name.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
        int error = uv_tcp_bind(&socket->tcp, (const struct sockaddr *)&name, flags);
        if (error == 0) {
            error = uv_listen((uv_stream_t *)&socket->tcp, TRP_UV_BACKLOG, socket_on_connection);
        }
        status = trp_uv_status(error);
    }
    socket->driver->listen_status = status;
    if (status != TRP_OK) {
        socket_end(socket, status);
        return;
    }
    socket->listening_due = true;
    trp_uv_mark(socket);
}

/* ---- dialing ---- */

static void socket_on_connect(uv_connect_t *request, int error)
{
    struct trp_uv_socket *socket = request->handle->data;
    struct trp_uv_driver *driver = socket->driver;
    if (socket->state != TRP_UV_DIALING) {
        return;
    }
    if (error != 0) {
        socket_end(socket, trp_uv_status(error));
        trp_uv_settle(driver);
        return;
    }
    socket->state = TRP_UV_OPEN;
    struct trp_multiaddr addresses[2];
    socket_names(socket, addresses);
    struct trp_input in = {.kind = TRP_IN_CONNECTED,
                           .cause = socket->cause,
                           .socket = socket->id,
                           .addresses = addresses,
                           .addresses_count = 2};
    socket->cause = 0;
    socket_read(socket);
    trp_uv_mark(socket); /* what was written before */
    driver_feed(driver, &in);
}

/* Gives a socket the IP that it dials from. */
static enum trp_status socket_dial_from(struct trp_uv_socket *socket,
                                        const struct trp_multiaddr *from)
{
    struct sockaddr_storage name;
    if (from == NULL) {
        return TRP_OK;
    }
    enum trp_status status = socket_address(from, &name);
    return status == TRP_OK
               ? trp_uv_status(uv_tcp_bind(&socket->tcp, (const struct sockaddr *)&name, 0))
               : status;
}

static void socket_dial(struct trp_uv_socket *socket, const struct trp_multiaddr *address)
{
    struct sockaddr_storage name;
    enum trp_status status = socket_dial_from(socket, socket->driver->config.dial_from);
    if (status == TRP_OK) {
        status = socket_address(address, &name);
    }
    if (status == TRP_OK) {
        int error = uv_tcp_connect(&socket->connect, &socket->tcp, (const struct sockaddr *)&name,
                                   socket_on_connect);
        if (error == 0) {
            (void)uv_tcp_nodelay(&socket->tcp, 1);
        }
        status = trp_uv_status(error);
    }
    if (status != TRP_OK) {
        socket_end(socket, status);
    }
}

/* ---- outputs ---- */

/* The process is done with it: sends the rest, then closes. */
static void socket_leave(struct trp_uv_socket *socket, bool abort)
{
    struct trp_uv_driver *driver = socket->driver;
    bool unsent = socket->out.size > 0 || socket->writing.size > 0;
    if (abort || socket->state != TRP_UV_OPEN || socket->closed_due || !unsent) {
        trp_uv_socket_close(socket, abort && socket->state == TRP_UV_OPEN);
        return;
    }
    socket_unregister(socket);
    (void)uv_read_stop((uv_stream_t *)&socket->tcp);
    socket->state = TRP_UV_LINGERING;
    socket->shutdown_asked = true;
    socket->linger_until = trp_time_after(trp_uv_now(), TRP_UV_LINGER_NS);
    trp_list_push_back(&driver->lingering, &socket->lingering);
    trp_uv_mark(socket);
}

static void socket_output(struct trp_uv_socket *socket, const struct trp_output *out)
{
    if (out->kind == TRP_OUT_BYTES) {
        if (socket->shutdown_asked || socket->closed_due) {
            return;
        }
        if (trp_buffer_append(&socket->out, out->bytes) != TRP_OK) {
            socket_end(socket, TRP_ENOMEM);
            return;
        }
        trp_uv_mark(socket);
    } else if (out->kind == TRP_OUT_SHUTDOWN) {
        socket->shutdown_asked = true;
        trp_uv_mark(socket);
    } else if (out->kind == TRP_OUT_PAUSE) {
        socket->paused = true;
        (void)uv_read_stop((uv_stream_t *)&socket->tcp);
    } else if (out->kind == TRP_OUT_RESUME) {
        socket->paused = false;
        socket_read(socket);
    } else {
        socket_leave(socket, out->abort);
    }
}

void trp_uv_socket_perform(struct trp_uv_driver *driver, const struct trp_output *out)
{
    struct trp_uv_socket *socket = socket_find(driver, out->socket);
    bool opens = out->kind == TRP_OUT_LISTEN || out->kind == TRP_OUT_DIAL;
    if (!opens) {
        if (socket != NULL) {
            socket_output(socket, out);
        }
        return;
    }
    TRP_ASSERT(socket == NULL); /* ids are never reused */
    bool listens = out->kind == TRP_OUT_LISTEN;
    socket = socket_make(driver, out->socket, listens ? TRP_UV_LISTENER : TRP_UV_DIALING);
    if (socket == NULL) {
        trp_uv_break(driver, TRP_ENOMEM); /* there is nothing left to answer with */
        return;
    }
    socket->cause = out->cause;
    if (listens) {
        socket_listen(socket, out->address);
    } else {
        socket_dial(socket, out->address);
    }
}
