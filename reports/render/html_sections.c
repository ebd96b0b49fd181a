/* SPDX-License-Identifier: MIT */
/* The tables of a report's page, one function for each section. */
#include "reports/render/html.h"

#define HOSTS_OPEN_MAX  24
#define HOSTS_SHOWN_MAX 2000
#define SLOWEST_MAX     10

/* ---- expectations ---- */

/* `broken`: with the columns of where something broke. */
static void put_expectation(const struct page *page, const struct query *query, bool broken)
{
    bool held = strcmp(query_text(query, 3), "held") == 0;
    bool undecided = strcmp(query_text(query, 3), "undecided") == 0;
    char figure[FIGURE_MAX];
    (void)fprintf(page->out,
                  "<tr%s><td class=\"text\"><span class=\"mark %s\" title=\"%s\">%s</span></td>"
                  "<td class=\"text wrap\"><code>",
                  held ? "" : " class=\"broken\"", held ? "good" : "bad",
                  held        ? "held"
                  : undecided ? "undecided"
                              : "broken",
                  held        ? "✓"
                  : undecided ? "?"
                              : "✗");
    html_text(page->out, query_text(query, 2));
    (void)fputs("</code>", page->out);
    if (query_text(query, 6)[0] != '\0') {
        (void)fputs("<div class=\"detail\">", page->out);
        html_text(page->out, query_text(query, 6));
        (void)fputs("</div>", page->out);
    }
    (void)fputs("</td>", page->out);
    page_text_cell(page, query_text(query, 1));
    (void)fputs("<td>", page->out);
    if (!query_is_null(query, 4)) {
        html_text(page->out, figure_value(figure, query_real(query, 4), query_text(query, 5)));
    }
    (void)fputs("</td>", page->out);
    if (broken) {
        page_moment_cell(page, query, 7, "");
        if (query_is_null(query, 8)) {
            (void)fputs("<td></td>", page->out);
        } else {
            (void)fprintf(page->out, "<td>#%lld</td>", (long long)query_number(query, 8));
        }
    }
    (void)fputs("</tr>\n", page->out);
}

void page_put_expectations(struct page *page)
{
    static const char *const titles[] = {"<", "<Expectation", "<Kind", "Value", NULL};
    static const char *const titles_broken[] = {"<",         "<Expectation", "<Kind", "Value",
                                                "Broken at", "Event",        NULL};
    bool broken = page->info->outcome != TRP_RUN_PASSED;
    struct query query = query_open(page->db, QUERY(expectations));
    page_open_section(page, "expectations", "Expectations", "");
    uint64_t rows = 0;
    for (; query_next(&query); rows++) {
        if (rows == 0) {
            page_open_table(page, broken ? titles_broken : titles);
        }
        put_expectation(page, &query, broken);
    }
    page_end_table(page, rows, "The scenario states none.");
    (void)fputs("</section>\n", page->out);
    page_close(page, &query);
}

/* ---- requests and lookups ---- */

static void put_failures(struct page *page, bool lookups)
{
    static const char *const titles[] = {"<What", "<Status", "Count", "<Meaning", NULL};
    struct query query = query_open(page->db, QUERY(failures));
    uint64_t rows = 0;
    while (query_next(&query)) {
        if ((strcmp(query_text(&query, 0), "lookup") == 0) != lookups) {
            continue;
        }
        if (rows++ == 0) {
            (void)fputs("<details><summary>Why they failed</summary>\n", page->out);
            page_open_table(page, titles);
        }
        (void)fputs("<tr>", page->out);
        page_text_cell(page, query_text(&query, 0));
        page_mono_cell(page, query_text(&query, 1));
        page_count_cell(page, query_number(&query, 2), false);
        page_text_cell(page, query_text(&query, 3));
        (void)fputs("</tr>\n", page->out);
    }
    if (rows > 0) {
        page_close_table(page);
        (void)fputs("</details>\n", page->out);
    }
    page_close(page, &query);
}

void page_put_slowest(struct page *page)
{
    static const char *const titles[] = {"<What", "Id",      "<Workload", "<From",
                                         "<To",   "Started", "Took",      NULL};
    struct query query = query_open(page->db, QUERY(slowest));
    query_bind_number(&query, ":most", SLOWEST_MAX);
    uint64_t rows = 0;
    while (query_next(&query)) {
        if (rows++ == 0) {
            (void)fputs("<details><summary>The slowest requests and lookups</summary>\n",
                        page->out);
            page_open_table(page, titles);
        }
        (void)fputs("<tr>", page->out);
        page_text_cell(page, query_text(&query, 0));
        page_count_cell(page, query_number(&query, 1), false);
        page_text_cell(page, query_text(&query, 2));
        page_text_cell(page, query_text(&query, 3));
        page_text_cell(page, query_text(&query, 4));
        page_moment_cell(page, &query, 5, "");
        page_span_cells(page, &query, 6, 1);
        (void)fputs("</tr>\n", page->out);
    }
    if (rows > 0) {
        page_close_table(page);
        (void)fputs("</details>\n", page->out);
    }
    page_close(page, &query);
}

void page_put_requests(struct page *page)
{
    static const char *const titles[] = {
        "<Workload",     "<Kind",  "Requests", "Answered", "Failed",  "Without outcome",
        "More than one", "Median", "90th",     "99th",     "Slowest", NULL};
    page_open_section(page, "requests", "Requests", "asks and tells of the workload");
    struct query query = query_open(page->db, QUERY(requests));
    uint64_t rows = 0;
    for (; query_next(&query); rows++) {
        if (rows == 0) {
            page_open_table(page, titles);
        }
        char figure[FIGURE_MAX];
        int64_t count = query_number(&query, 2);
        (void)fputs("<tr>", page->out);
        page_text_cell(page, query_text(&query, 1));
        page_text_cell(page, query_text(&query, 0));
        page_count_cell(page, count, false);
        page_cell(page, figure_share(figure, query_real(&query, 3) / (double)count));
        page_count_cell(page, query_number(&query, 4), false);
        page_count_cell(page, query_number(&query, 5), true);
        page_count_cell(page, query_number(&query, 6), true);
        page_span_cells(page, &query, 7, 4);
        (void)fputs("</tr>\n", page->out);
    }
    page_end_table(page, rows, "There were none.");
    page_close(page, &query);
    put_failures(page, false);
    page_put_slowest(page);
}

static void real_cell(const struct page *page, const struct query *query, int column)
{
    char figure[FIGURE_MAX];
    (void)snprintf(figure, sizeof figure, "%.2f", query_real(query, column));
    page_cell(page, query_is_null(query, column) ? "–" : figure);
}

void page_put_lookups(struct page *page)
{
    static const char *const titles[] = {"<Workload", "Lookups",  "Found", "Missed",  "Unfinished",
                                         "Median",    "90th",     "99th",  "Slowest", "Hops",
                                         "Requests",  "Timeouts", NULL};
    page_open_section(page, "lookups", "Lookups",
                      "latency of those that found; hops, requests and timeouts are means");
    struct query query = query_open(page->db, QUERY(lookups));
    uint64_t rows = 0;
    for (; query_next(&query); rows++) {
        if (rows == 0) {
            page_open_table(page, titles);
        }
        char figure[FIGURE_MAX];
        int64_t count = query_number(&query, 1);
        (void)fputs("<tr>", page->out);
        page_text_cell(page, query_text(&query, 0));
        page_count_cell(page, count, false);
        page_cell(page, figure_share(figure, query_real(&query, 2) / (double)count));
        page_count_cell(page, query_number(&query, 3), false);
        page_count_cell(page, query_number(&query, 4), true);
        page_span_cells(page, &query, 5, 4);
        for (int i = 9; i < 12; i++) {
            real_cell(page, &query, i);
        }
        (void)fputs("</tr>\n", page->out);
    }
    page_end_table(page, rows, "There were none.");
    page_close(page, &query);
    put_failures(page, true);
}

/* ---- metrics, hosts, events ---- */

void page_put_metrics(struct page *page)
{
    static const char *const titles[] = {"<Metric", "<What it is", "Last", "Least",
                                         "Most",    "Samples",     NULL};
    page_open_section(page, "metrics", "Metrics",
                      "over virtual time; plots show medians of intervals; the last value of many "
                      "hosts is their mean");
    struct query query = query_open(page->db, QUERY(metrics));
    uint64_t rows = 0;
    for (; query_next(&query); rows++) {
        if (rows == 0) {
            page_open_table(page, titles);
        }
        char figure[FIGURE_MAX];
        (void)fputs("<tr>", page->out);
        page_mono_cell(page, query_text(&query, 1));
        page_text_cell(page, query_text(&query, 3));
        const int columns[] = {8, 6, 7};
        for (size_t i = 0; i < 3; i++) {
            (void)fputs("<td>", page->out);
            html_text(page->out,
                      figure_value(figure, query_real(&query, columns[i]), query_text(&query, 2)));
            (void)fputs("</td>", page->out);
        }
        page_count_cell(page, query_number(&query, 4), false);
        (void)fputs("</tr>\n", page->out);
    }
    page_end_table(page, rows, "None were sampled.");
    page_close(page, &query);
}

static void put_host(const struct page *page, const struct query *query)
{
    char figure[FIGURE_MAX];
    (void)fputs("<tr>", page->out);
    page_count_cell(page, query_number(query, 0), false);
    page_text_cell(page, query_text(query, 1));
    page_text_cell(page, query_text(query, 2));
    bool known = !query_is_null(query, 5);
    bool down = known && query_number(query, 6) == 0;
    (void)fprintf(page->out, "<td class=\"text%s\">%s</td>", down ? " bad" : "",
                  !known ? "–"
                  : down ? "down"
                         : "up");
    page_cell(page, query_text(query, 5));
    page_cell(page, query_text(query, 7));
    page_cell(page, known ? figure_bytes(figure, query_real(query, 8)) : "–");
    page_cell(page, known ? figure_bytes(figure, query_real(query, 9)) : "–");
    page_count_cell(page, query_number(query, 10), false);
    page_count_cell(page, query_number(query, 11), true);
    page_count_cell(page, query_number(query, 12), false);
    page_count_cell(page, query_number(query, 13), true);
    page_count_cell(page, query_number(query, 14), false);
    (void)fputs("<td class=\"text mono\" title=\"", page->out);
    html_text(page->out, query_text(query, 4));
    (void)fputs("\">", page->out);
    html_text(page->out, query_text(query, 3));
    (void)fputs("</td></tr>\n", page->out);
}

void page_put_hosts(struct page *page)
{
    static const char *const titles[] = {"Host",        "<Name",  "<Zone",    "<State",   "Lives",
                                         "Connections", "Sent",   "Received", "Requests", "Failed",
                                         "Lookups",     "Missed", "Faults",   "<Peer",    NULL};
    char note[80];
    char figure[FIGURE_MAX];
    (void)snprintf(note, sizeof note, "%s simulated machines",
                   figure_count(figure, page->info->hosts));
    bool real = strcmp(page->info->net, "real") == 0;
    page_open_section(page, "hosts", "Hosts", real ? "nodes that took part" : note);
    if (page->info->hosts == 0) {
        return;
    }
    (void)fprintf(page->out, "<details%s><summary>Host by host</summary>\n",
                  page->info->hosts <= HOSTS_OPEN_MAX ? " open" : "");
    page_open_table(page, titles);
    struct query query = query_open(page->db, QUERY(hosts));
    for (uint32_t row = 0; row < HOSTS_SHOWN_MAX && query_next(&query); row++) {
        put_host(page, &query);
    }
    page_close(page, &query);
    page_close_table(page);
    if (page->info->hosts > HOSTS_SHOWN_MAX) {
        (void)fprintf(page->out,
                      "<p class=\"note\">The first %d; all of them are in the "
                      "database.</p>\n",
                      HOSTS_SHOWN_MAX);
    }
    (void)fputs("</details>\n", page->out);
}

void page_put_events(struct page *page)
{
    static const char *const titles[] = {"<Event", "<Level", "<What it says", "Count", "First",
                                         "Last",   NULL};
    page_open_section(page, "events", "Events", "what the nodes and the world traced, by kind");
    struct query query = query_open(page->db, QUERY(events));
    uint64_t rows = 0;
    for (; query_next(&query); rows++) {
        if (rows == 0) {
            page_open_table(page, titles);
        }
        const char *level = query_text(&query, 1);
        bool is_bad = strcmp(level, "ERROR") == 0 || strcmp(level, "WARN") == 0;
        (void)fputs("<tr>", page->out);
        page_mono_cell(page, query_text(&query, 0));
        (void)fprintf(page->out, "<td class=\"text%s\">", is_bad ? " bad" : "");
        html_text(page->out, level);
        (void)fputs("</td>", page->out);
        page_text_cell(page, query_text(&query, 2));
        page_count_cell(page, query_number(&query, 3), false);
        page_moment_cell(page, &query, 4, "");
        page_moment_cell(page, &query, 5, "");
        (void)fputs("</tr>\n", page->out);
    }
    page_close(page, &query);
    page_end_table(page, rows, "None were traced.");
    (void)fputs("</section>\n", page->out);
}

/* ---- the scenario, and how to ask more ---- */

/* Whether an expectation of this line of the scenario is broken. */
static bool is_broken_line(struct page *page, int64_t line)
{
    struct query query = query_open(page->db, QUERY(expectations));
    bool broken = false;
    while (!broken && query_next(&query)) {
        broken = query_number(&query, 9) == line && strcmp(query_text(&query, 3), "held") != 0;
    }
    page_close(page, &query);
    return broken;
}

/* Writes a text line by line, numbered; lines of broken expectations stand out. */
static void put_lines(struct page *page, const char *text, bool mark)
{
    (void)fputs("<div class=\"panel scroll\"><pre class=\"source\" style=\"border:0\">", page->out);
    for (int64_t line = 1; *text != '\0'; line++) {
        size_t size = strcspn(text, "\n");
        char shown[512];
        size_t kept = size < sizeof shown - 1 ? size : sizeof shown - 1;
        memcpy(shown, text, kept);
        shown[kept] = '\0';
        (void)fprintf(page->out, "<span%s>",
                      mark && is_broken_line(page, line) ? " class=\"broken\"" : "");
        html_text(page->out, shown);
        (void)fputs("</span>", page->out);
        text += size + (text[size] == '\n');
    }
    (void)fputs("</pre></div>\n", page->out);
}

void page_put_source(struct page *page)
{
    page_open_section(page, "source", "Scenario", "the file as it was run");
    if (page->info->source[0] != '\0') {
        put_lines(page, page->info->source, true);
    }
    if (page->info->decisions[0] != '\0') {
        (void)fputs("<details><summary>Decisions of this run: every fault with its exact time and "
                    "hosts, as a scenario without random draws</summary>\n",
                    page->out);
        put_lines(page, page->info->decisions, false);
        (void)fputs("</details>\n", page->out);
    }
    (void)fputs("</section>\n", page->out);
}

void page_put_queries(struct page *page, const char *database)
{
    static const char *const queries[][2] = {
        {"What happened in the second before the first expectation broke",
         "SELECT seq, time_ns / 1e9 AS s, host, kind, fields FROM event, "
         "(SELECT min(failed_ns) AS at FROM expectation) "
         "WHERE time_ns BETWEEN at - 1e9 AND at ORDER BY seq"},
        {"Asks with anything but one outcome",
         "SELECT id, host, actor, started_ns / 1e9 AS s, status, outcomes FROM ask "
         "WHERE outcomes <> 1"},
        {"Failures by host while a fault was there",
         "SELECT host.name, count(*) FROM ask JOIN host USING (host) JOIN fault "
         "ON ask.started_ns BETWEEN fault.started_ns AND ifnull(fault.ended_ns, 9e18) "
         "WHERE fault.id = 1 AND status <> 'OK' GROUP BY host.name ORDER BY 2 DESC"},
        {"All tables, views and their columns", ".schema"}};
    page_open_section(page, "queries", "Query it yourself",
                      "everything above, and every single event, is in one SQLite file");
    (void)fputs("<pre class=\"wrapped\"><code>", page->out);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        (void)fprintf(page->out, "%s# %s\nsqlite3 -box ", i == 0 ? "" : "\n\n", queries[i][0]);
        html_text(page->out, database);
        (void)fputs(" \"", page->out);
        html_text(page->out, queries[i][1]);
        (void)fputs("\"", page->out);
    }
    (void)fputs("</code></pre>\n</section>\n", page->out);
}
