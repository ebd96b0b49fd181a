/* SPDX-License-Identifier: MIT */
#include <troupe/uv.h>

#include "crypto/crypto.h"
#include "crypto/keys.h"
#include "uv/state.h"
#include "wire/public_key.h"

#include <uv.h>

enum trp_status trp_state_create(const char *path, struct trp_peer_id *ret_peer)
{
    uint8_t identity[32];
    int error = 0;
    struct trp_memory memory = trp_memory_init(UINT64_C(2) * TRP_UV_STATE_BYTES_MAX);
    struct trp_buffer saved = trp_buffer_init(&memory, TRP_UV_STATE_BYTES_MAX);
    enum trp_status status = trp_uv_state_read(path, identity, &saved, &error);
    trp_buffer_free(&saved);
    if (status != TRP_ENOTFOUND) {
        return status == TRP_ENOMEM ? status : TRP_EEXISTS;
    }
    if (uv_random(NULL, NULL, identity, sizeof identity, 0, NULL) != 0) {
        return TRP_EIO;
    }
    status = trp_uv_state_write(path, identity, TRP_BYTES_NONE, &error);
    if (status == TRP_OK) {
        struct trp_keypair keypair;
        trp_keypair_from_seed(identity, &keypair);
        trp_peer_id_from_key(&keypair.public_key, ret_peer);
        trp_crypto_wipe(&keypair, sizeof keypair);
    }
    trp_crypto_wipe(identity, sizeof identity);
    return status;
}
