/* SPDX-License-Identifier: MIT */
#include "simnet/happening.h"

#include "base/assert.h"

#define ARITY          4u
#define CAPACITY_FIRST 256u

static bool happens_before(const struct trp_happening *a, const struct trp_happening *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

enum trp_status trp_happenings_push(struct trp_happenings *happenings,
                                    const struct trp_happening *happening)
{
    if (happenings->sequence >> TRP_HAPPENING_SEQUENCE_BITS != 0) {
        return TRP_EFULL;
    }
    if (happenings->count == happenings->capacity) {
        if (happenings->capacity > UINT32_MAX / 2) {
            return TRP_EFULL;
        }
        uint32_t capacity = happenings->capacity == 0 ? CAPACITY_FIRST : happenings->capacity * 2;
        struct trp_happening *entries = trp_memory_resize(happenings->memory, happenings->entries,
                                                          (size_t)capacity * sizeof *entries);
        if (entries == NULL) {
            return TRP_ENOMEM;
        }
        happenings->entries = entries;
        happenings->capacity = capacity;
    }
    struct trp_happening added = *happening;
    added.order |= happenings->sequence++;
    uint32_t at = happenings->count++;
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;
        if (!happens_before(&added, &happenings->entries[parent])) {
            break;
        }
        happenings->entries[at] = happenings->entries[parent];
        at = parent;
    }
    happenings->entries[at] = added;
    return TRP_OK;
}

struct trp_happening trp_happenings_pop(struct trp_happenings *happenings)
{
    TRP_ASSERT(happenings->count > 0);
    struct trp_happening *entries = happenings->entries;
    struct trp_happening first = entries[0];
    struct trp_happening last = entries[--happenings->count];
    uint32_t count = happenings->count;
    uint32_t at = 0;
    for (uint32_t child = 1; child < count; child = at * ARITY + 1) {
        uint32_t end = child + ARITY < count ? child + ARITY : count;
        uint32_t least = child;
        for (uint32_t i = child + 1; i < end; i++) {
            if (happens_before(&entries[i], &entries[least])) {
                least = i;
            }
        }
        if (!happens_before(&entries[least], &last)) {
            break;
        }
        entries[at] = entries[least];
        at = least;
    }
    if (count > 0) {
        entries[at] = last;
    }
    return first;
}

void trp_happenings_free(struct trp_happenings *happenings)
{
    trp_memory_free(happenings->memory, happenings->entries);
    *happenings = (struct trp_happenings){.memory = happenings->memory};
}
