/* SPDX-License-Identifier: MIT */
/* reports/render/html.h - writing HTML: every text of a run goes through html_text. */
#ifndef REPORTS_RENDER_HTML_H
#define REPORTS_RENDER_HTML_H

#include "reports/query/query.h"
#include "reports/render/figure.h"
#include "reports/render/plot.h"

#include <stdio.h>

/* Writes a text with what HTML and XML would read as markup replaced, and with bytes that are no
 * clean UTF-8 as U+FFFD. Fit for content and for quoted attributes. */
void html_text(FILE *out, const char *text);

#define FAULT_COLORS 6u

/* One stretch of time in which faults of a kind were there. */
struct fault_span {
    double from;
    double to;
    bool lasting;   /* it never ended */
    uint32_t color; /* below FAULT_COLORS, one for each kind in order of appearance */
    int64_t id;     /* of the first */
    uint32_t count; /* of faults with just this kind and time */
    char kind[32];
    char text[160];  /* of the first */
    char hosts[160]; /* names of the first ones it hit */
    int64_t hosts_count;
};

struct faults {
    struct fault_span *spans; /* equal stretches of a kind are one span: for shading */
    size_t count;
    uint32_t faults;
};

/* Reads the faults of a run that lasts `run_s` seconds. */
enum trp_status faults_init(struct faults *faults, struct trp_run_db *db,
                            double run_s) TRP_NODISCARD;
void faults_deinit(struct faults *faults);

/* Writes gnuplot's picture into the page, between the shades of the faults and the tips. */
void svg_embed(FILE *out, const char *svg, const struct plot *plot, const struct faults *faults);
/* Writes the symbols that embedded pictures share; once per page. */
void svg_put_symbols(FILE *out);

/* Builds all plots of a run. */
void plots_build(struct plots *plots, struct trp_run_db *db);

/* The parts of the page about one run. `id` distinguishes the runs of a page. */
struct page {
    FILE *out;
    struct trp_run_db *db;
    const struct trp_run_info *info;
    struct faults faults;
    double run_s;
    size_t id;
    enum trp_status status;
};
void page_put_expectations(struct page *page);
void page_put_faults(struct page *page);
void page_put_requests(struct page *page);
void page_put_lookups(struct page *page);
void page_put_metrics(struct page *page);
void page_put_hosts(struct page *page);
void page_put_slowest(struct page *page);
void page_put_events(struct page *page);
void page_put_source(struct page *page);
void page_put_queries(struct page *page, const char *database);

/* Opens a section of the page; close it with "</section>". */
void page_open_section(const struct page *page, const char *name, const char *title,
                       const char *note);
/* Opens a panel with a table; a column whose title begins with "<" is aligned as text. */
void page_open_table(const struct page *page, const char *const *titles);
void page_close_table(const struct page *page);
/* Closes the table that was opened for the first of `rows`, or says that there are none. */
void page_end_table(const struct page *page, uint64_t rows, const char *none);
void page_text_cell(const struct page *page, const char *text);
void page_mono_cell(const struct page *page, const char *text);
void page_cell(const struct page *page, const char *figure);
/* A count; one that should be 0 stands out when it is not. */
void page_count_cell(const struct page *page, int64_t count, bool is_bad);
/* Columns `first` and `count` - 1 more of a row, as spans; a dash for NULL. */
void page_span_cells(const struct page *page, const struct query *query, int first, int count);
void page_moment_cell(const struct page *page, const struct query *query, int column,
                      const char *none);

/* Ends a query and keeps its failure. */
void page_close(struct page *page, struct query *query);

#endif
