/* SPDX-License-Identifier: MIT */
/* reports/render/gnuplot.h - draws plots by running gnuplot as a program.
 *
 * One run draws all plots, in a temporary directory that is removed again. No text of a run reaches
 * the script or the data: they hold numbers and our own labels only. The program is killed when its
 * time is over. */
#ifndef REPORTS_RENDER_GNUPLOT_H
#define REPORTS_RENDER_GNUPLOT_H

#include "reports/render/plot.h"

struct drawings {
    char **svgs; /* by index of the plot; NULL: not drawn */
    size_t count;
    char problem[160]; /* why there are none; empty: all is well */
};

/* Draws all scaled plots with `program` within `ms_max`. Always gives a result, perhaps an empty
 * one with its reason. */
void drawings_init(struct drawings *drawings, const struct plots *plots, const char *program,
                   uint32_t ms_max);
void drawings_deinit(struct drawings *drawings);

#endif
