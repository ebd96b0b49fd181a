/* SPDX-License-Identifier: MIT */
/* wire/multihash.h - a digest that says which function made it: uvarint code, uvarint length,
 * digest.
 *
 * Spec       multiformats/multihash */
#ifndef WIRE_MULTIHASH_H
#define WIRE_MULTIHASH_H

#include <troupe/base.h>

#define TRP_MULTIHASH_IDENTITY 0x00u
#define TRP_MULTIHASH_SHA256   0x12u

struct trp_multihash {
    uint64_t code;
    struct trp_bytes digest; /* borrows from the input */
};

/* Reads one with nothing after it; TRP_EMALFORMED. */
enum trp_status trp_multihash_decode(struct trp_bytes in,
                                     struct trp_multihash *ret_multihash) TRP_NODISCARD;

#endif
