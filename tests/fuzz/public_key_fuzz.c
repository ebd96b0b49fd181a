/* SPDX-License-Identifier: MIT */
/* Public keys: what decodes is written again in canonical form, and decodes to the same. */
#include "base/assert.h"
#include "wire/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trp_public_key key;
    struct trp_public_key again;
    struct trp_peer_id id;
    uint8_t out[TRP_PUBLIC_KEY_ENCODED_MAX];
    size_t out_size = 0;
    if (trp_public_key_decode(trp_bytes(data, size), &key) != TRP_OK) {
        return 0;
    }
    TRP_ASSERT(trp_public_key_encode(&key, out, sizeof out, &out_size) == TRP_OK);
    TRP_ASSERT(trp_public_key_decode(trp_bytes(out, out_size), &again) == TRP_OK);
    TRP_ASSERT(again.type == key.type && again.size == key.size &&
               memcmp(again.bytes, key.bytes, key.size) == 0);
    trp_peer_id_from_key(&key, &id);
    TRP_ASSERT(id.size > 0 && id.size <= TRP_PEER_ID_BYTES_MAX);
    return 0;
}
