/* SPDX-License-Identifier: MIT */
#include "interop/kameo/requests.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_MAX   256u
#define LOAD_MAX   (8u * 1024 * 1024)
#define JSON_BYTES 4096u

/* A type that a probe does not have, and one of its types that looks otherwise. */
#define JUGGLE(FIELD, TAG) FIELD(TAG, U64, ms)
#define SIESTA(FIELD, TAG) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(juggle, JUGGLE);
TRP_MESSAGE_DEFINE(juggle, "juggle", JUGGLE);
TRP_MESSAGE_DECLARE(siesta, SIESTA);
TRP_MESSAGE_DEFINE_NEWTYPE(siesta, "nap", SIESTA);

static struct request kept[KEPT_MAX];
static bool is_kept[KEPT_MAX];

struct trp_bytes load_of(uint64_t bytes)
{
    static uint8_t *load;
    if (load == NULL) {
        load = malloc(LOAD_MAX);
        if (load == NULL) {
            abort();
        }
        memset(load, 0xff, LOAD_MAX);
    }
    return trp_bytes(load, bytes < LOAD_MAX ? (size_t)bytes : LOAD_MAX);
}

/* ---- words to messages ---- */

static void parse_option(struct trp_bytes word, struct trp_bytes *ret_argument,
                         struct request *request)
{
    static const char mailbox[] = "mailbox=";
    static const char reply[] = "reply=";
    if (word_is(word, "try")) {
        request->immediate = true;
    } else if (word_is(word, "enqueue")) {
        request->enqueue = true;
    } else if (word.size > sizeof mailbox - 1 &&
               memcmp(word.data, mailbox, sizeof mailbox - 1) == 0) {
        request->mailbox_timeout_ns = TRP_MS(word_number(trp_bytes_skip(word, sizeof mailbox - 1)));
    } else if (word.size > sizeof reply - 1 && memcmp(word.data, reply, sizeof reply - 1) == 0) {
        request->reply_timeout_ns = TRP_MS(word_number(trp_bytes_skip(word, sizeof reply - 1)));
    } else {
        *ret_argument = word;
    }
}

/* What a stranger knows of probes is wrong: what they take, what a nap is, what a note is answered
 * with. */
static bool parse_stranger(struct trp_bytes message, struct request *request)
{
    request->to.type = trp_actor_type_hash(trp_bytes_text(probe_type.id));
    request->body.note.text = trp_bytes_text("siesta");
    if (word_is(message, juggle_type.id)) {
        request->body.nap.ms = 0;
        request->type = &juggle_type;
    } else if (word_is(message, siesta_type.id)) {
        request->type = &siesta_type;
    } else if (word_is(message, note_type.id)) {
        request->type = &note_type;
        request->reply = &number_type;
    }
    return request->type != NULL;
}

static bool parse_message(struct trp_bytes message, struct trp_bytes argument,
                          struct request *request)
{
    request->payload = payload_find(message);
    if (request->payload != NULL) {
        request->type = request->reply = request->payload->type;
    } else if (word_is(message, nap_type.id)) {
        request->type = &nap_type;
        request->reply = &number_type;
        request->body.nap.ms = word_number(argument);
    } else if (word_is(message, note_type.id)) {
        request->type = &note_type;
        request->reply = &trp_unit_type;
        request->body.note.text = argument;
    } else if (word_is(message, fail_type.id)) {
        request->type = &fail_type;
        request->body.fail.code = (uint32_t)word_number(argument);
    } else if (word_is(message, panic_type.id)) {
        request->type = &panic_type;
    } else if (word_is(message, swallow_type.id)) {
        request->type = &swallow_type;
        request->reply = &number_type;
        request->body.swallow.load = load_of(word_number(argument));
    } else if (word_is(message, weigh_type.id)) {
        request->type = &weigh_type;
        request->reply = &load_type;
        request->body.weigh.bytes = word_number(argument);
    } else if (word_is(message, meet_type.id)) {
        request->type = &meet_type;
        request->reply = &met_type;
        return ref_parse(argument, &request->body.meet.acquaintance);
    } else {
        return false;
    }
    return true;
}

bool request_parse(uint64_t tag, const struct words *words, uint32_t first,
                   struct request *ret_request)
{
    struct trp_bytes argument = TRP_BYTES_NONE;
    *ret_request = (struct request){.tag = tag};
    if (words->count < first + 3 || !ref_parse(words->at[first + 1], &ret_request->to)) {
        return false;
    }
    for (uint32_t i = first + 3; i < words->count; i++) {
        parse_option(words->at[i], &argument, ret_request);
    }
    ret_request->to.type = trp_actor_type_hash(words->at[first]);
    if (word_is(words->at[first], "stranger")) {
        return parse_stranger(words->at[first + 2], ret_request);
    }
    return parse_message(words->at[first + 2], argument, ret_request);
}

const void *request_message(const struct request *request)
{
    if (request->payload != NULL) {
        return request->payload->sample;
    }
    return request->type->size == 0 ? NULL : &request->body;
}

/* ---- sending ---- */

uint64_t request_keep(const struct request *request)
{
    for (uint64_t i = 0; i < KEPT_MAX; i++) {
        if (!is_kept[i]) {
            is_kept[i] = true;
            kept[i] = *request;
            return i + 1;
        }
    }
    return 0;
}

static struct request request_take(uint64_t id)
{
    is_kept[id - 1] = false;
    return kept[id - 1];
}

enum trp_status request_command(const struct request *request, enum trp_command_kind kind,
                                struct trp_command *ret_command, uint8_t *room, size_t room_bytes)
{
    size_t size;
    enum trp_status status =
        trp_message_encode(request->type, request_message(request), room, room_bytes, &size);
    uint64_t id = status == TRP_OK ? request_keep(request) : 0;
    if (id == 0) {
        return status == TRP_OK ? TRP_EFULL : status;
    }
    *ret_command = (struct trp_command){.kind = kind,
                                        .request = id,
                                        .ref = request->to,
                                        .message = trp_bytes_text(request->type->id),
                                        .payload = trp_bytes(room, size),
                                        .immediate = request->immediate,
                                        .mailbox_timeout_ns = request->mailbox_timeout_ns,
                                        .reply_timeout_ns = request->reply_timeout_ns};
    return TRP_OK;
}

/* ---- outcomes ---- */

static void answer_load(uint64_t tag, struct trp_bytes load)
{
    char json[JSON_BYTES];
    bool intact = true;
    for (size_t i = 0; i < load.size; i++) {
        intact = intact && load.data[i] == 0xff;
    }
    (void)snprintf(json, sizeof json, "{\"bytes\": %zu, \"intact\": %s}", load.size,
                   intact ? "true" : "false");
    answer_json(tag, json);
}

static void answer_reply(const struct request *request, const void *reply)
{
    char text[JSON_BYTES];
    if (request->payload != NULL) {
        if (payload_is_sample(request->payload, reply)) {
            answer_json(request->tag, "null");
        } else {
            answer_error(request->tag, TRP_EVIOLATION, "\"the reply is not the sample\"");
        }
    } else if (request->reply == &number_type) {
        const struct number *number = reply;
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number->number);
        answer_json(request->tag, text);
    } else if (request->reply == &load_type) {
        answer_load(request->tag, ((const struct load *)reply)->load);
    } else if (request->reply == &met_type) {
        const struct met *met = reply;
        ref_print(&met->by, &met->by.peer, text);
        answer_text(request->tag, text);
    } else {
        answer_json(request->tag, "null");
    }
}

static void answer_failure(const struct request *request, enum trp_status status,
                           struct trp_bytes payload)
{
    char json[JSON_BYTES] = "\"\"";
    if (payload.size > 0) {
        (void)trp_msgpack_print(payload, json, sizeof json);
    }
    answer_error(request->tag, status, json);
}

void request_on_result(const struct trp_result *result)
{
    union {
        struct number number;
        struct load load;
        struct met met;
        uint8_t bytes[1024];
    } reply;
    const struct request request = request_take(result->request);
    enum trp_status status = result->status;
    if (status != TRP_OK || result->kind != TRP_CMD_ASK || request.reply == NULL) {
        if (status == TRP_OK) {
            answer_json(request.tag, "null");
        } else {
            answer_failure(&request, status, result->payload);
        }
        return;
    }
    static uint8_t memory[64 * 1024];
    status = trp_message_decode_in(request.reply, result->payload, memory, sizeof memory, &reply);
    if (status == TRP_OK) {
        answer_reply(&request, &reply);
    } else {
        answer_failure(&request, status, TRP_BYTES_NONE);
    }
}

void request_on_reply(const struct trp_reply *reply)
{
    const struct request request = request_take(reply->user);
    if (reply->status == TRP_OK && reply->message == NULL) {
        answer_json(request.tag, "null"); /* of nothing, or of a tell */
    } else if (reply->status == TRP_OK) {
        answer_reply(&request, reply->message);
    } else {
        answer_failure(&request, reply->status, reply->payload);
    }
}
