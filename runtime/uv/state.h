/* SPDX-License-Identifier: MIT */
/* uv/state.h - the file that keeps a node's identity and what it saved.
 *
 * File       "troupe state 1 " and 32 hexadecimal digits of checksum, a newline; then 32 bytes of
 *            identity seed and the saved bytes, which the checksum covers. Mode 0600.
 * Failure    A write goes to a second file that then takes the name of the first, so that whatever
 *            fails leaves the state of before. A file that cannot be used is never replaced.
 * Limits     TRP_UV_STATE_BYTES_MAX. */
#ifndef UV_STATE_H
#define UV_STATE_H

#include "base/buffer.h"

#define TRP_UV_STATE_BYTES_MAX (1u << 20)

/* Reads identity and saved bytes; `ret_saved` is replaced. TRP_ENOTFOUND: there is no file;
 * TRP_EMALFORMED: it is not one of ours or damaged; TRP_EIO with libuv's error in *ret_error;
 * TRP_ENOMEM. */
enum trp_status trp_uv_state_read(const char *path, uint8_t ret_identity[32],
                                  struct trp_buffer *ret_saved, int *ret_error) TRP_NODISCARD;
/* Replaces the file. TRP_EIO with libuv's error in *ret_error; TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_uv_state_write(const char *path, const uint8_t identity[32],
                                   struct trp_bytes saved, int *ret_error) TRP_NODISCARD;

#endif
