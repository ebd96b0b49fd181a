/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES_DEEP_MAX 8u
#define FILES_MAX      16u
#define PATH_DEEP_MAX  16u
#define MERGE_KEYS_MAX 4096u

struct merger {
    struct lang_problems *problems;
    const char *open[FILES_DEEP_MAX]; /* from the first file down to the one being read */
    uint32_t deep;
    uint32_t files;
};

/* ---- laying one tree over another ---- */

static const struct lang_node *merge_maps(struct lang_problems *problems,
                                          const struct lang_node *below,
                                          const struct lang_node *above);

static const struct lang_node *merge(struct lang_problems *problems, const struct lang_node *below,
                                     const struct lang_node *above)
{
    bool maps = below->kind == LANG_MAP && above->kind == LANG_MAP;
    return maps ? merge_maps(problems, below, above) : above;
}

static uint32_t entry_find(const struct lang_entry *entries, uint32_t count, const char *key)
{
    uint32_t index = 0;
    while (index < count && strcmp(entries[index].key, key) != 0)
        index++;
    return index;
}

/* A key that appears twice above stays twice, for the reader to report. */
static const struct lang_node *merge_maps(struct lang_problems *problems,
                                          const struct lang_node *below,
                                          const struct lang_node *above)
{
    if (below->count > MERGE_KEYS_MAX || above->count > MERGE_KEYS_MAX) {
        lang_problem_add(problems, above->mark, "more than %u keys", MERGE_KEYS_MAX);
        return above;
    }
    struct lang_node *node = lang_arena_take(problems->arena, sizeof *node);
    size_t room = (size_t)below->count + above->count;
    struct lang_entry *entries = lang_arena_take(problems->arena, room * sizeof *entries + 1);
    *node = *above;
    node->count = below->count;
    if (below->count != 0)
        memcpy(entries, below->entries, below->count * sizeof *entries);
    for (uint32_t i = 0; i < above->count; i++) {
        const struct lang_entry *entry = &above->entries[i];
        bool first = entry_find(above->entries, i, entry->key) == i;
        uint32_t at = entry_find(entries, below->count, entry->key);
        if (!first || at == below->count) {
            entries[node->count++] = *entry;
            continue;
        }
        const struct lang_node *below_it = entries[at].value;
        entries[at].value = merge(problems, below_it, entry->value);
        if (entries[at].value == entry->value) /* replaced, not merged */
            entries[at].key_mark = entry->key_mark;
    }
    node->entries = entries;
    return node;
}

/* ---- files ---- */

/* Reads at most the limit and one byte more, which the document reader then refuses. */
static bool file_read(struct lang_arena *arena, const char *path, struct lang_source *source)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char *text = lang_heap_take(NULL, LANG_FILE_BYTES_MAX + 1);
    size_t size = fread(text, 1, LANG_FILE_BYTES_MAX + 1, file);
    int failure = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (failure == 0) {
        source->text = lang_arena_copy(arena, text, size);
        source->size = size;
    }
    free(text);
    errno = failure;
    return failure == 0;
}

/* Joins a path of extends: to the directory of the file that says it. */
static const char *path_beside(struct lang_arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || slash == NULL)
        return lang_arena_copy(arena, path, strlen(path));
    return lang_arena_print(arena, "%.*s/%s", (int)(slash - file), file, path);
}

static const struct lang_node *read_source(struct merger *merger, uint32_t source);

static const struct lang_node *read_base(struct merger *merger, const char *file,
                                         const struct lang_node *name)
{
    struct lang_problems *problems = merger->problems;
    if (name->kind != LANG_SCALAR || name->size == 0) {
        lang_problem_add(problems, name->mark, "`extends` takes a path or a list of paths");
        return NULL;
    }
    struct lang_source source = {.path = path_beside(problems->arena, file, name->text)};
    for (uint32_t i = 0; i < merger->deep; i++) {
        if (strcmp(merger->open[i], source.path) == 0) {
            lang_problem_add(problems, name->mark, "`%s` extends itself", name->text);
            return NULL;
        }
    }
    if (merger->deep == FILES_DEEP_MAX || merger->files == FILES_MAX) {
        lang_problem_add(problems, name->mark, "too many files extend each other");
        return NULL;
    }
    if (!file_read(problems->arena, source.path, &source)) {
        lang_problem_add(problems, name->mark, "`%s` cannot be read: %s", source.path,
                         strerror(errno));
        return NULL;
    }
    return read_source(merger, lang_source_add(problems, source));
}

/* Gives the tree without its extends:, laid over what that names. */
static const struct lang_node *extend(struct merger *merger, const char *path,
                                      const struct lang_node *root)
{
    const struct lang_node *files = NULL;
    struct lang_node *own = lang_arena_take(merger->problems->arena, sizeof *own);
    struct lang_entry *entries =
        lang_arena_take(merger->problems->arena, root->count * sizeof *entries + 1);
    *own = *root;
    own->count = 0;
    own->entries = entries;
    for (uint32_t i = 0; i < root->count; i++) {
        if (files == NULL && strcmp(root->entries[i].key, "extends") == 0)
            files = root->entries[i].value;
        else
            entries[own->count++] = root->entries[i];
    }
    if (files == NULL)
        return root;
    const struct lang_node *below = NULL;
    bool listed = files->kind == LANG_LIST;
    for (uint32_t i = 0; i < (listed ? files->count : 1); i++) {
        const struct lang_node *base =
            read_base(merger, path, listed ? files->entries[i].value : files);
        if (base == NULL)
            return NULL;
        below = below == NULL ? base : merge(merger->problems, below, base);
    }
    return below == NULL ? own : merge(merger->problems, below, own);
}

static const struct lang_node *read_source(struct merger *merger, uint32_t source)
{
    const char *path = merger->problems->sources[source].path;
    const struct lang_node *root = lang_document_read(merger->problems, source);
    if (root == NULL)
        return NULL;
    if (root->kind != LANG_MAP) {
        lang_problem_add(merger->problems, root->mark, "a scenario is a section of keys");
        lang_problem_hint(merger->problems, "it begins with `name:`; see `troupe explain`");
        return NULL;
    }
    merger->open[merger->deep++] = path;
    merger->files++;
    root = extend(merger, path, root);
    merger->deep--;
    return root;
}

const struct lang_node *lang_merge_file(struct lang_problems *problems, const char *path,
                                        const char *text, size_t text_bytes)
{
    struct merger merger = {.problems = problems};
    struct lang_source source = {.path = path, .text = text, .size = text_bytes};
    bool read = text != NULL || file_read(problems->arena, path, &source);
    int failure = errno;
    uint32_t index = lang_source_add(problems, source);
    if (!read) {
        lang_problem_add(problems, (struct lang_mark){.source = index, .width = 1},
                         "the file cannot be read: %s", strerror(failure));
        return NULL;
    }
    return read_source(&merger, index);
}

/* ---- settings ---- */

struct segment {
    const char *key;
    size_t offset;
    size_t size;
};

struct setting {
    struct lang_problems *problems;
    uint32_t source;
    struct segment segments[PATH_DEEP_MAX];
    uint32_t count;
    const struct lang_node *value;
};

static struct lang_mark segment_mark(const struct setting *setting, uint32_t index)
{
    const struct lang_source *source = &setting->problems->sources[setting->source];
    const struct segment *segment = &setting->segments[index];
    return (struct lang_mark){.source = setting->source,
                              .column = lang_characters(source->text, segment->offset),
                              .width =
                                  lang_characters(source->text + segment->offset, segment->size)};
}

static bool setting_fail(struct setting *setting, size_t offset, const char *message)
{
    lang_problem_add(setting->problems,
                     lang_source_mark(setting->problems, setting->source, offset), "%s", message);
    lang_problem_hint(setting->problems, "write --set path.to.key=value");
    return false;
}

/* Splits the path; gives the byte behind the `=`. */
static bool split(struct setting *setting, const char *text, size_t *ret_value)
{
    for (size_t at = 0;;) {
        bool quoted = text[at] == '"';
        bool index = text[at] == '[';
        size_t start = at + (quoted || index);
        size_t size = strcspn(text + start, quoted ? "\"" : index ? "]" : ".[=");
        at = start + size;
        if ((quoted || index) && text[at] == '\0')
            return setting_fail(setting, start, "this is never closed");
        at += quoted || index;
        if (size == 0)
            return setting_fail(setting, start, "a key is missing here");
        if (setting->count == PATH_DEEP_MAX)
            return setting_fail(setting, start, "this path is too long");
        setting->segments[setting->count++] =
            (struct segment){.key = lang_arena_copy(setting->problems->arena, text + start, size),
                             .offset = start,
                             .size = size};
        *ret_value = at + 1;
        if (text[at] == '=')
            return true;
        if (text[at] != '.' && text[at] != '[')
            return setting_fail(setting, at, "`=` and a value are missing");
        at += text[at] == '.';
    }
}

/* Finds the entry of a list a segment means: its index, or the entry with that name. */
static bool list_find(const struct setting *setting, const struct lang_node *list, uint32_t depth,
                      uint32_t *ret_index)
{
    const char *key = setting->segments[depth].key;
    struct lang_fault fault;
    uint64_t index;
    struct lang_nearest nearest = lang_nearest_to(key, strlen(key));
    if (lang_count_read(trp_bytes_text(key), UINT32_MAX, &index, &fault)) {
        if (index < list->count) {
            *ret_index = (uint32_t)index;
            return true;
        }
        lang_problem_add(setting->problems, segment_mark(setting, depth),
                         "the list has only %u entries, counted from 0", list->count);
        return false;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct lang_node *name = lang_node_find(list->entries[i].value, "name");
        if (name == NULL || name->kind != LANG_SCALAR)
            continue;
        if (strcmp(name->text, key) == 0) {
            *ret_index = i;
            return true;
        }
        lang_nearest_offer(&nearest, name->text);
    }
    lang_problem_add(setting->problems, segment_mark(setting, depth),
                     "no entry of the list is called `%s`", key);
    if (!lang_nearest_hint(&nearest, setting->problems))
        lang_problem_hint(setting->problems, "use [0] for the first entry");
    return false;
}

/* Finds the entry of `node` a segment means; the count when a map has none yet. */
static bool place_find(const struct setting *setting, const struct lang_node *node, uint32_t depth,
                       uint32_t *ret_index)
{
    if (node == NULL || (node->kind == LANG_SCALAR && node->size == 0)) {
        *ret_index = 0;
        return true;
    }
    if (node->kind == LANG_SCALAR) {
        lang_problem_add(setting->problems, segment_mark(setting, depth - 1),
                         "`%s` is one value and has nothing below it",
                         setting->segments[depth - 1].key);
        return false;
    }
    if (node->kind == LANG_LIST)
        return list_find(setting, node, depth, ret_index);
    *ret_index = entry_find(node->entries, node->count, setting->segments[depth].key);
    return true;
}

/* Gives `node` with the value put in below it; NULL with a problem. */
static const struct lang_node *put(const struct setting *setting, const struct lang_node *node,
                                   uint32_t depth)
{
    struct lang_arena *arena = setting->problems->arena;
    uint32_t at = 0;
    if (depth == setting->count)
        return setting->value;
    if (!place_find(setting, node, depth, &at))
        return NULL;
    uint32_t count = node == NULL ? 0 : node->count;
    struct lang_entry *entries = lang_arena_take(arena, ((size_t)count + 1) * sizeof *entries);
    if (count != 0)
        memcpy(entries, node->entries, count * sizeof *entries);
    const struct lang_node *inner = put(setting, at < count ? entries[at].value : NULL, depth + 1);
    if (inner == NULL)
        return NULL;
    struct lang_node *copy = lang_arena_take(arena, sizeof *copy);
    *copy = (struct lang_node){.kind = LANG_MAP, .mark = segment_mark(setting, depth)};
    if (count != 0)
        *copy = *node;
    copy->entries = entries;
    copy->count = at == count ? count + 1 : count;
    entries[at].value = inner;
    if (copy->kind == LANG_MAP)
        entries[at].key = setting->segments[depth].key;
    if (at == count || depth + 1 == setting->count)
        entries[at].key_mark = segment_mark(setting, depth);
    return copy;
}

const struct lang_node *lang_merge_setting(struct lang_problems *problems,
                                           const struct lang_node *root, const char *origin,
                                           const char *text)
{
    struct setting setting = {.problems = problems};
    size_t size = strlen(text);
    size_t value = 0;
    setting.source = lang_source_add(
        problems,
        (struct lang_source){.path = origin, .text = text, .size = size, .is_setting = true});
    if (!split(&setting, text, &value))
        return NULL;
    uint32_t before = problems->count + problems->dropped;
    setting.value = lang_document_read_from(problems, setting.source, value);
    if (setting.value == NULL && problems->count + problems->dropped == before)
        (void)setting_fail(&setting, value, "a value is missing");
    return setting.value == NULL ? NULL : put(&setting, root, 0);
}
