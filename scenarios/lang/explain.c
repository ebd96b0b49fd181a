/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/explain.h"

#include <stdlib.h>

#include "scenarios/lang/schema.h"
#include "scenarios/lang/topics.h"

#define WIDTH        78u
#define KEY_PATH_MAX 128u
/* Of structs in structs, of which some have themselves inside. */
#define TYPE_DEPTH_MAX 4u

/* ---- text ---- */

/* Writes words from a column on, broken at the width. */
static void wrap(struct lang_text *out, size_t column, const char *text)
{
    size_t at = column;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (at > column && at + 1 + size > WIDTH) {
            lang_text_add(out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            lang_text_add(out, " ");
            at++;
        }
        lang_text_append(out, text, size);
        at += size;
        text += size + (text[size] == ' ');
    }
    lang_text_add(out, "\n");
}

static void row(struct lang_text *out, const char *word, const char *text)
{
    lang_text_add(out, "  %-10s ", word);
    wrap(out, 13, text);
}

static const char *takes(const struct lang_key *key)
{
    return lang_key_text(key)->about;
}

/* Writes the choices of a key. */
static void list_choices(struct lang_text *out, const struct lang_key *key)
{
    for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++)
        if (!choice->planned)
            lang_text_add(out, "             %-10s %s\n", choice->word, choice->about);
    for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++)
        if (choice->planned)
            lang_text_add(out, "             %-10s %s (not supported yet)\n", choice->word,
                          choice->about);
}

static void list_keys(struct lang_text *out, const struct lang_section *section)
{
    lang_text_add(out, "\n  keys\n");
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        struct trp_bytes name = lang_key_name(key);
        lang_text_add(out, "    %-24.*s ", (int)name.size, (const char *)name.data);
        wrap(out, 29, key->about);
    }
}

/* ---- what the vocabulary knows ---- */

static const char *kind_name(enum trp_message_kind kind)
{
    static const char *const names[] = {
        [TRP_KIND_BOOL] = "flag",         [TRP_KIND_U8] = "u8",
        [TRP_KIND_U16] = "u16",           [TRP_KIND_U32] = "u32",
        [TRP_KIND_U64] = "u64",           [TRP_KIND_I8] = "i8",
        [TRP_KIND_I16] = "i16",           [TRP_KIND_I32] = "i32",
        [TRP_KIND_I64] = "i64",           [TRP_KIND_F32] = "f32",
        [TRP_KIND_F64] = "f64",           [TRP_KIND_CHAR] = "character",
        [TRP_KIND_TEXT] = "text",         [TRP_KIND_BYTES] = "bytes",
        [TRP_KIND_OCTETS] = "bytes",      [TRP_KIND_REF] = "an actor",
        [TRP_KIND_ACTOR_ID] = "an actor", [TRP_KIND_DURATION] = "time",
        [TRP_KIND_UNIT] = "null",         [TRP_KIND_EMPTY] = "null",
        [TRP_KIND_NO_VALUE] = "null"};
    return names[kind];
}

static void print_type(struct lang_text *out, const struct trp_message_type *type, uint32_t depth);

/* Writes fields as they are written in a scenario; or variants. */
static void print_fields(struct lang_text *out, const struct trp_message_type *type, uint32_t depth)
{
    bool variants = type->kind == TRP_KIND_ENUM;
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        bool alone = variants && field->type->kind == TRP_KIND_NO_VALUE;
        lang_text_add(out, "%s", i == 0 ? "" : variants ? " | " : ", ");
        if (alone)
            lang_text_add(out, "%s", field->name);
        else if (type->kind != TRP_KIND_TUPLE)
            lang_text_add(out, "%s%s: ", variants ? "{ " : "", field->name);
        if (!alone)
            print_type(out, field->type, depth);
        lang_text_add(out, "%s", variants && !alone ? " }" : "");
    }
}

/* Writes a struct, a tuple or an enum. */
static void print_compound(struct lang_text *out, const struct trp_message_type *type,
                           uint32_t depth)
{
    bool tuple = type->kind == TRP_KIND_TUPLE;
    bool bare = type->kind == TRP_KIND_ENUM && depth > 0;
    lang_text_add(out, "%s", bare ? "" : tuple ? "[ " : "{ ");
    if (depth > 0)
        print_fields(out, type, depth - 1);
    else
        lang_text_add(out, "…");
    lang_text_add(out, "%s", bare ? "" : tuple ? " ]" : " }");
}

/* Writes what holds values of one other type. */
static void print_container(struct lang_text *out, const struct trp_message_type *type,
                            uint32_t depth)
{
    bool list = type->kind == TRP_KIND_LIST || type->kind == TRP_KIND_ARRAY;
    bool option = type->kind == TRP_KIND_OPTION || type->kind == TRP_KIND_MAYBE;
    lang_text_add(out, "%s", list ? "[ " : "");
    print_type(out, type->kind == TRP_KIND_NEWTYPE ? type->fields[0].type : type->item, depth);
    lang_text_add(out, "%s", list ? ", … ]" : option ? " or null" : "");
}

/* Writes how the values of a type look in a scenario; `depth`: how far it goes into structs. */
static void print_type(struct lang_text *out, const struct trp_message_type *type, uint32_t depth)
{
    if (type->kind < TRP_KIND_STRUCT) {
        lang_text_add(out, "%s", kind_name(type->kind));
    } else if (type->kind <= TRP_KIND_ENUM && type->kind != TRP_KIND_NEWTYPE) {
        print_compound(out, type, depth);
    } else if (type->kind == TRP_KIND_MAP) {
        lang_text_add(out, "{ ");
        print_type(out, type->item->fields[0].type, depth);
        lang_text_add(out, ": ");
        print_type(out, type->item->fields[1].type, depth);
        lang_text_add(out, ", … }");
    } else {
        print_container(out, type, depth);
    }
}

static void list_message(struct lang_text *out, const struct trp_actor_handler *handler)
{
    const struct trp_message_type *message = handler->message;
    lang_text_add(out, "      %s", message->id);
    lang_text_add(out, "%s", message->fields_count == 0 ? "" : " ");
    if (message->fields_count > 0)
        print_type(out, message, TYPE_DEPTH_MAX);
    lang_text_add(out, "%s\n", handler->reply == NULL ? "   (tell only)" : "");
}

static void list_actors(struct lang_text *out, const struct trp_vocabulary *vocabulary)
{
    lang_text_add(out, "\n  types and their messages\n");
    for (uint32_t i = 0; i < vocabulary->actors_count; i++) {
        const struct trp_vocabulary_actor *actor = &vocabulary->actors[i];
        lang_text_add(out, "    %-24s %s\n", actor->name, actor->about);
        for (uint32_t k = 0; k < actor->type->handlers_count; k++)
            list_message(out, &actor->type->handlers[k]);
    }
}

static void list_metrics(struct lang_text *out, const struct trp_vocabulary_metric *metrics,
                         uint32_t count, const char *prefix)
{
    static const char *const units[] = {[TRP_UNIT_RATIO] = "ratio",
                                        [TRP_UNIT_NUMBER] = "number",
                                        [TRP_UNIT_SPAN] = "time",
                                        [TRP_UNIT_BYTES] = "size"};
    for (uint32_t i = 0; i < count; i++) {
        lang_text_add(out, "    %s%s", prefix, metrics[i].name);
        lang_text_pad(out, 36);
        lang_text_add(out, "%-7s %s\n", units[metrics[i].unit], metrics[i].about);
    }
}

static void list_always(struct lang_text *out, const struct trp_vocabulary *vocabulary)
{
    lang_text_add(out, "\n  invariants\n");
    for (uint32_t i = 0; i < vocabulary->always_count; i++)
        lang_text_add(out, "    %-28s %s\n", vocabulary->always[i].name,
                      vocabulary->always[i].about);
}

static void list_words(struct lang_text *out, const char *path,
                       const struct trp_vocabulary *vocabulary)
{
    if (strcmp(path, "actors.type") == 0 || strcmp(path, "workload.message") == 0)
        list_actors(out, vocabulary);
    if (strcmp(path, "expect.always") == 0)
        list_always(out, vocabulary);
    if (strcmp(path, "expect.metric") == 0 || strcmp(path, "expect.eventually.metric") == 0) {
        lang_text_add(out, "\n  of the world\n");
        list_metrics(out, vocabulary->metrics, vocabulary->metrics_count, "");
        lang_text_add(out, "\n  of a workload entry, behind its name\n");
        list_metrics(out, vocabulary->workload_metrics, vocabulary->workload_metrics_count,
                     "NAME.");
    }
}

/* ---- finding a key ---- */

struct finding {
    const struct lang_key *key;
    const struct lang_section *section;
    uint32_t count;
    char path[KEY_PATH_MAX];
};

/* Follows a path of keys from the top. */
static const struct lang_key *follow(const char *path, const struct lang_section **ret_section)
{
    const struct lang_section *section = lang_schema();
    const struct lang_key *key = NULL;
    while (*path != '\0') {
        *ret_section = section;
        char word[KEY_PATH_MAX];
        size_t size = strcspn(path, ".");
        if (section == NULL || size == 0 || size >= sizeof word)
            return NULL;
        memcpy(word, path, size);
        word[size] = '\0';
        key = lang_key_find(section, word);
        if (key == NULL)
            return NULL;
        section = key->section;
        path += size + (path[size] == '.');
    }
    return key;
}

/* Offers every path; finds those that end in `word`. */
static void search(const struct lang_section *section, const char *prefix, const char *word,
                   struct finding *finding, struct lang_nearest *nearest, struct lang_arena *arena)
{
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        struct trp_bytes name = lang_key_name(key);
        const char *path = lang_arena_print(arena, "%s%s%.*s", prefix, prefix[0] == '\0' ? "" : ".",
                                            (int)name.size, (const char *)name.data);
        bool same = trp_bytes_equal(name, trp_bytes_text(word));
        /* The limits of a group are those of the file. */
        bool again = strncmp(path, "hosts.limits.", 13) == 0;
        if (same && !again) {
            finding->key = key;
            finding->section = section;
            finding->count++;
            (void)memcpy(finding->path, path, strlen(path) + 1);
        }
        lang_nearest_offer(nearest, path);
        if (strchr(word, '.') == NULL && !again)
            lang_nearest_offer(nearest, strrchr(path, '.') == NULL ? path : strrchr(path, '.') + 1);
        if (key->section != NULL)
            search(key->section, path, word, finding, nearest, arena);
    }
}

/* Lists the keys that go with an action. */
static void list_options(struct lang_text *out, const struct lang_section *section,
                         const struct lang_key *action)
{
    struct lang_text words = {0};
    for (uint32_t i = 0; action->action && i < section->keys_count; i++)
        if (lang_word_in(section->keys[i].with, action->name))
            lang_text_add(&words, "%s%s:", words.size == 0 ? "" : " ", section->keys[i].name);
    if (words.size != 0)
        row(out, "options", words.data);
    free(words.data);
}

static char *explain(const char *path, const struct lang_section *section,
                     const struct lang_key *key, const struct trp_vocabulary *vocabulary)
{
    struct lang_text out = {0};
    char usual[LANG_DEFAULT_TEXT_MAX];
    lang_default_print(section, key, usual);
    lang_text_add(&out, "%s: %s%s\n\n  ", path, lang_key_text(key)->name,
                  key->required ? ", required" : "");
    wrap(&out, 2, key->about);
    lang_text_add(&out, "\n");
    if (key->choices == NULL)
        row(&out, "takes", takes(key));
    else
        row(&out, "takes", "one of");
    if (key->choices != NULL)
        list_choices(&out, key);
    if (usual[0] != '\0')
        row(&out, "default", usual);
    list_options(&out, section, key);
    if (key->with != NULL)
        row(&out, "goes with", key->with + 1);
    if (key->example != NULL) {
        lang_text_add(&out, "\n  example\n\n      ");
        for (const char *at = key->example; *at != '\0'; at++)
            lang_text_add(&out, *at == '\n' ? "\n      " : "%c", *at);
        lang_text_add(&out, "\n");
    }
    if (key->section != NULL)
        list_keys(&out, key->section);
    list_words(&out, path, vocabulary);
    return lang_text_take(&out);
}

static char *explain_topic(const struct lang_topic *topic)
{
    struct lang_text out = {0};
    lang_text_add(&out, "%s: %s\n\n%s", topic->title, topic->about, topic->text);
    return lang_text_take(&out);
}

char *trp_explain_key(const char *path, const struct trp_vocabulary *vocabulary, char **ret_hint)
{
    struct lang_arena arena = {0};
    struct finding finding = {0};
    struct lang_nearest nearest = lang_nearest_to(path, strlen(path));
    char *text = NULL;
    *ret_hint = NULL;
    const struct lang_section *section = NULL;
    const struct lang_key *key = follow(path, &section);
    if (key != NULL)
        return explain(path, section, key, vocabulary);
    for (uint32_t i = 0; i < lang_topics_count; i++) {
        if (strcmp(lang_topics[i].name, path) == 0)
            return explain_topic(&lang_topics[i]);
        lang_nearest_offer(&nearest, lang_topics[i].name);
    }
    search(lang_schema(), "", path, &finding, &nearest, &arena);
    struct lang_text hint = {0};
    if (finding.count == 1)
        text = explain(finding.path, finding.section, finding.key, vocabulary);
    else if (finding.count > 1)
        lang_text_add(&hint, "`%s` is a key in several sections: say which, as in `%s`", path,
                      finding.path);
    else if (nearest.best != NULL)
        lang_text_add(&hint, "did you mean `%.*s`?", (int)nearest.best_size, nearest.best);
    if (hint.data != NULL)
        *ret_hint = lang_text_take(&hint);
    lang_arena_free(&arena);
    return text;
}

char *trp_explain_overview(void)
{
    struct lang_text out = {0};
    lang_text_add(&out, "The keys of a scenario\n\n");
    for (uint32_t i = 0; i < lang_schema()->keys_count; i++) {
        const struct lang_key *key = &lang_schema()->keys[i];
        lang_text_add(&out, "  %-14s ", key->name);
        wrap(&out, 17, key->about);
    }
    lang_text_add(&out, "\nTopics\n\n");
    for (uint32_t i = 0; i < lang_topics_count; i++)
        lang_text_add(&out, "  %-14s %s\n", lang_topics[i].name, lang_topics[i].about);
    lang_text_add(&out,
                  "\n`troupe explain KEY` tells more: timeline, timeline.partition, selectors\n");
    return lang_text_take(&out);
}
