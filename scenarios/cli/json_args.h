/* SPDX-License-Identifier: MIT */
/* cli/json_args.h - the arguments of a message, typed in a shell as JSON, as msgpack.
 *
 * Spec       RFC 8259. Whole numbers become integers, others 64-bit floating point. Bytes are
 *            written as an array of numbers, which BYTES and OCTETS read.
 * Limits     128 levels, 64 bits; TRP_ETOOBIG when the output is too small. */
#ifndef CLI_JSON_ARGS_H
#define CLI_JSON_ARGS_H

#include <troupe/base.h>

/* Converts one JSON value. On TRP_EMALFORMED, `ret_at` is the offset of what does not fit. */
enum trp_status cli_json_to_msgpack(const char *json, uint8_t *out, size_t room, size_t *ret_size,
                                    size_t *ret_at) TRP_NODISCARD;

#endif
