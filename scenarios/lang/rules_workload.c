/* SPDX-License-Identifier: MIT */
/* What the schema table cannot say of actors and workload. */
#include "scenarios/lang/draft.h"
#include "scenarios/lang/name.h"

/* Operations closer together than this are a mistake in a unit. */
#define EVERY_NS_MIN 1000u

/* ---- actors ---- */

static const struct trp_actor_type *type_find(struct lang_context *context,
                                              const struct draft_actor *draft)
{
    const struct trp_vocabulary *vocabulary = context->vocabulary;
    if (draft->type == NULL)
        return NULL;
    struct lang_nearest nearest = lang_nearest_to(draft->type, strlen(draft->type));
    for (uint32_t i = 0; i < vocabulary->actors_count; i++) {
        if (strcmp(vocabulary->actors[i].name, draft->type) == 0)
            return vocabulary->actors[i].type;
        lang_nearest_offer(&nearest, vocabulary->actors[i].name);
    }
    lang_problem_add(context->problems, lang_item_mark(&draft->item, "type"),
                     "no actor type is called `%s`", draft->type);
    if (!lang_nearest_hint(&nearest, context->problems))
        lang_problem_hint(context->problems, "`troupe explain actors.type` lists them");
    return NULL;
}

/* Reports a choice that is of adversaries alone. */
static void check_honest(struct lang_context *context, const struct lang_item *item,
                         const struct trp_selector *on, const char *message)
{
    if (on == NULL || on->hosts_count == 0)
        return;
    for (uint32_t i = 0; i < on->hosts_count; i++)
        if (trp_plan_is_honest(context->plan, on->hosts[i]))
            return;
    lang_problem_add(context->problems, lang_item_mark(item, "on"), "%s", message);
}

void lang_rules_actors(struct lang_context *context)
{
    struct trp_plan *plan = context->plan;
    struct draft_actor *drafts = context->draft.actors.items;
    uint32_t count = context->draft.actors.count;
    struct trp_plan_actor *actors = lang_arena_take(context->arena, count * sizeof *actors + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct draft_actor *draft = &drafts[i];
        struct trp_plan_actor *actor = &draft->actor;
        actor->type_name = draft->type;
        actor->type = type_find(context, draft);
        actor->place = lang_item_place(context, &draft->item);
        if (actor->on != NULL && !lang_selector_is_early(actor->on)) {
            lang_problem_add(context->problems, lang_item_mark(&draft->item, "on"),
                             "who this is shows only while the run goes on");
            lang_problem_hint(context->problems, "closest() and holders() are for the timeline");
        }
        check_honest(context, &draft->item, actor->on, "adversaries run no actors");
        if (actor->type != NULL)
            actor->args = lang_arguments_read(context, draft->args, draft->item.mark, draft->type,
                                              actor->type->args);
        const char *key = actor->name != NULL ? actor->name->text : draft->type;
        actor->entity = lang_entity("actor", key == NULL ? "" : key);
        actors[i] = *actor;
    }
    plan->actors = actors;
    plan->actors_count = count;
}

/* ---- workload ---- */

static const struct trp_actor_handler *handler_find(const struct trp_actor_type *type,
                                                    const char *message)
{
    for (uint32_t i = 0; i < type->handlers_count; i++)
        if (strcmp(type->handlers[i].message->id, message) == 0)
            return &type->handlers[i];
    return NULL;
}

static void report_message(struct lang_context *context, const struct draft_workload *draft,
                           const struct trp_plan_actor *actor)
{
    const struct trp_actor_type *type = actor->type;
    struct lang_nearest nearest = lang_nearest_to(draft->message, strlen(draft->message));
    const char *list = "";
    for (uint32_t i = 0; i < type->handlers_count; i++) {
        lang_nearest_offer(&nearest, type->handlers[i].message->id);
        list = lang_arena_print(context->arena, "%s%s%s", list, i == 0 ? "" : ", ",
                                type->handlers[i].message->id);
    }
    lang_problem_add(context->problems, lang_item_mark(&draft->item, "message"),
                     "a `%s` takes no message `%s`", actor->type_name, draft->message);
    if (!lang_nearest_hint(&nearest, context->problems))
        lang_problem_hint(context->problems, "its messages: %s", list);
}

static void check_message(struct lang_context *context, struct draft_workload *draft)
{
    struct trp_plan_workload *entry = &draft->workload;
    uint32_t actor = entry->target.actor;
    if (draft->message == NULL) {
        if (lang_item_value(&draft->item, "message") == NULL)
            lang_problem_add(context->problems, draft->item.mark, "`message` is missing");
        return;
    }
    if (entry->target.parts_count == 0 || actor == TRP_PLAN_NONE ||
        context->plan->actors[actor].type == NULL)
        return;
    entry->handler = handler_find(context->plan->actors[actor].type, draft->message);
    if (entry->handler == NULL) {
        report_message(context, draft, &context->plan->actors[actor]);
        return;
    }
    if (entry->operation == TRP_PLAN_ASK && entry->handler->reply == NULL) {
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "message"),
                         "`%s` has no reply", draft->message);
        lang_problem_hint(context->problems, "use `tell:` instead of `ask:`");
    }
    entry->args = lang_arguments_read(context, draft->args, draft->item.mark, draft->message,
                                      entry->handler->message);
}

static void check_span(struct lang_context *context, const struct lang_item *item, trp_time from,
                       trp_time until)
{
    trp_time end = context->plan->until_ns;
    if (until > end)
        lang_problem_add(context->problems, lang_item_mark(item, "until"),
                         "this is after the end of the run");
    else if (from >= until && end != 0)
        lang_problem_add(context->problems, lang_item_mark(item, "from"),
                         lang_item_value(item, "until") == NULL
                             ? "this is not before the end of the run"
                             : "this is not before `until`");
}

static void check_every(struct lang_context *context, const struct draft_workload *draft)
{
    const struct trp_dist *every = &draft->workload.every;
    const struct lang_node *node = lang_item_value(&draft->item, "every");
    uint64_t high = every->kind == TRP_DIST_UNIFORM ? every->b : every->a;
    bool read =
        high != 0 || lang_item_is_zero(&draft->item, "every") || every->kind == TRP_DIST_UNIFORM;
    if (node != NULL && read && high < EVERY_NS_MIN)
        lang_problem_add(context->problems, node->mark,
                         "operations need at least 1us between them");
}

/* ---- operations that are not drawn ---- */

/* Reads "61.2s west[3] counter-17". */
static bool occasion_read(struct lang_context *context, const struct lang_node *node,
                          const struct trp_plan_workload *entry, struct trp_plan_occasion *occasion)
{
    struct lang_fault fault = {0};
    struct trp_bytes text = trp_bytes(node->text, node->size);
    size_t moment = strcspn(node->text, " ");
    size_t host = moment + (moment < text.size);
    size_t name = host + strcspn(node->text + host, " ");
    struct trp_name_template target;
    fault.size = text.size;
    if (name >= text.size) {
        lang_fault_set(&fault, 0, text.size, "moment, host and name were expected");
        lang_fault_hint(&fault, "\"61.2s west[3] counter-17\"");
    } else if (lang_span_read(trp_bytes(node->text, moment), &occasion->at, &fault)) {
        occasion->host = lang_host_read(context, trp_bytes(node->text + host, name - host), &fault);
        size_t offset = host;
        if (occasion->host != TRP_PLAN_NONE) {
            offset = ++name;
            struct trp_bytes its = trp_bytes(node->text + name, text.size - name);
            if (lang_name_read(context->arena, its, LANG_NAME_TARGET, &target, &fault) &&
                lang_name_resolve(context->plan, &target, &fault)) {
                if (target.parts_count == 1 && target.parts[0].kind == TRP_NAME_TEXT &&
                    target.actor == entry->target.actor) {
                    occasion->target = target.parts[0].text;
                    return true;
                }
                lang_fault_set(&fault, 0, its.size, "this is none of the names of `%s`",
                               entry->target.text);
            }
        }
        fault.offset += offset;
    }
    lang_fault_report(context, node, &fault);
    return false;
}

static void read_occasions(struct lang_context *context, struct draft_workload *draft)
{
    const struct lang_node *list = draft->occasions;
    struct trp_plan_workload *entry = &draft->workload;
    if (list == NULL || context->plan->groups_count == 0)
        return;
    struct trp_plan_occasion *occasions =
        lang_arena_take(context->arena, list->count * sizeof *occasions + 1);
    trp_time latest = 0;
    for (uint32_t i = 0; i < list->count && context->problems->dropped == 0; i++) {
        const struct lang_node *node = list->entries[i].value;
        if (!occasion_read(context, node, entry, &occasions[i]))
            continue;
        if (occasions[i].at < latest)
            lang_problem_add(context->problems, node->mark, "this is before the one above it");
        else if (occasions[i].at > context->plan->until_ns && context->plan->until_ns != 0)
            lang_problem_add(context->problems, node->mark, "this is after the end of the run");
        latest = occasions[i].at;
    }
    entry->occasions = occasions;
    entry->occasions_count = list->count;
}

void lang_rules_workload(struct lang_context *context)
{
    struct trp_plan *plan = context->plan;
    struct draft_workload *drafts = context->draft.workload.items;
    uint32_t count = context->draft.workload.count;
    struct trp_plan_workload *entries =
        lang_arena_take(context->arena, count * sizeof *entries + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct draft_workload *draft = &drafts[i];
        struct trp_plan_workload *entry = &draft->workload;
        entry->place = lang_item_place(context, &draft->item);
        if (lang_item_value(&draft->item, "until") == NULL)
            entry->until = plan->until_ns;
        check_span(context, &draft->item, entry->from, entry->until);
        check_every(context, draft);
        if (entry->operation != TRP_PLAN_LOOKUP)
            check_message(context, draft);
        read_occasions(context, draft);
        check_honest(context, &draft->item, entry->on, "adversaries do no operations");
        entry->name = entry->name == NULL ? "" : entry->name;
        for (uint32_t k = 0; k < i; k++) {
            if (entry->name[0] != '\0' && strcmp(entries[k].name, entry->name) == 0) {
                lang_problem_add(context->problems, lang_item_mark(&draft->item, "name"),
                                 "another entry is called `%s`", entry->name);
                break;
            }
        }
        entry->entity = lang_entity("workload", entry->name);
        entries[i] = *entry;
    }
    plan->workload = entries;
    plan->workload_count = count;
}
