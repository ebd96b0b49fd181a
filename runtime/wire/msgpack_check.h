/* SPDX-License-Identifier: MIT */
/* wire/msgpack_check.h - is this one whole msgpack value? Asked before msgpack-c reads it, which
 * reserves memory for as many elements as a header claims.
 *
 * Spec       msgpack/spec.md
 * Limits     TRP_MSGPACK_DEPTH_MAX nested arrays and maps; no more elements than bytes. */
#ifndef WIRE_MSGPACK_CHECK_H
#define WIRE_MSGPACK_CHECK_H

#include <troupe/base.h>

#define TRP_MSGPACK_DEPTH_MAX 32u

/* Gives the size of the first value of `in`. TRP_EMALFORMED: cut off, a reserved byte, or too
 * deep. */
enum trp_status trp_msgpack_check(struct trp_bytes in, size_t *ret_size) TRP_NODISCARD;

#endif
