/* SPDX-License-Identifier: MIT */
/* bench/figure.h - what a bench program prints: a line of JSON for each figure (README.md). */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Nanoseconds; of CLOCK_MONOTONIC, or of CLOCK_PROCESS_CPUTIME_ID, which leaves out what else the
 * machine does. */
static inline uint64_t bench_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void bench_figure(const char *name, double value, const char *unit)
{
    (void)printf("{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"}\n", name, value, unit);
    (void)fflush(stdout);
}

#endif
