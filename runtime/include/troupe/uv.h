/* SPDX-License-Identifier: MIT */
/* troupe/uv.h - a node on a real network, driven by libuv.
 *
 * Threading  A runtime belongs to its loop's thread; only trp_runtime_stop may be called from
 *            others and from signal handlers.
 * Signals    SIGPIPE is ignored from the first runtime on, unless the program handles it. */
#ifndef TROUPE_UV_H
#define TROUPE_UV_H

#include <troupe/node.h>

TRP_EXTERN_C_BEGIN

struct uv_loop_s;
struct trp_runtime;

struct trp_runtime_config {
    struct trp_node_config node; /* seed, now and unix_ns are filled in: entropy and clocks */
    struct uv_loop_s *loop;      /* borrowed; NULL: a loop of its own */
    trp_time spin_ns;       /* look again for so long after an input before sleeping: some 30 us
                             * save the time to wake up, for the price of a busy core; 0: none */
    const char *state_path; /* file that keeps identity and known peers; NULL: nothing kept */
    void (*on_result)(void *user, const struct trp_result *result);
    void *user;
};

/* Makes a state file with a new identity from the system's entropy, for trp_runtime_config.
 * state_path. TRP_EEXISTS: the file is there and stays as it is; TRP_EIO, TRP_ENOMEM. */
TRP_API enum trp_status trp_state_create(const char *path,
                                         struct trp_peer_id *ret_peer) TRP_NODISCARD;

/* Opens a node on the real network, in one line: listens on `listen` (NULL:
 * "/ip4/0.0.0.0/tcp/0"), with the actor types of `config` (may be NULL), and finds other nodes on
 * the local network, unless `node.mdns` of the configuration is TRP_MDNS_OFF. Gives the runtime;
 * close it with trp_runtime_close. TRP_EINVAL, TRP_EIO, TRP_ENOMEM. */
TRP_API enum trp_status trp_bootstrap(const char *listen, const struct trp_runtime_config *config,
                                      struct trp_runtime **ret_runtime) TRP_NODISCARD;
/* The same without listening: call trp_runtime_listen and send TRP_CMD_BOOTSTRAP as you like.
 * TRP_EINVAL, TRP_EIO, TRP_ENOMEM. */
TRP_API enum trp_status trp_runtime_open(const struct trp_runtime_config *config,
                                         struct trp_runtime **ret_runtime) TRP_NODISCARD;
/* Listens on one more address; it is bound when this returns. TRP_EINVAL: no address of ours;
 * TRP_EADDRINUSE, TRP_EDENIED, TRP_EFULL, TRP_EIO; TRP_ESTATE as of trp_runtime_command. */
TRP_API enum trp_status trp_runtime_listen(struct trp_runtime *runtime,
                                           const struct trp_multiaddr *address) TRP_NODISCARD;
/* Borrows the node until the runtime is closed. */
TRP_API struct trp_node *trp_runtime_node(struct trp_runtime *runtime);
/* Feeds one command; copied as needed before it returns. Its results come to on_result, also
 * before this returns. TRP_ESTATE from within on_result, and when the node is broken. */
TRP_API enum trp_status trp_runtime_command(struct trp_runtime *runtime,
                                            const struct trp_command *command) TRP_NODISCARD;
/* Runs the loop until `span_ns` has passed (TRP_NEVER: for ever) or trp_runtime_stop. */
TRP_API void trp_runtime_run(struct trp_runtime *runtime, trp_time span_ns);
/* Makes trp_runtime_run return soon; from any thread, and from signal handlers. */
TRP_API void trp_runtime_stop(struct trp_runtime *runtime);
/* Leaves the network, closes every handle, frees; runs the loop for at most one second. NULL is
 * fine. */
TRP_API void trp_runtime_close(struct trp_runtime *runtime);

TRP_EXTERN_C_END

#endif
