/* SPDX-License-Identifier: MIT */
#include "base/blocks.h"
#include "base/memory.h"
#include "base/prng.h"
#include "lib/test.h"

#include <stdlib.h>

/* A source that counts, and is empty when told to be. */
struct source {
    size_t taken;
    size_t given;
    bool empty;
};

static void *source_take(void *user, size_t bytes)
{
    struct source *source = user;
    source->taken += source->empty ? 0 : bytes;
    return source->empty ? NULL : malloc(bytes);
}

static void source_give(void *user, void *piece, size_t bytes)
{
    struct source *source = user;
    source->given += bytes;
    free(piece);
}

static struct trp_blocks *blocks_open(struct source *source)
{
    const struct trp_blocks_source from = {
        .take = source_take, .give = source_give, .user = source};
    struct trp_blocks *blocks;
    assert_status(trp_blocks_open(&from, &blocks), TRP_OK);
    return blocks;
}

static void sizes_grow_and_waste_little(void **state)
{
    (void)state;
    uint32_t last = 0;
    size_t first = 1; /* of this size */
    for (size_t bytes = 1; bytes <= TRP_BLOCKS_BYTES_MAX; bytes++) {
        uint32_t size = trp_blocks_size(bytes);
        if (size != last) {
            assert_int_equal(size, last + 1);
            assert_true(bytes - first <= 32 || (bytes - first) * 4 <= bytes);
            last = size;
            first = bytes;
        }
    }
    assert_int_equal(last, TRP_BLOCKS_SIZES - 1);
}

static void blocks_lie_apart_and_come_again(void **state)
{
    (void)state;
    struct source source = {0};
    struct trp_blocks *blocks = blocks_open(&source);
    enum { COUNT = 500 };
    uint8_t *held[COUNT] = {0};
    size_t sizes[COUNT] = {0};
    for (uint64_t turn = 0; turn < 20000; turn++) {
        uint64_t draw = trp_draw(1, 2, 3, turn);
        uint32_t at = (uint32_t)(draw % COUNT);
        for (size_t i = 0; held[at] != NULL && i < sizes[at]; i++) {
            assert_int_equal(held[at][i], (uint8_t)at);
        }
        if (held[at] != NULL) {
            trp_blocks_give(blocks, held[at], sizes[at]);
        }
        sizes[at] = 1 + (draw >> 32) % ((draw >> 20 & 7u) == 0 ? TRP_BLOCKS_BYTES_MAX : 600);
        held[at] = trp_blocks_take(blocks, sizes[at]);
        assert_non_null(held[at]);
        assert_int_equal((uintptr_t)held[at] % 16, 0);
        memset(held[at], (int)(uint8_t)at, sizes[at]);
    }
    assert_true(source.taken <= 64u << 20); /* what is freed serves again */
    trp_blocks_close(blocks);
    assert_int_equal(source.given, source.taken);
}

static void an_empty_source_is_out_of_memory(void **state)
{
    (void)state;
    struct source source = {.empty = true};
    struct trp_blocks *blocks = blocks_open(&source);
    assert_null(trp_blocks_take(blocks, 100));
    source.empty = false;
    assert_non_null(trp_blocks_take(blocks, 100));
    trp_blocks_close(blocks);
    trp_blocks_close(NULL);
}

static void a_node_counts_the_same_on_blocks(void **state)
{
    (void)state;
    struct source source = {0};
    struct trp_blocks *blocks = blocks_open(&source);
    struct trp_memory plain = trp_memory_init(1u << 20);
    struct trp_memory shared = trp_memory_init(1u << 20);
    shared.blocks = blocks;
    struct trp_memory *const both[] = {&plain, &shared};
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *block = trp_memory_alloc(both[i], 50);
        memset(block, 7, 50);
        trp_memory_free(both[i], block);
        block = trp_memory_alloc(both[i], 40); /* the same one, on blocks */
        for (uint32_t k = 0; k < 40; k++) {
            assert_int_equal(block[k], 0);
        }
        memset(block, 7, 40);
        for (size_t size = 41; size < 200000; size += size / 3) {
            block = trp_memory_resize(both[i], block, size);
            assert_int_equal(block[39], 7);
            assert_int_equal(both[i]->used_bytes, size + 16);
        }
        block = trp_memory_resize(both[i], block, 30);
        assert_int_equal(block[29], 7);
        assert_int_equal(both[i]->used_bytes, 46);
        assert_null(trp_memory_alloc(both[i], 2u << 20));
        trp_memory_free(both[i], block);
        assert_int_equal(both[i]->used_bytes, 0);
        assert_null(trp_memory_alloc(both[i], 1u << 20));
    }
    trp_blocks_close(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_grow_and_waste_little),
        cmocka_unit_test(blocks_lie_apart_and_come_again),
        cmocka_unit_test(an_empty_source_is_out_of_memory),
        cmocka_unit_test(a_node_counts_the_same_on_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
