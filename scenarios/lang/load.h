/* SPDX-License-Identifier: MIT */
/* lang/load.h - from a scenario file to a plan, with every problem of the file in one pass.
 *
 * Ownership  A load owns its plan, its problems and the texts both point to.
 * Failure    Without memory a tool has nothing left to do: the program ends with status 5.
 * Limits     1 MiB per file, 8 files by extends:, 64 levels, 65,536 nodes with aliases expanded,
 *            100 problems. */
#ifndef LANG_LOAD_H
#define LANG_LOAD_H

#include "scenarios/lang/plan.h"

/* What the words of a scenario may mean; borrowed for the life of the plan. */
struct trp_vocabulary_actor {
    const char *name; /* as a scenario says it */
    const char *about;
    const struct trp_actor_type *type;
};
struct trp_vocabulary_metric {
    const char *name; /* "dht.recall_at_k"; of a workload entry: "latency.p99" */
    const char *about;
    enum trp_unit unit;
};
struct trp_vocabulary_always {
    const char *name;
    const char *about;
};
struct trp_vocabulary {
    const struct trp_vocabulary_actor *actors;
    uint32_t actors_count;
    const struct trp_vocabulary_metric *metrics; /* of the world */
    uint32_t metrics_count;
    const struct trp_vocabulary_metric *workload_metrics; /* of each workload entry */
    uint32_t workload_metrics_count;
    const struct trp_vocabulary_always *always;
    uint32_t always_count;
};

struct trp_load_options {
    const char *path;            /* of the file; also what problems call it */
    const char *text;            /* its content; NULL: read the file */
    size_t text_bytes;           /* with text */
    const char *const *settings; /* "path=value" of --set, applied in order */
    uint32_t settings_count;
    const struct trp_vocabulary *vocabulary;
};

struct trp_load;

/* Reads, merges and checks; never NULL. With problems there is no plan. Free with trp_load_free. */
struct trp_load *trp_load_open(const struct trp_load_options *options);
void trp_load_free(struct trp_load *load);
/* Lays settings over the scenario of another load, which must outlive this one and is to be without
 * problems of reading. `origin` is what stands for the place of a setting. */
struct trp_load *trp_load_over(const struct trp_load *below, const char *origin,
                               const char *const *settings, uint32_t settings_count);

/* Borrows the plan; NULL when there are problems. */
const struct trp_plan *trp_load_plan(const struct trp_load *load);
/* Gives how many problems there are. */
uint32_t trp_load_problems(const struct trp_load *load);
/* Gives a problem in the order of the files, lines and columns: what is wrong and, unless it is "",
 * what may help; borrowed from the load. */
struct trp_problem {
    struct trp_place place;
    const char *message;
    const char *hint;
};
struct trp_problem trp_load_problem(const struct trp_load *load, uint32_t index);
/* Writes every problem for people, each with file:line:column, the source line, a caret and what to
 * do: as text with a NUL that the caller frees with free(). */
char *trp_load_print_problems(const struct trp_load *load);
/* Writes the effective scenario: everything merged and every default said, each line with where its
 * value comes from; a valid scenario again. NULL when there are problems; to be freed with free().
 */
char *trp_load_print_resolved(const struct trp_load *load);

#endif
