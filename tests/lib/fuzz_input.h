/* SPDX-License-Identifier: MIT */
/* lib/fuzz_input.h - the bytes that decide what a fuzz target does next. */
#ifndef LIB_FUZZ_INPUT_H
#define LIB_FUZZ_INPUT_H

#include <troupe/base.h>

struct input {
    const uint8_t *data;
    size_t size;
};

/* Takes a byte; 0 at the end. */
static inline uint8_t next(struct input *in)
{
    if (in->size == 0) {
        return 0;
    }
    in->size--;
    return *in->data++;
}

#endif
