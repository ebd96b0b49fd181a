/* SPDX-License-Identifier: MIT */
/* wire/base58.h - bytes as text: base58btc, and the multibase prefixes a CID comes with.
 *
 * Spec       multiformats/multibase; RFC 4648 base32 without padding.
 * Limits     TRP_BASE_BYTES_MAX bytes: base58 takes quadratic time.
 * Failure    TRP_EMALFORMED: a character that is not of the alphabet, or bits left over.
 *            TRP_ETOOBIG: over the limit or the room. TRP_EUNSUPPORTED: another multibase prefix.
 */
#ifndef WIRE_BASE58_H
#define WIRE_BASE58_H

#include <troupe/base.h>

#define TRP_BASE_BYTES_MAX 64u

/* Writes text without a NUL. */
enum trp_status trp_base58_encode(struct trp_bytes in, char *out, size_t room,
                                  size_t *ret_size) TRP_NODISCARD;
enum trp_status trp_base58_decode(struct trp_bytes text, uint8_t *out, size_t room,
                                  size_t *ret_size) TRP_NODISCARD;
/* Reads the text after its prefix says how: z base58btc, k and K base36, b and B base32, f and F
 * base16. */
enum trp_status trp_multibase_decode(struct trp_bytes text, uint8_t *out, size_t room,
                                     size_t *ret_size) TRP_NODISCARD;

#endif
