/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

#define PORT_FIRST 32768u /* of those the host chooses */
#define INTERFACE  "sim0"
#define PREFIX     8u
#define PPM        1000000u

static struct trp_sim_datagram_socket *socket_of(struct trp_list_link *link)
{
    return TRP_CONTAINER(link, struct trp_sim_datagram_socket, link);
}

static struct trp_sim_datagram_socket *socket_by_id(struct trp_sim_host *host, trp_socket id)
{
    struct trp_list_link *link = trp_list_front(&host->datagram_sockets);
    for (; link != NULL; link = trp_list_next(&host->datagram_sockets, link)) {
        if (socket_of(link)->id == id) {
            return socket_of(link);
        }
    }
    return NULL;
}

static struct trp_sim_datagram_socket *socket_by_port(struct trp_sim_host *host, uint16_t port)
{
    struct trp_list_link *link = trp_list_front(&host->datagram_sockets);
    for (; link != NULL; link = trp_list_next(&host->datagram_sockets, link)) {
        if (socket_of(link)->status == TRP_OK && socket_of(link)->port == port) {
            return socket_of(link);
        }
    }
    return NULL;
}

static void answer_plan(struct trp_world *world, struct trp_sim_host *host, trp_socket id)
{
    trp_sim_plan(world, TRP_SIM_ANSWER, host->index, world->now, id, host->incarnation);
}

/* ---- binding ---- */

static uint16_t port_choose(struct trp_sim_host *host)
{
    do {
        host->udp_port_next = host->udp_port_next < PORT_FIRST || host->udp_port_next == UINT16_MAX
                                  ? PORT_FIRST
                                  : (uint16_t)(host->udp_port_next + 1);
    } while (socket_by_port(host, host->udp_port_next) != NULL);
    return host->udp_port_next;
}

static enum trp_status bind_check(struct trp_sim_host *host, const struct trp_output *out)
{
    static const uint8_t any[4];
    uint8_t own[4];
    trp_world_host_ip(host->index, own);
    if (out->udp->ip_bytes != 4) {
        return TRP_EUNSUPPORTED;
    }
    if (memcmp(out->udp->ip, any, 4) != 0 && memcmp(out->udp->ip, own, 4) != 0 &&
        out->udp->ip[0] != 127) {
        return TRP_EINVAL;
    }
    const struct trp_sim_datagram_socket *other = socket_by_port(host, out->udp->port);
    bool taken = out->udp->port != 0 && other != NULL && !(other->shared && out->shared);
    return taken ? TRP_EADDRINUSE : TRP_OK;
}

static void socket_bind(struct trp_world *world, struct trp_sim_host *host,
                        const struct trp_output *out)
{
    struct trp_sim_datagram_socket *socket = trp_memory_alloc(&world->memory, sizeof *socket);
    if (socket == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    *socket = (struct trp_sim_datagram_socket){.id = out->socket,
                                               .host = host,
                                               .cause = out->cause,
                                               .shared = out->shared,
                                               .loopback = out->udp->ip[0] == 127,
                                               .status = bind_check(host, out)};
    trp_list_init(&socket->groups);
    if (socket->status == TRP_OK) {
        socket->port = out->udp->port != 0 ? out->udp->port : port_choose(host);
    }
    trp_list_push_back(&host->datagram_sockets, &socket->link);
    answer_plan(world, host, socket->id);
}

/* ---- groups ---- */

static struct trp_sim_membership *membership_of(struct trp_list_link *link)
{
    return TRP_CONTAINER(link, struct trp_sim_membership, link);
}

static struct trp_sim_membership *membership_find(struct trp_sim_datagram_socket *socket,
                                                  const uint8_t ip[4])
{
    struct trp_list_link *link = trp_list_front(&socket->groups);
    for (; link != NULL; link = trp_list_next(&socket->groups, link)) {
        struct trp_sim_membership *membership = membership_of(link);
        if (trp_list_link_is_linked(&membership->member) && memcmp(membership->ip, ip, 4) == 0) {
            return membership;
        }
    }
    return NULL;
}

static bool is_multicast(const struct trp_udp_address *address)
{
    return (address->ip[0] & 0xf0u) == 0xe0;
}

static enum trp_status join_check(const struct trp_sim_datagram_socket *socket,
                                  const struct trp_output *out)
{
    bool fits = out->udp->ip_bytes == 4 && is_multicast(out->udp) && out->interface <= 1;
    return fits && socket->status == TRP_OK && !socket->loopback ? TRP_OK : TRP_EINVAL;
}

static void socket_join(struct trp_world *world, struct trp_sim_datagram_socket *socket,
                        const struct trp_output *out)
{
    struct trp_sim_membership *membership = trp_memory_alloc(&world->memory, sizeof *membership);
    if (membership == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    membership->socket = socket;
    membership->interface = out->interface;
    membership->cause = out->cause;
    membership->status = join_check(socket, out);
    memcpy(membership->ip, out->udp->ip, 4);
    /* A second join of one group is answered, and no more. */
    if (membership->status == TRP_OK && membership_find(socket, membership->ip) == NULL) {
        trp_list_push_back(&world->members, &membership->member);
    }
    trp_list_push_back(&socket->groups, &membership->link);
    answer_plan(world, socket->host, socket->id);
}

static void membership_free(struct trp_world *world, struct trp_sim_membership *membership)
{
    trp_list_link_remove(&membership->member);
    trp_list_link_remove(&membership->link);
    trp_memory_free(&world->memory, membership);
}

static void socket_leave(struct trp_world *world, struct trp_sim_datagram_socket *socket,
                         const struct trp_output *out)
{
    struct trp_sim_membership *membership = membership_find(socket, out->udp->ip);
    if (membership == NULL) {
        return;
    }
    trp_list_link_remove(&membership->member);
    if (membership->answered) {
        membership_free(world, membership);
    }
}

static void socket_close(struct trp_world *world, struct trp_sim_datagram_socket *socket)
{
    while (!trp_list_is_empty(&socket->groups)) {
        membership_free(world, membership_of(trp_list_front(&socket->groups)));
    }
    trp_list_link_remove(&socket->link);
    trp_memory_free(&world->memory, socket);
}

void trp_sim_datagrams_end(struct trp_world *world, struct trp_sim_host *host)
{
    while (!trp_list_is_empty(&host->datagram_sockets)) {
        socket_close(world, socket_of(trp_list_front(&host->datagram_sockets)));
    }
}

/* ---- sending ---- */

static void trace_lost(struct trp_world *world, uint32_t from, uint32_t to,
                       const struct trp_datagram *datagram, const char *why, uint64_t cause)
{
    (void)trp_trace_datagram_lost(trp_sim_trace(world, from, cause),
                                  &(struct trp_event_datagram_lost){.to = to,
                                                                    .port = datagram->remote.port,
                                                                    .bytes = datagram->bytes.size,
                                                                    .why = trp_bytes_text(why)});
}

static uint64_t datagram_draw(const struct trp_world *world, const struct trp_sim_path *path,
                              enum trp_sim_draw stream, uint64_t counter)
{
    return trp_draw(world->config.seed, path->pair, stream, counter);
}

/* What keeps a datagram from leaving; NULL: nothing. */
static const char *path_refuses(struct trp_world *world, struct trp_sim_path *path, uint32_t bytes,
                                uint64_t number)
{
    trp_time burst = path->shape.burst_ns;
    uint64_t draw = burst == 0 ? datagram_draw(world, path, TRP_SIM_DRAW_DATAGRAM_LOSS, number)
                               : datagram_draw(world, path, TRP_SIM_DRAW_BURST, world->now / burst);
    if (path->cut != TRP_CUT_NONE) {
        return "a cut";
    }
    if (path->shape.stall) {
        return "a stall";
    }
    if (path->shape.mtu_bytes != 0 &&
        bytes + TRP_SIM_DATAGRAM_HEADER_BYTES > path->shape.mtu_bytes) {
        return "the mtu";
    }
    if (trp_sim_path_admits_at(world, path) > world->now) {
        return "a full queue";
    }
    return trp_sim_path_loses(path, bytes, draw) ? "chance" : NULL;
}

/* Draws whether one of a share of datagrams is meant; `ret_detail` is uniform over 32 bits. */
static bool strikes(const struct trp_world *world, const struct trp_sim_path *path,
                    enum trp_sim_draw stream, uint64_t counter, uint32_t share_ppm,
                    uint64_t *ret_detail)
{
    if (share_ppm == 0) {
        return false;
    }
    uint64_t draw = datagram_draw(world, path, stream, counter);
    *ret_detail = draw & UINT32_MAX;
    return (draw >> 32) * PPM >> 32 < share_ppm;
}

static void trace_altered(struct trp_world *world, uint32_t to, struct trp_sim_datagram *datagram,
                          const char *how)
{
    datagram->cause = trp_trace_datagram_altered(
        trp_sim_trace(world, datagram->from, datagram->cause),
        &(struct trp_event_datagram_altered){.to = to,
                                             .port = datagram->local.port,
                                             .bytes = datagram->size,
                                             .how = trp_bytes_text(how)});
}

/* Changes a datagram as its path has it; gives how long it is held. */
static trp_time datagram_alter(struct trp_world *world, uint32_t to,
                               const struct trp_sim_path *path, struct trp_sim_datagram *datagram,
                               uint64_t counter)
{
    const struct trp_path *shape = &path->shape;
    uint64_t detail;
    trp_time held = 0;
    if (datagram->size > 0 &&
        strikes(world, path, TRP_SIM_DRAW_TRUNCATE, counter, shape->truncate_ppm, &detail)) {
        datagram->size = (uint32_t)(detail * datagram->size >> 32);
        trace_altered(world, to, datagram, "cut short");
    }
    if (datagram->size > 0 &&
        strikes(world, path, TRP_SIM_DRAW_CORRUPT, counter, shape->corrupt_ppm, &detail)) {
        uint64_t bit = detail * datagram->size * 8 >> 32;
        datagram->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        trace_altered(world, to, datagram, "one bit is another");
    }
    if (strikes(world, path, TRP_SIM_DRAW_REORDER, counter, shape->reorder_ppm, &detail)) {
        held = 1 + (detail * TRP_SIM_REORDER_NS >> 32);
        trace_altered(world, to, datagram, "held");
    }
    return held;
}

/* Puts a copy on its way; `counter` keys its draws. */
static void datagram_plan(struct trp_world *world, uint32_t to, struct trp_sim_path *path,
                          const struct trp_sim_datagram *copy, const uint8_t *bytes,
                          uint64_t counter)
{
    trp_handle handle;
    void *object;
    enum trp_status status = trp_slab_insert(&world->datagrams, &handle, &object);
    uint8_t *block = trp_memory_alloc(&world->memory, copy->size + 1u);
    if (status != TRP_OK || block == NULL) {
        trp_sim_fail(world, status != TRP_OK ? status : TRP_ENOMEM);
        trp_memory_free(&world->memory, block);
        return;
    }
    if (copy->size > 0) {
        memcpy(block, bytes, copy->size);
    }
    struct trp_sim_datagram *datagram = object;
    *datagram = *copy;
    datagram->bytes = block;
    trp_time leaves = trp_sim_path_occupy(world, path, copy->size);
    trp_time held = datagram_alter(world, to, path, datagram, counter);
    trp_time takes = trp_time_after(trp_sim_path_latency(world, path, leaves), held);
    trp_sim_plan(world, TRP_SIM_DATAGRAM, to, trp_time_after(leaves, takes), handle, 0);
}

/* Sends to a host; `member` is the socket of a multicast. */
static void datagram_send(struct trp_world *world, const struct trp_sim_datagram_socket *socket,
                          const struct trp_output *out, uint32_t to, trp_socket member)
{
    const struct trp_datagram *datagram = out->datagram;
    uint32_t from = socket->host->index;
    struct trp_sim_datagram copy = {.from = from,
                                    .socket = member,
                                    .local = datagram->remote,
                                    .remote = {.ip_bytes = 4, .port = socket->port},
                                    .sent_at = world->now,
                                    .cause = out->cause,
                                    .size = (uint32_t)datagram->bytes.size};
    uint64_t unused;
    struct trp_sim_path *path = trp_sim_path_find(world, from, to);
    if (path == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    uint64_t number = path->datagrams++;
    const char *why = path_refuses(world, path, copy.size, number);
    if (why == NULL && world->datagrams.count >= TRP_SIM_DATAGRAMS_MAX - 1) {
        why = "a full queue";
    }
    if (why != NULL) {
        trace_lost(world, from, to, datagram, why, out->cause);
        return;
    }
    if (datagram->remote.ip[0] == 127) {
        copy.remote.ip[0] = 127;
        copy.remote.ip[3] = 1;
    } else {
        trp_world_host_ip(from, copy.remote.ip);
    }
    datagram_plan(world, to, path, &copy, datagram->bytes.data, 2 * number);
    if (strikes(world, path, TRP_SIM_DRAW_DUPLICATE, number, path->shape.duplicate_ppm, &unused)) {
        trace_altered(world, to, &copy, "comes twice");
        datagram_plan(world, to, path, &copy, datagram->bytes.data, 2 * number + 1);
    }
}

static void socket_send(struct trp_world *world, struct trp_sim_datagram_socket *socket,
                        const struct trp_output *out)
{
    const struct trp_udp_address *remote = &out->datagram->remote;
    uint32_t to = socket->host->index;
    if (socket->status != TRP_OK || remote->ip_bytes != 4 ||
        out->datagram->bytes.size > TRP_DATAGRAM_BYTES_MAX) {
        return;
    }
    socket->host->bytes_sent += out->datagram->bytes.size;
    if (!is_multicast(remote)) {
        if (remote->ip[0] != 127 && trp_sim_host_by_ip(world, remote->ip, &to) != TRP_OK) {
            trace_lost(world, socket->host->index, UINT32_MAX, out->datagram, "nobody there",
                       out->cause);
            return;
        }
        datagram_send(world, socket, out, to, 0);
        return;
    }
    struct trp_list_link *link = trp_list_front(&world->members);
    for (; link != NULL; link = trp_list_next(&world->members, link)) {
        const struct trp_sim_membership *member =
            TRP_CONTAINER(link, struct trp_sim_membership, member);
        const struct trp_sim_datagram_socket *of = member->socket;
        if (of->port == remote->port && of->host->lan == socket->host->lan &&
            memcmp(member->ip, remote->ip, 4) == 0) {
            datagram_send(world, socket, out, of->host->index, of->id);
        }
    }
}

bool trp_sim_datagram_perform(struct trp_world *world, struct trp_sim_host *host,
                              const struct trp_output *out)
{
    if (out->kind == TRP_OUT_BIND) {
        socket_bind(world, host, out);
        return true;
    }
    if (out->kind == TRP_OUT_WATCH) {
        host->watch_cause = out->cause;
        answer_plan(world, host, 0);
        return true;
    }
    struct trp_sim_datagram_socket *socket = socket_by_id(host, out->socket);
    if (socket == NULL) {
        return false;
    }
    if (out->kind == TRP_OUT_DATAGRAM) {
        socket_send(world, socket, out);
    } else if (out->kind == TRP_OUT_JOIN) {
        socket_join(world, socket, out);
    } else if (out->kind == TRP_OUT_LEAVE) {
        socket_leave(world, socket, out);
    } else {
        socket_close(world, socket);
    }
    return true;
}

/* ---- answers ---- */

static void answer_watch(struct trp_world *world, struct trp_sim_host *host)
{
    struct trp_interface interface = {
        .index = TRP_SIM_INTERFACE, .name = INTERFACE, .ip_bytes = 4, .prefix_bits = PREFIX};
    trp_world_host_ip(host->index, interface.ip);
    struct trp_input in = {.kind = TRP_IN_INTERFACES,
                           .cause = host->watch_cause,
                           .interfaces = &interface,
                           .interfaces_count = 1};
    (void)trp_sim_host_input(world, host, &in);
}

static void answer_bind(struct trp_world *world, struct trp_sim_datagram_socket *socket)
{
    struct trp_sim_host *host = socket->host;
    struct trp_udp_address bound = {.ip_bytes = 4, .port = socket->port};
    struct trp_input in = {.kind = TRP_IN_BOUND,
                           .status = socket->status,
                           .cause = socket->cause,
                           .socket = socket->id,
                           .udp = &bound};
    socket->answered = true;
    if (socket->loopback) {
        bound.ip[0] = 127;
        bound.ip[3] = 1;
    }
    if (socket->status != TRP_OK) {
        in.kind = TRP_IN_CLOSED;
        socket_close(world, socket);
    }
    (void)trp_sim_host_input(world, host, &in);
}

static void answer_join(struct trp_world *world, struct trp_sim_datagram_socket *socket)
{
    struct trp_list_link *link = trp_list_front(&socket->groups);
    while (link != NULL && membership_of(link)->answered) {
        link = trp_list_next(&socket->groups, link);
    }
    if (link == NULL) {
        return;
    }
    struct trp_sim_membership *membership = membership_of(link);
    struct trp_udp_address group = {.ip_bytes = 4};
    memcpy(group.ip, membership->ip, 4);
    struct trp_input in = {.kind = TRP_IN_JOINED,
                           .status = membership->status,
                           .cause = membership->cause,
                           .socket = socket->id,
                           .udp = &group,
                           .interface = membership->interface};
    membership->answered = true;
    if (!trp_list_link_is_linked(&membership->member)) { /* refused, or left since */
        membership_free(world, membership);
    }
    (void)trp_sim_host_input(world, socket->host, &in);
}

void trp_sim_datagram_answer(struct trp_world *world, struct trp_sim_host *host,
                             const struct trp_happening *happening)
{
    struct trp_sim_datagram_socket *socket = socket_by_id(host, happening->subject);
    if (happening->detail != host->incarnation) {
        return;
    }
    if (happening->subject == 0) {
        answer_watch(world, host);
    } else if (socket != NULL && !socket->answered) {
        answer_bind(world, socket);
    } else if (socket != NULL) {
        answer_join(world, socket);
    }
}

/* ---- arriving ---- */

void trp_sim_datagram_forget(struct trp_world *world, uint64_t handle)
{
    struct trp_sim_datagram *datagram = trp_slab_find(&world->datagrams, handle);
    if (datagram != NULL) {
        trp_memory_free(&world->memory, datagram->bytes);
        trp_slab_remove(&world->datagrams, handle);
    }
}

void trp_sim_datagrams_free(struct trp_world *world)
{
    uint32_t at = 0;
    trp_handle handle;
    while (trp_slab_next(&world->datagrams, &at, &handle) != NULL) {
        trp_sim_datagram_forget(world, handle);
    }
    trp_slab_free(&world->datagrams);
}

/* The socket that a datagram is for, as things are now. */
static struct trp_sim_datagram_socket *datagram_target(struct trp_sim_host *host,
                                                       const struct trp_sim_datagram *datagram)
{
    struct trp_sim_datagram_socket *socket;
    if (datagram->socket == 0) {
        socket = socket_by_port(host, datagram->local.port);
        bool hidden = socket != NULL && socket->loopback && datagram->from != host->index;
        return hidden ? NULL : socket;
    }
    socket = socket_by_id(host, datagram->socket);
    return socket != NULL && membership_find(socket, datagram->local.ip) != NULL ? socket : NULL;
}

/* What keeps a datagram that arrives from its socket; NULL: nothing. */
static const char *arrival_fails(struct trp_world *world, struct trp_sim_host *host,
                                 const struct trp_sim_datagram *datagram,
                                 const struct trp_sim_datagram_socket *socket)
{
    const struct trp_sim_path *path = trp_sim_path_find(world, datagram->from, host->index);
    if (path == NULL || trp_sim_path_lost(path, datagram->sent_at)) {
        return "a cut";
    }
    if (host->state != TRP_SIM_HOST_UP || socket == NULL) {
        return "nobody there";
    }
    bool full = socket->unread_bytes + datagram->size > TRP_SIM_DATAGRAM_UNREAD_BYTES;
    return host->paused && full ? "a full queue" : NULL;
}

void trp_sim_datagram_arrive(struct trp_world *world, struct trp_sim_host *host,
                             const struct trp_happening *happening)
{
    struct trp_sim_datagram *found = trp_slab_find(&world->datagrams, happening->subject);
    if (found == NULL) {
        return;
    }
    struct trp_sim_datagram_socket *socket = datagram_target(host, found);
    if (found->unread && socket != NULL) {
        socket->unread_bytes -= found->size;
    }
    const struct trp_datagram given = {.socket = socket == NULL ? 0 : socket->id,
                                       .interface = TRP_SIM_INTERFACE,
                                       .local = found->local,
                                       .remote = found->remote,
                                       .bytes = trp_bytes(found->bytes, found->size)};
    const char *why = found->unread ? NULL : arrival_fails(world, host, found, socket);
    if (why != NULL || socket == NULL) {
        const struct trp_datagram lost = {.remote = found->local, .bytes = given.bytes};
        trace_lost(world, found->from, host->index, &lost, why == NULL ? "nobody there" : why,
                   found->cause);
    } else if (host->paused) {
        found->unread = true;
        socket->unread_bytes += found->size;
        trp_sim_host_defer(world, host, happening);
        return;
    } else {
        struct trp_input in = {.kind = TRP_IN_DATAGRAM,
                               .cause = found->cause,
                               .socket = socket->id,
                               .datagram = &given};
        host->bytes_received += found->size;
        (void)trp_sim_host_input(world, host, &in);
    }
    trp_sim_datagram_forget(world, happening->subject);
}
