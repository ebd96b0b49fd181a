/* SPDX-License-Identifier: MIT */
/* lang/merge.h - one tree from a file, the files it extends, and settings of the command line.
 *
 * Sections are merged key by key; a list, or one value, replaces what is below. Every node keeps
 * the mark of where it was written: that is the provenance `troupe resolve` shows.
 * Limits     8 files deep and 16 in all, 1 MiB each; settings nest 16 deep. */
#ifndef LANG_MERGE_H
#define LANG_MERGE_H

#include "scenarios/lang/document.h"

/* Reads a file (or `text` in its place) and what it extends. NULL with problems added. */
const struct lang_node *lang_merge_file(struct lang_problems *problems, const char *path,
                                        const char *text, size_t text_bytes);
/* Applies "path=value": a path of keys between dots, entries of lists by [index] or by their
 * `name`; keys with dots in "quotes". `origin` is what problems call it. NULL with a problem added.
 */
const struct lang_node *lang_merge_setting(struct lang_problems *problems,
                                           const struct lang_node *root, const char *origin,
                                           const char *setting);

#endif
