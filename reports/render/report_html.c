/* SPDX-License-Identifier: MIT */
#include "reports/render/report_html.h"

#include "reports/render/gnuplot.h"
#include "reports/render/html.h"
#include "reports/store/draft.h"

#define GNUPLOT_MS_DEFAULT 30000u

static void put_fact(FILE *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        (void)fprintf(out, "<div><dt>%s</dt><dd>", name);
        html_text(out, value);
        (void)fputs("</dd></div>", out);
    }
}

static void put_facts(const struct page *page)
{
    const struct trp_run_info *info = page->info;
    char text[FIGURE_MAX];
    (void)fputs("<dl class=\"facts\">", page->out);
    put_fact(page->out, "file", info->file);
    put_fact(page->out, "settings", info->settings);
    put_fact(page->out, "network", info->net);
    put_fact(page->out, "transport", info->transport);
    put_fact(page->out, "security", info->security);
    put_fact(page->out, "troupe", info->version);
    put_fact(page->out, "peak memory", figure_bytes(text, (double)info->peak_rss_bytes));
    put_fact(page->out, "trace", info->trace_hash);
    (void)fputs("</dl>\n", page->out);
}

static void put_header(const struct page *page)
{
    const struct trp_run_info *info = page->info;
    bool passed = info->outcome == TRP_RUN_PASSED;
    (void)fprintf(page->out, "<header><div class=\"title\"><span class=\"badge %s\">%s</span><h1>",
                  passed ? "good" : "bad", trp_run_outcome_name(info->outcome));
    html_text(page->out, info->scenario);
    (void)fprintf(page->out, "</h1><span class=\"seed\">seed %llu</span></div>\n",
                  (unsigned long long)info->seed);
    if (info->about[0] != '\0') {
        (void)fputs("<p class=\"about\">", page->out);
        html_text(page->out, info->about);
        (void)fputs("</p>\n", page->out);
    }
    if (info->failure[0] != '\0') {
        (void)fputs("<p class=\"failure\">", page->out);
        html_text(page->out, info->failure);
        (void)fputs("</p>\n", page->out);
    }
    put_facts(page);
    if (info->reproduce[0] != '\0') {
        (void)fputs("<div class=\"reproduce\"><span>Reproduce this run, bit for bit</span>"
                    "<pre><code>",
                    page->out);
        html_text(page->out, info->reproduce);
        (void)fputs("</code></pre></div>\n", page->out);
    }
    (void)fputs("</header>\n", page->out);
}

static void put_nav(const struct page *page)
{
    static const char *const parts[][2] = {{"expectations", "Expectations"},
                                           {"faults", "Faults"},
                                           {"requests", "Requests"},
                                           {"lookups", "Lookups"},
                                           {"metrics", "Metrics"},
                                           {"hosts", "Hosts"},
                                           {"events", "Events"},
                                           {"source", "Scenario"},
                                           {"queries", "Query it yourself"}};
    (void)fputs("<nav>", page->out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)fprintf(page->out, "<a href=\"#r%zu-%s\">%s</a>", page->id, parts[i][0], parts[i][1]);
    }
    (void)fputs("</nav>\n", page->out);
}

static void put_card(const struct page *page, const char *name, const char *value, const char *more,
                     const char *tone)
{
    (void)fprintf(page->out,
                  "<div class=\"card %s\"><div class=\"name\">%s</div><div class=\"value\">", tone,
                  name);
    html_text(page->out, value);
    (void)fputs("</div><div class=\"more\">", page->out);
    html_text(page->out, more);
    (void)fputs("</div></div>\n", page->out);
}

static void put_share_card(const struct page *page, const char *name, int64_t good, int64_t all)
{
    char value[FIGURE_MAX];
    char counts[2][FIGURE_MAX];
    char more[3 * FIGURE_MAX];
    if (all > 0) {
        (void)snprintf(more, sizeof more, "%s of %s", figure_count(counts[0], (uint64_t)good),
                       figure_count(counts[1], (uint64_t)all));
        put_card(page, name, figure_share(value, (double)good / (double)all), more, "");
    }
}

static void put_run_cards(const struct page *page, const struct query *totals)
{
    const struct trp_run_info *info = page->info;
    char value[FIGURE_MAX];
    char more[3 * FIGURE_MAX];
    char part[FIGURE_MAX];
    (void)snprintf(more, sizeof more, "in %s", figure_span(part, (double)info->wall_ns));
    if (info->wall_ns > 0) {
        size_t size = strlen(more);
        (void)snprintf(more + size, sizeof more - size, ", %.0f× real time",
                       (double)info->sim_ns / (double)info->wall_ns);
    }
    put_card(page, "Virtual time", figure_span(value, (double)info->sim_ns), more, "");
    (void)snprintf(more, sizeof more, "%s sent",
                   figure_bytes(part, query_is_null(totals, 8) ? 0 : query_real(totals, 8)));
    put_card(page, "Hosts", figure_count(value, info->hosts), more, "");
    (void)snprintf(more, sizeof more, "%s happenings", figure_count(part, info->happenings));
    put_card(page, "Events", figure_count(value, info->events), more, "");
}

static void put_cards(struct page *page)
{
    struct query totals = query_open(page->db, QUERY(totals));
    if (query_next(&totals)) {
        char value[FIGURE_MAX];
        char more[3 * FIGURE_MAX];
        int64_t expected = query_number(&totals, 0);
        int64_t held = query_number(&totals, 1);
        (void)fputs("<div class=\"cards\">\n", page->out);
        (void)snprintf(more, sizeof more, "%lld / %lld", (long long)held, (long long)expected);
        put_card(page, "Expectations held", more, held == expected ? "all of them" : "see below",
                 held == expected ? "good" : "bad");
        put_share_card(page, "Asks answered", query_number(&totals, 3), query_number(&totals, 2));
        if (!query_is_null(&totals, 9)) {
            put_card(page, "Ask latency, 99th", figure_span(value, query_real(&totals, 9)),
                     "of answered asks", "");
        }
        put_share_card(page, "Lookups found", query_number(&totals, 6), query_number(&totals, 5));
        if (!query_is_null(&totals, 10)) {
            (void)snprintf(more, sizeof more, "%.2f hops in the mean", query_real(&totals, 11));
            put_card(page, "Lookup latency, 99th", figure_span(value, query_real(&totals, 10)),
                     more, "");
        }
        put_run_cards(page, &totals);
        (void)fputs("</div>\n", page->out);
    }
    page_close(page, &totals);
}

static void put_dropped(const struct page *page)
{
    const struct trp_run_dropped *dropped = &page->info->dropped;
    const struct {
        const char *what;
        uint64_t count;
    } rows[] = {{"events (the oldest)", dropped->events},
                {"requests", dropped->requests},
                {"lookups", dropped->lookups},
                {"metric samples", dropped->samples},
                {"other rows", dropped->others}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].count > 0) {
            char figure[FIGURE_MAX];
            (void)fprintf(page->out,
                          "<p class=\"warn\">%s %s were not recorded: the limit of the record was "
                          "reached. Figures below leave them out.</p>\n",
                          figure_count(figure, rows[i].count), rows[i].what);
        }
    }
}

static void put_legend(FILE *out, const struct plot *plot)
{
    static const char *const shapes[] = {"line", "", "dot", ""};
    if (plot->series_count < 2) {
        return;
    }
    (void)fputs("<div class=\"legend\">", out);
    for (uint32_t i = 0; i < plot->series_count; i++) {
        const struct plot_series *series = &plot->series[i];
        if (series->count > 0) {
            (void)fprintf(out,
                          "<span><i class=\"%s\" style=\"background:var(--%c%u)\"></i>%s</span>",
                          shapes[series->style], series->style == PLOT_BAND ? 'b' : 's',
                          (unsigned)series->color, series->label);
        }
    }
    (void)fputs("</div>", out);
}

static void put_figure(const struct page *page, const struct plot *plot, const char *svg)
{
    (void)fprintf(page->out, "<figure%s><figcaption><h3>",
                  plot->width > PLOT_WIDTH ? " class=\"wide\"" : "");
    html_text(page->out, plot->title);
    (void)fputs("</h3><div class=\"note\">", page->out);
    html_text(page->out, plot->about);
    if (!plot_unit_is_on_axis(plot) && plot->unit[0] != '\0') {
        (void)fputs(plot->about[0] == '\0' ? "in " : " · in ", page->out);
        html_text(page->out, plot->unit);
    }
    (void)fputs("</div>", page->out);
    put_legend(page->out, plot);
    (void)fputs("</figcaption>\n", page->out);
    svg_embed(page->out, svg, plot, &page->faults);
    (void)fputs("</figure>\n", page->out);
}

static void put_figures(const struct page *page, enum plot_section section,
                        const struct plots *plots, const struct drawings *drawings)
{
    uint32_t drawn = 0;
    for (size_t i = 0; i < plots->count && drawings->svgs != NULL; i++) {
        if (plots->items[i].section == section && drawings->svgs[i] != NULL) {
            (void)fputs(drawn++ == 0 ? "<div class=\"plots\">\n" : "", page->out);
            put_figure(page, &plots->items[i], drawings->svgs[i]);
        }
    }
    (void)fputs(drawn > 0 ? "</div>\n" : "", page->out);
}

static void put_run(struct page *page, const struct trp_report_html_options *options)
{
    struct plots plots;
    struct drawings drawings;
    plots_build(&plots, page->db);
    drawings_init(&drawings, &plots, options->gnuplot == NULL ? "gnuplot" : options->gnuplot,
                  options->gnuplot_ms_max == 0 ? GNUPLOT_MS_DEFAULT : options->gnuplot_ms_max);
    (void)fprintf(page->out, "<article class=\"run\" id=\"r%zu\">\n", page->id);
    put_header(page);
    put_nav(page);
    put_cards(page);
    put_dropped(page);
    if (drawings.problem[0] != '\0') {
        (void)fprintf(page->out, "<p class=\"warn\">This report has no plots: %s.</p>\n",
                      drawings.problem);
    }
    page_put_expectations(page);
    page_put_faults(page);
    page_put_requests(page);
    put_figures(page, PLOT_REQUESTS, &plots, &drawings);
    (void)fputs("</section>\n", page->out);
    page_put_lookups(page);
    put_figures(page, PLOT_LOOKUPS, &plots, &drawings);
    (void)fputs("</section>\n", page->out);
    page_put_metrics(page);
    put_figures(page, PLOT_METRICS, &plots, &drawings);
    (void)fputs("</section>\n", page->out);
    page_put_hosts(page);
    put_figures(page, PLOT_HOSTS, &plots, &drawings);
    (void)fputs("</section>\n", page->out);
    page_put_events(page);
    page_put_source(page);
    page_put_queries(page, options->database_name == NULL ? "run.db" : options->database_name);
    (void)fputs("</article>\n", page->out);
    page->status = page->status == TRP_OK ? plots.status : page->status;
    drawings_deinit(&drawings);
    plots_deinit(&plots);
}

static void put_overview(FILE *out, struct trp_run_db *const *runs, size_t runs_count)
{
    (void)fputs(
        "<section><div class=\"head\"><h2>Runs</h2></div><div class=\"panel scroll\"><table>"
        "<thead><tr><th class=\"text\">Scenario</th><th>Seed</th><th class=\"text\">Outcome"
        "</th><th>Hosts</th><th>Virtual time</th><th>Events</th><th class=\"text\">Trace"
        "</th></tr></thead><tbody>\n",
        out);
    for (size_t i = 0; i < runs_count; i++) {
        const struct trp_run_info *info = trp_run_db_info(runs[i]);
        char text[FIGURE_MAX];
        bool passed = info->outcome == TRP_RUN_PASSED;
        (void)fprintf(out, "<tr><td class=\"text\"><a href=\"#r%zu\">", i + 1);
        html_text(out, info->scenario);
        (void)fprintf(out, "</a></td><td>%llu</td><td class=\"text %s\">%s</td>",
                      (unsigned long long)info->seed, passed ? "good-ink" : "bad",
                      trp_run_outcome_name(info->outcome));
        (void)fprintf(out, "<td>%s</td>", figure_count(text, info->hosts));
        (void)fprintf(out, "<td>%s</td>", figure_span(text, (double)info->sim_ns));
        (void)fprintf(out, "<td>%s</td><td class=\"text mono\">", figure_count(text, info->events));
        html_text(out, info->trace_hash);
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</tbody></table></div></section>\n", out);
}

static enum trp_status put_page(FILE *out, struct trp_run_db *const *runs, size_t runs_count,
                                const struct trp_report_html_options *options)
{
    enum trp_status status = TRP_OK;
    (void)fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
                out);
    const struct trp_run_info *first = trp_run_db_info(runs[0]);
    html_text(out, first->scenario);
    if (runs_count > 1) {
        (void)fprintf(out, " and %zu more", runs_count - 1);
    } else {
        (void)fprintf(out, " · seed %llu · %s", (unsigned long long)first->seed,
                      trp_run_outcome_name(first->outcome));
    }
    (void)fprintf(out, "</title>\n<style>\n%s</style></head>\n<body><main>\n",
                  EMBEDDED(render_style_css));
    (void)fputs("<p class=\"kicker\">Troupe · report of a run</p>\n", out);
    svg_put_symbols(out);
    if (runs_count > 1) {
        put_overview(out, runs, runs_count);
    }
    for (size_t i = 0; i < runs_count && status == TRP_OK; i++) {
        const struct trp_run_info *info = trp_run_db_info(runs[i]);
        struct page page = {.out = out,
                            .db = runs[i],
                            .info = info,
                            .run_s = (double)info->sim_ns / 1e9,
                            .id = i + 1,
                            .status = TRP_OK};
        page.status = faults_init(&page.faults, page.db, page.run_s);
        put_run(&page, options);
        faults_deinit(&page.faults);
        status = page.status;
    }
    (void)fputs("</main></body></html>\n", out);
    return status;
}

enum trp_status trp_report_html(struct trp_run_db *const *runs, size_t runs_count,
                                const struct trp_report_html_options *options, const char *path,
                                struct trp_run_error *ret_error)
{
    const struct trp_report_html_options defaults = {0};
    struct draft draft;
    if (runs_count == 0) {
        error_set(ret_error, "there is no run to report");
        return TRP_EINVAL;
    }
    enum trp_status status = draft_open(&draft, path, ret_error);
    if (status != TRP_OK) {
        return status;
    }
    status = put_page(draft.file, runs, runs_count, options == NULL ? &defaults : options);
    if (status == TRP_OK) {
        status = draft_commit(&draft, ret_error);
    } else {
        error_set(ret_error, "the database could not be read: %s", trp_status_text(status));
    }
    draft_deinit(&draft);
    return status;
}
