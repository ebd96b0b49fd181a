/* SPDX-License-Identifier: MIT */
/* interop/kameo/bare.c - a program that composes a swarm of its own: Kameo's two protocols as
 * behaviours, and no actors. It answers by hand for one that it says it has, a probe.
 *
 *     listen ADDRESS, dial ADDRESS
 *     register NAME, unregister NAME, withdraw (cancels the registration made last)
 *     lookup TYPE NAME
 *     ask TYPE ID nap MS, ask stranger ID juggle, tell_ack TYPE ID note TEXT
 *     link TYPE ID, unlink TYPE ID, die TYPE ID (tells that actor of the death of ours)
 *     cancel TAG (of an ask or a lookup)
 * What is received is an event: asked, told, linked, unlinked, link_died; the end of each answer,
 * response_sent or inbound_failure; what the registry tells of the routing table, routing. */
#include "interop/kameo/actors.h"
#include "interop/kameo/input.h"
#include "interop/kameo/lines.h"
#include "interop/kameo/requests.h"
#include "interop/kameo/searches.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <stdio.h>

#define SEQUENCE  7u  /* of the actor that is none */
#define BEGUN_MAX 32u /* requests and lookups that can be cancelled */

struct begun {
    uint64_t tag;
    uint64_t id;
    bool is_lookup;
};

struct bare {
    struct trp_runtime *runtime;
    struct trp_swarm *swarm;
    struct trp_messaging *messaging;
    struct trp_registry *registry;
    struct trp_recorder recorder;
    struct trp_peer_id self;
    struct trp_actor_ref actor;
    uint64_t registration;
    struct begun begun[BEGUN_MAX];
    uint32_t begun_count;
    struct input input;
    bool closing;
};

static void answer_status(uint64_t tag, enum trp_status status)
{
    if (status == TRP_OK) {
        answer_json(tag, "null");
    } else {
        answer_error(tag, status, "\"\"");
    }
}

static void begun_add(struct bare *bare, uint64_t tag, uint64_t id, bool is_lookup)
{
    bare->begun[bare->begun_count++ % BEGUN_MAX] = (struct begun){tag, id, is_lookup};
}

/* ---- messages ---- */

static void give_answer(struct bare *bare, uint64_t id, struct trp_response_envelope *response)
{
    enum trp_status status = trp_messaging_answer(bare->messaging, id, response);
    if (status != TRP_OK) {
        event_text("unanswered", NULL, "why", trp_status_name(status));
    }
}

/* An ask: naps are over at once, `swallow` is never answered, everything else is not known. */
static void on_ask(struct bare *bare, uint64_t id, const struct trp_request_envelope *request)
{
    struct trp_response_envelope response = {.kind = TRP_ENVELOPE_ASK};
    struct nap nap;
    struct number slept;
    uint8_t payload[16];
    size_t size;
    if (word_is(request->message, swallow_type.id)) {
        trp_messaging_drop(bare->messaging, id);
        return;
    }
    if (!word_is(request->message, nap_type.id)) {
        response.error = TRP_SEND_UNKNOWN_MESSAGE;
        response.actor_type = request->actor_type;
        response.message = request->message;
    } else if (trp_message_decode(&nap_type, request->payload, &nap) != TRP_OK) {
        response.error = TRP_SEND_DESERIALIZE_MESSAGE;
        response.text = trp_bytes_text("no nap");
    } else {
        slept.number = nap.ms;
        if (trp_message_encode(&number_type, &slept, payload, sizeof payload, &size) == TRP_OK) {
            response.payload = trp_bytes(payload, size);
        }
    }
    give_answer(bare, id, &response);
}

static void on_tell(struct bare *bare, uint64_t id, const struct trp_request_envelope *request)
{
    struct trp_response_envelope response = {.kind = TRP_ENVELOPE_TELL};
    struct note note;
    char text[64];
    if (trp_message_decode(&note_type, request->payload, &note) == TRP_OK) {
        (void)snprintf(text, sizeof text, "%.*s", (int)note.text.size,
                       (const char *)note.text.data);
        event_text("told", NULL, "text", text);
    } else {
        response.error = TRP_SEND_DESERIALIZE_MESSAGE;
    }
    give_answer(bare, id, &response);
}

static void on_link(struct bare *bare, uint64_t id, const struct trp_request_envelope *request)
{
    struct trp_response_envelope response = {.kind = request->kind};
    char of[REF_TEXT_MAX];
    ref_print(&request->other, &bare->self, of);
    if (request->kind == TRP_ENVELOPE_SIGNAL_LINK_DIED) {
        event_death("link_died", NULL,
                    &(struct death){.of = of,
                                    .reason = trp_stop_cause_reason(&request->cause),
                                    .cause = &request->cause,
                                    .own = &bare->self});
    } else {
        event_text(request->kind == TRP_ENVELOPE_LINK ? "linked" : "unlinked", NULL, "of", of);
    }
    give_answer(bare, id, &response);
}

static void on_request(struct bare *bare, const struct trp_messaging_event *event)
{
    if (event->request->actor.id != bare->actor.id) {
        struct trp_response_envelope response = {.kind = event->request->kind,
                                                 .error = TRP_SEND_ACTOR_NOT_RUNNING};
        give_answer(bare, event->id, &response);
    } else if (event->request->kind == TRP_ENVELOPE_ASK) {
        on_ask(bare, event->id, event->request);
    } else if (event->request->kind == TRP_ENVELOPE_TELL) {
        on_tell(bare, event->id, event->request);
    } else {
        on_link(bare, event->id, event->request);
    }
}

static void on_messaging(void *user, struct trp_messaging *messaging,
                         const struct trp_messaging_event *event)
{
    struct bare *bare = user;
    struct number slept;
    char text[32];
    (void)messaging;
    switch (event->kind) {
    case TRP_MESSAGING_REQUEST:
        on_request(bare, event);
        break;
    case TRP_MESSAGING_RESULT:
        if (event->status == TRP_OK && event->request_kind == TRP_ENVELOPE_ASK &&
            trp_message_decode(&number_type, event->response->payload, &slept) == TRP_OK) {
            (void)snprintf(text, sizeof text, "%llu", (unsigned long long)slept.number);
            answer_json(event->token, text);
            break;
        }
        answer_status(event->token, event->status);
        break;
    case TRP_MESSAGING_OUTBOUND_FAILURE:
        answer_status(event->token, event->status);
        break;
    case TRP_MESSAGING_INBOUND_FAILURE:
        event_text("inbound_failure", NULL, "why", trp_status_name(event->status));
        break;
    case TRP_MESSAGING_RESPONSE_SENT:
        event_number("response_sent", NULL, "id", event->id);
        break;
    }
}

/* ---- names ---- */

static void on_registry(void *user, struct trp_registry *registry,
                        const struct trp_registry_event *event)
{
    struct trp_actor_ref ref = {0};
    (void)user;
    (void)registry;
    switch (event->kind) {
    case TRP_REGISTRY_REGISTERED:
    case TRP_REGISTRY_REGISTRATION_FAILED:
        answer_status(event->token, event->status);
        break;
    case TRP_REGISTRY_FOUND:
        ref = event->found->actor;
        ref.type = trp_actor_type_hash(event->found->type);
        search_result(event->token, TRP_OK, &ref, false);
        break;
    case TRP_REGISTRY_LOOKED_UP:
        search_result(event->token, event->status, &ref, true);
        break;
    case TRP_REGISTRY_ROUTING_UPDATED:
    case TRP_REGISTRY_UNROUTABLE_PEER:
    case TRP_REGISTRY_ROUTABLE_PEER:
    case TRP_REGISTRY_PENDING_ROUTABLE_PEER:
    case TRP_REGISTRY_BOOTSTRAPPED:
        event_number("routing", NULL, "kind", event->kind);
        break;
    }
}

static enum trp_status register_name(struct bare *bare, uint64_t tag, struct trp_bytes name)
{
    const struct trp_registration registration = {.actor = bare->actor,
                                                  .type = trp_bytes_text(probe_type.id)};
    return trp_registry_register(bare->registry, name, &registration, tag, &bare->registration);
}

static enum trp_status look_up(struct bare *bare, uint64_t tag, const struct words *words)
{
    uint64_t query;
    enum trp_status status = search_begin(tag, words->at[1]);
    if (status == TRP_OK) {
        status = trp_registry_lookup(bare->registry, words->at[2], tag, &query);
    }
    if (status == TRP_OK) {
        begun_add(bare, tag, query, true);
    }
    return status;
}

/* ---- requests ---- */

/* ask and tell_ack */
static enum trp_status send_message(struct bare *bare, uint64_t tag, const struct words *words)
{
    static uint8_t payload[1024];
    struct request request;
    size_t size;
    uint64_t id;
    if (!request_parse(tag, words, 1, &request)) {
        return TRP_EINVAL;
    }
    enum trp_status status =
        trp_message_encode(request.type, request_message(&request), payload, sizeof payload, &size);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_request_envelope envelope = {
        .kind = word_is(words->at[0], "ask") ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL,
        .actor = request.to,
        .actor_type =
            word_is(words->at[1], "stranger") ? trp_bytes_text(probe_type.id) : words->at[1],
        .message = trp_bytes_text(request.type->id),
        .payload = trp_bytes(payload, size),
        .mailbox_timeout_ns = TRP_NEVER,
        .reply_timeout_ns = TRP_NEVER};
    status = trp_messaging_send(bare->messaging, &envelope,
                                &(struct trp_messaging_options){.token = tag}, &id);
    if (status == TRP_OK) {
        begun_add(bare, tag, id, false);
    }
    return status;
}

/* link, unlink and die */
static enum trp_status send_link(struct bare *bare, uint64_t tag, const struct words *words)
{
    uint64_t id;
    struct trp_request_envelope envelope = {.kind = TRP_ENVELOPE_LINK,
                                            .both_spellings = true,
                                            .other = bare->actor,
                                            .actor_type = words->at[1],
                                            .other_type = trp_bytes_text(probe_type.id),
                                            .cause = {.root = TRP_STOP_KILLED}};
    if (words->count < 3 || !ref_parse(words->at[2], &envelope.actor)) {
        return TRP_EINVAL;
    }
    if (word_is(words->at[0], "unlink")) {
        envelope.kind = TRP_ENVELOPE_UNLINK;
    } else if (word_is(words->at[0], "die")) {
        envelope.kind = TRP_ENVELOPE_SIGNAL_LINK_DIED;
    }
    return trp_messaging_send(bare->messaging, &envelope,
                              &(struct trp_messaging_options){.token = tag}, &id);
}

static enum trp_status cancel(struct bare *bare, struct trp_bytes word)
{
    for (uint32_t i = 0; i < BEGUN_MAX; i++) {
        const struct begun *begun = &bare->begun[i];
        if (begun->tag == word_number(word) && begun->is_lookup) {
            trp_registry_cancel(bare->registry, begun->id);
            return TRP_OK;
        }
        if (begun->tag == word_number(word)) {
            trp_messaging_cancel(bare->messaging, begun->id);
            return TRP_OK;
        }
    }
    return TRP_ENOTFOUND;
}

/* ---- lines ---- */

static enum trp_status network(struct bare *bare, uint64_t tag, const struct words *words)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    struct trp_command dial = {.kind = TRP_CMD_DIAL};
    (void)snprintf(text, sizeof text, "%.*s", (int)words->at[1].size,
                   (const char *)words->at[1].data);
    enum trp_status status = trp_multiaddr_parse(text, &dial.address, NULL);
    if (status != TRP_OK || word_is(words->at[0], "dial")) {
        status = status == TRP_OK ? trp_runtime_command(bare->runtime, &dial) : status;
        answer_status(tag, status);
        return TRP_OK;
    }
    status = trp_runtime_listen(bare->runtime, &dial.address);
    if (status == TRP_OK && trp_swarm_listen_addresses(bare->swarm, &dial.address, 1) == 1) {
        status = trp_multiaddr_with_peer(&dial.address, &bare->self, &dial.address);
    }
    if (status == TRP_OK) {
        trp_multiaddr_print(&dial.address, text);
        answer_text(tag, text);
    }
    return status;
}

/* Gives the status of what has no outcome to come. */
static enum trp_status obey(struct bare *bare, uint64_t tag, const struct words *words)
{
    struct trp_bytes verb = words->at[0];
    enum trp_status status = TRP_EINVAL;
    if (words->count == 1 && word_is(verb, "withdraw")) {
        trp_registry_cancel(bare->registry, bare->registration);
        answer_status(tag, TRP_OK);
        status = TRP_OK;
    } else if (words->count < 2) {
        status = TRP_EINVAL;
    } else if (word_is(verb, "listen") || word_is(verb, "dial")) {
        status = network(bare, tag, words);
    } else if (word_is(verb, "register")) {
        status = register_name(bare, tag, words->at[1]);
    } else if (word_is(verb, "unregister")) {
        answer_status(tag, trp_registry_unregister(bare->registry, words->at[1]));
        status = TRP_OK;
    } else if (word_is(verb, "cancel")) {
        answer_status(tag, cancel(bare, words->at[1]));
        status = TRP_OK;
    } else if (words->count == 3 && word_is(verb, "lookup")) {
        status = look_up(bare, tag, words);
    } else if (word_is(verb, "ask") || word_is(verb, "tell_ack")) {
        status = send_message(bare, tag, words);
    } else if (word_is(verb, "link") || word_is(verb, "unlink") || word_is(verb, "die")) {
        status = send_link(bare, tag, words);
    }
    return status;
}

static void bare_on_line(void *user, struct trp_bytes line)
{
    struct bare *bare = user;
    const struct trp_command step = {.kind = TRP_CMD_PEERS};
    const struct words all = words_split(line);
    uint64_t tag = all.count == 0 ? 0 : word_number(all.at[0]);
    if (tag == 0 || all.count < 2) {
        return;
    }
    const struct words words = words_split(trp_bytes_skip(line, all.at[0].size + 1));
    enum trp_status status = obey(bare, tag, &words);
    if (status != TRP_OK) {
        answer_status(tag, status);
    }
    TRP_IGNORE(trp_runtime_command(bare->runtime, &step)); /* what was begun goes out */
}

static void bare_on_end(void *user)
{
    struct bare *bare = user;
    bare->closing = true;
    trp_runtime_stop(bare->runtime);
}

/* ---- start ---- */

static void bare_on_trace(void *self, const struct trp_trace_event *event)
{
    (void)self;
    event_trace(event);
}

static void watch_connected(void *self, const struct trp_connection_info *connection)
{
    struct bare *bare = self;
    char text[TRP_PEER_ID_TEXT_MAX];
    trp_registry_add_peer(bare->registry, &connection->peer); /* all peers here serve the DHT */
    trp_peer_id_print(&connection->peer, text);
    event_connection("connected", text, connection->peer_connections, "");
}

static const struct trp_behaviour_ops watch_ops = {.name = "watch", .connected = watch_connected};

static enum trp_status bare_begin(struct bare *bare, uv_loop_t *loop)
{
    const struct trp_messaging_config messaging = {.on_event = on_messaging, .user = bare};
    const struct trp_registry_config registry = {.on_event = on_registry, .user = bare};
    enum trp_status status = trp_messaging_open(&messaging, &bare->messaging);
    if (status == TRP_OK) {
        status = trp_registry_open(&registry, &bare->registry);
    }
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_behaviour behaviours[] = {trp_messaging_behaviour(bare->messaging),
                                               trp_registry_behaviour(bare->registry),
                                               {.ops = &watch_ops, .self = bare}};
    trp_recorder_init(&bare->recorder, (struct trp_trace_sink){.event = bare_on_trace});
    const struct trp_runtime_config config = {.node = {.bare = true,
                                                       .behaviours = behaviours,
                                                       .behaviours_count = 3,
                                                       .recorder = &bare->recorder},
                                              .loop = loop};
    status = trp_runtime_open(&config, &bare->runtime);
    if (status != TRP_OK) {
        return status;
    }
    char text[TRP_PEER_ID_TEXT_MAX];
    bare->swarm = trp_node_swarm(trp_runtime_node(bare->runtime));
    bare->self = *trp_node_peer_id(trp_runtime_node(bare->runtime));
    bare->actor = (struct trp_actor_ref){.id = SEQUENCE + 1, .peer = bare->self};
    searches_init(&bare->self);
    trp_peer_id_print(&bare->self, text);
    event_text("ready", NULL, "peer", text);
    return TRP_OK;
}

int main(void)
{
    static struct bare bare = {
        .input = {.on_line = bare_on_line, .on_end = bare_on_end, .user = &bare}};
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    enum trp_status status = bare_begin(&bare, &loop);
    if (status != TRP_OK || !input_open(&bare.input, &loop)) {
        (void)fprintf(stderr, "bare: %s\n", trp_status_text(status));
        return 1;
    }
    while (!bare.closing) {
        trp_runtime_run(bare.runtime, TRP_NEVER);
    }
    input_close(&bare.input);
    trp_runtime_close(bare.runtime);
    trp_registry_close(bare.registry);
    trp_messaging_close(bare.messaging);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
