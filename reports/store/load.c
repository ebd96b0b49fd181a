/* SPDX-License-Identifier: MIT */
#include "reports/store/db.h"
#include "reports/store/record.h"
#include "reports/store/utf8.h"

#include <troupe/peer_id.h>

#include <stdlib.h>

/* The base58 texts of PeerIds seen: making one takes a thousand divisions, and
 * a run has few peers in many events. */
#define PEER_CACHE_SLOTS 4096u
struct peer_cache {
    struct {
        struct trp_peer_id peer;
        char text[TRP_PEER_ID_TEXT_MAX];
    } slots[PEER_CACHE_SLOTS];
};

/* One INSERT under way. Columns are bound in order; a failure sticks until the end. */
struct insert {
    sqlite3_stmt *statement;
    const struct texts *texts;
    struct peer_cache *peers; /* while events are loaded */
    int column;
    int result; /* of SQLite */
};

static enum trp_status insert_open(struct insert *insert, sqlite3 *sqlite, const char *sql,
                                   const struct texts *texts, struct trp_run_error *error)
{
    *insert = (struct insert){.texts = texts};
    insert->result =
        sqlite3_prepare_v3(sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &insert->statement, NULL);
    return insert->result == SQLITE_OK ? TRP_OK : db_failure(sqlite, error);
}

/* Ends the inserts; also after a failed open. */
static enum trp_status insert_close(struct insert *insert, struct trp_run_error *error)
{
    enum trp_status status = TRP_OK;
    if (insert->statement != NULL && insert->result != SQLITE_OK) {
        status = db_failure(sqlite3_db_handle(insert->statement), error);
    }
    (void)sqlite3_finalize(insert->statement);
    return status;
}

static void note(struct insert *insert, int result)
{
    if (insert->result == SQLITE_OK) {
        insert->result = result;
    }
}

static void put_null(struct insert *insert)
{
    note(insert, sqlite3_bind_null(insert->statement, ++insert->column));
}

/* Binds a text that is clean; it is borrowed until the row is in. */
static void put_clean(struct insert *insert, const char *text, size_t size)
{
    note(insert, sqlite3_bind_text64(insert->statement, ++insert->column, text, size, SQLITE_STATIC,
                                     SQLITE_UTF8));
}

/* Binds a text of a peer or a user; it is borrowed until the row is in. */
static void put_bytes(struct insert *insert, struct trp_bytes text)
{
    if (utf8_is_clean(text)) {
        put_clean(insert, text.size == 0 ? "" : (const char *)text.data, text.size);
        return;
    }
    char *clean = sqlite3_malloc64(text.size * 3);
    if (clean == NULL) {
        note(insert, SQLITE_NOMEM);
        return;
    }
    size_t size = utf8_clean(text, clean, text.size * 3);
    note(insert, sqlite3_bind_text64(insert->statement, ++insert->column, clean, size, sqlite3_free,
                                     SQLITE_UTF8));
}

/* Binds one of our own words, which live for ever. */
static void put_word(struct insert *insert, const char *word)
{
    put_clean(insert, word, strlen(word));
}

/* Binds a text that is gone before the row is in. */
static void put_copy(struct insert *insert, const char *text, size_t size)
{
    note(insert, sqlite3_bind_text64(insert->statement, ++insert->column, text, size,
                                     SQLITE_TRANSIENT, SQLITE_UTF8));
}

static void put_text(struct insert *insert, uint32_t id)
{
    const char *text = texts_at(insert->texts, id);
    if (text == NULL) {
        put_null(insert);
    } else {
        put_bytes(insert, trp_bytes_text(text));
    }
}

static void put_number(struct insert *insert, uint64_t number)
{
    if (number <= INT64_MAX) {
        note(insert, sqlite3_bind_int64(insert->statement, ++insert->column, (int64_t)number));
    } else {
        char text[24];
        int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
        put_copy(insert, text, (size_t)size);
    }
}

static void put_signed(struct insert *insert, int64_t number)
{
    note(insert, sqlite3_bind_int64(insert->statement, ++insert->column, number));
}

/* Binds NULL for `none`. */
static void put_unless(struct insert *insert, uint64_t number, uint64_t none)
{
    if (number == none) {
        put_null(insert);
    } else {
        put_number(insert, number);
    }
}

static void put_real(struct insert *insert, double value)
{
    note(insert, sqlite3_bind_double(insert->statement, ++insert->column, value));
}

static void insert_row(struct insert *insert)
{
    if (insert->result == SQLITE_OK) {
        (void)sqlite3_step(insert->statement);
        insert->result = sqlite3_reset(insert->statement);
    }
    insert->column = 0;
}

static void put_hex(struct insert *insert, struct trp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * EVENT_LOG_VALUE_BYTES_MAX];
    for (size_t i = 0; i < bytes.size; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15u];
    }
    put_copy(insert, text, 2 * bytes.size);
}

static void put_peer(struct insert *insert, struct trp_bytes bytes)
{
    struct trp_peer_id peer;
    if (bytes.size == 0) {
        put_null(insert);
        return;
    }
    if (trp_peer_id_decode(bytes, &peer) != TRP_OK) {
        put_hex(insert, bytes);
        return;
    }
    uint32_t slot = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < bytes.size; i++) {
        slot = (slot ^ bytes.data[i]) * 16777619u;
    }
    slot %= PEER_CACHE_SLOTS;
    char *text = insert->peers->slots[slot].text;
    if (!trp_peer_id_equal(&insert->peers->slots[slot].peer, &peer)) {
        insert->peers->slots[slot].peer = peer;
        trp_peer_id_print(&peer, text);
    }
    /* A copy: another peer of the same row may take the slot. */
    put_copy(insert, text, strlen(text));
}

static void put_value(struct insert *insert, enum trp_trace_field_type type,
                      const union trp_trace_value *value)
{
    switch (type) {
    case TRP_TRACE_U64:
        put_number(insert, value->number);
        break;
    case TRP_TRACE_I64:
        put_signed(insert, (int64_t)value->number);
        break;
    case TRP_TRACE_SPAN:
        put_unless(insert, value->number, TRP_NEVER);
        break;
    case TRP_TRACE_STATUS:
        put_word(insert, trp_status_name((enum trp_status)(int64_t)value->number));
        break;
    case TRP_TRACE_TEXT:
        put_bytes(insert, value->bytes);
        break;
    case TRP_TRACE_HEX:
        put_hex(insert, value->bytes);
        break;
    case TRP_TRACE_PEER:
        put_peer(insert, value->bytes);
        break;
    }
}

static void load_events(struct insert *insert, const struct trp_run_record *record)
{
    struct event_cursor cursor = event_log_begin(&record->events);
    insert->peers = calloc(1, sizeof *insert->peers);
    if (insert->peers == NULL) {
        note(insert, SQLITE_NOMEM);
        return;
    }
    struct trp_trace_event event;
    while (insert->result == SQLITE_OK && event_log_next(&cursor, &event)) {
        put_number(insert, event.sequence);
        put_number(insert, event.time);
        put_number(insert, event.node);
        put_number(insert, event.kind->id);
        put_unless(insert, event.cause, 0);
        for (uint32_t i = 0; i < TRP_TRACE_FIELDS_MAX; i++) {
            if (i < event.kind->fields_count) {
                put_value(insert, event.kind->fields[i].type, &event.values[i]);
            } else {
                put_null(insert);
            }
        }
        insert_row(insert);
    }
    free(insert->peers);
}

static void load_hosts(struct insert *insert, const struct trp_run_record *record)
{
    const struct host_row *rows = record->hosts.data;
    for (size_t i = 0; i < record->hosts.count; i++) {
        const struct host_row *row = &rows[i];
        put_number(insert, row->index);
        put_text(insert, row->name);
        put_text(insert, row->group);
        put_text(insert, row->zone);
        put_text(insert, row->peer);
        put_text(insert, row->address);
        put_unless(insert, row->started, TRP_NEVER);
        if (row->has_totals) {
            put_number(insert, row->totals.bytes_sent);
            put_number(insert, row->totals.bytes_received);
            put_number(insert, row->totals.connections);
            put_number(insert, row->totals.lives);
            put_number(insert, row->totals.up);
        } else {
            for (uint32_t k = 0; k < 5; k++) {
                put_null(insert);
            }
        }
        insert_row(insert);
    }
}

static void load_requests(struct insert *insert, const struct trp_run_record *record)
{
    const struct request_row *rows = record->requests.data;
    for (size_t i = 0; i < record->requests.count; i++) {
        const struct request_row *row = &rows[i];
        put_number(insert, i + 1);
        put_word(insert, row->kind == TRP_RUN_ASK ? "ask" : "tell");
        put_text(insert, row->workload);
        put_unless(insert, row->host, TRP_RUN_NO_HOST);
        put_text(insert, row->actor);
        put_text(insert, row->message);
        put_number(insert, row->started);
        put_unless(insert, row->finished, TRP_NEVER);
        if (row->outcomes == 0) {
            put_null(insert);
        } else {
            put_word(insert, trp_status_name((enum trp_status)row->status));
        }
        put_number(insert, row->outcomes);
        put_unless(insert, row->cause, 0);
        insert_row(insert);
    }
}

static void put_lookup_end(struct insert *insert, const struct trp_run_lookup_end *end)
{
    put_number(insert, end->finished);
    put_word(insert, trp_status_name(end->status));
    put_number(insert, end->found);
    put_number(insert, end->hops);
    put_number(insert, end->rpcs);
    put_number(insert, end->timeouts);
}

static void load_lookups(struct insert *insert, const struct trp_run_record *record)
{
    const struct lookup_row *rows = record->lookups.data;
    for (size_t i = 0; i < record->lookups.count; i++) {
        const struct lookup_row *row = &rows[i];
        put_number(insert, i + 1);
        put_text(insert, row->workload);
        put_unless(insert, row->host, TRP_RUN_NO_HOST);
        put_text(insert, row->name);
        put_number(insert, row->started);
        if (row->end.finished != TRP_NEVER) {
            put_lookup_end(insert, &row->end);
        } else {
            for (uint32_t k = 0; k < 6; k++) {
                put_null(insert);
            }
        }
        put_unless(insert, row->cause, 0);
        insert_row(insert);
    }
}

static void load_faults(struct insert *insert, const struct trp_run_record *record)
{
    const struct fault_row *rows = record->faults.data;
    for (size_t i = 0; i < record->faults.count; i++) {
        put_number(insert, rows[i].id);
        put_text(insert, rows[i].kind);
        put_text(insert, rows[i].text);
        put_number(insert, rows[i].started);
        put_unless(insert, rows[i].ended, TRP_NEVER);
        put_unless(insert, rows[i].sequence, 0);
        insert_row(insert);
    }
}

static void load_fault_hosts(struct insert *insert, const struct trp_run_record *record)
{
    const struct fault_row *rows = record->faults.data;
    const uint32_t *hosts = record->fault_hosts.data;
    for (size_t i = 0; i < record->faults.count; i++) {
        for (uint32_t k = 0; k < rows[i].hosts_count; k++) {
            put_number(insert, rows[i].id);
            put_number(insert, hosts[rows[i].hosts_first + k]);
            insert_row(insert);
        }
    }
}

static void load_metric_names(struct insert *insert, const struct trp_run_record *record)
{
    const struct metric_row *rows = record->metrics.data;
    for (size_t i = 0; i < record->metrics.count; i++) {
        put_number(insert, i + 1);
        put_text(insert, rows[i].name);
        put_text(insert, rows[i].unit);
        put_text(insert, rows[i].about);
        insert_row(insert);
    }
}

static void load_samples(struct insert *insert, const struct trp_run_record *record)
{
    const struct sample_row *rows = record->samples.data;
    for (size_t i = 0; i < record->samples.count; i++) {
        put_number(insert, rows[i].metric);
        put_number(insert, rows[i].time);
        put_unless(insert, rows[i].host, TRP_RUN_NO_HOST);
        put_real(insert, rows[i].value);
        insert_row(insert);
    }
}

static void load_statuses(struct insert *insert, const struct trp_run_record *record)
{
    static const char *const classes[] = {"ok", "flow", "usage", "peer", "local", "io", "actor"};
    static const enum trp_status all[] = {
#define STATUS_VALUE(name, value, class_, text) TRP_##name,
        TRP_STATUS_MAP(STATUS_VALUE)
#undef STATUS_VALUE
    };
    (void)record;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        put_word(insert, trp_status_name(all[i]));
        put_signed(insert, all[i]);
        put_word(insert, classes[trp_status_class(all[i])]);
        put_word(insert, trp_status_text(all[i]));
        insert_row(insert);
    }
}

static void load_run(struct insert *insert, const struct trp_run_record *record)
{
    const struct run_row *run = &record->run;
    const uint32_t texts[] = {run->scenario, run->about, run->file, run->source, run->decisions};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put_text(insert, texts[i]);
    }
    put_number(insert, run->seed);
    const uint32_t more[] = {run->settings,  run->version,  run->net,
                             run->transport, run->security, run->reproduce};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        put_text(insert, more[i]);
    }
    put_word(insert, trp_run_outcome_name(run->end.outcome));
    put_text(insert, run->failure);
    put_text(insert, run->trace_hash);
    struct trp_run_dropped dropped = trp_run_record_dropped(record);
    const uint64_t numbers[] = {run->end.events,  run->end.happenings,     run->end.sim_ns,
                                run->end.wall_ns, run->end.peak_rss_bytes, dropped.events,
                                record->skipped,  dropped.requests,        dropped.lookups,
                                dropped.samples,  dropped.others};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        put_number(insert, numbers[i]);
    }
    insert_row(insert);
}

static void load_expectations(struct insert *insert, const struct trp_run_record *record)
{
    const struct expectation_row *rows = record->expectations.data;
    for (size_t i = 0; i < record->expectations.count; i++) {
        const struct trp_run_expectation *said = &rows[i].said;
        put_number(insert, i + 1);
        put_text(insert, rows[i].kind);
        put_text(insert, rows[i].text);
        put_word(insert, trp_run_verdict_name(said->verdict));
        if (said->has_value) {
            put_real(insert, said->value);
        } else {
            put_null(insert);
        }
        put_text(insert, rows[i].unit);
        put_text(insert, rows[i].detail);
        put_unless(insert, said->failed, TRP_NEVER);
        put_unless(insert, said->sequence, 0);
        put_unless(insert, said->line, 0);
        insert_row(insert);
    }
}

/* How the rows of one table are inserted. */
struct table {
    const char *sql;
    void (*load)(struct insert *insert, const struct trp_run_record *record);
};

static enum trp_status load_tables(sqlite3 *sqlite, const struct trp_run_record *record,
                                   const struct table *tables, size_t tables_count,
                                   struct trp_run_error *error)
{
    for (size_t i = 0; i < tables_count; i++) {
        struct insert insert;
        enum trp_status status = insert_open(&insert, sqlite, tables[i].sql, &record->texts, error);
        if (status == TRP_OK) {
            tables[i].load(&insert, record);
            status = insert_close(&insert, error);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

enum trp_status db_load_rows(sqlite3 *sqlite, const struct trp_run_record *record,
                             struct trp_run_error *error)
{
    static const struct table tables[] = {
        {"INSERT INTO status VALUES (?,?,?,?)", load_statuses},
        {"INSERT INTO host VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", load_hosts},
        {"INSERT INTO request VALUES (?,?,?,?,?,?,?,?,?,?,?)", load_requests},
        {"INSERT INTO lookup VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", load_lookups},
        {"INSERT INTO fault VALUES (?,?,?,?,?,?)", load_faults},
        {"INSERT INTO fault_host VALUES (?,?)", load_fault_hosts},
        {"INSERT INTO metric_name VALUES (?,?,?,?)", load_metric_names},
        {"INSERT INTO metric_sample VALUES (?,?,?,?)", load_samples},
        {"INSERT INTO event_row VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", load_events},
    };
    return load_tables(sqlite, record, tables, sizeof tables / sizeof tables[0], error);
}

enum trp_status db_load_verdicts(sqlite3 *sqlite, const struct trp_run_record *record,
                                 struct trp_run_error *error)
{
    static const struct table tables[] = {
        {"INSERT INTO expectation VALUES (?,?,?,?,?,?,?,?,?,?)", load_expectations},
        {"INSERT INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", load_run},
    };
    return load_tables(sqlite, record, tables, sizeof tables / sizeof tables[0], error);
}
