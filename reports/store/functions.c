/* SPDX-License-Identifier: MIT */
/* percentile(x, p): the nearest-rank percentile of the values that are not NULL. Windows can say
 * the same in plain SQL, at ten times the cost. */
#include "reports/store/db.h"

#include <math.h>
#include <stdlib.h>

struct sample {
    double *values;
    size_t count;
    size_t room;
    double percent;
};

static void percentile_step(sqlite3_context *context, int arguments, sqlite3_value **values)
{
    (void)arguments;
    struct sample *sample = sqlite3_aggregate_context(context, sizeof *sample);
    double percent = sqlite3_value_double(values[1]);
    if (sample == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (!(percent > 0 && percent <= 100)) {
        sqlite3_result_error(context, "percentile: p must be above 0 and at most 100", -1);
        return;
    }
    if (sqlite3_value_numeric_type(values[0]) == SQLITE_NULL) {
        return;
    }
    if (sample->count == sample->room) {
        size_t room = sample->room == 0 ? 64 : sample->room * 2;
        double *more = realloc(sample->values, room * sizeof *more);
        if (more == NULL) {
            sqlite3_result_error_nomem(context);
            return;
        }
        sample->values = more;
        sample->room = room;
    }
    sample->values[sample->count++] = sqlite3_value_double(values[0]);
    sample->percent = percent;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void percentile_final(sqlite3_context *context)
{
    struct sample *sample = sqlite3_aggregate_context(context, 0);
    if (sample == NULL || sample->count == 0) {
        sqlite3_result_null(context);
    } else {
        qsort(sample->values, sample->count, sizeof *sample->values, compare);
        size_t rank = (size_t)ceil((double)sample->count * sample->percent / 100);
        rank = rank < 1 ? 1 : rank > sample->count ? sample->count : rank;
        sqlite3_result_double(context, sample->values[rank - 1]);
    }
    if (sample != NULL) {
        free(sample->values);
        sample->values = NULL;
        sample->count = sample->room = 0;
    }
}

enum trp_status db_create_functions(sqlite3 *sqlite, struct trp_run_error *error)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int result = sqlite3_create_function_v2(sqlite, "percentile", 2, flags, NULL, NULL,
                                            percentile_step, percentile_final, NULL);
    return result == SQLITE_OK ? TRP_OK : db_failure(sqlite, error);
}
