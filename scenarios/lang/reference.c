/* SPDX-License-Identifier: MIT */
/* The schema table as a page and as a JSON Schema. */
#include "scenarios/lang/explain.h"

#include <stdlib.h>

#include "scenarios/lang/schema.h"
#include "scenarios/lang/topics.h"

/* ---- Markdown ---- */

/* Writes text in a cell of a table. */
static void cell(struct lang_text *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        lang_text_add(out, *at == '|' ? "\\|" : "%c", *at);
}

static void cell_default(struct lang_text *out, const struct lang_section *section,
                         const struct lang_key *key)
{
    char text[LANG_DEFAULT_TEXT_MAX];
    lang_default_print(section, key, text);
    if (key->required)
        lang_text_add(out, "required");
    else if (key->usual != NULL)
        lang_text_add(out, "`%s`", text);
    else
        cell(out, text);
}

static void cell_takes(struct lang_text *out, const struct lang_key *key)
{
    if (key->choices == NULL) {
        lang_text_add(out, "%s", lang_key_text(key)->name);
        return;
    }
    bool first = true;
    for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++) {
        if (choice->planned)
            continue;
        lang_text_add(out, "%s`%s` (%s)", first ? "" : ", ", choice->word, choice->about);
        first = false;
    }
}

static void key_row(struct lang_text *out, const struct lang_section *section,
                    const struct lang_key *key)
{
    struct trp_bytes name = lang_key_name(key);
    lang_text_add(out, "| `%.*s` | ", (int)name.size, (const char *)name.data);
    cell_takes(out, key);
    lang_text_add(out, " | ");
    cell_default(out, section, key);
    lang_text_add(out, " | ");
    cell(out, key->about);
    if (key->with != NULL) {
        lang_text_add(out, " Only with");
        for (const char *at = key->with + 1; *at != '\0';) {
            size_t size = strcspn(at, " ");
            lang_text_add(out, "%s `%.*s:`", at == key->with + 1 ? "" : ",", (int)size, at);
            at += size + (at[size] == ' ');
        }
        lang_text_add(out, ".");
    }
    lang_text_add(out, " |\n");
}

static void keys_table(struct lang_text *out, const struct lang_section *section)
{
    bool actions = false;
    for (uint32_t i = 0; i < section->keys_count; i++)
        actions = actions || section->keys[i].action;
    lang_text_add(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < section->keys_count; i++)
        if (!section->keys[i].action)
            key_row(out, section, &section->keys[i]);
    if (!actions)
        return;
    lang_text_add(out, "\nExactly one of these in each entry:\n\n"
                       "| key | takes | meaning |\n|---|---|---|\n");
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        if (!key->action)
            continue;
        lang_text_add(out, "| `%s` | %s | ", key->name, lang_key_text(key)->name);
        cell(out, key->about);
        lang_text_add(out, " |\n");
    }
}

static void section_page(struct lang_text *out, const struct lang_key *key, const char *path)
{
    lang_text_add(out, "\n### `%s`\n\n%s\n", path, key->about);
    if (key->example != NULL)
        lang_text_add(out, "\n```yaml\n%s\n```\n", key->example);
    lang_text_add(out, "\n");
    keys_table(out, key->section);
    for (uint32_t i = 0; i < key->section->keys_count; i++) {
        const struct lang_key *inner = &key->section->keys[i];
        /* The limits of a group are those of the file. */
        if (inner->section == NULL || strcmp(inner->name, "limits") == 0)
            continue;
        struct lang_text longer = {0};
        lang_text_add(&longer, "%s.%s", path, inner->name);
        section_page(out, inner, longer.data);
        free(longer.data);
    }
}

char *trp_explain_reference(void)
{
    struct lang_text out = {0};
    const struct lang_section *root = lang_schema();
    lang_text_add(
        &out, "# The scenario language\n"
              "\n"
              "Made from the tables in `schema*.c` by `troupe explain --reference`; a test keeps\n"
              "it in step. `troupe explain KEY` shows the same in a terminal, with the actor\n"
              "types, metrics and invariants there are. `scenarios/library` holds examples.\n");
    for (uint32_t i = 0; i < lang_topics_count; i++)
        lang_text_add(&out, "\n## %s\n\n%s", lang_topics[i].title, lang_topics[i].text);
    lang_text_add(&out, "\n## Keys\n\n");
    keys_table(&out, root);
    for (uint32_t i = 0; i < root->keys_count; i++)
        if (root->keys[i].section != NULL)
            section_page(&out, &root->keys[i], root->keys[i].name);
    return lang_text_take(&out);
}

/* ---- JSON Schema ---- */

static void json_text(struct lang_text *out, const char *text)
{
    lang_text_add(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            lang_text_add(out, "\\%c", *at);
        else if (*at == '\n')
            lang_text_add(out, "\\n");
        else
            lang_text_append(out, at, 1);
    }
    lang_text_add(out, "\"");
}

static void json_section(struct lang_text *out, const struct lang_section *section, bool whole);

/* Writes the type of a value, as members of its object. */
static void json_type(struct lang_text *out, const struct lang_key *key)
{
    const char *json = lang_key_text(key)->json;
    if (key->type == LANG_CHOICE) {
        lang_text_add(out, "\"enum\":[");
        bool first = true;
        for (const struct lang_choice *choice = key->choices; choice->word != NULL; choice++) {
            if (choice->planned)
                continue;
            lang_text_add(out, "%s", first ? "" : ",");
            json_text(out, choice->word);
            first = false;
        }
        lang_text_add(out, "]");
    } else if (key->type == LANG_SECTION) {
        json_section(out, key->section, false);
    } else if (key->type == LANG_TABLE) {
        lang_text_add(out, "\"type\":\"object\",\"additionalProperties\":{");
        json_section(out, key->section, false);
        lang_text_add(out, "}");
    } else if (key->type == LANG_LIST_OF) {
        lang_text_add(out, "\"type\":\"array\",\"items\":{");
        json_section(out, key->section, true);
        lang_text_add(out, "}");
    } else {
        lang_text_add(out, "%s", json);
    }
}

static void json_key(struct lang_text *out, const struct lang_key *key)
{
    struct trp_bytes name = lang_key_name(key);
    lang_text_add(out, "\"%.*s\":{", (int)name.size, (const char *)name.data);
    lang_text_add(out, "\"description\":");
    json_text(out, key->about);
    size_t before = out->size;
    lang_text_add(out, ",");
    size_t comma = out->size;
    json_type(out, key);
    if (out->size == comma) /* anything goes */
        out->size = before;
    if (key->usual != NULL) {
        lang_text_add(out, ",\"default\":");
        bool number = key->type == LANG_COUNT || key->type == LANG_SEED || key->type == LANG_FLAG;
        if (number)
            lang_text_add(out, "%s", key->usual);
        else
            json_text(out, key->usual);
    }
    lang_text_add(out, "}");
}

/* Writes `"key":{"anyOf":[{"required":["with"]},…]}` for a key that goes with some actions. */
static void json_with(struct lang_text *out, const struct lang_key *key)
{
    lang_text_add(out, "\"%s\":{\"anyOf\":[", key->name);
    for (const char *at = key->with + 1; *at != '\0';) {
        size_t size = strcspn(at, " ");
        lang_text_add(out, "%s{\"required\":[\"%.*s\"]}", at == key->with + 1 ? "" : ",", (int)size,
                      at);
        at += size + (at[size] == ' ');
    }
    lang_text_add(out, "]}");
}

/* Writes which keys must be there. What a file extends may say the others, so only entries of
 * lists, which are never merged, and a file that extends nothing are held to it. */
static void json_required(struct lang_text *out, const struct lang_section *section)
{
    bool root = section == lang_schema();
    const char *comma =
        root ? ",\"anyOf\":[{\"required\":[\"extends\"]},{\"required\":[" : ",\"required\":[";
    for (uint32_t i = 0; i < section->keys_count; i++) {
        if (!section->keys[i].required)
            continue;
        lang_text_add(out, "%s\"%s\"", comma, section->keys[i].name);
        comma = ",";
    }
    lang_text_add(out, "%s", comma[1] != '\0' ? "" : root ? "]}]" : "]");
}

/* Writes the rules between the keys of a section. */
static void json_rules(struct lang_text *out, const struct lang_section *section)
{
    const char *comma = ",\"oneOf\":[";
    for (uint32_t i = 0; i < section->keys_count; i++) {
        if (!section->keys[i].action)
            continue;
        lang_text_add(out, "%s{\"required\":[\"%s\"]}", comma, section->keys[i].name);
        comma = ",";
    }
    lang_text_add(out, "%s", comma[1] == '\0' ? "]" : "");
    comma = ",\"dependentSchemas\":{";
    for (uint32_t i = 0; i < section->keys_count; i++) {
        if (section->keys[i].with == NULL)
            continue;
        lang_text_add(out, "%s", comma);
        json_with(out, &section->keys[i]);
        comma = ",";
    }
    lang_text_add(out, "%s", comma[1] == '\0' ? "}" : "");
}

/* `whole`: nothing of it can come from another file. */
static void json_section(struct lang_text *out, const struct lang_section *section, bool whole)
{
    lang_text_add(out, "\"type\":\"object\",\"properties\":{");
    for (uint32_t i = 0; i < section->keys_count; i++) {
        lang_text_add(out, "%s", i == 0 ? "" : ",\n");
        json_key(out, &section->keys[i]);
    }
    lang_text_add(out, "},\"additionalProperties\":false");
    if (whole)
        json_required(out, section);
    json_rules(out, section);
}

char *trp_explain_json_schema(void)
{
    struct lang_text out = {0};
    lang_text_add(&out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                        "\"title\":\"A scenario of Troupe\",\n");
    json_section(&out, lang_schema(), true);
    lang_text_add(&out, "}\n");
    return lang_text_take(&out);
}
