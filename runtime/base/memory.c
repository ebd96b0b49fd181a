/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include "base/assert.h"
#include "base/blocks.h"

#include <stdlib.h>

/* In front of every block, so that it can be freed and counted without its size. */
struct header {
    uint64_t size;
    uint64_t check;
};
_Static_assert(sizeof(struct header) == 16, "blocks must stay aligned to 16");

#define HEADER_CHECK 0x7472705f6d656d31ull

static bool memory_admits(struct trp_memory *memory, uint64_t more)
{
    if (memory->fail_at > 0 && --memory->fail_at == 0) {
        return false;
    }
    return more <= memory->limit_bytes && memory->used_bytes <= memory->limit_bytes - more;
}

static struct header *header_of(void *block)
{
    struct header *header = (struct header *)block - 1;
    TRP_ASSERT(header->check == HEADER_CHECK);
    return header;
}

static bool is_of_blocks(const struct trp_memory *memory, size_t size)
{
    return memory->blocks != NULL && size <= TRP_BLOCKS_BYTES_MAX;
}

/* Admits and counts a block of `size` bytes behind its header. */
static struct header *memory_take(struct trp_memory *memory, size_t size)
{
    size_t whole = sizeof(struct header) + size;
    if (size > SIZE_MAX - sizeof(struct header) || !memory_admits(memory, whole)) {
        return NULL;
    }
    struct header *header =
        is_of_blocks(memory, whole) ? trp_blocks_take(memory->blocks, whole) : malloc(whole);
    if (header != NULL) {
        *header = (struct header){.size = size, .check = HEADER_CHECK};
        memory->used_bytes += whole;
    }
    return header;
}

void *trp_memory_alloc_raw(struct trp_memory *memory, size_t size)
{
    struct header *header = memory_take(memory, size);
    return header == NULL ? NULL : header + 1;
}

void *trp_memory_alloc(struct trp_memory *memory, size_t size)
{
    struct header *header = memory_take(memory, size);
    return header == NULL ? NULL : memset(header + 1, 0, size);
}

static void memory_give(struct trp_memory *memory, struct header *header)
{
    size_t whole = sizeof *header + header->size;
    header->check = 0;
    if (is_of_blocks(memory, whole)) {
        trp_blocks_give(memory->blocks, header, whole);
    } else {
        free(header);
    }
}

/* Moves a block to one of another size, when the shared heap has the one or the other. */
static struct header *memory_move(struct trp_memory *memory, struct header *old, size_t size)
{
    size_t whole = sizeof *old + size;
    size_t old_whole = sizeof *old + old->size;
    bool both = is_of_blocks(memory, whole) && is_of_blocks(memory, old_whole);
    if (both && trp_blocks_size(whole) == trp_blocks_size(old_whole)) {
        return old;
    }
    struct header *header =
        is_of_blocks(memory, whole) ? trp_blocks_take(memory->blocks, whole) : malloc(whole);
    if (header != NULL) {
        memcpy(header, old, whole < old_whole ? whole : old_whole);
        memory_give(memory, old);
    }
    return header;
}

void *trp_memory_resize(struct trp_memory *memory, void *block, size_t size)
{
    if (block == NULL) {
        return trp_memory_alloc(memory, size);
    }
    struct header *old = header_of(block);
    uint64_t old_size = old->size;
    uint64_t more = size > old_size ? size - old_size : 0;
    if (size > SIZE_MAX - sizeof(struct header) || !memory_admits(memory, more)) {
        return NULL;
    }
    struct header *header = memory->blocks != NULL ? memory_move(memory, old, size)
                                                   : realloc(old, sizeof *header + size);
    if (header == NULL) {
        return NULL;
    }
    header->size = size;
    memory->used_bytes = memory->used_bytes - old_size + size;
    return header + 1;
}

void trp_memory_free(struct trp_memory *memory, void *block)
{
    if (block == NULL) {
        return;
    }
    struct header *header = header_of(block);
    TRP_ASSERT(memory->used_bytes >= sizeof *header + header->size);
    memory->used_bytes -= sizeof *header + header->size;
    memory_give(memory, header);
}
