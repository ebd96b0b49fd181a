/* SPDX-License-Identifier: MIT */
#include "crypto/signature_memo.h"

#include "base/endian.h"
#include "base/map.h"
#include "crypto/sha256.h"

/* The table is in the order of use: longest ago first. */
struct trp_good_signature {
    uint8_t digest[TRP_SHA256_BYTES];
    UT_hash_handle hh;
};

struct trp_signature_memo trp_signature_memo_init(struct trp_memory *memory, uint32_t max)
{
    return (struct trp_signature_memo){.memory = memory, .max = max};
}

static void memo_remove(struct trp_signature_memo *memo, struct trp_good_signature *good)
{
    struct trp_memory *uthash_memory = memo->memory;
    HASH_DELETE(hh, memo->signatures, good);
    trp_memory_free(uthash_memory, good);
    memo->count--;
}

void trp_signature_memo_deinit(struct trp_signature_memo *memo)
{
    while (memo->signatures != NULL) {
        memo_remove(memo, memo->signatures);
    }
}

/* Puts it at the end of the order of use; it is gone when there is no memory for the table. */
static void memo_add(struct trp_signature_memo *memo, struct trp_good_signature *good)
{
    struct trp_memory *uthash_memory = memo->memory;
    HASH_ADD(hh, memo->signatures, digest, sizeof good->digest, good);
    if (good->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, good);
        return;
    }
    memo->count++;
}

static void memo_insert(struct trp_signature_memo *memo, const uint8_t digest[TRP_SHA256_BYTES])
{
    if (memo->count == memo->max) {
        memo_remove(memo, memo->signatures);
    }
    struct trp_good_signature *good = trp_memory_alloc(memo->memory, sizeof *good);
    if (good != NULL) {
        memcpy(good->digest, digest, sizeof good->digest);
        memo_add(memo, good);
    }
}

static bool memo_has(struct trp_signature_memo *memo, const uint8_t digest[TRP_SHA256_BYTES])
{
    struct trp_good_signature *good;
    HASH_FIND(hh, memo->signatures, digest, TRP_SHA256_BYTES, good);
    if (good == NULL) {
        return false;
    }
    if (good->hh.next != NULL) {
        struct trp_memory *uthash_memory = memo->memory;
        HASH_DELETE(hh, memo->signatures, good);
        memo->count--;
        memo_add(memo, good);
    }
    return true;
}

/* The sizes come first, so that no two triples give the same bytes to the hash. */
static void memo_digest(const struct trp_public_key *key, struct trp_bytes message,
                        struct trp_bytes signature, uint8_t ret_digest[TRP_SHA256_BYTES])
{
    uint8_t sizes[32];
    trp_store_le64(sizes, (uint64_t)key->type);
    trp_store_le64(sizes + 8, key->size);
    trp_store_le64(sizes + 16, message.size);
    trp_store_le64(sizes + 24, signature.size);
    const struct trp_bytes chain = trp_bytes(ret_digest, TRP_SHA256_BYTES);
    trp_sha256_two(trp_bytes(sizes, sizeof sizes), trp_bytes(key->bytes, key->size), ret_digest);
    trp_sha256_two(chain, message, ret_digest);
    trp_sha256_two(chain, signature, ret_digest);
}

enum trp_status trp_signature_memo_verify(struct trp_signature_memo *memo,
                                          const struct trp_public_key *key,
                                          struct trp_bytes message, struct trp_bytes signature)
{
    uint8_t digest[TRP_SHA256_BYTES];
    if (memo == NULL) {
        return trp_public_key_verify(key, message, signature);
    }
    memo_digest(key, message, signature, digest);
    if (memo_has(memo, digest)) {
        return TRP_OK;
    }
    enum trp_status status = trp_public_key_verify(key, message, signature);
    if (status == TRP_OK) {
        memo_insert(memo, digest);
    }
    return status;
}
