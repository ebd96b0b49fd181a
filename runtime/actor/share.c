/* SPDX-License-Identifier: MIT */
#include "actor/share.h"

#include "actor/scheduler_state.h"
#include "base/assert.h"

struct trp_shares trp_shares_init(struct trp_memory *memory)
{
    return (struct trp_shares){.slab =
                                   trp_slab_init(memory, sizeof(struct trp_share), TRP_SHARES_MAX),
                               .shares = trp_index_init(memory),
                               .senders = trp_index_init(memory)};
}

void trp_shares_deinit(struct trp_shares *shares)
{
    uint32_t at = 0;
    struct trp_sender *sender;
    while ((sender = trp_index_pop(&shares->senders, &at)) != NULL) {
        trp_memory_free(shares->senders.memory, sender);
    }
    trp_index_deinit(&shares->senders);
    trp_index_deinit(&shares->shares);
    trp_slab_free(&shares->slab);
}

/* ---- senders ---- */

static struct trp_sender *sender_find(const struct trp_shares *shares, const struct trp_peer_id *id,
                                      uint32_t hash)
{
    uint32_t at = hash;
    struct trp_sender *sender;
    while ((sender = trp_index_next(&shares->senders, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&sender->id, id)) {
            break;
        }
    }
    return sender;
}

static struct trp_sender *sender_obtain(struct trp_shares *shares, const struct trp_peer_id *id)
{
    struct trp_memory *memory = shares->senders.memory;
    uint32_t hash = trp_index_hash(id, sizeof *id);
    struct trp_sender *sender = sender_find(shares, id, hash);
    if (sender != NULL) {
        return sender;
    }
    sender = trp_memory_alloc(memory, sizeof *sender);
    if (sender == NULL) {
        return NULL;
    }
    sender->id = *id;
    sender->hash = hash;
    if (trp_index_insert(&shares->senders, hash, sender) != TRP_OK) {
        trp_memory_free(memory, sender);
        return NULL;
    }
    return sender;
}

static void sender_release(struct trp_shares *shares, struct trp_sender *sender)
{
    if (sender != NULL && sender->shares_count == 0) {
        trp_index_remove(&shares->senders, sender->hash, sender);
        trp_memory_free(shares->senders.memory, sender);
    }
}

/* ---- shares ---- */

/* No pointer is hashed; our own actors are nobody. */
static uint32_t share_hash(const struct trp_sender *sender, uint64_t actor)
{
    uint64_t key[2] = {sender == NULL ? UINT64_MAX : sender->hash, actor};
    return trp_index_hash(key, sizeof key);
}

static struct trp_share *share_find(const struct trp_shares *shares,
                                    const struct trp_sender *sender, uint64_t actor)
{
    uint32_t hash = share_hash(sender, actor);
    uint32_t at = hash;
    struct trp_share *share;
    while ((share = trp_index_next(&shares->shares, hash, &at)) != NULL) {
        if (share->sender == sender && share->actor == actor) {
            break;
        }
    }
    return share;
}

/* As for all that is bounded, it is said once a second when there is no room. */
static enum trp_status share_make(struct trp_scheduler *scheduler, struct trp_sender *sender,
                                  uint64_t actor, struct trp_share **ret_share)
{
    struct trp_shares *shares = &scheduler->shares;
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&shares->slab, &id, &object);
    if (status != TRP_OK) {
        if (status == TRP_EFULL) {
            trp_limit_say(&shares->mark, scheduler->trace, "shares of mailboxes", TRP_SHARES_MAX);
        }
        return status;
    }
    struct trp_share *share = object;
    *share = (struct trp_share){.id = id, .sender = sender, .actor = actor};
    trp_list_init(&share->line);
    status = trp_index_insert(&shares->shares, share_hash(sender, actor), share);
    if (status != TRP_OK) {
        trp_slab_remove(&shares->slab, id);
        return status;
    }
    if (sender != NULL) {
        sender->shares_count++;
    }
    *ret_share = share;
    return TRP_OK;
}

/* The share used last, when it is that one; most messages come in batches. */
static struct trp_share *share_recent(const struct trp_shares *shares,
                                      const struct trp_actor *actor, const struct trp_peer_id *from)
{
    struct trp_share *recent = shares->recent;
    bool same = recent != NULL && recent->actor == actor->id &&
                trp_peer_id_equal(&recent->sender->id, from);
    return same ? recent : NULL;
}

static struct trp_share *share_at(const struct trp_scheduler *scheduler, uint16_t low)
{
    struct trp_share *recent = scheduler->shares.recent;
    return recent != NULL && (uint16_t)recent->id == low
               ? recent
               : trp_slab_at(&scheduler->shares.slab, low);
}

void trp_share_release(struct trp_scheduler *scheduler, struct trp_share *share)
{
    struct trp_shares *shares = &scheduler->shares;
    if (share->mails > 0 || !trp_list_is_empty(&share->line) || share == shares->recent) {
        return;
    }
    struct trp_sender *sender = share->sender;
    trp_index_remove(&shares->shares, share_hash(sender, share->actor), share);
    trp_slab_remove(&shares->slab, share->id);
    if (sender != NULL) {
        sender->shares_count--;
        sender_release(shares, sender);
    }
}

static enum trp_status share_obtain(struct trp_scheduler *scheduler, const struct trp_actor *actor,
                                    const struct trp_peer_id *from, struct trp_share **ret_share)
{
    struct trp_shares *shares = &scheduler->shares;
    *ret_share = share_recent(shares, actor, from);
    if (*ret_share != NULL) {
        return TRP_OK;
    }
    struct trp_share *recent = shares->recent;
    struct trp_sender *sender = sender_obtain(shares, from);
    if (sender == NULL) {
        return TRP_ENOMEM;
    }
    struct trp_share *share = share_find(shares, sender, actor->id);
    enum trp_status status =
        share == NULL ? share_make(scheduler, sender, actor->id, &share) : TRP_OK;
    if (status != TRP_OK) {
        sender_release(shares, sender);
        return status;
    }
    shares->recent = share;
    if (recent != NULL) {
        trp_share_release(scheduler, recent);
    }
    *ret_share = share;
    return TRP_OK;
}

enum trp_status trp_share_admit(struct trp_scheduler *scheduler, const struct trp_actor *actor,
                                const struct trp_peer_id *from, struct trp_share **ret_share)
{
    const struct trp_limits *limits = scheduler->limits;
    struct trp_shares *shares = &scheduler->shares;
    struct trp_share *share;
    enum trp_status status = share_obtain(scheduler, actor, from, &share);
    if (status != TRP_OK) {
        return status;
    }
    uint64_t has = share->sender->bytes;
    uint64_t left = limits->received_bytes - trp_time_min(shares->bytes, limits->received_bytes);
    if (has >= limits->received_bytes_per_peer || has >= left) {
        trp_limit_say(&shares->mark, scheduler->trace, "received_bytes_per_peer",
                      limits->received_bytes_per_peer);
        trp_share_release(scheduler, share);
        return TRP_EMAILBOXFULL;
    }
    *ret_share = share;
    return TRP_OK;
}

/* What it takes in memory. */
static uint64_t charge_of(const struct trp_mail *mail)
{
    return sizeof *mail + mail->bytes;
}

void trp_share_charge(struct trp_scheduler *scheduler, struct trp_share *share,
                      struct trp_mail *mail)
{
    mail->share = (uint16_t)share->id;
    share->mails++;
    share->sender->bytes += charge_of(mail);
    scheduler->shares.bytes += charge_of(mail);
}

void trp_share_discharge(struct trp_scheduler *scheduler, struct trp_mail *mail)
{
    if (mail->share == 0) {
        return;
    }
    struct trp_share *share = share_at(scheduler, mail->share);
    mail->share = 0;
    share->mails--;
    share->sender->bytes -= charge_of(mail);
    scheduler->shares.bytes -= charge_of(mail);
    trp_share_release(scheduler, share);
}

/* ---- the mailbox ---- */

/* As long as others of its sender wait, it has none. */
static bool share_has_place(const struct trp_actor *actor, const struct trp_share *share)
{
    const struct trp_mailbox *mailbox = &actor->mailbox;
    return share->sender == NULL
               ? trp_mailbox_has_room(mailbox)
               : (uint64_t)share->placed + actor->peers_count < 2ull * mailbox->user_limit;
}

bool trp_share_has_room(const struct trp_scheduler *scheduler, const struct trp_actor *actor,
                        const struct trp_mail *mail)
{
    const struct trp_share *share = share_at(scheduler, mail->share);
    return trp_list_is_empty(&share->line) && share_has_place(actor, share);
}

bool trp_share_is_full(const struct trp_scheduler *scheduler, const struct trp_actor *actor,
                       const struct trp_peer_id *from)
{
    const struct trp_shares *shares = &scheduler->shares;
    const struct trp_share *share = share_recent(shares, actor, from);
    if (share == NULL) {
        const struct trp_sender *sender =
            sender_find(shares, from, trp_index_hash(from, sizeof *from));
        share = sender == NULL ? NULL : share_find(shares, sender, actor->id);
    }
    if (share == NULL) {
        return actor->peers_count >= 2ull * actor->mailbox.user_limit;
    }
    return !trp_list_is_empty(&share->line) || !share_has_place(actor, share);
}

void trp_share_push(struct trp_scheduler *scheduler, struct trp_actor *actor, struct trp_mail *mail)
{
    trp_lane_push(&actor->mailbox.user, mail);
    actor->peers_count++;
    share_at(scheduler, mail->share)->placed++;
}

void trp_share_popped(struct trp_scheduler *scheduler, struct trp_actor *actor,
                      struct trp_mail *mail)
{
    actor->peers_count--;
    share_at(scheduler, mail->share)->placed--;
    trp_share_discharge(scheduler, mail);
}

/* ---- lines ---- */

enum trp_status trp_share_wait(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_request *request)
{
    struct trp_share *share;
    if (request->message->share != 0) {
        share = share_at(scheduler, request->message->share);
    } else {
        share = share_find(&scheduler->shares, NULL, actor->id);
        enum trp_status status =
            share == NULL ? share_make(scheduler, NULL, actor->id, &share) : TRP_OK;
        if (status != TRP_OK) {
            return status;
        }
    }
    request->share = (uint16_t)share->id;
    trp_list_push_back(&share->line, &request->waiting);
    if (!trp_list_link_is_linked(&share->turn)) {
        trp_list_push_back(&actor->waiting, &share->turn);
    }
    return TRP_OK;
}

void trp_share_leave(struct trp_scheduler *scheduler, struct trp_request *request)
{
    struct trp_share *share = share_at(scheduler, request->share);
    request->share = 0;
    trp_list_link_remove(&request->waiting);
    if (trp_list_is_empty(&share->line)) {
        trp_list_link_remove(&share->turn);
        trp_share_release(scheduler, share);
    }
}

static struct trp_request *line_first(const struct trp_share *share)
{
    return TRP_CONTAINER(trp_list_front(&share->line), struct trp_request, waiting);
}

struct trp_request *trp_share_first(const struct trp_actor *actor)
{
    struct trp_list_link *link = trp_list_front(&actor->waiting);
    return link == NULL ? NULL : line_first(TRP_CONTAINER(link, struct trp_share, turn));
}

/* Our own first: where they have room, none of them waits. Among peers, in turns. While a message
 * of a peer waits there is one in the mailbox, and when the last of those goes everybody has room;
 * so a try that finds nobody is not the last one. */
struct trp_request *trp_share_next(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                   uint32_t *tries)
{
    struct trp_list_link *link;
    const struct trp_share *own = NULL;
    if (trp_mailbox_has_room(&actor->mailbox)) {
        own = share_find(&scheduler->shares, NULL, actor->id);
    }
    if (own != NULL) {
        return line_first(own);
    }
    while (*tries > 0 && (link = trp_list_pop_front(&actor->waiting)) != NULL) {
        const struct trp_share *share = TRP_CONTAINER(link, struct trp_share, turn);
        (*tries)--;
        trp_list_push_back(&actor->waiting, link);
        if (share_has_place(actor, share)) {
            return line_first(share);
        }
    }
    return NULL;
}
