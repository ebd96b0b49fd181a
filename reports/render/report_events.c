/* SPDX-License-Identifier: MIT */
#include "reports/render/report_events.h"

#include "reports/query/query.h"
#include "reports/render/figure.h"
#include "reports/store/utf8.h"

#define FIELDS_SHOWN 300u
#define SEQUENCE_MAX INT64_MAX

static void put_safe(FILE *out, const char *text)
{
    char clean[FIELDS_SHOWN];
    size_t size = utf8_clean(trp_bytes_text(text), clean, sizeof clean);
    for (size_t i = 0; i < size; i++) {
        (void)fputc(clean[i] == '\n' || clean[i] == '\t' ? ' ' : clean[i], out);
    }
}

static enum trp_status flushed(FILE *out, enum trp_status status)
{
    return status == TRP_OK && (fflush(out) != 0 || ferror(out) != 0) ? TRP_EIO : status;
}

enum trp_status trp_report_why(struct trp_run_db *db, uint64_t sequence, uint32_t most, FILE *out)
{
    struct query query = query_open(db, QUERY(causes));
    query_bind_number(&query, ":seq", sequence < SEQUENCE_MAX ? (int64_t)sequence : SEQUENCE_MAX);
    query_bind_number(&query, ":most", most);
    uint64_t lines = 0;
    bool cut = false;
    for (; query_next(&query); lines++) {
        char moment[FIGURE_MAX];
        /* The first line is the oldest event; a cause it names was dropped. */
        cut = cut || (lines == 0 && !query_is_null(&query, 7));
        if (lines == 0 && cut) {
            (void)fprintf(out, "  (from #%lld)\n", (long long)query_number(&query, 7));
        }
        (void)fprintf(out, "%s #%lld  %s  ", lines == 0 ? " " : "→",
                      (long long)query_number(&query, 1),
                      figure_moment(moment, (trp_time)query_number(&query, 2)));
        put_safe(out, query_text(&query, query_is_null(&query, 4) ? 3 : 4));
        (void)fprintf(out, "  %s  ", query_text(&query, 5));
        put_safe(out, query_text(&query, 8));
        (void)fputc('\n', out);
    }
    enum trp_status status = query_close(&query);
    status = status == TRP_OK && lines == 0 ? TRP_ENOTFOUND : status;
    return flushed(out, status);
}

/* The events of one run as they are read side by side with another's. */
struct stream {
    struct query query;
    bool has_event;
};

static void advance(struct stream *stream)
{
    stream->has_event = query_next(&stream->query);
}

static int64_t sequence_of(const struct stream *stream)
{
    return query_number(&stream->query, 0);
}

/* Whether time, host, kind, cause and fields are the same. */
static bool equal(const struct stream *a, const struct stream *b)
{
    for (int column = 0; column < 6; column++) {
        if (strcmp(query_text(&a->query, column), query_text(&b->query, column)) != 0) {
            return false;
        }
    }
    return true;
}

static void put_event(FILE *out, const char *label, const struct stream *stream)
{
    if (!stream->has_event) {
        (void)fprintf(out, "%s  (no more events)\n", label);
        return;
    }
    const struct query *query = &stream->query;
    char moment[FIGURE_MAX];
    (void)fprintf(out, "%s  #%lld  %s  host %lld  %s  ", label, (long long)query_number(query, 0),
                  figure_moment(moment, (trp_time)query_number(query, 1)),
                  (long long)query_number(query, 2), query_text(query, 3));
    put_safe(out, query_text(query, 5));
    if (!query_is_null(query, 4)) {
        (void)fprintf(out, "  (because of #%lld)", (long long)query_number(query, 4));
    }
    (void)fputc('\n', out);
}

/* Skips what only one of two runs still has at its beginning. */
static int64_t align(struct stream *a, struct stream *b)
{
    while (a->has_event && b->has_event && sequence_of(a) != sequence_of(b)) {
        advance(sequence_of(a) < sequence_of(b) ? a : b);
    }
    return a->has_event ? sequence_of(a) : 0;
}

enum trp_status trp_report_diff(struct trp_run_db *a, struct trp_run_db *b, FILE *out,
                                uint64_t *ret_sequence)
{
    struct stream left = {.query = query_open(a, QUERY(event_stream))};
    struct stream right = {.query = query_open(b, QUERY(event_stream))};
    advance(&left);
    advance(&right);
    int64_t first = align(&left, &right);
    int64_t last_equal = 0;
    while (left.has_event && right.has_event && equal(&left, &right)) {
        last_equal = sequence_of(&left);
        advance(&left);
        advance(&right);
    }
    if (first > 1) {
        (void)fprintf(out, "events before #%lld were dropped and are not compared\n",
                      (long long)first);
    }
    uint64_t sequence = 0;
    if (left.has_event || right.has_event) {
        sequence = (uint64_t)sequence_of(left.has_event ? &left : &right);
        (void)fprintf(out, "equal up to event #%lld\n", (long long)last_equal);
        put_event(out, "a", &left);
        put_event(out, "b", &right);
    } else {
        (void)fprintf(out, "all events are equal\n");
    }
    enum trp_status status = query_close(&left.query);
    enum trp_status other = query_close(&right.query);
    status = flushed(out, status == TRP_OK ? other : status);
    if (status == TRP_OK) {
        *ret_sequence = sequence;
    }
    return status;
}
