/* SPDX-License-Identifier: MIT */
#include "reports/render/report_text.h"

#include "reports/query/query.h"
#include "reports/render/figure.h"
#include "reports/render/report_events.h"
#include "reports/store/utf8.h"

#include <stdlib.h>
#include <unistd.h>

#define NAME_WIDTH    31u
#define CELL_WIDTH    9u
#define SLOWEST_MAX   5
#define CAUSES_MAX    20
#define FAULTS_MAX    12
#define METRICS_MAX   24
#define LINE_TEXT_MAX 200u

enum color { PLAIN, BOLD, DIM, GREEN, RED, YELLOW };

struct text {
    FILE *out;
    struct trp_run_db *db;
    bool color;
    enum trp_status status;
};

bool trp_report_wants_color(FILE *out)
{
    const char *forbidden = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return (forbidden == NULL || forbidden[0] == '\0') && isatty(fileno(out)) && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

static void start(const struct text *text, enum color color)
{
    static const char *const codes[] = {"",         "\x1b[1m",  "\x1b[2m",
                                        "\x1b[32m", "\x1b[31m", "\x1b[33m"};
    if (text->color) {
        (void)fputs(codes[color], text->out);
    }
}

static void stop(const struct text *text)
{
    if (text->color) {
        (void)fputs("\x1b[0m", text->out);
    }
}

/* How many columns a text takes; every character counts as one. */
static size_t columns_of(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns += ((uint8_t)*text & 0xc0u) != 0x80;
    }
    return columns;
}

static void spaces(const struct text *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fputc(' ', text->out);
    }
}

/* Writes a text of the run on one line: control characters are replaced, so that no scenario can
 * send escapes to a terminal. */
static void put_safe(const struct text *text, const char *words)
{
    char clean[3 * LINE_TEXT_MAX];
    size_t size = utf8_clean(trp_bytes_text(words), clean, LINE_TEXT_MAX);
    for (size_t i = 0; i < size; i++) {
        (void)fputc(clean[i] == '\n' || clean[i] == '\t' ? ' ' : clean[i], text->out);
    }
    if (size == LINE_TEXT_MAX) {
        (void)fputs("…", text->out);
    }
}

/* The same at any length: a command that is cut short runs something else. */
static void put_whole(struct text *text, const char *words)
{
    size_t room = 3 * strlen(words) + 1;
    char *clean = malloc(room);
    if (clean == NULL) {
        text->status = TRP_ENOMEM;
        return;
    }
    (void)fwrite(clean, 1, utf8_clean(trp_bytes_text(words), clean, room), text->out);
    free(clean);
}

static void heading(const struct text *text, const char *words, const char *const *cells)
{
    (void)fputc('\n', text->out);
    start(text, BOLD);
    (void)fputs(words, text->out);
    stop(text);
    if (cells != NULL) {
        spaces(text, 2 + NAME_WIDTH - columns_of(words));
        start(text, DIM);
        for (; *cells != NULL; cells++) {
            (void)fprintf(text->out, "%*s", (int)CELL_WIDTH, *cells);
        }
        stop(text);
    }
    (void)fputc('\n', text->out);
}

/* A name of two words, padded to the first column. */
static void name_cell(const struct text *text, const char *first, const char *second)
{
    char name[80];
    (void)snprintf(name, sizeof name, "%.30s%s%.40s", first, second[0] == '\0' ? "" : " ", second);
    (void)fputs("  ", text->out);
    put_safe(text, name);
    size_t columns = columns_of(name);
    spaces(text, columns < NAME_WIDTH ? NAME_WIDTH - columns : 1);
}

static void cell(const struct text *text, const char *value, enum color color)
{
    size_t columns = columns_of(value);
    spaces(text, columns < CELL_WIDTH ? CELL_WIDTH - columns : 1);
    start(text, color);
    (void)fputs(value, text->out);
    stop(text);
}

static void count_cell(const struct text *text, int64_t count, enum color color)
{
    char figure[FIGURE_MAX];
    cell(text, figure_count(figure, (uint64_t)count), count > 0 ? color : PLAIN);
}

static void span_cells(const struct text *text, const struct query *query, int first, int count)
{
    char figure[FIGURE_MAX];
    for (int i = first; i < first + count; i++) {
        cell(text,
             query_is_null(query, i) ? "-" : figure_span(figure, (double)query_number(query, i)),
             PLAIN);
    }
}

/* Ends a query and keeps its failure. */
static void finish(struct text *text, struct query *query)
{
    enum trp_status status = query_close(query);
    text->status = text->status == TRP_OK ? status : text->status;
}

static void put_outcome(const struct text *text)
{
    const struct trp_run_info *info = trp_run_db_info(text->db);
    bool passed = info->outcome == TRP_RUN_PASSED;
    start(text, BOLD);
    start(text, passed ? GREEN : RED);
    (void)fprintf(text->out, "%s %s", passed ? "✓" : "✗", trp_run_outcome_name(info->outcome));
    stop(text);
    (void)fputs("  ", text->out);
    start(text, BOLD);
    put_safe(text, info->scenario);
    stop(text);
    (void)fprintf(text->out, "  seed %llu", (unsigned long long)info->seed);
    if (info->failure[0] != '\0') {
        (void)fputs("  ", text->out);
        start(text, RED);
        put_safe(text, info->failure);
        stop(text);
    }
    (void)fputc('\n', text->out);
}

static void put_totals(const struct text *text)
{
    const struct trp_run_info *info = trp_run_db_info(text->db);
    char hosts[FIGURE_MAX];
    char virtual_time[FIGURE_MAX];
    char wall[FIGURE_MAX];
    char events[FIGURE_MAX];
    char memory[FIGURE_MAX];
    start(text, DIM);
    (void)fprintf(text->out, "  %s hosts · %s in %s", figure_count(hosts, info->hosts),
                  figure_span(virtual_time, (double)info->sim_ns),
                  figure_span(wall, (double)info->wall_ns));
    if (info->wall_ns > 0) {
        (void)fprintf(text->out, " (%.0f×)", (double)info->sim_ns / (double)info->wall_ns);
    }
    (void)fprintf(text->out, " · %s events · %s · %s%s%s%s%s%s%.16s\n",
                  figure_count(events, info->events),
                  figure_bytes(memory, (double)info->peak_rss_bytes), info->net,
                  info->transport[0] == '\0' ? "" : " ", info->transport,
                  info->security[0] == '\0' ? "" : " ", info->security,
                  info->trace_hash[0] == '\0' ? "" : " · trace ", info->trace_hash);
    stop(text);
}

static void put_dropped(const struct text *text)
{
    const struct trp_run_dropped *dropped = &trp_run_db_info(text->db)->dropped;
    const struct {
        const char *what;
        uint64_t count;
    } rows[] = {{"events (the oldest)", dropped->events},
                {"requests", dropped->requests},
                {"lookups", dropped->lookups},
                {"samples", dropped->samples},
                {"other rows", dropped->others}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].count > 0) {
            char figure[FIGURE_MAX];
            start(text, YELLOW);
            (void)fprintf(text->out, "  ! %s %s were not recorded: the limit was reached\n",
                          figure_count(figure, rows[i].count), rows[i].what);
            stop(text);
        }
    }
}

static void put_expectation(const struct text *text, const struct query *query)
{
    bool held = strcmp(query_text(query, 3), "held") == 0;
    bool undecided = strcmp(query_text(query, 3), "undecided") == 0;
    char figure[FIGURE_MAX];
    (void)fputs("  ", text->out);
    start(text, held ? GREEN : RED);
    (void)fputs(held ? "✓ " : undecided ? "? " : "✗ ", text->out);
    stop(text);
    put_safe(text, query_text(query, 2));
    if (!query_is_null(query, 4)) {
        start(text, DIM);
        (void)fprintf(text->out, "  = %s",
                      figure_value(figure, query_real(query, 4), query_text(query, 5)));
        stop(text);
    }
    if (!query_is_null(query, 7)) {
        (void)fprintf(text->out, "  at %s",
                      figure_moment(figure, (trp_time)query_number(query, 7)));
    }
    if (!query_is_null(query, 8)) {
        (void)fprintf(text->out, " (event %lld)", (long long)query_number(query, 8));
    }
    (void)fputc('\n', text->out);
    if (query_text(query, 6)[0] != '\0') {
        (void)fputs("      ", text->out);
        start(text, held ? DIM : RED);
        put_safe(text, query_text(query, 6));
        stop(text);
        (void)fputc('\n', text->out);
    }
}

static void put_expectations(struct text *text, bool broken_only)
{
    struct query query = query_open(text->db, QUERY(expectations));
    bool first = true;
    while (query_next(&query)) {
        if (broken_only && strcmp(query_text(&query, 3), "held") == 0) {
            continue;
        }
        if (first) {
            heading(text, "Expectations", NULL);
            first = false;
        }
        put_expectation(text, &query);
    }
    finish(text, &query);
}

/* Of each expectation that a single event broke: how it came to that. */
static void put_causes(struct text *text)
{
    struct query query = query_open(text->db, QUERY(expectations));
    bool first = true;
    while (query_next(&query)) {
        if (strcmp(query_text(&query, 3), "broken") != 0 || query_is_null(&query, 8)) {
            continue;
        }
        if (first) {
            heading(text, "Why", NULL);
            first = false;
        }
        enum trp_status status =
            trp_report_why(text->db, (uint64_t)query_number(&query, 8), CAUSES_MAX, text->out);
        text->status = text->status == TRP_OK && status != TRP_ENOTFOUND ? status : text->status;
    }
    finish(text, &query);
}

static void put_requests(struct text *text)
{
    static const char *const cells[] = {"count", "ok",  "failed", "open", "p50",
                                        "p90",   "p99", "max",    NULL};
    struct query query = query_open(text->db, QUERY(requests));
    for (bool first = true; query_next(&query); first = false) {
        if (first) {
            heading(text, "Requests", cells);
        }
        char figure[FIGURE_MAX];
        int64_t count = query_number(&query, 2);
        name_cell(text, query_text(&query, 0), query_text(&query, 1));
        count_cell(text, count, PLAIN);
        cell(text, figure_share(figure, (double)query_number(&query, 3) / (double)count), PLAIN);
        count_cell(text, query_number(&query, 4), YELLOW);
        count_cell(text, query_number(&query, 5), RED);
        span_cells(text, &query, 7, 4);
        (void)fputc('\n', text->out);
    }
    finish(text, &query);
}

static void put_lookups(struct text *text)
{
    static const char *const cells[] = {"count", "found", "missed", "open", "p50",
                                        "p90",   "p99",   "max",    NULL};
    struct query query = query_open(text->db, QUERY(lookups));
    for (bool first = true; query_next(&query); first = false) {
        if (first) {
            heading(text, "Lookups", cells);
        }
        char figure[FIGURE_MAX];
        int64_t count = query_number(&query, 1);
        name_cell(text, query_text(&query, 0), "");
        count_cell(text, count, PLAIN);
        cell(text, figure_share(figure, (double)query_number(&query, 2) / (double)count), PLAIN);
        count_cell(text, query_number(&query, 3), YELLOW);
        count_cell(text, query_number(&query, 4), RED);
        span_cells(text, &query, 5, 4);
        start(text, DIM);
        (void)fprintf(text->out, "\n%*s%.2f hops · %.1f requests · %.2f timeouts in the mean\n", 4,
                      "", query_real(&query, 9), query_real(&query, 10), query_real(&query, 11));
        stop(text);
    }
    finish(text, &query);
}

static void put_metrics(struct text *text)
{
    static const char *const cells[] = {"last", "least", "most", NULL};
    struct query query = query_open(text->db, QUERY(metrics));
    for (int row = 0; row < METRICS_MAX && query_next(&query); row++) {
        if (row == 0) {
            heading(text, "Metrics", cells);
        }
        char figure[FIGURE_MAX];
        const char *unit = query_text(&query, 2);
        name_cell(text, query_text(&query, 1), "");
        cell(text, figure_value(figure, query_real(&query, 8), unit), PLAIN);
        cell(text, figure_value(figure, query_real(&query, 6), unit), PLAIN);
        cell(text, figure_value(figure, query_real(&query, 7), unit), PLAIN);
        (void)fputc('\n', text->out);
    }
    finish(text, &query);
}

/* When a fault began and ended: "3:00.000 – 5:00.000", or one moment. */
static void put_lasting(const struct text *text, const struct query *query)
{
    char started[FIGURE_MAX];
    char ended[FIGURE_MAX] = "end";
    (void)figure_moment(started, (trp_time)query_number(query, 3));
    if (!query_is_null(query, 4)) {
        (void)figure_moment(ended, (trp_time)query_number(query, 4));
    }
    bool at_once = strcmp(started, ended) == 0;
    (void)fprintf(text->out, "%10s %s %-10s  ", started, at_once ? " " : "–", at_once ? "" : ended);
}

static void put_faults(struct text *text)
{
    struct query query = query_open(text->db, QUERY(faults));
    uint64_t row = 0;
    for (; query_next(&query); row++) {
        if (row >= FAULTS_MAX) {
            continue;
        }
        if (row == 0) {
            heading(text, "Faults", NULL);
        }
        (void)fprintf(text->out, "  %3lld  ", (long long)query_number(&query, 0));
        put_lasting(text, &query);
        bool has_text = query_text(&query, 2)[0] != '\0';
        put_safe(text, query_text(&query, has_text ? 2 : 1));
        (void)fputc('\n', text->out);
    }
    if (row > FAULTS_MAX) {
        (void)fprintf(text->out, "       and %llu more\n", (unsigned long long)(row - FAULTS_MAX));
    }
    finish(text, &query);
}

static void put_failures(struct text *text)
{
    struct query query = query_open(text->db, QUERY(failures));
    for (bool first = true; query_next(&query); first = false) {
        if (first) {
            heading(text, "Failures", NULL);
        }
        name_cell(text, query_text(&query, 0), query_text(&query, 1));
        count_cell(text, query_number(&query, 2), PLAIN);
        (void)fputs("  ", text->out);
        put_safe(text, query_text(&query, 3));
        (void)fputc('\n', text->out);
    }
    finish(text, &query);
}

static void put_slowest(struct text *text)
{
    struct query query = query_open(text->db, QUERY(slowest));
    query_bind_number(&query, ":most", SLOWEST_MAX);
    for (bool first = true; query_next(&query); first = false) {
        if (first) {
            heading(text, "Slowest", NULL);
        }
        char figure[FIGURE_MAX];
        char id[32];
        (void)snprintf(id, sizeof id, "%lld", (long long)query_number(&query, 1));
        name_cell(text, query_text(&query, 0), id);
        cell(text, figure_span(figure, (double)query_number(&query, 6)), PLAIN);
        (void)fprintf(text->out, "  at %s  ",
                      figure_moment(figure, (trp_time)query_number(&query, 5)));
        put_safe(text, query_text(&query, 3));
        (void)fputs(" → ", text->out);
        put_safe(text, query_text(&query, 4));
        (void)fputc('\n', text->out);
    }
    finish(text, &query);
}

enum trp_status trp_report_text(struct trp_run_db *db,
                                const struct trp_report_text_options *options, FILE *out)
{
    struct trp_report_text_options chosen =
        options == NULL ? (struct trp_report_text_options){0} : *options;
    struct text text = {.out = out, .db = db, .color = chosen.color, .status = TRP_OK};
    put_outcome(&text);
    put_totals(&text);
    put_dropped(&text);
    put_expectations(&text, chosen.brief);
    put_causes(&text);
    if (!chosen.brief) {
        put_requests(&text);
        put_lookups(&text);
        put_failures(&text);
        put_metrics(&text);
        put_faults(&text);
        put_slowest(&text);
    }
    const char *reproduce = trp_run_db_info(db)->reproduce;
    if (reproduce[0] != '\0') {
        (void)fputc('\n', out);
        put_whole(&text, reproduce);
        (void)fputc('\n', out);
    }
    if (text.status == TRP_OK && (fflush(out) != 0 || ferror(out) != 0)) {
        text.status = TRP_EIO;
    }
    return text.status;
}
