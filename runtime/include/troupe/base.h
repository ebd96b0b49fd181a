/* SPDX-License-Identifier: MIT */
/* troupe/base.h - status codes, time, byte slices: the words every other header speaks.
 *
 * Purity     Values only.
 * Failure    Every fallible function returns enum trp_status; out parameters named ret_x are
 *            written only on TRP_OK. A status is never also a count. */
#ifndef TROUPE_BASE_H
#define TROUPE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define TRP_EXTERN_C_BEGIN extern "C" {
#define TRP_EXTERN_C_END   }
#else
#define TRP_EXTERN_C_BEGIN
#define TRP_EXTERN_C_END
#endif

#if defined(__GNUC__)
#define TRP_API             __attribute__((visibility("default")))
#define TRP_NODISCARD       __attribute__((warn_unused_result))
#define TRP_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#else
#define TRP_API
#define TRP_NODISCARD
#define TRP_PRINTF(fmt, va)
#endif

TRP_EXTERN_C_BEGIN

/* X(name, value, class, text). Values are stored in traces and never change.
 * The class decides policy: flow = try later; usage = report to the caller; peer = close the
 * stream or connection; local = our own limits or policy; io = the network; actor = the target. */
#define TRP_STATUS_MAP(X)                                                                          \
    X(OK, 0, OK, "success")                                                                        \
    X(EAGAIN, -1, FLOW, "no progress is possible now")                                             \
    X(EFULL, -2, FLOW, "a configured limit is reached")                                            \
    X(EINVAL, -10, USAGE, "an argument or a setting is out of range")                              \
    X(ENOTFOUND, -11, USAGE, "no such thing")                                                      \
    X(EEXISTS, -12, USAGE, "it exists already")                                                    \
    X(ESTATE, -13, USAGE, "the call is not allowed in this state")                                 \
    X(EUNSUPPORTED, -14, USAGE, "not supported here")                                              \
    X(EMALFORMED, -20, PEER, "the bytes do not decode")                                            \
    X(EVIOLATION, -21, PEER, "well-formed but forbidden by the protocol")                          \
    X(ETOOBIG, -22, PEER, "larger than the limit")                                                 \
    X(EAUTH, -23, PEER, "a signature, key or identity does not match")                             \
    X(ENEGOTIATION, -24, PEER, "no protocol in common")                                            \
    X(ERESET, -25, PEER, "reset by the peer")                                                      \
    X(ENOMEM, -40, LOCAL, "out of memory")                                                         \
    X(EDENIED, -41, LOCAL, "refused by policy")                                                    \
    X(ECANCELLED, -42, LOCAL, "cancelled")                                                         \
    X(EIO, -60, IO, "input or output failed")                                                      \
    X(EREFUSED, -61, IO, "connection refused")                                                     \
    X(ETIMEDOUT, -62, IO, "timed out")                                                             \
    X(EUNREACHABLE, -63, IO, "unreachable")                                                        \
    X(ECLOSED, -64, IO, "connection closed")                                                       \
    X(EADDRINUSE, -65, IO, "address in use")                                                       \
    X(ENOADDRESS, -66, IO, "no address is known for the peer")                                     \
    X(ENOPEERS, -67, IO, "no peer is known to ask")                                                \
    X(ERESOLVE, -68, IO, "the host name does not resolve")                                         \
    X(EIDLE, -69, IO, "closed because idle")                                                       \
    X(EDEAD, -80, ACTOR, "the actor is not running")                                               \
    X(ESTOPPED, -81, ACTOR, "the actor stopped before it replied")                                 \
    X(EMAILBOXFULL, -82, ACTOR, "the mailbox is full")                                             \
    X(EREPLYTIMEOUT, -83, ACTOR, "no reply in time")                                               \
    X(EHANDLER, -84, ACTOR, "the handler answered with an error")                                  \
    X(EUNKNOWNACTOR, -85, ACTOR, "the peer has no actor of this type")                             \
    X(EUNKNOWNMESSAGE, -86, ACTOR, "the actor takes no such message")                              \
    X(EBADTYPE, -87, ACTOR, "the actor is of another type")                                        \
    X(EDECODE, -88, ACTOR, "the message or reply does not decode")                                 \
    X(EENCODE, -89, ACTOR, "the message or reply does not encode")

enum trp_status {
#define TRP_STATUS_ENUM(name, value, class_, text) TRP_##name = (value),
    TRP_STATUS_MAP(TRP_STATUS_ENUM)
#undef TRP_STATUS_ENUM
};

enum trp_status_class {
    TRP_CLASS_OK,
    TRP_CLASS_FLOW,
    TRP_CLASS_USAGE,
    TRP_CLASS_PEER,
    TRP_CLASS_LOCAL,
    TRP_CLASS_IO,
    TRP_CLASS_ACTOR
};

/* Returns the symbolic name without the TRP_ prefix ("ETIMEDOUT"); "?" for an unknown value. */
TRP_API const char *trp_status_name(enum trp_status status);
/* Returns one short sentence for people; static storage. */
TRP_API const char *trp_status_text(enum trp_status status);
/* Gives the class, which decides what is done about it. */
TRP_API enum trp_status_class trp_status_class(enum trp_status status);

/* Drops a status on purpose; say why in a comment. (gcc warns of a mere cast to void.) */
#define TRP_IGNORE(expression)                                                                     \
    do {                                                                                           \
        enum trp_status ignored_ = (expression);                                                   \
        (void)ignored_;                                                                            \
    } while (0)

/* A moment or a span in nanoseconds. Moments count from the driver's own epoch. */
typedef uint64_t trp_time;

#define TRP_NEVER  UINT64_MAX
#define TRP_US(n)  ((trp_time)(n)*1000u)
#define TRP_MS(n)  ((trp_time)(n)*1000000u)
#define TRP_S(n)   ((trp_time)(n)*1000000000u)
#define TRP_MIN(n) TRP_S((trp_time)(n)*60u)

/* Adds a span to a moment; saturates at TRP_NEVER. */
static inline trp_time trp_time_after(trp_time now, trp_time span_ns)
{
    return span_ns >= TRP_NEVER - now ? TRP_NEVER : now + span_ns;
}

static inline trp_time trp_time_min(trp_time a, trp_time b)
{
    return a < b ? a : b;
}

/* A borrowed run of bytes; the function that passes it says until when. */
struct trp_bytes {
    const uint8_t *data;
    size_t size;
};

#define TRP_BYTES_NONE ((struct trp_bytes){NULL, 0})

static inline struct trp_bytes trp_bytes(const void *data, size_t size)
{
    struct trp_bytes bytes = {(const uint8_t *)data, size};
    return bytes;
}

/* Borrows a NUL-terminated text without its NUL; NULL gives the empty slice. */
static inline struct trp_bytes trp_bytes_text(const char *text)
{
    return trp_bytes(text, text == NULL ? 0 : strlen(text));
}

static inline struct trp_bytes trp_bytes_skip(struct trp_bytes bytes, size_t count)
{
    count = count > bytes.size ? bytes.size : count;
    return trp_bytes(count == 0 ? bytes.data : bytes.data + count, bytes.size - count);
}

static inline bool trp_bytes_equal(struct trp_bytes a, struct trp_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

TRP_EXTERN_C_END

#endif
