/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include "base/assert.h"

#define KEEP_BYTES 1024u /* an empty buffer of at most this size keeps its block */
#define GROW_BYTES 256u

void trp_buffer_free(struct trp_buffer *buffer)
{
    trp_memory_free(buffer->memory, buffer->data);
    buffer->data = NULL;
    buffer->head = buffer->size = buffer->capacity = 0;
}

enum trp_status trp_buffer_reserve(struct trp_buffer *buffer, size_t size, uint8_t **ret_at)
{
    if (size > trp_buffer_room(buffer)) {
        return TRP_EFULL;
    }
    if (buffer->head + buffer->size + size > buffer->capacity) {
        size_t want = buffer->size + size;
        if (want <= buffer->capacity / 2) {
            memmove(buffer->data, buffer->data + buffer->head, buffer->size);
            buffer->head = 0;
        } else {
            size_t capacity = buffer->capacity == 0 ? GROW_BYTES : buffer->capacity * 2;
            capacity = capacity < want ? want : capacity;
            uint8_t *data = trp_memory_alloc_raw(buffer->memory, capacity);
            if (data == NULL) {
                return TRP_ENOMEM;
            }
            if (buffer->size > 0) {
                memcpy(data, buffer->data + buffer->head, buffer->size);
            }
            trp_memory_free(buffer->memory, buffer->data);
            buffer->data = data;
            buffer->head = 0;
            buffer->capacity = capacity;
        }
    }
    *ret_at = buffer->data + buffer->head + buffer->size;
    return TRP_OK;
}

void trp_buffer_commit(struct trp_buffer *buffer, size_t size)
{
    TRP_ASSERT(buffer->head + buffer->size + size <= buffer->capacity);
    buffer->size += size;
}

enum trp_status trp_buffer_append(struct trp_buffer *buffer, struct trp_bytes in)
{
    if (in.size == 0) {
        return TRP_OK;
    }
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(buffer, in.size, &at);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(at, in.data, in.size);
    trp_buffer_commit(buffer, in.size);
    return TRP_OK;
}

void trp_buffer_consume(struct trp_buffer *buffer, size_t size)
{
    TRP_ASSERT(size <= buffer->size);
    buffer->head += size;
    buffer->size -= size;
    if (buffer->size == 0) {
        buffer->head = 0;
        if (buffer->capacity > KEEP_BYTES) {
            trp_buffer_free(buffer);
        }
    }
}
