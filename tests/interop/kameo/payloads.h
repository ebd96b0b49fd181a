/* SPDX-License-Identifier: MIT */
/* interop/kameo/payloads.h - what is sent as message and as reply, with one sample each;
 * common/payloads.rs has the same samples. */
#ifndef INTEROP_KAMEO_PAYLOADS_H
#define INTEROP_KAMEO_PAYLOADS_H

#include <troupe/message.h>

/* X(name): the id of the message is the name. */
#define PAYLOADS(X)                                                                                \
    X(nil)                                                                                         \
    X(unit_struct)                                                                                 \
    X(empty_struct)                                                                                \
    X(struct)                                                                                      \
    X(newtype)                                                                                     \
    X(text)                                                                                        \
    X(tuple)                                                                                       \
    X(option)                                                                                      \
    X(list)                                                                                        \
    X(map)                                                                                         \
    X(bytes)                                                                                       \
    X(integers)                                                                                    \
    X(floats)                                                                                      \
    X(enum)                                                                                        \
    X(enums)                                                                                       \
    X(nested)                                                                                      \
    X(empty)

struct payload {
    const struct trp_message_type *type;
    const void *sample;
};

#define PAYLOAD_DECLARE(name)                                                                      \
    extern const struct trp_message_type payload_##name##_type;                                    \
    extern const struct payload payload_##name;
PAYLOADS(PAYLOAD_DECLARE)
#undef PAYLOAD_DECLARE

/* Gives NULL for a message that is no payload. */
const struct payload *payload_find(struct trp_bytes name);
/* Compares by what is sent, so that a NaN equals itself. */
bool payload_is_sample(const struct payload *payload, const void *message);

#endif
