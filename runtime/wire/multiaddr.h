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
    const char *name;
};

/* NULL for a protocol that is not known here. */
const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_code(uint64_t code);
const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_name(struct trp_bytes name);
/* Gives the size of a value that has no length prefix; 0 as well for those that have one. */
size_t trp_multiaddr_value_bytes(enum trp_multiaddr_value value);
static inline bool trp_multiaddr_value_has_length(enum trp_multiaddr_value value)
{
    return value >= TRP_MA_VALUE_HOST;
}

/* Says whether a value of that kind may have these bytes. */
bool trp_multiaddr_value_is_valid(enum trp_multiaddr_value value, struct trp_bytes bytes);

#endif
