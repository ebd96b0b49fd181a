/* SPDX-License-Identifier: MIT */
/* cli/cli.h - the frame of the tool: verbs, exit codes, options, where output goes.
 *
 * What a verb finds goes to standard output; what people read meanwhile goes to standard error. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "reports/store/run_db.h"

#include <troupe/base.h>
#include <troupe/multiaddr.h>
#include <troupe/trace.h>

#include <stdio.h>

enum cli_exit {
    CLI_OK = 0,       /* all expectations held */
    CLI_FAILED = 1,   /* an expectation failed; no answer */
    CLI_USAGE = 2,    /* the command or the file is wrong */
    CLI_DIVERGED = 3, /* two runs of one seed differed */
    CLI_TIMEOUT = 4,  /* out of time */
    CLI_INTERNAL = 5  /* the program itself failed */
};

struct cli_verb {
    const char *name;
    const char *about; /* one line for the list of verbs */
    const char *help;  /* usage, options, examples */
    /* Runs the verb; argv[0] is its name. Gives an exit code. */
    int (*run)(const struct cli_verb *verb, int argc, char **argv);
};

/* One option of a verb: "--name VALUE", or a switch. */
struct cli_option {
    const char *name;    /* without the dashes */
    const char **values; /* where to put what is given, in order; NULL: a switch */
    uint32_t values_max;
    uint32_t *count; /* how often it was given */
};

/* Takes options and operands apart; "--" ends the options. Reports what is wrong and how to do it
 * right, and gives CLI_USAGE; CLI_OK otherwise. --help prints the verb's help and gives -1. */
int cli_parse(const struct cli_verb *verb, const struct cli_option *options, uint32_t options_count,
              int argc, char **argv, const char **ret_operands, uint32_t operands_min,
              uint32_t operands_max, uint32_t *ret_operands_count);

/* Prints "troupe VERB: …" and how to get help; gives CLI_USAGE. */
int cli_wrong(const struct cli_verb *verb, const char *format, ...) TRP_PRINTF(2, 3);
/* Prints "troupe VERB: …" for what is not the caller's fault; gives `code`. */
int cli_fail(const struct cli_verb *verb, int code, const char *format, ...) TRP_PRINTF(3, 4);

/* Opens a finished run. Errors are said; gives an exit code. */
int cli_run_open(const struct cli_verb *verb, const char *path, struct trp_run_db **ret_db);
/* Says why a file cannot be read ("No such file or directory"); NULL when it can. */
const char *cli_unreadable(const char *path);
/* Says why a node did not start, with that state file (NULL: none); gives an exit code. */
int cli_cannot_start(const struct cli_verb *verb, const char *state, enum trp_status status);
/* Reads a multiaddr. Errors are said; gives an exit code. */
int cli_address(const struct cli_verb *verb, const char *text, struct trp_multiaddr *ret_address);
/* Checks what --kad-protocol says; NULL: it says nothing. Errors are said; gives an exit code. */
int cli_protocol(const struct cli_verb *verb, const char *text);
/* Reads a whole decimal number. */
bool cli_number(const char *text, uint64_t *ret_number);
/* Reads a span with a unit: ns us ms s min h. */
bool cli_span(const char *text, trp_time *ret_span);
/* Says what is wrong with the name of an actor and gives CLI_USAGE; CLI_OK when it is good. */
int cli_check_name(const struct cli_verb *verb, const char *name);
/* A trace sink that writes events as text to standard error. */
void cli_print_event(void *self, const struct trp_trace_event *event);
/* The monotonic clock. */
trp_time cli_clock(void);

/* One a file: cmd_<verb>.c. */
#define CLI_VERBS(X)                                                                               \
    X(run)                                                                                         \
    X(verify)                                                                                      \
    X(report)                                                                                      \
    X(why)                                                                                         \
    X(diff)                                                                                        \
    X(check)                                                                                       \
    X(resolve)                                                                                     \
    X(explain)                                                                                     \
    X(node)                                                                                        \
    X(ask)                                                                                         \
    X(tell)                                                                                        \
    X(lookup)                                                                                      \
    X(peers)                                                                                       \
    X(keygen)                                                                                      \
    X(version)

#define CLI_DECLARE(name) extern const struct cli_verb cli_verb_##name;
CLI_VERBS(CLI_DECLARE)
#undef CLI_DECLARE

#endif
