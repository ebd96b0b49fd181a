/* SPDX-License-Identifier: MIT */
/* actor/table.h - objects by ids that are never reused: a slot and its generation in 64 bits.
 *
 *     id = generation (40 bits) << 24 | slot + 1 (24 bits)
 *
 * A slot whose generations are used up is retired, so a stale id finds nothing, for ever. Slots are
 * reused last-freed-first.
 * Ownership  The table borrows its objects.
 * Limits     `slots_max` objects, below 2^24. */
#ifndef ACTOR_TABLE_H
#define ACTOR_TABLE_H

#include "base/memory.h"

#define TRP_TABLE_SLOT_BITS 24u
#define TRP_TABLE_SLOT_MASK ((1u << TRP_TABLE_SLOT_BITS) - 1)

struct trp_table_slot {
    void *object; /* NULL: free */
    uint64_t tag; /* live: the id. Free: the next generation << 24 | slot + 1 of the next free */
};

struct trp_table {
    struct trp_memory *memory;
    struct trp_table_slot *slots;
    uint32_t slots_count; /* ever used */
    uint32_t slots_max;
    uint32_t capacity;
    uint32_t free_slot; /* slot + 1 of the first free one; 0: none */
    uint32_t count;     /* live */
    uint64_t generation_first;
    uint64_t generation_end; /* a slot that reaches it is retired */
};

/* Generations run from `generation_first` for `generations` lives. */
struct trp_table trp_table_init(struct trp_memory *memory, uint32_t slots_max,
                                uint64_t generation_first, uint64_t generations);
/* Frees the table, not the objects. */
void trp_table_deinit(struct trp_table *table);
/* TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_table_insert(struct trp_table *table, void *object,
                                 uint64_t *ret_id) TRP_NODISCARD;
void trp_table_remove(struct trp_table *table, uint64_t id);

/* NULL for an id that names no live object. */
static inline void *trp_table_find(const struct trp_table *table, uint64_t id)
{
    uint32_t slot = ((uint32_t)id & TRP_TABLE_SLOT_MASK) - 1u; /* 0 wraps beyond every slot */
    if (slot >= table->slots_count || table->slots[slot].tag != id) {
        return NULL;
    }
    return table->slots[slot].object;
}

/* Walks live objects in slot order: start with *at = 0; NULL at the end. */
void *trp_table_next(const struct trp_table *table, uint32_t *at);

#endif
