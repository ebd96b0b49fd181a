/* SPDX-License-Identifier: MIT */
/* reports/embedded.h - the SQL and CSS files of this directory, as texts within the program.
 *
 * X(name) for each: reports/query/slowest.sql is embedded_query_slowest_sql. The list in
 * reports/CMakeLists.txt says which files; a missing one does not link. */
#ifndef REPORTS_EMBEDDED_H
#define REPORTS_EMBEDDED_H

#define EMBEDDED_MAP(X)                                                                            \
    X(store_schema_sql)                                                                            \
    X(store_indexes_sql)

#define EMBEDDED_DECLARE(name) extern const unsigned char embedded_##name[];
EMBEDDED_MAP(EMBEDDED_DECLARE)
#undef EMBEDDED_DECLARE

#define EMBEDDED(name) ((const char *)embedded_##name)

#endif
