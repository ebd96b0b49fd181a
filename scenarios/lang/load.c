/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/load.h"

#include <stdlib.h>

#include "scenarios/lang/draft.h"
#include "scenarios/lang/merge.h"
#include "scenarios/lang/resolve.h"

struct trp_load {
    struct lang_arena arena;
    struct lang_problems problems;
    struct lang_context context;
    struct trp_plan plan;
    const struct lang_node *root;
};

static void load_check(struct trp_load *load)
{
    struct lang_context *context = &load->context;
    struct trp_plan *plan = &load->plan;
    lang_read(context, load->root);
    plan->name = context->draft.name;
    plan->about = context->draft.about;
    plan->tags = context->draft.tags.words;
    plan->tags_count = context->draft.tags.count;
}

/* Lays "path=value" over the scenario. */
static void load_set(struct trp_load *load, const char *origin, const char *setting)
{
    const char *text = lang_arena_copy(&load->arena, setting, strlen(setting));
    const struct lang_node *root = lang_merge_setting(&load->problems, load->root, origin, text);
    load->root = root == NULL ? load->root : root;
}

static struct trp_load *load_make(const struct trp_vocabulary *vocabulary)
{
    struct trp_load *load = lang_heap_take(NULL, sizeof *load);
    *load = (struct trp_load){0};
    load->problems.arena = &load->arena;
    load->context = (struct lang_context){.arena = &load->arena,
                                          .problems = &load->problems,
                                          .vocabulary = vocabulary,
                                          .selectors = {.arena = &load->arena, .plan = &load->plan},
                                          .plan = &load->plan};
    return load;
}

struct trp_load *trp_load_open(const struct trp_load_options *options)
{
    struct trp_load *load = load_make(options->vocabulary);
    const char *path = lang_arena_copy(&load->arena, options->path, strlen(options->path));
    const char *text = options->text;
    if (text != NULL)
        text = lang_arena_copy(&load->arena, text, options->text_bytes);
    load->root = lang_merge_file(&load->problems, path, text, options->text_bytes);
    for (uint32_t i = 0; load->root != NULL && i < options->settings_count; i++)
        load_set(load, "--set", options->settings[i]);
    if (load->root != NULL)
        load_check(load);
    lang_problems_sort(&load->problems);
    return load;
}

struct trp_load *trp_load_over(const struct trp_load *below, const char *origin,
                               const char *const *settings, uint32_t settings_count)
{
    struct trp_load *load = load_make(below->context.vocabulary);
    for (uint32_t i = 0; i < below->problems.sources_count; i++)
        (void)lang_source_add(&load->problems, below->problems.sources[i]);
    load->root = below->root;
    for (uint32_t i = 0; load->root != NULL && i < settings_count; i++)
        load_set(load, origin, settings[i]);
    if (load->root != NULL)
        load_check(load);
    lang_problems_sort(&load->problems);
    return load;
}

void trp_load_free(struct trp_load *load)
{
    if (load == NULL)
        return;
    lang_arena_free(&load->arena);
    free(load);
}

const struct trp_plan *trp_load_plan(const struct trp_load *load)
{
    return load->problems.count == 0 ? &load->plan : NULL;
}

uint32_t trp_load_problems(const struct trp_load *load)
{
    return load->problems.count;
}

struct trp_problem trp_load_problem(const struct trp_load *load, uint32_t index)
{
    const struct lang_problem *problem = &load->problems.items[index];
    const struct lang_source *source = &load->problems.sources[problem->mark.source];
    return (struct trp_problem){.place = {.file = source->path,
                                          .line = problem->mark.line + 1,
                                          .column = problem->mark.column + 1},
                                .message = problem->message,
                                .hint = problem->hint};
}

char *trp_load_print_problems(const struct trp_load *load)
{
    struct lang_text text = {0};
    for (uint32_t i = 0; i < load->problems.count; i++)
        lang_problem_print(&load->problems, i, &text);
    if (load->problems.dropped != 0)
        lang_text_add(&text, "and more: only the first %u problems are shown\n", LANG_PROBLEMS_MAX);
    return lang_text_take(&text);
}

char *trp_load_print_resolved(const struct trp_load *load)
{
    return load->problems.count == 0 ? lang_resolve_print(&load->problems, load->root) : NULL;
}
