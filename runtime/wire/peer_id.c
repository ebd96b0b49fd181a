/* SPDX-License-Identifier: MIT */
#include <troupe/peer_id.h>

#include "base/assert.h"
#include "crypto/sha256.h"
#include "wire/base58.h"
#include "wire/multihash.h"
#include "wire/public_key.h"

#define IDENTITY_DIGEST_MAX 42u
#define CID_VERSION_1       0x01u
#define CODEC_LIBP2P_KEY    0x72u

enum trp_status trp_peer_id_decode(struct trp_bytes in, struct trp_peer_id *ret_id)
{
    struct trp_multihash hash; /* of at most 42 bytes, for the whole has at most 44 */
    if (in.size > TRP_PEER_ID_BYTES_MAX || trp_multihash_decode(in, &hash) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    bool identity = hash.code == TRP_MULTIHASH_IDENTITY && hash.digest.size > 0;
    bool sha256 = hash.code == TRP_MULTIHASH_SHA256 && hash.digest.size == TRP_SHA256_BYTES;
    if (!identity && !sha256) {
        return TRP_EMALFORMED;
    }
    *ret_id = (struct trp_peer_id){.size = (uint8_t)in.size};
    memcpy(ret_id->bytes, in.data, in.size);
    return TRP_OK;
}

enum trp_status trp_peer_id_parse(const char *text, struct trp_peer_id *ret_id)
{
    uint8_t bytes[TRP_BASE_BYTES_MAX];
    size_t size = 0;
    struct trp_bytes in = trp_bytes_text(text);
    bool bare = strncmp(text, "1", 1) == 0 || strncmp(text, "Qm", 2) == 0;
    if (bare) {
        return trp_base58_decode(in, bytes, sizeof bytes, &size) == TRP_OK
                   ? trp_peer_id_decode(trp_bytes(bytes, size), ret_id)
                   : TRP_EMALFORMED;
    }
    if (trp_multibase_decode(in, bytes, sizeof bytes, &size) != TRP_OK || size < 2 ||
        bytes[0] != CID_VERSION_1 || bytes[1] != CODEC_LIBP2P_KEY) {
        return TRP_EMALFORMED;
    }
    return trp_peer_id_decode(trp_bytes(bytes + 2, size - 2), ret_id);
}

void trp_peer_id_print(const struct trp_peer_id *id, char ret_text[TRP_PEER_ID_TEXT_MAX])
{
    size_t size = 0;
    enum trp_status status =
        trp_base58_encode(trp_peer_id_bytes(id), ret_text, TRP_PEER_ID_TEXT_MAX - 1, &size);
    TRP_ASSERT(status == TRP_OK); /* a valid id takes at most 60 digits */
    ret_text[size] = '\0';
}

int trp_peer_id_compare(const struct trp_peer_id *a, const struct trp_peer_id *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->bytes, b->bytes, common);
    return order != 0 ? order : (int)a->size - (int)b->size;
}

void trp_peer_id_from_key(const struct trp_public_key *key, struct trp_peer_id *ret_id)
{
    uint8_t encoded[TRP_PUBLIC_KEY_ENCODED_MAX];
    size_t size = 0;
    enum trp_status status = trp_public_key_encode(key, encoded, sizeof encoded, &size);
    TRP_ASSERT(status == TRP_OK);
    bool fits = size <= IDENTITY_DIGEST_MAX;
    size_t digest = fits ? size : TRP_SHA256_BYTES;
    *ret_id = (struct trp_peer_id){.size = (uint8_t)(2 + digest)};
    ret_id->bytes[0] = fits ? TRP_MULTIHASH_IDENTITY : TRP_MULTIHASH_SHA256;
    ret_id->bytes[1] = (uint8_t)digest;
    if (fits) {
        memcpy(ret_id->bytes + 2, encoded, size);
    } else {
        trp_sha256(trp_bytes(encoded, size), ret_id->bytes + 2);
    }
}
