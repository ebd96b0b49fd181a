/* SPDX-License-Identifier: MIT */
/* lib/vectors.h - lines of tests/vectors: a name, one space, the rest; # begins a comment. */
#ifndef LIB_VECTORS_H
#define LIB_VECTORS_H

#include "lib/test.h"

#include <stdio.h>

#define TEST_VECTOR_LINE_MAX 8192u

/* Reads what follows `name` in a file of vectors; fails the test when it is not there. */
static inline void test_vector(const char *file_name, const char *name,
                               char ret_rest[TEST_VECTOR_LINE_MAX])
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/vectors/%s", TESTS_DIR, file_name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = strlen(name);
    bool found = false;
    while (!found && fgets(ret_rest, (int)TEST_VECTOR_LINE_MAX, file) != NULL) {
        found = strncmp(ret_rest, name, size) == 0 && ret_rest[size] == ' ';
    }
    (void)fclose(file);
    if (!found) {
        fail_msg("no vector %s in %s", name, file_name);
    }
    memmove(ret_rest, ret_rest + size + 1, strlen(ret_rest + size + 1) + 1);
    ret_rest[strcspn(ret_rest, "\r\n")] = '\0';
}

/* The same as bytes. */
static inline struct trp_bytes test_vector_bytes(const char *file_name, const char *name,
                                                 uint8_t out[TEST_VECTOR_LINE_MAX / 2])
{
    char hex[TEST_VECTOR_LINE_MAX];
    test_vector(file_name, name, hex);
    return trp_bytes(out, test_unhex(hex, out, TEST_VECTOR_LINE_MAX / 2));
}

#endif
