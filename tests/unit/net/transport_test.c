/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "lib/test.h"

#define CREDIT 1000u

struct setup {
    struct trp_memory memory;
    struct trp_transport transport;
    struct trp_transport_socket sockets[3];
    struct trp_multiaddr address;
};

static void setup_open(struct setup *setup)
{
    *setup = (struct setup){.memory = trp_memory_init(1u << 20)};
    setup->address = trp_multiaddr_from_ip((const uint8_t[]){1, 2, 3, 4}, 4, 5);
    trp_transport_init(&setup->transport, &setup->memory, CREDIT);
}

static void setup_close(struct setup *setup)
{
    struct trp_transport_socket *socket;
    trp_transport_release(&setup->transport);
    for (uint32_t i = 0; i < 3; i++) {
        if (setup->sockets[i].id != 0) {
            trp_transport_forget(&setup->transport, &setup->sockets[i]);
        }
    }
    while ((socket = trp_transport_next_done(&setup->transport)) != NULL) {
        trp_buffer_free(&socket->tx);
    }
    trp_transport_deinit(&setup->transport);
    assert_int_equal(setup->memory.used_bytes, 0);
}

static void expect(struct setup *setup, enum trp_output_kind kind, trp_socket socket)
{
    struct trp_output out;
    assert_true(trp_transport_next_output(&setup->transport, &out));
    assert_int_equal(out.kind, kind);
    assert_true(out.socket == socket);
}

static void expect_none(struct setup *setup)
{
    struct trp_output out;
    assert_false(trp_transport_next_output(&setup->transport, &out));
}

static void write_bytes(struct setup *setup, struct trp_transport_socket *socket, size_t size)
{
    uint8_t bytes[CREDIT] = {7};
    assert_true(trp_transport_begin_fill(&setup->transport, socket) >= size);
    assert_status(trp_buffer_append(&socket->tx, trp_bytes(bytes, size)), TRP_OK);
    trp_transport_end_fill(&setup->transport, socket, 0);
}

static void numbers_our_sockets_even_and_finds_them(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    assert_status(trp_transport_add(&setup.transport, &s[0], TRP_SOCKET_LISTENER, 0), TRP_OK);
    assert_status(trp_transport_add(&setup.transport, &s[1], TRP_SOCKET_CONNECTION, 0), TRP_OK);
    assert_status(trp_transport_add(&setup.transport, &s[2], TRP_SOCKET_CONNECTION, 7), TRP_OK);
    struct trp_transport_socket again;
    assert_status(trp_transport_add(&setup.transport, &again, TRP_SOCKET_CONNECTION, 7),
                  TRP_EEXISTS);
    assert_true(s[0].id == 2 && s[1].id == 4 && s[2].id == 7);
    assert_ptr_equal(trp_transport_find(&setup.transport, 4), &s[1]);
    assert_null(trp_transport_find(&setup.transport, 6));
    setup_close(&setup);
}

static void says_things_in_their_order(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    assert_status(trp_transport_add(&setup.transport, &s[0], TRP_SOCKET_CONNECTION, 0), TRP_OK);
    assert_status(trp_transport_add(&setup.transport, &s[1], TRP_SOCKET_CONNECTION, 9), TRP_OK);
    trp_transport_open(&setup.transport, &s[0], &setup.address, 5);
    write_bytes(&setup, &s[1], 10);
    expect(&setup, TRP_OUT_DIAL, 2);
    trp_transport_shutdown(&setup.transport, &s[0], 0);
    trp_transport_pause(&setup.transport, &s[0], true, 0);
    write_bytes(&setup, &s[0], 10);
    trp_transport_close(&setup.transport, &s[0], false, 0);
    expect(&setup, TRP_OUT_BYTES, 2); /* a socket that is closed is not paused any more */
    expect(&setup, TRP_OUT_SHUTDOWN, 2);
    expect(&setup, TRP_OUT_CLOSE, 2);
    expect(&setup, TRP_OUT_BYTES, 9);
    expect_none(&setup);
    assert_null(trp_transport_find(&setup.transport, 2));
    assert_ptr_equal(trp_transport_next_done(&setup.transport), &s[0]);
    s[0].id = 0;
    trp_transport_close(&setup.transport, &s[1], true, 0);
    expect(&setup, TRP_OUT_CLOSE, 9);
    setup_close(&setup);
}

static void what_the_driver_never_heard_of_needs_no_close(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    assert_status(trp_transport_add(&setup.transport, &s[0], TRP_SOCKET_CONNECTION, 0), TRP_OK);
    trp_transport_open(&setup.transport, &s[0], &setup.address, 0);
    trp_transport_close(&setup.transport, &s[0], true, 0);
    expect_none(&setup);
    assert_ptr_equal(trp_transport_next_done(&setup.transport), &s[0]);
    s[0].id = 0;
    setup_close(&setup);
}

static void a_pause_and_a_resume_cancel_out(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    assert_status(trp_transport_add(&setup.transport, &s[0], TRP_SOCKET_CONNECTION, 1), TRP_OK);
    trp_transport_pause(&setup.transport, &s[0], true, 0);
    trp_transport_pause(&setup.transport, &s[0], true, 0);
    trp_transport_pause(&setup.transport, &s[0], false, 0);
    expect_none(&setup);
    trp_transport_pause(&setup.transport, &s[0], true, 0);
    expect(&setup, TRP_OUT_PAUSE, 1);
    trp_transport_pause(&setup.transport, &s[0], false, 0);
    expect(&setup, TRP_OUT_RESUME, 1);
    expect_none(&setup);
    setup_close(&setup);
}

static void credit_is_spent_and_returned(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    assert_status(trp_transport_add(&setup.transport, &s[0], TRP_SOCKET_CONNECTION, 1), TRP_OK);
    write_bytes(&setup, &s[0], 600);
    assert_int_equal(trp_transport_begin_fill(&setup.transport, &s[0]), 400);
    trp_transport_end_fill(&setup.transport, &s[0], 0);
    expect(&setup, TRP_OUT_BYTES, 1);
    trp_transport_release(&setup.transport);
    write_bytes(&setup, &s[0], 400);
    expect(&setup, TRP_OUT_BYTES, 1);
    trp_transport_release(&setup.transport);
    assert_int_equal(trp_transport_begin_fill(&setup.transport, &s[0]), 0);
    trp_transport_end_fill(&setup.transport, &s[0], 0);
    trp_transport_sent(&s[0], 300);
    assert_int_equal(trp_transport_begin_fill(&setup.transport, &s[0]), 300);
    trp_transport_end_fill(&setup.transport, &s[0], 0);
    trp_transport_sent(&s[0], 5000); /* more than was handed over */
    assert_int_equal(trp_transport_begin_fill(&setup.transport, &s[0]), CREDIT);
    trp_transport_end_fill(&setup.transport, &s[0], 0);
    setup_close(&setup);
}

static void idle_sockets_share_one_block(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    struct trp_transport_socket *s = setup.sockets;
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(trp_transport_add(&setup.transport, &s[i], TRP_SOCKET_CONNECTION, 1 + 2 * i),
                      TRP_OK);
    }
    write_bytes(&setup, &s[0], 100);
    expect(&setup, TRP_OUT_BYTES, 1);
    trp_transport_release(&setup.transport);
    uint64_t used = setup.memory.used_bytes;
    for (uint32_t i = 0; i < 3; i++) {
        setup.memory.fail_at = 1; /* it allocates nothing */
        write_bytes(&setup, &s[i], 100);
        expect(&setup, TRP_OUT_BYTES, 1 + 2 * i);
        trp_transport_release(&setup.transport);
        assert_int_equal(setup.memory.used_bytes, used);
        setup.memory.fail_at = 0;
    }
    setup_close(&setup);
}

static void refusals_need_no_object(void **state)
{
    (void)state;
    struct setup setup;
    setup_open(&setup);
    for (uint32_t i = 0; i < TRP_REFUSALS_MAX; i++) {
        assert_status(trp_transport_refuse(&setup.transport, 1 + 2 * i), TRP_OK);
    }
    assert_status(trp_transport_refuse(&setup.transport, 99), TRP_EFULL);
    struct trp_output out;
    uint32_t count = 0;
    while (trp_transport_next_output(&setup.transport, &out)) {
        assert_true(out.kind == TRP_OUT_CLOSE && out.abort);
        count++;
    }
    assert_int_equal(count, TRP_REFUSALS_MAX);
    setup_close(&setup);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_our_sockets_even_and_finds_them),
    cmocka_unit_test(says_things_in_their_order),
    cmocka_unit_test(what_the_driver_never_heard_of_needs_no_close),
    cmocka_unit_test(a_pause_and_a_resume_cancel_out),
    cmocka_unit_test(credit_is_spent_and_returned),
    cmocka_unit_test(idle_sockets_share_one_block),
    cmocka_unit_test(refusals_need_no_object),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
