/* SPDX-License-Identifier: MIT */
#include "reports/render/report_json.h"

#include "reports/query/query.h"
#include "reports/render/json.h"
#include "reports/render/report_events.h"

#include <stdlib.h>

#define CAUSES_MAX 20u

static const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static double seconds(double ns)
{
    return ns / 1e9;
}

/* The chain of causes of an event as a list of lines. */
static enum trp_status put_causes(struct json *json, struct trp_run_db *db, uint64_t event)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return TRP_ENOMEM;
    }
    enum trp_status status = trp_report_why(db, event, CAUSES_MAX, out);
    if (fclose(out) != 0) {
        status = TRP_ENOMEM;
    }
    json_open(json, "causes", '[');
    for (char *line = status == TRP_OK ? text : NULL; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        json_text(json, NULL, line);
        line = end;
    }
    json_close(json, ']');
    free(text);
    return status == TRP_ENOTFOUND ? TRP_OK : status; /* its events were dropped */
}

static enum trp_status put_expectations(struct json *json, struct trp_run_db *db)
{
    struct query query = query_open(db, QUERY(expectations));
    json_open(json, "expectations", '[');
    while (query_next(&query)) {
        json_open(json, NULL, '{');
        json_text(json, "text", query_text(&query, 2));
        json_text(json, "outcome", query_text(&query, 3));
        if (query_is_null(&query, 4)) {
            json_text(json, "value", NULL);
        } else {
            json_real(json, "value", query_real(&query, 4));
        }
        json_text(json, "unit", text_or_null(query_text(&query, 5)));
        json_text(json, "detail", query_text(&query, 6));
        json_close(json, '}');
    }
    json_close(json, ']');
    return query_close(&query);
}

/* What is known of the expectation that broke. */
static enum trp_status put_broken(struct json *json, struct trp_run_db *db,
                                  const struct query *query)
{
    json_text(json, "expectation", query_text(query, 2));
    if (!query_is_null(query, 7)) {
        json_real(json, "time_s", seconds((double)query_number(query, 7)));
    }
    if (!query_is_null(query, 10)) {
        json_number(json, "host", (uint64_t)query_number(query, 10));
    }
    if (query_is_null(query, 8)) {
        return TRP_OK;
    }
    json_number(json, "event", (uint64_t)query_number(query, 8));
    return put_causes(json, db, (uint64_t)query_number(query, 8));
}

/* The first expectation that broke; without one, the first that could not be decided. */
static enum trp_status put_failure(struct json *json, struct trp_run_db *db)
{
    const struct trp_run_info *info = trp_run_db_info(db);
    enum trp_status status = TRP_OK;
    json_open(json, "failure", '{');
    json_text(json, "text", info->failure);
    json_text(json, "reproduce", text_or_null(info->reproduce));
    bool put = info->outcome != TRP_RUN_FAILED;
    static const char *const worst[] = {"broken", "undecided"};
    for (size_t i = 0; i < 2 && !put && status == TRP_OK; i++) {
        struct query query = query_open(db, QUERY(expectations));
        while (!put && query_next(&query)) {
            put = strcmp(query_text(&query, 3), worst[i]) == 0;
            status = put ? put_broken(json, db, &query) : TRP_OK;
        }
        enum trp_status closed = query_close(&query);
        status = status == TRP_OK ? closed : status;
    }
    json_close(json, '}');
    return status;
}

enum trp_status trp_report_json(struct trp_run_db *db, const char *directory, FILE *out)
{
    const struct trp_run_info *info = trp_run_db_info(db);
    struct json json = {.out = out};
    json_open(&json, NULL, '{');
    json_text(&json, "scenario", info->scenario);
    json_number(&json, "seed", info->seed);
    json_text(&json, "outcome", trp_run_outcome_name(info->outcome));
    json_text(&json, "net", info->net);
    json_text(&json, "trace_hash", text_or_null(info->trace_hash));
    json_number(&json, "events", info->events);
    json_number(&json, "happenings", info->happenings);
    json_real(&json, "sim_s", seconds((double)info->sim_ns));
    json_real(&json, "wall_s", seconds((double)info->wall_ns));
    json_number(&json, "hosts", info->hosts);
    json_number(&json, "peak_rss_bytes", info->peak_rss_bytes);
    enum trp_status status = put_expectations(&json, db);
    if (info->outcome == TRP_RUN_PASSED) {
        json_text(&json, "failure", NULL);
    } else {
        enum trp_status failure = put_failure(&json, db);
        status = status == TRP_OK ? failure : status;
    }
    json_text(&json, "out", directory);
    json_close(&json, '}');
    (void)fputc('\n', out);
    return status == TRP_OK && (fflush(out) != 0 || ferror(out) != 0) ? TRP_EIO : status;
}
