/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "wire/plaintext_exchange.h"
#include "wire/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trp_public_key key;
    struct trp_peer_id id;
    struct trp_peer_id derived;
    if (trp_plaintext_exchange_decode(trp_bytes(data, size), &id, &key) == TRP_OK) {
        trp_peer_id_from_key(&key, &derived);
        TRP_ASSERT(trp_peer_id_equal(&id, &derived));
    }
    return 0;
}
