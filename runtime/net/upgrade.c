/* SPDX-License-Identifier: MIT */
#include "net/upgrade.h"

#include "base/assert.h"
#include "proto/multistream.h"
#include "proto/plaintext.h"
#include "proto/yamux.h"

#define CLEAR_BYTES_MAX 32768u /* answers of the muxer's negotiation, before encryption */

enum stage { STAGE_PROPOSAL, STAGE_HANDSHAKE, STAGE_MUXER, STAGE_DONE };

static const char *const noise_protocols[] = {TRP_NOISE_PROTOCOL};
static const char *const plaintext_protocols[] = {TRP_PLAINTEXT_PROTOCOL};
static const char *const muxer_protocols[] = {TRP_YAMUX_PROTOCOL};

struct trp_upgrade {
    struct trp_memory *memory;
    struct trp_upgrade_config config;
    enum stage stage;
    enum trp_status failed;
    bool secured; /* `noise` or `plaintext` exists */
    bool open;
    struct trp_multistream security;
    struct trp_multistream muxer; /* from STAGE_MUXER on */
    struct trp_noise *noise;
    struct trp_plaintext plaintext;
    struct trp_buffer clear; /* of the muxer's negotiation, to be encrypted */
};

static struct trp_multistream_config negotiation(const struct trp_upgrade *u,
                                                 const char *const *protocols)
{
    return (struct trp_multistream_config){.initiator = u->config.initiator,
                                           .lazy = u->config.initiator,
                                           .protocols = protocols,
                                           .protocols_count = 1};
}

/* Makes the secure channel: the initiator at once, its first message goes with the proposal. */
static enum trp_status upgrade_secure(struct trp_upgrade *u)
{
    enum trp_status status;
    if (u->config.plaintext) {
        status =
            trp_plaintext_init(&u->plaintext, u->memory, u->config.identity, &u->config.expected);
    } else {
        struct trp_noise_config noise = {.initiator = u->config.initiator,
                                         .identity = u->config.noise,
                                         .memo = u->config.memo,
                                         .agreements = u->config.agreements,
                                         .expected = u->config.expected,
                                         .muxers = muxer_protocols,
                                         .muxers_count = 1};
        memcpy(noise.ephemeral_secret, u->config.ephemeral_secret, sizeof noise.ephemeral_secret);
        status = trp_noise_open(u->memory, &noise, &u->noise);
    }
    u->secured = status == TRP_OK;
    return status;
}

enum trp_status trp_upgrade_open(struct trp_memory *memory, const struct trp_upgrade_config *config,
                                 struct trp_upgrade **ret_upgrade)
{
    struct trp_upgrade *u = trp_memory_alloc(memory, sizeof *u);
    if (u == NULL) {
        return TRP_ENOMEM;
    }
    u->memory = memory;
    u->config = *config;
    u->clear = trp_buffer_init(memory, CLEAR_BYTES_MAX);
    const struct trp_multistream_config proposal =
        negotiation(u, config->plaintext ? plaintext_protocols : noise_protocols);
    trp_multistream_init(&u->security, memory, &proposal);
    if (config->initiator) {
        uint32_t protocol;
        enum trp_status status = trp_multistream_outcome(&u->security, &protocol);
        if (status == TRP_OK) {
            status = upgrade_secure(u);
        }
        if (status != TRP_OK) {
            trp_upgrade_close(u);
            return status;
        }
    }
    *ret_upgrade = u;
    return TRP_OK;
}

void trp_upgrade_close(struct trp_upgrade *upgrade)
{
    if (upgrade == NULL) {
        return;
    }
    trp_multistream_deinit(&upgrade->security);
    if (upgrade->stage >= STAGE_MUXER) {
        trp_multistream_deinit(&upgrade->muxer);
    }
    if (upgrade->secured && upgrade->config.plaintext) {
        trp_plaintext_deinit(&upgrade->plaintext);
    }
    trp_noise_close(upgrade->noise);
    trp_buffer_free(&upgrade->clear);
    trp_memory_free(upgrade->memory, upgrade);
}

/* ---- receiving ---- */

/* Moves on once the negotiation of the muxer is agreed, or read to its end. */
static enum trp_status upgrade_check_muxer(struct trp_upgrade *u)
{
    uint32_t protocol;
    enum trp_status status = trp_multistream_outcome(&u->muxer, &protocol);
    if (status == TRP_EAGAIN) {
        return TRP_OK;
    }
    if (status == TRP_OK) {
        u->open = true;
        if (trp_multistream_is_read(&u->muxer)) {
            u->stage = STAGE_DONE;
        }
    }
    return status;
}

/* The peer is known. Inlined negotiation: both have named their muxers in the handshake, and the
 * first of the initiator's that both have is agreed without a word. */
static enum trp_status upgrade_begin_muxer(struct trp_upgrade *u)
{
    bool inlined = u->noise != NULL && trp_noise_muxer(u->noise) != NULL;
    struct trp_multistream_config config = negotiation(u, muxer_protocols);
    config.initiator = config.initiator && !inlined; /* proposes nothing */
    config.lazy = config.initiator;
    trp_multistream_init(&u->muxer, u->memory, &config);
    u->stage = STAGE_MUXER;
    if (inlined) {
        u->open = true;
        u->stage = STAGE_DONE;
        return TRP_OK;
    }
    return upgrade_check_muxer(u);
}

static enum trp_status upgrade_recv_proposal(struct trp_upgrade *u, struct trp_bytes in,
                                             size_t *ret_used)
{
    enum trp_status status = trp_multistream_recv(&u->security, in, ret_used);
    if (status != TRP_OK || !trp_multistream_is_read(&u->security)) {
        return status;
    }
    u->stage = STAGE_HANDSHAKE;
    return u->secured ? TRP_OK : upgrade_secure(u);
}

static enum trp_status upgrade_recv_muxer(struct trp_upgrade *u, struct trp_bytes in,
                                          size_t *ret_used)
{
    enum trp_status status = trp_multistream_recv(&u->muxer, in, ret_used);
    return status == TRP_OK ? upgrade_check_muxer(u) : status;
}

static enum trp_status upgrade_recv_plaintext(struct trp_upgrade *u, struct trp_bytes in,
                                              size_t *ret_used)
{
    if (u->stage == STAGE_MUXER) {
        return upgrade_recv_muxer(u, in, ret_used);
    }
    enum trp_status status = trp_plaintext_recv(&u->plaintext, in, ret_used);
    if (status == TRP_OK && trp_plaintext_is_open(&u->plaintext)) {
        status = upgrade_begin_muxer(u);
    }
    return status;
}

static enum trp_status upgrade_recv_noise(struct trp_upgrade *u, struct trp_bytes in,
                                          struct trp_buffer *plain, size_t *ret_used)
{
    enum trp_status status = trp_noise_recv(u->noise, in, plain, ret_used);
    if (status == TRP_OK && u->stage == STAGE_HANDSHAKE && trp_noise_is_open(u->noise)) {
        status = upgrade_begin_muxer(u);
    }
    if (status == TRP_OK && u->stage == STAGE_MUXER && plain->size > 0) {
        size_t used = 0;
        status = upgrade_recv_muxer(u, trp_buffer_view(plain), &used);
        if (status == TRP_OK) {
            trp_buffer_consume(plain, used);
        }
    }
    return status;
}

enum trp_status trp_upgrade_recv(struct trp_upgrade *upgrade, struct trp_bytes in,
                                 struct trp_buffer *plain, size_t *ret_used)
{
    size_t used = 0;
    while (upgrade->failed == TRP_OK && upgrade->stage != STAGE_DONE && used < in.size) {
        struct trp_bytes rest = trp_bytes_skip(in, used);
        size_t size = 0;
        if (upgrade->stage == STAGE_PROPOSAL) {
            upgrade->failed = upgrade_recv_proposal(upgrade, rest, &size);
        } else if (upgrade->config.plaintext) {
            upgrade->failed = upgrade_recv_plaintext(upgrade, rest, &size);
        } else {
            upgrade->failed = upgrade_recv_noise(upgrade, rest, plain, &size);
        }
        if (upgrade->failed != TRP_OK || size == 0) {
            break;
        }
        used += size;
    }
    *ret_used = used;
    return upgrade->failed;
}

/* ---- sending ---- */

/* The muxer's negotiation, by way of the secure channel. */
static enum trp_status upgrade_send_muxer(struct trp_upgrade *u, struct trp_buffer *out)
{
    if (u->config.plaintext) {
        return trp_multistream_send(&u->muxer, out);
    }
    enum trp_status status = trp_multistream_send(&u->muxer, &u->clear);
    if (status != TRP_OK && status != TRP_EFULL) {
        return status;
    }
    while (u->clear.size > 0) {
        size_t used;
        status = trp_noise_encrypt(u->noise, trp_buffer_view(&u->clear), out, &used);
        if (status != TRP_OK) {
            return status;
        }
        trp_buffer_consume(&u->clear, used);
    }
    return status;
}

enum trp_status trp_upgrade_send(struct trp_upgrade *upgrade, struct trp_buffer *out)
{
    enum trp_status status = trp_multistream_send(&upgrade->security, out);
    if (status == TRP_OK && upgrade->secured) {
        status = upgrade->config.plaintext ? trp_plaintext_send(&upgrade->plaintext, out)
                                           : trp_noise_send(upgrade->noise, out);
    }
    if (status == TRP_OK && upgrade->stage >= STAGE_MUXER) {
        status = upgrade_send_muxer(upgrade, out);
    }
    if (status != TRP_OK && status != TRP_EFULL) {
        upgrade->failed = upgrade->failed != TRP_OK ? upgrade->failed : status;
    }
    return status;
}

/* ---- what is known ---- */

bool trp_upgrade_is_open(const struct trp_upgrade *upgrade)
{
    return upgrade->failed == TRP_OK && upgrade->open;
}

bool trp_upgrade_is_read(const struct trp_upgrade *upgrade)
{
    return upgrade->failed == TRP_OK && upgrade->stage == STAGE_DONE;
}

bool trp_upgrade_has_begun(const struct trp_upgrade *upgrade)
{
    return upgrade->stage > STAGE_PROPOSAL;
}

const struct trp_peer_id *trp_upgrade_peer(const struct trp_upgrade *upgrade)
{
    if (upgrade->stage < STAGE_MUXER) {
        return NULL;
    }
    return upgrade->config.plaintext ? &upgrade->plaintext.peer : trp_noise_peer(upgrade->noise);
}

const char *trp_upgrade_stage(const struct trp_upgrade *upgrade)
{
    return upgrade->stage < STAGE_MUXER ? "security" : "muxer";
}

struct trp_noise *trp_upgrade_noise(const struct trp_upgrade *upgrade)
{
    return upgrade->noise;
}

struct trp_noise *trp_upgrade_take_noise(struct trp_upgrade *upgrade)
{
    TRP_ASSERT(upgrade->stage == STAGE_DONE && upgrade->clear.size == 0);
    struct trp_noise *noise = upgrade->noise;
    upgrade->noise = NULL;
    return noise;
}
