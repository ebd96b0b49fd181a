/* SPDX-License-Identifier: MIT */
/* lang/scalar.h - quantities with units, read exactly into integers: "1min30s", "0.1%", "20Mbit".
 *
 * Purity     Values only. Anything that an integer cannot hold exactly is a fault, never rounded.
 */
#ifndef LANG_SCALAR_H
#define LANG_SCALAR_H

#include <troupe/sim.h>

/* What is wrong with a text, and where in it. */
struct lang_fault {
    char message[192];
    char hint[192];
    size_t offset;
    size_t size;
};

void lang_fault_set(struct lang_fault *fault, size_t offset, size_t size, const char *format, ...)
    TRP_PRINTF(4, 5);
void lang_fault_hint(struct lang_fault *fault, const char *format, ...) TRP_PRINTF(2, 3);

/* Each reads the whole text; false with the fault. */
bool lang_span_read(struct trp_bytes text, trp_time *ret_ns, struct lang_fault *fault);
bool lang_share_read(struct trp_bytes text, uint64_t *ret_ppm, struct lang_fault *fault);
bool lang_rate_read(struct trp_bytes text, uint64_t *ret_bits_per_s, struct lang_fault *fault);
bool lang_size_read(struct trp_bytes text, uint64_t *ret_bytes, struct lang_fault *fault);
/* A whole number of at most `max`. */
bool lang_count_read(struct trp_bytes text, uint64_t max, uint64_t *ret_count,
                     struct lang_fault *fault);
/* A number in units of 1 / scale. */
bool lang_number_read(struct trp_bytes text, uint64_t scale, uint64_t *ret_number,
                      struct lang_fault *fault);
bool lang_bool_read(struct trp_bytes text, bool *ret_value, struct lang_fault *fault);
/* A span, or a distribution of spans: "lognormal(p50=40ms, p99=180ms)". */
bool lang_dist_read(struct trp_bytes text, struct trp_dist *ret_dist, struct lang_fault *fault);

/* A word: a letter, then letters, digits, - and _. */
bool lang_is_word(struct trp_bytes text);
/* Bytes of the word a text begins with; 0: none. */
size_t lang_word_size(struct trp_bytes text);

/* Writes a span as short as it goes without loss: "5min30s". */
#define LANG_SPAN_TEXT_MAX 48u
void lang_span_print(trp_time ns, char ret_text[LANG_SPAN_TEXT_MAX]);
/* Writes a number given in units of 1 / scale, scale a power of ten. */
void lang_number_print(uint64_t number, uint64_t scale, char ret_text[LANG_SPAN_TEXT_MAX]);

#endif
