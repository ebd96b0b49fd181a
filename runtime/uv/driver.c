/* SPDX-License-Identifier: MIT */
#include "uv/driver.h"

#include <troupe/pump.h>

#include "uv/datagram.h"

#include <signal.h>
#include <stdlib.h>

trp_time trp_uv_now(void)
{
    return uv_hrtime();
}

static void driver_perform(void *context, const struct trp_output *out)
{
    struct trp_uv_driver *driver = context;
    switch (out->kind) {
    case TRP_OUT_LISTEN:
    case TRP_OUT_DIAL:
    case TRP_OUT_BYTES:
    case TRP_OUT_SHUTDOWN:
    case TRP_OUT_PAUSE:
    case TRP_OUT_RESUME:
        trp_uv_socket_perform(driver, out);
        break;
    case TRP_OUT_CLOSE:
        if (!trp_uv_datagram_perform(driver, out)) {
            trp_uv_socket_perform(driver, out);
        }
        break;
    case TRP_OUT_BIND:
    case TRP_OUT_DATAGRAM:
    case TRP_OUT_JOIN:
    case TRP_OUT_LEAVE:
        (void)trp_uv_datagram_perform(driver, out);
        break;
    case TRP_OUT_WATCH:
        trp_uv_watch(driver, out);
        break;
    case TRP_OUT_RESOLVE:
        trp_uv_resolve(driver, out);
        break;
    case TRP_OUT_SAVE:
        if (driver->config.save != NULL) {
            driver->config.save(driver->config.user, out->bytes);
        }
        break;
    case TRP_OUT_RESULT:
        if (driver->config.result != NULL) {
            driver->config.result(driver->config.user, out->result);
        }
        break;
    }
}

void trp_uv_break(struct trp_uv_driver *driver, enum trp_status status)
{
    if (driver->broken) {
        return;
    }
    driver->broken = true;
    driver->trace.now = trp_uv_now();
    (void)trp_trace_process_broken(&driver->trace,
                                   &(struct trp_event_process_broken){.status = status});
    if (driver->config.broken != NULL) {
        driver->config.broken(driver->config.user, status);
    }
}

void trp_uv_step(struct trp_uv_driver *driver, struct trp_input *in)
{
    if (driver->broken || driver->closing) {
        return;
    }
    in->now = trp_uv_now();
    driver->steps++;
    driver->stepping = true;
    enum trp_status status =
        trp_pump(driver->config.process, in, driver_perform, driver, &driver->deadline);
    driver->stepping = false;
    if (status != TRP_OK) {
        trp_uv_break(driver, status);
    }
}

enum trp_status trp_uv_input(struct trp_uv_driver *driver, struct trp_input *in)
{
    if (driver->broken || driver->stepping || driver->closing) {
        return TRP_ESTATE;
    }
    trp_uv_step(driver, in);
    if (!driver->closing) {
        trp_uv_settle(driver);
    }
    return driver->broken ? TRP_ESTATE : TRP_OK;
}

void trp_uv_mark(struct trp_uv_socket *socket)
{
    if (!trp_list_link_is_linked(&socket->dirty)) {
        trp_list_push_back(&socket->driver->dirty, &socket->dirty);
    }
}

static void driver_on_idle(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    trp_uv_settle(idle->data);
}

static bool driver_is_overdue(const struct trp_uv_driver *driver)
{
    return !driver->broken && driver->deadline <= trp_uv_now();
}

/* Does one thing that is due; false when there is none. */
static bool driver_tell(struct trp_uv_driver *driver)
{
    struct trp_list_link *link = trp_list_pop_front(&driver->dirty);
    if (link == NULL) {
        return trp_uv_watch_tell(driver) || trp_uv_datagram_tell(driver) ||
               trp_uv_resolve_tell(driver);
    }
    struct trp_uv_socket *socket = TRP_CONTAINER(link, struct trp_uv_socket, dirty);
    trp_uv_socket_flush(socket);
    trp_uv_socket_tell(socket);
    return true;
}

static bool driver_has_work(const struct trp_uv_driver *driver)
{
    return !trp_list_is_empty(&driver->dirty) || !trp_list_is_empty(&driver->datagrams_due) ||
           driver->interfaces_due || driver_is_overdue(driver);
}

void trp_uv_settle(struct trp_uv_driver *driver)
{
    bool timed = false;
    for (uint32_t round = 0; round < TRP_UV_ROUNDS_MAX; round++) {
        if (driver_tell(driver)) {
            continue;
        }
        if (timed || !driver_is_overdue(driver)) {
            break;
        }
        struct trp_input in = {.kind = TRP_IN_TIME};
        trp_uv_step(driver, &in);
        timed = true;
    }
    if (driver->closing) {
        return;
    }
    if (driver_has_work(driver)) {
        (void)uv_idle_start(&driver->idle, driver_on_idle);
    }
    trp_uv_arm(driver);
}

/* ---- time ---- */

static void driver_linger(struct trp_uv_driver *driver, trp_time now)
{
    struct trp_list_link *link = trp_list_front(&driver->lingering);
    while (link != NULL) {
        struct trp_uv_socket *socket = TRP_CONTAINER(link, struct trp_uv_socket, lingering);
        if (socket->linger_until > now) {
            break;
        }
        trp_uv_socket_close(socket, true);
        link = trp_list_front(&driver->lingering);
    }
}

static void driver_on_timer(uv_timer_t *timer)
{
    struct trp_uv_driver *driver = timer->data;
    trp_time now = trp_uv_now();
    driver->timer_at = TRP_NEVER;
    driver_linger(driver, now);
    if (driver->accept_at <= now) {
        driver->accept_at = TRP_NEVER;
        trp_uv_accept_again(driver);
    }
    if (driver->watch_at <= now) {
        trp_uv_watch_look(driver);
    }
    trp_uv_settle(driver);
}

void trp_uv_arm(struct trp_uv_driver *driver)
{
    /* What is overdue has its turn with the idle handle: libuv would call a timer of no time again
     * and again before anything else. */
    trp_time at = driver->broken || uv_is_active((const uv_handle_t *)&driver->idle)
                      ? TRP_NEVER
                      : driver->deadline;
    at = trp_time_min(at, trp_time_min(driver->accept_at, driver->watch_at));
    struct trp_list_link *link = trp_list_front(&driver->lingering);
    if (link != NULL) {
        at = trp_time_min(at, TRP_CONTAINER(link, struct trp_uv_socket, lingering)->linger_until);
    }
    /* A timer that fires early looks again: moving it for every later deadline costs more. */
    if (driver->closing || at >= driver->timer_at) {
        return;
    }
    uint64_t due_ms = at / 1000000u + (at % 1000000u != 0);
    uv_update_time(driver->config.loop);
    uint64_t now_ms = uv_now(driver->config.loop);
    driver->timer_at = at;
    (void)uv_timer_start(&driver->timer, driver_on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* ---- opening and closing ---- */

void trp_uv_handle_closed(struct trp_uv_driver *driver)
{
    driver->handles--;
    if (driver->closing && driver->handles == 0) {
        void (*closed)(void *) = driver->closed;
        void *user = driver->closed_user;
        free(driver);
        if (closed != NULL) {
            closed(user);
        }
    }
}

static void driver_on_handle_closed(uv_handle_t *handle)
{
    trp_uv_handle_closed(handle->data);
}

/* A write to a broken connection is a status, not the end of the program. */
static void signal_ignore_pipe(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        (void)sigaction(SIGPIPE, &action, NULL);
    }
}

enum trp_status trp_uv_open(const struct trp_uv_config *config, struct trp_uv_driver **ret_driver)
{
    signal_ignore_pipe();
    struct trp_uv_driver *driver = calloc(1, sizeof *driver);
    if (driver == NULL) {
        return TRP_ENOMEM;
    }
    driver->memory = trp_memory_init(UINT64_MAX);
    driver->config = *config;
    driver->trace = (struct trp_trace){.recorder = config->recorder, .node = config->trace_node};
    trp_list_init(&driver->all);
    trp_list_init(&driver->dirty);
    trp_list_init(&driver->lingering);
    trp_list_init(&driver->resolutions);
    trp_list_init(&driver->answers);
    trp_list_init(&driver->datagrams_due);
    driver->accepted_next = 1;
    driver->deadline = driver->timer_at = driver->accept_at = driver->watch_at = TRP_NEVER;
    /* Neither can fail. */
    (void)uv_timer_init(config->loop, &driver->timer);
    (void)uv_idle_init(config->loop, &driver->idle);
    driver->timer.data = driver->idle.data = driver;
    driver->handles = 2;
    *ret_driver = driver;
    struct trp_input in = {.kind = TRP_IN_TIME};
    trp_uv_step(driver, &in);
    trp_uv_settle(driver);
    return TRP_OK;
}

uint64_t trp_uv_steps(const struct trp_uv_driver *driver)
{
    return driver->steps;
}

enum trp_status trp_uv_listen_status(const struct trp_uv_driver *driver)
{
    return driver->listen_status;
}

bool trp_uv_is_sending(const struct trp_uv_driver *driver)
{
    return !trp_list_is_empty(&driver->lingering);
}

void trp_uv_close(struct trp_uv_driver *driver, void (*closed)(void *user), void *user)
{
    driver->closing = true;
    driver->closed = closed;
    driver->closed_user = user;
    struct trp_list_link *link = trp_list_front(&driver->all);
    for (; link != NULL; link = trp_list_next(&driver->all, link)) {
        trp_uv_socket_close(TRP_CONTAINER(link, struct trp_uv_socket, all), false);
    }
    trp_uv_datagrams_close(driver);
    trp_uv_resolve_cancel(driver);
    uv_close((uv_handle_t *)&driver->timer, driver_on_handle_closed);
    uv_close((uv_handle_t *)&driver->idle, driver_on_handle_closed);
}
