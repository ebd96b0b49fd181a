/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"
#include "simnet/happening.h"

static void push(struct trp_happenings *happenings, trp_time at, enum trp_sim_kind kind,
                 uint32_t host, uint64_t subject)
{
    const struct trp_happening happening = {
        .at = at, .order = trp_happening_order(kind, host, 0), .subject = subject};
    assert_status(trp_happenings_push(happenings, &happening), TRP_OK);
}

/* Time, then kind, then host, then the order of planning. */
static void keeps_the_written_order(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_happenings happenings = {.memory = &memory};
    push(&happenings, 20, TRP_SIM_START, 0, 7);
    push(&happenings, 10, TRP_SIM_TIMER, 0, 6);
    push(&happenings, 10, TRP_SIM_ARRIVE, 2, 5);
    push(&happenings, 10, TRP_SIM_ARRIVE, 1, 2);
    push(&happenings, 10, TRP_SIM_ARRIVE, 1, 3);
    push(&happenings, 10, TRP_SIM_ARRIVE, 1, 4);
    push(&happenings, 10, TRP_SIM_START, 3, 1);
    for (uint64_t i = 1; i <= 7; i++) {
        assert_int_equal(trp_happenings_pop(&happenings).subject, i);
    }
    assert_null(trp_happenings_front(&happenings));
    trp_happenings_free(&happenings);
    assert_int_equal(memory.used_bytes, 0);
}

static void sorts_what_comes_in_any_order(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_happenings happenings = {.memory = &memory};
    trp_time now = 0;
    uint64_t order = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t draw = trp_draw(1, 0, 0, i);
        push(&happenings, now + draw % 50, (enum trp_sim_kind)(draw >> 16 & 7u),
             (uint32_t)(draw >> 32 & 3u), 0);
        if ((draw >> 40 & 3u) == 0 || happenings.count > 1000) {
            struct trp_happening next = trp_happenings_pop(&happenings);
            assert_true(next.at >= now);
            order = next.at > now ? 0 : order;
            now = next.at;
        }
    }
    order = 0;
    while (happenings.count > 0) {
        struct trp_happening next = trp_happenings_pop(&happenings);
        assert_true(next.at > now || (next.at == now && next.order > order));
        now = next.at;
        order = next.order;
    }
    trp_happenings_free(&happenings);
}

static void takes_its_parts_apart(void **state)
{
    (void)state;
    const struct trp_happening happening = {
        .order = trp_happening_order(TRP_SIM_RESOLVED, 0xfffffeu, 0xfffffffffull)};
    assert_int_equal(trp_happening_kind(&happening), TRP_SIM_RESOLVED);
    assert_int_equal(trp_happening_host(&happening), 0xfffffeu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_written_order),
        cmocka_unit_test(sorts_what_comes_in_any_order),
        cmocka_unit_test(takes_its_parts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
