/* SPDX-License-Identifier: MIT */
#include "reports/render/html.h"

void page_open_section(const struct page *page, const char *name, const char *title,
                       const char *note)
{
    (void)fprintf(page->out,
                  "<section id=\"r%zu-%s\"><div class=\"head\"><h2>%s</h2><span "
                  "class=\"note\">%s</span></div>\n",
                  page->id, name, title, note);
}

void page_open_table(const struct page *page, const char *const *titles)
{
    (void)fputs("<div class=\"panel scroll\"><table><thead><tr>", page->out);
    for (; *titles != NULL; titles++) {
        bool is_text = (*titles)[0] == '<';
        (void)fprintf(page->out, "<th%s>%s</th>", is_text ? " class=\"text\"" : "",
                      *titles + (is_text ? 1 : 0));
    }
    (void)fputs("</tr></thead><tbody>\n", page->out);
}

void page_close_table(const struct page *page)
{
    (void)fputs("</tbody></table></div>\n", page->out);
}

void page_end_table(const struct page *page, uint64_t rows, const char *none)
{
    if (rows > 0) {
        page_close_table(page);
    } else {
        (void)fprintf(page->out, "<p class=\"note\">%s</p>\n", none);
    }
}

void page_text_cell(const struct page *page, const char *text)
{
    (void)fputs("<td class=\"text\">", page->out);
    html_text(page->out, text);
    (void)fputs("</td>", page->out);
}

void page_mono_cell(const struct page *page, const char *text)
{
    (void)fputs("<td class=\"text mono\">", page->out);
    html_text(page->out, text);
    (void)fputs("</td>", page->out);
}

void page_cell(const struct page *page, const char *figure)
{
    (void)fprintf(page->out, "<td>%s</td>", figure);
}

void page_count_cell(const struct page *page, int64_t count, bool is_bad)
{
    char figure[FIGURE_MAX];
    (void)fprintf(page->out, "<td%s>%s</td>", is_bad && count > 0 ? " class=\"bad\"" : "",
                  figure_count(figure, (uint64_t)count));
}

void page_span_cells(const struct page *page, const struct query *query, int first, int count)
{
    char figure[FIGURE_MAX];
    for (int i = first; i < first + count; i++) {
        page_cell(page, query_is_null(query, i) ? "–" : figure_span(figure, query_real(query, i)));
    }
}

void page_moment_cell(const struct page *page, const struct query *query, int column,
                      const char *none)
{
    char figure[FIGURE_MAX];
    page_cell(page, query_is_null(query, column)
                        ? none
                        : figure_moment(figure, (trp_time)query_number(query, column)));
}
