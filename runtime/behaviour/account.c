/* SPDX-License-Identifier: MIT */
#include "behaviour/account.h"

#include "base/assert.h"

#define GREEDY_SHARE 4u /* of the limit of a peer */

void trp_accounts_init(struct trp_accounts *accounts, struct trp_memory *memory)
{
    *accounts = (struct trp_accounts){.memory = memory, .accounts = trp_index_init(memory)};
    trp_list_init(&accounts->watches);
}

void trp_accounts_deinit(struct trp_accounts *accounts)
{
    TRP_ASSERT(accounts->bytes == 0);
    trp_index_deinit(&accounts->accounts);
}

void trp_accounts_attach(struct trp_accounts *accounts, const struct trp_limits *limits,
                         struct trp_trace *trace)
{
    accounts->limits = limits;
    accounts->trace = trace;
}

void trp_accounts_watch(struct trp_accounts *accounts, struct trp_account_watch *watch)
{
    trp_list_push_back(&accounts->watches, &watch->link);
}

static struct trp_account *account_find(const struct trp_accounts *accounts,
                                        const struct trp_peer_id *peer, uint32_t hash)
{
    uint32_t at = hash;
    struct trp_account *account;
    while ((account = trp_index_next(&accounts->accounts, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&account->peer, peer)) {
            break;
        }
    }
    return account;
}

struct trp_account *trp_account_open(struct trp_accounts *accounts, const struct trp_peer_id *peer)
{
    uint32_t hash = trp_index_hash(peer, sizeof *peer);
    struct trp_account *account = account_find(accounts, peer, hash);
    if (account == NULL) {
        account = trp_memory_alloc(accounts->memory, sizeof *account);
        if (account == NULL) {
            return NULL;
        }
        *account = (struct trp_account){.peer = *peer, .hash = hash};
        if (trp_index_insert(&accounts->accounts, hash, account) != TRP_OK) {
            trp_memory_free(accounts->memory, account);
            return NULL;
        }
    }
    account->holders++;
    return account;
}

void trp_account_close(struct trp_accounts *accounts, struct trp_account *account)
{
    if (--account->holders == 0) {
        TRP_ASSERT(account->bytes == 0);
        trp_index_remove(&accounts->accounts, account->hash, account);
        trp_memory_free(accounts->memory, account);
    }
}

enum trp_status trp_account_charge(struct trp_accounts *accounts, struct trp_account *account,
                                   size_t bytes)
{
    const struct trp_limits *limits = accounts->limits;
    if (bytes > limits->received_bytes_per_peer - account->bytes) {
        trp_limit_say(&accounts->mark, accounts->trace, "received_bytes_per_peer",
                      limits->received_bytes_per_peer);
        return TRP_EFULL;
    }
    if (bytes > limits->received_bytes - accounts->bytes) {
        trp_limit_say(&accounts->mark, accounts->trace, "received_bytes", limits->received_bytes);
        return TRP_EFULL;
    }
    account->bytes += bytes;
    accounts->bytes += bytes;
    return TRP_OK;
}

bool trp_account_is_greedy(const struct trp_accounts *accounts, const struct trp_account *account)
{
    return account->bytes > accounts->limits->received_bytes_per_peer / GREEDY_SHARE;
}

void trp_account_uncharge(struct trp_accounts *accounts, struct trp_account *account, size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    bool was_greedy = trp_account_is_greedy(accounts, account);
    account->bytes -= bytes;
    accounts->bytes -= bytes;
    if (!was_greedy || trp_account_is_greedy(accounts, account)) {
        return;
    }
    struct trp_list_link *link = trp_list_front(&accounts->watches);
    for (; link != NULL; link = trp_list_next(&accounts->watches, link)) {
        struct trp_account_watch *watch = TRP_CONTAINER(link, struct trp_account_watch, link);
        watch->relieved(watch->user, &account->peer);
    }
}
