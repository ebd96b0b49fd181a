/* SPDX-License-Identifier: MIT */
/* wire/multiaddr.h - the table of protocols that both forms of an address are read by. */
#ifndef WIRE_MULTIADDR_H
#define WIRE_MULTIADDR_H

#include <troupe/multiaddr.h>

/* What a value is, in bytes and in text. */
enum trp_multiaddr_value {
    TRP_MA_VALUE_NONE,
    TRP_MA_VALUE_IP4,
    TRP_MA_VALUE_IP6,
    TRP_MA_VALUE_PORT,
    TRP_MA_VALUE_NUMBER, /* u64 big-endian */
    TRP_MA_VALUE_HOST,   /* the rest has a length prefix */
    TRP_MA_VALUE_PATH,
    TRP_MA_VALUE_PEER
};

struct trp_multiaddr_protocol {
    uint32_t code;
    enum trp_multiaddr_value value;
    uint8_t value_bytes; /* of a value without a length prefix */
    uint8_t text_bytes;  /* at most, of name and fixed value, with their slashes */
    const char *name;
};

/* NULL for a protocol that is not known here. */
const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_code(uint64_t code);
const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_name(struct trp_bytes name);
static inline bool trp_multiaddr_value_has_length(enum trp_multiaddr_value value)
{
    return value >= TRP_MA_VALUE_HOST;
}

/* The last part of an address. */
struct trp_multiaddr_last {
    uint32_t code;
    size_t start; /* of the part */
    struct trp_bytes value;
};

/* Checks bytes as trp_multiaddr_decode does, and gives their last part. */
enum trp_status trp_multiaddr_check(struct trp_bytes in,
                                    struct trp_multiaddr_last *ret_last) TRP_NODISCARD;
/* Makes an address of bytes that are known to be one. */
void trp_multiaddr_copy(struct trp_bytes in, struct trp_multiaddr *ret_addr);

/* Says whether a value with a length prefix may have these bytes. */
bool trp_multiaddr_value_is_valid(enum trp_multiaddr_value value, struct trp_bytes bytes);

#endif
