/* SPDX-License-Identifier: MIT */
/* interop/kameo/requests.h - messages to actors of other nodes, by the words of a command. */
#ifndef INTEROP_KAMEO_REQUESTS_H
#define INTEROP_KAMEO_REQUESTS_H

#include "interop/kameo/actors.h"
#include "interop/kameo/lines.h"
#include "interop/kameo/payloads.h"

#include <troupe/command.h>

/* TYPE ID MESSAGE [ARGUMENT] [mailbox=MS] [reply=MS] [try] [enqueue] */
struct request {
    uint64_t tag;
    struct trp_actor_ref to;
    const struct trp_message_type *type;
    const struct trp_message_type *reply; /* NULL: there is nothing to look at */
    const struct payload *payload;        /* what message and reply are, or NULL */
    trp_time mailbox_timeout_ns;
    trp_time reply_timeout_ns;
    bool immediate;
    bool enqueue; /* the outcome is kept until it is collected */
    union {
        struct nap nap;
        struct note note;
        struct fail fail;
        struct swallow swallow;
        struct weigh weigh;
        struct meet meet;
    } body;
};

/* Gives as many bytes 0xff as wished, up to 8 MiB. */
struct trp_bytes load_of(uint64_t bytes);

/* Reads the words from `first` on; texts are borrowed. false: they make no sense. */
bool request_parse(uint64_t tag, const struct words *words, uint32_t first,
                   struct request *ret_request);
/* Borrows what is to be sent. */
const void *request_message(const struct request *request);
/* Sends it as a command of the node; the answer comes from request_on_result. */
enum trp_status request_command(const struct request *request, enum trp_command_kind kind,
                                struct trp_command *ret_command, uint8_t *room, size_t room_bytes);
/* Keeps a copy until its outcome; 0 when there is no room. */
uint64_t request_keep(const struct request *request);

/* Answer the line with an outcome: of a command, and of an actor's ask. */
void request_on_result(const struct trp_result *result);
void request_on_reply(const struct trp_reply *reply);

#endif
