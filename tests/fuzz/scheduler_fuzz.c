/* SPDX-License-Identifier: MIT */
/* A scheduler under any sequence of what actors, the network, time and a lack of memory can do to
 * it. Every ask and every delivery has exactly one outcome, and nothing is left over. */
#include "actor/scheduler.h"
#include "base/assert.h"
#include "lib/fuzz_input.h"

#define ACTORS   8u
#define ASKS_MAX 4096u
#define ENDS     6 /* timeouts that pass at the end */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_DO(FIELD, TAG)   FIELD(TAG, U32, what) FIELD(TAG, U32, whom) FIELD(TAG, BYTES, bytes)
#define FUZZ_DONE(FIELD, TAG) FIELD(TAG, TEXT, text) FIELD(TAG, REF, who)
TRP_MESSAGE_DECLARE(fuzz_do, FUZZ_DO);
TRP_MESSAGE_DEFINE(fuzz_do, "do", FUZZ_DO);
TRP_MESSAGE_DECLARE(fuzz_done, FUZZ_DONE);
TRP_MESSAGE_DEFINE(fuzz_done, "done", FUZZ_DONE);

struct ask {
    uint64_t asker;
    trp_time asked;
    uint32_t outcomes;
};

static struct {
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_scheduler *scheduler;
    struct trp_actor_ref actors[ACTORS]; /* the last ones are elsewhere */
    struct ask asks[ASKS_MAX];
    uint32_t asks_count;
    uint64_t deliveries;
    uint64_t answers;
    uint64_t tokens[4];
    uint64_t timers[4];
    trp_time now;
} fuzz;

static struct trp_bytes next_bytes(struct input *in)
{
    size_t size = next(in);
    size = size < in->size ? size : in->size;
    struct trp_bytes bytes = trp_bytes(in->data, size);
    in->data += size;
    in->size -= size;
    return bytes;
}

/* ---- the actors ---- */

static enum trp_status on_reply(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)state;
    struct ask *ask = &fuzz.asks[reply->user];
    TRP_ASSERT(ask->asker == trp_self(ctx).id);
    TRP_ASSERT(++ask->outcomes == 1);
    return reply->status == TRP_EHANDLER ? TRP_EINVAL : TRP_OK;
}

static enum trp_status on_lookup(struct trp_context *ctx, void *state,
                                 const struct trp_lookup_result *result)
{
    (void)state;
    return result->last ? TRP_OK : trp_link(ctx, &result->ref);
}

static void try_ask(struct trp_context *ctx, const struct trp_actor_ref *to,
                    const struct fuzz_do *message, uint32_t how)
{
    if (fuzz.asks_count == ASKS_MAX) {
        return;
    }
    struct ask *ask = &fuzz.asks[fuzz.asks_count];
    *ask = (struct ask){.asker = trp_self(ctx).id, .asked = fuzz.now};
    const struct trp_ask_options options = {.reply = how % 2 == 0 ? &fuzz_done_type : NULL,
                                            .on_reply = on_reply,
                                            .user = fuzz.asks_count,
                                            .mailbox_timeout_ns = how % 3 * 10,
                                            .reply_timeout_ns = how % 5 * 10,
                                            .hold = how % 7 == 0};
    enum trp_status status = how % 3 == 0 ? trp_tell_ack(ctx, to, &fuzz_do_type, message, &options)
                                          : trp_ask(ctx, to, &fuzz_do_type, message, &options);
    fuzz.asks_count += status == TRP_OK;
}

/* Asks, and collects the outcome of what was asked before. */
static void try_enqueue(struct trp_context *ctx, const struct trp_actor_ref *to,
                        const struct fuzz_do *message, uint32_t how)
{
    if (fuzz.asks_count == ASKS_MAX) {
        return;
    }
    struct ask *ask = &fuzz.asks[fuzz.asks_count];
    *ask = (struct ask){.asker = trp_self(ctx).id, .asked = fuzz.now};
    const struct trp_ask_options options = {.mailbox_timeout_ns = how % 3 * 10,
                                            .reply_timeout_ns = how % 5 * 10};
    uint64_t pending = fuzz.tokens[how % 4];
    if (trp_collect(ctx, pending, how % 2 == 0 ? on_reply : NULL, fuzz.asks_count) == TRP_OK) {
        ask->outcomes += how % 2; /* nobody is told */
        fuzz.asks_count++;
    }
    TRP_IGNORE(trp_enqueue(ctx, to, &fuzz_do_type, message, &options, &fuzz.tokens[how % 4]));
}

static enum trp_status on_done(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    return reply->user == 0 ? TRP_OK : TRP_EINVAL;
}

static const struct trp_actor_type plain_type;

/* Does one thing; a failure is as good as a success. */
static enum trp_status act(struct trp_context *ctx, uint32_t what, const struct trp_actor_ref *whom,
                           const struct fuzz_do *message)
{
    const struct fuzz_done done = {.text = message->bytes, .who = *whom};
    const struct fuzz_do inner = {
        .what = what / 22, .whom = message->whom / ACTORS, .bytes = message->bytes};
    uint64_t *token = &fuzz.tokens[message->whom % 4];
    switch (what % 22) {
    case 0:
        return trp_reply(ctx, &fuzz_done_type, &done);
    case 1:
        return trp_reply_error(ctx, &fuzz_done_type, &done);
    case 2:
        *token = trp_reply_later(ctx);
        return TRP_OK;
    case 3:
        return trp_reply_to(ctx, *token, &fuzz_done_type, &done);
    case 4:
        return trp_reply_error_to(ctx, *token, &fuzz_done_type, &done);
    case 5:
        return trp_tell(ctx, whom, &fuzz_do_type, &inner);
    case 6:
        return trp_tell_after(ctx, what % 50, whom, &fuzz_do_type, &inner,
                              &fuzz.timers[message->whom % 4]);
    case 7:
        trp_timer_cancel(ctx, fuzz.timers[message->whom % 4]);
        return TRP_OK;
    case 8:
        return trp_stop(ctx, whom);
    case 9:
        return trp_kill(ctx, whom);
    case 10:
        return trp_link(ctx, whom);
    case 11:
        return trp_unlink(ctx, whom);
    case 12:
        return trp_spawn(ctx, &plain_type, &inner, &(struct trp_spawn_options){.link = true},
                         &fuzz.actors[message->whom % (ACTORS - 2)]);
    case 13:
        return trp_lookup(ctx, "name", what % 2 == 0, on_lookup, 0);
    case 14:
        return trp_register(ctx, whom, "name");
    case 15:
        return TRP_EDENIED;
    case 16:
        return trp_link_remote(ctx, whom, &fuzz.actors[message->whom % 3], on_done, 0);
    case 17:
        return trp_register_ack(ctx, whom, "name", on_done, 0);
    case 18:
        try_enqueue(ctx, whom, &inner, what / 22);
        return TRP_OK;
    default:
        try_ask(ctx, whom, &inner, what / 22);
        return TRP_OK;
    }
}

static enum trp_status on_do(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct fuzz_do *in = message;
    const struct trp_actor_ref whom = fuzz.actors[in->whom % ACTORS];
    enum trp_status status = act(ctx, in->what, &whom, in);
    if (in->bytes.size > 0 && in->bytes.data[0] % 2 == 0) { /* and another one */
        status = act(ctx, in->bytes.data[0], &whom, in);
    }
    return status;
}

static enum trp_status on_start(struct trp_context *ctx, void *state, const void *args)
{
    const struct fuzz_do *in = args;
    return in->what % 3 == 0 ? on_do(ctx, state, args) : TRP_OK;
}

static bool on_panic(struct trp_context *ctx, void *state, enum trp_status failure)
{
    (void)ctx;
    (void)state;
    return failure != TRP_EDENIED;
}

static void on_stop(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    const struct fuzz_do last = {.what = (uint32_t)reason * 3, .whom = 1};
    TRP_IGNORE(on_do(ctx, state, &last));
}

static const struct trp_actor_handler handlers[] = {
    {.message = &fuzz_do_type, .reply = &fuzz_done_type, .handle = on_do}};
static const struct trp_actor_type plain_type = {.id = "plain",
                                                 .state_bytes = 24,
                                                 .handlers = handlers,
                                                 .handlers_count = 1,
                                                 .args = &fuzz_do_type,
                                                 .on_start = on_start,
                                                 .on_stop = on_stop};
static const struct trp_actor_type tough_type = {.id = "tough",
                                                 .state_bytes = 600,
                                                 .handlers = handlers,
                                                 .handlers_count = 1,
                                                 .args = &fuzz_do_type,
                                                 .on_panic = on_panic};
static const struct trp_actor_type *const types[] = {&plain_type, &tough_type};

/* ---- the network ---- */

static void serve(const struct trp_sched_event *event, uint8_t how)
{
    struct trp_scheduler *scheduler = fuzz.scheduler;
    const struct trp_actor_ref *far = &fuzz.actors[ACTORS - 1];
    switch (event->kind) {
    case TRP_SCHED_ANSWER:
        fuzz.answers++;
        break;
    case TRP_SCHED_ASK:
        if (how % 4 != 0) { /* else it times out */
            trp_scheduler_complete(scheduler, event->request, how % 2 == 0 ? TRP_OK : TRP_EHANDLER,
                                   event->payload);
        }
        break;
    case TRP_SCHED_LOOKUP:
        for (uint8_t i = 0; i < how % 4; i++) {
            trp_scheduler_found(scheduler, event->request, TRP_OK, far, false);
        }
        trp_scheduler_found(scheduler, event->request, TRP_OK, how % 2 == 0 ? far : NULL, true);
        break;
    case TRP_SCHED_LINK:
        if (how % 3 == 0) {
            const struct trp_stop_cause cause = {
                .root = TRP_STOP_KILLED, .links_count = how % 4, .links = {*far, *far, *far}};
            TRP_IGNORE(trp_scheduler_link_died(scheduler, event->actor, &event->other, &cause));
        }
        break;
    case TRP_SCHED_TELL:
    case TRP_SCHED_REGISTER:
    case TRP_SCHED_CONNECT:
    case TRP_SCHED_DISCONNECT:
        if (event->request != 0) {
            trp_scheduler_complete(scheduler, event->request, how % 2 == 0 ? TRP_OK : TRP_EDEAD,
                                   TRP_BYTES_NONE);
        }
        break;
    case TRP_SCHED_DIED:
        TRP_ASSERT(event->death->links_count <= TRP_STOP_LINKS_MAX);
        break;
    case TRP_SCHED_UNLINK:
    case TRP_SCHED_UNREGISTER:
    case TRP_SCHED_STOPPED:
        break;
    }
}

static void serve_all(struct input *in)
{
    struct trp_sched_event event;
    while (trp_scheduler_next_event(fuzz.scheduler, &event)) {
        serve(&event, next(in));
    }
}

static void deliver(struct input *in)
{
    static const struct trp_peer_id senders[] = {{.size = 3, .bytes = {7, 7, 7}},
                                                 {.size = 3, .bytes = {7, 7, 8}}};
    uint8_t payload[512];
    uint8_t how = next(in);
    struct trp_delivery delivery = {.ask = how % 2 == 0,
                                    .actor = fuzz.actors[how % ACTORS].id,
                                    .token = fuzz.deliveries,
                                    .from = how / 32 % 3 == 0 ? NULL : &senders[how / 32 % 3 - 1],
                                    .message = trp_bytes_text("do"),
                                    .mailbox_timeout_ns = how % 3 * 10,
                                    .reply_timeout_ns = how % 4 * 10};
    if (how % 16 == 15) {
        delivery.payload = next_bytes(in); /* whatever a peer sends */
        delivery.message = next_bytes(in);
    } else {
        const struct fuzz_do message = {
            .what = (uint32_t)next(in) << 8 | next(in), .whom = next(in), .bytes = next_bytes(in)};
        TRP_ASSERT(trp_message_encode(&fuzz_do_type, &message, payload, sizeof payload,
                                      &delivery.payload.size) == TRP_OK);
        delivery.payload.data = payload;
    }
    fuzz.deliveries++;
    trp_scheduler_deliver(fuzz.scheduler, &delivery);
}

/* ---- the rest of the world ---- */

static void spawn(struct input *in)
{
    const struct fuzz_do args = {.what = next(in), .whom = next(in)};
    const struct trp_spawn_options options = {.mailbox_messages = 1u + args.what % 4};
    struct trp_actor_ref ref;
    if (trp_scheduler_spawn(fuzz.scheduler, types[args.whom % 2], &args, &options, &ref) ==
        TRP_OK) {
        fuzz.actors[args.whom % (ACTORS - 2)] = ref;
    }
}

static void step(struct input *in)
{
    uint8_t what = next(in);
    const struct trp_actor_ref *a = &fuzz.actors[what / 16 % ACTORS];
    const struct trp_actor_ref *far = &fuzz.actors[ACTORS - 1 - what % 2];
    switch (what % 16) {
    case 0:
        spawn(in);
        break;
    case 1:
        TRP_IGNORE(trp_scheduler_stop(fuzz.scheduler, a->id));
        break;
    case 2:
        TRP_IGNORE(trp_scheduler_kill(fuzz.scheduler, a->id));
        break;
    case 3:
        TRP_IGNORE(trp_scheduler_link(fuzz.scheduler, a->id, far, next_bytes(in)));
        break;
    case 4:
        TRP_IGNORE(trp_scheduler_unlink(fuzz.scheduler, a->id, far));
        break;
    case 5:
        TRP_IGNORE(trp_scheduler_link_died(
            fuzz.scheduler, a->id, far,
            &(struct trp_stop_cause){.root = TRP_STOP_PANICKED, .text = next_bytes(in)}));
        break;
    case 6:
        trp_scheduler_peer_lost(fuzz.scheduler, &far->peer);
        TRP_ASSERT(trp_scheduler_links_with(fuzz.scheduler, &far->peer) == 0);
        break;
    case 7:
        fuzz.memory.fail_at = next(in);
        break;
    case 8:
        fuzz.now += next(in);
        break;
    case 9:
        serve_all(in);
        break;
    case 10:
    case 11:
        trp_scheduler_run(fuzz.scheduler, fuzz.now);
        break;
    default:
        deliver(in);
        break;
    }
}

static void begin(void)
{
    static const struct trp_peer_id self = {.size = 3, .bytes = {1, 1, 1}};
    fuzz.memory = trp_memory_init(8u << 20);
    fuzz.limits = (struct trp_limits){.actors = 16,
                                      .requests = 24,
                                      .timers = 16,
                                      .links_per_actor = 8,
                                      .message_bytes = 512,
                                      .mailbox_messages = 4,
                                      .request_timeout_ns = TRP_MS(1)};
    TRP_ASSERT(trp_limits_complete(&fuzz.limits, NULL) == TRP_OK);
    const struct trp_scheduler_config config = {.memory = &fuzz.memory,
                                                .limits = &fuzz.limits,
                                                .self = &self,
                                                .types = types,
                                                .types_count = 2};
    TRP_ASSERT(trp_scheduler_open(&config, &fuzz.scheduler) == TRP_OK);
    fuzz.asks_count = 0;
    fuzz.deliveries = 0;
    fuzz.answers = 0;
    fuzz.now = 0;
    memset(fuzz.actors, 0, sizeof fuzz.actors);
    memset(fuzz.tokens, 0, sizeof fuzz.tokens);
    memset(fuzz.timers, 0, sizeof fuzz.timers);
    for (uint8_t i = 0; i < 2; i++) {
        fuzz.actors[ACTORS - 1 - i] = (struct trp_actor_ref){
            .id = 5u + i, .type = 1, .peer = {.size = 3, .bytes = {2, 2, i}}};
    }
}

/* Time passes; some actors never rest, so what must end does so while they go on. */
static void end(void)
{
    struct input nothing = {0};
    fuzz.memory.fail_at = 0;
    for (int i = 0; i < ENDS; i++) {
        fuzz.now += TRP_MS(1);
        trp_scheduler_run(fuzz.scheduler, fuzz.now);
        serve_all(&nothing);
        for (uint32_t k = 0; k < ACTORS && i == 0; k++) {
            TRP_IGNORE(trp_scheduler_kill(fuzz.scheduler, fuzz.actors[k].id));
        }
    }
    for (uint32_t i = 0; i < fuzz.asks_count; i++) {
        const struct ask *ask = &fuzz.asks[i];
        bool gone = trp_scheduler_type_of(fuzz.scheduler, ask->asker) == NULL;
        bool young = ask->asked + 3 * fuzz.limits.request_timeout_ns > fuzz.now;
        TRP_ASSERT(ask->outcomes == 1 || gone || young);
    }
    TRP_ASSERT(fuzz.answers == fuzz.deliveries);
    trp_scheduler_close(fuzz.scheduler);
    TRP_ASSERT(fuzz.memory.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.data = data, .size = size};
    begin();
    while (in.size > 0) {
        step(&in);
    }
    end();
    return 0;
}
