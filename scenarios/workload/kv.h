/* SPDX-License-Identifier: MIT */
/* workload/kv.h - an actor that keeps values under keys.
 *
 *   put { key: text, value: bytes } -> bool    false: the key was new
 *   get { key: text } -> bytes                 error "no such key"
 *   delete { key: text } -> bool               whether there was one
 *   batch { changes: [ put | delete, … ], unless: text or null } -> u32
 *                                              all changes or, on an error, none; none also when
 * the key `unless` is there; how many were made
 *
 * Limits     64 keys of at most 63 bytes, values of at most 255 bytes; more is the error
 *            "too large" or "full". */
#ifndef WORKLOAD_KV_H
#define WORKLOAD_KV_H

#include <troupe/actor.h>

#define KV_PUT(FIELD, TAG)    FIELD(TAG, TEXT, key) FIELD(TAG, BYTES, value)
#define KV_KEY(FIELD, TAG)    FIELD(TAG, TEXT, key)
#define KV_VALUE(FIELD, TAG)  FIELD(TAG, BYTES, value)
#define KV_EXISTS(FIELD, TAG) FIELD(TAG, BOOL, existed)
#define KV_ERROR(FIELD, TAG)  FIELD(TAG, TEXT, text)
#define KV_CHANGE(VARIANT, TAG)                                                                    \
    VARIANT(TAG, STRUCT(kv_put), put) VARIANT(TAG, STRUCT(kv_delete), delete_, "delete")
#define KV_BATCH(FIELD, TAG)                                                                       \
    FIELD(TAG, LIST(STRUCT(kv_change)), changes) FIELD(TAG, OPTION(TEXT), unless)
#define KV_MADE(FIELD, TAG) FIELD(TAG, U32, made)

TRP_MESSAGE_DECLARE(kv_put, KV_PUT);
TRP_MESSAGE_DECLARE(kv_get, KV_KEY);
TRP_MESSAGE_DECLARE(kv_delete, KV_KEY);
TRP_MESSAGE_DECLARE(kv_value, KV_VALUE);
TRP_MESSAGE_DECLARE(kv_existed, KV_EXISTS);
TRP_MESSAGE_DECLARE(kv_error, KV_ERROR);
TRP_MESSAGE_DECLARE_ENUM(kv_change, KV_CHANGE);
TRP_MESSAGE_DECLARE(kv_batch, KV_BATCH);
TRP_MESSAGE_DECLARE(kv_made, KV_MADE);

extern const struct trp_actor_type kv_actor_type;

#endif
