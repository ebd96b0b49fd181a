/* SPDX-License-Identifier: MIT */
/* interop/kameo/peer.c - a node that is told what to do, line by line: the counterpart of the Kameo
 * node in common/node.rs, on the public headers alone. README.md lists the commands.
 *
 *     peer [LIMIT=VALUE…] [allow=PEER…] [accept_unlinked_deaths] [bootstrap=ADDRESS]
 * LIMIT is a field of struct trp_limits, spans are in milliseconds; only those allowed, if any, may
 * send messages and links; with an address to listen on, the node is what trp_bootstrap makes.
 * It ends with its standard input. */
#include "interop/kameo/actors.h"
#include "interop/kameo/input.h"
#include "interop/kameo/lines.h"
#include "interop/kameo/requests.h"
#include "interop/kameo/searches.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES    4096u
#define PAYLOAD_BYTES (2u * 1024 * 1024)
#define DIALS_MAX     16u
#define ALLOWED_MAX   8u
/* Requests of the node that are no messages: those have the small numbers of requests.c. */
#define REQUEST_LINE (UINT64_C(1) << 32)

struct dial {
    uint64_t tag; /* 0: a free place */
    struct trp_multiaddr address;
};

struct peer {
    struct trp_runtime *runtime;
    struct trp_swarm *swarm;
    struct trp_recorder recorder;
    struct trp_peer_id self;
    struct trp_actor_ref manager;
    uint64_t listen_tag;
    struct dial dials[DIALS_MAX];
    uint8_t payload[PAYLOAD_BYTES];
    struct input input;
    bool closing;
};

/* ---- what happens ---- */

static void peer_on_trace(void *self, const struct trp_trace_event *event)
{
    (void)self;
    event_trace(event);
}

static void watch_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct peer *peer = self;
    (void)index;
    peer->swarm = swarm;
}

static struct dial *dial_find(struct peer *peer, const struct trp_multiaddr *address)
{
    for (uint32_t i = 0; i < DIALS_MAX; i++) {
        if (peer->dials[i].tag != 0 && trp_multiaddr_equal(&peer->dials[i].address, address)) {
            return &peer->dials[i];
        }
    }
    return NULL;
}

static void watch_connected(void *self, const struct trp_connection_info *connection)
{
    struct peer *peer = self;
    char text[TRP_PEER_ID_TEXT_MAX];
    struct dial *dial = connection->outbound ? dial_find(peer, &connection->remote) : NULL;
    trp_peer_id_print(&connection->peer, text);
    event_connection("connected", text, connection->peer_connections, "");
    if (dial != NULL) {
        answer_text(dial->tag, text);
        dial->tag = 0;
    }
}

static void watch_disconnected(void *self, const struct trp_connection_info *connection,
                               enum trp_status reason)
{
    (void)self;
    char text[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(&connection->peer, text);
    event_connection("closed", text, connection->peer_connections, trp_status_name(reason));
}

static void watch_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct peer *peer = self;
    for (uint32_t i = 0; i < report->attempts_count; i++) {
        const struct trp_multiaddr address =
            trp_multiaddr_without_peer(&report->attempts[i].address);
        struct dial *dial = dial_find(peer, &address);
        if (dial != NULL) {
            answer_error(dial->tag, report->status, "\"\"");
            dial->tag = 0;
        }
    }
}

static void watch_self_changed(void *self)
{
    struct peer *peer = self;
    struct trp_multiaddr address;
    char text[TRP_MULTIADDR_TEXT_MAX];
    if (peer->listen_tag != 0 && trp_swarm_listen_addresses(peer->swarm, &address, 1) > 0 &&
        trp_multiaddr_with_peer(&address, &peer->self, &address) == TRP_OK) {
        trp_multiaddr_print(&address, text);
        answer_text(peer->listen_tag, text);
        peer->listen_tag = 0;
    }
}

/* A behaviour beside ours: it only looks. */
static const struct trp_behaviour_ops watch_ops = {.name = "watch",
                                                   .attach = watch_attach,
                                                   .connected = watch_connected,
                                                   .disconnected = watch_disconnected,
                                                   .dial_failed = watch_dial_failed,
                                                   .self_changed = watch_self_changed};

/* ---- results ---- */

static void peer_on_result(void *user, const struct trp_result *result)
{
    struct peer *peer = user;
    char json[LINE_BYTES];
    if (result->request < REQUEST_LINE) {
        if (result->request != 0) {
            request_on_result(result);
        } else if (result->kind == TRP_CMD_SPAWN) {
            peer->manager = result->ref;
        }
        return;
    }
    uint64_t tag = result->request - REQUEST_LINE;
    bool answered_later = result->kind == TRP_CMD_LISTEN || result->kind == TRP_CMD_DIAL;
    if (result->kind == TRP_CMD_LOOKUP) {
        search_result(tag, result->status, &result->ref, result->last);
    } else if (result->status != TRP_OK) {
        answer_error(tag, result->status, "\"\"");
    } else if (result->kind == TRP_CMD_PEERS) {
        (void)trp_msgpack_print(result->payload, json, sizeof json);
        answer_json(tag, json);
    } else if (!answered_later) {
        answer_json(tag, "null");
    }
}

/* ---- lines ---- */

static void peer_command(struct peer *peer, uint64_t tag, struct trp_command *command)
{
    command->request = REQUEST_LINE + tag;
    enum trp_status status = trp_runtime_command(peer->runtime, command);
    if (status != TRP_OK) {
        answer_error(tag, status, "\"\"");
    }
}

/* Hands the rest of the line to one of our actors. */
static void peer_order(struct peer *peer, uint64_t tag, const struct trp_actor_ref *actor,
                       struct trp_bytes line)
{
    size_t size;
    const struct order order = {.tag = tag, .line = line};
    enum trp_status status =
        trp_message_encode(&order_type, &order, peer->payload, sizeof peer->payload, &size);
    const struct trp_command tell = {.kind = TRP_CMD_TELL,
                                     .ref = *actor,
                                     .message = trp_bytes_text(order_type.id),
                                     .payload = trp_bytes(peer->payload, size)};
    if (status == TRP_OK) {
        status = trp_runtime_command(peer->runtime, &tell);
    }
    if (status != TRP_OK) {
        answer_error(tag, status, "\"\"");
    }
}

/* listen, dial and bootstrap ADDRESS */
static void peer_network(struct peer *peer, uint64_t tag, const struct words *words)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP};
    (void)snprintf(text, sizeof text, "%.*s", (int)words->at[1].size,
                   (const char *)words->at[1].data);
    if (trp_multiaddr_parse(text, &command.address, NULL) != TRP_OK) {
        answer_error(tag, TRP_EINVAL, "\"no address\"");
        return;
    }
    if (word_is(words->at[0], "listen")) {
        command.kind = TRP_CMD_LISTEN;
        peer->listen_tag = tag;
    } else if (word_is(words->at[0], "dial")) {
        command.kind = TRP_CMD_DIAL;
        for (uint32_t i = 0; i < DIALS_MAX; i++) {
            if (peer->dials[i].tag == 0) {
                peer->dials[i].address = trp_multiaddr_without_peer(&command.address);
                peer->dials[i].tag = tag;
                break;
            }
        }
    }
    peer_command(peer, tag, &command);
}

/* register ALIAS NAME, unregister NAME */
static void peer_name(struct peer *peer, uint64_t tag, const struct words *words)
{
    bool registers = word_is(words->at[0], "register");
    struct trp_command command = {.kind = registers ? TRP_CMD_REGISTER : TRP_CMD_UNREGISTER,
                                  .name = words->at[registers ? 2 : 1]};
    if (registers && !actor_find(words->at[1], &command.ref)) {
        answer_error(tag, TRP_ENOTFOUND, "\"no such actor\"");
        return;
    }
    peer_command(peer, tag, &command);
}

/* lookup, lookup_all and lookup_local TYPE NAME */
static void peer_lookup(struct peer *peer, uint64_t tag, const struct words *words)
{
    struct trp_command command = {.kind = TRP_CMD_LOOKUP,
                                  .all = word_is(words->at[0], "lookup_all"),
                                  .local = word_is(words->at[0], "lookup_local"),
                                  .name = words->at[2]};
    enum trp_status status = search_begin(tag, words->at[1]);
    if (status != TRP_OK) {
        answer_error(tag, status, "\"\"");
        return;
    }
    peer_command(peer, tag, &command);
}

/* link_others and unlink_others ID ID: probes of other nodes. */
static void peer_link_others(struct peer *peer, uint64_t tag, const struct words *words)
{
    struct trp_command command = {.kind = word_is(words->at[0], "link_others") ? TRP_CMD_LINK
                                                                               : TRP_CMD_UNLINK};
    if (!ref_parse(words->at[1], &command.ref) || !ref_parse(words->at[2], &command.other)) {
        answer_error(tag, TRP_EINVAL, "\"ID ID\"");
        return;
    }
    command.ref.type = command.other.type = trp_actor_type_hash(trp_bytes_text(probe_type.id));
    peer_command(peer, tag, &command);
}

/* ask and tell_ack TYPE ID MESSAGE …, as commands */
static void peer_request(struct peer *peer, uint64_t tag, const struct words *words)
{
    struct request request;
    struct trp_command command;
    bool asks = word_is(words->at[0], "ask");
    if (!request_parse(tag, words, 1, &request)) {
        answer_error(tag, TRP_EINVAL, "\"TYPE ID MESSAGE\"");
        return;
    }
    enum trp_status status = request_command(&request, asks ? TRP_CMD_ASK : TRP_CMD_TELL, &command,
                                             peer->payload, sizeof peer->payload);
    if (status == TRP_OK) {
        status = trp_runtime_command(peer->runtime, &command);
    }
    if (status != TRP_OK) {
        answer_error(tag, status, "\"\"");
    }
}

/* by ALIAS COMMAND…: an actor does it. */
static void peer_by(struct peer *peer, uint64_t tag, const struct words *words)
{
    struct trp_actor_ref actor;
    const struct trp_bytes *last = &words->at[words->count - 1];
    if (words->count < 3 || !actor_find(words->at[1], &actor)) {
        answer_error(tag, TRP_ENOTFOUND, "\"no such actor\"");
        return;
    }
    const uint8_t *rest = words->at[2].data;
    peer_order(peer, tag, &actor, trp_bytes(rest, (size_t)(last->data + last->size - rest)));
}

/* hang_up PEER: every connection with it, whatever it is needed for. */
static void peer_hang_up(struct peer *peer, uint64_t tag, struct trp_bytes word)
{
    struct trp_peer_id id;
    char text[TRP_PEER_ID_TEXT_MAX];
    struct trp_command step = {.kind = TRP_CMD_PEERS};
    (void)snprintf(text, sizeof text, "%.*s", (int)word.size, (const char *)word.data);
    if (trp_peer_id_parse(text, &id) != TRP_OK) {
        answer_error(tag, TRP_EINVAL, "\"no peer\"");
        return;
    }
    trp_swarm_close_peer(peer->swarm, &id, TRP_OK);
    peer_command(peer, tag, &step);
}

/* kameo_id PACKAGE MAJOR MODULE MESSAGE ACTOR */
static void peer_kameo_id(uint64_t tag, const struct words *words)
{
    char names[5][64];
    char id[TRP_KAMEO_MESSAGE_ID_MAX];
    for (uint32_t i = 0; i < 5; i++) {
        (void)snprintf(names[i], sizeof names[i], "%.*s", (int)words->at[1 + i].size,
                       (const char *)words->at[1 + i].data);
    }
    const struct trp_kameo_message_name name = {names[0], names[1], names[2], names[3], names[4]};
    trp_kameo_message_id(&name, id);
    answer_text(tag, id);
}

static void peer_inspect(struct peer *peer, uint64_t tag)
{
    struct trp_node_view view;
    char json[LINE_BYTES];
    trp_node_inspect(trp_runtime_node(peer->runtime), &view);
    (void)snprintf(json, sizeof json,
                   "{\"memory_bytes\": %llu, \"connections\": %u, \"streams\": %u, \"actors\": %u, "
                   "\"requests\": %u, \"kad_records\": %u, \"kad_providers\": %u}",
                   (unsigned long long)view.memory_bytes, view.connections, view.streams,
                   view.actors, view.requests, view.kad_records, view.kad_providers);
    answer_json(tag, json);
}

static void peer_on_line(void *user, struct trp_bytes line)
{
    struct peer *peer = user;
    const struct words all = words_split(line);
    uint64_t tag = all.count == 0 ? 0 : word_number(all.at[0]);
    if (tag == 0 || all.count < 2) {
        return;
    }
    const struct trp_bytes rest = trp_bytes_skip(line, all.at[0].size + 1);
    const struct words words = words_split(rest);
    struct trp_command peers = {.kind = TRP_CMD_PEERS};
    struct trp_command leave = {.kind = TRP_CMD_LEAVE};
    const struct trp_bytes verb = words.at[0];
    uint32_t count = words.count;
    if (count == 2 &&
        (word_is(verb, "listen") || word_is(verb, "dial") || word_is(verb, "bootstrap"))) {
        peer_network(peer, tag, &words);
    } else if ((count == 3 && word_is(verb, "register")) ||
               (count == 2 && word_is(verb, "unregister"))) {
        peer_name(peer, tag, &words);
    } else if (count == 3 && (word_is(verb, "lookup") || word_is(verb, "lookup_all") ||
                              word_is(verb, "lookup_local"))) {
        peer_lookup(peer, tag, &words);
    } else if (count == 3 && (word_is(verb, "link_others") || word_is(verb, "unlink_others"))) {
        peer_link_others(peer, tag, &words);
    } else if (word_is(verb, "ask") || word_is(verb, "tell_ack")) {
        peer_request(peer, tag, &words);
    } else if (word_is(verb, "by")) {
        peer_by(peer, tag, &words);
    } else if (word_is(verb, "spawn") || word_is(verb, "stop") || word_is(verb, "kill")) {
        peer_order(peer, tag, &peer->manager, rest);
    } else if (word_is(verb, "peers")) {
        peer_command(peer, tag, &peers);
    } else if (word_is(verb, "leave")) {
        peer_command(peer, tag, &leave);
    } else if (count == 2 && word_is(verb, "hang_up")) {
        peer_hang_up(peer, tag, words.at[1]);
    } else if (count == 6 && word_is(verb, "kameo_id")) {
        peer_kameo_id(tag, &words);
    } else if (word_is(verb, "inspect")) {
        peer_inspect(peer, tag);
    } else {
        answer_error(tag, TRP_EINVAL, "\"no such command\"");
    }
}

static void peer_on_end(void *user)
{
    struct peer *peer = user;
    peer->closing = true;
    trp_runtime_stop(peer->runtime);
}

/* ---- start ---- */

static bool set_limit(struct trp_limits *limits, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        return false;
    }
    size_t size = (size_t)(equals - text);
    uint64_t value = strtoull(equals + 1, NULL, 10);
#define SET_LIMIT(type, name, default_, minimum, reason)                                           \
    if (strlen(#name) == size && strncmp(#name, text, size) == 0) {                                \
        bool span = size > 3 && strncmp(equals - 3, "_ns", 3) == 0;                                \
        limits->name = (type)(span ? TRP_MS(value) : value);                                       \
        return true;                                                                               \
    }
    TRP_LIMITS_MAP(SET_LIMIT)
#undef SET_LIMIT
    return false;
}

/* What the arguments say. */
struct settings {
    struct trp_limits limits;
    struct trp_access_rule allowed[ALLOWED_MAX];
    uint32_t allowed_count;
    bool accept_unlinked_deaths;
    const char *bootstrap;
};

static bool set_allowed(struct settings *settings, const char *text)
{
    static const char key[] = "allow=";
    struct trp_access_rule rule = {.rights = TRP_ACCESS_MESSAGE | TRP_ACCESS_LINK};
    if (strncmp(text, key, sizeof key - 1) != 0 || settings->allowed_count == ALLOWED_MAX ||
        trp_peer_id_parse(text + sizeof key - 1, &rule.peer) != TRP_OK) {
        return false;
    }
    settings->allowed[settings->allowed_count++] = rule;
    return true;
}

static enum trp_status peer_begin(struct peer *peer, const struct settings *settings,
                                  uv_loop_t *loop)
{
    static const struct trp_actor_type *const types[] = {&probe_type, &other_type, &phantom_type,
                                                         &manager_type};
    const struct trp_behaviour watch = {.ops = &watch_ops, .self = peer};
    const struct trp_runtime_config config = {
        .node = {.actor_types = types,
                 .actor_types_count = 4,
                 .behaviours = &watch,
                 .behaviours_count = 1,
                 .limits = settings->limits,
                 .access = settings->allowed,
                 .access_count = settings->allowed_count,
                 .accept_unlinked_deaths = settings->accept_unlinked_deaths,
                 .recorder = &peer->recorder},
        .loop = loop,
        .on_result = peer_on_result,
        .user = peer};
    const struct trp_command manager = {.kind = TRP_CMD_SPAWN,
                                        .actor_type = trp_bytes_text(manager_type.id)};
    char text[TRP_PEER_ID_TEXT_MAX];
    trp_recorder_init(&peer->recorder, (struct trp_trace_sink){.event = peer_on_trace});
    enum trp_status status = settings->bootstrap == NULL
                                 ? trp_runtime_open(&config, &peer->runtime)
                                 : trp_bootstrap(settings->bootstrap, &config, &peer->runtime);
    if (status != TRP_OK) {
        return status;
    }
    peer->self = *trp_node_peer_id(trp_runtime_node(peer->runtime));
    actors_init(&peer->self);
    searches_init(&peer->self);
    trp_peer_id_print(&peer->self, text);
    status = trp_runtime_command(peer->runtime, &manager);
    event_text("ready", NULL, "peer", text);
    return status;
}

int main(int argc, char **argv)
{
    static struct peer peer = {
        .input = {.on_line = peer_on_line, .on_end = peer_on_end, .user = &peer}};
    static struct settings settings;
    uv_loop_t loop;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "accept_unlinked_deaths") == 0) {
            settings.accept_unlinked_deaths = true;
        } else if (strncmp(argv[i], "bootstrap=", 10) == 0) {
            settings.bootstrap = argv[i] + 10;
        } else if (!set_limit(&settings.limits, argv[i]) && !set_allowed(&settings, argv[i])) {
            (void)fprintf(stderr, "peer: no setting: %s\n", argv[i]);
            return 2;
        }
    }
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    enum trp_status status = peer_begin(&peer, &settings, &loop);
    if (status != TRP_OK || !input_open(&peer.input, &loop)) {
        (void)fprintf(stderr, "peer: %s\n", trp_status_text(status));
        return 1;
    }
    while (!peer.closing) {
        trp_runtime_run(peer.runtime, TRP_NEVER);
    }
    input_close(&peer.input);
    trp_runtime_close(peer.runtime);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
