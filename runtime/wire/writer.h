/* SPDX-License-Identifier: MIT */
/* wire/writer.h - bytes into a bounded block; the last call says whether all of them fitted. */
#ifndef WIRE_WRITER_H
#define WIRE_WRITER_H

#include "wire/uvarint.h"

struct trp_writer {
    uint8_t *out;
    size_t room;
    size_t size;   /* written */
    bool overflow; /* something did not fit; nothing is written after */
};

static inline struct trp_writer trp_writer_init(uint8_t *out, size_t room)
{
    return (struct trp_writer){.out = out, .room = room};
}

/* Gives `size` bytes to fill; NULL when they do not fit. */
static inline uint8_t *trp_writer_reserve(struct trp_writer *writer, size_t size)
{
    if (writer->overflow || size > writer->room - writer->size) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->out + writer->size;
    writer->size += size;
    return at;
}

static inline void trp_writer_put(struct trp_writer *writer, struct trp_bytes in)
{
    uint8_t *at = in.size == 0 ? NULL : trp_writer_reserve(writer, in.size);
    if (at != NULL) {
        memcpy(at, in.data, in.size);
    }
}

static inline void trp_writer_byte(struct trp_writer *writer, uint8_t byte)
{
    uint8_t *at = trp_writer_reserve(writer, 1);
    if (at != NULL) {
        *at = byte;
    }
}

static inline void trp_writer_varint(struct trp_writer *writer, uint64_t value)
{
    uint8_t *at = trp_writer_reserve(writer, trp_varint_size(value));
    if (at != NULL) {
        (void)trp_varint_encode(value, at);
    }
}

/* Gives how much was written; TRP_ETOOBIG when something did not fit. */
static inline enum trp_status trp_writer_end(const struct trp_writer *writer, size_t *ret_size)
{
    if (writer->overflow) {
        return TRP_ETOOBIG;
    }
    *ret_size = writer->size;
    return TRP_OK;
}

#endif
