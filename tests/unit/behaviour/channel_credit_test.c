/* SPDX-License-Identifier: MIT */
/* What a channel holds of a peer, and when it gives the peer credit: on a swarm that is made up. */
#include "behaviour/channel.h"
#include "lib/fake_swarm.h"
#include "lib/test.h"

#define ASKS    20u
#define PAYLOAD 1000u /* bytes of an ask */

static struct fake_world world;
static struct trp_accounts accounts[2];
static struct trp_channels *channels[2];
static uint64_t asked[ASKS]; /* requests that node 1 has to answer */
static uint32_t asked_count;

static void open_channels(void)
{
    asked_count = 0;
    fake_world_open(&world, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct trp_swarm *node = &world.nodes[i];
        node->limits.received_bytes_per_peer = 64000; /* greedy from 16,000 on */
        trp_accounts_init(&accounts[i], &node->memory);
        trp_accounts_attach(&accounts[i], &node->limits, &node->trace);
        const struct trp_channels_config config = {
            .memory = &node->memory, .trace = &node->trace, .accounts = &accounts[i]};
        assert_status(trp_channels_open(&config, &channels[i]), TRP_OK);
        fake_attach(node, trp_channels_behaviour(channels[i]));
    }
    (void)fake_connect(&world, 0, 1);
}

static void close_channels(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        trp_channels_close(channels[i]);
        trp_accounts_deinit(&accounts[i]);
    }
    fake_world_close(&world); /* checks that all memory was given back */
}

static void run(trp_time span_ns)
{
    trp_time until = world.now + span_ns;
    struct trp_messaging_event event;
    while (world.now < until) {
        fake_run(&world, world.now + TRP_MS(1));
        while (trp_channels_next_event(channels[0], &event)) {
        }
        while (trp_channels_next_event(channels[1], &event)) {
            if (event.kind == TRP_MESSAGING_REQUEST) {
                assert_true(asked_count < ASKS);
                asked[asked_count++] = event.id;
            }
        }
        fake_touch(&world.nodes[0]);
        fake_touch(&world.nodes[1]);
    }
}

static void ask(void)
{
    static const uint8_t payload[PAYLOAD];
    const struct trp_request_envelope request = {.kind = TRP_ENVELOPE_ASK,
                                                 .actor = {.id = 1, .peer = fake_id(1)},
                                                 .actor_type = trp_bytes_text("agent"),
                                                 .message = trp_bytes_text("ponder"),
                                                 .payload = trp_bytes(payload, sizeof payload),
                                                 .mailbox_timeout_ns = TRP_NEVER,
                                                 .reply_timeout_ns = TRP_NEVER};
    const struct trp_messaging_options options = {.timeout_ns = TRP_S(9)};
    uint64_t id;
    assert_status(trp_channels_send(channels[0], &request, &options, &id), TRP_OK);
    fake_touch(&world.nodes[0]);
    run(TRP_MS(20));
}

/* Unanswered asks make a peer greedy: it gets no credit for what it sends then, until enough of
 * them are answered. */
static void a_greedy_peer_gets_its_credit_when_it_is_relieved(void **state)
{
    (void)state;
    open_channels();
    run(TRP_MS(100));
    for (uint32_t i = 0; i < ASKS; i++) {
        ask();
    }
    assert_int_equal(asked_count, ASKS);
    assert_in_range(world.nodes[1].consumed, 14 * PAYLOAD, 17 * PAYLOAD);
    const struct trp_response_envelope response = {.kind = TRP_ENVELOPE_ASK};
    for (uint32_t i = 0; i < ASKS; i++) {
        assert_status(trp_channels_answer(channels[1], asked[i], &response), TRP_OK);
    }
    fake_touch(&world.nodes[1]);
    run(TRP_MS(100));
    assert_true(world.nodes[1].consumed > ASKS * PAYLOAD);
    close_channels();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greedy_peer_gets_its_credit_when_it_is_relieved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
