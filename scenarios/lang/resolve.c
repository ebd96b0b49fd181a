/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/resolve.h"

#include <stdlib.h>

#define COMMENT_COLUMN 60u
#define ENTRIES_A_LINE 8u /* a longer list has one line for each */

struct printer {
    const struct lang_problems *problems;
    struct lang_text out;
    struct lang_text usual; /* the keys of the current line that are by default */
    struct lang_text other; /* those from another place than the line itself */
    uint32_t source;        /* of the line itself */
};

static void print_section(struct printer *printer, const struct lang_section *section,
                          const struct lang_node *node, size_t indent);

/* ---- scalars ---- */

/* Says whether a text needs no quotes anywhere, by a narrower rule than YAML's. */
static bool is_plain(struct trp_bytes text)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    static const char inner[] = "./%-";
    for (size_t i = 0; i < text.size; i++) {
        int c = text.data[i];
        if (c == '\0' || (strchr(first, c) == NULL && (i == 0 || strchr(inner, c) == NULL)))
            return false;
    }
    return text.size != 0 && !trp_bytes_equal(text, trp_bytes_text("null"));
}

/* Decodes a character of valid UTF-8. */
static uint32_t character_at(const uint8_t *at, size_t *ret_bytes)
{
    size_t bytes = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t c = bytes == 1 ? at[0] : at[0] & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++)
        c = c << 6 | (at[i] & 0x3Fu);
    *ret_bytes = bytes;
    return c;
}

/* Says whether YAML does not take a character as it is. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF ||
           c == 0xFFFE || c == 0xFFFF;
}

void lang_scalar_print(struct lang_text *out, struct trp_bytes text)
{
    if (is_plain(text)) {
        lang_text_append(out, (const char *)text.data, text.size);
        return;
    }
    lang_text_append(out, "\"", 1);
    for (size_t at = 0; at < text.size;) {
        size_t bytes;
        uint32_t c = character_at(text.data + at, &bytes);
        if (c == '"' || c == '\\')
            lang_text_add(out, "\\%c", (char)c);
        else if (is_hidden(c))
            lang_text_add(out, "\\u%04X", c);
        else
            lang_text_append(out, (const char *)text.data + at, bytes);
        at += bytes;
    }
    lang_text_append(out, "\"", 1);
}

/* ---- where things are from ---- */

static void line_begin(struct printer *printer, uint32_t source)
{
    printer->usual.size = 0;
    printer->other.size = 0;
    printer->source = source;
}

static void print_place(const struct printer *printer, struct lang_text *out,
                        const struct lang_mark *mark)
{
    const struct lang_source *source = &printer->problems->sources[mark->source];
    lang_text_add(out, "%s", source->path);
    if (!source->is_setting)
        lang_text_add(out, ":%u", mark->line + 1);
}

/* Notes that a key of the line is by default, or from another place than the line. */
static void note(struct printer *printer, struct trp_bytes key, const struct lang_node *value)
{
    int size = (int)key.size;
    const char *name = (const char *)key.data;
    if (value == NULL)
        lang_text_add(&printer->usual, "%s%.*s", printer->usual.size == 0 ? "" : ", ", size, name);
    else if (value->mark.source != printer->source) {
        lang_text_add(&printer->other, "; %.*s: ", size, name);
        print_place(printer, &printer->other, &value->mark);
    }
}

/* Ends the line with a comment on where it is from. */
static void line_end(struct printer *printer, const struct lang_mark *mark)
{
    lang_text_pad(&printer->out, COMMENT_COLUMN);
    size_t start = printer->out.size;
    lang_text_add(&printer->out, "# ");
    if (mark == NULL)
        lang_text_add(&printer->out, "default");
    else
        print_place(printer, &printer->out, mark);
    lang_text_append(&printer->out, printer->other.data, printer->other.size);
    if (printer->usual.size != 0)
        lang_text_add(&printer->out, "; default: %s", printer->usual.data);
    for (size_t i = start; i < printer->out.size; i++) /* a path may contain anything */
        if ((uint8_t)printer->out.data[i] < 0x20)
            printer->out.data[i] = '?';
    lang_text_add(&printer->out, "\n");
}

/* ---- values on one line ---- */

static void print_key(struct lang_text *out, struct trp_bytes key)
{
    lang_scalar_print(out, key);
    lang_text_add(out, ": ");
}

void lang_tree_print(struct lang_text *out, const struct lang_node *node)
{
    if (lang_node_is_null(node)) {
        lang_text_add(out, "null");
        return;
    }
    if (node->kind == LANG_SCALAR) {
        lang_scalar_print(out, trp_bytes(node->text, node->size));
        return;
    }
    bool map = node->kind == LANG_MAP;
    const char *between = !map && node->count > ENTRIES_A_LINE ? ",\n        " : ", ";
    lang_text_add(out, "%s%s", map ? "{" : "[", between + 1);
    for (uint32_t i = 0; i < node->count; i++) {
        if (i != 0)
            lang_text_add(out, "%s", between);
        if (map)
            print_key(out, trp_bytes_text(node->entries[i].key));
        lang_tree_print(out, node->entries[i].value);
    }
    lang_text_add(out, map ? " }" : " ]");
}

static const struct lang_key *action_of(const struct lang_section *section,
                                        const struct lang_node *node)
{
    for (uint32_t i = 0; i < section->keys_count; i++)
        if (section->keys[i].action && lang_node_find(node, section->keys[i].name) != NULL)
            return &section->keys[i];
    return NULL;
}

static const struct lang_node *key_value(const struct lang_key *key, const struct lang_node *node)
{
    struct trp_bytes name = lang_key_name(key);
    for (uint32_t i = 0; node != NULL && i < node->count; i++)
        if (trp_bytes_equal(trp_bytes_text(node->entries[i].key), name))
            return node->entries[i].value;
    return NULL;
}

/* Says whether the default of a key is worth a word: it has one and belongs to the action. */
static bool is_usual(const struct lang_key *key, const struct lang_key *action)
{
    return key->usual != NULL &&
           (key->with == NULL || (action != NULL && lang_word_in(key->with, action->name)));
}

static void print_flow(struct printer *printer, const struct lang_section *section,
                       const struct lang_node *node)
{
    const struct lang_key *action = action_of(section, node);
    const char *comma = "";
    lang_text_add(&printer->out, "{ ");
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        const struct lang_node *value = key_value(key, node);
        if (value == NULL && !is_usual(key, action))
            continue;
        lang_text_add(&printer->out, "%s", comma);
        comma = ", ";
        print_key(&printer->out, lang_key_name(key));
        note(printer, lang_key_name(key), value);
        if (value == NULL)
            lang_scalar_print(&printer->out, trp_bytes_text(key->usual));
        else if (key->type == LANG_SECTION)
            print_flow(printer, key->section, value);
        else
            lang_tree_print(&printer->out, value);
    }
    lang_text_add(&printer->out, " }");
}

/* ---- lines ---- */

static void print_entries(struct printer *printer, const struct lang_key *key,
                          const struct lang_node *node, size_t indent)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct lang_entry *entry = &node->entries[i];
        bool table = key->type == LANG_TABLE;
        const struct lang_mark *mark = table ? &entry->key_mark : &entry->value->mark;
        line_begin(printer, mark->source);
        lang_text_add(&printer->out, "%*s%s", (int)indent, "", table ? "" : "- ");
        if (table)
            print_key(&printer->out, trp_bytes_text(entry->key));
        print_flow(printer, key->section, entry->value);
        line_end(printer, mark);
    }
}

static void print_line(struct printer *printer, const struct lang_key *key,
                       const struct lang_node *node, const struct lang_key *action, size_t indent)
{
    const struct lang_node *value = key_value(key, node);
    bool sections = key->type == LANG_SECTION && !key->action;
    bool inner = sections || key->type == LANG_TABLE || key->type == LANG_LIST_OF;
    struct trp_bytes name = lang_key_name(key);
    if (inner && value != NULL && value->count != 0) {
        lang_text_add(&printer->out, "%*s%.*s:\n", (int)indent, "", (int)name.size,
                      (const char *)name.data);
        if (sections)
            print_section(printer, key->section, value, indent + 2);
        else
            print_entries(printer, key, value, indent + 2);
    } else if (value != NULL || is_usual(key, action)) {
        line_begin(printer, value == NULL ? 0 : value->mark.source);
        lang_text_add(&printer->out, "%*s", (int)indent, "");
        print_key(&printer->out, name);
        if (value == NULL)
            lang_scalar_print(&printer->out, trp_bytes_text(key->usual));
        else
            lang_tree_print(&printer->out, value);
        line_end(printer, value == NULL ? NULL : &value->mark);
    }
}

static void print_section(struct printer *printer, const struct lang_section *section,
                          const struct lang_node *node, size_t indent)
{
    const struct lang_key *action = action_of(section, node);
    for (uint32_t i = 0; i < section->keys_count; i++)
        if (section->keys[i].type != LANG_FILES)
            print_line(printer, &section->keys[i], node, action, indent);
}

char *lang_resolve_print(const struct lang_problems *problems, const struct lang_node *root)
{
    struct printer printer = {.problems = problems};
    print_section(&printer, lang_schema(), root, 0);
    free(printer.usual.data);
    free(printer.other.data);
    return lang_text_take(&printer.out);
}
