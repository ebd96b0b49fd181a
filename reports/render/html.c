/* SPDX-License-Identifier: MIT */
#include "reports/render/html.h"

#include "reports/store/utf8.h"

#include <math.h>
#include <stdlib.h>

void html_text(FILE *out, const char *text)
{
    struct trp_bytes rest = trp_bytes_text(text);
    while (rest.size > 0) {
        char clean[768];
        size_t taken = rest.size < 256 ? rest.size : 256;
        /* Not in the middle of a character. */
        while (taken < rest.size && taken > 250 && (rest.data[taken] & 0xc0u) == 0x80) {
            taken--;
        }
        size_t size = utf8_clean(trp_bytes(rest.data, taken), clean, sizeof clean);
        for (size_t i = 0; i < size; i++) {
            switch (clean[i]) {
            case '&':
                (void)fputs("&amp;", out);
                break;
            case '<':
                (void)fputs("&lt;", out);
                break;
            case '>':
                (void)fputs("&gt;", out);
                break;
            case '"':
                (void)fputs("&quot;", out);
                break;
            case '\'':
                (void)fputs("&#39;", out);
                break;
            default:
                (void)fputc(clean[i], out);
                break;
            }
        }
        rest = trp_bytes_skip(rest, taken);
    }
}

void page_close(struct page *page, struct query *query)
{
    enum trp_status status = query_close(query);
    page->status = page->status == TRP_OK ? status : page->status;
}

/* ---- faults ---- */

/* Gives the colour of a kind: that of an earlier span, or the next one. */
static uint32_t fault_color(const struct faults *faults, const char *kind)
{
    uint32_t next = 0;
    for (size_t i = 0; i < faults->count; i++) {
        if (strcmp(faults->spans[i].kind, kind) == 0) {
            return faults->spans[i].color;
        }
        next = faults->spans[i].color + 1 > next ? faults->spans[i].color + 1 : next;
    }
    return next % FAULT_COLORS;
}

static struct fault_span read_span(const struct query *query, double run_s)
{
    struct fault_span span = {.id = query_number(query, 0),
                              .from = (double)query_number(query, 3) / 1e9,
                              .to = query_is_null(query, 4) ? run_s
                                                            : (double)query_number(query, 4) / 1e9,
                              .lasting = query_is_null(query, 4),
                              .count = 1,
                              .hosts_count = query_number(query, 6)};
    (void)snprintf(span.kind, sizeof span.kind, "%s", query_text(query, 1));
    (void)snprintf(span.text, sizeof span.text, "%s", query_text(query, 2));
    (void)snprintf(span.hosts, sizeof span.hosts, "%s", query_text(query, 7));
    return span;
}

/* Joins a fault with the one just before it when kind and time are the same. */
static bool join(struct faults *faults, const struct fault_span *span)
{
    for (size_t i = faults->count; i > 0 && faults->count - i < 64; i--) {
        struct fault_span *other = &faults->spans[i - 1];
        if (strcmp(other->kind, span->kind) == 0 && fabs(other->from - span->from) < 1e-9 &&
            fabs(other->to - span->to) < 1e-9) {
            other->count++;
            other->hosts_count += span->hosts_count;
            return true;
        }
    }
    return false;
}

enum trp_status faults_init(struct faults *faults, struct trp_run_db *db, double run_s)
{
    *faults = (struct faults){0};
    size_t room = 0;
    enum trp_status status = TRP_OK;
    struct query query = query_open(db, QUERY(faults));
    while (status == TRP_OK && query_next(&query)) {
        struct fault_span span = read_span(&query, run_s);
        faults->faults++;
        if (join(faults, &span)) {
            continue;
        }
        if (faults->count == room) {
            room = room == 0 ? 16 : room * 2;
            struct fault_span *more = realloc(faults->spans, room * sizeof *more);
            if (more == NULL) {
                status = TRP_ENOMEM;
                break;
            }
            faults->spans = more;
        }
        span.color = fault_color(faults, span.kind);
        faults->spans[faults->count++] = span;
    }
    enum trp_status read = query_close(&query);
    return status == TRP_OK ? read : status;
}

void faults_deinit(struct faults *faults)
{
    free(faults->spans);
    *faults = (struct faults){0};
}
