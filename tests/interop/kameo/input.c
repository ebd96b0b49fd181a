/* SPDX-License-Identifier: MIT */
#include "interop/kameo/input.h"

static void input_on_room(uv_handle_t *pipe, size_t suggested, uv_buf_t *ret_room)
{
    struct input *input = pipe->data;
    (void)suggested;
    *ret_room = uv_buf_init(input->line + input->line_size,
                            (unsigned)(sizeof input->line - input->line_size));
}

static void input_on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *room)
{
    struct input *input = pipe->data;
    (void)room;
    if (size < 0) {
        input->on_end(input->user);
        return;
    }
    input->line_size += (size_t)size;
    struct trp_bytes all = trp_bytes(input->line, input->line_size);
    const uint8_t *end;
    while (all.size > 0 && (end = memchr(all.data, '\n', all.size)) != NULL) {
        input->on_line(input->user, trp_bytes(all.data, (size_t)(end - all.data)));
        all = trp_bytes_skip(all, (size_t)(end - all.data) + 1);
    }
    if (all.size > 0) {
        memmove(input->line, all.data, all.size);
    }
    input->line_size = all.size;
}

bool input_open(struct input *input, uv_loop_t *loop)
{
    if (uv_pipe_init(loop, &input->pipe, 0) != 0) {
        return false;
    }
    input->pipe.data = input;
    return uv_pipe_open(&input->pipe, 0) == 0 &&
           uv_read_start((uv_stream_t *)&input->pipe, input_on_room, input_on_read) == 0;
}

void input_close(struct input *input)
{
    uv_close((uv_handle_t *)&input->pipe, NULL);
}
