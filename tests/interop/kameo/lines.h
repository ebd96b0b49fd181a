/* SPDX-License-Identifier: MIT */
/* interop/kameo/lines.h - the line protocol: commands come in as words, answers and events go out
 * as JSON, one a line. */
#ifndef INTEROP_KAMEO_LINES_H
#define INTEROP_KAMEO_LINES_H

#include <troupe/actor.h>
#include <troupe/base.h>
#include <troupe/trace.h>

#define WORDS_MAX    12u
#define REF_TEXT_MAX (TRP_ACTOR_REF_BYTES_MAX * 2u + 1u)

struct words {
    struct trp_bytes at[WORDS_MAX];
    uint32_t count;
};

/* Splits at spaces; borrows from `line`. */
struct words words_split(struct trp_bytes line);
bool word_is(struct trp_bytes word, const char *text);
/* Gives 0 for what is no number. */
uint64_t word_number(struct trp_bytes word);

/* An id as Kameo's ActorId has it, in hexadecimal. `own` stands for a ref without a peer. */
void ref_print(const struct trp_actor_ref *ref, const struct trp_peer_id *own,
               char ret_text[REF_TEXT_MAX]);
bool ref_parse(struct trp_bytes text, struct trp_actor_ref *ret_ref);

/* What is told of a death. */
struct death {
    const char *of; /* NULL: of the actor itself */
    enum trp_stop_reason reason;
    const struct trp_stop_cause *cause; /* NULL: no more is known */
    const struct trp_peer_id *own;      /* of refs without a peer */
};

/* Write one line each. `json` is a value already encoded. */
void answer_json(uint64_t tag, const char *json);
void answer_text(uint64_t tag, const char *text);
void answer_error(uint64_t tag, enum trp_status status, const char *json);
void event_text(const char *event, const char *actor, const char *key, const char *text);
void event_number(const char *event, const char *actor, const char *key, uint64_t number);
void event_death(const char *event, const char *actor, const struct death *death);
void event_connection(const char *event, const char *peer, uint32_t connections, const char *cause);
void event_trace(const struct trp_trace_event *event);

#endif
