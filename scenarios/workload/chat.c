/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/chat.h"

#define MEMBERS_MAX    64u
#define NAME_BYTES_MAX 256u

TRP_MESSAGE_DEFINE(chat_join, "join", CHAT_WHO);
TRP_MESSAGE_DEFINE(chat_leave, "leave", CHAT_WHO);
TRP_MESSAGE_DEFINE(chat_say, "say", CHAT_WORDS);
TRP_MESSAGE_DEFINE_EMPTY(chat_members, "members");
TRP_MESSAGE_DEFINE_NEWTYPE(chat_size, "size", CHAT_SIZE);
TRP_MESSAGE_DEFINE_NEWTYPE(chat_error, "error", CHAT_ERROR);
TRP_MESSAGE_DEFINE(chat_enter, "enter", CHAT_ROOM);
TRP_MESSAGE_DEFINE_NEWTYPE(chat_joined, "joined", CHAT_DONE);
TRP_MESSAGE_DEFINE(chat_heard, "heard", CHAT_WORDS);
TRP_MESSAGE_DEFINE_EMPTY(chat_ask_count, "count");
TRP_MESSAGE_DEFINE_NEWTYPE(chat_count, "count", CHAT_COUNT);

/* A tell wants no answer: that is fine. */
static enum trp_status answered(enum trp_status status)
{
    return status == TRP_ESTATE ? TRP_OK : status;
}

/* ---- the room ---- */

struct room {
    uint32_t count;
    struct trp_actor_ref members[MEMBERS_MAX]; /* in the order they joined */
};

static enum trp_status room_answer(struct trp_context *ctx, uint32_t members)
{
    const struct chat_size reply = {.members = members};
    return answered(trp_reply(ctx, &chat_size_type, &reply));
}

/* Gives the index of a member; `count` when it is none. */
static uint32_t room_find(const struct room *room, const struct trp_actor_ref *who)
{
    uint32_t i = 0;
    while (i < room->count && !trp_actor_ref_equal(&room->members[i], who)) {
        i++;
    }
    return i;
}

static void room_remove(struct room *room, const struct trp_actor_ref *who)
{
    uint32_t index = room_find(room, who);
    if (index < room->count) {
        room->count--;
        memmove(&room->members[index], &room->members[index + 1],
                (room->count - index) * sizeof room->members[0]);
    }
}

static enum trp_status on_join(struct trp_context *ctx, void *state, const void *message)
{
    struct room *room = state;
    struct trp_actor_ref who = ((const struct chat_join *)message)->who;
    /* A reference in a message does not say of what type the actor is. */
    who.type = trp_actor_type_hash(trp_bytes_text(chat_member_actor_type.id));
    if (room_find(room, &who) == room->count) {
        const struct chat_error full = {.text = trp_bytes_text("full")};
        const struct chat_error lost = {.text = trp_bytes_text("no such member")};
        if (room->count == MEMBERS_MAX) {
            return answered(trp_reply_error(ctx, &chat_error_type, &full));
        }
        if (trp_link(ctx, &who) != TRP_OK) {
            return answered(trp_reply_error(ctx, &chat_error_type, &lost));
        }
        room->members[room->count++] = who;
    }
    return room_answer(ctx, room->count);
}

static enum trp_status on_leave(struct trp_context *ctx, void *state, const void *message)
{
    struct room *room = state;
    const struct chat_leave *leave = message;
    room_remove(room, &leave->who);
    TRP_IGNORE(trp_unlink(ctx, &leave->who)); /* ENOTFOUND: it was no member */
    return room_answer(ctx, room->count);
}

static enum trp_status on_say(struct trp_context *ctx, void *state, const void *message)
{
    const struct room *room = state;
    const struct chat_say *say = message;
    const struct chat_heard heard = {.from = say->from, .text = say->text};
    uint32_t told = 0;
    for (uint32_t i = 0; i < room->count; i++) {
        told += trp_tell(ctx, &room->members[i], &chat_heard_type, &heard) == TRP_OK;
    }
    return room_answer(ctx, told);
}

static enum trp_status on_members(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    return room_answer(ctx, ((const struct room *)state)->count);
}

static bool room_on_link_died(struct trp_context *ctx, void *state,
                              const struct trp_link_death *death)
{
    (void)ctx;
    room_remove(state, &death->actor);
    return true;
}

static const struct trp_actor_handler room_handlers[] = {
    {.message = &chat_join_type, .reply = &chat_size_type, .handle = on_join},
    {.message = &chat_leave_type, .reply = &chat_size_type, .handle = on_leave},
    {.message = &chat_say_type, .reply = &chat_size_type, .handle = on_say},
    {.message = &chat_members_type, .reply = &chat_size_type, .handle = on_members},
};

const struct trp_actor_type chat_room_actor_type = {.id = "room",
                                                    .state_bytes = sizeof(struct room),
                                                    .handlers = room_handlers,
                                                    .handlers_count = sizeof room_handlers /
                                                                      sizeof room_handlers[0],
                                                    .on_link_died = room_on_link_died};

/* ---- a member ---- */

struct member {
    uint64_t heard;
};

/* `user` is the token of whoever had it enter. */
static enum trp_status member_answer(struct trp_context *ctx, uint64_t token, bool joined)
{
    const struct chat_joined reply = {.joined = joined};
    return answered(trp_reply_to(ctx, token, &chat_joined_type, &reply));
}

static enum trp_status on_joined(struct trp_context *ctx, void *state,
                                 const struct trp_reply *reply)
{
    (void)state;
    return member_answer(ctx, reply->user, reply->status == TRP_OK);
}

static enum trp_status on_room_found(struct trp_context *ctx, void *state,
                                     const struct trp_lookup_result *result)
{
    (void)state;
    if (result->status == TRP_OK && result->ref.id != 0) {
        const struct chat_join join = {.who = trp_self(ctx)};
        const struct trp_ask_options options = {
            .reply = &chat_size_type, .on_reply = on_joined, .user = result->user};
        if (trp_ask(ctx, &result->ref, &chat_join_type, &join, &options) == TRP_OK) {
            return TRP_OK;
        }
    }
    return member_answer(ctx, result->user, false);
}

static enum trp_status on_enter(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct chat_enter *enter = message;
    char name[NAME_BYTES_MAX];
    const struct chat_error error = {.text = trp_bytes_text("no such name")};
    if (enter->room.size == 0 || enter->room.size >= sizeof name) {
        return answered(trp_reply_error(ctx, &chat_error_type, &error));
    }
    memcpy(name, enter->room.data, enter->room.size);
    name[enter->room.size] = '\0';
    return trp_lookup(ctx, name, false, on_room_found, trp_reply_later(ctx));
}

static enum trp_status on_heard(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    (void)message;
    struct member *member = state;
    member->heard++;
    return TRP_OK;
}

static enum trp_status on_count(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const struct chat_count reply = {.heard = ((const struct member *)state)->heard};
    return answered(trp_reply(ctx, &chat_count_type, &reply));
}

/* The room is gone; the member can enter another. */
static bool member_on_link_died(struct trp_context *ctx, void *state,
                                const struct trp_link_death *death)
{
    (void)ctx;
    (void)state;
    (void)death;
    return true;
}

static const struct trp_actor_handler member_handlers[] = {
    {.message = &chat_enter_type, .reply = &chat_joined_type, .handle = on_enter},
    {.message = &chat_heard_type, .reply = &trp_unit_type, .handle = on_heard},
    {.message = &chat_ask_count_type, .reply = &chat_count_type, .handle = on_count},
};

const struct trp_actor_type chat_member_actor_type = {.id = "member",
                                                      .state_bytes = sizeof(struct member),
                                                      .handlers = member_handlers,
                                                      .handlers_count = sizeof member_handlers /
                                                                        sizeof member_handlers[0],
                                                      .on_link_died = member_on_link_died};
