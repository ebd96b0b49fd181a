/* SPDX-License-Identifier: MIT */
/* net/spare.h - one memory block that the buffers of all connections take in turn.
 *
 * A buffer that fills and empties within a step needs memory only in between; with one block passed
 * around, an idle connection holds none and a busy one allocates none. */
#ifndef NET_SPARE_H
#define NET_SPARE_H

#include "base/buffer.h"

#define TRP_SPARE_BYTES_MAX 16384u /* larger blocks are freed */

/* Gives the block to a buffer that has none. */
static inline void trp_spare_lend(struct trp_buffer *spare, struct trp_buffer *buffer)
{
    if (buffer->capacity == 0) {
        buffer->data = spare->data;
        buffer->capacity = spare->capacity;
        buffer->head = 0;
        spare->data = NULL;
        spare->capacity = 0;
    }
}

/* Takes the block of an empty buffer back, or frees it when there is one already. */
static inline void trp_spare_return(struct trp_buffer *spare, struct trp_buffer *buffer)
{
    if (buffer->size > 0) {
        return;
    }
    if (spare->capacity > 0 || buffer->capacity > TRP_SPARE_BYTES_MAX) {
        trp_buffer_free(buffer);
        return;
    }
    spare->data = buffer->data;
    spare->capacity = buffer->capacity;
    buffer->data = NULL;
    buffer->capacity = 0;
    buffer->head = 0;
}

#endif
