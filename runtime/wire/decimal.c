/* SPDX-License-Identifier: MIT */
#include "wire/decimal.h"

#include "base/assert.h"

#define LIMBS_MAX  40u /* the largest number is below 2^1088 */
#define DIGITS_MAX 17u

/* ---- numbers without a sign, the least significant limb first, no leading zero ---- */

struct natural {
    uint32_t limbs[LIMBS_MAX];
    uint32_t count;
};

static void natural_trim(struct natural *n)
{
    while (n->count > 0 && n->limbs[n->count - 1] == 0) {
        n->count--;
    }
}

static void natural_multiply(struct natural *n, uint32_t factor)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        carry += (uint64_t)n->limbs[i] * factor;
        n->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        TRP_ASSERT(n->count < LIMBS_MAX);
        n->limbs[n->count++] = (uint32_t)carry;
    }
}

/* value * 2^shift */
static struct natural natural_make(uint64_t value, uint32_t shift)
{
    struct natural n = {.count = shift / 32 + 3};
    TRP_ASSERT(n.count <= LIMBS_MAX);
    uint32_t bits = shift % 32;
    uint32_t *low = &n.limbs[shift / 32];
    low[0] = (uint32_t)(value << bits);
    low[1] = (uint32_t)(value >> (32 - bits)); /* bits is below 32 */
    low[2] = bits == 0 ? 0 : (uint32_t)(value >> 32 >> (32 - bits));
    natural_trim(&n);
    return n;
}

static int natural_compare(const struct natural *a, const struct natural *b)
{
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (uint32_t i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

static struct natural natural_add(const struct natural *a, const struct natural *b)
{
    struct natural sum = {.count = a->count > b->count ? a->count : b->count};
    uint64_t carry = 0;
    for (uint32_t i = 0; i < sum.count; i++) {
        carry += (uint64_t)(i < a->count ? a->limbs[i] : 0) + (i < b->count ? b->limbs[i] : 0);
        sum.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        TRP_ASSERT(sum.count < LIMBS_MAX);
        sum.limbs[sum.count++] = (uint32_t)carry;
    }
    return sum;
}

/* a -= b, where a >= b */
static void natural_subtract(struct natural *a, const struct natural *b)
{
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        uint64_t less = (i < b->count ? b->limbs[i] : 0) + borrow;
        borrow = a->limbs[i] < less;
        a->limbs[i] = (uint32_t)(a->limbs[i] - less);
    }
    natural_trim(a);
}

/* ---- digits ---- */

/* The value r / s, and half the gaps to its neighbours, up / s and down / s. */
struct ratio {
    struct natural r;
    struct natural s;
    struct natural up;
    struct natural down;
    bool inclusive; /* the ends of the gap read back as this value, too: its mantissa is even */
};

/* value = mantissa * 2^exponent; `narrow` where the gap below is half as wide. */
static struct ratio ratio_make(uint64_t mantissa, int32_t exponent, bool narrow)
{
    uint32_t more = narrow ? 1 : 0;
    uint32_t up = exponent > 0 ? (uint32_t)exponent : 0;
    uint32_t down = exponent < 0 ? (uint32_t)-exponent : 0;
    return (struct ratio){.r = natural_make(mantissa, up + 1 + more),
                          .s = natural_make(1, down + 1 + more),
                          .up = natural_make(1, up + more),
                          .down = natural_make(1, up),
                          .inclusive = mantissa % 2 == 0};
}

/* True when (r + up) / s is beyond 1. */
static bool ratio_is_high(const struct ratio *ratio)
{
    struct natural high = natural_add(&ratio->r, &ratio->up);
    int order = natural_compare(&high, &ratio->s);
    return ratio->inclusive ? order >= 0 : order > 0;
}

static void ratio_times_ten(struct ratio *ratio)
{
    natural_multiply(&ratio->r, 10);
    natural_multiply(&ratio->up, 10);
    natural_multiply(&ratio->down, 10);
}

/* Scales to 0.d1d2… * 10^k; returns k. */
static int32_t ratio_scale(struct ratio *ratio)
{
    int32_t k = 0;
    while (ratio_is_high(ratio)) {
        natural_multiply(&ratio->s, 10);
        k++;
    }
    for (;;) {
        struct ratio next = *ratio;
        ratio_times_ten(&next);
        if (ratio_is_high(&next)) {
            return k;
        }
        *ratio = next;
        k--;
    }
}

/* Writes the fewest digits that tell the value from its neighbours. */
static uint32_t ratio_digits(struct ratio *ratio, char digits[DIGITS_MAX])
{
    for (uint32_t count = 0;;) {
        TRP_ASSERT(count < DIGITS_MAX);
        uint32_t digit = 0;
        ratio_times_ten(ratio);
        while (natural_compare(&ratio->r, &ratio->s) >= 0) {
            natural_subtract(&ratio->r, &ratio->s);
            digit++;
        }
        int order = natural_compare(&ratio->r, &ratio->down);
        bool low = ratio->inclusive ? order <= 0 : order < 0;
        bool high = ratio_is_high(ratio);
        if (!low && !high) {
            digits[count++] = (char)('0' + digit);
            continue;
        }
        struct natural twice = natural_add(&ratio->r, &ratio->r);
        bool round_up = high && (!low || natural_compare(&twice, &ratio->s) >= 0);
        digits[count++] = (char)('0' + digit + (round_up ? 1u : 0u));
        return count;
    }
}

/* ---- text ---- */

struct text {
    char *out;
    size_t size;
};

static void put(struct text *text, char c)
{
    text->out[text->size++] = c;
}

static void put_exponent(struct text *text, int32_t exponent)
{
    uint32_t value = exponent < 0 ? (uint32_t)-exponent : (uint32_t)exponent;
    put(text, 'e');
    put(text, exponent < 0 ? '-' : '+');
    if (value >= 100) {
        put(text, (char)('0' + value / 100));
    }
    put(text, (char)('0' + value / 10 % 10));
    put(text, (char)('0' + value % 10));
}

/* 0.DIGITS * 10^point as "12.5", "0.0012", "1.5e+30". */
static void put_decimal(struct text *text, const char *digits, uint32_t count, int32_t point)
{
    bool plain = point > -5 && point <= (int32_t)DIGITS_MAX;
    int32_t whole = plain ? point : 1; /* digits before the point */
    if (whole <= 0) {
        put(text, '0');
    }
    for (int32_t i = 0; i < whole; i++) {
        put(text, (uint32_t)i < count ? digits[i] : '0');
    }
    put(text, '.');
    for (int32_t i = whole; i < 0; i++) {
        put(text, '0');
    }
    uint32_t rest = whole > 0 ? (uint32_t)whole : 0;
    if (rest >= count) {
        put(text, '0');
    }
    for (uint32_t i = rest; i < count; i++) {
        put(text, digits[i]);
    }
    if (!plain) {
        put_exponent(text, point - 1);
    }
}

/* The parts of an IEEE 754 number of either width. */
struct parts {
    bool negative;
    uint32_t exponent;
    uint32_t exponent_max;
    uint32_t mantissa_bits;
    uint64_t mantissa;
};

static size_t print(const struct parts *parts, char *ret_text)
{
    struct text text = {.out = ret_text};
    if (parts->exponent == parts->exponent_max) {
        memcpy(ret_text, "null", 5);
        return 4;
    }
    if (parts->negative) {
        put(&text, '-');
    }
    if (parts->exponent == 0 && parts->mantissa == 0) {
        put_decimal(&text, "0", 1, 1);
    } else {
        char digits[DIGITS_MAX];
        bool normal = parts->exponent > 0;
        uint64_t implied = normal ? UINT64_C(1) << parts->mantissa_bits : 0;
        int32_t bias = (int32_t)(parts->exponent_max / 2 + parts->mantissa_bits);
        struct ratio ratio =
            ratio_make(parts->mantissa | implied, (int32_t)(normal ? parts->exponent : 1) - bias,
                       parts->mantissa == 0 && parts->exponent > 1);
        int32_t point = ratio_scale(&ratio);
        uint32_t count = ratio_digits(&ratio, digits);
        put_decimal(&text, digits, count, point);
    }
    ret_text[text.size] = '\0';
    return text.size;
}

size_t trp_decimal_f64(uint64_t bits, char ret_text[TRP_DECIMAL_TEXT_MAX])
{
    return print(&(struct parts){.negative = bits >> 63 != 0,
                                 .exponent = (uint32_t)(bits >> 52) & 0x7ffu,
                                 .exponent_max = 0x7ff,
                                 .mantissa_bits = 52,
                                 .mantissa = bits & ((UINT64_C(1) << 52) - 1)},
                 ret_text);
}

size_t trp_decimal_f32(uint32_t bits, char ret_text[TRP_DECIMAL_TEXT_MAX])
{
    return print(&(struct parts){.negative = bits >> 31 != 0,
                                 .exponent = bits >> 23 & 0xffu,
                                 .exponent_max = 0xff,
                                 .mantissa_bits = 23,
                                 .mantissa = bits & ((UINT32_C(1) << 23) - 1)},
                 ret_text);
}
