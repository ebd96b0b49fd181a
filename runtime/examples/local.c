/* SPDX-License-Identifier: MIT */
/* examples/local.c - actors of one program, without a network.
 *
 * A boss has four workers count primes, a range at a time, and links with them. Workers tire: after
 * some ranges one gives up in the middle of its work. The boss hears of it twice, as the outcome of
 * its ask and as the death of a linked actor, and hires another for the same range.
 *     local                                      9592 primes below 100000, 20 workers hired */
#include <troupe/local.h>

#include <stdio.h>

#define PRIMES_BELOW 100000u
#define RANGE        1000u
#define WORKERS      4u
#define STRENGTH     6u /* ranges that a worker counts before it gives up */

/* ---- the worker: count { from, below } -> u32 ---- */

#define WORKER_COUNT(FIELD, TAG)  FIELD(TAG, U32, from) FIELD(TAG, U32, below)
#define WORKER_PRIMES(FIELD, TAG) FIELD(TAG, U32, primes)
TRP_MESSAGE_DECLARE(worker_count, WORKER_COUNT);
TRP_MESSAGE_DEFINE(worker_count, "count", WORKER_COUNT);
TRP_MESSAGE_DECLARE(worker_primes, WORKER_PRIMES);
TRP_MESSAGE_DEFINE_NEWTYPE(worker_primes, "primes", WORKER_PRIMES);

struct worker {
    uint32_t counted; /* ranges */
};

static bool is_prime(uint32_t number)
{
    for (uint32_t i = 2; i * i <= number; i++) {
        if (number % i == 0) {
            return false;
        }
    }
    return number > 1;
}

static enum trp_status worker_on_count(struct trp_context *ctx, void *state, const void *message)
{
    struct worker *worker = state;
    const struct worker_count *range = message;
    if (++worker->counted > STRENGTH) {
        struct trp_actor_ref self = trp_self(ctx);
        (void)trp_reply_later(ctx); /* for ever: the ask ends with the worker */
        return trp_kill(ctx, &self);
    }
    struct worker_primes reply = {0};
    for (uint32_t i = range->from; i < range->below; i++) {
        reply.primes += is_prime(i);
    }
    return trp_reply(ctx, &worker_primes_type, &reply);
}

static const struct trp_actor_handler worker_handlers[] = {
    {.message = &worker_count_type, .reply = &worker_primes_type, .handle = worker_on_count}};

static const struct trp_actor_type worker_type = {.id = "worker",
                                                  .state_bytes = sizeof(struct worker),
                                                  .handlers = worker_handlers,
                                                  .handlers_count = 1};

/* ---- the boss ---- */

struct desk {
    struct trp_actor_ref worker;
    uint32_t from; /* the range being counted there */
};

struct boss {
    struct desk desks[WORKERS];
    uint32_t next; /* the first range not given away */
    uint32_t left; /* ranges not yet counted */
    uint32_t primes;
    uint32_t hired;
};

static enum trp_status boss_on_counted(struct trp_context *ctx, void *state,
                                       const struct trp_reply *reply);

static enum trp_status boss_give(struct trp_context *ctx, struct boss *boss, uint32_t index)
{
    const struct desk *desk = &boss->desks[index];
    const struct worker_count range = {.from = desk->from, .below = desk->from + RANGE};
    const struct trp_ask_options options = {
        .reply = &worker_primes_type, .on_reply = boss_on_counted, .user = index};
    return trp_ask(ctx, &desk->worker, &worker_count_type, &range, &options);
}

/* Puts a new worker at a desk and has it count what lies there. */
static enum trp_status boss_hire(struct trp_context *ctx, struct boss *boss, uint32_t index)
{
    const struct trp_spawn_options linked = {.link = true};
    struct desk *desk = &boss->desks[index];
    boss->hired++;
    enum trp_status status = trp_spawn(ctx, &worker_type, NULL, &linked, &desk->worker);
    return status == TRP_OK ? boss_give(ctx, boss, index) : status;
}

static enum trp_status boss_on_counted(struct trp_context *ctx, void *state,
                                       const struct trp_reply *reply)
{
    struct boss *boss = state;
    if (reply->status == TRP_ESTOPPED) {
        return TRP_OK; /* the death comes next, and with it another worker */
    }
    if (reply->status != TRP_OK) {
        return reply->status;
    }
    const struct worker_primes *counted = reply->message;
    boss->primes += counted->primes;
    if (--boss->left == 0) {
        struct trp_actor_ref self = trp_self(ctx);
        return trp_stop(ctx, &self);
    }
    if (boss->next == PRIMES_BELOW) {
        return TRP_OK;
    }
    boss->desks[reply->user].from = boss->next;
    boss->next += RANGE;
    return boss_give(ctx, boss, (uint32_t)reply->user);
}

static bool boss_on_link_died(struct trp_context *ctx, void *state,
                              const struct trp_link_death *death)
{
    struct boss *boss = state;
    uint32_t index = 0;
    while (!trp_actor_ref_equal(&boss->desks[index].worker, &death->actor)) {
        index++;
    }
    return boss_hire(ctx, boss, index) == TRP_OK;
}

static enum trp_status boss_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)args;
    struct boss *boss = state;
    boss->left = PRIMES_BELOW / RANGE;
    for (uint32_t i = 0; i < WORKERS; i++) {
        boss->desks[i].from = boss->next;
        boss->next += RANGE;
        enum trp_status status = boss_hire(ctx, boss, i);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static void boss_on_stop(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    (void)ctx;
    const struct boss *boss = state;
    if (reason == TRP_STOP_NORMAL) {
        (void)printf("%u primes below %u, %u workers hired\n", (unsigned)boss->primes,
                     (unsigned)PRIMES_BELOW, (unsigned)boss->hired);
    }
}

static const struct trp_actor_type boss_type = {.id = "boss",
                                                .state_bytes = sizeof(struct boss),
                                                .on_start = boss_on_start,
                                                .on_link_died = boss_on_link_died,
                                                .on_stop = boss_on_stop};

int main(void)
{
    struct trp_local *local = NULL;
    enum trp_status status = trp_local_open(NULL, &local);
    if (status == TRP_OK) {
        status = trp_local_spawn(local, &boss_type, NULL, NULL, NULL);
    }
    /* Nobody waits for the time of day, so the moment of each deadline is now. */
    while (status == TRP_OK && trp_local_deadline(local) != TRP_NEVER) {
        trp_local_run(local, trp_local_deadline(local));
    }
    if (status != TRP_OK) {
        (void)fprintf(stderr, "local: %s\n", trp_status_text(status));
    }
    trp_local_close(local);
    return status == TRP_OK ? 0 : 1;
}
