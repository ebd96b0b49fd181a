/* SPDX-License-Identifier: MIT */
/* cli/allow.h - access rules as they are written at a shell: PEER[:RIGHTS[:TYPE]]. */
#ifndef CLI_ALLOW_H
#define CLI_ALLOW_H

#include "scenarios/cli/cli.h"

#include <troupe/access.h>

#define CLI_ALLOW_MAX 64u

/* Reads a rule. PEER is a PeerId or `any`; RIGHTS are some of connect, message and link with commas
 * between, all three unless said; TYPE is that of the actors. What is wrong is said, and how to do
 * it right; gives an exit code. The rule borrows from `text`. */
int cli_allow(const struct cli_verb *verb, const char *text, struct trp_access_rule *ret_rule);

#endif
