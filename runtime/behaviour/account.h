/* SPDX-License-Identifier: MIT */
/* behaviour/account.h - how many bytes are held of each peer, counted together by all protocols
 * that hold some.
 *
 * What has come from a peer, or waits to go to it as an answer, is charged until it is dealt with.
 * A peer past a quarter of its share is greedy: who holds its bytes slows it down by withholding
 * credit, and goes on when it is told that the peer is relieved.
 * Limits     received_bytes of all peers, received_bytes_per_peer.
 * Ownership  An account lives from its first open to its last close; all that was charged must
 *            have been given back before. */
#ifndef BEHAVIOUR_ACCOUNT_H
#define BEHAVIOUR_ACCOUNT_H

#include "base/index.h"
#include "base/list.h"
#include "trace/limit.h"

#include <troupe/limits.h>
#include <troupe/peer_id.h>

struct trp_account {
    struct trp_peer_id peer;
    uint32_t hash;
    uint32_t holders; /* opens without a close */
    uint64_t bytes;
};

/* Is told when a greedy peer is none any more; only a change of state may follow. */
struct trp_account_watch {
    void (*relieved)(void *user, const struct trp_peer_id *peer);
    void *user;
    struct trp_list_link link;
};

struct trp_accounts {
    struct trp_memory *memory;       /* borrowed, as all pointers here */
    const struct trp_limits *limits; /* NULL before trp_accounts_attach */
    struct trp_trace *trace;
    struct trp_index accounts;
    struct trp_list watches;
    uint64_t bytes; /* of all peers */
    struct trp_limit_mark mark;
};

void trp_accounts_init(struct trp_accounts *accounts, struct trp_memory *memory);
/* All accounts must be closed. */
void trp_accounts_deinit(struct trp_accounts *accounts);
/* Says what the limits are, and where it is told that one was reached, before the first charge. */
void trp_accounts_attach(struct trp_accounts *accounts, const struct trp_limits *limits,
                         struct trp_trace *trace);
/* Borrows the watch until it is unlinked. */
void trp_accounts_watch(struct trp_accounts *accounts, struct trp_account_watch *watch);

/* NULL: out of memory. */
struct trp_account *trp_account_open(struct trp_accounts *accounts, const struct trp_peer_id *peer);
void trp_account_close(struct trp_accounts *accounts, struct trp_account *account);
/* TRP_EFULL. */
enum trp_status trp_account_charge(struct trp_accounts *accounts, struct trp_account *account,
                                   size_t bytes) TRP_NODISCARD;
void trp_account_uncharge(struct trp_accounts *accounts, struct trp_account *account, size_t bytes);
bool trp_account_is_greedy(const struct trp_accounts *accounts, const struct trp_account *account);

#endif
