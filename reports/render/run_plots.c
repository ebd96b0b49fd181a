/* SPDX-License-Identifier: MIT */
/* Which plots a report has, and what is in them. */
#include "reports/render/html.h"

#include <math.h>

#define POINTS_MAX      2000
#define METRICS_MAX     40
#define HOSTS_LABEL_MAX 500
#define WHEN_MAX        (2u * FIGURE_MAX + 8u)

struct builder {
    struct plots *plots;
    struct trp_run_db *db;
    int64_t slot_ns;
    double slot_s;
};

/* A value in nanoseconds as seconds; a gap for NULL. */
static double seconds(const struct query *query, int column)
{
    return query_is_null(query, column) ? (double)NAN : query_real(query, column) / 1e9;
}

static const char *span_text(char out[FIGURE_MAX], double value_s)
{
    return isfinite(value_s) ? figure_span(out, value_s * 1e9) : "–";
}

static void finish(const struct builder *builder, struct query *query)
{
    enum trp_status status = query_close(query);
    if (builder->plots->status == TRP_OK) {
        builder->plots->status = status;
    }
}

static void add_value(const struct builder *builder, struct plot_series *series, double x, double y)
{
    plot_add_point(builder->plots, series, (struct plot_point){.x = x, .y = y});
}

/* "3:00 – 3:06" for the interval with this number. */
static const char *slot_text(const struct builder *builder, char out[WHEN_MAX], int64_t slot)
{
    char from[FIGURE_MAX];
    char to[FIGURE_MAX];
    (void)figure_moment_short(from, (trp_time)(slot * builder->slot_ns));
    (void)figure_moment_short(to, (trp_time)((slot + 1) * builder->slot_ns));
    (void)snprintf(out, WHEN_MAX, "%s – %s", from, to);
    return out;
}

/* Breaks the lines of a plot where intervals without a row lie between `last` and `slot`. */
static void break_lines(const struct builder *builder, struct plot *plot, int64_t last,
                        int64_t slot)
{
    for (uint32_t i = 0; last >= 0 && slot > last + 1 && i < plot->series_count; i++) {
        struct plot_series *series = &plot->series[i];
        if (series->style == PLOT_LINE || series->style == PLOT_BAND) {
            plot_add_point(builder->plots, series,
                           (struct plot_point){.x = (double)slot, .y = (double)NAN});
        }
    }
}

/* Three percentiles from `first` on, with a tip of each row; shared by requests and lookups. */
static void fill_percentiles(const struct builder *builder, struct plot *plot, struct query *query,
                             int count_column, int first)
{
    struct plot_series *p99 = plot_add_series(plot, "99th percentile", PLOT_LINE, PLOT_HIGHER);
    struct plot_series *p90 = plot_add_series(plot, "90th", PLOT_LINE, PLOT_HIGH);
    struct plot_series *p50 = plot_add_series(plot, "median", PLOT_LINE, PLOT_MAIN);
    int64_t last = -1;
    while (query_next(query)) {
        int64_t slot = query_number(query, 0);
        double x = ((double)slot + 0.5) * builder->slot_s;
        char when[WHEN_MAX];
        char text[3][FIGURE_MAX];
        break_lines(builder, plot, last, slot);
        add_value(builder, p50, x, seconds(query, first));
        add_value(builder, p90, x, seconds(query, first + 1));
        add_value(builder, p99, x, seconds(query, first + 2));
        plot_add_tip(builder->plots, plot, (double)slot * builder->slot_s,
                     (double)(slot + 1) * builder->slot_s,
                     "%s\nmedian %s\n90th %s\n99th %s\nof %lld", slot_text(builder, when, slot),
                     span_text(text[0], seconds(query, first)),
                     span_text(text[1], seconds(query, first + 1)),
                     span_text(text[2], seconds(query, first + 2)),
                     (long long)query_number(query, count_column));
        last = slot;
    }
}

static void add_latency(const struct builder *builder, const char *kind, const char *title)
{
    struct plot *plot = plots_add(builder->plots, PLOT_REQUESTS, title, "s");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "of answered ones, by the time they started");
    struct query query = query_open(builder->db, QUERY(latency_over_time));
    query_bind_text(&query, ":kind", kind);
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    fill_percentiles(builder, plot, &query, 1, 2);
    finish(builder, &query);
}

static void add_points(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_REQUESTS, "Single asks", "s");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "time to the outcome; at most %d are shown",
                   POINTS_MAX);
    struct plot_series *good = plot_add_series(plot, "answered", PLOT_POINTS, PLOT_MAIN);
    struct plot_series *bad = plot_add_series(plot, "failed", PLOT_POINTS, PLOT_BAD);
    struct query query = query_open(builder->db, QUERY(latency_points));
    query_bind_text(&query, ":kind", "ask");
    query_bind_number(&query, ":most", POINTS_MAX);
    while (query_next(&query)) {
        add_value(builder, query_number(&query, 2) != 0 ? good : bad, query_real(&query, 0) / 1e9,
                  query_real(&query, 1) / 1e9);
    }
    finish(builder, &query);
}

static void add_bar(const struct builder *builder, struct plot_series *series, double x, double low,
                    double height)
{
    if (height > 0) {
        plot_add_point(builder->plots, series,
                       (struct plot_point){.x = x, .y = low + height, .low = low});
    }
}

static void add_outcomes(const struct builder *builder, const char *kind, const char *title)
{
    struct plot *plot = plots_add(builder->plots, PLOT_REQUESTS, title, "count");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "how many started in each interval");
    struct plot_series *good = plot_add_series(plot, "answered", PLOT_BARS, PLOT_GOOD);
    struct plot_series *bad = plot_add_series(plot, "failed", PLOT_BARS, PLOT_BAD);
    struct plot_series *open = plot_add_series(plot, "without outcome", PLOT_BARS, PLOT_OPEN);
    good->width = bad->width = open->width = builder->slot_s * 0.86;
    struct query query = query_open(builder->db, QUERY(outcomes_over_time));
    query_bind_text(&query, ":kind", kind);
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    while (query_next(&query)) {
        int64_t slot = query_number(&query, 0);
        double x = ((double)slot + 0.5) * builder->slot_s;
        double counts[] = {query_real(&query, 1), query_real(&query, 2), query_real(&query, 3)};
        char when[WHEN_MAX];
        add_bar(builder, good, x, 0, counts[0]);
        add_bar(builder, bad, x, counts[0], counts[1]);
        add_bar(builder, open, x, counts[0] + counts[1], counts[2]);
        plot_add_tip(builder->plots, plot, (double)slot * builder->slot_s,
                     (double)(slot + 1) * builder->slot_s,
                     "%s\n%.0f answered\n%.0f failed\n%.0f without outcome",
                     slot_text(builder, when, slot), counts[0], counts[1], counts[2]);
    }
    finish(builder, &query);
}

static void add_answered(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_REQUESTS, "Ask success", "ratio");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "share of asks that were answered");
    struct plot_series *line = plot_add_series(plot, "answered", PLOT_LINE, PLOT_GOOD);
    struct query query = query_open(builder->db, QUERY(outcomes_over_time));
    query_bind_text(&query, ":kind", "ask");
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    int64_t last = -1;
    while (query_next(&query)) {
        int64_t slot = query_number(&query, 0);
        double answered = query_real(&query, 1);
        double all = answered + query_real(&query, 2) + query_real(&query, 3);
        char when[WHEN_MAX];
        char text[FIGURE_MAX];
        break_lines(builder, plot, last, slot);
        add_value(builder, line, ((double)slot + 0.5) * builder->slot_s, answered / all);
        plot_add_tip(builder->plots, plot, (double)slot * builder->slot_s,
                     (double)(slot + 1) * builder->slot_s, "%s\n%s of %.0f answered",
                     slot_text(builder, when, slot), figure_share(text, answered / all), all);
        last = slot;
    }
    finish(builder, &query);
}

static void add_lookup_success(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_LOOKUPS, "Lookup success", "ratio");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "share of lookups that found what they sought");
    struct plot_series *line = plot_add_series(plot, "found", PLOT_LINE, PLOT_GOOD);
    struct query query = query_open(builder->db, QUERY(lookups_over_time));
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    int64_t last = -1;
    while (query_next(&query)) {
        int64_t slot = query_number(&query, 0);
        double share = query_real(&query, 2) / query_real(&query, 1);
        char when[WHEN_MAX];
        char text[FIGURE_MAX];
        break_lines(builder, plot, last, slot);
        add_value(builder, line, ((double)slot + 0.5) * builder->slot_s, share);
        plot_add_tip(builder->plots, plot, (double)slot * builder->slot_s,
                     (double)(slot + 1) * builder->slot_s, "%s\n%s of %lld found",
                     slot_text(builder, when, slot), figure_share(text, share),
                     (long long)query_number(&query, 1));
        last = slot;
    }
    finish(builder, &query);
}

static void add_lookup_latency(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_LOOKUPS, "Lookup latency", "s");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about,
                   "of those that found, by the time they started");
    struct query query = query_open(builder->db, QUERY(lookups_over_time));
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    fill_percentiles(builder, plot, &query, 2, 3);
    finish(builder, &query);
}

static void add_lookup_cost(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_LOOKUPS, "Requests per lookup", "count");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "mean of each interval");
    struct plot_series *rpcs = plot_add_series(plot, "sent", PLOT_LINE, PLOT_MAIN);
    struct plot_series *timeouts = plot_add_series(plot, "timed out", PLOT_LINE, PLOT_BAD);
    struct query query = query_open(builder->db, QUERY(lookups_over_time));
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    int64_t last = -1;
    while (query_next(&query)) {
        int64_t slot = query_number(&query, 0);
        double x = ((double)slot + 0.5) * builder->slot_s;
        if (query_is_null(&query, 6)) {
            continue;
        }
        char when[WHEN_MAX];
        break_lines(builder, plot, last, slot);
        add_value(builder, rpcs, x, query_real(&query, 6));
        add_value(builder, timeouts, x, query_real(&query, 7));
        plot_add_tip(builder->plots, plot, (double)slot * builder->slot_s,
                     (double)(slot + 1) * builder->slot_s, "%s\n%.1f sent\n%.2f of them timed out",
                     slot_text(builder, when, slot), query_real(&query, 6), query_real(&query, 7));
        last = slot;
    }
    finish(builder, &query);
}

static void add_hops(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_LOOKUPS, "Hops", "count");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "lookups that found, by referrals needed");
    (void)snprintf(plot->x_label, sizeof plot->x_label, "hops");
    struct plot_series *bars = plot_add_series(plot, "lookups", PLOT_BARS, PLOT_MAIN);
    bars->width = 0.7;
    struct query query = query_open(builder->db, QUERY(hops));
    while (query_next(&query)) {
        double hops = query_real(&query, 0);
        add_bar(builder, bars, hops, 0, query_real(&query, 1));
        plot_add_tip(builder->plots, plot, hops - 0.5, hops + 0.5, "%.0f hops\n%lld lookups", hops,
                     (long long)query_number(&query, 1));
    }
    finish(builder, &query);
}

static void fill_metric(const struct builder *builder, struct plot *plot, int64_t metric,
                        bool has_band)
{
    struct plot_series *band =
        has_band ? plot_add_series(plot, "10th to 90th percentile", PLOT_BAND, PLOT_MAIN) : NULL;
    struct plot_series *line =
        plot_add_series(plot, has_band ? "median of hosts" : "", PLOT_LINE, PLOT_MAIN);
    struct query query = query_open(builder->db, QUERY(metric_over_time));
    query_bind_number(&query, ":metric", metric);
    query_bind_number(&query, ":slot_ns", builder->slot_ns);
    while (query_next(&query)) {
        int64_t slot = query_number(&query, 0);
        double x = ((double)slot + 0.5) * builder->slot_s;
        double low = query_real(&query, 2);
        double middle = query_real(&query, 3);
        double high = query_real(&query, 4);
        char when[WHEN_MAX];
        char text[3][FIGURE_MAX];
        (void)figure_value(text[0], middle, plot->unit);
        (void)slot_text(builder, when, slot);
        double from = (double)slot * builder->slot_s;
        if (band != NULL) {
            plot_add_point(builder->plots, band,
                           (struct plot_point){.x = x, .y = high, .low = low});
            plot_add_tip(builder->plots, plot, from, from + builder->slot_s,
                         "%s\nmedian %s\n10th %s\n90th %s", when, text[0],
                         figure_value(text[1], low, plot->unit),
                         figure_value(text[2], high, plot->unit));
        } else {
            plot_add_tip(builder->plots, plot, from, from + builder->slot_s, "%s\n%s", when,
                         text[0]);
        }
        add_value(builder, line, x, middle);
    }
    finish(builder, &query);
}

static void add_metrics(const struct builder *builder)
{
    struct query query = query_open(builder->db, QUERY(metrics));
    for (uint32_t i = 0; i < METRICS_MAX && query_next(&query); i++) {
        struct plot *plot =
            plots_add(builder->plots, PLOT_METRICS, query_text(&query, 1), query_text(&query, 2));
        if (plot == NULL) {
            break;
        }
        (void)snprintf(plot->about, sizeof plot->about, "%s", query_text(&query, 3));
        fill_metric(builder, plot, query_number(&query, 0), query_number(&query, 5) > 1);
    }
    finish(builder, &query);
}

static void add_traffic(const struct builder *builder)
{
    struct plot *plot = plots_add(builder->plots, PLOT_HOSTS, "Traffic per host", "bytes");
    if (plot == NULL) {
        return;
    }
    (void)snprintf(plot->about, sizeof plot->about, "in the whole run, by index of the host");
    plot->width = PLOT_WIDTH_WIDE;
    (void)snprintf(plot->x_label, sizeof plot->x_label, "host");
    struct plot_series *sent = plot_add_series(plot, "sent", PLOT_BARS, PLOT_MAIN);
    struct plot_series *received = plot_add_series(plot, "received", PLOT_BARS, PLOT_OTHER);
    sent->width = received->width = 0.4;
    struct query query = query_open(builder->db, QUERY(hosts));
    while (query_next(&query)) {
        if (query_is_null(&query, 8)) {
            continue;
        }
        double host = query_real(&query, 0);
        add_bar(builder, sent, host - 0.2, 0, query_real(&query, 8));
        add_bar(builder, received, host + 0.2, 0, query_real(&query, 9));
        if (plot->tips_count < HOSTS_LABEL_MAX) {
            char text[2][FIGURE_MAX];
            plot_add_tip(builder->plots, plot, host - 0.5, host + 0.5,
                         "%.60s\nsent %s\nreceived %s", query_text(&query, 1),
                         figure_bytes(text[0], query_real(&query, 8)),
                         figure_bytes(text[1], query_real(&query, 9)));
        }
    }
    finish(builder, &query);
}

void plots_build(struct plots *plots, struct trp_run_db *db)
{
    *plots = (struct plots){.status = TRP_OK};
    trp_time run_ns = trp_run_db_info(db)->sim_ns;
    struct builder builder = {.plots = plots, .db = db, .slot_ns = plot_slot_ns(run_ns)};
    builder.slot_s = (double)builder.slot_ns / 1e9;
    add_latency(&builder, "ask", "Ask latency");
    add_points(&builder);
    add_answered(&builder);
    add_outcomes(&builder, "ask", "Asks");
    add_outcomes(&builder, "tell", "Tells");
    add_lookup_success(&builder);
    add_lookup_latency(&builder);
    add_lookup_cost(&builder);
    add_hops(&builder);
    add_metrics(&builder);
    add_traffic(&builder);
    for (size_t i = 0; i < plots->count; i++) {
        plot_scale(&plots->items[i], (double)run_ns / 1e9);
    }
}
