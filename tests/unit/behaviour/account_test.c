/* SPDX-License-Identifier: MIT */
#include "behaviour/account.h"
#include "lib/test.h"

struct stage {
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_trace trace;
    struct trp_accounts accounts;
    struct trp_account_watch watch;
    uint32_t relieved_count;
    struct trp_peer_id relieved;
};

static struct trp_peer_id peer(uint8_t n)
{
    return (struct trp_peer_id){.size = 38, .bytes = {0, 0x24, 8, 1, 0x12, 0x20, n}};
}

static void on_relieved(void *user, const struct trp_peer_id *id)
{
    struct stage *stage = user;
    stage->relieved_count++;
    stage->relieved = *id;
}

static void stage_open(struct stage *stage)
{
    *stage = (struct stage){.memory = trp_memory_init(1u << 20),
                            .limits = {.received_bytes = 1500, .received_bytes_per_peer = 1000}};
    stage->watch = (struct trp_account_watch){.relieved = on_relieved, .user = stage};
    trp_accounts_init(&stage->accounts, &stage->memory);
    trp_accounts_attach(&stage->accounts, &stage->limits, &stage->trace);
    trp_accounts_watch(&stage->accounts, &stage->watch);
}

static struct trp_account *stage_account(struct stage *stage, uint8_t n)
{
    struct trp_peer_id id = peer(n);
    struct trp_account *account = trp_account_open(&stage->accounts, &id);
    assert_non_null(account);
    return account;
}

static void stage_close(struct stage *stage)
{
    trp_accounts_deinit(&stage->accounts);
    assert_int_equal(stage->memory.used_bytes, 0);
}

static void counts_what_all_holders_charge(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    struct trp_account *one = stage_account(&stage, 1);
    assert_ptr_equal(stage_account(&stage, 1), one);
    assert_status(trp_account_charge(&stage.accounts, one, 600), TRP_OK);
    assert_status(trp_account_charge(&stage.accounts, one, 401), TRP_EFULL);
    assert_status(trp_account_charge(&stage.accounts, one, 400), TRP_OK);
    trp_account_uncharge(&stage.accounts, one, 1000);
    trp_account_close(&stage.accounts, one);
    assert_status(trp_account_charge(&stage.accounts, one, 1), TRP_OK); /* there is a holder left */
    trp_account_uncharge(&stage.accounts, one, 1);
    trp_account_close(&stage.accounts, one);
    stage_close(&stage);
}

static void bounds_all_peers_together(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    struct trp_account *one = stage_account(&stage, 1);
    struct trp_account *two = stage_account(&stage, 2);
    assert_status(trp_account_charge(&stage.accounts, one, 1000), TRP_OK);
    assert_status(trp_account_charge(&stage.accounts, two, 501), TRP_EFULL);
    assert_status(trp_account_charge(&stage.accounts, two, 500), TRP_OK);
    trp_account_uncharge(&stage.accounts, one, 1000);
    trp_account_uncharge(&stage.accounts, two, 500);
    trp_account_close(&stage.accounts, one);
    trp_account_close(&stage.accounts, two);
    stage_close(&stage);
}

static void tells_once_that_a_peer_is_relieved(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    struct trp_account *one = stage_account(&stage, 1);
    assert_status(trp_account_charge(&stage.accounts, one, 250), TRP_OK);
    assert_false(trp_account_is_greedy(&stage.accounts, one));
    trp_account_uncharge(&stage.accounts, one, 10);
    assert_int_equal(stage.relieved_count, 0);
    assert_status(trp_account_charge(&stage.accounts, one, 300), TRP_OK);
    assert_true(trp_account_is_greedy(&stage.accounts, one));
    trp_account_uncharge(&stage.accounts, one, 100);
    assert_int_equal(stage.relieved_count, 0); /* it still is */
    trp_account_uncharge(&stage.accounts, one, 400);
    trp_account_uncharge(&stage.accounts, one, 40);
    assert_int_equal(stage.relieved_count, 1);
    struct trp_peer_id id = peer(1);
    assert_true(trp_peer_id_equal(&stage.relieved, &id));
    trp_account_close(&stage.accounts, one);
    stage_close(&stage);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct stage stage;
        stage_open(&stage);
        struct trp_peer_id id = peer(1);
        stage.memory.fail_at = n;
        assert_null(trp_account_open(&stage.accounts, &id));
        trp_account_close(&stage.accounts, stage_account(&stage, 1));
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_all_holders_charge),
        cmocka_unit_test(bounds_all_peers_together),
        cmocka_unit_test(tells_once_that_a_peer_is_relieved),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
