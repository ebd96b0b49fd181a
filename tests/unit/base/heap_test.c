/* SPDX-License-Identifier: MIT */
#include "base/heap.h"
#include "base/prng.h"
#include "lib/test.h"

#define ENTRIES 200u

/* The earliest queued entry, found by looking at each. */
static struct trp_heap_entry *earliest(struct trp_heap_entry *entries)
{
    struct trp_heap_entry *least = NULL;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct trp_heap_entry *entry = &entries[i];
        if (trp_heap_is_queued(entry) && (least == NULL || entry->at < least->at ||
                                          (entry->at == least->at && entry->tie < least->tie))) {
            least = entry;
        }
    }
    return least;
}

static void keeps_the_earliest_in_front(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_heap heap = trp_heap_init(&memory);
    struct trp_heap_entry entries[ENTRIES];
    memset(entries, 0, sizeof entries);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t draw = trp_draw(1, 2, 3, i);
        uint32_t index = (uint32_t)(draw >> 8) % ENTRIES;
        if (draw % 3 == 0) {
            trp_heap_remove(&heap, &entries[index]);
        } else { /* inserts, or moves to an earlier or later moment */
            assert_status(trp_heap_insert(&heap, &entries[index], draw >> 32 & 63u, index), TRP_OK);
        }
        assert_ptr_equal(trp_heap_front(&heap), earliest(entries));
    }
    trp_heap_free(&heap);
    assert_int_equal(memory.used_bytes, 0);
    assert_null(earliest(entries));
}

static void reports_no_memory(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_heap heap = trp_heap_init(&memory);
    struct trp_heap_entry entry = {.position = 0};
    memory.fail_at = 1;
    assert_status(trp_heap_insert(&heap, &entry, 5, 0), TRP_ENOMEM);
    assert_false(trp_heap_is_queued(&entry));
    assert_true(trp_heap_deadline(&heap) == TRP_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_earliest_in_front),
        cmocka_unit_test(reports_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
