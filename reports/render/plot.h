/* SPDX-License-Identifier: MIT */
/* reports/render/plot.h - what one plot shows, before gnuplot draws it.
 *
 * Ownership  A plot owns its points and tips; texts are copied.
 * Failure    Out of memory leaves points out and shows in `status` of the list. */
#ifndef REPORTS_RENDER_PLOT_H
#define REPORTS_RENDER_PLOT_H

#include "reports/render/figure.h"
#include "reports/store/run_db.h"

/* In units of the SVG; the plot area is what the margins leave. */
#define PLOT_WIDTH      560
#define PLOT_WIDTH_WIDE 1160
#define PLOT_HEIGHT     230
#define PLOT_LEFT       66
#define PLOT_RIGHT      24
#define PLOT_TOP        10
#define PLOT_BOTTOM     30

#define PLOT_SERIES_MAX 4u
#define PLOT_TICS_MAX   12u

enum plot_section { PLOT_REQUESTS, PLOT_LOOKUPS, PLOT_METRICS, PLOT_HOSTS };

/* Colours have a meaning that is the same in every plot. */
enum plot_color {
    PLOT_MAIN,   /* the typical: medians, single metrics */
    PLOT_HIGH,   /* the 90th percentile */
    PLOT_HIGHER, /* the 99th */
    PLOT_GOOD,
    PLOT_BAD,
    PLOT_OPEN, /* neither: without an answer */
    PLOT_OTHER
};

enum plot_style {
    PLOT_LINE,
    PLOT_BAND,   /* from `low` to `y` */
    PLOT_POINTS, /* one dot each */
    PLOT_BARS    /* from `low` to `y`, `width` wide around `x` */
};

struct plot_point {
    double x;
    double y; /* not finite: a gap */
    double low;
};

struct plot_series {
    char label[32];
    enum plot_color color;
    enum plot_style style;
    double width;
    struct plot_point *points;
    size_t count;
    size_t room;
};

/* A strip of the plot area that shows a text under the pointer. */
struct plot_tip {
    double from;
    double to;
    char text[224];
};

struct plot_tic {
    double at;
    char label[FIGURE_MAX];
};

struct plot {
    enum plot_section section;
    char title[96];
    char about[160];
    char unit[24];    /* of y, as of a metric */
    char x_label[48]; /* empty: time of the run */
    int width;        /* PLOT_WIDTH or PLOT_WIDTH_WIDE */
    struct plot_series series[PLOT_SERIES_MAX];
    uint32_t series_count;
    struct plot_tip *tips;
    size_t tips_count;
    size_t tips_room;
    /* Set by plot_scale. */
    bool logarithmic;
    double x_from, x_to, y_from, y_to;
    struct plot_tic x_tics[PLOT_TICS_MAX];
    struct plot_tic y_tics[PLOT_TICS_MAX];
    uint32_t x_tics_count, y_tics_count;
};

struct plots {
    struct plot *items;
    size_t count;
    size_t room;
    enum trp_status status;
};

void plots_deinit(struct plots *plots);
/* Adds a plot; NULL without memory. Valid until the next is added. */
struct plot *plots_add(struct plots *plots, enum plot_section section, const char *title,
                       const char *unit);
/* Adds a series; at most PLOT_SERIES_MAX. */
struct plot_series *plot_add_series(struct plot *plot, const char *label, enum plot_style style,
                                    enum plot_color color);
void plot_add_point(struct plots *plots, struct plot_series *series, struct plot_point point);
/* Adds a tip for the strip from `from` to `to`. */
void plot_add_tip(struct plots *plots, struct plot *plot, double from, double to,
                  const char *format, ...) TRP_PRINTF(5, 6);

/* Chooses ranges and tics. Plots over time span 0 to `run_s` seconds. */
void plot_scale(struct plot *plot, double run_s);
/* Whether the labels of the axis say the unit. */
bool plot_unit_is_on_axis(const struct plot *plot);
/* Whether there is anything to draw. */
bool plot_is_empty(const struct plot *plot);

/* Where a value of the x axis lies in the SVG. */
double plot_x(const struct plot *plot, double x);

/* Gives the width of intervals over time, in nanoseconds: about a hundred in a run. */
int64_t plot_slot_ns(trp_time run_ns);

#endif
