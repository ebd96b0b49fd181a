/* SPDX-License-Identifier: MIT */
#include "reports/store/db.h"

#include <troupe/trace.h>

static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
static const char *const types[] = {"u64", "i64", "span", "status", "text", "hex", "peer"};

/* A field whose name one of the fixed columns has gets "_" behind it. */
static const char *column_suffix(const char *field)
{
    static const char *const fixed[] = {"seq", "time_ns", "host", "cause"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(field, fixed[i]) == 0) {
            return "_";
        }
    }
    return "";
}

static void append_kind(sqlite3_str *sql, const struct trp_trace_kind *kind)
{
    sqlite3_str_appendf(sql, "INSERT INTO event_kind VALUES (%d, %Q, %Q, %Q);\n", kind->id,
                        kind->name, levels[kind->level], kind->about);
    for (uint32_t i = 0; i < kind->fields_count; i++) {
        sqlite3_str_appendf(sql, "INSERT INTO event_field VALUES (%d, %u, %Q, %Q, %Q);\n", kind->id,
                            i + 1, kind->fields[i].name, types[kind->fields[i].type],
                            kind->fields[i].about);
    }
    sqlite3_str_appendf(sql, "CREATE VIEW event_%s AS SELECT seq, time_ns, host, cause",
                        kind->name);
    for (uint32_t i = 0; i < kind->fields_count; i++) {
        const char *name = kind->fields[i].name;
        sqlite3_str_appendf(sql, ", v%u AS \"%w%s\"", i + 1, name, column_suffix(name));
    }
    sqlite3_str_appendf(sql, " FROM event_row WHERE kind = %d;\n", kind->id);
}

/* The view of all events, with the fields of each as text: "peer=12D3KooW… limit=connections". */
static void append_event_view(sqlite3_str *sql)
{
    sqlite3_str_appendall(sql, "CREATE VIEW event AS SELECT seq, time_ns, host, "
                               "event_kind.name AS kind, level, cause, CASE event_row.kind\n");
    const struct trp_trace_kind *kind;
    for (uint32_t k = 0; (kind = trp_trace_kind_at(k)) != NULL; k++) {
        sqlite3_str_appendf(sql, " WHEN %d THEN ", kind->id);
        for (uint32_t i = 0; i < kind->fields_count; i++) {
            sqlite3_str_appendf(sql, "%s'%s=' || ifnull(v%u, '')", i == 0 ? "" : " || ' ' || ",
                                kind->fields[i].name, i + 1);
        }
        sqlite3_str_appendall(sql, kind->fields_count == 0 ? "''\n" : "\n");
    }
    sqlite3_str_appendall(sql, " END AS fields, v1, v2, v3, v4, v5, v6, v7, v8 "
                               "FROM event_row JOIN event_kind ON event_kind.id = event_row.kind;");
}

enum trp_status db_create_views(sqlite3 *sqlite, struct trp_run_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(sqlite);
    const struct trp_trace_kind *kind;
    for (uint32_t i = 0; (kind = trp_trace_kind_at(i)) != NULL; i++) {
        append_kind(sql, kind);
    }
    append_event_view(sql);
    char *text = sqlite3_str_finish(sql);
    if (text == NULL) {
        error_set(error, "out of memory");
        return TRP_ENOMEM;
    }
    enum trp_status status = db_exec(sqlite, text, error);
    sqlite3_free(text);
    return status;
}
