/* SPDX-License-Identifier: MIT */
#include "reports/render/figure.h"

#include <math.h>
#include <stdio.h>

/* Writes three significant digits: 1.23, 12.3, 123. */
static void put_scaled(char out[FIGURE_MAX], double value, const char *unit)
{
    double size = fabs(value);
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    (void)snprintf(out, FIGURE_MAX, "%.*f%s", decimals, value, unit);
}

/* "1 min 30 s" from whole parts; the second is left out where it is 0. */
static void put_parts(char out[FIGURE_MAX], uint64_t large, const char *large_unit, uint64_t small,
                      const char *small_unit)
{
    if (small == 0) {
        (void)snprintf(out, FIGURE_MAX, "%llu %s", (unsigned long long)large, large_unit);
    } else {
        (void)snprintf(out, FIGURE_MAX, "%llu %s %llu %s", (unsigned long long)large, large_unit,
                       (unsigned long long)small, small_unit);
    }
}

const char *figure_span(char out[FIGURE_MAX], double span_ns)
{
    double seconds = span_ns / 1e9;
    uint64_t whole = seconds > 0 && seconds < 1e15 ? (uint64_t)(seconds + 0.5) : 0;
    if (fabs(span_ns) < 1) {
        (void)snprintf(out, FIGURE_MAX, "0 s");
    } else if (fabs(span_ns) < 999.5) {
        (void)snprintf(out, FIGURE_MAX, "%.0f ns", span_ns);
    } else if (fabs(span_ns) < 999.5e3) {
        put_scaled(out, span_ns / 1e3, " \xc2\xb5s");
    } else if (fabs(span_ns) < 999.5e6) {
        put_scaled(out, span_ns / 1e6, " ms");
    } else if (whole < 60) {
        put_scaled(out, seconds, " s");
    } else if (whole < 3600) {
        put_parts(out, whole / 60, "min", whole % 60, "s");
    } else if (whole < 172800) {
        put_parts(out, whole / 3600, "h", whole / 60 % 60, "min");
    } else {
        put_parts(out, whole / 86400, "d", whole / 3600 % 24, "h");
    }
    return out;
}

static int put_clock(char out[FIGURE_MAX], uint64_t seconds)
{
    unsigned long long hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60);
    if (hours > 0) {
        return snprintf(out, FIGURE_MAX, "%llu:%02u:%02u", hours, minutes,
                        (unsigned)(seconds % 60));
    }
    return snprintf(out, FIGURE_MAX, "%u:%02u", minutes, (unsigned)(seconds % 60));
}

const char *figure_moment(char out[FIGURE_MAX], trp_time at)
{
    int size = put_clock(out, at / TRP_S(1));
    (void)snprintf(out + size, FIGURE_MAX - (size_t)size, ".%03u",
                   (unsigned)(at % TRP_S(1) / TRP_MS(1)));
    return out;
}

const char *figure_moment_short(char out[FIGURE_MAX], trp_time at)
{
    int size = put_clock(out, at / TRP_S(1));
    unsigned thousandths = (unsigned)(at % TRP_S(1) / TRP_MS(1));
    if (thousandths > 0) {
        size += snprintf(out + size, FIGURE_MAX - (size_t)size, ".%03u", thousandths);
        while (out[size - 1] == '0') {
            out[--size] = '\0';
        }
    }
    return out;
}

const char *figure_count(char out[FIGURE_MAX], uint64_t count)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *figure_bytes(char out[FIGURE_MAX], double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    size_t unit = 0;
    while (fabs(bytes) >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    if (unit == 0) {
        (void)snprintf(out, FIGURE_MAX, "%.0f%s", bytes, units[unit]);
    } else {
        put_scaled(out, bytes, units[unit]);
    }
    return out;
}

const char *figure_share(char out[FIGURE_MAX], double share)
{
    double percent = share * 100;
    bool near_all = percent < 100 && percent >= 99.95;
    bool near_none = percent > 0 && percent < 0.05;
    if (near_all || near_none) {
        (void)snprintf(out, FIGURE_MAX, near_all ? ">99.9%%" : "<0.1%%");
    } else if (fabs(percent - round(percent)) < 0.05) {
        (void)snprintf(out, FIGURE_MAX, "%.0f%%", percent);
    } else {
        (void)snprintf(out, FIGURE_MAX, "%.1f%%", percent);
    }
    return out;
}

/* A number of no known unit: whole ones as counts, others with three digits. */
static void put_plain(char out[FIGURE_MAX], double value)
{
    if (value >= 0 && value < 1e15 && fabs(value - round(value)) < 1e-9) {
        (void)figure_count(out, (uint64_t)round(value));
    } else if (fabs(value) >= 1e-3 && fabs(value) < 1e6) {
        (void)snprintf(out, FIGURE_MAX, "%.4g", value);
    } else {
        (void)snprintf(out, FIGURE_MAX, "%.3g", value);
    }
}

const char *figure_value(char out[FIGURE_MAX], double value, const char *unit)
{
    unit = unit == NULL ? "" : unit;
    if (strcmp(unit, "ratio") == 0) {
        return figure_share(out, value);
    }
    if (strcmp(unit, "s") == 0 || strcmp(unit, "ms") == 0 || strcmp(unit, "us") == 0 ||
        strcmp(unit, "ns") == 0) {
        double scale = unit[0] == 's' ? 1e9 : unit[0] == 'm' ? 1e6 : unit[0] == 'u' ? 1e3 : 1;
        return figure_span(out, value * scale);
    }
    if (strcmp(unit, "bytes") == 0) {
        return figure_bytes(out, value);
    }
    if (strcmp(unit, "bytes/s") == 0) {
        (void)figure_bytes(out, value);
        size_t size = strlen(out);
        (void)snprintf(out + size, FIGURE_MAX - size, "/s");
        return out;
    }
    put_plain(out, value);
    if (unit[0] != '\0' && strcmp(unit, "count") != 0) {
        size_t size = strlen(out);
        (void)snprintf(out + size, FIGURE_MAX - size, " %.16s", unit);
    }
    return out;
}
