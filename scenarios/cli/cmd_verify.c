/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS            2u
#define ARGUMENTS_MAX   160u
#define COMPARED_HASHES 65536u

/* The two runs are processes of their own, so that addresses differ, and the second one's fresh
 * memory is filled with another pattern: what depends on either shows. */
static const char *const perturbations[RUNS] = {"0", "165"};

struct verify {
    const struct cli_verb *verb;
    const char *file;
    const char *seed;
    const char *settings[64];
    uint32_t settings_count;
    char hashes[RUNS][64];
};

/* ---- child runs ---- */

static void add_argument(const char **arguments, uint32_t *count, const char *text)
{
    if (*count < ARGUMENTS_MAX - 1) {
        arguments[(*count)++] = text;
    }
}

static int run_child(const struct verify *verify, uint32_t index, const char *option,
                     const char *value, bool quiet)
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
        if (quiet && freopen("/dev/null", "w", stderr) == NULL) {
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

static int show_difference(const struct verify *verify, uint64_t event)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%" PRIu64, event);
    (void)fprintf(stdout, "the runs differ from event %s on\n", number);
    for (uint32_t i = 0; i < RUNS; i++) {
        (void)fprintf(stdout, "run %u: ", i + 1);
        (void)run_child(verify, i, "--show-event", number, true);
    }
    return CLI_DIVERGED;
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
        if (event != 0) {
            code = show_difference(verify, event);
        } else {
            (void)fprintf(stdout, "the same: %" PRIu64 " events, twice\n", events);
        }
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
        code = run_child(verify, i, "--event-hashes", verify->hashes[i], i > 0);
    }
    return code <= CLI_FAILED ? compare(verify) : code;
}

static int cmd_verify(const struct cli_verb *verb, int argc, char **argv)
{
    struct verify verify = {.verb = verb};
    uint32_t seeds = 0;
    uint32_t operands;
    const struct cli_option options[] = {{"seed", &verify.seed, 1, &seeds},
                                         {"set", verify.settings, 64, &verify.settings_count}};
    int code = cli_parse(verb, options, 2, argc, argv, &verify.file, 1, 1, &operands);
    if (code != CLI_OK) {
        return code;
    }
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
        "Usage: troupe verify FILE [--seed N] [--set PATH=VALUE]…\n"
        "\n"
        "Runs the scenario in two processes, with memory laid out differently, and compares\n"
        "the two runs event by event. Where they differ, shows the first event that does.\n"
        "\n"
        "Exit codes: 0 the same, 2 the file is wrong, 3 they differ. Whether expectations held\n"
        "does not matter here.\n",
    .run = cmd_verify};
