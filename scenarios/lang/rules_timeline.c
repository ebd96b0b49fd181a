/* SPDX-License-Identifier: MIT */
/* What the schema table cannot say of the timeline. */
#include "scenarios/lang/draft.h"
#include "scenarios/lang/resolve.h"

#include <stdlib.h>

/* A longer list is counted where an entry is told in a line. */
#define LISTED_MAX 4u

/* An entry with its place in the file: the second word of the order. */
struct ordered {
    struct trp_plan_action action;
    const struct draft_action *draft;
    uint32_t index;
};

static int compare_ordered(const void *left, const void *right)
{
    const struct ordered *a = left;
    const struct ordered *b = right;
    if (a->action.at != b->action.at)
        return a->action.at < b->action.at ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static const char *action_word(enum trp_plan_action_kind kind)
{
    static const char *const words[] = {
        [TRP_PLAN_PARTITION] = "partition", [TRP_PLAN_HEAL] = "heal",
        [TRP_PLAN_LINK] = "link",           [TRP_PLAN_RESET] = "reset",
        [TRP_PLAN_CRASH] = "crash",         [TRP_PLAN_PAUSE] = "pause",
        [TRP_PLAN_STOP] = "stop",           [TRP_PLAN_KILL] = "kill",
        [TRP_PLAN_LEAVE] = "leave",         [TRP_PLAN_JOIN] = "join"};
    return words[kind];
}

/* Says whether an entry can be healed: it changes paths until it ends. */
static bool lasts(const struct trp_plan_action *action)
{
    return action->kind == TRP_PLAN_PARTITION || action->kind == TRP_PLAN_LINK;
}

/* Reports the first host that is on two sides, as far as they are known. */
static void check_overlap(struct lang_context *context, const struct trp_plan_action *action,
                          struct lang_mark mark)
{
    uint32_t *sides =
        lang_arena_take(context->arena, context->plan->hosts_count * sizeof *sides + 1);
    for (uint32_t i = 0; i < action->sets_count; i++) {
        const struct trp_selector *its = action->sets[i];
        for (uint32_t h = 0; h < its->hosts_count; h++) {
            uint32_t host = its->hosts[h];
            const struct trp_plan_group *group = trp_plan_group_of(context->plan, host);
            if (sides[host] != 0) {
                lang_problem_add(context->problems, mark, "`%s` and `%s` share hosts: %s[%u]",
                                 action->sets[sides[host] - 1]->text, its->text, group->name,
                                 host - group->first);
                return;
            }
            sides[host] = i + 1;
        }
    }
}

static void check_sides(struct lang_context *context, struct draft_action *draft)
{
    struct trp_plan_action *action = &draft->action;
    struct lang_mark mark = lang_item_mark(&draft->item, "partition");
    const struct lang_node *shape = lang_item_value(&draft->item, "shape");
    bool shaped = action->shape != TRP_PLAN_SHAPE_SETS ||
                  (shape != NULL && shape->kind == LANG_SCALAR &&
                   strcmp(shape->text, "sides") != 0); /* whatever was meant */
    bool ring = action->shape == TRP_PLAN_SHAPE_RING;  /* it may be listed in its order */
    action->sets = draft->sides.sides;
    action->sets_count = draft->sides.count;
    if (action->sets_count == 0) /* it did not parse */
        return;
    if (shaped && !ring && draft->sides.listed) {
        lang_problem_add(context->problems, mark, "`shape` divides one selector, not a list");
        return;
    }
    if (!shaped && (!draft->sides.listed || action->sets_count < 2)) {
        lang_problem_add(context->problems, mark, "a partition needs at least two sides");
        lang_problem_hint(
            context->problems,
            "list them: [ west, east ]; or divide one: partition: all, shape: halves");
        return;
    }
    if (shaped && action->direction != TRP_PLAN_BOTH)
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "direction"),
                         "a `shape` has no order: `direction` goes with listed sides");
    check_overlap(context, action, mark);
}

static void check_link(struct lang_context *context, struct draft_action *draft)
{
    struct trp_plan_link *link = &draft->action.link;
    const struct lang_node *node = lang_item_value(&draft->item, "link");
    if (draft->link != NULL && node != NULL)
        (void)lang_pair_read(context, draft->link, node->mark, node, link);
    link->place = draft->action.place;
    if (link->keys == 0) {
        lang_problem_add(context->problems, draft->item.mark, "this changes nothing of the link");
        lang_problem_hint(context->problems, "say latency:, loss:, rate:, stall: or another of its "
                                             "keys; `troupe explain timeline.link` lists them");
    }
    if ((link->keys & TRP_LINK_RATE) != 0 && (link->keys & TRP_LINK_QUEUE) == 0 &&
        context->plan->path.queue_ns == 0 && link->path.rate_bits_per_s != 0) {
        link->path.queue_ns = TRP_MS(200);
        link->keys |= TRP_LINK_QUEUE;
    }
}

/* Reads "west[3] east[1]", or "west[3] east[1] 2". */
static bool read_pair(struct lang_context *context, const struct lang_node *node,
                      struct trp_plan_pair *pair, struct lang_fault *fault)
{
    struct trp_bytes text = trp_bytes(node->text, node->size);
    size_t b = strcspn(node->text, " ");
    pair->a = lang_host_read(context, trp_bytes(text.data, b), fault);
    if (pair->a == TRP_PLAN_NONE)
        return false;
    b += b < text.size;
    size_t number = b + strcspn(node->text + b, " ");
    pair->b = lang_host_read(context, trp_bytes(text.data + b, number - b), fault);
    fault->offset += b;
    if (pair->b == TRP_PLAN_NONE || number == text.size)
        return pair->b != TRP_PLAN_NONE;
    uint64_t value = 0;
    bool good = lang_count_read(trp_bytes_skip(text, number + 1), UINT32_MAX, &value, fault);
    fault->offset = number + 1;
    pair->number = (uint32_t)value;
    return good;
}

/* Reads whose connections are reset. */
static void read_pairs(struct lang_context *context, struct draft_action *draft)
{
    struct trp_plan_action *action = &draft->action;
    const struct lang_node *list = draft->pairs;
    if (list == NULL || context->plan->groups_count == 0)
        return;
    struct trp_plan_pair *pairs = lang_arena_take(context->arena, list->count * sizeof *pairs + 1);
    for (uint32_t i = 0; i < list->count && context->problems->dropped == 0; i++) {
        const struct lang_node *node = list->entries[i].value;
        struct lang_fault fault = {0};
        if (read_pair(context, node, &pairs[i], &fault))
            continue;
        lang_fault_hint(&fault, "two hosts were expected: \"west[3] east[1]\"");
        lang_fault_report(context, node, &fault);
    }
    action->pairs = pairs;
    action->pairs_count = list->count;
}

/* Checks the moment of an entry, and those of its end and its restart. */
static void check_times(struct lang_context *context, const struct draft_action *draft)
{
    const struct trp_plan_action *action = &draft->action;
    trp_time end = context->plan->until_ns;
    char text[LANG_SPAN_TEXT_MAX];
    lang_span_print(end, text);
    if (end == 0)
        return;
    if (action->at > end)
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "at"),
                         "this is after the end of the run (%s)", text);
    else if (trp_time_after(action->at, action->for_ns) > end) {
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "for"),
                         "this lasts beyond the end of the run (%s)", text);
        if (lasts(action))
            lang_problem_hint(context->problems, "without `for` it lasts to the end");
    } else if (action->restart_ns != TRP_NEVER &&
               trp_time_after(action->at, action->restart_ns) > end)
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "restart"),
                         "the restart is after the end of the run (%s)", text);
    if (lang_item_is_zero(&draft->item, "for"))
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "for"),
                         "this would end when it begins");
}

static void check_action(struct lang_context *context, struct draft_action *draft)
{
    struct trp_plan_action *action = &draft->action;
    action->place = lang_item_place(context, &draft->item);
    if (lang_item_value(&draft->item, "restart") == NULL)
        action->restart_ns = TRP_NEVER;
    if (action->kind == TRP_PLAN_PARTITION)
        check_sides(context, draft);
    if (action->kind == TRP_PLAN_LINK)
        check_link(context, draft);
    if (action->kind == TRP_PLAN_RESET)
        read_pairs(context, draft);
    if (action->kind == TRP_PLAN_PAUSE && lang_item_value(&draft->item, "pause") != NULL &&
        lang_item_value(&draft->item, "for") == NULL)
        lang_problem_add(context->problems, draft->item.mark, "`pause` needs `for:`");
    const struct lang_node *share = lang_item_value(&draft->item, "share");
    if (share != NULL && share->size != 0 && share->text[0] == '0' && action->share_ppm == 0)
        lang_problem_add(context->problems, share->mark, "this resets nothing");
    if (action->name != NULL &&
        (strcmp(action->name, "all") == 0 || strcmp(action->name, "heal") == 0))
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "name"),
                         "`%s` has a meaning of its own and cannot be a name", action->name);
    check_times(context, draft);
}

/* Writes what an entry does, in a line: its name if it was said, and all but when. */
static const char *action_text(struct lang_context *context, const struct lang_node *node)
{
    static const char *const others[] = {"name", "at", "for"};
    const struct lang_node *name = node == NULL ? NULL : lang_node_find(node, "name");
    struct lang_text text = {0};
    const char *comma = "";
    if (name != NULL && name->kind == LANG_SCALAR)
        lang_text_add(&text, "%s: ", name->text);
    for (uint32_t i = 0; node != NULL && i < node->count; i++) {
        const struct lang_entry *entry = &node->entries[i];
        bool other = false;
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            other = other || strcmp(entry->key, others[k]) == 0;
        if (other)
            continue;
        lang_text_add(&text, "%s%s: ", comma, entry->key);
        comma = ", ";
        if (entry->value->kind == LANG_LIST && entry->value->count > LISTED_MAX)
            lang_text_add(&text, "[ %u of them ]", entry->value->count);
        else
            lang_tree_print(&text, entry->value);
    }
    const char *copy = lang_arena_copy(context->arena, text.size == 0 ? "" : text.data, text.size);
    free(text.data);
    return copy;
}

/* Names the entries that have no name by what they do and when, and finds doubles. */
static void name_actions(struct lang_context *context, struct ordered *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct trp_plan_action *action = &entries[i].action;
        bool made = action->name == NULL;
        char time[LANG_SPAN_TEXT_MAX];
        lang_span_print(action->at, time);
        uint32_t same = 0;
        for (uint32_t k = 0; k < i; k++) {
            const struct trp_plan_action *other = &entries[k].action;
            same += made ? other->at == action->at && other->kind == action->kind &&
                               strchr(other->name, '@') != NULL
                         : strcmp(other->name, action->name) == 0;
        }
        if (made && same == 0)
            action->name =
                lang_arena_print(context->arena, "%s@%s", action_word(action->kind), time);
        else if (made)
            action->name = lang_arena_print(context->arena, "%s@%s#%u", action_word(action->kind),
                                            time, same + 1);
        else if (same != 0)
            lang_problem_add(context->problems, lang_item_mark(&entries[i].draft->item, "name"),
                             "another entry is called `%s`", action->name);
        action->entity = lang_entity("timeline", action->name);
        action->text = action_text(context, entries[i].draft->item.node);
    }
}

/* Finds the entry a heal: names. */
static void resolve_heal(struct lang_context *context, struct ordered *entries, uint32_t count,
                         uint32_t index)
{
    struct trp_plan_action *action = &entries[index].action;
    const struct draft_action *draft = entries[index].draft;
    const struct lang_node *node = lang_item_value(&draft->item, "heal");
    action->target = TRP_PLAN_NONE;
    if (draft->heal == NULL || node == NULL || strcmp(draft->heal, "all") == 0)
        return;
    struct lang_nearest nearest = lang_nearest_to(draft->heal, strlen(draft->heal));
    for (uint32_t i = 0; i < count; i++) {
        const struct trp_plan_action *other = &entries[i].action;
        if (strcmp(other->name, draft->heal) != 0) {
            if (lasts(other))
                lang_nearest_offer(&nearest, other->name);
            continue;
        }
        trp_time end = other->for_ns == 0 ? TRP_NEVER : trp_time_after(other->at, other->for_ns);
        if (!lasts(other))
            lang_problem_add(context->problems, node->mark,
                             "only partitions and link changes can be healed");
        else if (i > index)
            lang_problem_add(context->problems, node->mark, "`%s` has not begun by then",
                             draft->heal);
        else if (end <= action->at)
            lang_problem_add(context->problems, node->mark, "`%s` has ended by itself by then",
                             draft->heal);
        action->target = i;
        return;
    }
    lang_nearest_offer(&nearest, "all");
    lang_problem_add(context->problems, node->mark, "no entry of the timeline is called `%s`",
                     draft->heal);
    (void)lang_nearest_hint(&nearest, context->problems);
}

void lang_rules_timeline(struct lang_context *context)
{
    struct trp_plan *plan = context->plan;
    struct draft_action *drafts = context->draft.timeline.items;
    uint32_t count = context->draft.timeline.count;
    struct ordered *entries = lang_arena_take(context->arena, count * sizeof *entries + 1);
    struct trp_plan_action *actions = lang_arena_take(context->arena, count * sizeof *actions + 1);
    for (uint32_t i = 0; i < count; i++) {
        check_action(context, &drafts[i]);
        drafts[i].action.entry = i;
        entries[i] = (struct ordered){.action = drafts[i].action, .draft = &drafts[i], .index = i};
    }
    qsort(entries, count, sizeof *entries, compare_ordered);
    name_actions(context, entries, count);
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].action.kind == TRP_PLAN_HEAL)
            resolve_heal(context, entries, count, i);
    for (uint32_t i = 0; i < count; i++)
        actions[i] = entries[i].action;
    plan->timeline = actions;
    plan->timeline_count = count;
}
