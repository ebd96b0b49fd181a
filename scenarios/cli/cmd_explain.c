/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/cli.h"
#include "scenarios/harness/vocabulary.h"
#include "scenarios/lang/explain.h"

#include <stdlib.h>

static int explain_key(const struct cli_verb *verb, const char *key)
{
    char *hint;
    char *text = trp_explain_key(key, trp_harness_vocabulary(), &hint);
    int code = CLI_OK;
    if (text != NULL) {
        (void)fputs(text, stdout);
    } else {
        code = cli_fail(verb, CLI_USAGE, "there is no key or topic '%s'%s%s", key,
                        hint == NULL ? "" : "; ", hint == NULL ? "" : hint);
        (void)fputs("See: troupe explain\n", stderr);
    }
    free(text);
    free(hint);
    return code;
}

static int cmd_explain(const struct cli_verb *verb, int argc, char **argv)
{
    const char *key;
    uint32_t count;
    uint32_t schema = 0;
    uint32_t reference = 0;
    const struct cli_option options[] = {{"json-schema", NULL, 0, &schema},
                                         {"reference", NULL, 0, &reference}};
    int code = cli_parse(verb, options, 2, argc, argv, &key, 0, 1, &count);
    if (code != CLI_OK) {
        return code;
    }
    if (schema + reference + count > 1) {
        return cli_wrong(verb, "a key, --json-schema or --reference, not several");
    }
    if (count == 1) {
        return explain_key(verb, key);
    }
    char *text = schema > 0      ? trp_explain_json_schema()
                 : reference > 0 ? trp_explain_reference()
                                 : trp_explain_overview();
    (void)fputs(text, stdout);
    free(text);
    return CLI_OK;
}

const struct cli_verb cli_verb_explain = {
    .name = "explain",
    .about = "document a key of the scenario language",
    .help = "Usage: troupe explain [KEY]\n"
            "       troupe explain --json-schema | --reference\n"
            "\n"
            "Without a key: the sections of a scenario and the topics. With one: what it means,\n"
            "what it takes, its default and an example. The words a key knows are listed too:\n"
            "actor types with their messages, metrics, invariants.\n"
            "\n"
            "  --json-schema   a JSON Schema, for completion and checks in editors\n"
            "  --reference     the whole reference as Markdown\n"
            "\n"
            "Examples:\n"
            "  troupe explain timeline.partition\n"
            "  troupe explain selectors\n"
            "  troupe explain expect.metric\n"
            "  troupe explain --json-schema > troupe.schema.json\n"
            "    then, on the first line of a scenario, for editors with a YAML language server:\n"
            "    # yaml-language-server: $schema=troupe.schema.json\n"
            "\n"
            "Exit codes: 0 explained, 2 there is no such key.\n",
    .run = cmd_explain};
