/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS            2u
#define ARGUMENTS_MAX   160u
#define COMPARED_HASHES 65536u
#define EVENT_TEXT_MAX  1024u

/* The two runs are processes of their own, so that addresses differ, and the second one's fresh
 * memory is filled with another pattern: what depends on either shows. */
static const char *const perturbations[RUNS] = {"0", "165"};

struct verify {
    const struct cli_verb *verb;
    const char *file;
    const char *seed;
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count;
    bool json;
    char hashes[RUNS][64];
};

/* ---- child runs ---- */

static void add_argument(const char **arguments, uint32_t *count, const char *text)
{
    if (*count < ARGUMENTS_MAX - 1) {
        arguments[(*count)++] = text;
    }
}

/* Runs the scenario once more in a process of its own, what it says going to `out` (NULL: only its
 * summary, as usual). */
static int run_child(const struct verify *verify, uint32_t index, const char *option,
                     const char *value, FILE *out)
{
    const char *arguments[ARGUMENTS_MAX] = {0};
    uint32_t count = 0;
    add_argument(arguments, &count, "troupe");
    add_argument(arguments, &count, "run");
    add_argument(arguments, &count, verify->file);
    if (verify->seed != NULL) {
        add_argument(arguments, &count, "--seed");
        add_argument(arguments, &count, verify->seed);
    }
    for (uint32_t i = 0; i < verify->settings_count; i++) {
        add_argument(arguments, &count, "--set");
        add_argument(arguments, &count, verify->settings[i]);
    }
    add_argument(arguments, &count, option);
    add_argument(arguments, &count, value);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bool quiet = out != NULL || index > 0;
        if ((quiet && freopen("/dev/null", "w", stderr) == NULL) ||
            (out != NULL && dup2(fileno(out), STDOUT_FILENO) < 0)) {
            _exit(CLI_INTERNAL);
        }
        (void)setenv("MALLOC_PERTURB_", perturbations[index], 1);
        union {
            const char **given;
            char *const *wanted;
        } argv = {.given = arguments};
        (void)execv("/proc/self/exe", argv.wanted);
        _exit(CLI_INTERNAL);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return CLI_INTERNAL;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_INTERNAL;
}

/* ---- comparing ---- */

/* Compares two files of hashes block by block. Gives the number of the first event that differs; 0:
 * none, and how many there are. */
static uint64_t first_difference(FILE *const files[RUNS], uint64_t *blocks, uint64_t *ret_events)
{
    uint64_t events = 0;
    for (;;) {
        size_t counts[RUNS];
        for (size_t i = 0; i < RUNS; i++) {
            counts[i] =
                fread(blocks + i * COMPARED_HASHES, sizeof *blocks, COMPARED_HASHES, files[i]);
        }
        size_t common = counts[0] < counts[1] ? counts[0] : counts[1];
        for (size_t i = 0; i < common; i++) {
            if (blocks[i] != blocks[COMPARED_HASHES + i]) {
                return events + i + 1;
            }
        }
        events += common;
        if (counts[0] != counts[1]) {
            return events + 1;
        }
        if (common == 0) {
            *ret_events = events;
            return 0;
        }
    }
}

/* The event of that number in one of the runs, as text; empty when it has none. */
static void describe_event(const struct verify *verify, uint32_t index, const char *number,
                           char ret_text[EVENT_TEXT_MAX])
{
    ret_text[0] = '\0';
    FILE *out = tmpfile();
    if (out == NULL) {
        return;
    }
    (void)run_child(verify, index, "--show-event", number, out);
    rewind(out);
    if (fgets(ret_text, EVENT_TEXT_MAX, out) != NULL) {
        ret_text[strcspn(ret_text, "\n")] = '\0';
    }
    (void)fclose(out);
}

/* `event`: the first that differs; 0: none does. */
static int show_comparison(const struct verify *verify, uint64_t event, uint64_t events)
{
    char texts[RUNS][EVENT_TEXT_MAX];
    char number[24];
    (void)snprintf(number, sizeof number, "%" PRIu64, event);
    for (uint32_t i = 0; i < RUNS && event != 0; i++) {
        describe_event(verify, i, number, texts[i]);
    }
    if (verify->json) {
        struct json json = {.out = stdout};
        json_open(&json, NULL, '{');
        json_text(&json, "file", verify->file);
        json_text(&json, "outcome", event == 0 ? "same" : "different");
        json_number(&json, event == 0 ? "events" : "event", event == 0 ? events : event);
        json_open(&json, "runs", '[');
        for (uint32_t i = 0; i < RUNS && event != 0; i++) {
            json_text(&json, NULL, texts[i]);
        }
        json_close(&json, ']');
        json_close(&json, '}');
        (void)putchar('\n');
    } else if (event == 0) {
        (void)printf("the same: %" PRIu64 " events, twice\n", events);
    } else {
        (void)printf("the runs differ from event %s on\n", number);
        for (uint32_t i = 0; i < RUNS; i++) {
            (void)printf("run %u: %s\n", i + 1, texts[i][0] == '\0' ? "it has ended" : texts[i]);
        }
    }
    return event == 0 ? CLI_OK : CLI_DIVERGED;
}

static int compare(const struct verify *verify)
{
    FILE *files[RUNS] = {fopen(verify->hashes[0], "rb"), fopen(verify->hashes[1], "rb")};
    uint64_t *blocks = malloc((size_t)RUNS * COMPARED_HASHES * sizeof *blocks);
    uint64_t events = 0;
    int code = CLI_OK;
    if (files[0] == NULL || files[1] == NULL || blocks == NULL) {
        code = cli_fail(verify->verb, CLI_INTERNAL, "cannot read the event hashes: %s",
                        strerror(errno));
    } else {
        uint64_t event = first_difference(files, blocks, &events);
        code = show_comparison(verify, event, events);
    }
    free(blocks);
    for (uint32_t i = 0; i < RUNS; i++) {
        if (files[i] != NULL) {
            (void)fclose(files[i]);
        }
    }
    return code;
}

static int verify_runs(struct verify *verify)
{
    int code = CLI_OK;
    for (uint32_t i = 0; i < RUNS && code <= CLI_FAILED; i++) {
        (void)snprintf(verify->hashes[i], sizeof verify->hashes[i], "/tmp/troupe-verify-%u-XXXXXX",
                       i + 1);
        int file = mkstemp(verify->hashes[i]);
        if (file < 0) {
            return cli_fail(verify->verb, CLI_INTERNAL, "cannot make a file in /tmp: %s",
                            strerror(errno));
        }
        (void)close(file);
        (void)fprintf(stderr, "run %u of %u\n", i + 1, RUNS);
        code = run_child(verify, i, "--event-hashes", verify->hashes[i], NULL);
    }
    return code <= CLI_FAILED ? compare(verify) : code;
}

static int cmd_verify(const struct cli_verb *verb, int argc, char **argv)
{
    struct verify verify = {.verb = verb};
    uint32_t seeds = 0;
    uint32_t as_json = 0;
    uint32_t operands;
    const struct cli_option options[] = {
        {"json", NULL, 0, &as_json},
        {"seed", &verify.seed, 1, &seeds},
        {"set", verify.settings, CLI_SETTINGS_MAX, &verify.settings_count}};
    struct cli_scenario scenario;
    uint64_t number;
    int code = cli_parse(verb, options, 3, argc, argv, &verify.file, 1, 1, &operands);
    if (code == CLI_OK && verify.seed != NULL && !cli_number(verify.seed, &number)) {
        code = cli_wrong(verb, "--seed takes a whole number, not '%s'", verify.seed);
    }
    if (code == CLI_OK) { /* what is wrong with the file is said once, before anything runs */
        code =
            cli_scenario_open(verb, verify.file, verify.settings, verify.settings_count, &scenario);
    }
    if (code != CLI_OK) {
        return code;
    }
    cli_scenario_close(&scenario);
    verify.json = as_json > 0;
    code = verify_runs(&verify);
    for (uint32_t i = 0; i < RUNS; i++) {
        if (verify.hashes[i][0] != '\0') {
            (void)unlink(verify.hashes[i]);
        }
    }
    return code;
}

const struct cli_verb cli_verb_verify = {
    .name = "verify",
    .about = "run a scenario twice and compare event by event",
    .help =
        "Usage: troupe verify FILE [--seed N] [--set PATH=VALUE]… [--json]\n"
        "\n"
        "Runs the scenario in two processes, with memory laid out differently, and compares\n"
        "the two runs event by event. Where they differ, shows the first event that does.\n"
        "\n"
        "  --seed N          instead of the file's run.seed\n"
        "  --set PATH=VALUE  override a key, as for `troupe run`; repeatable\n"
        "  --json            one object on one line: file, outcome (same, different), events or\n"
        "                    the event that differs, runs[that event in each]\n"
        "\n"
        "Example:\n"
        "  troupe verify scenarios/library/tutorial/partition-heal.yaml --seed 7\n"
        "\n"
        "Exit codes: 0 the same, 2 the file is wrong, 3 they differ. Whether expectations held\n"
        "does not matter here.\n",
    .run = cmd_verify};
