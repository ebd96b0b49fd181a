/* SPDX-License-Identifier: MIT */
/* wire/message.h - what the runtime knows of messages beyond their public face.
 *
 * A message points to its texts, bytes, lists and boxes: its parts.
 * Purity     Values only.
 * Failure    TRP_EENCODE for what is no value of its type. */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "wire/msgpack_reader.h"

#include <troupe/message.h>

#define TRP_MESSAGE_DEPTH_MAX 128u

#define TRP_MESSAGE_SLICES_MAX 4u

/* What the values of a type may point to. */
struct trp_message_parts {
    bool any;             /* something */
    bool memory;          /* something that never borrows from the input of a decoder */
    bool scattered;       /* not every value has all of it at `slices` */
    uint8_t slices_count; /* texts and bytes */
    uint32_t slices[TRP_MESSAGE_SLICES_MAX]; /* their offsets */
};

struct trp_message_parts trp_message_parts_of(const struct trp_message_type *type);

/* DURATION as the struct that it is on the wire. */
extern const struct trp_message_type trp_duration_struct_type;

/* LIST and MAP in memory, whatever their items. */
struct trp_message_items {
    void *items;
    size_t count;
};

/* Gives the index of a field or variant by its name or, as serde has it too, its number;
 * fields_count when there is none. `expected` is looked at first: most messages come in the order
 * that they are declared in. TRP_EDECODE when it is no key. */
enum trp_status trp_message_find_field(const struct trp_message_type *type,
                                       const struct trp_msgpack_item *key, uint32_t expected,
                                       uint32_t *ret_index) TRP_NODISCARD;

/* Encodes as trp_message_encode does; a reference to an actor of this node is written with the
 * PeerId that it has elsewhere, `self`. NULL: without one. */
enum trp_status trp_message_encode_from(const struct trp_message_type *type, const void *message,
                                        const struct trp_peer_id *self, uint8_t *out, size_t room,
                                        size_t *ret_size) TRP_NODISCARD;
/* The same for trp_message_encoded_bytes. */
enum trp_status trp_message_encoded_bytes_from(const struct trp_message_type *type,
                                               const void *message, const struct trp_peer_id *self,
                                               size_t *ret_bytes) TRP_NODISCARD;

#endif
