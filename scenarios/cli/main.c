/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/cli.h"
#include "scenarios/lang/problem.h"
#include "wire/registration.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

static const struct cli_verb *const verbs[] = {
#define CLI_ENTRY(name) &cli_verb_##name,
    CLI_VERBS(CLI_ENTRY)
#undef CLI_ENTRY
};
#define VERBS_COUNT (sizeof verbs / sizeof verbs[0])

/* ---- messages ---- */

static void say(const struct cli_verb *verb, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void say(const struct cli_verb *verb, const char *format, va_list arguments)
{
    (void)fprintf(stderr, "troupe %s: ", verb->name);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

int cli_wrong(const struct cli_verb *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(verb, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "See: troupe %s --help\n", verb->name);
    return CLI_USAGE;
}

int cli_fail(const struct cli_verb *verb, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(verb, format, arguments);
    va_end(arguments);
    return code;
}

/* ---- options ---- */

static const struct cli_option *find_option(const struct cli_option *options, uint32_t count,
                                            const char *name, size_t size)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static int unknown_option(const struct cli_verb *verb, const struct cli_option *options,
                          uint32_t count, const char *name, size_t size)
{
    struct lang_nearest nearest = lang_nearest_to(name, size);
    for (uint32_t i = 0; i < count; i++) {
        lang_nearest_offer(&nearest, options[i].name);
    }
    return cli_wrong(verb, "there is no option --%.*s%s%s%s", (int)size, name,
                     nearest.best == NULL ? "" : "; did you mean --",
                     nearest.best == NULL ? "" : nearest.best, nearest.best == NULL ? "" : "?");
}

/* Takes the option at argv[*at]; moves past its value. */
static int take_option(const struct cli_verb *verb, const struct cli_option *options,
                       uint32_t options_count, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct cli_option *option = find_option(options, options_count, name, size);
    if (option == NULL) {
        return unknown_option(verb, options, options_count, name, size);
    }
    if (option->values == NULL) {
        if (equals != NULL) {
            return cli_wrong(verb, "--%s takes no value", option->name);
        }
        (*option->count)++;
        return CLI_OK;
    }
    const char *value = equals == NULL ? NULL : equals + 1;
    if (value == NULL && *at + 1 < argc) {
        value = argv[++*at];
    }
    if (value == NULL) {
        return cli_wrong(verb, "--%s needs a value", option->name);
    }
    if (*option->count == option->values_max) {
        return cli_wrong(verb, "--%s is given too often (at most %u times)", option->name,
                         option->values_max);
    }
    option->values[(*option->count)++] = value;
    return CLI_OK;
}

int cli_parse(const struct cli_verb *verb, const struct cli_option *options, uint32_t options_count,
              int argc, char **argv, const char **ret_operands, uint32_t operands_min,
              uint32_t operands_max, uint32_t *ret_operands_count)
{
    uint32_t operands = 0;
    bool options_ended = false;
    for (int at = 1; at < argc; at++) {
        const char *argument = argv[at];
        if (!options_ended && strcmp(argument, "--") == 0) {
            options_ended = true;
        } else if (!options_ended &&
                   (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            (void)fputs(verb->help, stdout);
            return -1;
        } else if (!options_ended && strncmp(argument, "--", 2) == 0) {
            int failed = take_option(verb, options, options_count, argc, argv, &at);
            if (failed != CLI_OK) {
                return failed;
            }
        } else if (operands == operands_max) {
            return cli_wrong(verb, "one argument too many: '%s'", argument);
        } else {
            ret_operands[operands++] = argument;
        }
    }
    if (operands < operands_min) {
        return cli_wrong(verb, "it needs %s", operands_min == 1 ? "an argument" : "more arguments");
    }
    *ret_operands_count = operands;
    return CLI_OK;
}

const char *cli_unreadable(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return strerror(errno);
    }
    errno = 0;
    bool failed = fgetc(file) == EOF && ferror(file) != 0; /* of a directory, only now */
    const char *reason = failed ? strerror(errno) : NULL;
    (void)fclose(file);
    return reason;
}

int cli_run_open(const struct cli_verb *verb, const char *path, struct trp_run_db **ret_db)
{
    struct trp_run_error error;
    const char *reason = cli_unreadable(path);
    if (reason != NULL) {
        return cli_fail(verb, CLI_USAGE, "cannot read %s: %s", path, reason);
    }
    if (trp_run_db_open(path, ret_db, &error) != TRP_OK) {
        return cli_fail(verb, CLI_USAGE, "%s", error.text);
    }
    return CLI_OK;
}

int cli_cannot_start(const struct cli_verb *verb, const char *state, enum trp_status status)
{
    if (state != NULL && status == TRP_EMALFORMED) {
        return cli_fail(verb, CLI_USAGE,
                        "%s is no state file of a node, or is damaged; it is left as it is "
                        "(troupe keygen makes a new one)",
                        state);
    }
    if (state != NULL && status == TRP_EIO) {
        const char *reason = cli_unreadable(state);
        return cli_fail(verb, CLI_USAGE, "cannot use %s: %s", state,
                        reason == NULL ? trp_status_text(status) : reason);
    }
    return cli_fail(verb, CLI_INTERNAL, "cannot start: %s", trp_status_text(status));
}

int cli_address(const struct cli_verb *verb, const char *text, struct trp_multiaddr *ret_address)
{
    size_t at = 0;
    if (trp_multiaddr_parse(text, ret_address, &at) == TRP_OK) {
        return CLI_OK;
    }
    return cli_wrong(verb,
                     "'%s' is no multiaddr (it goes wrong at character %zu); one looks like "
                     "/ip4/127.0.0.1/tcp/4001",
                     text, at + 1);
}

int cli_protocol(const struct cli_verb *verb, const char *text)
{
    return text == NULL || (text[0] == '/' && text[1] != '\0')
               ? CLI_OK
               : cli_wrong(verb,
                           "--kad-protocol takes a protocol id such as /ipfs/kad/1.0.0, not '%s'",
                           text);
}

bool cli_number(const char *text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return false;
    }
    *ret_number = number;
    return true;
}

bool cli_span(const char *text, trp_time *ret_span)
{
    static const struct {
        const char *unit;
        trp_time span;
    } units[] = {{"ns", 1},       {"us", TRP_US(1)},   {"ms", TRP_MS(1)},
                 {"s", TRP_S(1)}, {"min", TRP_MIN(1)}, {"h", TRP_MIN(60)}};
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text[0] >= '0' && text[0] <= '9' && errno == 0 && strcmp(end, units[i].unit) == 0 &&
            number < TRP_NEVER / units[i].span) {
            *ret_span = number * units[i].span;
            return true;
        }
    }
    return false;
}

int cli_check_name(const struct cli_verb *verb, const char *name)
{
    return trp_registration_check_name(trp_bytes_text(name)) == TRP_OK
               ? CLI_OK
               : cli_wrong(verb,
                           "'%s' is no name: it has 1 to 255 bytes of UTF-8 that do not contain "
                           "':meta:' or end in ':meta'",
                           name);
}

void cli_print_event(void *self, const struct trp_trace_event *event)
{
    char line[1024];
    (void)self;
    (void)trp_trace_print(event, line, sizeof line);
    (void)fprintf(stderr, "%s\n", line);
}

trp_time cli_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return TRP_S(now.tv_sec) + (trp_time)now.tv_nsec;
}

/* ---- verbs ---- */

static void print_verbs(FILE *out)
{
    (void)fputs("troupe - rehearse distributed actors in a simulator, perform them on the network\n"
                "\n"
                "Usage: troupe VERB [OPTIONS] [ARGUMENTS]\n"
                "\n",
                out);
    for (size_t i = 0; i < VERBS_COUNT; i++) {
        (void)fprintf(out, "  %-9s %s\n", verbs[i]->name, verbs[i]->about);
    }
    (void)fputs("\n"
                "troupe VERB --help tells more of each. A first run:\n"
                "  troupe run scenarios/library/tutorial/partition-heal.yaml --out out --report\n"
                "\n"
                "Exit codes: 0 all held, 1 an expectation failed, 2 the command or file is wrong,\n"
                "3 two runs of one seed differed, 4 out of time, 5 the program itself failed.\n",
                out);
}

static const struct cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERBS_COUNT; i++) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    struct lang_nearest nearest = lang_nearest_to(name, strlen(name));
    for (size_t i = 0; i < VERBS_COUNT; i++) {
        lang_nearest_offer(&nearest, verbs[i]->name);
    }
    (void)fprintf(stderr, "troupe: there is no verb '%s'", name);
    if (nearest.best != NULL) {
        (void)fprintf(stderr, "; did you mean '%s'?", nearest.best);
    }
    (void)fputs("\nSee: troupe --help\n", stderr);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_verbs(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        print_verbs(stdout);
        return CLI_OK;
    }
    bool help = strcmp(name, "help") == 0;
    const struct cli_verb *verb =
        find_verb(strcmp(name, "--version") == 0 ? "version" : (help ? argv[2] : name));
    if (verb == NULL) {
        return unknown_verb(help ? argv[2] : name);
    }
    if (help) {
        (void)fputs(verb->help, stdout);
        return CLI_OK;
    }
    int code = verb->run(verb, argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return cli_fail(verb, CLI_INTERNAL, "cannot write to standard output");
    }
    return code < 0 ? CLI_OK : code; /* -1: help was asked for */
}
