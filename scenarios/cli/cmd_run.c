/* SPDX-License-Identifier: MIT */
#include "base/rolling_hash.h"
#include "reports/render/report_html.h"
#include "reports/render/report_json.h"
#include "reports/render/report_text.h"
#include "scenarios/cli/cli.h"
#include "scenarios/cli/scenario.h"
#include "scenarios/harness/session.h"
#include "scenarios/live/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 1024u
#define PROGRESS_EVERY TRP_MS(100)

struct run_options {
    const char *file;
    const char *out;
    char default_out[PATH_BYTES_MAX]; /* where a report goes when nothing is said */
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count;
    bool has_seed;
    uint64_t seed;
    bool report;
    bool json;
    bool trace;
    bool real; /* on real sockets */
    trp_time time_limit;
    const char *hashes;   /* file for a hash per event */
    uint64_t shown_event; /* 0: none */
};

/* What follows the run while it goes. */
struct watcher {
    bool terminal;
    trp_time shown_at;
    trp_time began;
    bool trace;
    FILE *hashes;
    uint64_t shown_event;
};

/* ---- while it runs ---- */

static void watch_event(void *self, const struct trp_trace_event *event)
{
    struct watcher *watcher = self;
    char line[1024];
    if (watcher->trace || event->sequence == watcher->shown_event) {
        (void)trp_trace_print(event, line, sizeof line);
        (void)fprintf(watcher->trace ? stderr : stdout, "%s\n", line);
    }
    if (watcher->hashes != NULL) {
        uint64_t hash[2];
        trp_hash_init(hash);
        trp_hash_bytes(hash, trp_bytes(line, trp_trace_print(event, line, sizeof line)));
        (void)fwrite(hash, sizeof hash[0], 1, watcher->hashes);
    }
}

static void watch_progress(void *user, const struct trp_run_progress *progress)
{
    struct watcher *watcher = user;
    trp_time now = cli_clock();
    if (!watcher->terminal || now - watcher->shown_at < PROGRESS_EVERY) {
        return;
    }
    watcher->shown_at = now;
    double wall = (double)(now - watcher->began) / 1e9;
    double virtual_s = (double)progress->now / 1e9;
    (void)fprintf(
        stderr, "\r\033[K%5.1f%%  %.0f s of %.0f s  %.0fx real time  %u hosts%s%.40s",
        100.0 * (double)progress->now / (double)progress->until, virtual_s,
        (double)progress->until / 1e9, wall > 0 ? virtual_s / wall : 0, progress->hosts_up,
        progress->fault == NULL ? "" : "  fault: ", progress->fault == NULL ? "" : progress->fault);
    (void)fflush(stderr);
}

/* ---- results ---- */

static int exit_code(enum trp_run_outcome outcome)
{
    switch (outcome) {
    case TRP_RUN_PASSED:
        return CLI_OK;
    case TRP_RUN_FAILED:
        return CLI_FAILED;
    case TRP_RUN_TIMED_OUT:
        return CLI_TIMEOUT;
    case TRP_RUN_UNFINISHED:
        return CLI_INTERNAL;
    }
    return CLI_INTERNAL;
}

static int write_report(const struct cli_verb *verb, const struct run_options *options,
                        struct trp_run_db *db)
{
    char path[PATH_BYTES_MAX];
    struct trp_run_error error;
    (void)snprintf(path, sizeof path, "%s/report.html", options->out);
    if (trp_report_html(&db, 1, NULL, path, &error) != TRP_OK) {
        return cli_fail(verb, CLI_INTERNAL, "%s", error.text);
    }
    (void)fprintf(stderr, "report: %s\n", path);
    return CLI_OK;
}

static int show_results(const struct cli_verb *verb, const struct run_options *options,
                        struct trp_run_db *db)
{
    int code = options->report ? write_report(verb, options, db) : CLI_OK;
    if (options->json && trp_report_json(db, options->out, stdout) != TRP_OK) {
        code = cli_fail(verb, CLI_INTERNAL, "cannot write the result to standard output");
    }
    const struct trp_report_text_options text = {.color = trp_report_wants_color(stderr),
                                                 .brief = options->json};
    if (trp_report_text(db, &text, stderr) != TRP_OK) {
        code = cli_fail(verb, CLI_INTERNAL, "cannot show the summary");
    }
    return code != CLI_OK ? code : exit_code(trp_run_db_info(db)->outcome);
}

/* ---- the verb ---- */

/* Writes text as one word of a shell. */
static void put_word(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./=:,+@%";
    if (text[0] != '\0' && text[strspn(text, plain)] == '\0') {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            (void)fputs("'\\''", out);
        } else {
            (void)fputc(*text, out);
        }
    }
    (void)fputc('\'', out);
}

/* The command that runs this again: what was set, in one line. The caller frees it; NULL: no
 * memory. */
static char *make_reproduce(const struct run_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("troupe run ", out);
    put_word(out, options->file);
    (void)fprintf(out, "%s --seed %" PRIu64, options->real ? " --net real" : "", options->seed);
    for (uint32_t i = 0; i < options->settings_count; i++) {
        (void)fputs(" --set ", out);
        put_word(out, options->settings[i]);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool is_directory(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int make_directory(const struct cli_verb *verb, const char *path)
{
    char partial[PATH_BYTES_MAX];
    if (strlen(path) >= sizeof partial) {
        return cli_wrong(verb, "the name of the output directory is too long");
    }
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0777) != 0 && !is_directory(partial)) {
            return cli_fail(verb, CLI_USAGE, "cannot make %s: %s", path, strerror(errno));
        }
    }
    return CLI_OK;
}

/* Each --set on a line of its own. The caller frees it; NULL: no memory. */
static char *join_settings(const struct run_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < options->settings_count; i++) {
        (void)fprintf(out, "%s%s", i == 0 ? "" : "\n", options->settings[i]);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int run_session(const struct cli_verb *verb, const struct run_options *options,
                       const struct cli_scenario *scenario, struct watcher *watcher)
{
    char database[PATH_BYTES_MAX];
    struct trp_session *session;
    struct trp_run_error error;
    char *reproduce = make_reproduce(options);
    char *settings = join_settings(options);
    if (reproduce == NULL || settings == NULL) {
        free(reproduce);
        free(settings);
        return cli_fail(verb, CLI_INTERNAL, "out of memory");
    }
    (void)snprintf(database, sizeof database, "%s/run.db",
                   options->out == NULL ? "" : options->out);
    bool watches = options->trace || watcher->hashes != NULL || options->shown_event != 0;
    const struct trp_session_options session_options = {
        .load = scenario->load,
        .path = options->file,
        .source = scenario->source,
        .settings = settings[0] == '\0' ? NULL : settings,
        .reproduce = reproduce,
        .version = TRP_VERSION,
        .database = options->out == NULL ? NULL : database,
        .seed = options->seed,
        .network = {.name = "real", .open = options->real ? trp_network_open_live : NULL},
        .wall_clock = cli_clock,
        .wall_ns_max = options->time_limit,
        .sink = {.event = watches ? watch_event : NULL, .self = watcher},
        .progress = watch_progress,
        .user = watcher};
    watcher->began = cli_clock();
    enum trp_status status = trp_session_open(&session_options, &session, &error);
    if (watcher->terminal) {
        (void)fputs("\r\033[K", stderr);
    }
    int code;
    if (status == TRP_OK) {
        code = show_results(verb, options, trp_session_db(session));
        trp_session_close(session);
    } else {
        code = cli_fail(verb, CLI_INTERNAL, "%s", error.text);
    }
    free(reproduce);
    free(settings);
    return code;
}

/* Reports what cannot be had on real sockets. */
static int check_real(const struct trp_plan *plan)
{
    char problem[256];
    struct trp_place place;
    if (trp_live_can_run(plan, &place, problem)) {
        return CLI_OK;
    }
    (void)fprintf(stderr, "%s:%u:%u: %s\n", place.file, place.line, place.column, problem);
    return CLI_USAGE;
}

static int run_file(const struct cli_verb *verb, struct run_options *options)
{
    struct cli_scenario scenario;
    struct watcher watcher = {.terminal = isatty(STDERR_FILENO) != 0 && !options->trace,
                              .trace = options->trace,
                              .shown_event = options->shown_event};
    int code = cli_scenario_open(verb, options->file, options->settings, options->settings_count,
                                 &scenario);
    if (code != CLI_OK) {
        return code;
    }
    const struct trp_plan *plan = trp_load_plan(scenario.load);
    options->seed = options->has_seed ? options->seed : plan->seed;
    if (options->report && options->out == NULL) {
        (void)snprintf(options->default_out, sizeof options->default_out, "out/%s", plan->name);
        options->out = options->default_out;
    }
    code = options->real ? check_real(plan) : CLI_OK;
    if (code == CLI_OK && options->out != NULL) {
        code = make_directory(verb, options->out);
    }
    if (code == CLI_OK && options->hashes != NULL) {
        watcher.hashes = fopen(options->hashes, "wb");
        code = watcher.hashes == NULL ? cli_fail(verb, CLI_USAGE, "cannot write %s: %s",
                                                 options->hashes, strerror(errno))
                                      : CLI_OK;
    }
    if (code == CLI_OK) {
        code = run_session(verb, options, &scenario, &watcher);
    }
    if (watcher.hashes != NULL && fclose(watcher.hashes) != 0) {
        code =
            cli_fail(verb, CLI_INTERNAL, "cannot write %s: %s", options->hashes, strerror(errno));
    }
    cli_scenario_close(&scenario);
    return code;
}

static int cmd_run(const struct cli_verb *verb, int argc, char **argv)
{
    struct run_options options = {0};
    const char *seed = NULL;
    const char *net = NULL;
    const char *limit = NULL;
    const char *shown = NULL;
    uint32_t counts[10] = {0};
    const struct cli_option table[] = {
        {"seed", &seed, 1, &counts[0]},
        {"set", options.settings, CLI_SETTINGS_MAX, &options.settings_count},
        {"out", &options.out, 1, &counts[1]},
        {"report", NULL, 0, &counts[2]},
        {"json", NULL, 0, &counts[3]},
        {"net", &net, 1, &counts[4]},
        {"trace", NULL, 0, &counts[5]},
        {"time-limit", &limit, 1, &counts[6]},
        {"event-hashes", &options.hashes, 1, &counts[7]},
        {"show-event", &shown, 1, &counts[8]}};
    uint32_t operands;
    int code = cli_parse(verb, table, sizeof table / sizeof table[0], argc, argv, &options.file, 1,
                         1, &operands);
    if (code != CLI_OK) {
        return code;
    }
    options.report = counts[2] > 0;
    options.json = counts[3] > 0;
    options.trace = counts[5] > 0;
    options.has_seed = seed != NULL;
    if (seed != NULL && !cli_number(seed, &options.seed)) {
        return cli_wrong(verb, "--seed takes a whole number, not '%s'", seed);
    }
    if (shown != NULL && !cli_number(shown, &options.shown_event)) {
        return cli_wrong(verb, "--show-event takes a whole number, not '%s'", shown);
    }
    if (limit != NULL && !cli_span(limit, &options.time_limit)) {
        return cli_wrong(verb, "--time-limit takes a span with a unit (90s, 10min), not '%s'",
                         limit);
    }
    options.real = net != NULL && strcmp(net, "real") == 0;
    if (net != NULL && !options.real && strcmp(net, "sim") != 0) {
        return cli_wrong(verb, "--net takes 'sim' or 'real', not '%s'", net);
    }
    if (options.real && options.hashes != NULL) {
        return cli_wrong(verb,
                         "--event-hashes is of simulated runs: two real ones are never alike");
    }
    return run_file(verb, &options);
}

const struct cli_verb cli_verb_run = {
    .name = "run",
    .about = "run a scenario and judge it",
    .help =
        "Usage: troupe run FILE [OPTIONS]\n"
        "\n"
        "Runs a scenario in the deterministic simulator: the same file and seed give the same "
        "run,\n"
        "event by event. The summary goes to standard error.\n"
        "\n"
        "With --net real the hosts are nodes of this process on real sockets, each on a loopback\n"
        "address of its own, in real time; faults and paths are made between them and their\n"
        "sockets. Workload, expectations and results are the same, but no two runs are alike.\n"
        "\n"
        "  --seed N            instead of the file's run.seed\n"
        "  --set PATH=VALUE    override a key, such as network.links.default.loss=5%; repeatable\n"
        "  --out DIR           write DIR/run.db, a SQLite database of the run\n"
        "  --report            write DIR/report.html too (default DIR: out/NAME)\n"
        "  --json              the result as one JSON object on standard output\n"
        "  --trace             every event as text on standard error\n"
        "  --time-limit SPAN   give up after that much real time: exit code 4\n"
        "  --net sim|real      the simulated network, which is the default, or real sockets\n"
        "  --show-event N      print event number N on standard output\n"
        "  --event-hashes F    write a 64-bit hash of each event to F; what `verify` compares\n"
        "\n"
        "Examples:\n"
        "  troupe run scenarios/library/tutorial/partition-heal.yaml --report\n"
        "  troupe run F.yaml --seed 7 --json | jq .trace_hash\n"
        "  troupe run scenarios/library/tutorial/first.yaml --net real\n"
        "\n"
        "Exit codes: 0 every expectation held, 1 one failed, 2 the file or command is wrong,\n"
        "4 out of time, 5 the program failed. The last line of a failed run reproduces it.\n",
    .run = cmd_run};
