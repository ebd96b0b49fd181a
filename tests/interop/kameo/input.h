/* SPDX-License-Identifier: MIT */
/* interop/kameo/input.h - standard input, line by line, on a loop of libuv. */
#ifndef INTEROP_KAMEO_INPUT_H
#define INTEROP_KAMEO_INPUT_H

#include <troupe/base.h>

#include <stdbool.h>
#include <uv.h>

#define INPUT_LINE_BYTES 4096u

struct input {
    void (*on_line)(void *user, struct trp_bytes line);
    void (*on_end)(void *user);
    void *user;
    uv_pipe_t pipe;
    char line[INPUT_LINE_BYTES];
    size_t line_size;
};

/* Reads until the end; functions and user are set. false: it cannot be read. */
bool input_open(struct input *input, uv_loop_t *loop);
/* Stops reading; the loop has to run once more. */
void input_close(struct input *input);

#endif
