/* SPDX-License-Identifier: MIT */
/* Applies the schema table to a tree. */
#include "scenarios/lang/draft.h"

#include <stdlib.h>

#include "base/assert.h"

#define KEYS_MAX    64u   /* of a section; the table of limits has most */
#define ENTRIES_MAX 4096u /* of a table or list */

static void section_read(struct lang_context *context, const struct lang_section *section,
                         const struct lang_node *node, struct lang_item *item);

/* ---- keys that are there ---- */

static void report_unknown(struct lang_context *context, const struct lang_section *section,
                           const struct lang_entry *entry)
{
    const char *where = section == lang_schema() ? "a scenario" : section->name;
    if (lang_word_in(section->planned, entry->key)) {
        lang_problem_add(context->problems, entry->key_mark, "`%s` is not supported yet",
                         entry->key);
        lang_problem_hint(context->problems, "leave it out");
        return;
    }
    lang_problem_add(context->problems, entry->key_mark, "unknown key `%s` in %s", entry->key,
                     where);
    struct lang_nearest nearest = lang_nearest_to(entry->key, strlen(entry->key));
    for (uint32_t i = 0; i < section->keys_count; i++) {
        struct trp_bytes name = lang_key_name(&section->keys[i]);
        lang_nearest_offer_bytes(&nearest, (const char *)name.data, name.size);
    }
    if (!lang_nearest_hint(&nearest, context->problems)) {
        struct lang_text list = {0};
        for (uint32_t i = 0; i < section->keys_count && list.size < 160; i++) {
            struct trp_bytes name = lang_key_name(&section->keys[i]);
            lang_text_add(&list, " %.*s", (int)name.size, (const char *)name.data);
        }
        char *text = lang_text_take(&list);
        lang_problem_hint(context->problems, "keys here:%s", text);
        free(text);
    }
}

/* Sorts the keys of a map into the places of the table; doubles and strangers are problems. */
static void keys_find(struct lang_context *context, const struct lang_section *section,
                      const struct lang_node *node, const struct lang_entry **found)
{
    for (uint32_t i = 0; i < node->count && context->problems->dropped == 0; i++) {
        const struct lang_entry *entry = &node->entries[i];
        const struct lang_key *key = lang_key_find(section, entry->key);
        if (key == NULL) {
            report_unknown(context, section, entry);
            continue;
        }
        const struct lang_entry **place = &found[key - section->keys];
        if (*place != NULL) {
            lang_problem_add(context->problems, entry->key_mark, "`%s` appears twice", entry->key);
            lang_problem_hint(context->problems, "the first is in line %u",
                              (*place)->key_mark.line + 1);
        } else {
            *place = entry;
        }
    }
}

static void list_actions(const struct lang_section *section, struct lang_text *list)
{
    for (uint32_t i = 0; i < section->keys_count; i++) {
        struct trp_bytes name = lang_key_name(&section->keys[i]);
        if (section->keys[i].action)
            lang_text_add(list, "%s%.*s:", list->size == 0 ? "" : " ", (int)name.size,
                          (const char *)name.data);
    }
}

/* An entry with an action of a later version is reported for that alone. */
static bool has_planned(const struct lang_item *item)
{
    for (uint32_t i = 0; item->node != NULL && i < item->node->count; i++)
        if (lang_word_in(item->section->planned, item->node->entries[i].key))
            return true;
    return false;
}

/* Finds the one action of an entry; NULL with a problem when there is none or more than one. */
static const struct lang_key *action_find(struct lang_context *context,
                                          const struct lang_item *item,
                                          const struct lang_entry *const *found)
{
    const struct lang_key *action = NULL;
    for (uint32_t i = 0; i < item->section->keys_count; i++) {
        if (!item->section->keys[i].action || found[i] == NULL)
            continue;
        if (action != NULL) {
            lang_problem_add(context->problems, found[i]->key_mark,
                             "`%s` and `%s` cannot be in one entry", action->name, found[i]->key);
            lang_problem_hint(context->problems, "make two entries of it");
            return NULL;
        }
        action = &item->section->keys[i];
    }
    if (action == NULL && !has_planned(item)) {
        struct lang_text list = {0};
        list_actions(item->section, &list);
        char *text = lang_text_take(&list);
        lang_problem_add(context->problems, item->mark, "an entry of %s needs one of %s",
                         item->section->name, text);
        free(text);
    }
    return action;
}

static bool goes_with(const struct lang_key *key, const struct lang_key *action)
{
    return key->with == NULL || (action != NULL && lang_word_in(key->with, action->name));
}

static void report_stranger(struct lang_context *context, const struct lang_key *key,
                            const struct lang_key *action, const struct lang_entry *entry)
{
    struct lang_text list = {0};
    for (const char *at = key->with + 1; *at != '\0';) {
        size_t size = strcspn(at, " ");
        lang_text_add(&list, "%s`%.*s:`", list.size == 0 ? "" : " or ", (int)size, at);
        at += size + (at[size] == ' ');
    }
    char *text = lang_text_take(&list);
    lang_problem_add(context->problems, entry->key_mark, "`%s` goes with %s, not with `%s:`",
                     entry->key, text, action->name);
    free(text);
}

/* ---- values ---- */

static void *field_of(struct lang_item *item, size_t offset)
{
    return (unsigned char *)item + offset;
}

/* Reads the default of a key as if it stood in the file. */
static void usual_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_item *item, void *field)
{
    struct lang_node *node = lang_arena_take(context->arena, sizeof *node);
    *node = (struct lang_node){.kind = LANG_SCALAR,
                               .mark = item->mark,
                               .expanded = 1,
                               .text = key->usual,
                               .size = strlen(key->usual)};
    (void)lang_value_read(context, key, node, field);
}

static const struct lang_node empty_map = {.kind = LANG_MAP};

static void items_read(struct lang_context *context, const struct lang_key *key,
                       const struct lang_node *node, struct lang_items *items)
{
    enum lang_node_kind kind = key->type == LANG_TABLE ? LANG_MAP : LANG_LIST;
    struct trp_bytes name = lang_key_name(key);
    items->node = node;
    if (node->kind != kind) {
        lang_problem_add(context->problems, node->mark, "`%.*s` is %s", (int)name.size,
                         (const char *)name.data,
                         kind == LANG_MAP ? "a section of entries by name"
                                          : "a list: one entry per line, each behind a `-`");
        if (key->example != NULL)
            lang_problem_hint(context->problems, "see `troupe explain %.*s`", (int)name.size,
                              (const char *)name.data);
        return;
    }
    if (node->count > ENTRIES_MAX) {
        lang_problem_add(context->problems, node->mark, "more than %u entries", ENTRIES_MAX);
        return;
    }
    size_t size = key->section->size;
    items->items = lang_arena_take(context->arena, node->count * size + 1);
    for (uint32_t i = 0; i < node->count && context->problems->dropped == 0; i++) {
        const struct lang_entry *entry = &node->entries[i];
        struct lang_item *item =
            (struct lang_item *)(void *)((char *)items->items + items->count * size);
        bool twice = false;
        for (uint32_t k = 0; kind == LANG_MAP && k < i; k++)
            twice = twice || strcmp(node->entries[k].key, entry->key) == 0;
        if (twice) {
            lang_problem_add(context->problems, entry->key_mark, "`%s` appears twice", entry->key);
            continue;
        }
        item->name = entry->key;
        item->mark = kind == LANG_MAP ? entry->key_mark : entry->value->mark;
        section_read(context, key->section, entry->value, item);
        items->count++;
    }
}

static void key_read(struct lang_context *context, struct lang_item *item,
                     const struct lang_key *key, const struct lang_entry *entry)
{
    void *field = field_of(item, key->offset);
    const struct lang_node *node = entry == NULL ? NULL : entry->value;
    if (key->type == LANG_SECTION) {
        struct lang_item *inner = field;
        inner->mark = entry == NULL ? item->mark : entry->key_mark;
        if (entry != NULL || !key->action)
            section_read(context, key->section, node, inner);
    } else if (key->type == LANG_TABLE || key->type == LANG_LIST_OF) {
        if (node != NULL)
            items_read(context, key, node, field);
    } else if (key->type == LANG_FILES) {
        if (node != NULL) /* the one of a file is gone by now */
            lang_problem_add(context->problems, entry->key_mark,
                             "`extends` may appear once, in a file");
    } else if (node != NULL) {
        (void)lang_value_read(context, key, node, field);
    } else if (key->usual != NULL) {
        usual_read(context, key, item, field);
    }
}

/* Notes in the section's bits that a key was said. */
static void bits_collect(struct lang_item *item, const struct lang_key *key)
{
    uint32_t bits;
    if (item->section->bits_offset == 0 || key->action)
        return;
    memcpy(&bits, field_of(item, item->section->bits_offset), sizeof bits);
    bits |= key->value;
    memcpy(field_of(item, item->section->bits_offset), &bits, sizeof bits);
}

static void report_missing(struct lang_context *context, const struct lang_item *item,
                           const struct lang_key *key)
{
    lang_problem_add(context->problems, item->mark, "`%s` is missing in %s", key->name,
                     item->section == lang_schema() ? "the scenario" : item->section->name);
}

static void keys_read(struct lang_context *context, struct lang_item *item,
                      const struct lang_entry *const *found)
{
    const struct lang_section *section = item->section;
    bool actions = section->kind_offset != 0;
    const struct lang_key *action = actions ? action_find(context, item, found) : NULL;
    if (action != NULL)
        memcpy(field_of(item, section->kind_offset), &action->value, sizeof action->value);
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        bool fits = goes_with(key, action);
        if (found[i] != NULL && !fits && action != NULL)
            report_stranger(context, key, action, found[i]);
        if (key->required && found[i] == NULL && item->node != NULL)
            report_missing(context, item, key);
        if (found[i] != NULL)
            bits_collect(item, key);
        if (fits && (!key->action || key == action))
            key_read(context, item, key, found[i]);
        if (key->done != NULL)
            key->done(context);
    }
}

/* Reads a section; a NULL node is an absent one, which has its defaults. */
static void section_read(struct lang_context *context, const struct lang_section *section,
                         const struct lang_node *node, struct lang_item *item)
{
    const struct lang_entry *found[KEYS_MAX] = {NULL};
    TRP_ASSERT(section->keys_count <= KEYS_MAX);
    item->section = section;
    item->node = node;
    if (node != NULL && node->kind != LANG_MAP) {
        bool empty = node->kind == LANG_SCALAR && node->size == 0 && !node->quoted;
        lang_problem_add(context->problems, empty ? item->mark : node->mark,
                         empty ? "this section is empty" : "a section with keys was expected here");
        lang_problem_hint(context->problems, "write { key: value, … }");
        item->node = &empty_map;
        return;
    }
    if (node != NULL)
        keys_find(context, section, node, found);
    keys_read(context, item, found);
}

void lang_read(struct lang_context *context, const struct lang_node *root)
{
    context->draft.item.mark = root->mark;
    section_read(context, lang_schema(), root, &context->draft.item);
}

/* ---- for the rules ---- */

const struct lang_node *lang_item_value(const struct lang_item *item, const char *key)
{
    return lang_node_find(item->node, key);
}

struct lang_mark lang_item_mark(const struct lang_item *item, const char *key)
{
    const struct lang_node *value = lang_item_value(item, key);
    return value == NULL ? item->mark : value->mark;
}

bool lang_item_is_zero(const struct lang_item *item, const char *key)
{
    struct lang_fault fault;
    trp_time ns;
    const struct lang_node *value = lang_item_value(item, key);
    return value != NULL && value->kind == LANG_SCALAR &&
           lang_span_read(trp_bytes(value->text, value->size), &ns, &fault) && ns == 0;
}

struct trp_place lang_item_place(const struct lang_context *context, const struct lang_item *item)
{
    return (struct trp_place){.file = context->problems->sources[item->mark.source].path,
                              .line = item->mark.line + 1,
                              .column = item->mark.column + 1};
}

uint64_t lang_entity(const char *kind, const char *name)
{
    uint64_t hash = 0xCBF29CE484222325ull; /* FNV-1a */
    const char *const parts[2] = {kind, name};
    for (int i = 0; i < 2; i++) {
        for (const char *at = parts[i]; *at != '\0'; at++)
            hash = (hash ^ (uint8_t)*at) * 0x100000001B3ull;
        hash = (hash ^ 0xFF) * 0x100000001B3ull;
    }
    return hash;
}

void lang_fault_report(struct lang_context *context, const struct lang_node *node,
                       const struct lang_fault *fault)
{
    size_t offset = fault->offset > node->size ? node->size : fault->offset;
    size_t size = fault->size > node->size - offset ? node->size - offset : fault->size;
    lang_problem_add(context->problems, lang_node_part(context->problems, node, offset, size), "%s",
                     fault->message);
    if (fault->hint[0] != '\0')
        lang_problem_hint(context->problems, "%s", fault->hint);
}
