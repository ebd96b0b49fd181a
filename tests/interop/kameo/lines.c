/* SPDX-License-Identifier: MIT */
#include "interop/kameo/lines.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1024u

struct words words_split(struct trp_bytes line)
{
    struct words words = {.count = 0};
    while (line.size > 0 && words.count < WORDS_MAX) {
        const uint8_t *space = memchr(line.data, ' ', line.size);
        size_t size = space == NULL ? line.size : (size_t)(space - line.data);
        words.at[words.count++] = trp_bytes(line.data, size);
        line = trp_bytes_skip(line, size + 1);
    }
    return words;
}

bool word_is(struct trp_bytes word, const char *text)
{
    return trp_bytes_equal(word, trp_bytes_text(text));
}

uint64_t word_number(struct trp_bytes word)
{
    uint64_t number = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') {
            return 0;
        }
        number = number * 10 + (uint64_t)(word.data[i] - '0');
    }
    return number;
}

void ref_print(const struct trp_actor_ref *ref, const struct trp_peer_id *own,
               char ret_text[REF_TEXT_MAX])
{
    struct trp_bytes peer = trp_peer_id_bytes(ref->peer.size == 0 ? own : &ref->peer);
    uint64_t sequence = ref->id - 1;
    size_t at = 0;
    for (uint32_t i = 0; i < 8; i++) {
        at += (size_t)snprintf(ret_text + at, REF_TEXT_MAX - at, "%02x",
                               (unsigned)(sequence >> (8 * i) & 0xff));
    }
    for (size_t i = 0; i < peer.size; i++) {
        at += (size_t)snprintf(ret_text + at, REF_TEXT_MAX - at, "%02x", (unsigned)peer.data[i]);
    }
}

static int digit_of(uint8_t c)
{
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= '0' && c <= '9' ? c - '0' : -1;
}

bool ref_parse(struct trp_bytes text, struct trp_actor_ref *ret_ref)
{
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    size_t size = text.size / 2;
    if (text.size % 2 != 0 || size < 8 || size > sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int high = digit_of(text.data[2 * i]);
        int low = digit_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    struct trp_actor_ref ref = {.id = 0};
    for (uint32_t i = 0; i < 8; i++) {
        ref.id |= (uint64_t)bytes[i] << (8 * i);
    }
    ref.id++;
    if (size > 8 && trp_peer_id_decode(trp_bytes(bytes + 8, size - 8), &ref.peer) != TRP_OK) {
        return false;
    }
    *ret_ref = ref;
    return true;
}

/* Writes a text of ours or of a trace: no control characters but those of the trace's text. */
static void put_quoted(struct trp_bytes text)
{
    (void)putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            (void)putchar('\\');
        }
        (void)putchar(text.data[i] < 0x20 ? '?' : text.data[i]);
    }
    (void)putchar('"');
}

static void put_pair(const char *key, const char *text)
{
    (void)printf(", \"%s\": ", key);
    put_quoted(trp_bytes_text(text));
}

static void end_line(void)
{
    (void)printf("}\n");
    (void)fflush(stdout);
}

void answer_json(uint64_t tag, const char *json)
{
    (void)printf("{\"tag\": \"%" PRIu64 "\", \"ok\": %s", tag, json);
    end_line();
}

void answer_text(uint64_t tag, const char *text)
{
    (void)printf("{\"tag\": \"%" PRIu64 "\", \"ok\": ", tag);
    put_quoted(trp_bytes_text(text));
    end_line();
}

void answer_error(uint64_t tag, enum trp_status status, const char *json)
{
    (void)printf("{\"tag\": \"%" PRIu64 "\", \"error\": \"%s\", \"text\": %s", tag,
                 trp_status_name(status), json);
    end_line();
}

static void begin_event(const char *event, const char *actor)
{
    (void)printf("{\"event\": \"%s\"", event);
    if (actor != NULL) {
        put_pair("actor", actor);
    }
}

void event_text(const char *event, const char *actor, const char *key, const char *text)
{
    begin_event(event, actor);
    put_pair(key, text);
    end_line();
}

void event_number(const char *event, const char *actor, const char *key, uint64_t number)
{
    begin_event(event, actor);
    (void)printf(", \"%s\": %" PRIu64, key, number);
    end_line();
}

static const char *reason_name(enum trp_stop_reason reason)
{
    static const char *const names[] = {
        [TRP_STOP_NORMAL] = "Normal",      [TRP_STOP_SUPERVISOR_RESTART] = "SupervisorRestart",
        [TRP_STOP_KILLED] = "Killed",      [TRP_STOP_PANICKED] = "Panicked",
        [TRP_STOP_LINK_DIED] = "LinkDied", [TRP_STOP_PEER_DISCONNECTED] = "PeerDisconnected"};
    return names[reason];
}

void event_death(const char *event, const char *actor, const struct death *death)
{
    const struct trp_stop_cause *cause = death->cause;
    begin_event(event, actor);
    if (death->of != NULL) {
        put_pair("of", death->of);
    }
    put_pair("reason", reason_name(death->reason));
    if (cause != NULL) {
        char through[REF_TEXT_MAX] = "";
        (void)printf(", \"detail\": {\"text\": ");
        put_quoted(cause->text);
        if (cause->links_count > 0) {
            ref_print(&cause->links[0], death->own, through);
        }
        put_pair("through", through);
        put_pair("root", reason_name(cause->root));
        (void)putchar('}');
    }
    end_line();
}

void event_connection(const char *event, const char *peer, uint32_t connections, const char *cause)
{
    begin_event(event, NULL);
    put_pair("peer", peer);
    (void)printf(", \"connections\": %" PRIu32, connections);
    put_pair("cause", cause);
    end_line();
}

void event_trace(const struct trp_trace_event *event)
{
    char line[LINE_MAX_BYTES];
    (void)trp_trace_print(event, line, sizeof line);
    begin_event("trace", NULL);
    put_pair("name", event->kind->name);
    put_pair("line", line);
    end_line();
}
