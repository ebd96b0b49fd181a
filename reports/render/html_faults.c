/* SPDX-License-Identifier: MIT */
/* The faults of a run, as lanes over its time and as a table. */
#include "reports/render/html.h"

#define LANES_MAX  30u
#define LANE_STEPS 500
#define ROWS_MAX   2000u

static double percent(const struct page *page, double at)
{
    double share = page->run_s > 0 ? at / page->run_s : 0;
    return (share < 0 ? 0 : share > 1 ? 1 : share) * 100;
}

static void put_bar(const struct page *page, const struct fault_span *span)
{
    char from[FIGURE_MAX];
    char to[FIGURE_MAX];
    double left = percent(page, span->from);
    (void)fprintf(page->out,
                  "<b class=\"f%u\" style=\"left:min(%.3f%%,calc(100%% - 4px));width:%.3f%%\" "
                  "title=\"",
                  span->color, left, percent(page, span->to) - left);
    (void)fprintf(page->out, "fault %lld: ", (long long)span->id);
    html_text(page->out, span->text[0] == '\0' ? span->kind : span->text);
    if (span->count > 1) {
        (void)fprintf(page->out, ", and %u more", span->count - 1);
    }
    (void)fprintf(page->out, "\n%s – %s", figure_moment(from, (trp_time)(span->from * 1e9)),
                  span->lasting ? "end of the run" : figure_moment(to, (trp_time)(span->to * 1e9)));
    if (span->hosts_count > 0) {
        (void)fprintf(page->out, "\n%lld hosts: ", (long long)span->hosts_count);
        html_text(page->out, span->hosts);
        (void)fputs(span->hosts_count > 8 ? ", …" : "", page->out);
    }
    (void)fputs("\"></b>", page->out);
}

static void open_lane(const struct page *page, const char *text, uint64_t count)
{
    (void)fputs("<div class=\"lane\"><div class=\"what\" title=\"", page->out);
    html_text(page->out, text);
    (void)fputs("\">", page->out);
    html_text(page->out, text);
    if (count > 1) {
        (void)fprintf(page->out, " <span class=\"soft\">and %llu more</span>",
                      (unsigned long long)(count - 1));
    }
    (void)fputs("</div><div class=\"track\">", page->out);
}

static void close_lane(const struct page *page)
{
    (void)fputs("</div></div>\n", page->out);
}

/* The faults of one kind from `first` on, in one lane; those that nearly touch share a bar. */
static void put_joined_bars(const struct page *page, size_t first)
{
    const struct faults *faults = &page->faults;
    struct fault_span bar = faults->spans[first];
    for (size_t i = first + 1; i < faults->count; i++) {
        const struct fault_span *span = &faults->spans[i];
        if (strcmp(span->kind, bar.kind) != 0) {
            continue;
        }
        if (span->from > bar.to + page->run_s / LANE_STEPS) {
            put_bar(page, &bar);
            bar = *span;
            continue;
        }
        bar.to = span->to > bar.to ? span->to : bar.to;
        bar.lasting = bar.lasting || span->lasting;
        bar.count += span->count;
        bar.hosts_count += span->hosts_count;
    }
    put_bar(page, &bar);
}

/* One lane for each fault, or for each kind when there are many. */
static void put_lanes(const struct page *page)
{
    const struct faults *faults = &page->faults;
    if (faults->count <= LANES_MAX) {
        for (size_t i = 0; i < faults->count; i++) {
            const struct fault_span *span = &faults->spans[i];
            open_lane(page, span->text[0] == '\0' ? span->kind : span->text, span->count);
            put_bar(page, span);
            close_lane(page);
        }
        return;
    }
    for (size_t i = 0; i < faults->count; i++) {
        const char *kind = faults->spans[i].kind;
        bool first = true;
        for (size_t k = 0; k < i; k++) {
            first = first && strcmp(faults->spans[k].kind, kind) != 0;
        }
        if (!first) {
            continue;
        }
        open_lane(page, kind, 1);
        put_joined_bars(page, i);
        close_lane(page);
    }
}

/* The moments at which expectations broke. */
static void put_broken_lane(struct page *page)
{
    struct query query = query_open(page->db, QUERY(expectations));
    bool any = false;
    while (query_next(&query)) {
        if (query_is_null(&query, 7)) {
            continue;
        }
        if (!any) {
            open_lane(page, "expectations broken", 1);
            any = true;
        }
        char figure[FIGURE_MAX];
        (void)fprintf(page->out, "<b class=\"broken\" style=\"left:%.3f%%\" title=\"",
                      percent(page, query_real(&query, 7) / 1e9));
        html_text(page->out, query_text(&query, 2));
        (void)fprintf(page->out, "\nat %s\"></b>",
                      figure_moment(figure, (trp_time)query_number(&query, 7)));
    }
    if (any) {
        close_lane(page);
    }
    page_close(page, &query);
}

static void put_ruler(const struct page *page)
{
    (void)fputs("<div class=\"lane\"><div></div><div class=\"ruler\">", page->out);
    struct plot axis = {0};
    plot_scale(&axis, page->run_s);
    for (uint32_t i = 0; i < axis.x_tics_count; i++) {
        (void)fprintf(page->out, "<span style=\"left:%.2f%%\">%s</span>",
                      percent(page, axis.x_tics[i].at), axis.x_tics[i].label);
    }
    close_lane(page);
}

static void put_fault_rows(struct page *page)
{
    static const char *const titles[] = {"Id", "<Kind", "<What", "From",
                                         "To", "Hosts", "Event", NULL};
    (void)fprintf(page->out, "<details><summary>All faults as a table</summary>\n");
    page_open_table(page, titles);
    struct query query = query_open(page->db, QUERY(faults));
    for (uint32_t row = 0; row < ROWS_MAX && query_next(&query); row++) {
        char id[32];
        (void)snprintf(id, sizeof id, "%lld", (long long)query_number(&query, 0));
        (void)fputs("<tr>", page->out);
        page_cell(page, id);
        page_text_cell(page, query_text(&query, 1));
        page_text_cell(page, query_text(&query, 2));
        page_moment_cell(page, &query, 3, "");
        page_moment_cell(page, &query, 4, "end");
        page_count_cell(page, query_number(&query, 6), false);
        page_cell(page, query_text(&query, 5));
        (void)fputs("</tr>\n", page->out);
    }
    page_close_table(page);
    (void)fputs("</details>\n", page->out);
    page_close(page, &query);
}

void page_put_faults(struct page *page)
{
    page_open_section(page, "faults", "Faults",
                      "shaded in every plot; times are virtual, in minutes and seconds");
    if (page->faults.count == 0) {
        (void)fputs("<p class=\"note\">None were injected.</p></section>\n", page->out);
        return;
    }
    (void)fputs("<div class=\"panel scroll\"><div class=\"lanes\">\n", page->out);
    put_lanes(page);
    put_broken_lane(page);
    put_ruler(page);
    (void)fputs("</div></div>\n", page->out);
    put_fault_rows(page);
    (void)fputs("</section>\n", page->out);
}
