/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/document.h"

#include <yaml.h>

#define ANCHORS_MAX 256u

struct anchor {
    struct anchor *next;
    const char *name;
    const struct lang_node *node; /* NULL while it is being read */
};

struct reader {
    struct lang_problems *problems;
    yaml_parser_t parser;
    uint32_t source;
    size_t offset;   /* bytes of the source that are not YAML: the path of a --set */
    uint32_t column; /* the same in characters */
    uint32_t depth;
    uint32_t expanded;
    struct anchor *anchors;
    uint32_t anchors_count;
    bool failed;
};

static struct lang_mark reader_mark(const struct reader *reader, const yaml_mark_t *start,
                                    const yaml_mark_t *end)
{
    uint32_t shift = start->line == 0 ? reader->column : 0;
    bool one_line = end->line == start->line && end->column > start->column;
    return (struct lang_mark){.source = reader->source,
                              .line = (uint32_t)start->line,
                              .column = (uint32_t)start->column + shift,
                              .width = one_line ? (uint32_t)(end->column - start->column) : 1};
}

static const struct lang_node *reader_fail(struct reader *reader, struct lang_mark mark,
                                           const char *message)
{
    if (!reader->failed)
        lang_problem_add(reader->problems, mark, "%s", message);
    reader->failed = true;
    return NULL;
}

/* Reads the next event; false when the text does not parse. */
static bool reader_next(struct reader *reader, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&reader->parser, ret_event) != 0)
        return true;
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        (void)lang_heap_take(NULL, SIZE_MAX / 2); /* ends the program as any lack of memory */
    } else if (parser->error == YAML_READER_ERROR) {
        struct lang_mark mark = lang_source_mark(reader->problems, reader->source,
                                                 parser->problem_offset + reader->offset);
        (void)reader_fail(reader, mark, "this is not UTF-8 text");
    } else {
        struct lang_mark mark = reader_mark(reader, &parser->problem_mark, &parser->problem_mark);
        const struct lang_source *source = &reader->problems->sources[reader->source];
        struct trp_bytes line;
        if (!lang_source_line(source, mark.line, &line)) /* behind the end of the text */
            mark = lang_source_mark(reader->problems, reader->source, source->size);
        if (!reader->failed) {
            lang_problem_add(reader->problems, mark, "this is not YAML: %s%s%s",
                             parser->context == NULL ? "" : parser->context,
                             parser->context == NULL ? "" : ", ", parser->problem);
            lang_problem_hint(reader->problems,
                              "texts with `: ` or ` #` or that begin with one of {}[]*&!|>%%@` "
                              "want \"quotes\"; indent with spaces");
        }
        reader->failed = true;
    }
    return false;
}

static bool anchor_open(struct reader *reader, const yaml_char_t *name, struct lang_mark mark)
{
    if (name == NULL)
        return true;
    if (reader->anchors_count++ == ANCHORS_MAX) {
        (void)reader_fail(reader, mark, "more than 256 anchors");
        return false;
    }
    struct anchor *anchor = lang_arena_take(reader->problems->arena, sizeof *anchor);
    const char *text = (const char *)name;
    anchor->name = lang_arena_copy(reader->problems->arena, text, strlen(text));
    anchor->next = reader->anchors;
    reader->anchors = anchor;
    return true;
}

/* Binds the newest anchor of that name, which is the one that was opened for this node. */
static void anchor_close(struct reader *reader, const char *name, const struct lang_node *node)
{
    for (struct anchor *anchor = reader->anchors; anchor != NULL; anchor = anchor->next) {
        if (anchor->node == NULL && strcmp(anchor->name, name) == 0) {
            anchor->node = node;
            return;
        }
    }
}

static const struct lang_node *read_alias(struct reader *reader, const yaml_event_t *event)
{
    struct lang_mark mark = reader_mark(reader, &event->start_mark, &event->end_mark);
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = reader->anchors;
    while (anchor != NULL && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (anchor == NULL)
        return reader_fail(reader, mark, "this alias names no anchor before it");
    if (anchor->node == NULL)
        return reader_fail(reader, mark, "an alias cannot stand inside what it stands for");
    if (anchor->node->expanded > LANG_NODES_MAX - reader->expanded)
        return reader_fail(reader, mark, "too many values with the aliases expanded");
    reader->expanded += anchor->node->expanded;
    return anchor->node;
}

static const struct lang_node *read_node(struct reader *reader, yaml_event_t *event);

static const struct lang_node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    struct lang_mark mark = reader_mark(reader, &event->start_mark, &event->end_mark);
    if (event->data.scalar.tag != NULL)
        return reader_fail(reader, mark, "no tags please: the key decides the type of its value");
    if (memchr(text, '\0', size) != NULL)
        return reader_fail(reader, mark, "a text cannot contain NUL");
    struct lang_node *node = lang_arena_take(reader->problems->arena, sizeof *node);
    *node = (struct lang_node){.kind = LANG_SCALAR,
                               .mark = mark,
                               .expanded = 1,
                               .quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
                               .text = lang_arena_copy(reader->problems->arena, text, size),
                               .size = size};
    return node;
}

/* Adds an entry to a growing array of the arena. */
static void entries_push(struct reader *reader, struct lang_node *node, uint32_t *room,
                         struct lang_entry entry)
{
    if (node->count == *room) {
        *room = *room == 0 ? 8 : *room * 2;
        struct lang_entry *entries =
            lang_arena_take(reader->problems->arena, *room * sizeof *entries);
        if (node->count != 0)
            memcpy(entries, node->entries, node->count * sizeof *entries);
        node->entries = entries;
    }
    /* The array is ours and new; only its readers see it as const. */
    ((struct lang_entry *)(uintptr_t)node->entries)[node->count++] = entry;
    node->expanded += entry.value->expanded;
}

/* Checks the key of a map; false: it cannot be one. */
static bool read_key(struct reader *reader, const yaml_event_t *event, struct lang_entry *entry)
{
    entry->key_mark = reader_mark(reader, &event->start_mark, &event->end_mark);
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor != NULL) {
        (void)reader_fail(reader, entry->key_mark, "a key is a plain word");
        return false;
    }
    const struct lang_node *key = read_scalar(reader, event);
    if (key == NULL)
        return false;
    if (strcmp(key->text, "<<") == 0) {
        (void)reader_fail(reader, entry->key_mark, "merge keys are not supported");
        lang_problem_hint(reader->problems,
                          "put what is shared into a file and name it with `extends:`");
        return false;
    }
    entry->key = key->text;
    return true;
}

/* Reads the entries of a list or map up to its end event. */
static bool read_entries(struct reader *reader, struct lang_node *node)
{
    uint32_t room = 0;
    for (;;) {
        yaml_event_t event;
        struct lang_entry entry = {0};
        if (!reader_next(reader, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        bool good = true;
        if (node->kind == LANG_MAP) {
            good = read_key(reader, &event, &entry);
            yaml_event_delete(&event);
            good = good && reader_next(reader, &event);
            if (!good)
                return false;
        }
        entry.value = read_node(reader, &event);
        yaml_event_delete(&event);
        if (entry.value == NULL)
            return false;
        entries_push(reader, node, &room, entry);
    }
}

static const struct lang_node *read_collection(struct reader *reader, const yaml_event_t *event)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    struct lang_mark mark = reader_mark(reader, &event->start_mark, &event->end_mark);
    const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (tag != NULL)
        return reader_fail(reader, mark, "no tags please: the key decides the type of its value");
    if (reader->depth == LANG_DEPTH_MAX)
        return reader_fail(reader, mark, "nested too deeply");
    struct lang_node *node = lang_arena_take(reader->problems->arena, sizeof *node);
    *node = (struct lang_node){.kind = map ? LANG_MAP : LANG_LIST, .mark = mark, .expanded = 1};
    node->mark.width = 1;
    reader->depth++;
    bool good = read_entries(reader, node);
    reader->depth--;
    return good ? node : NULL;
}

/* Reads the node that begins with an event, which the caller deletes. */
static const struct lang_node *read_node(struct reader *reader, yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event);
    struct lang_mark mark = reader_mark(reader, &event->start_mark, &event->end_mark);
    if (reader->expanded == LANG_NODES_MAX)
        return reader_fail(reader, mark, "too many values");
    reader->expanded++;
    const yaml_char_t *anchor = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        anchor = event->data.scalar.anchor;
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor;
    else if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor;
    else
        return reader_fail(reader, mark, "a value was expected here");
    if (!anchor_open(reader, anchor, mark))
        return NULL;
    const struct lang_node *node = event->type == YAML_SCALAR_EVENT
                                       ? read_scalar(reader, event)
                                       : read_collection(reader, event);
    if (anchor != NULL && node != NULL)
        anchor_close(reader, (const char *)anchor, node);
    return node;
}

/* Reads the one document of a stream. */
static const struct lang_node *read_stream(struct reader *reader)
{
    const struct lang_node *root = NULL;
    for (bool more = true; more && !reader->failed;) {
        yaml_event_t event;
        if (!reader_next(reader, &event))
            return NULL;
        if (event.type == YAML_STREAM_END_EVENT) {
            more = false;
        } else if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            struct lang_mark mark = reader_mark(reader, &event.start_mark, &event.end_mark);
            (void)reader_fail(reader, mark, "one scenario per file: a second document begins here");
        } else if (event.type != YAML_STREAM_START_EVENT &&
                   event.type != YAML_DOCUMENT_START_EVENT &&
                   event.type != YAML_DOCUMENT_END_EVENT) {
            root = read_node(reader, &event);
        }
        yaml_event_delete(&event);
    }
    return reader->failed ? NULL : root;
}

const struct lang_node *lang_document_read_from(struct lang_problems *problems, uint32_t source,
                                                size_t offset)
{
    const struct lang_source *from = &problems->sources[source];
    struct reader reader = {.problems = problems,
                            .source = source,
                            .offset = offset,
                            .column = lang_characters(from->text, offset)};
    if (from->size - offset > LANG_FILE_BYTES_MAX)
        return reader_fail(&reader, (struct lang_mark){.source = source, .width = 1},
                           "the file is larger than 1 MiB");
    if (yaml_parser_initialize(&reader.parser) == 0)
        (void)lang_heap_take(NULL, SIZE_MAX / 2);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const yaml_char_t *)from->text + offset,
                                 from->size - offset);
    const struct lang_node *root = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    return root;
}

const struct lang_node *lang_document_read(struct lang_problems *problems, uint32_t source)
{
    const struct lang_source *from = &problems->sources[source];
    size_t bom = from->size >= 3 && memcmp(from->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    uint32_t before = problems->count + problems->dropped;
    const struct lang_node *root = lang_document_read_from(problems, source, bom);
    if (root == NULL && problems->count + problems->dropped == before)
        lang_problem_add(problems, (struct lang_mark){.source = source, .width = 1},
                         "the file is empty");
    return root;
}

bool lang_node_is_null(const struct lang_node *node)
{
    return node->kind == LANG_SCALAR && !node->quoted &&
           (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0);
}

const struct lang_node *lang_node_find(const struct lang_node *map, const char *key)
{
    for (uint32_t i = 0; map != NULL && map->kind == LANG_MAP && i < map->count; i++)
        if (strcmp(map->entries[i].key, key) == 0)
            return map->entries[i].value;
    return NULL;
}

struct lang_mark lang_node_part(const struct lang_problems *problems, const struct lang_node *node,
                                size_t offset, size_t size)
{
    struct lang_mark mark = node->mark;
    const struct lang_source *source = &problems->sources[mark.source];
    struct trp_bytes line;
    if (source->text == NULL || problems->count == LANG_PROBLEMS_MAX ||
        !lang_source_line(source, mark.line, &line))
        return mark;
    size_t start = 0; /* byte of the mark in its line */
    for (uint32_t column = 0; start < line.size; start++) {
        column += (line.data[start] & 0xC0) != 0x80;
        if (column > mark.column)
            break;
    }
    start += node->quoted;
    if (start > line.size || line.size - start < node->size ||
        memcmp(line.data + start, node->text, node->size) != 0)
        return mark;
    mark.column += node->quoted + lang_characters(node->text, offset);
    uint32_t width = lang_characters(node->text + offset, size);
    mark.width = width == 0 ? 1 : width;
    return mark;
}
