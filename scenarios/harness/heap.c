/* SPDX-License-Identifier: MIT */
/* The heap of a simulated run: pieces of it lie in huge pages where the system has them, which is a
 * fifth of the time of a run of a thousand hosts. */
#include "scenarios/harness/state.h"

#include <sys/mman.h>

#define HUGE_BYTES ((uintptr_t)2u << 20)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* Maps a piece and, so that it can begin where a huge page does, as much as one more. */
static void *heap_take(void *user, size_t bytes)
{
    (void)user;
    void *mapped =
        mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        return NULL;
    }
    size_t before = (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES) % HUGE_BYTES;
    uint8_t *piece = (uint8_t *)mapped + before;
    if (before > 0) {
        (void)munmap(mapped, before);
    }
    (void)munmap(piece + bytes, HUGE_BYTES - before);
    (void)madvise(piece, bytes, MADV_HUGEPAGE); /* or it lies in small ones */
    return piece;
}

static void heap_give(void *user, void *piece, size_t bytes)
{
    (void)user;
    (void)munmap(piece, bytes);
}

enum trp_status trp_harness_open_heap(struct trp_run *run)
{
    const struct trp_blocks_source source = {.take = heap_take, .give = heap_give};
    /* A sanitizer watches each block of the system's heap, and none of ours. */
    return SANITIZED ? TRP_OK : trp_blocks_open(&source, &run->blocks);
}
