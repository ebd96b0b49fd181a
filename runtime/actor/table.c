/* SPDX-License-Identifier: MIT */
#include "actor/table.h"

#include "base/assert.h"

#define CAPACITY_MIN 16u

struct trp_table trp_table_init(struct trp_memory *memory, uint32_t slots_max,
                                uint64_t generation_first, uint64_t generations)
{
    uint32_t most = TRP_TABLE_SLOT_MASK - 1u;
    return (struct trp_table){.memory = memory,
                              .slots_max = slots_max < most ? slots_max : most,
                              .generation_first = generation_first,
                              .generation_end = generation_first + generations};
}

void trp_table_deinit(struct trp_table *table)
{
    trp_memory_free(table->memory, table->slots);
    table->slots = NULL;
    table->slots_count = 0;
    table->capacity = 0;
    table->count = 0;
    table->free_slot = 0;
}

static enum trp_status table_grow(struct trp_table *table)
{
    uint32_t capacity = table->capacity == 0 ? CAPACITY_MIN : table->capacity * 2;
    capacity = capacity < table->slots_max ? capacity : table->slots_max;
    struct trp_table_slot *slots =
        trp_memory_resize(table->memory, table->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return TRP_ENOMEM;
    }
    table->slots = slots;
    table->capacity = capacity;
    return TRP_OK;
}

enum trp_status trp_table_insert(struct trp_table *table, void *object, uint64_t *ret_id)
{
    TRP_ASSERT(object != NULL);
    uint32_t number; /* slot + 1 */
    uint64_t generation;
    if (table->free_slot != 0) {
        number = table->free_slot;
        uint64_t tag = table->slots[number - 1].tag;
        table->free_slot = (uint32_t)tag & TRP_TABLE_SLOT_MASK;
        generation = tag >> TRP_TABLE_SLOT_BITS;
    } else {
        if (table->slots_count == table->slots_max) {
            return TRP_EFULL;
        }
        if (table->slots_count == table->capacity && table_grow(table) != TRP_OK) {
            return TRP_ENOMEM;
        }
        number = ++table->slots_count;
        generation = table->generation_first;
    }
    uint64_t id = generation << TRP_TABLE_SLOT_BITS | number;
    table->slots[number - 1] = (struct trp_table_slot){.object = object, .tag = id};
    table->count++;
    *ret_id = id;
    return TRP_OK;
}

void trp_table_remove(struct trp_table *table, uint64_t id)
{
    if (trp_table_find(table, id) == NULL) {
        return;
    }
    uint32_t number = (uint32_t)id & TRP_TABLE_SLOT_MASK;
    uint64_t generation = (id >> TRP_TABLE_SLOT_BITS) + 1;
    table->slots[number - 1] = (struct trp_table_slot){0};
    table->count--;
    if (generation < table->generation_end) {
        table->slots[number - 1].tag = generation << TRP_TABLE_SLOT_BITS | table->free_slot;
        table->free_slot = number;
    }
}

void *trp_table_next(const struct trp_table *table, uint32_t *at)
{
    while (*at < table->slots_count) {
        void *object = table->slots[(*at)++].object;
        if (object != NULL) {
            return object;
        }
    }
    return NULL;
}
