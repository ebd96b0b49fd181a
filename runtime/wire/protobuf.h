/* SPDX-License-Identifier: MIT */
/* wire/protobuf.h - protobuf-c with an arena as its only memory, and slices as its bytes.
 *
 * Ownership  What unpack gives borrows from the arena. */
#ifndef WIRE_PROTOBUF_H
#define WIRE_PROTOBUF_H

#include "wire/arena.h"

#include <protobuf-c/protobuf-c.h>

/* Reads a message of the generated type; casts to its struct. TRP_EMALFORMED; TRP_ETOOBIG when the
 * arena is used up. */
enum trp_status trp_protobuf_unpack(const ProtobufCMessageDescriptor *type, struct trp_bytes in,
                                    struct trp_arena *arena,
                                    ProtobufCMessage **ret_message) TRP_NODISCARD;
/* TRP_ETOOBIG when it does not fit. */
enum trp_status trp_protobuf_pack(const ProtobufCMessage *message, uint8_t *out, size_t room,
                                  size_t *ret_size) TRP_NODISCARD;

static inline struct trp_bytes trp_protobuf_view(ProtobufCBinaryData bytes)
{
    return trp_bytes(bytes.data, bytes.len);
}

/* protobuf-c takes what it only reads as not const. */
static inline ProtobufCBinaryData trp_protobuf_data(struct trp_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size, .data = (uint8_t *)(uintptr_t)bytes.data};
}

#endif
