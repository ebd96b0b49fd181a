/* SPDX-License-Identifier: MIT */
/* proto/yamux_frame.h - the 12-byte header of every yamux frame.
 *
 *   0        1      2..3    4..7        8..11
 *   version  type   flags   stream id   length     all big-endian; version 0; stream 0: the session
 *
 * `length` is the size of the body (data), the bytes by which the window grows (window update),
 * an opaque value (ping) or an error code (go away; window update with RST).
 * Spec       hashicorp/yamux spec.md, "Framing". */
#ifndef PROTO_YAMUX_FRAME_H
#define PROTO_YAMUX_FRAME_H

#include "base/endian.h"

#include <troupe/base.h>

#define TRP_YAMUX_HEADER_BYTES   12u
#define TRP_YAMUX_WINDOW_INITIAL 262144u

enum trp_yamux_frame_type {
    TRP_YAMUX_FRAME_DATA,
    TRP_YAMUX_FRAME_WINDOW,
    TRP_YAMUX_FRAME_PING,
    TRP_YAMUX_FRAME_GOAWAY
};

enum trp_yamux_flag { TRP_YAMUX_SYN = 1, TRP_YAMUX_ACK = 2, TRP_YAMUX_FIN = 4, TRP_YAMUX_RST = 8 };

enum trp_yamux_goaway_code {
    TRP_YAMUX_GOAWAY_NORMAL,
    TRP_YAMUX_GOAWAY_PROTOCOL_ERROR,
    TRP_YAMUX_GOAWAY_INTERNAL_ERROR
};

struct trp_yamux_frame {
    enum trp_yamux_frame_type type;
    uint32_t flags; /* unknown ones are kept and mean nothing */
    uint32_t stream;
    uint32_t length;
};

static inline void trp_yamux_frame_encode(const struct trp_yamux_frame *frame,
                                          uint8_t out[TRP_YAMUX_HEADER_BYTES])
{
    out[0] = 0;
    out[1] = (uint8_t)frame->type;
    trp_store_be16(out + 2, (uint16_t)frame->flags);
    trp_store_be32(out + 4, frame->stream);
    trp_store_be32(out + 8, frame->length);
}

/* TRP_EMALFORMED for another version or an unknown type. */
static inline enum trp_status trp_yamux_frame_decode(const uint8_t in[TRP_YAMUX_HEADER_BYTES],
                                                     struct trp_yamux_frame *ret_frame)
{
    if (in[0] != 0 || in[1] > TRP_YAMUX_FRAME_GOAWAY) {
        return TRP_EMALFORMED;
    }
    *ret_frame = (struct trp_yamux_frame){
        .type = (enum trp_yamux_frame_type)in[1],
        .flags = trp_load_be16(in + 2),
        .stream = trp_load_be32(in + 4),
        .length = trp_load_be32(in + 8),
    };
    return TRP_OK;
}

#endif
