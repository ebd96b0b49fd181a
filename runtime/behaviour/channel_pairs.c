/* SPDX-License-Identifier: MIT */
#include "behaviour/channel_pairs.h"

struct trp_channel_pair {
    uint32_t type_size;
    uint32_t message_size;
    uint8_t bytes[]; /* of both */
};

void trp_channel_pairs_deinit(struct trp_channel_pairs *pairs)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        trp_memory_free(pairs->memory, pairs->pairs[i]);
    }
    trp_memory_free(pairs->memory, pairs->pairs);
    *pairs = trp_channel_pairs_init(pairs->memory);
}

static bool pairs_grow(struct trp_channel_pairs *pairs, uint32_t count)
{
    if (count > pairs->room) {
        uint32_t room = pairs->room == 0 ? 4 : pairs->room * 2;
        room = room < count ? count : room;
        void *grown = trp_memory_resize(pairs->memory, pairs->pairs,
                                        room * sizeof(struct trp_channel_pair *));
        if (grown == NULL) {
            return false;
        }
        pairs->pairs = grown;
        pairs->room = room;
    }
    for (; pairs->count < count; pairs->count++) {
        pairs->pairs[pairs->count] = NULL;
    }
    return true;
}

enum trp_status trp_channel_pairs_set(struct trp_channel_pairs *pairs, uint64_t number,
                                      struct trp_bytes actor_type, struct trp_bytes message)
{
    if (number >= TRP_CHANNEL_PAIRS_MAX || actor_type.size > TRP_CHANNEL_PAIR_BYTES_MAX ||
        message.size > TRP_CHANNEL_PAIR_BYTES_MAX - actor_type.size) {
        return TRP_EVIOLATION;
    }
    struct trp_channel_pair *pair =
        trp_memory_alloc(pairs->memory, sizeof *pair + actor_type.size + message.size);
    if (pair == NULL || !pairs_grow(pairs, (uint32_t)number + 1)) {
        trp_memory_free(pairs->memory, pair);
        return TRP_ENOMEM;
    }
    pair->type_size = (uint32_t)actor_type.size;
    pair->message_size = (uint32_t)message.size;
    if (actor_type.size > 0) {
        memcpy(pair->bytes, actor_type.data, actor_type.size);
    }
    if (message.size > 0) {
        memcpy(pair->bytes + actor_type.size, message.data, message.size);
    }
    trp_memory_free(pairs->memory, pairs->pairs[number]);
    pairs->pairs[number] = pair;
    return TRP_OK;
}

bool trp_channel_pairs_get(const struct trp_channel_pairs *pairs, uint64_t number,
                           struct trp_bytes *ret_actor_type, struct trp_bytes *ret_message)
{
    if (number >= pairs->count || pairs->pairs[number] == NULL) {
        return false;
    }
    const struct trp_channel_pair *pair = pairs->pairs[number];
    *ret_actor_type = trp_bytes(pair->bytes, pair->type_size);
    *ret_message = trp_bytes(pair->bytes + pair->type_size, pair->message_size);
    return true;
}

static bool pair_is(const struct trp_channel_pair *pair, struct trp_bytes actor_type,
                    struct trp_bytes message)
{
    return pair != NULL && pair->type_size == actor_type.size &&
           pair->message_size == message.size &&
           trp_bytes_equal(trp_bytes(pair->bytes, actor_type.size), actor_type) &&
           trp_bytes_equal(trp_bytes(pair->bytes + actor_type.size, message.size), message);
}

enum trp_status trp_channel_pairs_intern(struct trp_channel_pairs *pairs,
                                         struct trp_bytes actor_type, struct trp_bytes message,
                                         uint32_t *ret_number, bool *ret_new)
{
    *ret_new = false;
    uint32_t number = pairs->newest; /* nearly always */
    if (number >= pairs->count || !pair_is(pairs->pairs[number], actor_type, message)) {
        number = 0;
        while (number < pairs->count && !pair_is(pairs->pairs[number], actor_type, message)) {
            number++;
        }
    }
    if (number == pairs->count) {
        *ret_new = true;
        if (number == TRP_CHANNEL_PAIRS_MAX) {
            number = pairs->next;
        }
        enum trp_status status = trp_channel_pairs_set(pairs, number, actor_type, message);
        if (status != TRP_OK) {
            return status == TRP_ENOMEM ? status : TRP_ETOOBIG;
        }
        pairs->next = (number + 1) % TRP_CHANNEL_PAIRS_MAX;
    }
    pairs->newest = number;
    *ret_number = number;
    return TRP_OK;
}

void trp_channel_pairs_forget(struct trp_channel_pairs *pairs, uint32_t number)
{
    trp_memory_free(pairs->memory, pairs->pairs[number]);
    pairs->pairs[number] = NULL;
}
