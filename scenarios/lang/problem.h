/* SPDX-License-Identifier: MIT */
/* lang/problem.h - the texts a scenario is made of, places in them, and what is wrong there.
 *
 * Limits     100 problems are kept; more are counted. */
#ifndef LANG_PROBLEM_H
#define LANG_PROBLEM_H

#include "scenarios/lang/arena.h"
#include "scenarios/lang/scalar.h"

#define LANG_PROBLEMS_MAX 100u

/* A file or a --set. */
struct lang_source {
    const char *path; /* what problems call it */
    const char *text;
    size_t size;
    bool is_setting; /* of the command line */
};

/* A run of characters on one line. */
struct lang_mark {
    uint32_t source; /* index */
    uint32_t line;   /* from 0 */
    uint32_t column; /* in characters, from 0 */
    uint32_t width;  /* in characters */
};

struct lang_problem {
    struct lang_mark mark;
    const char *message;
    const char *hint;
    uint32_t order; /* in which it was found: the last word of the sorting order */
};

struct lang_problems {
    struct lang_arena *arena;
    struct lang_source *sources;
    uint32_t sources_count;
    uint32_t sources_room;
    struct lang_problem items[LANG_PROBLEMS_MAX];
    uint32_t count;   /* kept */
    uint32_t dropped; /* found after the table was full */
};

/* Adds a text; gives its index. The text is borrowed for the life of the problems. */
uint32_t lang_source_add(struct lang_problems *problems, struct lang_source source);
void lang_problem_add(struct lang_problems *problems, struct lang_mark mark, const char *format,
                      ...) TRP_PRINTF(3, 4);
/* Says what may help with the problem added last. */
void lang_problem_hint(struct lang_problems *problems, const char *format, ...) TRP_PRINTF(2, 3);
/* Puts them in the order of the sources, lines and columns. */
void lang_problems_sort(struct lang_problems *problems);
/* Writes one problem with its source line and a caret. */
void lang_problem_print(const struct lang_problems *problems, uint32_t index,
                        struct lang_text *text);

/* Finds the line of a text; false past the end. Lines end as in YAML 1.1. */
bool lang_source_line(const struct lang_source *source, uint32_t line, struct trp_bytes *ret_line);
/* Gives the place of a byte. */
struct lang_mark lang_source_mark(const struct lang_problems *problems, uint32_t source,
                                  size_t byte);
/* Counts characters of UTF-8. */
uint32_t lang_characters(const char *text, size_t size);

/* Candidates of a misspelt word: offer them all, then ask for the nearest. */
struct lang_nearest {
    const char *word;
    size_t word_size;
    const char *best;
    size_t best_size;
    uint32_t distance;
};
struct lang_nearest lang_nearest_to(const char *word, size_t size);
void lang_nearest_offer(struct lang_nearest *nearest, const char *candidate);
void lang_nearest_offer_bytes(struct lang_nearest *nearest, const char *candidate, size_t size);
/* Adds "did you mean `x`?" to the last problem when something was near enough; says whether. */
bool lang_nearest_hint(const struct lang_nearest *nearest, struct lang_problems *problems);
/* The same for a fault. */
bool lang_nearest_fault(const struct lang_nearest *nearest, struct lang_fault *fault);

#endif
