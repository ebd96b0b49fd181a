/* SPDX-License-Identifier: MIT */
/* What the schema table cannot say of run, hosts and network. */
#include "scenarios/lang/draft.h"

#define QUEUE_USUAL_NS TRP_MS(200)

void lang_rules_run(struct lang_context *context)
{
    const struct draft_run *run = &context->draft.run;
    context->plan->until_ns = run->until;
    context->plan->seed = run->seed;
    if (lang_item_is_zero(&run->item, "until"))
        lang_problem_add(context->problems, lang_item_mark(&run->item, "until"),
                         "a run must last some time");
}

/* ---- hosts ---- */

static bool is_reserved(const char *word)
{
    return lang_word_in(" all none any default random closest holders zone heal ", word);
}

/* Lays the limits of a group over those of the file and checks the sum. */
static void merge_limits(struct lang_context *context, struct draft_group *group)
{
    struct trp_limits merged = context->draft.limits.limits;
    const struct trp_limits *own = &group->limits.limits;
#define MERGE_LIMIT(type, name, default_, minimum, reason)                                         \
    merged.name = own->name != 0 ? own->name : merged.name;
    TRP_LIMITS_MAP(MERGE_LIMIT)
#undef MERGE_LIMIT
    group->group.limits = merged;
}

/* Reports each limit of a section that is below its minimum. */
static void check_limits(struct lang_context *context, const struct draft_limits *limits)
{
    const struct lang_item *item = &limits->item;
    if (item->node == NULL)
        return;
    for (uint32_t i = 0; i < item->section->keys_count; i++) {
        struct trp_bytes key = lang_key_name(&item->section->keys[i]);
        const char *name = lang_arena_copy(context->arena, (const char *)key.data, key.size);
        struct trp_limits one = {0};
        const char *wrong = NULL;
        const struct lang_node *value = lang_item_value(item, name);
        if (value == NULL)
            continue;
        size_t offset = item->section->keys[i].offset - offsetof(struct draft_limits, limits);
        bool narrow = item->section->keys[i].type == LANG_LIMIT;
        memcpy((unsigned char *)&one + offset, (const unsigned char *)&limits->limits + offset,
               narrow ? sizeof(uint32_t) : sizeof(uint64_t));
        if (trp_limits_complete(&one, &wrong) != TRP_OK)
            lang_problem_add(context->problems, value->mark, "`%s` is below what a node needs",
                             name);
    }
}

/* Says whether a list has an entry for each host of the group; reports it otherwise. */
static bool fits_group(struct lang_context *context, const struct draft_group *group,
                       const char *key, uint32_t count)
{
    if (count == group->group.count)
        return true;
    lang_problem_add(context->problems, lang_item_mark(&group->item, key),
                     "this lists %u for the %u hosts of the group", count, group->group.count);
    return false;
}

static void check_start(struct lang_context *context, struct draft_group *group)
{
    const struct trp_dist *start = &group->start.dist;
    trp_time latest = start->kind == TRP_DIST_CONST     ? start->a
                      : start->kind == TRP_DIST_UNIFORM ? start->b
                                                        : 0;
    group->group.start = *start;
    if (group->start.each != NULL) {
        if (!fits_group(context, group, "start", group->start.count))
            return;
        group->group.starts = group->start.each;
        latest = 0;
        for (uint32_t i = 0; i < group->start.count; i++)
            if (group->start.each[i] != TRP_NEVER && group->start.each[i] > latest)
                latest = group->start.each[i];
    }
    if (latest >= context->plan->until_ns && latest != TRP_NEVER && context->plan->until_ns != 0)
        lang_problem_add(context->problems, lang_item_mark(&group->item, "start"),
                         "hosts would start after the run has ended");
}

/* Reads a selector whose choice can be made before the run. */
static const struct trp_selector *read_early(struct lang_context *context,
                                             const struct lang_node *node)
{
    struct lang_fault fault = {0};
    const struct trp_selector *selector = lang_selector_read(
        &context->selectors, trp_bytes(node->text, node->size), LANG_GROUP_FIRST, &fault);
    if (selector != NULL && !lang_selector_is_early(selector)) {
        lang_fault_set(&fault, 0, node->size, "who this is shows only while the run goes on");
        lang_fault_hint(&fault, "closest() and holders() are for the timeline");
        selector = NULL;
    }
    if (selector == NULL)
        lang_fault_report(context, node, &fault);
    return selector;
}

/* Reads whom adversaries attack, and refuses to honest hosts what is theirs. */
static void read_conduct(struct lang_context *context, const struct draft_group *draft,
                         struct trp_plan_group *group)
{
    static const char *const keys[] = {"against", "every"};
    for (size_t i = 0; i < 2 && group->conduct == TRP_PLAN_HONEST; i++) {
        const struct lang_node *value = lang_item_value(&draft->item, keys[i]);
        if (value == NULL)
            continue;
        lang_problem_add(context->problems, value->mark, "`%s` is for adversaries", keys[i]);
        lang_problem_hint(context->problems, "say what they do with behave: flood, slow, …");
        return;
    }
    if (lang_item_is_zero(&draft->item, "every"))
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "every"),
                         "attacks need some time between them");
    if (draft->against == NULL)
        return;
    if (draft->against->kind == LANG_LIST)
        lang_problem_add(context->problems, draft->against->mark,
                         "`against` takes one value, not a list");
    else
        group->against = read_early(context, draft->against);
}

static void read_bootstraps(struct lang_context *context, struct trp_plan_group *groups)
{
    const struct draft_group *drafts = context->draft.hosts.items;
    for (uint32_t i = 0; i < context->draft.hosts.count; i++) {
        const struct lang_node *node = drafts[i].bootstrap;
        read_conduct(context, &drafts[i], &groups[i]);
        if (node == NULL)
            continue;
        if (node->kind != LANG_LIST) {
            groups[i].bootstrap = read_early(context, node);
            continue;
        }
        if (!fits_group(context, &drafts[i], "bootstrap", node->count))
            continue;
        const struct trp_selector **each =
            lang_arena_take(context->arena, node->count * sizeof *each + 1);
        for (uint32_t k = 0; k < node->count; k++)
            each[k] = read_early(context, node->entries[k].value);
        groups[i].bootstraps = each;
    }
}

uint32_t lang_host_read(struct lang_context *context, struct trp_bytes text,
                        struct lang_fault *fault)
{
    const struct trp_selector *selector =
        lang_selector_read(&context->selectors, text, LANG_GROUP_FIRST, fault);
    if (selector == NULL)
        return TRP_PLAN_NONE;
    if (selector->hosts == NULL || selector->hosts_count != 1) {
        lang_fault_set(fault, 0, text.size, "one host was expected");
        lang_fault_hint(fault, "west[3]");
        return TRP_PLAN_NONE;
    }
    return selector->hosts[0];
}

/* Names the group and its zone. */
static void name_group(struct lang_context *context, struct draft_group *draft)
{
    const char *name = draft->item.name;
    if (!lang_is_word(trp_bytes_text(name)) || is_reserved(name))
        lang_problem_add(context->problems, draft->item.mark,
                         is_reserved(name)
                             ? "`%s` has a meaning of its own and cannot be a group"
                             : "`%s` is not a word: a letter, then letters, digits, - "
                               "and _",
                         name);
    if (draft->group.zone != NULL && is_reserved(draft->group.zone))
        lang_problem_add(context->problems, lang_item_mark(&draft->item, "zone"),
                         "`%s` has a meaning of its own and cannot be a zone", draft->group.zone);
    draft->group.name = name;
    draft->group.zone = draft->group.zone == NULL ? name : draft->group.zone;
    draft->group.place = lang_item_place(context, &draft->item);
}

void lang_rules_hosts(struct lang_context *context)
{
    struct trp_plan *plan = context->plan;
    struct draft_group *drafts = context->draft.hosts.items;
    uint32_t count = context->draft.hosts.count;
    struct trp_plan_group *groups = lang_arena_take(context->arena, count * sizeof *groups + 1);
    check_limits(context, &context->draft.limits);
    if (context->draft.hosts.node != NULL && count == 0)
        lang_problem_add(context->problems, context->draft.hosts.node->mark,
                         "a scenario needs hosts");
    for (uint32_t i = 0; i < count; i++) {
        struct draft_group *draft = &drafts[i];
        name_group(context, draft);
        check_limits(context, &draft->limits);
        merge_limits(context, draft);
        draft->group.count = draft->group.count == 0 ? 1 : draft->group.count;
        check_start(context, draft);
        if (draft->group.count > TRP_PLAN_HOSTS_MAX - plan->hosts_count) {
            lang_problem_add(context->problems, lang_item_mark(&draft->item, "count"),
                             "more than %u hosts in all", TRP_PLAN_HOSTS_MAX);
            draft->group.count = 1;
            count = i; /* what follows cannot be numbered */
            break;
        }
        draft->group.first = plan->hosts_count;
        plan->hosts_count += draft->group.count;
        groups[i] = draft->group;
    }
    context->draft.hosts.count = count;
    plan->groups = groups;
    plan->groups_count = count;
    context->selectors.plan = plan;
    read_bootstraps(context, groups);
}

/* ---- network ---- */

static bool pair_end(struct lang_context *context, struct trp_bytes text, struct lang_mark mark,
                     const struct lang_node *node, size_t offset,
                     const struct trp_selector **ret_end)
{
    struct lang_fault fault = {0};
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    while (text.size > 0 && text.data[0] == ' ') {
        text = trp_bytes_skip(text, 1);
        offset++;
    }
    *ret_end = text.size == 0
                   ? NULL
                   : lang_selector_read(&context->selectors, text, LANG_ZONE_FIRST, &fault);
    if (text.size == 0)
        lang_fault_set(&fault, 0, 0, "an end of the link is missing");
    else if (*ret_end != NULL && (*ret_end)->hosts == NULL)
        lang_fault_set(&fault, 0, text.size, "the ends of a link must be known before the run");
    else if (*ret_end != NULL)
        return true;
    fault.offset += offset;
    if (node != NULL) {
        lang_fault_report(context, node, &fault);
    } else {
        lang_problem_add(context->problems, mark, "%s", fault.message);
        if (fault.hint[0] != '\0')
            lang_problem_hint(context->problems, "%s", fault.hint);
    }
    return false;
}

bool lang_pair_read(struct lang_context *context, const char *text, struct lang_mark mark,
                    const struct lang_node *node, struct trp_plan_link *link)
{
    const char *arrow = strstr(text, "->");
    link->text = text;
    if (context->plan->groups_count == 0)
        return false;
    if (arrow == NULL) {
        lang_problem_add(context->problems, mark, "`%s` is not a link", text);
        lang_problem_hint(context->problems, "\"A <-> B\" for both directions, \"A -> B\" for one");
        return false;
    }
    link->both = arrow > text && arrow[-1] == '<';
    size_t left = (size_t)(arrow - text) - link->both;
    size_t right = (size_t)(arrow - text) + 2;
    bool good = pair_end(context, trp_bytes(text, left), mark, node, 0, &link->from);
    return pair_end(context, trp_bytes_text(text + right), mark, node, right, &link->to) && good;
}

/* Gives a rate its queue when nothing says one. */
static void queue_complete(struct trp_path *path, uint32_t *keys, trp_time usual)
{
    bool rate = path->rate_bits_per_s != 0;
    if (!rate || (*keys & TRP_LINK_QUEUE) != 0 || usual != 0)
        return;
    path->queue_ns = QUEUE_USUAL_NS;
    *keys |= TRP_LINK_QUEUE;
}

void lang_rules_network(struct lang_context *context)
{
    const struct draft_network *network = &context->draft.network;
    struct trp_plan *plan = context->plan;
    struct draft_link *drafts = network->links.items;
    struct trp_plan_link *links =
        lang_arena_take(context->arena, network->links.count * sizeof *links + 1);
    plan->transport = network->transport;
    plan->security = network->security;
    for (uint32_t i = 0; i < network->links.count; i++) {
        struct draft_link *draft = &drafts[i];
        if (strcmp(draft->item.name, "default") == 0) {
            queue_complete(&draft->link.path, &draft->link.keys, 0);
            plan->path = draft->link.path;
        }
    }
    for (uint32_t i = 0; i < network->links.count; i++) {
        struct draft_link *draft = &drafts[i];
        if (strcmp(draft->item.name, "default") == 0)
            continue;
        draft->link.place = lang_item_place(context, &draft->item);
        queue_complete(&draft->link.path, &draft->link.keys, plan->path.queue_ns);
        if (lang_pair_read(context, draft->item.name, draft->item.mark, NULL, &draft->link))
            links[plan->links_count++] = draft->link;
    }
    plan->links = links;
}
