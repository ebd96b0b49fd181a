/* SPDX-License-Identifier: MIT */
/* net/upgrade.h - what makes a transport connection a connection: agreeing on security, securing,
 * agreeing on the muxer.
 *
 * Spec       libp2p/specs connections/README.md "Upgrading Connections",
 *            connections/inlined-muxer-negotiation.md
 * Purity     No I/O, clock, randomness: the secrets are given.
 * Driving    recv while it uses bytes, send after every call. Both negotiations of the initiator
 *            are optimistic: is_open turns true before the peer's answer to the muxer proposal is
 *            read, and the muxer may speak already; its own bytes come after is_read.
 * Failure    Final and sticky; trp_upgrade_stage says where. */
#ifndef NET_UPGRADE_H
#define NET_UPGRADE_H

#include "base/buffer.h"
#include "crypto/keys.h"
#include "proto/noise.h"

struct trp_upgrade; /* opaque */

struct trp_upgrade_config {
    bool initiator;
    bool plaintext;
    const struct trp_keypair *identity;     /* for plaintext; borrowed */
    const struct trp_noise_identity *noise; /* else; borrowed */
    struct trp_signature_memo *memo;        /* borrowed; NULL: none */
    struct trp_x25519_memo *agreements;     /* likewise */
    struct trp_peer_id expected;            /* size 0: anybody */
    uint8_t ephemeral_secret[32];
};

enum trp_status trp_upgrade_open(struct trp_memory *memory, const struct trp_upgrade_config *config,
                                 struct trp_upgrade **ret_upgrade) TRP_NODISCARD;
void trp_upgrade_close(struct trp_upgrade *upgrade);
/* Reads bytes of the wire. Decrypted bytes that belong to the muxer are left in `plain`; where
 * there is no encryption, they are left unused. TRP_EMALFORMED, TRP_ETOOBIG, TRP_ENEGOTIATION,
 * TRP_EAUTH, TRP_ENOMEM. */
enum trp_status trp_upgrade_recv(struct trp_upgrade *upgrade, struct trp_bytes in,
                                 struct trp_buffer *plain, size_t *ret_used) TRP_NODISCARD;
/* Appends what is to be sent. TRP_EFULL keeps it for later, TRP_ENOMEM. */
enum trp_status trp_upgrade_send(struct trp_upgrade *upgrade, struct trp_buffer *out) TRP_NODISCARD;
/* True when the muxer may speak. */
bool trp_upgrade_is_open(const struct trp_upgrade *upgrade);
/* True when all bytes that follow are the muxer's. */
bool trp_upgrade_is_read(const struct trp_upgrade *upgrade);
/* True once the peer has said which security it wants, the first thing that it says. */
bool trp_upgrade_has_begun(const struct trp_upgrade *upgrade);
/* Who the peer is; NULL before it is known. Borrowed. */
const struct trp_peer_id *trp_upgrade_peer(const struct trp_upgrade *upgrade);
/* Names the negotiation under way: "security" or "muxer". */
const char *trp_upgrade_stage(const struct trp_upgrade *upgrade);
/* The secure channel; NULL in plaintext. Borrowed. */
struct trp_noise *trp_upgrade_noise(const struct trp_upgrade *upgrade);
/* Gives the secure channel away; the upgrade must be read and nothing of it left to be sent. */
struct trp_noise *trp_upgrade_take_noise(struct trp_upgrade *upgrade);

#endif
