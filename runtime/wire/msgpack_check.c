/* SPDX-License-Identifier: MIT */
#include "wire/msgpack_check.h"

#include "base/endian.h"

/* What a value's first byte says. */
struct head {
    uint32_t length_bytes; /* of the length field that follows */
    uint32_t fixed_bytes;  /* body without a length field, or besides it */
    uint32_t count;        /* of bytes (`elements` 0) or elements, when it is in the first byte */
    uint32_t elements;     /* values per element: 1 array, 2 map; 0: plain bytes */
    bool valid;
};

static struct head head_of_marker(uint8_t byte)
{
    switch (byte) {
    case 0xc0: /* nil, false, true */
    case 0xc2:
    case 0xc3:
        return (struct head){.valid = true};
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return (struct head){.length_bytes = 1u << (byte - 0xc4), .valid = true};
    case 0xc7: /* ext 8, 16, 32: a type byte before the body */
    case 0xc8:
    case 0xc9:
        return (struct head){.length_bytes = 1u << (byte - 0xc7), .fixed_bytes = 1, .valid = true};
    case 0xca: /* real 32, 64 */
    case 0xcb:
        return (struct head){.fixed_bytes = 4u << (byte - 0xca), .valid = true};
    case 0xcc: /* uint 8..64 */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return (struct head){.fixed_bytes = 1u << (byte - 0xcc), .valid = true};
    case 0xd0: /* int 8..64 */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return (struct head){.fixed_bytes = 1u << (byte - 0xd0), .valid = true};
    case 0xd4: /* fixext 1..16 */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return (struct head){.fixed_bytes = 1u + (1u << (byte - 0xd4)), .valid = true};
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return (struct head){.length_bytes = 1u << (byte - 0xd9), .valid = true};
    case 0xdc: /* array 16, 32 */
    case 0xdd:
        return (struct head){.length_bytes = 2u << (byte - 0xdc), .elements = 1, .valid = true};
    case 0xde: /* map 16, 32 */
    case 0xdf:
        return (struct head){.length_bytes = 2u << (byte - 0xde), .elements = 2, .valid = true};
    default:
        return (struct head){.valid = false};
    }
}

static struct head head_of(uint8_t byte)
{
    if (byte <= 0x7f || byte >= 0xe0) {
        return (struct head){.valid = true};
    }
    if (byte <= 0x8f) {
        return (struct head){.count = byte & 15u, .elements = 2, .valid = true};
    }
    if (byte <= 0x9f) {
        return (struct head){.count = byte & 15u, .elements = 1, .valid = true};
    }
    if (byte <= 0xbf) {
        return (struct head){.count = byte & 31u, .valid = true};
    }
    return head_of_marker(byte);
}

static uint32_t load_length(const uint8_t *at, uint32_t length_bytes)
{
    switch (length_bytes) {
    case 1:
        return at[0];
    case 2:
        return trp_load_be16(at);
    default:
        return trp_load_be32(at);
    }
}

enum trp_status trp_msgpack_check(struct trp_bytes in, size_t *ret_size)
{
    uint64_t left[TRP_MSGPACK_DEPTH_MAX + 1] = {1}; /* values still to come, per level */
    uint32_t depth = 0;
    size_t at = 0;
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0) {
                *ret_size = at;
                return TRP_OK;
            }
            depth--;
        }
        left[depth]--;
        if (at >= in.size) {
            return TRP_EMALFORMED;
        }
        struct head head = head_of(in.data[at++]);
        if (!head.valid || head.length_bytes > in.size - at) {
            return TRP_EMALFORMED;
        }
        uint64_t count = head.count;
        if (head.length_bytes > 0) {
            count = load_length(in.data + at, head.length_bytes);
            at += head.length_bytes;
        }
        uint64_t body = head.fixed_bytes + (head.elements == 0 ? count : 0);
        uint64_t values = count * head.elements;
        if (body > in.size - at || values > in.size - at) { /* a value takes a byte at least */
            return TRP_EMALFORMED;
        }
        at += (size_t)body;
        if (values > 0) {
            if (depth == TRP_MSGPACK_DEPTH_MAX) {
                return TRP_EMALFORMED;
            }
            left[++depth] = values;
        }
    }
}
