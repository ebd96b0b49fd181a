/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "scenarios/lang/draft.h"

struct trp_bytes lang_key_name(const struct lang_key *key)
{
    return trp_bytes(key->name, key->name_size != 0 ? key->name_size : strlen(key->name));
}

const struct lang_key *lang_key_find(const struct lang_section *section, const char *name)
{
    for (uint32_t i = 0; i < section->keys_count; i++)
        if (trp_bytes_equal(lang_key_name(&section->keys[i]), trp_bytes_text(name)))
            return &section->keys[i];
    return NULL;
}

bool lang_word_in(const char *words, const char *word)
{
    size_t size = strlen(word);
    if (words == NULL || size == 0 || strchr(word, ' ') != NULL)
        return false;
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

#define JSON_SPAN "([0-9]+(\\\\.[0-9]+)? ?(ns|us|ms|s|min|h) ?)+"

static const struct lang_type_text texts[LANG_TYPES_COUNT] = {
    [LANG_TEXT] = {"text", "any text", "\"type\":[\"string\",\"number\",\"boolean\"]"},
    [LANG_WORD] = {"word", "a letter, then letters, digits, - and _",
                   "\"type\":\"string\",\"pattern\":\"^[A-Za-z][A-Za-z0-9_-]*$\""},
    [LANG_WORDS] = {"words", "a list of words",
                    "\"type\":\"array\",\"items\":{\"type\":\"string\"}"},
    [LANG_COUNT] = {"count", "a whole number, at least 1", "\"type\":\"integer\",\"minimum\":1"},
    [LANG_SEED] = {"number", "a whole number below 2^64", "\"type\":\"integer\",\"minimum\":0"},
    [LANG_TIME] = {"time", "a number with ns, us, ms, s, min or h: 40ms, 1.5s, 1min30s",
                   "\"type\":\"string\",\"pattern\":\"^" JSON_SPAN "$\""},
    [LANG_RATE] = {"rate", "bits per second: 20Mbit, or `unlimited`",
                   "\"type\":\"string\","
                   "\"pattern\":\"^([0-9]+(\\\\.[0-9]+)? ?[kMG]?bit(/s)?|unlimited)$\""},
    [LANG_SHARE] = {"share", "2% or 0.02",
                    "\"type\":[\"string\",\"number\"],\"pattern\":\"^[0-9]+(\\\\.[0-9]+)?%?$\""},
    [LANG_SHARE_WIDE] = {"share", "2% or 0.02",
                         "\"type\":[\"string\",\"number\"],"
                         "\"pattern\":\"^[0-9]+(\\\\.[0-9]+)?%?$\""},
    [LANG_LIMIT] = {"count or size", "a whole number; with a unit when the key ends in _bytes",
                    "\"type\":[\"string\",\"integer\"]"},
    [LANG_LIMIT_WIDE] = {"size", "bytes with a unit: 64KiB, 1GiB",
                         "\"type\":\"string\","
                         "\"pattern\":\"^[0-9]+(\\\\.[0-9]+)? ?([kMG]?B|[KMG]iB)$\""},
    [LANG_SPREAD] = {"time or distribution", "40ms, or uniform(0s, 30s), exp(mean=1s), …",
                     "\"type\":\"string\",\"pattern\":\"^(" JSON_SPAN "|[a-z]+\\\\(.*\\\\))$\""},
    [LANG_START] = {"time or distribution, or a list of times",
                    "40ms, uniform(0s, 30s), … or `never`; or a list: one for each host",
                    "\"anyOf\":[{\"type\":\"string\","
                    "\"pattern\":\"^(" JSON_SPAN "|[a-z]+\\\\(.*\\\\)|never)$\"},"
                    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]"},
    [LANG_FLAG] = {"true or false", "`true` or `false`", "\"type\":\"boolean\""},
    [LANG_CHOICE] = {"one of", "one of some words", NULL},
    [LANG_HOSTS] = {"hosts", "a selector: west, \"boot + west\", \"random(3)\"",
                    "\"type\":\"string\""},
    [LANG_HOSTS_LATER] = {"hosts, or a list of hosts",
                          "a selector: west, \"boot + west\"; or a list: one for each host",
                          "\"anyOf\":[{\"type\":\"string\"},"
                          "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]"},
    [LANG_PAIRS] = {"pairs of hosts", "a list of two hosts each: [ \"west[3] east[1]\" ]",
                    "\"type\":\"array\",\"items\":{\"type\":\"string\"}"},
    [LANG_OCCASIONS] = {"operations",
                        "a list of moment, host and name each: [ \"61.2s west[3] counter-17\" ]",
                        "\"type\":\"array\",\"items\":{\"type\":\"string\"}"},
    [LANG_SIDES] = {"hosts, or a list of hosts", "a list of selectors, or one with `shape:`",
                    "\"anyOf\":[{\"type\":\"string\"},"
                    "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2}]"},
    [LANG_REGISTER] = {"name", "a name with placeholders: \"counter-{host.index}\"",
                       "\"type\":\"string\",\"minLength\":1"},
    [LANG_TARGET] = {"name", "a registered name: counter-7, \"counter-{random}\"",
                     "\"type\":\"string\",\"minLength\":1"},
    [LANG_ARGUMENTS] = {"message", "{ field: value }; see `troupe explain arguments`", ""},
    [LANG_BOUND] = {"value", "a ratio as 0.99 or 99%, a time, a size or a number",
                    "\"type\":[\"string\",\"number\"]"},
    [LANG_FILES] = {"file or files", "a path, or a list of paths",
                    "\"anyOf\":[{\"type\":\"string\"},"
                    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]"},
    [LANG_SECTION] = {"section", "keys of its own", NULL},
    [LANG_TABLE] = {"table", "entries by name", NULL},
    [LANG_LIST_OF] = {"list", "a list of entries", NULL}};

const struct lang_type_text *lang_type_text(enum lang_type type)
{
    TRP_ASSERT((unsigned)type < LANG_TYPES_COUNT && texts[type].name != NULL);
    return &texts[type];
}

/* Says whether a limit is a size: its name says so. */
static bool is_size(const struct lang_key *key)
{
    static const char word[] = "_bytes";
    struct trp_bytes name = lang_key_name(key);
    size_t size = sizeof word - 1;
    for (size_t at = 0; at + size <= name.size; at++)
        if (memcmp(name.data + at, word, size) == 0)
            return true;
    return false;
}

const struct lang_type_text *lang_key_text(const struct lang_key *key)
{
    if (key->type == LANG_LIMIT)
        return lang_type_text(is_size(key) ? LANG_LIMIT_WIDE : LANG_COUNT);
    return lang_type_text(key->type);
}

/* The default of a limit is known to the runtime only. */
static void limit_print(const struct lang_key *key, char ret_text[LANG_DEFAULT_TEXT_MAX])
{
    struct trp_limits limits = {0};
    const char *wrong;
    size_t offset = key->offset - offsetof(struct draft_limits, limits);
    uint64_t wide = 0;
    uint32_t narrow = 0;
    char span[LANG_SPAN_TEXT_MAX];
    TRP_ASSERT(trp_limits_complete(&limits, &wrong) == TRP_OK);
    memcpy(&narrow, (const unsigned char *)&limits + offset, sizeof narrow);
    if (key->type != LANG_LIMIT)
        memcpy(&wide, (const unsigned char *)&limits + offset, sizeof wide);
    else
        wide = narrow;
    lang_span_print(wide, span);
    if (key->type == LANG_TIME)
        (void)snprintf(ret_text, LANG_DEFAULT_TEXT_MAX, "%s", span);
    else if (wide % 1048576 == 0 && is_size(key))
        (void)snprintf(ret_text, LANG_DEFAULT_TEXT_MAX, "%" PRIu64 "MiB", wide / 1048576);
    else if (wide % 1024 == 0 && is_size(key))
        (void)snprintf(ret_text, LANG_DEFAULT_TEXT_MAX, "%" PRIu64 "KiB", wide / 1024);
    else
        (void)snprintf(ret_text, LANG_DEFAULT_TEXT_MAX, "%" PRIu64, wide);
}

void lang_default_print(const struct lang_section *section, const struct lang_key *key,
                        char ret_text[LANG_DEFAULT_TEXT_MAX])
{
    ret_text[0] = '\0';
    if (strcmp(section->name, "limits") == 0)
        limit_print(key, ret_text);
    else if (key->usual != NULL || key->unless != NULL)
        (void)snprintf(ret_text, LANG_DEFAULT_TEXT_MAX, "%s",
                       key->usual != NULL ? key->usual : key->unless);
}
