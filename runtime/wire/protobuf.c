/* SPDX-License-Identifier: MIT */
#include "wire/protobuf.h"

static void *protobuf_alloc(void *arena, size_t size)
{
    return trp_arena_alloc(arena, size);
}

/* An arena is given up as a whole. */
static void protobuf_free(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

enum trp_status trp_protobuf_unpack(const ProtobufCMessageDescriptor *type, struct trp_bytes in,
                                    struct trp_arena *arena, ProtobufCMessage **ret_message)
{
    static const uint8_t nothing[1];
    ProtobufCAllocator allocator = {
        .alloc = protobuf_alloc, .free = protobuf_free, .allocator_data = arena};
    arena->exhausted = false;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, in.size, in.data == NULL ? nothing : in.data);
    if (message == NULL) {
        return arena->exhausted ? TRP_ETOOBIG : TRP_EMALFORMED;
    }
    *ret_message = message;
    return TRP_OK;
}

enum trp_status trp_protobuf_pack(const ProtobufCMessage *message, uint8_t *out, size_t room,
                                  size_t *ret_size)
{
    if (protobuf_c_message_get_packed_size(message) > room) {
        return TRP_ETOOBIG;
    }
    *ret_size = protobuf_c_message_pack(message, out);
    return TRP_OK;
}
