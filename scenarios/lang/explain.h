/* SPDX-License-Identifier: MIT */
/* lang/explain.h - the schema table as text: for a terminal, as the reference page, as JSON Schema.
 *
 * Ownership  Every text is to be freed with free(). */
#ifndef LANG_EXPLAIN_H
#define LANG_EXPLAIN_H

#include "scenarios/lang/load.h"

/* Explains a key ("timeline.partition", "workload.every"), a word that is a key in one section
 * only, or a topic ("selectors"). NULL when there is no such thing; *ret_hint is then what may
 * have been meant, or NULL. */
char *trp_explain_key(const char *path, const struct trp_vocabulary *vocabulary, char **ret_hint);
/* Lists the sections and topics. */
char *trp_explain_overview(void);
/* Writes the reference page, in Markdown: scenarios/lang/README.md. */
char *trp_explain_reference(void);
/* Writes a JSON Schema (draft 2020-12) for editors; its patterns are looser than the checks. */
char *trp_explain_json_schema(void);

#endif
