/* SPDX-License-Identifier: MIT */
/* reports/query/query.h - the statements of the *.sql files beside, over the database of a run.
 *
 * Each file says what it gives and which parameters it takes; a column is found by its place.
 * Ownership  Texts are borrowed until the next step or close. */
#ifndef REPORTS_QUERY_QUERY_H
#define REPORTS_QUERY_QUERY_H

#include "reports/embedded.h"
#include "reports/store/db.h"

struct query {
    sqlite3_stmt *statement; /* NULL: could not be prepared; it gives no rows */
    enum trp_status status;  /* of the first failure */
};

/* Prepares a statement: query_open(db, QUERY(hops)). A failure shows as no rows and in `status`. */
struct query query_open(struct trp_run_db *db, const char *sql);
#define QUERY(name) EMBEDDED(query_##name##_sql)
/* Ends it and gives its first failure. */
enum trp_status query_close(struct query *query);

void query_bind_number(struct query *query, const char *parameter, int64_t number);
/* Borrows the text until close. */
void query_bind_text(struct query *query, const char *parameter, const char *text);

/* Goes to the next row; false at the end. */
bool query_next(struct query *query);
bool query_is_null(const struct query *query, int column);
int64_t query_number(const struct query *query, int column);
double query_real(const struct query *query, int column);
/* "" for NULL. */
const char *query_text(const struct query *query, int column);

#endif
