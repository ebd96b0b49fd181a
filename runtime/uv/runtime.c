/* SPDX-License-Identifier: MIT */
#include <troupe/uv.h>

#include "crypto/crypto.h"
#include "uv/driver.h"
#include "uv/state.h"

#include <stdlib.h>

#define LISTEN_DEFAULT "/ip4/0.0.0.0/tcp/0"
/* How long opening waits for the listener, and closing for the goodbye. */
#define PATIENCE_NS TRP_MS(500)
/* Requests of the runtime itself; those of users are lower. */
#define REQUEST_LISTEN UINT64_MAX
#define REQUEST_LEAVE  (UINT64_MAX - 1)

struct trp_runtime {
    uv_loop_t own_loop;
    uv_loop_t *loop;
    struct trp_runtime_config config;
    struct trp_memory memory;
    struct trp_trace trace;
    struct trp_node *node;
    struct trp_uv_driver *driver;
    char *state_path;
    uint8_t identity[32];
    struct trp_buffer saved; /* as read at the start */
    uv_async_t wake;         /* of trp_runtime_stop */
    uv_timer_t alarm;        /* of trp_runtime_run */
    uint32_t handles;        /* of the two above, not closed yet */
    trp_time spin_until;     /* before it, the loop looks again instead of sleeping */
    bool stopped;
    bool alarmed;
    bool broken;
    bool answered; /* a request of the runtime itself */
    enum trp_status answer;
};

/* ---- state ---- */

static void runtime_trace_read(struct trp_runtime *runtime, enum trp_status status, int error)
{
    runtime->trace.now = trp_uv_now();
    const char *text = error != 0 ? uv_strerror(error) : trp_status_text(status);
    (void)trp_trace_state_not_read(&runtime->trace, &(struct trp_event_state_not_read){
                                                        .path = trp_bytes_text(runtime->state_path),
                                                        .status = status,
                                                        .error = trp_bytes_text(text)});
}

static enum trp_status runtime_write(struct trp_runtime *runtime, struct trp_bytes saved)
{
    int error;
    enum trp_status status =
        trp_uv_state_write(runtime->state_path, runtime->identity, saved, &error);
    if (status != TRP_OK) {
        runtime->trace.now = trp_uv_now();
        const char *text = error != 0 ? uv_strerror(error) : trp_status_text(status);
        (void)trp_trace_state_not_written(
            &runtime->trace,
            &(struct trp_event_state_not_written){.path = trp_bytes_text(runtime->state_path),
                                                  .error = trp_bytes_text(text)});
    }
    return status;
}

static bool is_zero(const uint8_t bytes[32])
{
    static const uint8_t zero[32];
    return memcmp(bytes, zero, sizeof zero) == 0;
}

/* Takes identity and saved bytes from the file; a new identity is written to it before it is used.
 */
static enum trp_status runtime_read(struct trp_runtime *runtime)
{
    const struct trp_node_config *node = &runtime->config.node;
    if (!is_zero(node->identity)) {
        memcpy(runtime->identity, node->identity, sizeof runtime->identity);
    } else if (uv_random(NULL, NULL, runtime->identity, sizeof runtime->identity, 0, NULL) != 0) {
        return TRP_EIO;
    }
    if (runtime->state_path == NULL) {
        return TRP_OK;
    }
    int error;
    uint8_t kept[32];
    enum trp_status status = trp_uv_state_read(runtime->state_path, kept, &runtime->saved, &error);
    if (status == TRP_ENOTFOUND) {
        return runtime_write(runtime, node->saved);
    }
    if (status != TRP_OK) {
        runtime_trace_read(runtime, status, error);
        return status;
    }
    if (is_zero(node->identity)) {
        memcpy(runtime->identity, kept, sizeof kept);
    }
    trp_crypto_wipe(kept, sizeof kept);
    return TRP_OK;
}

/* ---- what the driver tells ---- */

static void runtime_on_result(void *user, const struct trp_result *result)
{
    struct trp_runtime *runtime = user;
    if (result->request >= REQUEST_LEAVE) {
        runtime->answered = runtime->answered || result->last;
        runtime->answer = result->status;
    } else if (runtime->config.on_result != NULL) {
        runtime->config.on_result(runtime->config.user, result);
    }
}

static void runtime_on_save(void *user, struct trp_bytes bytes)
{
    struct trp_runtime *runtime = user;
    if (runtime->state_path != NULL) {
        enum trp_status status = runtime_write(runtime, bytes);
        (void)status; /* traced; the file of before is still there */
    }
}

static void runtime_on_broken(void *user, enum trp_status status)
{
    struct trp_runtime *runtime = user;
    (void)status;
    runtime->broken = true;
}

/* ---- running ---- */

static void runtime_on_wake(uv_async_t *wake)
{
    struct trp_runtime *runtime = wake->data;
    runtime->stopped = true;
}

static void runtime_on_alarm(uv_timer_t *alarm)
{
    struct trp_runtime *runtime = alarm->data;
    runtime->alarmed = true;
}

static void runtime_set_alarm(struct trp_runtime *runtime, trp_time span_ns)
{
    runtime->alarmed = span_ns == 0;
    (void)uv_timer_stop(&runtime->alarm);
    if (span_ns != TRP_NEVER) {
        uv_update_time(runtime->loop);
        uint64_t span_ms = span_ns / 1000000u + (span_ns % 1000000u != 0);
        (void)uv_timer_start(&runtime->alarm, runtime_on_alarm, span_ms, 0);
    }
}

void trp_runtime_run(struct trp_runtime *runtime, trp_time span_ns)
{
    runtime_set_alarm(runtime, span_ns);
    do {
        uint64_t steps = trp_uv_steps(runtime->driver);
        bool spins = trp_uv_now() < runtime->spin_until;
        (void)uv_run(runtime->loop, runtime->alarmed || spins ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        if (runtime->config.spin_ns > 0 && trp_uv_steps(runtime->driver) != steps) {
            runtime->spin_until = trp_time_after(trp_uv_now(), runtime->config.spin_ns);
        }
    } while (!runtime->stopped && !runtime->alarmed && !runtime->broken);
    runtime->stopped = false;
    (void)uv_timer_stop(&runtime->alarm);
}

void trp_runtime_stop(struct trp_runtime *runtime)
{
    (void)uv_async_send(&runtime->wake);
}

struct trp_node *trp_runtime_node(struct trp_runtime *runtime)
{
    return runtime->node;
}

enum trp_status trp_runtime_command(struct trp_runtime *runtime, const struct trp_command *command)
{
    struct trp_input in = {.kind = TRP_IN_COMMAND, .command = command};
    return trp_uv_input(runtime->driver, &in);
}

/* Gives a command of the runtime itself and waits a while for its last result. */
static enum trp_status runtime_ask(struct trp_runtime *runtime, const struct trp_command *command)
{
    runtime->answered = false;
    enum trp_status status = trp_runtime_command(runtime, command);
    if (status != TRP_OK) {
        return status;
    }
    runtime_set_alarm(runtime, PATIENCE_NS);
    while (!runtime->answered && !runtime->alarmed && !runtime->broken) {
        (void)uv_run(runtime->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&runtime->alarm);
    return runtime->answered ? runtime->answer : TRP_ETIMEDOUT;
}

/* ---- opening and closing ---- */

static enum trp_status runtime_open_node(struct trp_runtime *runtime)
{
    struct trp_node_config node = runtime->config.node;
    uv_timeval64_t wall;
    if (uv_random(NULL, NULL, node.seed, sizeof node.seed, 0, NULL) != 0 ||
        uv_gettimeofday(&wall) != 0) {
        return TRP_EIO;
    }
    memcpy(node.identity, runtime->identity, sizeof node.identity);
    node.now = trp_uv_now();
    node.unix_ns = (uint64_t)wall.tv_sec * TRP_S(1) + (uint64_t)wall.tv_usec * 1000u;
    if (runtime->saved.size > 0) {
        node.saved = trp_buffer_view(&runtime->saved);
    }
    enum trp_status status = trp_node_open(&node, &runtime->node);
    trp_crypto_wipe(node.seed, sizeof node.seed);
    trp_crypto_wipe(node.identity, sizeof node.identity);
    return status;
}

static enum trp_status runtime_open_driver(struct trp_runtime *runtime)
{
    const struct trp_uv_config driver = {.loop = runtime->loop,
                                         .process = trp_node_process(runtime->node),
                                         .recorder = runtime->config.node.recorder,
                                         .trace_node = runtime->config.node.trace_node,
                                         .result = runtime_on_result,
                                         .save = runtime_on_save,
                                         .broken = runtime_on_broken,
                                         .user = runtime};
    return trp_uv_open(&driver, &runtime->driver);
}

static enum trp_status runtime_open_loop(struct trp_runtime *runtime)
{
    runtime->loop = runtime->config.loop;
    if (runtime->loop == NULL) {
        if (uv_loop_init(&runtime->own_loop) != 0) {
            return TRP_EIO;
        }
        runtime->loop = &runtime->own_loop;
    }
    if (uv_async_init(runtime->loop, &runtime->wake, runtime_on_wake) != 0) {
        return TRP_EIO;
    }
    (void)uv_timer_init(runtime->loop, &runtime->alarm); /* cannot fail */
    runtime->wake.data = runtime->alarm.data = runtime;
    runtime->handles = 2;
    return TRP_OK;
}

enum trp_status trp_runtime_open(const struct trp_runtime_config *config,
                                 struct trp_runtime **ret_runtime)
{
    static const struct trp_runtime_config defaults = {.loop = NULL};
    struct trp_runtime *runtime = calloc(1, sizeof *runtime);
    if (runtime == NULL) {
        return TRP_ENOMEM;
    }
    runtime->config = config != NULL ? *config : defaults;
    runtime->memory = trp_memory_init(UINT64_MAX);
    runtime->saved = trp_buffer_init(&runtime->memory, TRP_UV_STATE_BYTES_MAX);
    runtime->trace = (struct trp_trace){.recorder = runtime->config.node.recorder,
                                        .node = runtime->config.node.trace_node};
    enum trp_status status = TRP_OK;
    if (runtime->config.state_path != NULL) {
        runtime->state_path = strdup(runtime->config.state_path);
        status = runtime->state_path != NULL ? TRP_OK : TRP_ENOMEM;
    }
    if (status == TRP_OK) {
        status = runtime_read(runtime);
    }
    if (status == TRP_OK) {
        status = runtime_open_loop(runtime);
    }
    if (status == TRP_OK) {
        status = runtime_open_node(runtime);
    }
    if (status == TRP_OK) {
        status = runtime_open_driver(runtime);
    }
    trp_buffer_free(&runtime->saved);
    if (status != TRP_OK) {
        trp_runtime_close(runtime);
        return status;
    }
    *ret_runtime = runtime;
    return TRP_OK;
}

enum trp_status trp_runtime_listen(struct trp_runtime *runtime, const struct trp_multiaddr *address)
{
    const struct trp_command command = {
        .kind = TRP_CMD_LISTEN, .request = REQUEST_LISTEN, .address = *address};
    enum trp_status status = runtime_ask(runtime, &command);
    return status == TRP_OK ? trp_uv_listen_status(runtime->driver) : status;
}

enum trp_status trp_bootstrap(const char *listen, const struct trp_runtime_config *config,
                              struct trp_runtime **ret_runtime)
{
    struct trp_multiaddr address;
    if (trp_multiaddr_parse(listen != NULL ? listen : LISTEN_DEFAULT, &address, NULL) != TRP_OK) {
        return TRP_EINVAL;
    }
    struct trp_runtime_config whole = {.loop = NULL};
    struct trp_runtime *runtime;
    if (config != NULL) {
        whole = *config;
    }
    if (whole.node.mdns == TRP_MDNS_BY_DEFAULT && !whole.node.bare) {
        whole.node.mdns = TRP_MDNS_ON;
    }
    enum trp_status status = trp_runtime_open(&whole, &runtime);
    if (status != TRP_OK) {
        return status;
    }
    status = trp_runtime_listen(runtime, &address);
    if (status != TRP_OK) {
        trp_runtime_close(runtime);
        return status;
    }
    *ret_runtime = runtime;
    return TRP_OK;
}

/* Says goodbye and lets what was written leave, within a bounded time. */
static void runtime_leave(struct trp_runtime *runtime)
{
    const struct trp_command leave = {.kind = TRP_CMD_LEAVE, .request = REQUEST_LEAVE};
    if (runtime->broken || runtime_ask(runtime, &leave) != TRP_OK) {
        return;
    }
    runtime_set_alarm(runtime, PATIENCE_NS);
    while (trp_uv_is_sending(runtime->driver) && !runtime->alarmed) {
        (void)uv_run(runtime->loop, UV_RUN_ONCE);
    }
}

static void runtime_on_handle_closed(uv_handle_t *handle)
{
    struct trp_runtime *runtime = handle->data;
    runtime->handles--;
}

static void runtime_on_driver_closed(void *user)
{
    struct trp_runtime *runtime = user;
    runtime->driver = NULL;
}

void trp_runtime_close(struct trp_runtime *runtime)
{
    if (runtime == NULL) {
        return;
    }
    if (runtime->driver != NULL) {
        runtime_leave(runtime);
        trp_uv_close(runtime->driver, runtime_on_driver_closed, runtime);
    }
    if (runtime->handles > 0) {
        uv_close((uv_handle_t *)&runtime->wake, runtime_on_handle_closed);
        uv_close((uv_handle_t *)&runtime->alarm, runtime_on_handle_closed);
    }
    while (runtime->driver != NULL || runtime->handles > 0) {
        (void)uv_run(runtime->loop, UV_RUN_ONCE);
    }
    if (runtime->loop == &runtime->own_loop) {
        (void)uv_loop_close(&runtime->own_loop);
    }
    trp_node_close(runtime->node, trp_uv_now());
    trp_buffer_free(&runtime->saved);
    free(runtime->state_path);
    trp_crypto_wipe(runtime->identity, sizeof runtime->identity);
    free(runtime);
}
