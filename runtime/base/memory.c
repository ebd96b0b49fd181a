/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include "base/assert.h"

#include <stdlib.h>

/* In front of every block, so that it can be freed and counted without its size. */
struct header {
    uint64_t size;
    uint64_t check;
};
_Static_assert(sizeof(struct header) == 16, "blocks must stay aligned to 16");

#define HEADER_CHECK    0x7472705f6d656d31ull
#define SMALL_BYTES_MAX 1024u

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

/* glibc's calloc leaves out the thread's cache of small blocks, which most of ours are; for large
 * ones it knows that fresh pages are zero. */
static void *memory_zeroed(size_t size)
{
    if (size > SMALL_BYTES_MAX) {
        return calloc(1, size);
    }
    void *block = malloc(size);
    return block == NULL ? NULL : memset(block, 0, size);
}

void *trp_memory_alloc(struct trp_memory *memory, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct header) ||
        !memory_admits(memory, size + sizeof(struct header))) {
        return NULL;
    }
    struct header *header = memory_zeroed(sizeof *header + size);
    if (header == NULL) {
        return NULL;
    }
    *header = (struct header){.size = size, .check = HEADER_CHECK};
    memory->used_bytes += sizeof *header + size;
    return header + 1;
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
    struct header *header = realloc(old, sizeof *header + size);
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
    header->check = 0;
    free(header);
}
