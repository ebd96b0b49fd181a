/* SPDX-License-Identifier: MIT */
/* wire/registration.h - what Kameo's registry keeps in the DHT under a name.
 *
 * The name itself is a provider key; each provider holds a record:
 *     key    name ":meta:" PeerId in base58
 *     value  u8 size of the PeerId, u64 little-endian sequence, PeerId, id of the actor type */
#ifndef WIRE_REGISTRATION_H
#define WIRE_REGISTRATION_H

#include <troupe/actor_ref.h>

#define TRP_REGISTRATION_NAME_MAX  255u
#define TRP_REGISTRATION_KEY_MAX   (TRP_REGISTRATION_NAME_MAX + 6u + TRP_PEER_ID_TEXT_MAX)
#define TRP_REGISTRATION_TYPE_MAX  1024u /* id of an actor type */
#define TRP_REGISTRATION_VALUE_MAX (9u + TRP_PEER_ID_BYTES_MAX + TRP_REGISTRATION_TYPE_MAX)

/* TRP_EINVAL unless it is UTF-8 of 1 to 255 bytes that can stand before ":meta:" and be found
 * again. */
enum trp_status trp_registration_check_name(struct trp_bytes name) TRP_NODISCARD;

/* TRP_EINVAL for a bad name; TRP_ETOOBIG. */
enum trp_status trp_registration_key_encode(struct trp_bytes name, const struct trp_peer_id *owner,
                                            uint8_t *out, size_t room,
                                            size_t *ret_size) TRP_NODISCARD;
/* Splits at the first ":meta:"; the name borrows from the key. TRP_EMALFORMED. */
enum trp_status trp_registration_key_decode(struct trp_bytes key, struct trp_bytes *ret_name,
                                            struct trp_peer_id *ret_owner) TRP_NODISCARD;
/* Writes the record's value; `ref` has a peer. TRP_EINVAL; TRP_ETOOBIG. */
enum trp_status trp_registration_encode(const struct trp_actor_ref *ref, struct trp_bytes type,
                                        uint8_t *out, size_t room, size_t *ret_size) TRP_NODISCARD;
/* Reads the record's value; the type's id is UTF-8 and borrows from it, and ret_ref->type is its
 * hash. TRP_EMALFORMED. */
enum trp_status trp_registration_decode(struct trp_bytes value, struct trp_actor_ref *ret_ref,
                                        struct trp_bytes *ret_type) TRP_NODISCARD;

#endif
