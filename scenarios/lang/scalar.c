/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/scalar.h"

#include <stdarg.h>
#include <stdio.h>

void lang_fault_set(struct lang_fault *fault, size_t offset, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    fault->hint[0] = '\0';
    fault->offset = offset;
    fault->size = size;
}

void lang_fault_hint(struct lang_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->hint, sizeof fault->hint, format, arguments);
    va_end(arguments);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

size_t lang_word_size(struct trp_bytes text)
{
    size_t size = 0;
    if (text.size == 0 || !is_letter(text.data[0]))
        return 0;
    while (size < text.size && (is_letter(text.data[size]) || is_digit(text.data[size]) ||
                                text.data[size] == '-' || text.data[size] == '_'))
        size++;
    return size;
}

bool lang_is_word(struct trp_bytes text)
{
    return text.size != 0 && lang_word_size(text) == text.size;
}

/* ---- numbers ---- */

/* A decimal number without sign or exponent: digits[.digits]. */
struct decimal {
    size_t size; /* bytes of text; 0: no number */
    size_t whole_size;
};

static struct decimal decimal_scan(struct trp_bytes text)
{
    struct decimal decimal = {0};
    while (decimal.size < text.size && is_digit(text.data[decimal.size]))
        decimal.size++;
    decimal.whole_size = decimal.size;
    if (decimal.size > 0 && decimal.size + 1 < text.size && text.data[decimal.size] == '.' &&
        is_digit(text.data[decimal.size + 1])) {
        decimal.size++;
        while (decimal.size < text.size && is_digit(text.data[decimal.size]))
            decimal.size++;
    }
    return decimal;
}

/* Multiplies a scanned number by `scale`: false when it is too large or not whole. */
static bool decimal_value(struct trp_bytes text, size_t offset, struct decimal decimal,
                          uint64_t scale, uint64_t *ret_value, struct lang_fault *fault)
{
    uint64_t value = 0;
    for (size_t i = 0; i < decimal.whole_size; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0') * scale;
        if (value > UINT64_MAX / 10 || value * 10 > UINT64_MAX - digit) {
            lang_fault_set(fault, offset, decimal.size, "the number is too large");
            return false;
        }
        value = value * 10 + digit;
    }
    uint64_t rest = scale;
    for (size_t i = decimal.whole_size + 1; i < decimal.size; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit != 0 && rest % 10 != 0) {
            lang_fault_set(fault, offset, decimal.size,
                           "this number has more digits than can be kept");
            return false;
        }
        rest /= 10;
        if (value > UINT64_MAX - digit * rest) {
            lang_fault_set(fault, offset, decimal.size, "the number is too large");
            return false;
        }
        value += digit * rest;
    }
    *ret_value = value;
    return true;
}

static bool no_number(struct trp_bytes text, struct lang_fault *fault, const char *example)
{
    if (text.size == 0)
        lang_fault_set(fault, 0, 0, "a value is missing");
    else
        lang_fault_set(fault, 0, text.size, "`%.*s` is not a number with a unit",
                       (int)(text.size > 40 ? 40 : text.size), (const char *)text.data);
    lang_fault_hint(fault, "write it like %s", example);
    return false;
}

bool lang_number_read(struct trp_bytes text, uint64_t scale, uint64_t *ret_number,
                      struct lang_fault *fault)
{
    struct decimal decimal = decimal_scan(text);
    if (decimal.size == 0 || decimal.size != text.size) {
        lang_fault_set(fault, 0, text.size, "a number was expected");
        lang_fault_hint(fault, "digits with at most one point, such as 3 or 0.5");
        return false;
    }
    return decimal_value(text, 0, decimal, scale, ret_number, fault);
}

bool lang_count_read(struct trp_bytes text, uint64_t max, uint64_t *ret_count,
                     struct lang_fault *fault)
{
    uint64_t count;
    struct decimal decimal = decimal_scan(text);
    if (decimal.size == 0 || decimal.whole_size != text.size) {
        lang_fault_set(fault, 0, text.size, "a whole number was expected");
        return false;
    }
    if (!decimal_value(text, 0, decimal, 1, &count, fault))
        return false;
    if (count > max) {
        lang_fault_set(fault, 0, text.size, "at most %llu is possible", (unsigned long long)max);
        return false;
    }
    *ret_count = count;
    return true;
}

/* ---- numbers with units ---- */

struct unit {
    const char *name;
    uint64_t scale;
};

static const struct unit span_units[] = {
    {"ns", 1},         {"us", 1000},         {"\xC2\xB5s", 1000},  {"ms", 1000000},
    {"s", 1000000000}, {"min", 60000000000}, {"h", 3600000000000}, {NULL, 0}};
static const struct unit rate_units[] = {
    {"bit", 1},           {"kbit", 1000},         {"Mbit", 1000000},
    {"Gbit", 1000000000}, {"bit/s", 1},           {"kbit/s", 1000},
    {"Mbit/s", 1000000},  {"Gbit/s", 1000000000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"B", 1},      {"kB", 1000},     {"MB", 1000000},     {"GB", 1000000000},
    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};

struct quantity {
    const struct unit *units;
    const char *unit_list;
    const char *example;
};

static const struct quantity spans = {span_units, "ns us ms s min h", "40ms, 1.5s or 1min30s"};
static const struct quantity rates = {rate_units, "bit kbit Mbit Gbit (per second)", "20Mbit"};
static const struct quantity sizes = {size_units, "B kB MB GB KiB MiB GiB", "64KiB"};

static const struct unit *unit_find(const struct unit *units, struct trp_bytes name)
{
    for (; units->name != NULL; units++)
        if (trp_bytes_equal(name, trp_bytes_text(units->name)))
            return units;
    return NULL;
}

/* The unit somebody may have meant. */
static const char *unit_meant(const struct unit *units, struct trp_bytes name)
{
    static const char *const pairs[][2] = {
        {"m", "min"},     {"sec", "s"},      {"secs", "s"},      {"second", "s"},  {"seconds", "s"},
        {"mins", "min"},  {"minute", "min"}, {"minutes", "min"}, {"hr", "h"},      {"hour", "h"},
        {"hours", "h"},   {"msec", "ms"},    {"millis", "ms"},   {"usec", "us"},   {"nsec", "ns"},
        {"S", "s"},       {"M", "min"},      {"H", "h"},         {"MS", "ms"},     {"mbit", "Mbit"},
        {"Kbit", "kbit"}, {"gbit", "Gbit"},  {"Mbps", "Mbit"},   {"mbps", "Mbit"}, {"kbps", "kbit"},
        {"Gbps", "Gbit"}, {"gbps", "Gbit"},  {"b", "B"},         {"KB", "kB"},     {"kb", "kB"},
        {"kib", "KiB"},   {"mib", "MiB"},    {"gib", "GiB"},     {"K", "KiB"},     {"k", "kB"},
        {"bits", "bit"},  {"bytes", "B"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (trp_bytes_equal(name, trp_bytes_text(pairs[i][0])) &&
            unit_find(units, trp_bytes_text(pairs[i][1])) != NULL)
            return pairs[i][1];
    return NULL;
}

/* Reads one number with its unit from the front; moves *at behind it. */
static bool quantity_step(struct trp_bytes text, size_t *at, const struct quantity *quantity,
                          uint64_t *ret_value, struct lang_fault *fault)
{
    struct trp_bytes rest = trp_bytes_skip(text, *at);
    struct decimal decimal = decimal_scan(rest);
    if (decimal.size == 0)
        return no_number(text, fault, quantity->example);
    size_t unit_size = 0;
    struct trp_bytes tail = trp_bytes_skip(rest, decimal.size);
    size_t space = tail.size > 1 && tail.data[0] == ' ' && is_letter(tail.data[1]) ? 1 : 0;
    tail = trp_bytes_skip(tail, space);
    while (unit_size < tail.size && !is_digit(tail.data[unit_size]) && tail.data[unit_size] != ' ')
        unit_size++;
    struct trp_bytes name = trp_bytes(tail.data, unit_size);
    const struct unit *unit = unit_find(quantity->units, name);
    if (unit_size == 0) {
        lang_fault_set(fault, *at, decimal.size, "`%.*s` needs a unit: %s",
                       (int)(decimal.size > 40 ? 40 : decimal.size), (const char *)rest.data,
                       quantity->unit_list);
        return false;
    }
    if (unit == NULL) {
        const char *meant = unit_meant(quantity->units, name);
        lang_fault_set(fault, *at + decimal.size + space, unit_size, "unknown unit `%.*s`",
                       (int)(unit_size > 40 ? 40 : unit_size), (const char *)name.data);
        if (meant != NULL)
            lang_fault_hint(fault, "did you mean `%s`?", meant);
        else
            lang_fault_hint(fault, "units here: %s", quantity->unit_list);
        return false;
    }
    if (!decimal_value(rest, *at, decimal, unit->scale, ret_value, fault))
        return false;
    *at += decimal.size + space + unit_size;
    return true;
}

bool lang_span_read(struct trp_bytes text, trp_time *ret_ns, struct lang_fault *fault)
{
    trp_time sum = 0;
    size_t at = 0;
    do {
        uint64_t part;
        if (!quantity_step(text, &at, &spans, &part, fault))
            return false;
        if (part > (uint64_t)INT64_MAX - sum) {
            lang_fault_set(fault, 0, text.size, "longer than 292 years");
            return false;
        }
        sum += part;
        if (at + 1 < text.size && text.data[at] == ' ')
            at++;
    } while (at < text.size);
    *ret_ns = sum;
    return true;
}

static bool quantity_read(struct trp_bytes text, const struct quantity *quantity,
                          uint64_t *ret_value, struct lang_fault *fault)
{
    size_t at = 0;
    uint64_t value;
    if (!quantity_step(text, &at, quantity, &value, fault))
        return false;
    if (at != text.size)
        return no_number(text, fault, quantity->example);
    *ret_value = value;
    return true;
}

bool lang_rate_read(struct trp_bytes text, uint64_t *ret_bits_per_s, struct lang_fault *fault)
{
    if (trp_bytes_equal(text, trp_bytes_text("unlimited"))) {
        *ret_bits_per_s = 0;
        return true;
    }
    uint64_t rate;
    if (!quantity_read(text, &rates, &rate, fault))
        return false;
    if (rate == 0) {
        lang_fault_set(fault, 0, text.size, "a rate of 0 lets nothing through");
        lang_fault_hint(fault, "say `unlimited`, or use `partition:` or `stall: true`");
        return false;
    }
    *ret_bits_per_s = rate;
    return true;
}

bool lang_size_read(struct trp_bytes text, uint64_t *ret_bytes, struct lang_fault *fault)
{
    return quantity_read(text, &sizes, ret_bytes, fault);
}

bool lang_share_read(struct trp_bytes text, uint64_t *ret_ppm, struct lang_fault *fault)
{
    bool percent = text.size > 0 && text.data[text.size - 1] == '%';
    struct trp_bytes digits = trp_bytes(text.data, text.size - percent);
    struct decimal decimal = decimal_scan(digits);
    uint64_t ppm;
    if (decimal.size == 0 || decimal.size != digits.size) {
        lang_fault_set(fault, 0, text.size, "a share was expected");
        lang_fault_hint(fault, "write it like 2%% or 0.02");
        return false;
    }
    if (!decimal_value(digits, 0, decimal, percent ? 10000 : 1000000, &ppm, fault))
        return false;
    if (ppm > 1000000) {
        lang_fault_set(fault, 0, text.size, "a share is at most 100%%");
        if (!percent && ppm <= 100000000)
            lang_fault_hint(fault, "did you mean `%.*s%%`?", (int)digits.size,
                            (const char *)digits.data);
        return false;
    }
    *ret_ppm = ppm;
    return true;
}

bool lang_bool_read(struct trp_bytes text, bool *ret_value, struct lang_fault *fault)
{
    bool yes = trp_bytes_equal(text, trp_bytes_text("true"));
    if (!yes && !trp_bytes_equal(text, trp_bytes_text("false"))) {
        lang_fault_set(fault, 0, text.size, "`true` or `false` was expected");
        return false;
    }
    *ret_value = yes;
    return true;
}

/* ---- printing ---- */

void lang_number_print(uint64_t number, uint64_t scale, char ret_text[LANG_SPAN_TEXT_MAX])
{
    size_t at = (size_t)snprintf(ret_text, LANG_SPAN_TEXT_MAX, "%llu",
                                 (unsigned long long)(number / scale));
    uint64_t rest = number % scale;
    if (rest != 0)
        ret_text[at++] = '.';
    for (; rest != 0 && at + 1 < LANG_SPAN_TEXT_MAX; rest %= scale) {
        scale /= 10;
        ret_text[at++] = (char)('0' + rest / scale);
    }
    ret_text[at] = '\0';
}

void lang_span_print(trp_time ns, char ret_text[LANG_SPAN_TEXT_MAX])
{
    static const struct unit units[] = {{"h", 3600000000000}, {"min", 60000000000},
                                        {"s", 1000000000},    {"ms", 1000000},
                                        {"us", 1000},         {"ns", 1}};
    size_t at = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint64_t part = ns / units[i].scale;
        bool last = ns == 0 && at == 0 && units[i].scale == 1000000000;
        if (part == 0 && !last)
            continue;
        ns %= units[i].scale;
        at += (size_t)snprintf(ret_text + at, LANG_SPAN_TEXT_MAX - at, "%llu%s",
                               (unsigned long long)part, units[i].name);
    }
}
