/* SPDX-License-Identifier: MIT */
/* wire/envelope_names.h - Kameo's words for the enums of an envelope. */
#ifndef WIRE_ENVELOPE_NAMES_H
#define WIRE_ENVELOPE_NAMES_H

#include "wire/envelope.h"

enum trp_send_content {
    TRP_SEND_CONTENT_UNIT,
    TRP_SEND_CONTENT_TYPE,
    TRP_SEND_CONTENT_MESSAGE,
    TRP_SEND_CONTENT_PAYLOAD,
    TRP_SEND_CONTENT_TEXT
};

bool trp_envelope_kind_by_name(struct trp_bytes name, enum trp_envelope_kind *ret_kind);
const char *trp_envelope_kind_name(enum trp_envelope_kind kind);
bool trp_stop_reason_by_name(struct trp_bytes name, enum trp_stop_reason *ret_reason);
const char *trp_stop_reason_name(enum trp_stop_reason reason);
/* TRP_PANIC_HANDLER_PANIC for a name that is not known. */
enum trp_panic trp_panic_by_name(struct trp_bytes name);
const char *trp_panic_name(enum trp_panic panic);
/* TRP_SEND_OK for a name that is not known. */
enum trp_send_error trp_send_error_by_name(struct trp_bytes name);
const char *trp_send_error_name(enum trp_send_error error);
enum trp_send_content trp_send_error_content(enum trp_send_error error);

#endif
