/* SPDX-License-Identifier: MIT */
#include "reports/render/plot.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS_WANTED 100
/* A logarithmic axis from this ratio of the largest to the smallest value on, for times. */
#define LOG_RATIO 10.0

/* Makes room for one more element; false without memory. */
static bool grow(struct plots *plots, void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t wanted = *room == 0 ? 16 : *room * 2;
    void *more = realloc(*items, wanted * size);
    if (more == NULL) {
        plots->status = TRP_ENOMEM;
        return false;
    }
    *items = more;
    *room = wanted;
    return true;
}

void plots_deinit(struct plots *plots)
{
    for (size_t i = 0; i < plots->count; i++) {
        for (uint32_t k = 0; k < plots->items[i].series_count; k++) {
            free(plots->items[i].series[k].points);
        }
        free(plots->items[i].tips);
    }
    free(plots->items);
    *plots = (struct plots){0};
}

struct plot *plots_add(struct plots *plots, enum plot_section section, const char *title,
                       const char *unit)
{
    void *items = plots->items;
    bool grown = grow(plots, &items, plots->count, &plots->room, sizeof *plots->items);
    plots->items = items;
    if (!grown) {
        return NULL;
    }
    struct plot *plot = &plots->items[plots->count++];
    *plot = (struct plot){.section = section, .width = PLOT_WIDTH};
    (void)snprintf(plot->title, sizeof plot->title, "%s", title);
    (void)snprintf(plot->unit, sizeof plot->unit, "%s", unit);
    return plot;
}

struct plot_series *plot_add_series(struct plot *plot, const char *label, enum plot_style style,
                                    enum plot_color color)
{
    struct plot_series *series = &plot->series[plot->series_count++];
    *series = (struct plot_series){.style = style, .color = color, .width = 1};
    (void)snprintf(series->label, sizeof series->label, "%s", label);
    return series;
}

void plot_add_point(struct plots *plots, struct plot_series *series, struct plot_point point)
{
    void *points = series->points;
    bool grown = grow(plots, &points, series->count, &series->room, sizeof *series->points);
    series->points = points;
    if (grown) {
        series->points[series->count++] = point;
    }
}

void plot_add_tip(struct plots *plots, struct plot *plot, double from, double to,
                  const char *format, ...)
{
    void *tips = plot->tips;
    bool grown = grow(plots, &tips, plot->tips_count, &plot->tips_room, sizeof *plot->tips);
    plot->tips = tips;
    if (!grown) {
        return;
    }
    struct plot_tip *tip = &plot->tips[plot->tips_count++];
    tip->from = from;
    tip->to = to;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(tip->text, sizeof tip->text, format, arguments);
    va_end(arguments);
}

bool plot_is_empty(const struct plot *plot)
{
    for (uint32_t i = 0; i < plot->series_count; i++) {
        if (plot->series[i].count > 0) {
            return false;
        }
    }
    return true;
}

/* Gives the largest of 1, 2, 5 times a power of ten (of two to the tenth for bytes) that divides
 * `span` into about `wanted` parts. */
static double nice_step(double span, int wanted, bool binary)
{
    double raw = span / wanted;
    double unit = 1;
    while (binary && raw >= 1024 * unit) {
        unit *= 1024;
    }
    double power = unit * pow(10, floor(log10(raw / unit)));
    double part = raw / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

int64_t plot_slot_ns(trp_time run_ns)
{
    static const uint32_t seconds[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600};
    double wanted = (double)run_ns / 1e9 / SLOTS_WANTED;
    if (wanted <= 0.5) {
        double step = wanted <= 0.001 ? 0.001 : nice_step(wanted * 1.01, 1, false);
        return (int64_t)(step * 1e9 + 0.5);
    }
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        if (seconds[i] >= wanted) {
            return (int64_t)TRP_S(seconds[i]);
        }
    }
    return (int64_t)(ceil(wanted / 3600) * 3600e9);
}

static void add_tic(struct plot_tic *tics, uint32_t *count, double at, const char *label)
{
    if (*count < PLOT_TICS_MAX) {
        tics[*count].at = at;
        (void)snprintf(tics[*count].label, sizeof tics[*count].label, "%s", label);
        ++*count;
    }
}

/* Adds a tic of the vertical axis: "1.50 s" as "1.5 s", "2.00 s" as "2 s". */
static void add_value_tic(struct plot *plot, double at, const char *unit)
{
    char label[FIGURE_MAX];
    (void)figure_value(label, at, unit);
    char *point = strchr(label, '.');
    if (point != NULL) {
        char *end = point + 1 + strspn(point + 1, "0123456789");
        char *cut = end;
        while (cut[-1] == '0') {
            cut--;
        }
        cut = cut - 1 == point ? point : cut;
        memmove(cut, end, strlen(end) + 1);
    }
    add_tic(plot->y_tics, &plot->y_tics_count, at, label);
}

static double time_step(double span_s)
{
    static const double steps[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                   600, 900, 1800, 3600, 7200, 14400, 28800, 86400};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (span_s / steps[i] <= 8) {
            return steps[i];
        }
    }
    return ceil(span_s / 8 / 86400) * 86400;
}

static void scale_time(struct plot *plot, double run_s)
{
    plot->x_from = 0;
    plot->x_to = run_s > 0 ? run_s : 1;
    double step = plot->x_to < 8 ? nice_step(plot->x_to, 6, false) : time_step(plot->x_to);
    char label[FIGURE_MAX];
    for (uint32_t i = 0; i * step <= plot->x_to * 1.0001; i++) {
        (void)figure_moment_short(label, (trp_time)(i * step * 1e9 + 0.5));
        add_tic(plot->x_tics, &plot->x_tics_count, i * step, label);
    }
}

/* Whole numbers on the axis: hops, indices of hosts. */
static void scale_numbers(struct plot *plot)
{
    double most = 0;
    for (uint32_t i = 0; i < plot->series_count; i++) {
        for (size_t k = 0; k < plot->series[i].count; k++) {
            most = fmax(most, plot->series[i].points[k].x);
        }
    }
    plot->x_from = -0.6;
    plot->x_to = floor(most) + 0.6;
    double step = most < 10 ? 1 : fmax(1, nice_step(most, 8, false));
    char label[FIGURE_MAX];
    for (uint32_t i = 0; i * step <= most; i++) {
        add_tic(plot->x_tics, &plot->x_tics_count, i * step,
                figure_count(label, (uint64_t)(i * step)));
    }
}

/* The span of all values; the smallest positive one too, and whether one is no whole number. */
struct reach {
    double least, most, least_positive;
    bool any;
    bool fractions;
};

static void reach_value(struct reach *reach, double value)
{
    if (!isfinite(value)) {
        return;
    }
    reach->least = reach->any ? fmin(reach->least, value) : value;
    reach->most = reach->any ? fmax(reach->most, value) : value;
    reach->any = true;
    reach->fractions = reach->fractions || value != floor(value);
    if (value > 0) {
        reach->least_positive =
            reach->least_positive > 0 ? fmin(reach->least_positive, value) : value;
    }
}

static struct reach plot_reach(const struct plot *plot)
{
    struct reach reach = {0};
    for (uint32_t i = 0; i < plot->series_count; i++) {
        const struct plot_series *series = &plot->series[i];
        bool has_low = series->style == PLOT_BAND || series->style == PLOT_BARS;
        for (size_t k = 0; k < series->count; k++) {
            reach_value(&reach, series->points[k].y);
            if (has_low) {
                reach_value(&reach, series->points[k].low);
            }
        }
    }
    return reach;
}

/* Units the labels of an axis may have. Labels go into gnuplot's script, so only our own words get
 * there; any other unit is shown beside the title. */
static const char *const axis_units[] = {"count", "ratio", "s",     "ms",
                                         "us",    "ns",    "bytes", "bytes/s"};

static const char *axis_unit(const struct plot *plot)
{
    for (size_t i = 0; i < sizeof axis_units / sizeof axis_units[0]; i++) {
        if (strcmp(plot->unit, axis_units[i]) == 0) {
            return axis_units[i];
        }
    }
    return NULL;
}

bool plot_unit_is_on_axis(const struct plot *plot)
{
    return axis_unit(plot) != NULL;
}

static void scale_logarithmic(struct plot *plot, const struct reach *reach)
{
    plot->logarithmic = true;
    plot->y_from = reach->least_positive / 1.25;
    plot->y_to = reach->most * 1.25;
    static const double parts[] = {1, 2, 5};
    size_t parts_count = plot->y_to / plot->y_from > 500 ? 1 : 3;
    int most = (int)floor(log10(plot->y_to));
    for (int power = (int)floor(log10(plot->y_from)); power <= most; power++) {
        for (size_t i = 0; i < parts_count; i++) {
            double at = pow(10, power) * parts[i];
            if (at >= plot->y_from && at <= plot->y_to) {
                add_value_tic(plot, at, axis_unit(plot));
            }
        }
    }
}

static void scale_linear(struct plot *plot, const struct reach *reach)
{
    bool ratio = strcmp(plot->unit, "ratio") == 0;
    plot->y_from = fmin(0, reach->least);
    plot->y_to = ratio && reach->most <= 1 ? 1 : reach->most;
    if (plot->y_to <= plot->y_from) {
        plot->y_to = plot->y_from + 1;
    }
    double step = nice_step(plot->y_to - plot->y_from, 5, strncmp(plot->unit, "bytes", 5) == 0);
    if (strcmp(plot->unit, "count") == 0 && !reach->fractions) {
        step = fmax(1, step);
    }
    double first = ceil(plot->y_from / step);
    for (uint32_t i = 0; (first + i) * step <= plot->y_to * 1.0001; i++) {
        add_value_tic(plot, (first + i) * step, axis_unit(plot));
    }
    plot->y_to += (plot->y_to - plot->y_from) * 0.04;
}

void plot_scale(struct plot *plot, double run_s)
{
    if (plot->x_label[0] == '\0') {
        scale_time(plot, run_s);
    } else {
        scale_numbers(plot);
    }
    struct reach reach = plot_reach(plot);
    bool is_time = strcmp(plot->unit, "s") == 0 || strcmp(plot->unit, "ms") == 0;
    if (is_time && reach.least_positive > 0 && reach.most / reach.least_positive > LOG_RATIO) {
        scale_logarithmic(plot, &reach);
    } else {
        scale_linear(plot, &reach);
    }
}

double plot_x(const struct plot *plot, double x)
{
    double share = (x - plot->x_from) / (plot->x_to - plot->x_from);
    return PLOT_LEFT + fmin(1, fmax(0, share)) * (plot->width - PLOT_LEFT - PLOT_RIGHT);
}
