/* SPDX-License-Identifier: MIT */
/* wire/envelope.h - requests and responses of /kameo/messaging/1.0.0: CBOR as cbor4ii's serde
 * writes it.
 *
 * The dialect: enums are a text (unit variant) or a map of one; structs are maps with text keys;
 * bytes of a payload are an array of integers, those of an ActorId a byte string; `()` is an empty
 * array; None is null. Read leniently: any order of keys, unknown keys, integers of any width,
 * trailing bytes; the old spelling sibbling_ (Kameo <= 0.19) as well.
 * Spec       Kameo 0.18 to 0.22.
 * Ownership  Decoded texts borrow from the input; payloads from the arena, which has to have room
 *            for as many bytes as the input has.
 * Limits     TRP_ENVELOPE_DEPTH_MAX levels of nesting.
 * Failure    TRP_EMALFORMED: not CBOR, or not this message. TRP_ETOOBIG: the arena or the output is
 *            too small, or it is nested too deeply. */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include "wire/arena.h"

#include <troupe/messaging.h>

#define TRP_ENVELOPE_DEPTH_MAX 64u

enum trp_status trp_request_envelope_encode(const struct trp_request_envelope *request,
                                            uint8_t *out, size_t room,
                                            size_t *ret_size) TRP_NODISCARD;
enum trp_status trp_request_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                            struct trp_request_envelope *ret_request) TRP_NODISCARD;
/* TRP_EINVAL for an error with a payload that is not of an ask: Kameo cannot say it. */
enum trp_status trp_response_envelope_encode(const struct trp_response_envelope *response,
                                             uint8_t *out, size_t room,
                                             size_t *ret_size) TRP_NODISCARD;
enum trp_status
trp_response_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                             struct trp_response_envelope *ret_response) TRP_NODISCARD;

#endif
