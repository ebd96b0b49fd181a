/* SPDX-License-Identifier: MIT */
/* wire/noise_payload.h - what libp2p says inside Noise handshake messages 2 and 3.
 *
 * Spec       libp2p/specs noise/README.md: identity_key = 1, identity_sig = 2, extensions = 4
 *            {webtransport_certhashes = 1, stream_muxers = 2}. No length prefix.
 * Ownership  Decoded slices borrow from the arena. */
#ifndef WIRE_NOISE_PAYLOAD_H
#define WIRE_NOISE_PAYLOAD_H

#include "wire/arena.h"

#define TRP_NOISE_PAYLOAD_MUXERS_MAX  16u
#define TRP_NOISE_PAYLOAD_ARENA_BYTES 8192u /* enough for any honest payload */

struct trp_noise_payload {
    struct trp_bytes identity_key; /* an encoded PublicKey; empty: absent */
    struct trp_bytes identity_sig;
    uint32_t muxers_count;                                 /* 0: no extension */
    struct trp_bytes muxers[TRP_NOISE_PAYLOAD_MUXERS_MAX]; /* by preference, without NUL */
};

/* TRP_ETOOBIG when it does not fit. */
enum trp_status trp_noise_payload_encode(const struct trp_noise_payload *payload, uint8_t *out,
                                         size_t room, size_t *ret_size) TRP_NODISCARD;
/* TRP_EMALFORMED; TRP_ETOOBIG for more than the arena holds. Muxers beyond the most are left out.
 */
enum trp_status trp_noise_payload_decode(struct trp_bytes in, struct trp_arena *arena,
                                         struct trp_noise_payload *ret_payload) TRP_NODISCARD;

#endif
