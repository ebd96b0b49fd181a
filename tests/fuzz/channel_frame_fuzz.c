/* SPDX-License-Identifier: MIT */
/* Frames of /troupe/messages/1, one behind the other: what decodes is written again, and reads as
 * the same. */
#include "base/assert.h"
#include "wire/channel_frame.h"

#define ROOM 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct trp_channel_frame *frame)
{
    static uint8_t out[ROOM + TRP_CHANNEL_HEADER_BYTES_MAX];
    static uint8_t again[ROOM + TRP_CHANNEL_HEADER_BYTES_MAX];
    struct trp_channel_frame copy;
    size_t used;
    size_t size = trp_channel_frame_encode(frame, out);
    TRP_ASSERT(size <= trp_channel_frame_room(frame));
    TRP_ASSERT(trp_channel_frame_decode(trp_bytes(out, size), ROOM, &copy, &used) == TRP_OK);
    TRP_ASSERT(used == size);
    TRP_ASSERT(trp_channel_frame_encode(&copy, again) == size);
    TRP_ASSERT(memcmp(out, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trp_bytes in = trp_bytes(data, size < ROOM ? size : ROOM);
    struct trp_channel_frame frame;
    size_t used;
    while (trp_channel_frame_decode(in, ROOM, &frame, &used) == TRP_OK) {
        TRP_ASSERT(used > 0 && used <= in.size);
        write_again(&frame);
        in = trp_bytes_skip(in, used);
    }
    return 0;
}
