/* SPDX-License-Identifier: MIT */
#include "wire/envelope_names.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Gives the index of a name, or `count`. */
static size_t find_name(const char *const *names, size_t count, struct trp_bytes name)
{
    size_t i = 0;
    while (i < count && !trp_bytes_equal(trp_bytes_text(names[i]), name)) {
        i++;
    }
    return i;
}

static const char *const kinds[] = {
    [TRP_ENVELOPE_ASK] = "Ask",
    [TRP_ENVELOPE_TELL] = "Tell",
    [TRP_ENVELOPE_LINK] = "Link",
    [TRP_ENVELOPE_UNLINK] = "Unlink",
    [TRP_ENVELOPE_SIGNAL_LINK_DIED] = "SignalLinkDied",
    [TRP_ENVELOPE_OUTBOUND_FAILURE] = "OutboundFailure",
};

bool trp_envelope_kind_by_name(struct trp_bytes name, enum trp_envelope_kind *ret_kind)
{
    size_t i = find_name(kinds, COUNT(kinds), name);
    if (i < COUNT(kinds)) {
        *ret_kind = (enum trp_envelope_kind)i;
    }
    return i < COUNT(kinds);
}

const char *trp_envelope_kind_name(enum trp_envelope_kind kind)
{
    return kinds[kind];
}

static const char *const reasons[] = {
    [TRP_STOP_NORMAL] = "Normal",      [TRP_STOP_SUPERVISOR_RESTART] = "SupervisorRestart",
    [TRP_STOP_KILLED] = "Killed",      [TRP_STOP_PANICKED] = "Panicked",
    [TRP_STOP_LINK_DIED] = "LinkDied", [TRP_STOP_PEER_DISCONNECTED] = "PeerDisconnected",
};

bool trp_stop_reason_by_name(struct trp_bytes name, enum trp_stop_reason *ret_reason)
{
    size_t i = find_name(reasons, COUNT(reasons), name);
    if (i < COUNT(reasons)) {
        *ret_reason = (enum trp_stop_reason)i;
    }
    return i < COUNT(reasons);
}

const char *trp_stop_reason_name(enum trp_stop_reason reason)
{
    return reasons[reason];
}

#define TEXT_OF_PANIC(name, text) [TRP_PANIC_##name] = (text),
static const char *const panics[] = {TRP_PANIC_MAP(TEXT_OF_PANIC)};

enum trp_panic trp_panic_by_name(struct trp_bytes name)
{
    size_t i = find_name(panics, COUNT(panics), name);
    return i < COUNT(panics) ? (enum trp_panic)i : TRP_PANIC_HANDLER_PANIC;
}

const char *trp_panic_name(enum trp_panic panic)
{
    return panics[panic];
}

#define TEXT_OF_ERROR(name, text, content, status) [TRP_SEND_##name] = (text),
#define CONTENT_OF_ERROR(name, text, content, status)                                              \
    [TRP_SEND_##name] = TRP_SEND_CONTENT_##content,
#define STATUS_OF_ERROR(name, text, content, status) [TRP_SEND_##name] = TRP_##status,
static const char *const errors[] = {[TRP_SEND_OK] = "", TRP_SEND_ERROR_MAP(TEXT_OF_ERROR)};
static const enum trp_send_content contents[] = {[TRP_SEND_OK] = TRP_SEND_CONTENT_UNIT,
                                                 TRP_SEND_ERROR_MAP(CONTENT_OF_ERROR)};
static const enum trp_status statuses[] = {[TRP_SEND_OK] = TRP_OK,
                                           TRP_SEND_ERROR_MAP(STATUS_OF_ERROR)};

enum trp_send_error trp_send_error_by_name(struct trp_bytes name)
{
    size_t i = find_name(errors, COUNT(errors), name);
    return i < COUNT(errors) ? (enum trp_send_error)i : TRP_SEND_OK;
}

const char *trp_send_error_name(enum trp_send_error error)
{
    return errors[error];
}

enum trp_send_content trp_send_error_content(enum trp_send_error error)
{
    return contents[error];
}

enum trp_status trp_send_error_status(enum trp_send_error error)
{
    return statuses[error];
}

enum trp_send_error trp_send_error_of(enum trp_status status)
{
    if (status == TRP_EENCODE) {
        return TRP_SEND_SERIALIZE_REPLY; /* what a server fails to encode is its reply */
    }
    for (size_t i = 0; i < COUNT(statuses); i++) {
        if (statuses[i] == status) {
            return (enum trp_send_error)i;
        }
    }
    if (status == TRP_EDENIED) {
        return TRP_SEND_UNKNOWN_ACTOR; /* for this peer, there is no such type */
    }
    if (status == TRP_EFULL || status == TRP_EAGAIN || status == TRP_ENOMEM) {
        return TRP_SEND_MAILBOX_FULL;
    }
    return status == TRP_ECANCELLED ? TRP_SEND_ACTOR_STOPPED : TRP_SEND_SERIALIZE_REPLY;
}
