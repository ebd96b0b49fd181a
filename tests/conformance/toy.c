/* SPDX-License-Identifier: MIT */
#include "conformance/toy.h"

#include "base/rolling_hash.h"
#include "lib/test.h"

/* The byte at an offset of every stream, so that each receiver can check what it gets. */
static uint8_t pattern_at(uint64_t offset)
{
    return (uint8_t)(offset % 251u);
}

void toy_init(struct toy *toy)
{
    memset(toy, 0, sizeof *toy);
    toy->deadline = TRP_NEVER;
    toy->next_id = 2;
    toy->credit_bytes = TOY_CREDIT_BYTES;
    toy->resolved = TRP_EAGAIN;
    trp_hash_init(toy->hash);
    for (size_t i = 0; i < sizeof toy->pattern; i++) {
        toy->pattern[i] = pattern_at(i);
    }
}

static struct toy_socket *toy_find(struct toy *toy, trp_socket id)
{
    for (uint32_t i = 0; i < toy->sockets_count; i++) {
        if (toy->sockets[i].id == id) {
            return &toy->sockets[i];
        }
    }
    return NULL;
}

static struct toy_socket *toy_add(struct toy *toy, trp_socket id, enum toy_state state)
{
    assert_true(toy->sockets_count < TOY_SOCKETS_MAX);
    assert_null(toy_find(toy, id));
    struct toy_socket *socket = &toy->sockets[toy->sockets_count++];
    *socket = (struct toy_socket){.id = id, .state = state};
    return socket;
}

static struct trp_output *toy_put(struct toy *toy, enum trp_output_kind kind, trp_socket id)
{
    if (toy->outputs_given == toy->outputs_count) {
        toy->outputs_given = toy->outputs_count = 0;
    }
    assert_true(toy->outputs_count < TOY_OUTPUTS_MAX);
    struct trp_output *out = &toy->outputs[toy->outputs_count++];
    *out = (struct trp_output){.kind = kind, .socket = id, .cause = toy->cause};
    return out;
}

static void toy_put_address(struct toy *toy, enum trp_output_kind kind, trp_socket id,
                            const struct trp_multiaddr *address)
{
    struct trp_output *out = toy_put(toy, kind, id);
    struct trp_multiaddr *copy = &toy->addresses[out - toy->outputs];
    *copy = *address;
    out->address = copy;
}

struct toy_socket *toy_listen(struct toy *toy, const struct trp_multiaddr *address)
{
    struct toy_socket *socket = toy_add(toy, toy->next_id, TOY_LISTENING);
    toy->next_id += 2;
    toy_put_address(toy, TRP_OUT_LISTEN, socket->id, address);
    return socket;
}

struct toy_socket *toy_dial(struct toy *toy, const struct trp_multiaddr *address)
{
    struct toy_socket *socket = toy_add(toy, toy->next_id, TOY_DIALING);
    toy->next_id += 2;
    toy_put_address(toy, TRP_OUT_DIAL, socket->id, address);
    return socket;
}

void toy_resolve(struct toy *toy, const struct trp_multiaddr *address)
{
    toy->resolved = TRP_EAGAIN;
    toy_put_address(toy, TRP_OUT_RESOLVE, toy->next_id, address);
    toy->next_id += 2;
}

/* Writes what credit admits, then what was asked for the end. */
static void toy_flush(struct toy *toy, struct toy_socket *socket)
{
    if (socket->state != TOY_OPEN || socket->shut_down || socket->closed_by_us) {
        return;
    }
    while (socket->to_send > 0 && socket->written - socket->credited < toy->credit_bytes) {
        /* Sizes from 1 byte to TOY_WRITE_BYTES, as the offset has it. */
        uint64_t size = 1 + socket->written * 7919u % TOY_WRITE_BYTES;
        size = size < socket->to_send ? size : socket->to_send;
        struct trp_output *out = toy_put(toy, TRP_OUT_BYTES, socket->id);
        out->bytes = trp_bytes(toy->pattern + socket->written % 251u, (size_t)size);
        socket->written += size;
        socket->to_send -= size;
    }
    if (socket->to_send == 0 && socket->close_when_sent) {
        toy_close(toy, socket, false);
    } else if (socket->to_send == 0 && socket->shut_down_when_sent) {
        socket->shut_down = true;
        (void)toy_put(toy, TRP_OUT_SHUTDOWN, socket->id);
    }
}

void toy_send(struct toy *toy, struct toy_socket *socket, uint64_t bytes)
{
    socket->to_send += bytes;
    toy_flush(toy, socket);
}

void toy_shutdown(struct toy *toy, struct toy_socket *socket)
{
    socket->shut_down_when_sent = true;
    toy_flush(toy, socket);
}

void toy_close(struct toy *toy, struct toy_socket *socket, bool abort)
{
    struct trp_output *out = toy_put(toy, TRP_OUT_CLOSE, socket->id);
    out->abort = abort;
    socket->closed_by_us = true;
}

void toy_pause(struct toy *toy, struct toy_socket *socket, bool pause)
{
    socket->paused = pause;
    (void)toy_put(toy, pause ? TRP_OUT_PAUSE : TRP_OUT_RESUME, socket->id);
}

/* ---- datagrams ---- */

static struct toy_udp *udp_find(struct toy *toy, trp_socket id)
{
    for (uint32_t i = 0; i < toy->udps_count; i++) {
        if (toy->udps[i].id == id) {
            return &toy->udps[i];
        }
    }
    return NULL;
}

static struct trp_output *toy_put_udp(struct toy *toy, enum trp_output_kind kind, trp_socket id,
                                      const struct trp_udp_address *address)
{
    struct trp_output *out = toy_put(toy, kind, id);
    struct trp_udp_address *copy = &toy->groups[out - toy->outputs];
    *copy = *address;
    out->udp = copy;
    return out;
}

struct toy_udp *toy_bind(struct toy *toy, const struct trp_udp_address *address, bool shared)
{
    assert_true(toy->udps_count < TOY_UDPS_MAX);
    struct toy_udp *udp = &toy->udps[toy->udps_count++];
    *udp = (struct toy_udp){.id = toy->next_id};
    toy->next_id += 2;
    toy_put_udp(toy, TRP_OUT_BIND, udp->id, address)->shared = shared;
    return udp;
}

void toy_send_to(struct toy *toy, const struct toy_udp *udp, const struct trp_datagram *datagram)
{
    struct trp_output *out = toy_put(toy, TRP_OUT_DATAGRAM, udp->id);
    uint32_t place = 0;
    for (uint32_t i = toy->outputs_given; i + 1 < toy->outputs_count; i++) {
        place += toy->outputs[i].kind == TRP_OUT_DATAGRAM;
    }
    assert_true(place < TOY_UDPS_MAX && datagram->bytes.size <= TOY_UDP_BYTES);
    struct toy_datagram *copy = &toy->datagrams[place];
    copy->datagram = *datagram;
    copy->datagram.socket = udp->id;
    copy->datagram.bytes = trp_bytes(copy->bytes, datagram->bytes.size);
    if (datagram->bytes.size > 0) {
        memcpy(copy->bytes, datagram->bytes.data, datagram->bytes.size);
    }
    out->datagram = &copy->datagram;
}

void toy_join(struct toy *toy, const struct toy_udp *udp, const struct trp_udp_address *group,
              uint32_t interface, bool join)
{
    toy_put_udp(toy, join ? TRP_OUT_JOIN : TRP_OUT_LEAVE, udp->id, group)->interface = interface;
}

void toy_unbind(struct toy *toy, struct toy_udp *udp)
{
    (void)toy_put(toy, TRP_OUT_CLOSE, udp->id);
    udp->closed_by_us = true;
}

void toy_watch(struct toy *toy)
{
    (void)toy_put(toy, TRP_OUT_WATCH, 0);
}

static void toy_on_datagram(struct toy_udp *udp, const struct trp_datagram *datagram)
{
    assert_int_equal(datagram->socket, udp->id);
    assert_int_equal(datagram->local.port, udp->address.port);
    assert_int_equal(datagram->local.ip_bytes, udp->address.ip_bytes);
    assert_int_equal(datagram->remote.ip_bytes, udp->address.ip_bytes);
    assert_true(datagram->remote.port != 0 && datagram->interface != 0);
    assert_true(datagram->bytes.size <= TOY_UDP_BYTES);
    udp->received++;
    udp->last.datagram = *datagram;
    udp->last.datagram.bytes = trp_bytes(udp->last.bytes, datagram->bytes.size);
    if (datagram->bytes.size > 0) {
        memcpy(udp->last.bytes, datagram->bytes.data, datagram->bytes.size);
    }
}

static void toy_on_udp(struct toy_udp *udp, const struct trp_input *in)
{
    assert_false(udp->closed_by_us);
    assert_int_equal(udp->closed_count, 0);
    if (in->kind == TRP_IN_CLOSED) {
        udp->closed_count++;
        udp->closed_status = in->status;
    } else if (in->kind == TRP_IN_BOUND) {
        assert_false(udp->bound);
        udp->bound = true;
        udp->address = *in->udp;
    } else if (in->kind == TRP_IN_JOINED) {
        assert_true(udp->bound && udp->joins < TOY_JOINS_MAX);
        udp->joined[udp->joins++] = in->status;
    } else {
        assert_int_equal(in->kind, TRP_IN_DATAGRAM);
        assert_true(udp->bound);
        toy_on_datagram(udp, in->datagram);
    }
}

static void toy_on_interfaces(struct toy *toy, const struct trp_input *in)
{
    assert_true(in->interfaces_count <= TRP_INPUT_INTERFACES_MAX);
    for (uint32_t i = 0; i < in->interfaces_count; i++) {
        const struct trp_interface *interface = &in->interfaces[i];
        assert_true(interface->index != 0 && interface->name[0] != '\0');
        assert_true(interface->ip_bytes == 4 || interface->ip_bytes == 16);
        assert_true(interface->prefix_bits <= interface->ip_bytes * 8);
        assert_true(i == 0 || in->interfaces[i - 1].index <= interface->index);
        toy->interfaces[i] = *interface;
    }
    toy->interfaces_count = in->interfaces_count;
    toy->interfaces_told++;
}

bool toy_is_credited(const struct toy_socket *socket)
{
    return socket->to_send == 0 && socket->written - socket->credited < TRP_SENT_BYTES_MIN;
}

struct toy_socket *toy_accepted(struct toy *toy, uint32_t index)
{
    for (uint32_t i = 0; i < toy->sockets_count; i++) {
        if (toy->sockets[i].listener != 0 && index-- == 0) {
            return &toy->sockets[i];
        }
    }
    return NULL;
}

static void toy_on_open(struct toy *toy, struct toy_socket *socket, const struct trp_input *in)
{
    assert_int_equal(in->addresses_count, 2);
    socket->opened_at = in->now;
    socket->cause = in->cause;
    socket->state = TOY_OPEN;
    socket->local = in->addresses[0];
    socket->remote = in->addresses[1];
    if (toy->greet > 0) {
        toy_send(toy, socket, toy->greet);
    }
    toy_flush(toy, socket);
}

static void toy_on_bytes(struct toy *toy, struct toy_socket *socket, const struct trp_input *in)
{
    assert_true(in->bytes.size > 0);
    assert_false(socket->paused);
    for (size_t i = 0; i < in->bytes.size; i++) {
        if (in->bytes.data[i] != pattern_at(socket->received + i)) {
            fail_msg("a wrong byte at offset %llu", (unsigned long long)(socket->received + i));
        }
    }
    socket->received += in->bytes.size;
    socket->received_at = in->now;
    socket->received_chunks++;
    if (toy->echo) {
        toy_send(toy, socket, in->bytes.size);
    }
}

static void toy_on_socket(struct toy *toy, struct toy_socket *socket, const struct trp_input *in)
{
    assert_non_null(socket);
    assert_false(socket->closed_by_us);
    assert_true(socket->state != TOY_ENDED);
    socket->cause = in->cause;
    if (in->kind == TRP_IN_CLOSED) {
        socket->state = TOY_ENDED;
        socket->closed_count++;
        socket->closed_at = in->now;
        socket->closed_status = in->status;
        return;
    }
    if (in->kind == TRP_IN_LISTENING) {
        assert_int_equal(socket->state, TOY_LISTENING);
        assert_true(in->addresses_count > 0);
        socket->local = in->addresses[0];
        return;
    }
    if (in->kind == TRP_IN_CONNECTED) {
        assert_int_equal(socket->state, TOY_DIALING);
        toy_on_open(toy, socket, in);
        return;
    }
    assert_int_equal(socket->state, TOY_OPEN);
    if (in->sent_bytes > 0) {
        assert_true(in->kind == TRP_IN_SENT || in->kind == TRP_IN_BYTES);
        socket->credited += in->sent_bytes;
        assert_true(socket->credited <= socket->written);
        toy_flush(toy, socket);
    }
    if (in->kind == TRP_IN_BYTES) {
        assert_false(socket->eof);
        toy_on_bytes(toy, socket, in);
    } else if (in->kind == TRP_IN_EOF) {
        assert_false(socket->eof);
        socket->eof = true;
        socket->eof_at = in->now;
        if (toy->follow && !socket->shut_down) {
            toy_shutdown(toy, socket);
        }
    } else {
        assert_int_equal(in->kind, TRP_IN_SENT);
        assert_true(in->sent_bytes > 0);
    }
}

static enum trp_status toy_step(void *self, const struct trp_input *in)
{
    struct toy *toy = self;
    assert_true(in->now >= toy->now);
    toy->now = in->now;
    trp_hash_u64(toy->hash, in->now);
    trp_hash_u64(toy->hash, (uint64_t)in->kind << 32 | (uint32_t)in->status);
    trp_hash_u64(toy->hash, in->socket);
    trp_hash_bytes(toy->hash, in->bytes);
    if (in->now >= toy->deadline) {
        toy->deadline = TRP_NEVER;
        toy->times++;
    }
    if (udp_find(toy, in->socket) != NULL) {
        toy_on_udp(udp_find(toy, in->socket), in);
        return TRP_OK;
    }
    switch (in->kind) {
    case TRP_IN_INTERFACES:
        toy_on_interfaces(toy, in);
        break;
    case TRP_IN_BOUND:
    case TRP_IN_JOINED:
    case TRP_IN_DATAGRAM:
        fail_msg("no such socket");
        break;
    case TRP_IN_TIME:
    case TRP_IN_COMMAND:
        break;
    case TRP_IN_RESOLVED:
        assert_int_equal(toy->resolved, TRP_EAGAIN);
        toy->resolved = in->status;
        toy->resolved_count = in->addresses_count;
        if (in->status == TRP_OK) {
            assert_true(in->addresses_count > 0);
            toy->found = in->addresses[0];
        }
        break;
    case TRP_IN_ACCEPTED: {
        struct toy_socket *listener = toy_find(toy, in->listener);
        assert_non_null(listener);
        assert_false(listener->closed_by_us);
        assert_int_equal(in->socket % 2, 1);
        struct toy_socket *socket = toy_add(toy, in->socket, TOY_OPEN);
        socket->listener = in->listener;
        if (toy->pause_accepted) {
            toy_pause(toy, socket, true);
        }
        toy_on_open(toy, socket, in);
        break;
    }
    case TRP_IN_LISTENING:
    case TRP_IN_CONNECTED:
    case TRP_IN_BYTES:
    case TRP_IN_EOF:
    case TRP_IN_SENT:
    case TRP_IN_CLOSED:
        toy_on_socket(toy, toy_find(toy, in->socket), in);
        break;
    }
    return TRP_OK;
}

static bool toy_next_output(void *self, struct trp_output *ret_out)
{
    struct toy *toy = self;
    if (toy->outputs_given == toy->outputs_count) {
        return false;
    }
    *ret_out = toy->outputs[toy->outputs_given++];
    return true;
}

static trp_time toy_deadline(const void *self)
{
    const struct toy *toy = self;
    return toy->deadline;
}

struct trp_process toy_process(struct toy *toy)
{
    static const struct trp_process_ops ops = {
        .step = toy_step, .next_output = toy_next_output, .deadline = toy_deadline};
    return (struct trp_process){.ops = &ops, .self = toy};
}
