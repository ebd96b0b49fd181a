/* SPDX-License-Identifier: MIT */
#include "proto/yamux_stream.h"

#include "base/assert.h"

#define CAPACITY_MIN 4u

/* The position of the first entry whose id is not below `id`. */
static uint32_t table_position(const struct trp_yamux_table *table, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->entries[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void stream_free(struct trp_memory *memory, struct trp_yamux_stream *stream)
{
    trp_list_link_remove(&stream->control_link);
    trp_list_link_remove(&stream->data_link);
    trp_list_link_remove(&stream->event_link);
    trp_buffer_free(&stream->tx);
    trp_memory_free(memory, stream);
}

void trp_yamux_table_deinit(struct trp_yamux_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        stream_free(table->memory, table->entries[i].stream);
    }
    trp_memory_free(table->memory, table->entries);
    *table = trp_yamux_table_init(table->memory);
}

struct trp_yamux_stream *trp_yamux_table_find(const struct trp_yamux_table *table, uint32_t id)
{
    uint32_t at = table_position(table, id);
    return at < table->count && table->entries[at].id == id ? table->entries[at].stream : NULL;
}

static bool table_grow(struct trp_yamux_table *table)
{
    if (table->count < table->capacity) {
        return true;
    }
    uint32_t capacity = table->capacity == 0 ? CAPACITY_MIN : 2 * table->capacity;
    void *entries =
        trp_memory_resize(table->memory, table->entries, capacity * sizeof *table->entries);
    if (entries == NULL) {
        return false;
    }
    table->entries = entries;
    table->capacity = capacity;
    return true;
}

struct trp_yamux_stream *trp_yamux_table_insert(struct trp_yamux_table *table, uint32_t id,
                                                uint32_t send_bytes_max)
{
    uint32_t at = table_position(table, id);
    TRP_ASSERT(at == table->count || table->entries[at].id != id);
    if (!table_grow(table)) {
        return NULL;
    }
    struct trp_yamux_stream *stream = trp_memory_alloc(table->memory, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->id = id;
    stream->tx = trp_buffer_init(table->memory, send_bytes_max);
    memmove(table->entries + at + 1, table->entries + at,
            (table->count - at) * sizeof *table->entries);
    table->entries[at] = (struct trp_yamux_entry){.id = id, .stream = stream};
    table->count++;
    return stream;
}

void trp_yamux_table_remove(struct trp_yamux_table *table, struct trp_yamux_stream *stream)
{
    uint32_t at = table_position(table, stream->id);
    TRP_ASSERT(at < table->count && table->entries[at].stream == stream);
    table->count--;
    memmove(table->entries + at, table->entries + at + 1,
            (table->count - at) * sizeof *table->entries);
    stream_free(table->memory, stream);
}
