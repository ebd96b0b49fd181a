/* SPDX-License-Identifier: MIT */
#include "wire/registration.h"

#include "base/endian.h"
#include "wire/actor_id.h"
#include "wire/utf8.h"
#include "wire/writer.h"

#define SEPARATOR       ":meta:"
#define SEPARATOR_BYTES 6u
#define SEQUENCE_BYTES  8u

/* Gives where the first separator stands; the size of the text when there is none. */
static size_t find_separator(struct trp_bytes text)
{
    for (size_t at = 0; at + SEPARATOR_BYTES <= text.size; at++) {
        if (memcmp(text.data + at, SEPARATOR, SEPARATOR_BYTES) == 0) {
            return at;
        }
    }
    return text.size;
}

enum trp_status trp_registration_check_name(struct trp_bytes name)
{
    if (name.size == 0 || name.size > TRP_REGISTRATION_NAME_MAX || !trp_utf8_is_valid(name)) {
        return TRP_EINVAL;
    }
    /* A key is split at its first separator: a name like "a:meta" would be cut short. */
    uint8_t key[TRP_REGISTRATION_NAME_MAX + SEPARATOR_BYTES];
    memcpy(key, name.data, name.size);
    memcpy(key + name.size, SEPARATOR, SEPARATOR_BYTES);
    return find_separator(trp_bytes(key, name.size + SEPARATOR_BYTES)) == name.size ? TRP_OK
                                                                                    : TRP_EINVAL;
}

enum trp_status trp_registration_key_encode(struct trp_bytes name, const struct trp_peer_id *owner,
                                            uint8_t *out, size_t room, size_t *ret_size)
{
    char text[TRP_PEER_ID_TEXT_MAX];
    if (trp_registration_check_name(name) != TRP_OK || owner->size == 0) {
        return TRP_EINVAL;
    }
    trp_peer_id_print(owner, text);
    struct trp_writer writer = trp_writer_init(out, room);
    trp_writer_put(&writer, name);
    trp_writer_put(&writer, trp_bytes_text(SEPARATOR));
    trp_writer_put(&writer, trp_bytes_text(text));
    return trp_writer_end(&writer, ret_size);
}

enum trp_status trp_registration_key_decode(struct trp_bytes key, struct trp_bytes *ret_name,
                                            struct trp_peer_id *ret_owner)
{
    char text[TRP_PEER_ID_TEXT_MAX];
    struct trp_bytes name = trp_bytes(key.data, find_separator(key));
    if (name.size == key.size || trp_registration_check_name(name) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    struct trp_bytes owner = trp_bytes_skip(key, name.size + SEPARATOR_BYTES);
    if (owner.size >= sizeof text || memchr(owner.data, '\0', owner.size) != NULL) {
        return TRP_EMALFORMED;
    }
    memcpy(text, owner.data, owner.size);
    text[owner.size] = '\0';
    if (trp_peer_id_parse(text, ret_owner) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    *ret_name = name;
    return TRP_OK;
}

enum trp_status trp_registration_encode(const struct trp_actor_ref *ref, struct trp_bytes type,
                                        uint8_t *out, size_t room, size_t *ret_size)
{
    uint8_t sequence[SEQUENCE_BYTES];
    if (ref->peer.size == 0 || !trp_utf8_is_valid(type)) {
        return TRP_EINVAL;
    }
    trp_store_le64(sequence, trp_actor_sequence(ref->id));
    struct trp_writer writer = trp_writer_init(out, room);
    trp_writer_byte(&writer, ref->peer.size);
    trp_writer_put(&writer, trp_bytes(sequence, sizeof sequence));
    trp_writer_put(&writer, trp_peer_id_bytes(&ref->peer));
    trp_writer_put(&writer, type);
    return trp_writer_end(&writer, ret_size);
}

enum trp_status trp_registration_decode(struct trp_bytes value, struct trp_actor_ref *ret_ref,
                                        struct trp_bytes *ret_type)
{
    struct trp_actor_ref ref = {.id = 0};
    if (value.size < 1 + SEQUENCE_BYTES) {
        return TRP_EMALFORMED;
    }
    size_t peer_size = value.data[0];
    ref.id = trp_actor_id_of_sequence(trp_load_le64(value.data + 1));
    value = trp_bytes_skip(value, 1 + SEQUENCE_BYTES);
    if (peer_size > value.size ||
        trp_peer_id_decode(trp_bytes(value.data, peer_size), &ref.peer) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    struct trp_bytes type = trp_bytes_skip(value, peer_size);
    if (!trp_utf8_is_valid(type)) {
        return TRP_EMALFORMED;
    }
    ref.type = trp_actor_type_hash(type);
    *ret_ref = ref;
    *ret_type = type;
    return TRP_OK;
}
