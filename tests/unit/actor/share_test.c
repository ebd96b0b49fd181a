/* SPDX-License-Identifier: MIT */
/* Peers at the mailbox of an actor that handles nothing for a while. */
#include "unit/actor/stage.h"

#define NAP_NS TRP_S(1)

static struct trp_actor_ref busy;
static struct trp_actor_ref silent;
static uint32_t answers;
static uint32_t good;
static uint32_t full;

static enum trp_status put_off(struct trp_context *ctx, struct probe *probe, uint64_t argument)
{
    (void)argument;
    probe->token = trp_reply_later(ctx);
    return TRP_OK;
}

/* Handles no message until the other one has not answered. */
static enum trp_status nap(struct trp_context *ctx, struct probe *probe, uint64_t argument)
{
    (void)probe;
    (void)argument;
    const struct stage_act later = {.function = (uint64_t)(uintptr_t)put_off};
    const struct trp_ask_options hold = {.hold = true, .reply_timeout_ns = NAP_NS};
    return trp_ask(ctx, &silent, &stage_act_type, &later, &hold);
}

static void count_answers(void)
{
    struct trp_sched_event event;
    while (trp_scheduler_next_event(stage.scheduler, &event)) {
        if (event.kind == TRP_SCHED_ANSWER) {
            answers++;
            good += event.status == TRP_OK;
            full += event.status == TRP_EMAILBOXFULL;
        }
    }
}

/* An actor with that many places, which has just begun its nap. */
static void spawn_busy(uint32_t places)
{
    silent = stage_spawn(&tough_type, 's');
    busy = stage_spawn_with(&tough_type, 'b', NULL,
                            &(struct trp_spawn_options){.mailbox_messages = places});
    stage_run();
    stage_act_on(&busy, nap, 0);
    stage_run();
    count_answers();
    stage.log_size = 0;
    stage.log[0] = '\0';
    answers = 0;
    good = 0;
    full = 0;
}

/* A message with a number and that many bytes, told by a peer (0: by the program). */
static enum trp_status tell(uint8_t peer, int64_t number, uint32_t bytes, trp_time wait_ns)
{
    static uint8_t data[1u << 20];
    static uint8_t payload[1u << 21];
    size_t size;
    const struct stage_add add = {.amount = number};
    const struct stage_echo echo = {.data = trp_bytes(data, bytes), .number = (uint32_t)number};
    const struct trp_message_type *type = bytes == 0 ? &stage_add_type : &stage_echo_type;
    const void *message = bytes == 0 ? (const void *)&add : (const void *)&echo;
    assert_status(trp_message_encode(type, message, payload, sizeof payload, &size), TRP_OK);
    const struct trp_peer_id from = stage_peer(peer);
    uint32_t before = answers;
    uint32_t good_before = good;
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.actor = busy.id,
                                                 .from = peer == 0 ? NULL : &from,
                                                 .message = trp_bytes_text(type->id),
                                                 .payload = trp_bytes(payload, size),
                                                 .mailbox_timeout_ns = wait_ns});
    count_answers();
    if (answers == before) {
        return TRP_EAGAIN; /* it waits */
    }
    return good > good_before ? TRP_OK : TRP_EMAILBOXFULL;
}

/* Tells until there is no room; gives how many there was room for. */
static uint32_t fill(uint8_t peer)
{
    uint32_t count = 0;
    while (tell(peer, peer, 0, 0) == TRP_OK) {
        count++;
        assert_true(count < 1000);
    }
    return count;
}

static void a_peer_has_as_many_places_as_are_left_of_two_mailboxes(void **state)
{
    (void)state;
    spawn_busy(16);
    assert_int_equal(fill(1), 16); /* alone: the mailbox */
    assert_int_equal(fill(1), 0);
    assert_int_equal(fill(2), 8);
    assert_int_equal(fill(3), 4);
    assert_int_equal(fill(4), 2);
    assert_int_equal(fill(0), 16); /* our own have theirs */
    assert_int_equal(fill(5), 1);
    assert_int_equal(fill(6), 1);
    assert_int_equal(fill(7), 0); /* 32 of peers: that is all */
    stage_run_until(stage.now + 2 * NAP_NS);
    assert_int_equal(fill(1), 16);
}

static void a_mailbox_of_one_has_room_for_two_peers(void **state)
{
    (void)state;
    spawn_busy(1);
    assert_int_equal(fill(1), 1);
    assert_int_equal(fill(2), 1);
    assert_int_equal(fill(3), 0);
    assert_int_equal(fill(0), 1);
}

/* Who floods waits behind his own messages, not in front of others. */
static void who_waits_has_turns(void **state)
{
    (void)state;
    spawn_busy(2);
    for (uint32_t i = 0; i < 6; i++) {
        enum trp_status status = tell(1, 1, 0, TRP_S(9));
        assert_status(status, i < 2 ? TRP_OK : TRP_EAGAIN);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(tell(2, 2, 0, TRP_S(9)), i < 1 ? TRP_OK : TRP_EAGAIN);
    }
    assert_status(tell(3, 3, 0, TRP_S(9)), TRP_OK);
    assert_status(tell(4, 4, 0, TRP_S(9)), TRP_EAGAIN);
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(tell(0, 0, 0, TRP_S(9)), i < 2 ? TRP_OK : TRP_EAGAIN);
    }
    assert_status(tell(2, 5, 0, 0), TRP_EMAILBOXFULL); /* not before those of it that wait */
    stage_run_until(stage.now + 2 * NAP_NS);
    count_answers();
    assert_int_equal(answers, 17);
    assert_int_equal(good, 16);
    assert_log("b+1 b+1 b+2 b+3 b+0 b+0 b+4 b+1 b+2 b+0 b+0 b+1 b+1 b+2 b+1 b+2");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void who_waits_hears_when_it_was_for_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) { /* its time is over; the actor stops; it is killed */
        spawn_busy(1);
        assert_status(tell(1, 1, 0, TRP_MS(100)), TRP_OK);
        assert_status(tell(1, 1, 0, TRP_MS(100)), TRP_EAGAIN);
        assert_status(tell(1, 1, 0, TRP_MS(100)), TRP_EAGAIN);
        assert_status(tell(2, 1, 0, TRP_MS(100)), TRP_OK);
        assert_status(tell(0, 1, 0, TRP_MS(100)), TRP_OK);
        assert_status(tell(0, 1, 0, TRP_MS(100)), TRP_EAGAIN);
        if (i == 1) {
            assert_status(trp_scheduler_stop(stage.scheduler, busy.id), TRP_OK);
        } else if (i == 2) {
            assert_status(trp_scheduler_kill(stage.scheduler, busy.id), TRP_OK);
        }
        stage_run_until(stage.now + TRP_MS(200));
        count_answers();
        assert_int_equal(answers, 6);
        assert_int_equal(good, 3);
        assert_int_equal(full, i == 0 ? 3 : 0);
        stage_run_until(stage.now + 2 * NAP_NS);
        count_answers();
        assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
    }
}

/* What the messages of one peer take is bounded, however many places there are. */
static void a_peer_has_so_many_bytes_in_all_mailboxes(void **state)
{
    (void)state;
    stage.limits.received_bytes_per_peer = 1u << 20;
    stage.limits.received_bytes = 4u << 20;
    uint64_t before = stage.memory.used_bytes;
    spawn_busy(1000);
    uint32_t of_first = 0;
    while (tell(1, 1, 300000, TRP_S(9)) == TRP_OK) {
        of_first++;
    }
    assert_int_equal(of_first, 4); /* the last one may go over it */
    struct trp_actor_ref first = busy;
    spawn_busy(1000); /* at another actor, too */
    assert_status(tell(1, 1, 0, TRP_S(9)), TRP_EMAILBOXFULL);
    uint32_t all = of_first;
    for (uint8_t peer = 2; peer < 30; peer++) {
        uint32_t of_one = 0;
        while (tell(peer, 1, 300000, 0) == TRP_OK) {
            of_one++;
        }
        assert_true(of_one <= 4);
        all += of_one;
    }
    assert_int_equal(all, 14);                    /* 4 MiB */
    assert_status(tell(0, 1, 300000, 0), TRP_OK); /* not the affair of the program */
    assert_true(stage.memory.used_bytes - before < (5u << 20));
    assert_status(trp_scheduler_kill(stage.scheduler, first.id), TRP_OK);
    stage_run();
    assert_status(tell(1, 1, 300000, 0), TRP_OK); /* what is dropped counts no more */
    stage_run_until(stage.now + 2 * NAP_NS);
    assert_status(tell(2, 1, 300000, 0), TRP_OK);
    assert_true(stage.log_size > 0);
}

/* As many shares as there can be at once are used, over and over, and nothing is left of them. */
static void nothing_is_left_of_those_that_are_gone(void **state)
{
    (void)state;
    spawn_busy(1);
    stage_run_until(stage.now + 2 * NAP_NS);
    assert_status(tell(1, 1, 0, 0), TRP_OK);
    stage_run();
    uint64_t before = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        for (uint8_t peer = 1; peer <= 3; peer++) {
            assert_status(tell(peer, 1, 0, 0), TRP_OK);
            stage_run();
        }
        stage.log_size = 0;
        before = i == 0 ? stage.memory.used_bytes : before;
    }
    assert_int_equal(stage.memory.used_bytes, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup_networked, stage_teardown)
        TEST(a_peer_has_as_many_places_as_are_left_of_two_mailboxes),
        TEST(a_mailbox_of_one_has_room_for_two_peers),
        TEST(who_waits_has_turns),
        TEST(who_waits_hears_when_it_was_for_nothing),
        TEST(a_peer_has_so_many_bytes_in_all_mailboxes),
        TEST(nothing_is_left_of_those_that_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
