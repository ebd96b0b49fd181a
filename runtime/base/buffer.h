/* SPDX-License-Identifier: MIT */
/* base/buffer.h - a bounded first-in first-out run of bytes that grows on demand.
 *
 * The content is always contiguous. An empty buffer holds no memory beyond `keep_bytes`.
 * Limits     Never more than `limit_bytes` of content.
 * Ownership  Views borrow until the next append, reserve or free. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/memory.h"

struct trp_buffer {
    struct trp_memory *memory;
    uint8_t *data;
    size_t head; /* offset of the first byte of content */
    size_t size; /* of the content */
    size_t capacity;
    size_t limit_bytes;
};

static inline struct trp_buffer trp_buffer_init(struct trp_memory *memory, size_t limit_bytes)
{
    return (struct trp_buffer){.memory = memory, .limit_bytes = limit_bytes};
}

/* Frees the memory; the buffer is empty and usable. */
void trp_buffer_free(struct trp_buffer *buffer);

static inline struct trp_bytes trp_buffer_view(const struct trp_buffer *buffer)
{
    return trp_bytes(buffer->size == 0 ? NULL : buffer->data + buffer->head, buffer->size);
}

static inline size_t trp_buffer_room(const struct trp_buffer *buffer)
{
    return buffer->limit_bytes - buffer->size;
}

/* Appends all or nothing: TRP_EFULL over the limit, TRP_ENOMEM. */
enum trp_status trp_buffer_append(struct trp_buffer *buffer, struct trp_bytes in) TRP_NODISCARD;
/* Gives `size` writable bytes at the end; trp_buffer_commit then says how many were used. */
enum trp_status trp_buffer_reserve(struct trp_buffer *buffer, size_t size,
                                   uint8_t **ret_at) TRP_NODISCARD;
void trp_buffer_commit(struct trp_buffer *buffer, size_t size);
/* Drops all content and keeps the block, for who fills it again at once. */
static inline void trp_buffer_clear(struct trp_buffer *buffer)
{
    buffer->head = 0;
    buffer->size = 0;
}
/* Drops bytes from the front; frees the block when it becomes empty and is large. */
void trp_buffer_consume(struct trp_buffer *buffer, size_t size);

#endif
