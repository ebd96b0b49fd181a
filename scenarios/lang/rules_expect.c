/* SPDX-License-Identifier: MIT */
/* What the schema table cannot say of expectations. */
#include "scenarios/lang/draft.h"

#include <stdlib.h>

#define MILLION 1000000u

/* ---- metrics ---- */

static const struct trp_vocabulary_metric *metric_find(const struct trp_vocabulary_metric *metrics,
                                                       uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

static void report_metric(struct lang_context *context, struct lang_mark mark, const char *text)
{
    const struct trp_vocabulary *vocabulary = context->vocabulary;
    const struct trp_plan *plan = context->plan;
    size_t prefix = strcspn(text, ".");
    struct lang_nearest nearest = lang_nearest_to(text, strlen(text));
    struct lang_nearest entry = lang_nearest_to(text, prefix);
    for (uint32_t i = 0; i < vocabulary->metrics_count; i++)
        lang_nearest_offer(&nearest, vocabulary->metrics[i].name);
    for (uint32_t i = 0; i < plan->workload_count; i++)
        lang_nearest_offer(&entry, plan->workload[i].name);
    for (uint32_t i = 0; entry.best != NULL && i < vocabulary->workload_metrics_count; i++)
        lang_nearest_offer(&nearest, lang_arena_print(context->arena, "%s.%s", entry.best,
                                                      vocabulary->workload_metrics[i].name));
    lang_problem_add(context->problems, mark, "no metric is called `%s`", text);
    if (!lang_nearest_hint(&nearest, context->problems))
        lang_problem_hint(context->problems, "`troupe explain expect.metric` lists them");
}

static bool metric_read(struct lang_context *context, struct lang_mark mark, const char *text,
                        struct trp_plan_metric *ret_metric)
{
    const struct trp_vocabulary *vocabulary = context->vocabulary;
    const struct trp_vocabulary_metric *metric =
        metric_find(vocabulary->metrics, vocabulary->metrics_count, text);
    uint32_t workload = TRP_PLAN_NONE;
    const char *dot = strchr(text, '.');
    for (uint32_t i = 0; metric == NULL && dot != NULL && i < context->plan->workload_count; i++) {
        const char *name = context->plan->workload[i].name;
        if (strlen(name) != (size_t)(dot - text) || memcmp(name, text, strlen(name)) != 0)
            continue;
        workload = i;
        metric =
            metric_find(vocabulary->workload_metrics, vocabulary->workload_metrics_count, dot + 1);
    }
    if (metric == NULL) {
        report_metric(context, mark, text);
        return false;
    }
    *ret_metric = (struct trp_plan_metric){
        .text = text, .workload = workload, .name = metric->name, .unit = metric->unit};
    return true;
}

/* Reads a bound in the unit of the metric. */
static bool bound_read(struct lang_context *context, const struct lang_node *node,
                       enum trp_unit unit, uint64_t *ret_bound)
{
    struct lang_fault fault = {0};
    struct trp_bytes text = trp_bytes(node->text, node->size);
    bool good = false;
    switch (unit) {
    case TRP_UNIT_RATIO:
        good = lang_share_read(text, ret_bound, &fault);
        break;
    case TRP_UNIT_NUMBER:
        good = lang_number_read(text, MILLION, ret_bound, &fault);
        break;
    case TRP_UNIT_SPAN:
        good = lang_span_read(text, ret_bound, &fault);
        break;
    case TRP_UNIT_BYTES:
        good = lang_size_read(text, ret_bound, &fault);
        break;
    }
    if (!good)
        lang_fault_report(context, node, &fault);
    return good;
}

static void bounds_read(struct lang_context *context, const struct lang_item *item,
                        struct trp_plan_expect *expect, const struct lang_node *at_least,
                        const struct lang_node *at_most)
{
    enum trp_unit unit = expect->metric.unit;
    expect->has_at_least =
        at_least != NULL && bound_read(context, at_least, unit, &expect->at_least);
    expect->has_at_most = at_most != NULL && bound_read(context, at_most, unit, &expect->at_most);
    if (lang_item_value(item, "at_least") == NULL && lang_item_value(item, "at_most") == NULL)
        lang_problem_add(context->problems, item->mark,
                         "an expectation of a metric needs `at_least` or `at_most`");
    else if (expect->has_at_least && expect->has_at_most && expect->at_least > expect->at_most)
        lang_problem_add(context->problems, at_most->mark, "`at_most` is below `at_least`");
}

/* ---- always ---- */

static void check_always(struct lang_context *context, const struct draft_expect *draft)
{
    const struct trp_vocabulary *vocabulary = context->vocabulary;
    struct lang_nearest nearest = lang_nearest_to(draft->always, strlen(draft->always));
    for (uint32_t i = 0; i < vocabulary->always_count; i++) {
        if (strcmp(vocabulary->always[i].name, draft->always) == 0)
            return;
        lang_nearest_offer(&nearest, vocabulary->always[i].name);
    }
    lang_problem_add(context->problems, lang_item_mark(&draft->item, "always"),
                     "no invariant is called `%s`", draft->always);
    if (!lang_nearest_hint(&nearest, context->problems))
        lang_problem_hint(context->problems, "`troupe explain expect.always` lists them");
}

/* ---- eventually ---- */

/* The moment an entry of the timeline ends: TRP_NEVER when nothing ends it. */
static trp_time end_of(const struct trp_plan *plan, uint32_t index)
{
    const struct trp_plan_action *action = &plan->timeline[index];
    bool lasts = action->kind == TRP_PLAN_PARTITION || action->kind == TRP_PLAN_LINK;
    if (!lasts && action->kind == TRP_PLAN_CRASH && action->restart_ns != TRP_NEVER)
        return trp_time_after(action->at, action->restart_ns);
    if (!lasts || action->for_ns != 0)
        return trp_time_after(action->at, action->for_ns);
    for (uint32_t i = index + 1; i < plan->timeline_count; i++)
        if (plan->timeline[i].kind == TRP_PLAN_HEAL &&
            (plan->timeline[i].target == TRP_PLAN_NONE || plan->timeline[i].target == index))
            return plan->timeline[i].at;
    return TRP_NEVER;
}

/* Finds the last end of a partition or link change. */
static bool last_heal(const struct trp_plan *plan, uint32_t *ret_index, trp_time *ret_at)
{
    bool found = false;
    for (uint32_t i = 0; i < plan->timeline_count; i++) {
        const struct trp_plan_action *action = &plan->timeline[i];
        bool lasts = action->kind == TRP_PLAN_PARTITION || action->kind == TRP_PLAN_LINK;
        trp_time end = action->kind == TRP_PLAN_HEAL ? action->at
                       : lasts                       ? end_of(plan, i)
                                                     : TRP_NEVER;
        if (end == TRP_NEVER || (found && end < *ret_at))
            continue;
        *ret_index = i;
        *ret_at = end;
        found = true;
    }
    return found;
}

static void report_after(struct lang_context *context, const struct lang_node *node)
{
    struct lang_nearest nearest = lang_nearest_to(node->text, node->size);
    lang_nearest_offer(&nearest, "heal");
    for (uint32_t i = 0; i < context->plan->timeline_count; i++)
        lang_nearest_offer(&nearest, context->plan->timeline[i].name);
    lang_problem_add(context->problems, node->mark,
                     "`%s` is neither a time nor the name of a timeline entry", node->text);
    (void)lang_nearest_hint(&nearest, context->problems);
}

/* Turns after: into a moment. */
static bool after_read(struct lang_context *context, const struct lang_node *node,
                       struct trp_plan_expect *expect)
{
    const struct trp_plan *plan = context->plan;
    struct lang_fault fault = {0};
    if (node->size > 0 && node->text[0] >= '0' && node->text[0] <= '9') {
        if (lang_span_read(trp_bytes(node->text, node->size), &expect->from, &fault))
            return true;
        lang_fault_report(context, node, &fault);
        return false;
    }
    for (uint32_t i = 0; i < plan->timeline_count; i++) {
        if (strcmp(plan->timeline[i].name, node->text) != 0)
            continue;
        expect->after = i;
        expect->from = end_of(plan, i);
        if (expect->from != TRP_NEVER)
            return true;
        lang_problem_add(context->problems, node->mark, "`%s` never ends", node->text);
        lang_problem_hint(context->problems, "give it `for:`, or add a `heal:`");
        return false;
    }
    if (strcmp(node->text, "heal") != 0) {
        report_after(context, node);
        return false;
    }
    if (last_heal(plan, &expect->after, &expect->from))
        return true;
    lang_problem_add(context->problems, node->mark, "nothing in the timeline heals");
    return false;
}

static void check_eventually(struct lang_context *context, struct draft_expect *draft)
{
    const struct draft_eventually *from = &draft->eventually;
    struct trp_plan_expect *expect = &draft->expect;
    const struct lang_node *after = lang_item_value(&from->item, "after");
    struct lang_mark mark = lang_item_mark(&from->item, "metric");
    bool within = lang_item_value(&from->item, "within") != NULL;
    trp_time end = context->plan->until_ns;
    expect->for_ns = from->for_ns;
    expect->from = 0;
    if (from->metric != NULL && metric_read(context, mark, from->metric, &expect->metric)) {
        bounds_read(context, &from->item, expect, from->at_least, from->at_most);
        if (expect->metric.workload != TRP_PLAN_NONE) {
            lang_problem_add(context->problems, mark, "`eventually` watches metrics of the world");
            lang_problem_hint(context->problems,
                              "for a workload entry use `metric:` with `from:` and `until:`");
        }
    }
    if (after != NULL && from->after != NULL && !after_read(context, after, expect))
        return;
    if (end == 0)
        return;
    expect->until = within ? trp_time_after(expect->from, from->within) : end;
    char text[LANG_SPAN_TEXT_MAX];
    lang_span_print(end, text);
    if (within && trp_time_after(expect->until, from->for_ns) > end)
        lang_problem_add(context->problems, lang_item_mark(&from->item, "within"),
                         "`within`, and `for` after it, reach beyond the end of the run (%s)",
                         text);
    else if (!within && trp_time_after(expect->from, from->for_ns) > end)
        lang_problem_add(context->problems,
                         lang_item_mark(&from->item, after != NULL ? "after" : "for"),
                         "the run ends (%s) before this can hold", text);
    else if (!within)
        expect->until = end - from->for_ns;
}

/* ---- one line for people ---- */

/* A size in the largest unit that divides it. */
static const char *bytes_print(uint64_t bytes, char ret_text[LANG_SPAN_TEXT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    uint32_t unit = 0;
    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    lang_number_print(bytes, 1, ret_text);
    return units[unit];
}

static void bound_print(struct lang_text *text, const char *sign, enum trp_unit unit,
                        uint64_t bound)
{
    char number[LANG_SPAN_TEXT_MAX];
    const char *suffix = "";
    switch (unit) {
    case TRP_UNIT_SPAN:
        lang_span_print(bound, number);
        break;
    case TRP_UNIT_BYTES:
        suffix = bytes_print(bound, number);
        break;
    case TRP_UNIT_RATIO:
        lang_number_print(bound, MILLION / 100, number);
        suffix = "%";
        break;
    case TRP_UNIT_NUMBER:
        lang_number_print(bound, MILLION, number);
        break;
    }
    lang_text_add(text, " %s %s%s", sign, number, suffix);
}

static void bounds_print(struct lang_text *text, const struct trp_plan_expect *expect)
{
    lang_text_add(text, "%s", expect->metric.text);
    if (expect->has_at_least)
        bound_print(text, ">=", expect->metric.unit, expect->at_least);
    if (expect->has_at_most)
        bound_print(text, expect->has_at_least ? "and <=" : "<=", expect->metric.unit,
                    expect->at_most);
}

static void span_print(struct lang_text *text, const char *word, trp_time ns)
{
    char number[LANG_SPAN_TEXT_MAX];
    lang_span_print(ns, number);
    lang_text_add(text, " %s %s", word, number);
}

static const char *expect_print(struct lang_context *context, const struct draft_expect *draft)
{
    const struct trp_plan_expect *expect = &draft->expect;
    const struct draft_eventually *eventually = &draft->eventually;
    bool window = expect->kind == TRP_PLAN_METRIC;
    struct lang_text text = {0};
    switch (expect->kind) {
    case TRP_PLAN_ALWAYS:
        lang_text_add(&text, "always %s", draft->always);
        break;
    case TRP_PLAN_EVENTUALLY:
        lang_text_add(&text, "eventually ");
        bounds_print(&text, expect);
        if (expect->for_ns != 0)
            span_print(&text, "for", expect->for_ns);
        if (eventually->after != NULL)
            lang_text_add(&text, " after %s", eventually->after);
        if (lang_item_value(&eventually->item, "within") != NULL)
            span_print(&text, "within", eventually->within);
        break;
    case TRP_PLAN_METRIC:
        bounds_print(&text, expect);
        break;
    case TRP_PLAN_SQL:
        lang_text_add(&text, "sql: %s", draft->sql);
        break;
    }
    if (window && expect->from != 0)
        span_print(&text, "from", expect->from);
    if (window && expect->until != context->plan->until_ns)
        span_print(&text, "until", expect->until);
    const char *copy = lang_arena_copy(context->arena, text.data, text.size);
    free(text.data);
    return copy;
}

/* ---- the list ---- */

static void check_window(struct lang_context *context, struct draft_expect *draft)
{
    struct trp_plan_expect *expect = &draft->expect;
    trp_time end = context->plan->until_ns;
    if (lang_item_value(&draft->item, "until") == NULL)
        expect->until = end;
    if (end == 0)
        return;
    if (expect->until > end)
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "until"),
                         "this is after the end of the run");
    else if (expect->from >= expect->until)
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "from"),
                         "this is not before `until`");
}

static void check_expect(struct lang_context *context, struct draft_expect *draft)
{
    struct trp_plan_expect *expect = &draft->expect;
    expect->place = lang_item_place(context, &draft->item);
    expect->name = draft->always;
    expect->sql = draft->sql;
    expect->after = TRP_PLAN_NONE;
    if (draft->always != NULL) {
        check_always(context, draft);
        expect->until = context->plan->until_ns;
    } else if (draft->eventually.item.node != NULL) {
        check_eventually(context, draft);
    } else if (draft->metric != NULL) {
        check_window(context, draft);
        if (metric_read(context, lang_item_mark(&draft->item, "metric"), draft->metric,
                        &expect->metric))
            bounds_read(context, &draft->item, expect, draft->at_least, draft->at_most);
    }
}

void lang_rules_expect(struct lang_context *context)
{
    struct trp_plan *plan = context->plan;
    struct draft_expect *drafts = context->draft.expect.items;
    uint32_t count = context->draft.expect.count;
    struct trp_plan_expect *expects = lang_arena_take(context->arena, count * sizeof *expects + 1);
    for (uint32_t i = 0; i < count; i++) {
        check_expect(context, &drafts[i]);
        if (context->problems->count == 0)
            drafts[i].expect.text = expect_print(context, &drafts[i]);
        expects[i] = drafts[i].expect;
    }
    plan->expect = expects;
    plan->expect_count = count;
}
