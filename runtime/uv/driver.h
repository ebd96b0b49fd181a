/* SPDX-License-Identifier: MIT */
/* uv/driver.h - feeds any struct trp_process from a libuv loop, and performs its outputs.
 *
 * Driving    Each callback of libuv becomes one input; what the process writes during an input
 *            leaves with one system call per socket after it.
 * Threading  The loop's thread only.
 * Ownership  The process is borrowed until `closed`; the loop until the driver has closed.
 * Failure    Whatever libuv refuses reaches the process as TRP_IN_CLOSED or TRP_IN_RESOLVED with
 *            a status. Running out of descriptors while accepting is traced and survived. */
#ifndef UV_DRIVER_H
#define UV_DRIVER_H

#include <troupe/driver.h>

#include "base/list.h"
#include "base/map.h"
#include "trace/trace.h"

#include <uv.h>

struct trp_uv_driver;

struct trp_uv_config {
    uv_loop_t *loop;
    struct trp_process process;
    struct trp_recorder *recorder; /* borrowed; NULL: no trace */
    uint32_t trace_node;
    const struct trp_multiaddr *dial_from; /* whose IP dialed sockets get; NULL: the system's
                                            * choice. Borrowed as long as the driver */
    void (*result)(void *user, const struct trp_result *result);
    /* Keeps the process's state. */
    void (*save)(void *user, struct trp_bytes bytes);
    /* The process is broken: it gets no further input. */
    void (*broken)(void *user, enum trp_status status);
    void *user;
};

/* The clock of every driver: nanoseconds from an arbitrary moment, never back. */
trp_time trp_uv_now(void);
/* Begins to drive, with a first TRP_IN_TIME. TRP_ENOMEM, TRP_EIO. */
enum trp_status trp_uv_open(const struct trp_uv_config *config,
                            struct trp_uv_driver **ret_driver) TRP_NODISCARD;
/* Feeds an input; its time is filled in. TRP_ESTATE when the process is broken, or when called from
 * within an input. */
enum trp_status trp_uv_input(struct trp_uv_driver *driver, struct trp_input *in) TRP_NODISCARD;
/* Counts the inputs that were fed. */
uint64_t trp_uv_steps(const struct trp_uv_driver *driver);
/* How the newest listen of the process ended: a node does not tell. */
enum trp_status trp_uv_listen_status(const struct trp_uv_driver *driver);
/* Says whether a socket that the process has closed still has bytes to send. */
bool trp_uv_is_sending(const struct trp_uv_driver *driver);
/* Closes every handle and frees the driver while the loop runs on; then calls `closed`. */
void trp_uv_close(struct trp_uv_driver *driver, void (*closed)(void *user), void *user);

#endif
