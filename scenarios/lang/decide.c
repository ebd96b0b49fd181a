/* SPDX-License-Identifier: MIT */
/* Decisions are settings laid over the scenario. */
#include "scenarios/lang/decide.h"

#include <stdio.h>
#include <stdlib.h>

#include "scenarios/lang/resolve.h"

struct decider {
    const struct trp_plan *plan;
    const struct trp_decisions *decisions;
    char **settings;
    uint32_t count;
    uint32_t room;
};

/* Adds a setting; takes the text. */
static void decide(struct decider *decider, struct lang_text *setting)
{
    if (decider->count == decider->room) {
        decider->room = decider->room == 0 ? 16 : decider->room * 2;
        decider->settings =
            lang_heap_take(decider->settings, decider->room * sizeof *decider->settings);
    }
    decider->settings[decider->count++] = lang_text_take(setting);
}

/* ---- hosts as selectors ---- */

/* Writes hosts, ascending: "west + east[3..7]". */
static void hosts_print(const struct trp_plan *plan, struct trp_decided_hosts hosts,
                        struct lang_text *out)
{
    if (hosts.count == 0)
        lang_text_add(out, "none");
    for (uint32_t i = 0; i < hosts.count;) {
        const struct trp_plan_group *group = trp_plan_group_of(plan, hosts.hosts[i]);
        uint32_t first = hosts.hosts[i] - group->first;
        uint32_t last = first;
        const char *plus = i == 0 ? "" : " + ";
        for (i++; i < hosts.count && hosts.hosts[i] == group->first + last + 1 &&
                  last + 1 < group->count;
             i++)
            last++;
        if (first == 0 && last + 1 == group->count)
            lang_text_add(out, "%s%s", plus, group->name);
        else if (first == last)
            lang_text_add(out, "%s%s[%u]", plus, group->name, first);
        else
            lang_text_add(out, "%s%s[%u..%u]", plus, group->name, first, last);
    }
}

static void hosts_quote(const struct trp_plan *plan, struct trp_decided_hosts hosts,
                        struct lang_text *out)
{
    lang_text_add(out, "\"");
    hosts_print(plan, hosts, out);
    lang_text_add(out, "\"");
}

static void host_print(const struct trp_plan *plan, uint32_t host, struct lang_text *out)
{
    const struct trp_plan_group *group = trp_plan_group_of(plan, host);
    lang_text_add(out, "%s[%u]", group->name, host - group->first);
}

/* ---- hosts: and actors: ---- */

static void decide_starts(struct decider *decider, const struct trp_plan_group *group)
{
    struct lang_text setting = {0};
    if (group->start.kind == TRP_DIST_CONST || group->starts != NULL)
        return;
    lang_text_add(&setting, "hosts.\"%s\".start=[", group->name);
    for (uint32_t i = 0; i < group->count; i++) {
        char moment[LANG_SPAN_TEXT_MAX];
        lang_span_print(decider->decisions->starts[group->first + i], moment);
        lang_text_add(&setting, "%s%s", i == 0 ? "" : ", ", moment);
    }
    lang_text_add(&setting, "]");
    decide(decider, &setting);
}

static void decide_bootstraps(struct decider *decider, const struct trp_plan_group *group)
{
    struct lang_text setting = {0};
    if (decider->decisions->bootstraps[group->first].hosts == NULL)
        return;
    lang_text_add(&setting, "hosts.\"%s\".bootstrap=[", group->name);
    for (uint32_t i = 0; i < group->count; i++) {
        lang_text_add(&setting, "%s", i == 0 ? "" : ", ");
        hosts_quote(decider->plan, decider->decisions->bootstraps[group->first + i], &setting);
    }
    lang_text_add(&setting, "]");
    decide(decider, &setting);
}

static void decide_actors(struct decider *decider, uint32_t index)
{
    struct lang_text setting = {0};
    if (decider->plan->actors[index].on->hosts != NULL)
        return;
    lang_text_add(&setting, "actors[%u].on=", index);
    hosts_quote(decider->plan, decider->decisions->crews[index], &setting);
    decide(decider, &setting);
}

/* ---- timeline: ---- */

static const char *action_key(enum trp_plan_action_kind kind)
{
    static const char *const keys[] = {
        [TRP_PLAN_RESET] = "reset", [TRP_PLAN_CRASH] = "crash", [TRP_PLAN_PAUSE] = "pause",
        [TRP_PLAN_STOP] = "stop",   [TRP_PLAN_KILL] = "kill",   [TRP_PLAN_LEAVE] = "leave",
        [TRP_PLAN_JOIN] = "join"};
    return keys[kind];
}

static bool is_drawn(const struct trp_plan_action *action)
{
    bool drawn = action->shape != TRP_PLAN_SHAPE_SETS && action->shape != TRP_PLAN_SHAPE_ISOLATE &&
                 action->sets_count == 1;
    for (uint32_t i = 0; i < action->sets_count; i++)
        drawn = drawn || action->sets[i]->hosts == NULL;
    return drawn;
}

/* Sides as selectors; a ring host by host in its order. */
static void decide_partition(struct decider *decider, const struct trp_plan_action *action,
                             const struct trp_decided_action *decided)
{
    struct lang_text setting = {0};
    struct lang_text shape = {0};
    bool ring = action->shape == TRP_PLAN_SHAPE_RING;
    if (!is_drawn(action))
        return;
    lang_text_add(&setting, "timeline[%u].partition=", action->entry);
    if (action->shape == TRP_PLAN_SHAPE_ISOLATE) {
        hosts_quote(decider->plan, decided->hit, &setting);
        decide(decider, &setting);
        return;
    }
    uint32_t sides = ring ? decided->hit.count : decided->sides;
    for (uint32_t i = 0; i < sides; i++) {
        uint32_t begin = i == 0 ? 0 : ring ? i : decided->ends[i - 1];
        uint32_t end = ring ? i + 1 : decided->ends[i];
        lang_text_add(&setting, "%s", i == 0 ? "[" : ", ");
        hosts_quote(
            decider->plan,
            (struct trp_decided_hosts){.hosts = decided->hit.hosts + begin, .count = end - begin},
            &setting);
    }
    lang_text_add(&setting, "]");
    decide(decider, &setting);
    if (!ring && action->shape != TRP_PLAN_SHAPE_SETS) {
        lang_text_add(&shape, "timeline[%u].shape=sides", action->entry);
        decide(decider, &shape);
    }
}

static void decide_connections(struct decider *decider, const struct trp_plan_action *action,
                               const struct trp_decided_action *decided)
{
    struct lang_text setting = {0};
    if (action->share_ppm >= 1000000 || action->pairs != NULL)
        return;
    lang_text_add(&setting, "timeline[%u].connections=[", action->entry);
    for (uint32_t i = 0; i < decided->pairs_count; i++) {
        lang_text_add(&setting, "%s\"", i == 0 ? "" : ", ");
        host_print(decider->plan, decided->pairs[i].a, &setting);
        lang_text_add(&setting, " ");
        host_print(decider->plan, decided->pairs[i].b, &setting);
        if (decided->pairs[i].number != 0)
            lang_text_add(&setting, " %u", decided->pairs[i].number);
        lang_text_add(&setting, "\"");
    }
    lang_text_add(&setting, "]");
    decide(decider, &setting);
}

/* Writes a name so that no brace of it is a placeholder. */
static void name_print(const char *name, struct lang_text *out)
{
    for (; *name != '\0'; name++)
        lang_text_add(out, *name == '{' || *name == '}' ? "%c%c" : "%c", *name, *name);
}

static void decide_action(struct decider *decider, uint32_t index)
{
    const struct trp_plan_action *action = &decider->plan->timeline[index];
    const struct trp_decided_action *decided = &decider->decisions->actions[index];
    struct lang_text setting = {0};
    struct lang_text name = {0};
    if (!decided->taken)
        return;
    if (action->kind == TRP_PLAN_PARTITION) {
        decide_partition(decider, action, decided);
    } else if (decided->name != NULL) {
        name_print(decided->name, &name);
        lang_text_add(&setting, "timeline[%u].%s=", action->entry, action_key(action->kind));
        lang_scalar_print(&setting, trp_bytes(name.data, name.size));
        decide(decider, &setting);
        free(name.data);
    } else if (action->on != NULL && action->on->hosts == NULL) {
        lang_text_add(&setting, "timeline[%u].%s=", action->entry, action_key(action->kind));
        hosts_quote(decider->plan, decided->hit, &setting);
        decide(decider, &setting);
    }
    if (action->kind == TRP_PLAN_RESET)
        decide_connections(decider, action, decided);
}

/* ---- workload: ---- */

static void decide_operations(struct decider *decider, uint32_t index)
{
    const struct trp_decisions *decisions = decider->decisions;
    struct lang_text setting = {0};
    const char *between = "";
    if (decider->plan->workload[index].occasions != NULL ||
        decisions->operations_count > TRP_DECIDED_OPERATIONS_MAX)
        return;
    lang_text_add(&setting, "workload[%u].operations=[", index);
    for (uint64_t i = 0; i < decisions->operations_count; i++) {
        const struct trp_plan_occasion *occasion = &decisions->operations[i].occasion;
        struct lang_text text = {0};
        char moment[LANG_SPAN_TEXT_MAX];
        if (decisions->operations[i].workload != index)
            continue;
        lang_span_print(occasion->at, moment);
        lang_text_add(&text, "%s ", moment);
        host_print(decider->plan, occasion->host, &text);
        lang_text_add(&text, " ");
        name_print(occasion->target, &text);
        lang_text_add(&setting, "%s", between);
        lang_scalar_print(&setting, trp_bytes(text.data, text.size));
        free(text.data);
        between = ", ";
    }
    lang_text_add(&setting, "]");
    decide(decider, &setting);
}

/* ---- the whole ---- */

static void decide_all(struct decider *decider)
{
    struct lang_text seed = {0};
    lang_text_add(&seed, "run.seed=%llu", (unsigned long long)decider->decisions->seed);
    decide(decider, &seed);
    for (uint32_t i = 0; i < decider->plan->groups_count; i++) {
        decide_starts(decider, &decider->plan->groups[i]);
        decide_bootstraps(decider, &decider->plan->groups[i]);
    }
    for (uint32_t i = 0; i < decider->plan->actors_count; i++)
        decide_actors(decider, i);
    for (uint32_t i = 0; i < decider->plan->timeline_count; i++)
        decide_action(decider, i);
    for (uint32_t i = 0; i < decider->plan->workload_count; i++)
        decide_operations(decider, i);
}

char *trp_load_print_decided(const struct trp_load *load, const struct trp_decisions *decisions,
                             char ret_problem[256])
{
    struct decider decider = {.plan = trp_load_plan(load), .decisions = decisions};
    decide_all(&decider);
    const char *const *settings = (const char *const *)(void *)decider.settings;
    struct trp_load *decided = trp_load_over(load, "decided", settings, decider.count);
    char *text = trp_load_print_resolved(decided);
    if (text == NULL) {
        const struct trp_problem problem = trp_load_problem(decided, 0);
        (void)snprintf(ret_problem, 256, "%s:%u:%u: %s", problem.place.file, problem.place.line,
                       problem.place.column, problem.message);
    }
    trp_load_free(decided);
    for (uint32_t i = 0; i < decider.count; i++)
        free(decider.settings[i]);
    free(decider.settings);
    return text;
}
