/* SPDX-License-Identifier: MIT */
#include "crypto/x25519_memo.h"

#include "base/endian.h"
#include "crypto/crypto.h"

#define KEY_BYTES 32u

static struct trp_x25519_agreement *memo_place(struct trp_x25519_memo *memo, const uint8_t *first,
                                               const uint8_t *second)
{
    /* Public keys are as good as random, but for those of an attacker, who gains nothing. */
    uint64_t mixed = trp_load_le64(first) ^ trp_load_le64(second);
    return &memo->places[mixed % TRP_X25519_MEMO_PLACES];
}

static bool agreement_is_of(const struct trp_x25519_agreement *agreement, const uint8_t *first,
                            const uint8_t *second)
{
    return agreement->is_taken && memcmp(agreement->publics[0], first, KEY_BYTES) == 0 &&
           memcmp(agreement->publics[1], second, KEY_BYTES) == 0;
}

enum trp_status trp_x25519_memo_agree(struct trp_x25519_memo *memo, const uint8_t own_secret[32],
                                      const uint8_t own_public[32], const uint8_t remote[32],
                                      uint8_t ret_shared[32])
{
    if (memo == NULL) {
        return trp_x25519(own_secret, remote, ret_shared);
    }
    bool own_first = memcmp(own_public, remote, KEY_BYTES) < 0;
    const uint8_t *first = own_first ? own_public : remote;
    const uint8_t *second = own_first ? remote : own_public;
    struct trp_x25519_agreement *place = memo_place(memo, first, second);
    if (agreement_is_of(place, first, second)) { /* each end asks once */
        memcpy(ret_shared, place->shared, KEY_BYTES);
        trp_crypto_wipe(place, sizeof *place);
        return TRP_OK;
    }
    enum trp_status status = trp_x25519(own_secret, remote, ret_shared);
    if (status == TRP_OK) {
        place->is_taken = true;
        memcpy(place->publics[0], first, KEY_BYTES);
        memcpy(place->publics[1], second, KEY_BYTES);
        memcpy(place->shared, ret_shared, KEY_BYTES);
    }
    return status;
}
