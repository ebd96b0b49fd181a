/* SPDX-License-Identifier: MIT */
/* lib/pipe.h - a pipe between two machines face to face: ordered bytes, cut at arbitrary places.
 *
 * A machine sends straight into test_pipe_out(), which offers a drawn amount of room each time, and
 * the other reads a drawn share of what is in flight. Draws are keyed: a seed names a run. */
#ifndef LIB_PIPE_H
#define LIB_PIPE_H

#include "base/buffer.h"
#include "base/prng.h"

enum test_pipe_kind {
    TEST_PIPE_WHOLE, /* all that is there, and all the room there is */
    TEST_PIPE_BYTES, /* one byte at a time */
    TEST_PIPE_KEYED  /* drawn */
};

struct test_pipe {
    struct trp_buffer bytes;
    enum test_pipe_kind kind;
    uint64_t seed;
    uint64_t entity; /* tells the two directions apart */
    uint64_t draws;
};

#define TEST_PIPE_BYTES_MAX (1u << 20)

static inline struct test_pipe test_pipe_init(struct trp_memory *memory, enum test_pipe_kind kind,
                                              uint64_t seed, uint64_t entity)
{
    return (struct test_pipe){.bytes = trp_buffer_init(memory, TEST_PIPE_BYTES_MAX),
                              .kind = kind,
                              .seed = seed,
                              .entity = entity};
}

static inline void test_pipe_deinit(struct test_pipe *pipe)
{
    trp_buffer_free(&pipe->bytes);
}

/* Draws 1..max, mostly small or all. */
static inline size_t test_pipe_draw(struct test_pipe *pipe, size_t max)
{
    uint64_t draw = trp_draw(pipe->seed, pipe->entity, 0, pipe->draws++);
    uint32_t scale = (uint32_t)(draw & 3u);
    size_t bound = scale == 0 ? 8 : scale == 1 ? 64 : scale == 2 ? 4096 : max;
    bound = bound < max ? bound : max;
    return scale == 3 ? max : 1 + trp_draw_below(draw, (uint32_t)bound);
}

/* Where to send into; borrowed until the next call. */
static inline struct trp_buffer *test_pipe_out(struct test_pipe *pipe)
{
    size_t room = TEST_PIPE_BYTES_MAX - pipe->bytes.size;
    if (pipe->kind == TEST_PIPE_KEYED && room > 0) {
        room = test_pipe_draw(pipe, room);
    }
    pipe->bytes.limit_bytes = pipe->bytes.size + room;
    return &pipe->bytes;
}

/* What to receive next; empty when nothing is in flight. */
static inline struct trp_bytes test_pipe_in(struct test_pipe *pipe)
{
    struct trp_bytes all = trp_buffer_view(&pipe->bytes);
    if (all.size > 0 && pipe->kind == TEST_PIPE_BYTES) {
        all.size = 1;
    } else if (all.size > 0 && pipe->kind == TEST_PIPE_KEYED) {
        all.size = test_pipe_draw(pipe, all.size);
    }
    return all;
}

static inline void test_pipe_consume(struct test_pipe *pipe, size_t size)
{
    trp_buffer_consume(&pipe->bytes, size);
}

#endif
