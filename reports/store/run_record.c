/* SPDX-License-Identifier: MIT */
#include "reports/store/record.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>

#define EVENTS_BYTES_DEFAULT (1024ull * 1024 * 1024)
#define ROWS_DEFAULT         4000000ull
#define ROOM_FIRST           64u
#define HOSTS_MAX            (1u << 20)

enum trp_status trp_run_record_new(const struct trp_run_limits *limits,
                                   struct trp_run_record **ret_record)
{
    struct trp_run_limits chosen = limits == NULL ? (struct trp_run_limits){0} : *limits;
    struct trp_run_record *record = calloc(1, sizeof *record);
    if (record == NULL) {
        return TRP_ENOMEM;
    }
    record->rows_max = chosen.rows == 0 ? ROWS_DEFAULT : chosen.rows;
    record->skip_events = chosen.skip_events;
    event_log_init(&record->events,
                   chosen.events_bytes == 0 ? EVENTS_BYTES_DEFAULT : chosen.events_bytes);
    *ret_record = record;
    return TRP_OK;
}

void trp_run_record_free(struct trp_run_record *record)
{
    if (record == NULL) {
        return;
    }
    texts_deinit(&record->texts);
    event_log_deinit(&record->events);
    struct rows *all[] = {&record->hosts,   &record->host_places, &record->requests,
                          &record->lookups, &record->faults,      &record->fault_hosts,
                          &record->metrics, &record->samples,     &record->expectations};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]->data);
    }
    free(record);
}

static void take_event(void *self, const struct trp_trace_event *event)
{
    struct trp_run_record *record = self;
    if (record->skip_events) {
        record->skipped++;
        return;
    }
    event_log_append(&record->events, event);
}

struct trp_trace_sink trp_run_record_sink(struct trp_run_record *record)
{
    return (struct trp_trace_sink){.event = take_event, .self = record};
}

struct trp_run_dropped trp_run_record_dropped(const struct trp_run_record *record)
{
    struct trp_run_dropped dropped = record->dropped;
    dropped.events = record->events.dropped;
    return dropped;
}

/* Gives a zeroed row at the end, or NULL. */
static void *rows_push(struct rows *rows, size_t row_bytes)
{
    if (rows->count == rows->room) {
        size_t room = rows->room == 0 ? ROOM_FIRST : rows->room * 2;
        void *data = room > SIZE_MAX / row_bytes ? NULL : realloc(rows->data, room * row_bytes);
        if (data == NULL) {
            return NULL;
        }
        rows->data = data;
        rows->room = room;
    }
    TRP_ASSERT(rows->data != NULL);
    void *row = (uint8_t *)rows->data + rows->count * row_bytes;
    memset(row, 0, row_bytes);
    rows->count++;
    return row;
}

/* The same under the limit of rows; what finds no room is counted. */
static void *rows_push_limited(const struct trp_run_record *record, struct rows *rows,
                               size_t row_bytes, uint64_t *dropped)
{
    void *row = rows->count < record->rows_max ? rows_push(rows, row_bytes) : NULL;
    if (row == NULL) {
        ++*dropped;
    }
    return row;
}

void trp_run_begin(struct trp_run_record *record, const struct trp_run_start *start)
{
    struct texts *texts = &record->texts;
    record->run.scenario = texts_add(texts, start->scenario);
    record->run.about = texts_add(texts, start->about);
    record->run.file = texts_add(texts, start->file);
    record->run.source = texts_add(texts, start->source);
    record->run.settings = texts_add(texts, start->settings);
    record->run.version = texts_add(texts, start->version);
    record->run.net = texts_add(texts, start->net);
    record->run.transport = texts_add(texts, start->transport);
    record->run.security = texts_add(texts, start->security);
    record->run.reproduce = texts_add(texts, start->reproduce);
    record->run.seed = start->seed;
}

void trp_run_finish(struct trp_run_record *record, const struct trp_run_end *end)
{
    record->run.failure = texts_add(&record->texts, end->failure);
    record->run.decisions = texts_add(&record->texts, end->decisions);
    record->run.trace_hash = texts_add(&record->texts, end->trace_hash);
    record->run.end = *end;
    record->ended = true;
}

static struct host_row *find_host(struct trp_run_record *record, uint32_t index)
{
    const uint32_t *places = record->host_places.data;
    uint32_t place = index < record->host_places.count ? places[index] : 0;
    return place == 0 ? NULL : (struct host_row *)record->hosts.data + (place - 1);
}

static struct host_row *add_host(struct trp_run_record *record, uint32_t index)
{
    if (index >= HOSTS_MAX) {
        return NULL;
    }
    while (record->host_places.count <= index) {
        if (rows_push(&record->host_places, sizeof(uint32_t)) == NULL) {
            return NULL;
        }
    }
    struct host_row *row = rows_push(&record->hosts, sizeof *row);
    if (row != NULL) {
        ((uint32_t *)record->host_places.data)[index] = (uint32_t)record->hosts.count;
    }
    return row;
}

void trp_run_host(struct trp_run_record *record, const struct trp_run_host *host)
{
    struct host_row *row = find_host(record, host->index);
    row = row == NULL ? add_host(record, host->index) : row;
    if (row == NULL) {
        record->dropped.others++;
        return;
    }
    row->index = host->index;
    row->name = texts_add(&record->texts, host->name);
    row->group = texts_add(&record->texts, host->group);
    row->zone = texts_add(&record->texts, host->zone);
    row->peer = texts_add(&record->texts, host->peer);
    row->address = texts_add(&record->texts, host->address);
    row->started = host->started;
}

void trp_run_host_totals(struct trp_run_record *record, uint32_t index,
                         const struct trp_run_host_totals *totals)
{
    struct host_row *row = find_host(record, index);
    if (row != NULL) {
        row->totals = *totals;
        row->has_totals = true;
    }
}

uint64_t trp_run_request_start(struct trp_run_record *record, const struct trp_run_request *request)
{
    struct request_row *row =
        rows_push_limited(record, &record->requests, sizeof *row, &record->dropped.requests);
    if (row == NULL) {
        return 0;
    }
    *row = (struct request_row){.started = request->started,
                                .finished = TRP_NEVER,
                                .cause = request->cause,
                                .host = request->host,
                                .workload = texts_add(&record->texts, request->workload),
                                .actor = texts_add(&record->texts, request->actor),
                                .message = texts_add(&record->texts, request->message),
                                .kind = (uint8_t)request->kind};
    return record->requests.count;
}

void trp_run_request_outcome(struct trp_run_record *record, uint64_t id, trp_time now,
                             enum trp_status status)
{
    if (id == 0 || id > record->requests.count) {
        return;
    }
    struct request_row *row = (struct request_row *)record->requests.data + (id - 1);
    if (row->outcomes == 0) {
        row->finished = now;
        row->status = (int16_t)status;
    }
    row->outcomes++;
}

uint64_t trp_run_lookup_start(struct trp_run_record *record, const struct trp_run_lookup *lookup)
{
    struct lookup_row *row =
        rows_push_limited(record, &record->lookups, sizeof *row, &record->dropped.lookups);
    if (row == NULL) {
        return 0;
    }
    *row = (struct lookup_row){.end = {.finished = TRP_NEVER},
                               .started = lookup->started,
                               .cause = lookup->cause,
                               .host = lookup->host,
                               .workload = texts_add(&record->texts, lookup->workload),
                               .name = texts_add(&record->texts, lookup->name)};
    return record->lookups.count;
}

void trp_run_lookup_finish(struct trp_run_record *record, uint64_t id,
                           const struct trp_run_lookup_end *end)
{
    if (id == 0 || id > record->lookups.count) {
        return;
    }
    struct lookup_row *row = (struct lookup_row *)record->lookups.data + (id - 1);
    if (row->end.finished == TRP_NEVER) {
        row->end = *end;
    }
}

void trp_run_fault_start(struct trp_run_record *record, const struct trp_run_fault *fault)
{
    uint32_t first = (uint32_t)record->fault_hosts.count;
    for (uint32_t i = 0; i < fault->hosts_count; i++) {
        uint32_t *host = rows_push(&record->fault_hosts, sizeof *host);
        if (host == NULL) {
            record->dropped.others++;
            return;
        }
        *host = fault->hosts[i];
    }
    struct fault_row *row = rows_push(&record->faults, sizeof *row);
    if (row == NULL) {
        record->dropped.others++;
        return;
    }
    *row = (struct fault_row){.id = fault->id,
                              .kind = texts_add(&record->texts, fault->kind),
                              .text = texts_add(&record->texts, fault->text),
                              .hosts_first = first,
                              .hosts_count = fault->hosts_count,
                              .started = fault->started,
                              .ended = TRP_NEVER,
                              .sequence = fault->sequence};
}

void trp_run_fault_end(struct trp_run_record *record, uint32_t id, trp_time ended)
{
    struct fault_row *faults = record->faults.data;
    for (size_t i = record->faults.count; i > 0; i--) {
        if (faults[i - 1].id == id && faults[i - 1].ended == TRP_NEVER) {
            faults[i - 1].ended = ended;
            return;
        }
    }
}

uint32_t trp_run_metric(struct trp_run_record *record, const char *name, const char *unit,
                        const char *about)
{
    uint32_t id = texts_add(&record->texts, name);
    struct metric_row *metrics = record->metrics.data;
    for (size_t i = 0; i < record->metrics.count; i++) {
        if (metrics[i].name == id) {
            return (uint32_t)i + 1;
        }
    }
    struct metric_row *row = id == 0 ? NULL : rows_push(&record->metrics, sizeof *row);
    if (row == NULL) {
        record->dropped.others++;
        return 0;
    }
    row->name = id;
    row->unit = texts_add(&record->texts, unit);
    row->about = texts_add(&record->texts, about);
    return (uint32_t)record->metrics.count;
}

void trp_run_sample(struct trp_run_record *record, uint32_t metric, trp_time time, uint32_t host,
                    double value)
{
    if (metric == 0 || metric > record->metrics.count || !isfinite(value)) {
        return;
    }
    struct sample_row *row =
        rows_push_limited(record, &record->samples, sizeof *row, &record->dropped.samples);
    if (row != NULL) {
        *row = (struct sample_row){.time = time, .value = value, .metric = metric, .host = host};
    }
}

void trp_run_expect(struct trp_run_record *record, const struct trp_run_expectation *expectation)
{
    struct expectation_row *row = rows_push(&record->expectations, sizeof *row);
    if (row == NULL) {
        record->dropped.others++;
        return;
    }
    row->said = *expectation;
    row->text = texts_add(&record->texts, expectation->text);
    row->kind = texts_add(&record->texts, expectation->kind);
    row->unit = texts_add(&record->texts, expectation->unit);
    row->detail = texts_add(&record->texts, expectation->detail);
}

const char *trp_run_outcome_name(enum trp_run_outcome outcome)
{
    static const char *const names[] = {"unfinished", "passed", "failed", "timed out"};
    return (size_t)outcome < sizeof names / sizeof names[0] ? names[outcome] : "?";
}

const char *trp_run_verdict_name(enum trp_run_verdict verdict)
{
    static const char *const names[] = {"held", "broken", "undecided"};
    return (size_t)verdict < sizeof names / sizeof names[0] ? names[verdict] : "?";
}
