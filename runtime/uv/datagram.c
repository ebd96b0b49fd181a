/* SPDX-License-Identifier: MIT */
#include "uv/datagram.h"

#include "base/assert.h"

#include <errno.h>
#include <net/if.h>
#include <unistd.h>

/* Room for the packet information of either family. */
#define CONTROL_BYTES 128u
/* RFC 6762 11: multicast goes to the local link, and says so. */
#define MULTICAST_HOPS 255

struct datagram_queued {
    struct trp_list_link link;
    struct trp_datagram datagram;
    uint8_t data[];
};

/* What became of a JOIN, until it is told. */
struct datagram_joined {
    struct trp_list_link link;
    struct trp_udp_address group;
    uint32_t interface;
    enum trp_status status;
    uint64_t cause;
};

struct datagram_socket {
    uv_poll_t poll; /* data: the socket; without descriptor when fd is -1 */
    UT_hash_handle hh;
    struct trp_list_link due; /* in driver->datagrams_due */
    struct trp_uv_driver *driver;
    trp_socket id;
    uint64_t cause; /* of bound or closed */
    int fd;
    int events; /* that libuv polls for */
    bool bound_due;
    bool closed_due;
    enum trp_status closed_status;
    struct trp_udp_address bound;
    struct trp_list joined;
    struct trp_list queue;
    size_t queue_bytes;
};

static enum trp_status status_of_errno(int error)
{
    return trp_uv_status(uv_translate_sys_error(error));
}

/* ---- addresses ---- */

static struct trp_udp_address address_read(const struct sockaddr_storage *from)
{
    struct trp_udp_address address = {.ip_bytes = 0};
    const void *raw = from;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = raw;
        address.ip_bytes = 4;
        memcpy(address.ip, &in4->sin_addr, 4);
        address.port = ntohs(in4->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = raw;
        address.ip_bytes = 16;
        memcpy(address.ip, &in6->sin6_addr, 16);
        address.port = ntohs(in6->sin6_port);
    }
    return address;
}

static bool is_of_link(const struct trp_udp_address *address)
{
    bool unicast = address->ip[0] == 0xfe && (address->ip[1] & 0xc0u) == 0x80;
    return address->ip_bytes == 16 && (unicast || address->ip[0] == 0xff);
}

static socklen_t address_write(const struct trp_udp_address *address, uint32_t interface,
                               struct sockaddr_storage *ret_name)
{
    memset(ret_name, 0, sizeof *ret_name);
    if (address->ip_bytes == 4) {
        struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in4.sin_addr, address->ip, 4);
        memcpy(ret_name, &in4, sizeof in4);
        return sizeof in4;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_port = htons(address->port),
                               .sin6_scope_id = is_of_link(address) ? interface : 0};
    memcpy(&in6.sin6_addr, address->ip, 16);
    memcpy(ret_name, &in6, sizeof in6);
    return sizeof in6;
}

/* ---- life of a socket ---- */

static struct datagram_socket *datagram_find(struct trp_uv_driver *driver, trp_socket id)
{
    struct datagram_socket *self;
    HASH_FIND(hh, driver->datagrams, &id, sizeof id, self);
    return self;
}

static void datagram_free(struct datagram_socket *self)
{
    struct trp_memory *memory = &self->driver->memory;
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&self->joined)) != NULL) {
        trp_memory_free(memory, TRP_CONTAINER(link, struct datagram_joined, link));
    }
    while ((link = trp_list_pop_front(&self->queue)) != NULL) {
        trp_memory_free(memory, TRP_CONTAINER(link, struct datagram_queued, link));
    }
    trp_memory_free(memory, self);
}

static void datagram_on_closed(uv_handle_t *handle)
{
    struct datagram_socket *self = handle->data;
    struct trp_uv_driver *driver = self->driver;
    datagram_free(self);
    trp_uv_handle_closed(driver);
}

/* Takes it from the process, and closes it. */
static void datagram_close(struct datagram_socket *self)
{
    struct trp_memory *uthash_memory = &self->driver->memory;
    HASH_DEL(self->driver->datagrams, self);
    trp_list_link_remove(&self->due);
    if (self->fd < 0) {
        datagram_free(self);
        return;
    }
    (void)uv_poll_stop(&self->poll);
    uv_close((uv_handle_t *)&self->poll, datagram_on_closed);
    (void)close(self->fd);
    self->fd = -1;
}

void trp_uv_datagrams_close(struct trp_uv_driver *driver)
{
    while (driver->datagrams != NULL) {
        datagram_close(driver->datagrams);
    }
}

static void datagram_mark(struct datagram_socket *self)
{
    if (!trp_list_link_is_linked(&self->due)) {
        trp_list_push_back(&self->driver->datagrams_due, &self->due);
    }
}

/* The process will be told that the socket is at its end. */
static void datagram_end(struct datagram_socket *self, enum trp_status status)
{
    if (!self->closed_due) {
        self->closed_due = true;
        self->closed_status = status;
        datagram_mark(self);
    }
}

/* ---- receiving ---- */

static void control_read(const struct cmsghdr *control, struct trp_datagram *datagram)
{
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        datagram->interface = (uint32_t)info.ipi_ifindex;
        datagram->local.ip_bytes = 4;
        memcpy(datagram->local.ip, &info.ipi_addr, 4);
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(control), sizeof info);
        datagram->interface = (uint32_t)info.ipi6_ifindex;
        datagram->local.ip_bytes = 16;
        memcpy(datagram->local.ip, &info.ipi6_addr, 16);
    }
}

/* Feeds the next datagram; false when there is none, or the socket is no more. */
static bool datagram_recv(struct trp_uv_driver *driver, trp_socket id)
{
    struct datagram_socket *self = datagram_find(driver, id);
    if (self == NULL || self->closed_due || driver->closing) {
        return false;
    }
    struct sockaddr_storage name;
    union {
        struct cmsghdr align;
        uint8_t bytes[CONTROL_BYTES];
    } control;
    struct iovec part = {.iov_base = driver->read_buffer, .iov_len = TRP_UV_READ_BYTES};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof name,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(self->fd, &message, MSG_DONTWAIT);
    if (size < 0) {
        bool passing = errno == EINTR || errno == ECONNREFUSED || errno == ENETDOWN;
        if (errno != EAGAIN && !passing) {
            datagram_end(self, status_of_errno(errno));
            trp_uv_settle(driver);
        }
        return passing;
    }
    struct trp_datagram datagram = {.socket = id,
                                    .local = {.port = self->bound.port},
                                    .remote = address_read(&name),
                                    .bytes = trp_bytes(driver->read_buffer, (size_t)size)};
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at)) {
        control_read(at, &datagram);
    }
    if ((message.msg_flags & MSG_TRUNC) == 0 && datagram.remote.ip_bytes != 0) {
        struct trp_input in = {.kind = TRP_IN_DATAGRAM, .socket = id, .datagram = &datagram};
        TRP_IGNORE(trp_uv_input(driver, &in)); /* fails only when the process is broken */
    }
    return true;
}

/* ---- sending ---- */

static void control_write(const struct trp_datagram *datagram, struct msghdr *message)
{
    bool ip6 = datagram->remote.ip_bytes == 16;
    struct in_pktinfo info4 = {.ipi_ifindex = (int)datagram->interface};
    struct in6_pktinfo info6 = {.ipi6_ifindex = datagram->interface};
    memcpy(&info4.ipi_spec_dst, datagram->local.ip, 4);
    memcpy(&info6.ipi6_addr, datagram->local.ip, 16);
    size_t size = ip6 ? sizeof info6 : sizeof info4;
    struct cmsghdr *control = message->msg_control;
    memset(control, 0, CMSG_SPACE(size));
    control->cmsg_level = ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
    control->cmsg_type = ip6 ? IPV6_PKTINFO : IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), ip6 ? (const void *)&info6 : (const void *)&info4, size);
    message->msg_controllen = CMSG_SPACE(size);
}

static void trace_dropped(const struct datagram_socket *self, size_t bytes, enum trp_status status)
{
    struct trp_uv_driver *driver = self->driver;
    driver->trace.now = trp_uv_now();
    (void)trp_trace_datagram_dropped(
        &driver->trace,
        &(struct trp_event_datagram_dropped){.socket = self->id, .bytes = bytes, .status = status});
}

/* Hands a datagram to the system; false when it has no room now. */
static bool datagram_send(const struct datagram_socket *self, const struct trp_datagram *datagram)
{
    struct sockaddr_storage name;
    union {
        struct cmsghdr align;
        uint8_t bytes[CONTROL_BYTES];
    } control;
    /* What sendmsg borrows is not written to. */
    union {
        const void *from;
        void *to;
    } bytes = {.from = datagram->bytes.data};
    struct iovec part = {.iov_base = bytes.to, .iov_len = datagram->bytes.size};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen =
                                 address_write(&datagram->remote, datagram->interface, &name),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes};
    control_write(datagram, &message);
    ssize_t sent;
    do {
        sent = sendmsg(self->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
        return false;
    }
    if (sent < 0) {
        trace_dropped(self, datagram->bytes.size, status_of_errno(errno));
    }
    return true;
}

static void datagram_on_poll(uv_poll_t *poll, int status, int events);

static void datagram_poll(struct datagram_socket *self)
{
    int events = UV_READABLE | (trp_list_is_empty(&self->queue) ? 0 : UV_WRITABLE);
    if (events != self->events) {
        self->events = events;
        (void)uv_poll_start(&self->poll, events, datagram_on_poll);
    }
}

static void datagram_flush(struct datagram_socket *self)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&self->queue)) != NULL) {
        struct datagram_queued *queued = TRP_CONTAINER(link, struct datagram_queued, link);
        if (!datagram_send(self, &queued->datagram)) {
            break;
        }
        trp_list_link_remove(link);
        self->queue_bytes -= sizeof *queued + queued->datagram.bytes.size;
        trp_memory_free(&self->driver->memory, queued);
    }
    datagram_poll(self);
}

static void datagram_enqueue(struct datagram_socket *self, const struct trp_datagram *datagram)
{
    struct datagram_queued *queued = NULL;
    size_t size = sizeof *queued + datagram->bytes.size;
    if (size <= TRP_UV_DATAGRAM_QUEUE_BYTES - self->queue_bytes) {
        queued = trp_memory_alloc(&self->driver->memory, size);
    }
    if (queued == NULL) {
        trace_dropped(self, datagram->bytes.size, TRP_EFULL);
        return;
    }
    queued->datagram = *datagram;
    queued->datagram.bytes = trp_bytes(queued->data, datagram->bytes.size);
    if (datagram->bytes.size > 0) {
        memcpy(queued->data, datagram->bytes.data, datagram->bytes.size);
    }
    trp_list_push_back(&self->queue, &queued->link);
    self->queue_bytes += size;
    datagram_poll(self);
}

static void datagram_output(struct datagram_socket *self, const struct trp_datagram *datagram)
{
    if (self->fd < 0 || self->closed_due) {
        return;
    }
    if (datagram->remote.ip_bytes != self->bound.ip_bytes ||
        datagram->bytes.size > TRP_DATAGRAM_BYTES_MAX) {
        trace_dropped(self, datagram->bytes.size, TRP_EINVAL);
    } else if (!trp_list_is_empty(&self->queue) || !datagram_send(self, datagram)) {
        datagram_enqueue(self, datagram);
    }
}

static void datagram_on_poll(uv_poll_t *poll, int status, int events)
{
    struct datagram_socket *self = poll->data;
    struct trp_uv_driver *driver = self->driver;
    trp_socket id = self->id;
    if (self->fd < 0) {
        return;
    }
    if (status == 0 && (events & UV_WRITABLE) != 0) {
        datagram_flush(self);
    }
    for (uint32_t i = 0; i < TRP_UV_DATAGRAMS_MAX && datagram_recv(driver, id); i++) {
    }
}

/* ---- binding ---- */

static bool option_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* What both families need: who reads learns where it was sent to; only groups of its own reach a
 * socket. */
static bool options_set(int fd, bool ip6, bool shared)
{
    if (shared && (!option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
                   !option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))) {
        return false;
    }
    if (ip6) {
        return option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
               option_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
               option_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
               option_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, MULTICAST_HOPS);
    }
    return option_set(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
           option_set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
           option_set(fd, IPPROTO_IP, IP_MULTICAST_TTL, MULTICAST_HOPS);
}

static int descriptor_open(bool ip6)
{
    return socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Opens and binds; gives libuv's error. */
static int datagram_bind(struct datagram_socket *self, const struct trp_output *out)
{
    struct sockaddr_storage name;
    bool ip6 = out->udp->ip_bytes == 16;
    int fd = descriptor_open(ip6);
    if (fd < 0) {
        return uv_translate_sys_error(errno);
    }
    socklen_t size = address_write(out->udp, out->interface, &name);
    int error = 0;
    if (!options_set(fd, ip6, out->shared) || bind(fd, (const struct sockaddr *)&name, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        error = uv_translate_sys_error(errno);
    } else {
        error = uv_poll_init(self->driver->config.loop, &self->poll, fd);
    }
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    self->poll.data = self;
    self->driver->handles++;
    self->fd = fd;
    self->bound = address_read(&name);
    self->bound_due = true;
    datagram_mark(self);
    datagram_poll(self);
    return 0;
}

static void datagram_open(struct trp_uv_driver *driver, const struct trp_output *out)
{
    struct trp_memory *uthash_memory = &driver->memory;
    TRP_ASSERT(datagram_find(driver, out->socket) == NULL); /* ids are never reused */
    struct datagram_socket *self = trp_memory_alloc(&driver->memory, sizeof *self);
    if (self != NULL) {
        *self = (struct datagram_socket){
            .driver = driver, .id = out->socket, .cause = out->cause, .fd = -1};
        trp_list_init(&self->joined);
        trp_list_init(&self->queue);
        HASH_ADD(hh, driver->datagrams, id, sizeof self->id, self);
    }
    if (self == NULL || self->hh.tbl == NULL) {
        trp_memory_free(&driver->memory, self);
        trp_uv_break(driver, TRP_ENOMEM); /* there is nothing left to answer with */
        return;
    }
    int error = datagram_bind(self, out);
    if (error != 0) {
        datagram_end(self, trp_uv_status(error));
    }
}

/* ---- groups ---- */

static int membership_set(int fd, const struct trp_output *out, bool joins)
{
    if (out->udp->ip_bytes == 4) {
        struct ip_mreqn request = {.imr_ifindex = (int)out->interface};
        memcpy(&request.imr_multiaddr, out->udp->ip, 4);
        return setsockopt(fd, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                          sizeof request);
    }
    struct ipv6_mreq request = {.ipv6mr_interface = out->interface};
    memcpy(&request.ipv6mr_multiaddr, out->udp->ip, 16);
    return setsockopt(fd, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                      sizeof request);
}

static void datagram_join(struct datagram_socket *self, const struct trp_output *out)
{
    if (self->fd < 0 || self->closed_due) {
        return;
    }
    struct datagram_joined *joined = trp_memory_alloc(&self->driver->memory, sizeof *joined);
    if (joined == NULL) {
        trp_uv_break(self->driver, TRP_ENOMEM);
        return;
    }
    *joined = (struct datagram_joined){
        .group = *out->udp, .interface = out->interface, .cause = out->cause};
    if (out->udp->ip_bytes != self->bound.ip_bytes) {
        joined->status = TRP_EINVAL;
    } else if (membership_set(self->fd, out, true) != 0 && errno != EADDRINUSE) {
        joined->status = status_of_errno(errno); /* EADDRINUSE: it is a member already */
    }
    trp_list_push_back(&self->joined, &joined->link);
    datagram_mark(self);
}

/* ---- outputs and inputs ---- */

bool trp_uv_datagram_perform(struct trp_uv_driver *driver, const struct trp_output *out)
{
    if (out->kind == TRP_OUT_BIND) {
        datagram_open(driver, out);
        return true;
    }
    struct datagram_socket *self = datagram_find(driver, out->socket);
    if (self == NULL) {
        return false;
    }
    if (out->kind == TRP_OUT_DATAGRAM) {
        datagram_output(self, out->datagram);
    } else if (out->kind == TRP_OUT_JOIN) {
        datagram_join(self, out);
    } else if (out->kind == TRP_OUT_LEAVE && self->fd >= 0) {
        (void)membership_set(self->fd, out, false); /* else the interface is gone already */
    } else if (out->kind == TRP_OUT_CLOSE) {
        datagram_close(self);
    }
    return true;
}

static void tell_joined(struct datagram_socket *self)
{
    struct datagram_joined *first =
        TRP_CONTAINER(trp_list_pop_front(&self->joined), struct datagram_joined, link);
    const struct datagram_joined joined = *first;
    struct trp_input in = {.kind = TRP_IN_JOINED,
                           .status = joined.status,
                           .cause = joined.cause,
                           .socket = self->id,
                           .udp = &joined.group,
                           .interface = joined.interface};
    trp_memory_free(&self->driver->memory, first);
    if (!trp_list_is_empty(&self->joined)) {
        datagram_mark(self);
    }
    trp_uv_step(self->driver, &in);
}

bool trp_uv_datagram_tell(struct trp_uv_driver *driver)
{
    struct trp_list_link *link = trp_list_pop_front(&driver->datagrams_due);
    if (link == NULL) {
        return false;
    }
    struct datagram_socket *self = TRP_CONTAINER(link, struct datagram_socket, due);
    struct trp_input in = {.kind = TRP_IN_CLOSED, .cause = self->cause, .socket = self->id};
    if (self->closed_due) {
        in.status = self->closed_status;
        datagram_close(self);
        trp_uv_step(driver, &in);
    } else if (self->bound_due) {
        const struct trp_udp_address bound = self->bound;
        self->bound_due = false;
        in.kind = TRP_IN_BOUND;
        in.udp = &bound;
        if (!trp_list_is_empty(&self->joined)) {
            datagram_mark(self);
        }
        trp_uv_step(driver, &in);
    } else if (!trp_list_is_empty(&self->joined)) {
        tell_joined(self);
    }
    return true;
}
