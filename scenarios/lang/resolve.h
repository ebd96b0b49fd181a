/* SPDX-License-Identifier: MIT */
/* lang/resolve.h - the effective scenario as text: valid again, each line with where it is from. */
#ifndef LANG_RESOLVE_H
#define LANG_RESOLVE_H

#include "scenarios/lang/schema.h"

/* Writes a text so that YAML reads it as one scalar anywhere. */
void lang_scalar_print(struct lang_text *out, struct trp_bytes text);
/* Writes a tree as YAML in flow style. */
void lang_tree_print(struct lang_text *out, const struct lang_node *node);
/* Writes a checked tree in the order of the schema table, defaults said; to be freed with free().
 */
char *lang_resolve_print(const struct lang_problems *problems, const struct lang_node *root);

#endif
