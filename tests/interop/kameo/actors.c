/* SPDX-License-Identifier: MIT */
#include "interop/kameo/actors.h"

#include "interop/kameo/lines.h"
#include "interop/kameo/payloads.h"
#include "interop/kameo/requests.h"
#include "interop/kameo/searches.h"

#include <stdio.h>

#define ALIASES_MAX 64u

TRP_MESSAGE_DEFINE(nap, "nap", NAP);
TRP_MESSAGE_DEFINE(note, "note", NOTE);
TRP_MESSAGE_DEFINE(fail, "fail", FAIL);
TRP_MESSAGE_DEFINE_EMPTY(panic, "panic");
TRP_MESSAGE_DEFINE(swallow, "swallow", SWALLOW);
TRP_MESSAGE_DEFINE(weigh, "weigh", WEIGH);
TRP_MESSAGE_DEFINE(meet, "meet", MEET);
TRP_MESSAGE_DEFINE(met, "met", MET);
TRP_MESSAGE_DEFINE(fault, "fault", FAULT);
TRP_MESSAGE_DEFINE_NEWTYPE(number, "number", NUMBER);
TRP_MESSAGE_DEFINE_NEWTYPE(load, "load", LOAD);
TRP_MESSAGE_DEFINE(order, "order", ORDER);

static struct trp_peer_id self_peer;

/* ---- who is here ---- */

struct alias {
    char text[ALIAS_MAX]; /* empty: a free place */
    struct trp_actor_ref ref;
};
static struct alias aliases[ALIASES_MAX];

void actors_init(const struct trp_peer_id *self)
{
    self_peer = *self;
}

static struct alias *alias_find(struct trp_bytes text)
{
    for (uint32_t i = 0; i < ALIASES_MAX; i++) {
        if (trp_bytes_equal(trp_bytes_text(aliases[i].text), text)) {
            return &aliases[i];
        }
    }
    return NULL;
}

bool actor_find(struct trp_bytes alias, struct trp_actor_ref *ret_ref)
{
    const struct alias *found = alias.size == 0 ? NULL : alias_find(alias);
    if (found != NULL) {
        *ret_ref = found->ref;
    }
    return found != NULL;
}

static void alias_copy(struct trp_bytes from, char ret_text[ALIAS_MAX])
{
    size_t size = from.size < ALIAS_MAX ? from.size : ALIAS_MAX - 1;
    memcpy(ret_text, from.data, size);
    ret_text[size] = '\0';
}

/* ---- probe ---- */

struct probe {
    char alias[ALIAS_MAX];
    bool frail; /* stops as actors do when a link dies; else carries on */
    bool said;  /* an answer to its ask was given already */
    struct trp_actor_ref sleeper;
};

#define PROBE_ARGS(FIELD, TAG) FIELD(TAG, TEXT, alias) FIELD(TAG, BOOL, frail)
TRP_MESSAGE_DECLARE(probe_args, PROBE_ARGS);
TRP_MESSAGE_DEFINE(probe_args, "probe_args", PROBE_ARGS);

static const struct trp_actor_type sleeper_type;

static enum trp_status probe_on_start(struct trp_context *ctx, void *state, const void *args)
{
    struct probe *probe = state;
    const struct probe_args *wanted = args;
    alias_copy(wanted->alias, probe->alias);
    probe->frail = wanted->frail;
    return trp_spawn(ctx, &sleeper_type, NULL, NULL, &probe->sleeper);
}

static bool probe_on_link_died(struct trp_context *ctx, void *state,
                               const struct trp_link_death *death)
{
    (void)ctx;
    const struct probe *probe = state;
    char of[REF_TEXT_MAX];
    ref_print(&death->actor, &self_peer, of);
    event_death("link_died", probe->alias,
                &(struct death){
                    .of = of, .reason = death->reason, .cause = death->cause, .own = &self_peer});
    return !probe->frail || death->reason == TRP_STOP_NORMAL;
}

static void probe_on_stop(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    struct probe *probe = state;
    struct alias *alias = alias_find(trp_bytes_text(probe->alias));
    TRP_IGNORE(trp_kill(ctx, &probe->sleeper)); /* it may not have started */
    event_death("stopped", probe->alias, &(struct death){.reason = reason});
    if (alias != NULL) {
        *alias = (struct alias){.text = ""};
    }
}

static enum trp_status echo(struct trp_context *ctx, const struct payload *payload,
                            const void *message)
{
    if (payload_is_sample(payload, message)) {
        return trp_reply(ctx, payload->type, message);
    }
    const struct fault differs = {.code = 1, .text = trp_bytes_text(payload->type->id)};
    return trp_reply_error(ctx, &fault_type, &differs);
}

#define PROBE_ECHO(name)                                                                           \
    static enum trp_status probe_on_##name(struct trp_context *ctx, void *state,                   \
                                           const void *message)                                    \
    {                                                                                              \
        (void)state;                                                                               \
        return echo(ctx, &payload_##name, message);                                                \
    }
PAYLOADS(PROBE_ECHO)

/* The sleeper woke: the nap is over. */
static enum trp_status probe_on_woken(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)state;
    const struct number *slept = reply->message;
    if (reply->status != TRP_OK || reply->user == 0) {
        return reply->status;
    }
    return trp_reply_to(ctx, reply->user, &number_type, slept);
}

static enum trp_status probe_on_nap(struct trp_context *ctx, void *state, const void *message)
{
    const struct probe *probe = state;
    const struct nap *nap = message;
    const struct trp_ask_options until_woken = {.reply = &number_type,
                                                .on_reply = probe_on_woken,
                                                .user = trp_reply_later(ctx),
                                                .reply_timeout_ns = TRP_NEVER,
                                                .hold = true};
    event_number("napping", probe->alias, "ms", nap->ms);
    return trp_ask(ctx, &probe->sleeper, &nap_type, nap, &until_woken);
}

static enum trp_status probe_on_note(struct trp_context *ctx, void *state, const void *message)
{
    const struct probe *probe = state;
    const struct note *note = message;
    char text[256];
    (void)snprintf(text, sizeof text, "%.*s", (int)note->text.size, (const char *)note->text.data);
    event_text("note", probe->alias, "text", text);
    TRP_IGNORE(trp_reply(ctx, &trp_unit_type, NULL)); /* ESTATE: a tell */
    return TRP_OK;
}

static enum trp_status probe_on_fail(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct fail *fail = message;
    const struct fault fault = {.code = fail->code, .text = trp_bytes_text("as wished")};
    enum trp_status status = trp_reply_error(ctx, &fault_type, &fault);
    return status == TRP_ESTATE ? TRP_EHANDLER : status; /* a tell fails */
}

static enum trp_status probe_on_panic(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    (void)message;
    struct trp_actor_ref self = trp_self(ctx);
    if (trp_reply_later(ctx) == 0) {
        return TRP_EHANDLER;
    }
    return trp_kill(ctx, &self); /* the ask ends with the actor */
}

static enum trp_status probe_on_swallow(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct swallow *swallow = message;
    const struct number size = {.number = swallow->load.size};
    TRP_IGNORE(trp_reply(ctx, &number_type, &size)); /* ESTATE: a tell */
    return TRP_OK;
}

static enum trp_status probe_on_weigh(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct weigh *weigh = message;
    const struct load load = {.load = load_of(weigh->bytes)};
    return trp_reply(ctx, &load_type, &load);
}

static enum trp_status probe_on_meet(struct trp_context *ctx, void *state, const void *message)
{
    const struct probe *probe = state;
    const struct meet *meet = message;
    struct trp_actor_ref acquaintance = meet->acquaintance;
    char text[ALIAS_MAX + 8];
    (void)snprintf(text, sizeof text, "met by %s", probe->alias);
    const struct note note = {.text = trp_bytes_text(text)};
    acquaintance.type = trp_actor_type_hash(trp_bytes_text(probe_type.id));
    enum trp_status status = trp_tell(ctx, &acquaintance, &note_type, &note);
    const struct met met = {.by = trp_self(ctx)};
    return status == TRP_OK ? trp_reply(ctx, &met_type, &met) : status;
}

static enum trp_status probe_on_reply(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    request_on_reply(reply);
    return TRP_OK;
}

static void answer_status(uint64_t tag, enum trp_status status)
{
    if (status == TRP_OK) {
        answer_json(tag, "null");
    } else {
        answer_error(tag, status, "\"\"");
    }
}

/* Sends, and collects the outcome once there may be one already. */
static enum trp_status order_enqueue(struct trp_context *ctx, const struct request *request,
                                     const struct trp_ask_options *options)
{
    uint64_t pending;
    enum trp_status status =
        trp_enqueue(ctx, &request->to, request->type, request_message(request), options, &pending);
    return status == TRP_OK ? trp_collect(ctx, pending, options->on_reply, options->user) : status;
}

/* ask, tell_ack and tell TYPE ID MESSAGE …: from inside an actor. */
static void order_send(struct trp_context *ctx, uint64_t tag, const struct words *words)
{
    struct request request;
    if (!request_parse(tag, words, 1, &request)) {
        answer_error(tag, TRP_EINVAL, "\"TYPE ID MESSAGE\"");
        return;
    }
    if (word_is(words->at[0], "tell")) {
        answer_status(tag, trp_tell(ctx, &request.to, request.type, request_message(&request)));
        return;
    }
    const struct trp_ask_options options = {.reply = request.reply,
                                            .on_reply = probe_on_reply,
                                            .user = request_keep(&request),
                                            .mailbox_timeout_ns = request.mailbox_timeout_ns,
                                            .reply_timeout_ns = request.reply_timeout_ns};
    enum trp_status status;
    if (request.enqueue) {
        status = order_enqueue(ctx, &request, &options);
    } else if (word_is(words->at[0], "tell_ack")) {
        status = trp_tell_ack(ctx, &request.to, request.type, request_message(&request), &options);
    } else {
        status = trp_ask(ctx, &request.to, request.type, request_message(&request), &options);
    }
    if (status != TRP_OK) {
        request_on_reply(&(struct trp_reply){.status = status, .user = options.user});
    }
}

/* link and unlink TYPE ID */
static enum trp_status order_link(struct trp_context *ctx, const struct words *words)
{
    struct trp_actor_ref other;
    if (words->count < 3 || !ref_parse(words->at[2], &other)) {
        return TRP_EINVAL;
    }
    other.type = trp_actor_type_hash(words->at[1]);
    return word_is(words->at[0], "link") ? trp_link(ctx, &other) : trp_unlink(ctx, &other);
}

static enum trp_status probe_on_lookup(struct trp_context *ctx, void *state,
                                       const struct trp_lookup_result *result)
{
    (void)ctx;
    (void)state;
    search_result(result->user, result->status, &result->ref, result->last);
    return TRP_OK;
}

static enum trp_status probe_on_registered(struct trp_context *ctx, void *state,
                                           const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    answer_status(reply->user, reply->status);
    return TRP_OK;
}

/* lookup, lookup_all, lookup_local TYPE NAME; register, unregister NAME: false: none of these */
static bool order_name(struct trp_context *ctx, uint64_t tag, const struct words *words)
{
    char name[ALIAS_MAX];
    const struct trp_actor_ref self = trp_self(ctx);
    const struct trp_bytes verb = words->at[0];
    enum trp_lookup_scope scope = word_is(verb, "lookup_all")     ? TRP_LOOKUP_ALL
                                  : word_is(verb, "lookup_local") ? TRP_LOOKUP_LOCAL
                                                                  : TRP_LOOKUP_FIRST;
    enum trp_status status;
    alias_copy(words->at[words->count - 1], name);
    if (word_is(verb, "register")) {
        status = trp_register_ack(ctx, &self, name, probe_on_registered, tag);
    } else if (word_is(verb, "unregister")) {
        answer_status(tag, trp_unregister(ctx, name));
        return true;
    } else if (words->count == 3 && (word_is(verb, "lookup") || scope != TRP_LOOKUP_FIRST)) {
        status = search_begin(tag, words->at[1]);
        if (status == TRP_OK) {
            status = trp_lookup(ctx, name, scope, probe_on_lookup, tag);
        }
    } else {
        return false;
    }
    if (status != TRP_OK) {
        answer_status(tag, status);
    }
    return true;
}

static enum trp_status probe_on_order(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct order *order = message;
    const struct words words = words_split(order->line);
    if (word_is(words.at[0], "ask") || word_is(words.at[0], "tell") ||
        word_is(words.at[0], "tell_ack")) {
        order_send(ctx, order->tag, &words);
    } else if (!order_name(ctx, order->tag, &words)) {
        answer_status(order->tag, order_link(ctx, &words));
    }
    return TRP_OK;
}

static const struct trp_actor_handler probe_handlers[] = {
#define PROBE_HANDLER(name)                                                                        \
    {.message = &payload_##name##_type, .reply = &payload_##name##_type, .handle = probe_on_##name},
    PAYLOADS(PROBE_HANDLER){.message = &nap_type, .reply = &number_type, .handle = probe_on_nap},
    {.message = &note_type, .reply = &trp_unit_type, .handle = probe_on_note},
    {.message = &fail_type, .reply = &trp_unit_type, .handle = probe_on_fail},
    {.message = &panic_type, .reply = &trp_unit_type, .handle = probe_on_panic},
    {.message = &swallow_type, .reply = &number_type, .handle = probe_on_swallow},
    {.message = &weigh_type, .reply = &load_type, .handle = probe_on_weigh},
    {.message = &meet_type, .reply = &met_type, .handle = probe_on_meet},
    {.message = &order_type, .handle = probe_on_order}};

const struct trp_actor_type probe_type = {.id = "probe",
                                          .state_bytes = sizeof(struct probe),
                                          .handlers = probe_handlers,
                                          .handlers_count =
                                              sizeof probe_handlers / sizeof probe_handlers[0],
                                          .args = &probe_args_type,
                                          .on_start = probe_on_start,
                                          .on_link_died = probe_on_link_died,
                                          .on_stop = probe_on_stop};

/* ---- sleeper: has one probe wait ---- */

#define WAKE(FIELD, TAG) FIELD(TAG, U64, token) FIELD(TAG, U64, ms)
TRP_MESSAGE_DECLARE(wake, WAKE);
TRP_MESSAGE_DEFINE(wake, "wake", WAKE);

static enum trp_status sleeper_on_nap(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct nap *nap = message;
    const struct trp_actor_ref self = trp_self(ctx);
    const struct wake wake = {.token = trp_reply_later(ctx), .ms = nap->ms};
    uint64_t timer;
    return trp_tell_after(ctx, TRP_MS(nap->ms), &self, &wake_type, &wake, &timer);
}

static enum trp_status sleeper_on_wake(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct wake *wake = message;
    const struct number slept = {.number = wake->ms};
    return trp_reply_to(ctx, wake->token, &number_type, &slept);
}

static const struct trp_actor_handler sleeper_handlers[] = {
    {.message = &nap_type, .reply = &number_type, .handle = sleeper_on_nap},
    {.message = &wake_type, .handle = sleeper_on_wake}};

static const struct trp_actor_type sleeper_type = {
    .id = "sleeper", .handlers = sleeper_handlers, .handlers_count = 2};

/* ---- manager: spawns, stops and kills ---- */

/* spawn KIND ALIAS [CAPACITY]; an `other` has no alias to be found by, its id does. */
static void manager_spawn(struct trp_context *ctx, uint64_t tag, const struct words *words)
{
    struct alias *place = alias_find(TRP_BYTES_NONE);
    struct trp_actor_ref ref;
    if (words->count < 3 || place == NULL) {
        answer_error(tag, TRP_EINVAL, "\"KIND ALIAS\"");
        return;
    }
    bool other = word_is(words->at[1], other_type.id);
    const struct probe_args args = {.alias = words->at[2], .frail = word_is(words->at[1], "frail")};
    const struct trp_spawn_options options = {
        .mailbox_messages = words->count > 3 ? (uint32_t)word_number(words->at[3]) : 0};
    enum trp_status status = other ? trp_spawn(ctx, &other_type, NULL, &options, &ref)
                                   : trp_spawn(ctx, &probe_type, &args, &options, &ref);
    if (status != TRP_OK) {
        answer_error(tag, status, "\"\"");
        return;
    }
    char text[REF_TEXT_MAX];
    place->ref = ref;
    alias_copy(words->at[2], place->text);
    ref_print(&ref, &self_peer, text);
    answer_text(tag, text);
}

static enum trp_status manager_on_order(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct order *order = message;
    const struct words words = words_split(order->line);
    struct trp_actor_ref ref;
    if (word_is(words.at[0], "spawn")) {
        manager_spawn(ctx, order->tag, &words);
    } else if (words.count < 2 || !actor_find(words.at[1], &ref)) {
        answer_error(order->tag, TRP_ENOTFOUND, "\"no such actor\"");
    } else {
        answer_status(order->tag,
                      word_is(words.at[0], "stop") ? trp_stop(ctx, &ref) : trp_kill(ctx, &ref));
    }
    return TRP_OK;
}

static const struct trp_actor_handler manager_handlers[] = {
    {.message = &order_type, .handle = manager_on_order}};

const struct trp_actor_type manager_type = {
    .id = "manager", .handlers = manager_handlers, .handlers_count = 1};

/* ---- other, phantom ---- */

static enum trp_status other_on_nap(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct nap *nap = message;
    const struct number reply = {.number = nap->ms};
    return trp_reply(ctx, &number_type, &reply);
}

static const struct trp_actor_handler other_handlers[] = {
    {.message = &nap_type, .reply = &number_type, .handle = other_on_nap}};

const struct trp_actor_type other_type = {
    .id = "other", .handlers = other_handlers, .handlers_count = 1};

const struct trp_actor_type phantom_type = {
    .id = "phantom", .handlers = other_handlers, .handlers_count = 1};
