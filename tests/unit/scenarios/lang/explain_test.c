/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/explain.h"

#include "lib/test.h"
#include "lib/words.h"
#include "scenarios/lang/schema.h"

#include <stdio.h>
#include <stdlib.h>

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 262144);
    assert_non_null(text);
    assert_true(fread(text, 1, 262143, file) < 262143);
    (void)fclose(file);
    return text;
}

/* Bring it up to date with: troupe explain --reference > scenarios/lang/README.md */
static void reference_page_is_in_step(void **state)
{
    (void)state;
    char *page = file_text(TESTS_DIR "/../scenarios/lang/README.md");
    char *made = trp_explain_reference();
    assert_string_equal(made, page);
    free(made);
    free(page);
}

static void explain_all(const struct lang_section *section, const char *prefix, uint32_t *count)
{
    for (uint32_t i = 0; i < section->keys_count; i++) {
        const struct lang_key *key = &section->keys[i];
        struct trp_bytes name = lang_key_name(key);
        char path[128];
        char *hint;
        (void)snprintf(path, sizeof path, "%s%s%.*s", prefix, prefix[0] == '\0' ? "" : ".",
                       (int)name.size, (const char *)name.data);
        char *text = trp_explain_key(path, &words, &hint);
        assert_non_null(text);
        assert_null(hint);
        assert_true(strncmp(text, path, strlen(path)) == 0);
        assert_non_null(strstr(text, "takes"));
        assert_true(key->about[0] != '\0');
        assert_true(key->required || key->action || key->usual != NULL || key->unless != NULL);
        free(text);
        (*count)++;
        if (key->section != NULL)
            explain_all(key->section, path, count);
    }
}

static void explains_every_key(void **state)
{
    (void)state;
    uint32_t count = 0;
    explain_all(lang_schema(), "", &count);
    assert_true(count > 150);
}

static void lists_what_the_vocabulary_knows(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"actors.type", "put { key: text, value: bytes, times: u32 }   (tell only)"},
        {"actors.type", "inc { amount: i64 }\n"},
        {"expect.metric", "NAME.latency.p99                time"},
        {"expect.eventually.metric", "dht.recall_at_k                 ratio"},
        {"expect.always", "no_self_in_table"},
        {"timeline.partition", "options    for: mode: direction: shape:\n"},
        {"timeline.mode", "goes with  partition"},
        {"limits.kad_refresh", "default    5min\n"},
        {"network.transport", "quic       QUIC (not supported yet)"},
        {"selectors", "random(10%, of=west)"},
        {"bootstrap", "hosts.bootstrap: hosts"},
        {"kad_refresh", "limits.kad_refresh: time"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *hint;
        char *text = trp_explain_key(cases[i][0], &words, &hint);
        assert_non_null(text);
        assert_non_null(strstr(text, cases[i][1]));
        free(text);
    }
}

static void suggests_what_was_meant(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"patition", "did you mean `partition`?"},
        {"timeline.patition", "did you mean `timeline.partition`?"},
        {"selector", "did you mean `selectors`?"},
        {"until", "`until` is a key in several sections: say which, as in "},
        {"nothing-like-it-at-all", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *hint;
        assert_null(trp_explain_key(cases[i][0], &words, &hint));
        assert_true((hint == NULL) == (cases[i][1][0] == '\0'));
        assert_true(hint == NULL || strncmp(hint, cases[i][1], strlen(cases[i][1])) == 0);
        free(hint);
    }
}

/* ---- a JSON reader that only says whether a text is JSON ---- */

static const char *json_value(const char *at);

static const char *json_space(const char *at)
{
    return at + strspn(at, " \n");
}

static const char *json_string(const char *at)
{
    assert_int_equal(*at, '"');
    for (at++; *at != '"'; at++) {
        assert_true((unsigned char)*at >= 0x20);
        if (*at == '\\') {
            at++;
            assert_non_null(strchr("\"\\nu", *at));
        }
    }
    return at + 1;
}

static const char *json_items(const char *at, char end, bool keys)
{
    at = json_space(at + 1);
    while (*at != end) {
        if (keys) {
            at = json_space(json_string(at));
            assert_int_equal(*at, ':');
            at++;
        }
        at = json_space(json_value(at));
        assert_true(*at == ',' || *at == end);
        if (*at == ',') {
            at = json_space(at + 1);
            assert_int_not_equal(*at, end);
        }
    }
    return at + 1;
}

static const char *json_value(const char *at)
{
    at = json_space(at);
    if (*at == '{')
        return json_items(at, '}', true);
    if (*at == '[')
        return json_items(at, ']', false);
    if (*at == '"')
        return json_string(at);
    size_t size = strspn(at, "0123456789truefalsn");
    assert_true(size > 0);
    return at + size;
}

static void json_schema_is_json(void **state)
{
    (void)state;
    char *schema = trp_explain_json_schema();
    const char *end = json_space(json_value(schema));
    assert_int_equal(*end, '\0');
    assert_non_null(strstr(schema, "\"additionalProperties\":false"));
    assert_non_null(strstr(schema, "{\"required\":[\"lookup\"]},{\"required\":[\"ask\"]}"));
    assert_non_null(
        strstr(schema, "\"dependentSchemas\":{\"for\":{\"anyOf\":[{\"required\":[\"partition\"]}"));
    assert_non_null(
        strstr(schema, "\"enum\":[\"blackhole\",\"refuse\"],\"default\":\"blackhole\""));
    assert_null(strstr(schema, "quic\"")); /* what is not there yet is not offered */
    free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_page_is_in_step),
        cmocka_unit_test(explains_every_key),
        cmocka_unit_test(lists_what_the_vocabulary_knows),
        cmocka_unit_test(suggests_what_was_meant),
        cmocka_unit_test(json_schema_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
