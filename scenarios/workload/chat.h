/* SPDX-License-Identifier: MIT */
/* workload/chat.h - a chat: a room tells its members what is said in it.
 *
 *   room      join { who: ref } -> u32                 links with the member; how many there are
 *             leave { who: ref } -> u32
 *             say { from: text, text: text } -> u32    tells every member; how many were told
 *             members {} -> u32
 *   member    enter { room: text } -> bool             finds the room by name and joins it
 *             heard { from: text, text: text }         a tell of the room
 *             count {} -> u64                          how often it heard something
 *
 * A member that dies leaves the room; so does one whose peer is lost.
 * Limits     64 members of a room; more is the error "full". */
#ifndef WORKLOAD_CHAT_H
#define WORKLOAD_CHAT_H

#include <troupe/actor.h>

#define CHAT_WHO(FIELD, TAG)   FIELD(TAG, REF, who)
#define CHAT_WORDS(FIELD, TAG) FIELD(TAG, TEXT, from) FIELD(TAG, TEXT, text)
#define CHAT_SIZE(FIELD, TAG)  FIELD(TAG, U32, members)
#define CHAT_ROOM(FIELD, TAG)  FIELD(TAG, TEXT, room)
#define CHAT_DONE(FIELD, TAG)  FIELD(TAG, BOOL, joined)
#define CHAT_COUNT(FIELD, TAG) FIELD(TAG, U64, heard)
#define CHAT_ERROR(FIELD, TAG) FIELD(TAG, TEXT, text)

TRP_MESSAGE_DECLARE(chat_join, CHAT_WHO);
TRP_MESSAGE_DECLARE(chat_leave, CHAT_WHO);
TRP_MESSAGE_DECLARE(chat_say, CHAT_WORDS);
TRP_MESSAGE_DECLARE_EMPTY(chat_members);
TRP_MESSAGE_DECLARE(chat_size, CHAT_SIZE);
TRP_MESSAGE_DECLARE(chat_error, CHAT_ERROR);
TRP_MESSAGE_DECLARE(chat_enter, CHAT_ROOM);
TRP_MESSAGE_DECLARE(chat_joined, CHAT_DONE);
TRP_MESSAGE_DECLARE(chat_heard, CHAT_WORDS);
TRP_MESSAGE_DECLARE_EMPTY(chat_ask_count);
TRP_MESSAGE_DECLARE(chat_count, CHAT_COUNT);

extern const struct trp_actor_type chat_room_actor_type;
extern const struct trp_actor_type chat_member_actor_type;

#endif
