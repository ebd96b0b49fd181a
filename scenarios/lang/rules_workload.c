/* SPDX-License-Identifier: MIT */
/* What the schema table cannot say of actors and workload. */
#include "scenarios/lang/draft.h"

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
        if (actor->type != NULL)
            lang_arguments_check(context, &draft->item, draft->type, actor->type->args,
                                 actor->args);
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
    lang_arguments_check(context, &draft->item, draft->message, entry->handler->message,
                         entry->args);
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
