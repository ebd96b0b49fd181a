/* SPDX-License-Identifier: MIT */
#include "wire/actor_id.h"

#include "base/endian.h"

#include <troupe/message.h>

#define FNV_OFFSET     UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME      UINT64_C(0x100000001b3)
#define SEQUENCE_BYTES 8u

static uint64_t fnv(uint64_t hash, struct trp_bytes in)
{
    for (size_t i = 0; i < in.size; i++) {
        hash = (hash ^ in.data[i]) * FNV_PRIME;
    }
    return hash;
}

uint64_t trp_actor_type_hash(struct trp_bytes type_id)
{
    uint64_t hash = fnv(FNV_OFFSET, type_id);
    return hash == 0 ? 1 : hash; /* 0 means "not known" */
}

size_t trp_actor_id_encode(const struct trp_actor_ref *ref,
                           uint8_t ret_bytes[TRP_ACTOR_REF_BYTES_MAX])
{
    trp_store_le64(ret_bytes, trp_actor_sequence(ref->id));
    memcpy(ret_bytes + SEQUENCE_BYTES, ref->peer.bytes, ref->peer.size);
    return SEQUENCE_BYTES + ref->peer.size;
}

enum trp_status trp_actor_id_decode(struct trp_bytes in, struct trp_actor_ref *ret_ref)
{
    struct trp_actor_ref ref = {.id = 0};
    if (in.size < SEQUENCE_BYTES) {
        return TRP_EMALFORMED;
    }
    ref.id = trp_actor_id_of_sequence(trp_load_le64(in.data));
    struct trp_bytes peer = trp_bytes_skip(in, SEQUENCE_BYTES);
    if (peer.size > 0 && trp_peer_id_decode(peer, &ref.peer) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    *ret_ref = ref;
    return TRP_OK;
}

/* The text without its spaces. */
static uint64_t fnv_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            hash = fnv(hash, trp_bytes(text, 1));
        }
    }
    return hash;
}

void trp_kameo_message_id(const struct trp_kameo_message_name *name,
                          char ret_id[TRP_KAMEO_MESSAGE_ID_MAX])
{
    static const char digits[] = "0123456789abcdef";
    const char *const parts[] = {name->package, name->version_major, name->module, name->message,
                                 name->actor};
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        hash = fnv_text(hash, i == 0 ? "" : "::");
        hash = fnv_text(hash, parts[i]);
    }
    size_t size = 0; /* without leading zeros, as Rust's {:x} */
    for (uint32_t shift = 64; shift > 0;) {
        shift -= 4;
        if (size > 0 || shift == 0 || hash >> shift != 0) {
            ret_id[size++] = digits[hash >> shift & 15u];
        }
    }
    ret_id[size] = '\0';
}
