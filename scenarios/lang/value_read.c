/* SPDX-License-Identifier: MIT */
/* Reads one value by the type of its key. */
#include "scenarios/lang/draft.h"
#include "scenarios/lang/name.h"

#define TEXT_MAX  16384u /* of a selector, name or other short text */
#define LIST_MAX  256u   /* words */
#define SIDES_MAX 4096u

static bool fail(struct lang_context *context, const struct lang_node *node,
                 const struct lang_fault *fault)
{
    lang_fault_report(context, node, fault);
    return false;
}

static bool fail_with(struct lang_context *context, const struct lang_node *node,
                      const char *message)
{
    lang_problem_add(context->problems, node->mark, "%s", message);
    return false;
}

/* Checks that a node is one text that is there. */
static bool one_text(struct lang_context *context, const struct lang_key *key,
                     const struct lang_node *node)
{
    struct trp_bytes name = lang_key_name(key);
    int size = (int)name.size;
    const char *text = (const char *)name.data;
    if (node->kind != LANG_SCALAR) {
        lang_problem_add(context->problems, node->mark, "`%.*s` takes one value, not a %s", size,
                         text, node->kind == LANG_LIST ? "list" : "section");
        return false;
    }
    if (node->size == 0) {
        lang_problem_add(context->problems, node->mark, "`%.*s` has no value", size, text);
        lang_problem_hint(context->problems, "it takes %s", lang_key_text(key)->about);
        return false;
    }
    if (node->size > TEXT_MAX)
        return fail_with(context, node, "this text is longer than 16384 bytes");
    return true;
}

static struct trp_bytes text_of(const struct lang_node *node)
{
    return trp_bytes(node->text, node->size);
}

static bool word_read(struct lang_context *context, const struct lang_node *node,
                      const char **ret_word)
{
    if (!lang_is_word(text_of(node))) {
        (void)fail_with(context, node,
                        "a word was expected: a letter, then letters, digits, - "
                        "and _");
        return false;
    }
    *ret_word = node->text;
    return true;
}

static bool words_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, struct lang_words *words)
{
    if (node->kind != LANG_LIST)
        return fail_with(context, node, "a list was expected: [ a, b ]");
    if (node->count > LIST_MAX)
        return fail_with(context, node, "more than 256 words");
    const char **copies = lang_arena_take(context->arena, node->count * sizeof *copies + 1);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct lang_node *value = node->entries[i].value;
        if (!one_text(context, key, value) || !word_read(context, value, &copies[i]))
            return false;
    }
    *words = (struct lang_words){.words = copies, .count = node->count};
    return true;
}

static bool count_read(struct lang_context *context, const struct lang_node *node, uint64_t max,
                       uint32_t *ret_count)
{
    struct lang_fault fault = {0};
    uint64_t count;
    if (!lang_count_read(text_of(node), max, &count, &fault))
        return fail(context, node, &fault);
    if (count == 0)
        return fail_with(context, node, "this must be at least 1");
    *ret_count = (uint32_t)count;
    return true;
}

static bool limit_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, void *field)
{
    struct lang_fault fault = {0};
    bool wide = key->type == LANG_LIMIT_WIDE;
    bool size = lang_key_text(key) == lang_type_text(LANG_LIMIT_WIDE);
    uint64_t value;
    if (!size)
        return count_read(context, node, UINT32_MAX, field);
    if (!lang_size_read(text_of(node), &value, &fault))
        return fail(context, node, &fault);
    if (value == 0)
        return fail_with(context, node, "this must be above 0");
    if (!wide && value > UINT32_MAX)
        return fail_with(context, node, "this must be below 4GiB");
    uint32_t narrow = (uint32_t)value;
    memcpy(field, wide ? (void *)&value : (void *)&narrow, wide ? sizeof value : sizeof narrow);
    return true;
}

static void report_choice(struct lang_context *context, const struct lang_key *key,
                          const struct lang_node *node)
{
    struct lang_nearest nearest = lang_nearest_to(node->text, node->size);
    const char *list = "";
    for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++) {
        if (choice->planned)
            continue;
        lang_nearest_offer(&nearest, choice->word);
        list = lang_arena_print(context->arena, "%s%s`%s`", list, list[0] == '\0' ? "" : ", ",
                                choice->word);
    }
    lang_problem_add(context->problems, node->mark, "`%s` is not one of %s", node->text, list);
    (void)lang_nearest_hint(&nearest, context->problems);
}

static bool choice_read(struct lang_context *context, const struct lang_key *key,
                        const struct lang_node *node, unsigned *field)
{
    for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++) {
        if (strcmp(choice->word, node->text) != 0)
            continue;
        if (choice->planned)
            lang_problem_add(context->problems, node->mark, "`%s: %s` is not supported yet",
                             key->name, choice->word);
        else
            *field = choice->value;
        return !choice->planned;
    }
    report_choice(context, key, node);
    return false;
}

/* Reads a selector. Without any group of hosts everything would be wrong: that is said once. */
static bool hosts_read(struct lang_context *context, const struct lang_node *node,
                       const struct trp_selector **ret_selector)
{
    struct lang_fault fault = {0};
    if (context->plan->groups_count == 0)
        return false;
    *ret_selector =
        lang_selector_read(&context->selectors, text_of(node), LANG_GROUP_FIRST, &fault);
    return *ret_selector != NULL || fail(context, node, &fault);
}

static bool sides_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, struct lang_sides *ret_sides)
{
    bool listed = node->kind == LANG_LIST;
    uint32_t count = listed ? node->count : 1;
    bool good = true;
    if (count > SIDES_MAX)
        return fail_with(context, node, "more than 4096 sides");
    const struct trp_selector **sides = lang_arena_take(context->arena, count * sizeof *sides + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct lang_node *side = listed ? node->entries[i].value : node;
        good = one_text(context, key, side) && hosts_read(context, side, &sides[i]) && good;
    }
    if (good)
        *ret_sides = (struct lang_sides){.sides = sides, .count = count, .listed = listed};
    return good;
}

static bool name_read(struct lang_context *context, const struct lang_node *node,
                      enum lang_name_use use, struct trp_name_template *name)
{
    struct lang_fault fault = {0};
    if (!lang_name_read(context->arena, text_of(node), use, name, &fault))
        return fail(context, node, &fault);
    if (use == LANG_NAME_TARGET && !lang_name_resolve(context->plan, name, &fault))
        return fail(context, node, &fault);
    return true;
}

/* Reads the types that are numbers with units. */
static bool quantity_read(struct lang_context *context, const struct lang_key *key,
                          const struct lang_node *node, void *field)
{
    struct lang_fault fault = {0};
    uint64_t number = 0;
    struct trp_bytes text = text_of(node);
    bool good = false;
    if (key->type == LANG_TIME)
        good = lang_span_read(text, &number, &fault);
    else if (key->type == LANG_RATE)
        good = lang_rate_read(text, &number, &fault);
    else if (key->type == LANG_SEED)
        good = lang_count_read(text, UINT64_MAX, &number, &fault);
    else
        good = lang_share_read(text, &number, &fault);
    if (!good)
        return fail(context, node, &fault);
    uint32_t narrow = (uint32_t)number;
    if (key->type == LANG_SHARE)
        memcpy(field, &narrow, sizeof narrow);
    else
        memcpy(field, &number, sizeof number);
    return true;
}

static bool spread_read(struct lang_context *context, const struct lang_node *node,
                        struct trp_dist *dist)
{
    struct lang_fault fault = {0};
    return lang_dist_read(text_of(node), dist, &fault) || fail(context, node, &fault);
}

static bool is_never(const struct lang_node *node)
{
    return strcmp(node->text, "never") == 0;
}

/* Reads one start for all hosts, or a list of one for each. */
static bool start_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, struct lang_start *start)
{
    if (node->kind != LANG_LIST) {
        start->dist = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_NEVER};
        return one_text(context, key, node) &&
               (is_never(node) || spread_read(context, node, &start->dist));
    }
    trp_time *each = lang_arena_take(context->arena, node->count * sizeof *each + 1);
    bool good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        struct lang_fault fault = {0};
        const struct lang_node *value = node->entries[i].value;
        each[i] = TRP_NEVER;
        good = one_text(context, key, value) && good;
        if (good && !is_never(value) && !lang_span_read(text_of(value), &each[i], &fault))
            good = fail(context, value, &fault);
    }
    if (good)
        *start = (struct lang_start){.each = each, .count = node->count};
    return good;
}

/* Keeps a list of texts, or a single one where that is fine, for the rules. */
static bool texts_keep(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, const struct lang_node **ret_node)
{
    bool listed = node->kind == LANG_LIST;
    if (!listed && key->type != LANG_HOSTS_LATER)
        return fail_with(context, node, "a list was expected: [ … ]");
    bool good = listed || one_text(context, key, node);
    for (uint32_t i = 0; listed && i < node->count; i++)
        good = one_text(context, key, node->entries[i].value) && good;
    if (good)
        *ret_node = node;
    return good;
}

/* Reads the types of one text. */
static bool scalar_read(struct lang_context *context, const struct lang_key *key,
                        const struct lang_node *node, void *field)
{
    struct lang_fault fault = {0};
    struct trp_name_template *name;
    switch (key->type) {
    case LANG_TEXT:
        *(const char **)field = node->text;
        return true;
    case LANG_WORD:
        return word_read(context, node, field);
    case LANG_COUNT:
        return count_read(context, node, TRP_PLAN_HOSTS_MAX, field);
    case LANG_LIMIT:
    case LANG_LIMIT_WIDE:
        return limit_read(context, key, node, field);
    case LANG_SEED:
    case LANG_TIME:
    case LANG_RATE:
    case LANG_SHARE:
    case LANG_SHARE_WIDE:
        return quantity_read(context, key, node, field);
    case LANG_SPREAD:
        return spread_read(context, node, field);
    case LANG_FLAG:
        return lang_bool_read(text_of(node), field, &fault) || fail(context, node, &fault);
    case LANG_CHOICE:
        return choice_read(context, key, node, field);
    case LANG_HOSTS:
        return hosts_read(context, node, field);
    case LANG_REGISTER:
        name = lang_arena_take(context->arena, sizeof *name);
        *(const struct trp_name_template **)field = name;
        return name_read(context, node, LANG_NAME_REGISTER, name);
    case LANG_TARGET:
        return name_read(context, node, LANG_NAME_TARGET, field);
    case LANG_BOUND:
        *(const struct lang_node **)field = node;
        return true;
    case LANG_WORDS:
    case LANG_START:
    case LANG_HOSTS_LATER:
    case LANG_PAIRS:
    case LANG_OCCASIONS:
    case LANG_SIDES:
    case LANG_ARGUMENTS:
    case LANG_FILES:
    case LANG_SECTION:
    case LANG_TABLE:
    case LANG_LIST_OF:
        break;
    }
    return false;
}

bool lang_value_read(struct lang_context *context, const struct lang_key *key,
                     const struct lang_node *node, void *field)
{
    if (key->type == LANG_WORDS)
        return words_read(context, key, node, field);
    if (key->type == LANG_SIDES)
        return sides_read(context, key, node, field);
    if (key->type == LANG_START)
        return start_read(context, key, node, field);
    if (key->type == LANG_HOSTS_LATER || key->type == LANG_PAIRS || key->type == LANG_OCCASIONS)
        return texts_keep(context, key, node, field);
    if (key->type == LANG_ARGUMENTS) {
        *(const struct lang_node **)field = node;
        return true;
    }
    return one_text(context, key, node) && scalar_read(context, key, node, field);
}
