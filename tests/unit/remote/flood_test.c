/* SPDX-License-Identifier: MIT */
/* Host 0 has a slow actor; host 1 floods it, host 2 is honest. */
#include "lib/nodes.h"

static struct trp_actor_ref slow;
static struct trp_actor_ref silent; /* whom the slow one asks, and who answers nothing */

/* Takes a tenth of a second for each message. */
static enum trp_status act_work(struct trp_context *ctx, struct agent *agent, uint64_t worker)
{
    agent->value++;
    nodes_log("%c", (char)worker);
    const struct trp_ask_options hold = {.hold = true, .reply_timeout_ns = TRP_MS(100)};
    return trp_ask(ctx, &silent, &agent_ponder_type, NULL, &hold);
}

static const struct agent_act work_of_flooder = {.function = (uint64_t)(uintptr_t)act_work,
                                                 .argument = 'F'};
static const struct agent_act work_of_honest = {.function = (uint64_t)(uintptr_t)act_work,
                                                .argument = 'h'};

/* As many at once as a connection carries, and again and again. */
static enum trp_status act_flood(struct trp_context *ctx, struct agent *agent, uint64_t wait_ns)
{
    (void)agent;
    for (uint32_t i = 0; i < 100; i++) {
        const struct trp_ask_options options = {.mailbox_timeout_ns = wait_ns};
        TRP_IGNORE(trp_tell_ack(ctx, &slow, &agent_act_type, &work_of_flooder, &options));
    }
    const struct agent_act again = {.function = (uint64_t)(uintptr_t)act_flood,
                                    .argument = wait_ns};
    const struct trp_actor_ref self = trp_self(ctx);
    return trp_tell_after(ctx, TRP_MS(100), &self, &agent_act_type, &again, NULL);
}

static uint32_t count_of(char worker)
{
    uint32_t count = 0;
    for (size_t i = 0; i < nodes.log_size; i++) {
        count += nodes.log[i] == worker;
    }
    return count;
}

/* The flooder tries again and again, or waits with all it has; the honest one does either, too. */
static void an_honest_peer_gets_through_to_an_actor_that_is_flooded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        trp_time flooder_waits = i % 2 == 0 ? 0 : TRP_S(9);
        bool honest_waits = i / 2 != 0;
        nodes_open(3, 31);
        nodes_begin();
        nodes_introduce(1, 0);
        nodes_introduce(2, 0);
        nodes_run(TRP_S(1));
        slow = nodes_spawn(0, &agent_type, 's', "slow");
        silent = nodes_spawn(0, &agent_type, 'q', NULL);
        struct trp_actor_ref flooder = nodes_spawn(1, &agent_type, 'f', NULL);
        assert_status(nodes_lookup(1, "slow", false)->value.status, TRP_OK);
        assert_status(nodes_lookup(2, "slow", false)->value.status, TRP_OK);
        assert_status(nodes_act(1, &flooder, act_flood, flooder_waits), TRP_OK);
        nodes_run(TRP_S(20)); /* it is full of the flooder's by now */
        assert_true(count_of('F') > 100 && count_of('h') == 0);
        nodes.log_size = 0;
        struct trp_command tell = nodes_ask(&slow, &agent_act_type, &work_of_honest);
        tell.kind = TRP_CMD_TELL;
        tell.immediate = !honest_waits;
        for (uint32_t k = 0; k < 20; k++) {
            assert_status(nodes_do(2, tell)->value.status, TRP_OK);
            nodes_run(TRP_MS(500));
        }
        nodes_run(TRP_S(10));
        assert_int_equal(count_of('h'), 20);
        assert_true(count_of('F') > 50);
        nodes_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_peer_gets_through_to_an_actor_that_is_flooded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
