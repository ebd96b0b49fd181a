/* SPDX-License-Identifier: MIT */
/* reports/render/figure.h - numbers as people read them: 41.2 ms, 1,234, 4.1 MiB, 97.3%.
 *
 * Each writes at most FIGURE_MAX bytes with the NUL and gives back its buffer. */
#ifndef REPORTS_RENDER_FIGURE_H
#define REPORTS_RENDER_FIGURE_H

#include <troupe/base.h>

#define FIGURE_MAX 48u

/* A length of time in nanoseconds: "850 ns", "12.3 µs", "41.2 ms", "2.31 s", "1 min 30 s". */
const char *figure_span(char out[FIGURE_MAX], double span_ns);
/* A moment of the run: "3:04.321", "1:02:03.000". */
const char *figure_moment(char out[FIGURE_MAX], trp_time at);
/* The same without fractions where there are none: "3:04", "0:02.5". For axes. */
const char *figure_moment_short(char out[FIGURE_MAX], trp_time at);
/* "1,234,567" */
const char *figure_count(char out[FIGURE_MAX], uint64_t count);
/* "812 B", "4.1 MiB" */
const char *figure_bytes(char out[FIGURE_MAX], double bytes);
/* "97.3%"; never rounds up to 100% nor down to 0%. */
const char *figure_share(char out[FIGURE_MAX], double share);
/* A value of a metric by its unit; NULL or an unknown unit gives the number and the unit. */
const char *figure_value(char out[FIGURE_MAX], double value, const char *unit);

#endif
