/* SPDX-License-Identifier: MIT */
#include "wire/base58.h"

#include "base/assert.h"

/* A number in base 58 or 36 as text of at most 88 digits for 64 bytes, plus leading zeros. */
#define TEXT_MAX  128u
#define LIMBS_MAX 32u
#define NO_DIGIT  0xffu

/* A positional base. Several digits at once make a limb of less than 32 bits. */
struct radix {
    const char *alphabet;
    uint32_t base;
    uint32_t limb_digits;
    uint32_t limb; /* base to the power of limb_digits */
};

static const struct radix base58 = {"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
                                    58, 5, 656356768u};
static const struct radix base36 = {"0123456789abcdefghijklmnopqrstuvwxyz", 36, 6, 2176782336u};

static uint8_t radix_digit(const struct radix *radix, uint8_t c)
{
    const char *at = c == '\0' ? NULL : strchr(radix->alphabet, c);
    return at == NULL ? (uint8_t)NO_DIGIT : (uint8_t)(at - radix->alphabet);
}

/* number = number * factor + carry, with limbs of `base`, the least significant first. */
static void limbs_multiply_add(uint32_t *limbs, size_t *count, uint64_t base, uint64_t factor,
                               uint64_t carry)
{
    for (size_t i = 0; i < *count; i++) {
        uint64_t value = limbs[i] * factor + carry;
        limbs[i] = (uint32_t)(value % base);
        carry = value / base;
    }
    while (carry > 0) {
        TRP_ASSERT(*count < LIMBS_MAX);
        limbs[(*count)++] = (uint32_t)(carry % base);
        carry /= base;
    }
}

/* Writes the digits of limbs of one radix; none for zero. */
static size_t limbs_print(const struct radix *radix, const uint32_t *limbs, size_t count, char *out)
{
    size_t size = 0;
    for (size_t i = count; i-- > 0;) {
        uint32_t rest = limbs[i];
        uint32_t divisor = radix->limb / radix->base;
        for (uint32_t k = 0; k < radix->limb_digits; k++) {
            uint32_t digit = rest / divisor;
            rest %= divisor;
            divisor /= radix->base;
            if (size > 0 || digit > 0) {
                out[size++] = radix->alphabet[digit];
            }
        }
    }
    return size;
}

static size_t leading(struct trp_bytes in, uint8_t byte)
{
    size_t count = 0;
    while (count < in.size && in.data[count] == byte) {
        count++;
    }
    return count;
}

enum trp_status trp_base58_encode(struct trp_bytes in, char *out, size_t room, size_t *ret_size)
{
    if (in.size > TRP_BASE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    uint32_t limbs[LIMBS_MAX];
    size_t count = 0;
    size_t zeros = leading(in, 0);
    for (size_t i = zeros; i < in.size;) {
        uint64_t chunk = 0;
        uint64_t factor = 1;
        for (uint32_t k = 0; k < 4 && i < in.size; k++, i++) {
            chunk = chunk << 8 | in.data[i];
            factor <<= 8;
        }
        limbs_multiply_add(limbs, &count, base58.limb, factor, chunk);
    }
    char digits[TEXT_MAX];
    size_t size = limbs_print(&base58, limbs, count, digits);
    if (zeros + size > room) {
        return TRP_ETOOBIG;
    }
    memset(out, base58.alphabet[0], zeros);
    memcpy(out + zeros, digits, size);
    *ret_size = zeros + size;
    return TRP_OK;
}

/* Reads a number of one radix; each leading zero digit is a zero byte. */
static enum trp_status radix_decode(const struct radix *radix, struct trp_bytes text, uint8_t *out,
                                    size_t room, size_t *ret_size)
{
    if (text.size > TEXT_MAX) {
        return TRP_ETOOBIG;
    }
    uint32_t limbs[LIMBS_MAX];
    size_t count = 0;
    size_t zeros = leading(text, (uint8_t)radix->alphabet[0]);
    for (size_t i = zeros; i < text.size;) {
        uint64_t chunk = 0;
        uint64_t factor = 1;
        for (uint32_t k = 0; k < radix->limb_digits && i < text.size; k++, i++) {
            uint8_t digit = radix_digit(radix, text.data[i]);
            if (digit == NO_DIGIT) {
                return TRP_EMALFORMED;
            }
            chunk = chunk * radix->base + digit;
            factor *= radix->base;
        }
        limbs_multiply_add(limbs, &count, UINT64_C(1) << 32, factor, chunk);
    }
    size_t size = count * 4;
    while (size > 0 && (limbs[(size - 1) / 4] >> (8 * ((size - 1) % 4)) & 0xff) == 0) {
        size--;
    }
    if (zeros + size > room || zeros + size > TRP_BASE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    memset(out, 0, zeros);
    for (size_t i = 0; i < size; i++) {
        size_t from = size - 1 - i;
        out[zeros + i] = (uint8_t)(limbs[from / 4] >> (8 * (from % 4)));
    }
    *ret_size = zeros + size;
    return TRP_OK;
}

enum trp_status trp_base58_decode(struct trp_bytes text, uint8_t *out, size_t room,
                                  size_t *ret_size)
{
    return radix_decode(&base58, text, out, room, ret_size);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* One digit of base 16 or 32 (RFC 4648) in lower case. */
static uint8_t power_digit(uint8_t c, uint32_t bits)
{
    if (bits == 4) {
        if (c >= '0' && c <= '9') {
            return (uint8_t)(c - '0');
        }
        return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : (uint8_t)NO_DIGIT;
    }
    if (c >= '2' && c <= '7') {
        return (uint8_t)(c - '2' + 26);
    }
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a') : (uint8_t)NO_DIGIT;
}

/* Reads base 2^bits: first digit first, what is left of the last must be zero bits. */
static enum trp_status power_decode(uint32_t bits, struct trp_bytes text, uint8_t *out, size_t room,
                                    size_t *ret_size)
{
    uint32_t held = 0;
    uint32_t held_bits = 0;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t digit = power_digit(text.data[i], bits);
        if (digit == NO_DIGIT) {
            return TRP_EMALFORMED;
        }
        held = (held << bits | digit) & 0xfff;
        held_bits += bits;
        if (held_bits >= 8) {
            if (size == room || size == TRP_BASE_BYTES_MAX) {
                return TRP_ETOOBIG;
            }
            held_bits -= 8;
            out[size++] = (uint8_t)(held >> held_bits);
        }
    }
    if (held_bits >= bits || (held & ((1u << held_bits) - 1)) != 0) {
        return TRP_EMALFORMED;
    }
    *ret_size = size;
    return TRP_OK;
}

enum trp_status trp_multibase_decode(struct trp_bytes text, uint8_t *out, size_t room,
                                     size_t *ret_size)
{
    if (text.size == 0) {
        return TRP_EMALFORMED;
    }
    if (text.size > TEXT_MAX) {
        return TRP_ETOOBIG;
    }
    uint8_t prefix = text.data[0];
    text = trp_bytes_skip(text, 1);
    uint8_t lowered[TEXT_MAX]; /* in all bases but 58, either case will do */
    for (size_t i = 0; i < text.size; i++) {
        lowered[i] = lower(text.data[i]);
    }
    struct trp_bytes any_case = trp_bytes(lowered, text.size);
    switch (prefix) {
    case 'z':
        return radix_decode(&base58, text, out, room, ret_size);
    case 'k':
    case 'K':
        return radix_decode(&base36, any_case, out, room, ret_size);
    case 'b':
    case 'B':
        return power_decode(5, any_case, out, room, ret_size);
    case 'f':
    case 'F':
        return power_decode(4, any_case, out, room, ret_size);
    default:
        return TRP_EUNSUPPORTED;
    }
}
