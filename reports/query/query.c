/* SPDX-License-Identifier: MIT */
#include "reports/query/query.h"

struct query query_open(struct trp_run_db *db, const char *sql)
{
    struct query query = {.status = TRP_OK};
    if (sqlite3_prepare_v2(db->sqlite, sql, -1, &query.statement, NULL) != SQLITE_OK) {
        query.status = TRP_EMALFORMED;
    }
    return query;
}

enum trp_status query_close(struct query *query)
{
    (void)sqlite3_finalize(query->statement);
    query->statement = NULL;
    return query->status;
}

static int parameter_index(struct query *query, const char *parameter)
{
    int index = sqlite3_bind_parameter_index(query->statement, parameter);
    if (index == 0 && query->status == TRP_OK) {
        query->status = TRP_EINVAL;
    }
    return index;
}

void query_bind_number(struct query *query, const char *parameter, int64_t number)
{
    if (query->statement != NULL) {
        (void)sqlite3_bind_int64(query->statement, parameter_index(query, parameter), number);
    }
}

void query_bind_text(struct query *query, const char *parameter, const char *text)
{
    if (query->statement != NULL) {
        (void)sqlite3_bind_text(query->statement, parameter_index(query, parameter), text, -1,
                                SQLITE_STATIC);
    }
}

bool query_next(struct query *query)
{
    if (query->statement == NULL || query->status != TRP_OK) {
        return false;
    }
    int result = sqlite3_step(query->statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        query->status = result == SQLITE_NOMEM ? TRP_ENOMEM : TRP_EIO;
    }
    return result == SQLITE_ROW;
}

bool query_is_null(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

int64_t query_number(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double query_real(const struct query *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

const char *query_text(const struct query *query, int column)
{
    const unsigned char *text = sqlite3_column_text(query->statement, column);
    return text == NULL ? "" : (const char *)text;
}
