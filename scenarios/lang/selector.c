/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/selector.h"

#include <stdlib.h>

#define TERMS_MAX  1024u
#define NESTED_MAX 16u
#define LISTED_MAX 4194304u

struct lang_known {
    struct lang_known *next;
    enum lang_bare_word bare;
    const struct trp_selector *selector;
};

struct parser {
    struct lang_selectors *selectors;
    struct trp_bytes text;
    size_t at;
    uint32_t terms;
    uint32_t nested;
    enum lang_bare_word bare;
    struct lang_fault *fault;
};

static const struct trp_selector *parse_sum(struct parser *parser);

static struct trp_selector *fail(struct parser *parser, size_t offset, size_t size,
                                 const char *message)
{
    lang_fault_set(parser->fault, offset, size, "%s", message);
    return NULL;
}

static struct trp_selector *new_node(struct parser *parser, enum trp_selector_kind kind)
{
    if (parser->terms == TERMS_MAX)
        return fail(parser, 0, parser->text.size, "more than 1024 terms");
    struct trp_selector *node = lang_arena_take(parser->selectors->arena, sizeof *node);
    node->kind = kind;
    node->ordinal = parser->terms++;
    return node;
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->text.size && parser->text.data[parser->at] == ' ')
        parser->at++;
}

static bool take(struct parser *parser, char c)
{
    skip_space(parser);
    if (parser->at == parser->text.size || parser->text.data[parser->at] != (uint8_t)c)
        return false;
    parser->at++;
    return true;
}

static bool expect(struct parser *parser, char c)
{
    if (take(parser, c))
        return true;
    lang_fault_set(parser->fault, parser->at, 1, "`%c` was expected here", c);
    return false;
}

/* Takes what stands before any of `ends`, without spaces around it. */
static struct trp_bytes take_until(struct parser *parser, const char *ends)
{
    skip_space(parser);
    size_t start = parser->at;
    while (parser->at < parser->text.size &&
           strchr(ends, (int)parser->text.data[parser->at]) == NULL)
        parser->at++;
    size_t end = parser->at;
    while (end > start && parser->text.data[end - 1] == ' ')
        end--;
    return trp_bytes(parser->text.data + start, end - start);
}

static size_t offset_of(const struct parser *parser, struct trp_bytes part)
{
    return (size_t)(part.data - parser->text.data);
}

/* Moves a fault of a part to its place in the whole. */
static struct trp_selector *fail_in(struct parser *parser, struct trp_bytes part)
{
    parser->fault->offset += offset_of(parser, part);
    return NULL;
}

static const char *copy(struct parser *parser, struct trp_bytes part)
{
    return lang_arena_copy(parser->selectors->arena, (const char *)part.data, part.size);
}

/* Reads `, of=SUM` when it is there, else all; NULL with the fault. */
static const struct trp_selector *parse_of(struct parser *parser)
{
    if (!take(parser, ','))
        return new_node(parser, TRP_SELECT_ALL);
    struct trp_bytes word = take_until(parser, "=,)");
    if (!trp_bytes_equal(word, trp_bytes_text("of")))
        return fail(parser, offset_of(parser, word), word.size, "only `of=` may stand here");
    return expect(parser, '=') ? parse_sum(parser) : NULL;
}

static struct trp_selector *parse_random(struct parser *parser)
{
    struct trp_selector *node = new_node(parser, TRP_SELECT_RANDOM);
    struct trp_bytes amount = take_until(parser, ",)");
    uint64_t value = 0;
    if (node == NULL)
        return NULL;
    if (amount.size > 0 && amount.data[amount.size - 1] == '%') {
        if (!lang_share_read(amount, &value, parser->fault))
            return fail_in(parser, amount);
        node->share_ppm = (uint32_t)value;
    } else {
        if (!lang_count_read(amount, TRP_PLAN_HOSTS_MAX, &value, parser->fault))
            return fail_in(parser, amount);
        node->count = (uint32_t)value;
    }
    if (value == 0)
        return fail(parser, offset_of(parser, amount), amount.size, "this selects no host");
    node->left = parse_of(parser);
    return node->left == NULL || !expect(parser, ')') ? NULL : node;
}

/* Reads the name of closest(name, …) or holders(name). */
static bool parse_name(struct parser *parser, struct trp_selector *node)
{
    struct trp_bytes name = take_until(parser, ",)");
    if (name.size == 0 || name.size > 255) {
        (void)fail(parser, parser->at, 1, "the name of an actor was expected, 1 to 255 bytes");
        return false;
    }
    node->name = copy(parser, name);
    return true;
}

static struct trp_selector *parse_closest(struct parser *parser)
{
    struct trp_selector *node = new_node(parser, TRP_SELECT_CLOSEST);
    uint64_t count = 0;
    if (node == NULL || !parse_name(parser, node) || !expect(parser, ','))
        return NULL;
    struct trp_bytes amount = take_until(parser, ",)");
    if (!lang_count_read(amount, TRP_PLAN_HOSTS_MAX, &count, parser->fault))
        return fail_in(parser, amount);
    if (count == 0)
        return fail(parser, offset_of(parser, amount), amount.size, "this selects no host");
    node->count = (uint32_t)count;
    node->left = parse_of(parser);
    return node->left == NULL || !expect(parser, ')') ? NULL : node;
}

static struct trp_selector *parse_holders(struct parser *parser)
{
    struct trp_selector *node = new_node(parser, TRP_SELECT_HOLDERS);
    if (node == NULL || !parse_name(parser, node))
        return NULL;
    node->left = parse_of(parser);
    return node->left == NULL || !expect(parser, ')') ? NULL : node;
}

static bool zone_exists(const struct trp_plan *plan, struct trp_bytes word)
{
    for (uint32_t i = 0; i < plan->groups_count; i++)
        if (trp_bytes_equal(word, trp_bytes_text(plan->groups[i].zone)))
            return true;
    return false;
}

static struct trp_selector *zone_node(struct parser *parser, struct trp_bytes word)
{
    struct trp_selector *node = new_node(parser, TRP_SELECT_ZONE);
    if (node != NULL)
        node->name = copy(parser, word);
    return node;
}

static struct trp_selector *no_such(struct parser *parser, struct trp_bytes word, const char *what,
                                    bool groups)
{
    const struct trp_plan *plan = parser->selectors->plan;
    struct lang_nearest nearest = lang_nearest_to((const char *)word.data, word.size);
    for (uint32_t i = 0; i < plan->groups_count; i++) {
        if (groups)
            lang_nearest_offer(&nearest, plan->groups[i].name);
        lang_nearest_offer(&nearest, plan->groups[i].zone);
    }
    if (groups) {
        lang_nearest_offer(&nearest, "all");
        lang_nearest_offer(&nearest, "any");
    }
    lang_fault_set(parser->fault, offset_of(parser, word), word.size, "no %s is called `%.*s`",
                   what, (int)(word.size > 64 ? 64 : word.size), (const char *)word.data);
    (void)lang_nearest_fault(&nearest, parser->fault);
    return NULL;
}

static struct trp_selector *parse_zone(struct parser *parser)
{
    struct trp_bytes word = take_until(parser, ")");
    if (!zone_exists(parser->selectors->plan, word))
        return no_such(parser, word, "zone", false);
    struct trp_selector *node = zone_node(parser, word);
    return node == NULL || !expect(parser, ')') ? NULL : node;
}

/* Reads `[3]` or `[0..9]` behind the name of a group. */
static struct trp_selector *parse_range(struct parser *parser, struct trp_selector *node,
                                        const struct trp_plan_group *group)
{
    struct trp_bytes first = take_until(parser, ".]");
    uint64_t low = 0;
    if (!lang_count_read(first, TRP_PLAN_HOSTS_MAX, &low, parser->fault))
        return fail_in(parser, first);
    uint64_t high = low;
    struct trp_bytes last = first;
    if (take(parser, '.')) {
        if (!expect(parser, '.'))
            return NULL;
        last = take_until(parser, "]");
        if (!lang_count_read(last, TRP_PLAN_HOSTS_MAX, &high, parser->fault))
            return fail_in(parser, last);
    }
    if (!expect(parser, ']'))
        return NULL;
    if (low > high)
        return fail(parser, offset_of(parser, first), first.size, "the range runs backwards");
    if (high >= group->count) {
        lang_fault_set(parser->fault, offset_of(parser, last), last.size,
                       "`%s` has hosts 0 to %u only", group->name, group->count - 1);
        return NULL;
    }
    node->first = group->first + (uint32_t)low;
    node->last = group->first + (uint32_t)high;
    return node;
}

static struct trp_selector *parse_group(struct parser *parser, struct trp_bytes word)
{
    const struct trp_plan *plan = parser->selectors->plan;
    bool zone = zone_exists(plan, word);
    skip_space(parser);
    bool range = parser->at < parser->text.size && parser->text.data[parser->at] == '[';
    if (zone && parser->bare == LANG_ZONE_FIRST && !range)
        return zone_node(parser, word);
    for (uint32_t i = 0; i < plan->groups_count; i++) {
        const struct trp_plan_group *group = &plan->groups[i];
        if (!trp_bytes_equal(word, trp_bytes_text(group->name)))
            continue;
        struct trp_selector *node = new_node(parser, TRP_SELECT_RANGE);
        if (node == NULL)
            return NULL;
        node->first = group->first;
        node->last = group->first + group->count - 1;
        return take(parser, '[') ? parse_range(parser, node, group) : node;
    }
    return zone && !range ? zone_node(parser, word)
                          : no_such(parser, word, "group or zone of hosts", true);
}

static struct trp_bytes take_word(struct parser *parser)
{
    skip_space(parser);
    struct trp_bytes rest = trp_bytes_skip(parser->text, parser->at);
    size_t size = lang_word_size(rest);
    parser->at += size;
    return trp_bytes(rest.data, size);
}

static const struct trp_selector *parse_term(struct parser *parser)
{
    static const struct {
        const char *name;
        struct trp_selector *(*parse)(struct parser *);
    } functions[] = {{"random", parse_random},
                     {"closest", parse_closest},
                     {"holders", parse_holders},
                     {"zone", parse_zone}};
    if (take(parser, '(')) {
        const struct trp_selector *inner = parse_sum(parser);
        return inner == NULL || !expect(parser, ')') ? NULL : inner;
    }
    struct trp_bytes word = take_word(parser);
    if (word.size == 0)
        return fail(parser, parser->at, 1, "a group of hosts was expected here");
    size_t behind = parser->at;
    if (take(parser, '(')) {
        for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
            if (trp_bytes_equal(word, trp_bytes_text(functions[i].name)))
                return functions[i].parse(parser);
        lang_fault_set(parser->fault, offset_of(parser, word), word.size, "no such selector");
        lang_fault_hint(parser->fault, "random(n) random(10%%, of=group) closest(name, n) "
                                       "holders(name) zone(name)");
        return NULL;
    }
    parser->at = behind;
    if (trp_bytes_equal(word, trp_bytes_text("all")))
        return new_node(parser, TRP_SELECT_ALL);
    if (trp_bytes_equal(word, trp_bytes_text("none")))
        return new_node(parser, TRP_SELECT_NONE);
    if (trp_bytes_equal(word, trp_bytes_text("any")))
        return new_node(parser, TRP_SELECT_ANY);
    return parse_group(parser, word);
}

static const struct trp_selector *parse_sum(struct parser *parser)
{
    if (parser->nested++ == NESTED_MAX)
        return fail(parser, parser->at, 1, "nested too deeply");
    const struct trp_selector *left = parse_term(parser);
    while (left != NULL) {
        bool plus = take(parser, '+');
        if (!plus && !take(parser, '-'))
            break;
        struct trp_selector *node = new_node(parser, plus ? TRP_SELECT_SUM : TRP_SELECT_MINUS);
        const struct trp_selector *right = node == NULL ? NULL : parse_term(parser);
        if (right == NULL)
            return NULL;
        node->left = left;
        node->right = right;
        left = node;
    }
    parser->nested--;
    return left;
}

bool lang_selector_is_static(const struct trp_selector *selector)
{
    switch (selector->kind) {
    case TRP_SELECT_ALL:
    case TRP_SELECT_NONE:
    case TRP_SELECT_RANGE:
    case TRP_SELECT_ZONE:
        return true;
    case TRP_SELECT_SUM:
    case TRP_SELECT_MINUS:
        return lang_selector_is_static(selector->left) && lang_selector_is_static(selector->right);
    case TRP_SELECT_ANY:
    case TRP_SELECT_RANDOM:
    case TRP_SELECT_CLOSEST:
    case TRP_SELECT_HOLDERS:
        break;
    }
    return false;
}

bool lang_selector_is_early(const struct trp_selector *selector)
{
    bool asks = selector->kind == TRP_SELECT_CLOSEST || selector->kind == TRP_SELECT_HOLDERS;
    return !asks && (selector->left == NULL || lang_selector_is_early(selector->left)) &&
           (selector->right == NULL || lang_selector_is_early(selector->right));
}

/* Lists the hosts of a choice that is known now. */
static bool list_hosts(struct lang_selectors *selectors, struct trp_selector *root,
                       struct lang_fault *fault)
{
    const struct trp_plan *plan = selectors->plan;
    struct trp_selector_world nothing = {0};
    uint32_t *hosts = lang_heap_take(NULL, (plan->hosts_count + 1) * sizeof *hosts);
    uint32_t count = 0;
    bool good = trp_selector_eval(plan, root, &nothing, hosts, &count) == TRP_OK;
    selectors->listed += count;
    good = good && selectors->listed <= LISTED_MAX;
    bool meant = count != 0 || root->kind == TRP_SELECT_NONE;
    if (good && meant) {
        uint32_t *kept = lang_arena_take(selectors->arena, count * sizeof *kept + 1);
        memcpy(kept, hosts, count * sizeof *kept);
        root->hosts = kept;
        root->hosts_count = count;
    }
    free(hosts);
    if (!good)
        lang_fault_set(fault, 0, 0, "the selectors of this file list too many hosts");
    else if (!meant)
        lang_fault_set(fault, 0, 0, "this selects no host");
    return good && meant;
}

const struct trp_selector *lang_selector_read(struct lang_selectors *selectors,
                                              struct trp_bytes text, enum lang_bare_word bare,
                                              struct lang_fault *fault)
{
    for (const struct lang_known *known = selectors->known; known != NULL; known = known->next)
        if (known->bare == bare && trp_bytes_equal(text, trp_bytes_text(known->selector->text)))
            return known->selector;
    struct parser parser = {.selectors = selectors, .text = text, .bare = bare, .fault = fault};
    const struct trp_selector *tree = parse_sum(&parser);
    if (tree == NULL)
        return NULL;
    skip_space(&parser);
    if (parser.at != text.size)
        return fail(&parser, parser.at, text.size - parser.at, "`+` or ` - ` was expected here");
    struct trp_selector *root = lang_arena_take(selectors->arena, sizeof *root);
    *root = *tree;
    root->text = copy(&parser, text);
    if (lang_selector_is_static(root) && !list_hosts(selectors, root, fault)) {
        fault->size = text.size;
        return NULL;
    }
    struct lang_known *known = lang_arena_take(selectors->arena, sizeof *known);
    *known = (struct lang_known){.next = selectors->known, .bare = bare, .selector = root};
    selectors->known = known;
    return root;
}
