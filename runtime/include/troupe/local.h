/* SPDX-License-Identifier: MIT */
/* troupe/local.h - actors of one program, without a network: nothing of it is linked.
 *
 *     trp_local_open(&config, &local);
 *     trp_local_spawn(local, &my_actor_type, &args, NULL, NULL);
 *     while (trp_local_deadline(local) != TRP_NEVER) {
 *         trp_local_run(local, now = trp_local_deadline(local));    or sleep until then
 *     }
 *     trp_local_close(local);
 *
 * Names work among the actors of the program. A reference to an actor elsewhere is
 * TRP_EUNREACHABLE.
 * Purity     No clock: time is what trp_local_run is given, so a test may let it jump.
 * Threading  One thread.
 * Limits     Those of troupe/actor.h, and trp_limits.names. */
#ifndef TROUPE_LOCAL_H
#define TROUPE_LOCAL_H

#include <troupe/actor.h>
#include <troupe/base.h>
#include <troupe/limits.h>
#include <troupe/trace.h>

TRP_EXTERN_C_BEGIN

struct trp_local;

struct trp_local_config {
    uint64_t seed; /* of trp_random */
    trp_time now;
    struct trp_limits limits;
    struct trp_recorder *recorder; /* borrowed until the end; NULL: no trace */
};

/* `config` may be NULL. TRP_EINVAL (a limit), TRP_ENOMEM. Close it with trp_local_close. */
TRP_API enum trp_status trp_local_open(const struct trp_local_config *config,
                                       struct trp_local **ret_local) TRP_NODISCARD;
/* Frees everything at once; on_stop is not called. NULL is fine. */
TRP_API void trp_local_close(struct trp_local *local);

/* As trp_spawn, from outside the actors; TRP_EINVAL for `link`, as nobody is there to link with. */
TRP_API enum trp_status trp_local_spawn(struct trp_local *local, const struct trp_actor_type *type,
                                        const void *args, const struct trp_spawn_options *options,
                                        struct trp_actor_ref *ret_ref) TRP_NODISCARD;
/* Runs actors until none is runnable at `now`, or a bounded batch is done. */
TRP_API void trp_local_run(struct trp_local *local, trp_time now);
/* When there is something to run: at once (the last `now`), later, or TRP_NEVER. */
TRP_API trp_time trp_local_deadline(const struct trp_local *local);
/* Counts the actors that are not gone. */
TRP_API uint32_t trp_local_actors_count(const struct trp_local *local);

TRP_EXTERN_C_END

#endif
