/* SPDX-License-Identifier: MIT */
/* Keys, values and actor ids of the registry: what decodes is written back the same. */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/registration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[65536];
    struct trp_bytes in = trp_bytes(data, size < sizeof out ? size : sizeof out);
    struct trp_bytes name;
    struct trp_bytes type;
    struct trp_peer_id owner;
    struct trp_actor_ref ref;
    uint8_t id[TRP_ACTOR_REF_BYTES_MAX];
    size_t out_size = 0;
    if (trp_registration_key_decode(in, &name, &owner) == TRP_OK) {
        struct trp_bytes again;
        struct trp_peer_id same;
        TRP_ASSERT(trp_registration_key_encode(name, &owner, out, sizeof out, &out_size) == TRP_OK);
        TRP_ASSERT(trp_registration_key_decode(trp_bytes(out, out_size), &again, &same) == TRP_OK);
        TRP_ASSERT(trp_bytes_equal(again, name) && trp_peer_id_equal(&same, &owner));
    }
    if (trp_registration_decode(in, &ref, &type) == TRP_OK) {
        TRP_ASSERT(trp_registration_encode(&ref, type, out, sizeof out, &out_size) == TRP_OK);
        TRP_ASSERT(trp_bytes_equal(trp_bytes(out, out_size), in));
    }
    if (trp_actor_id_decode(in, &ref) == TRP_OK) {
        TRP_ASSERT(trp_bytes_equal(trp_bytes(id, trp_actor_id_encode(&ref, id)), in));
    }
    return 0;
}
