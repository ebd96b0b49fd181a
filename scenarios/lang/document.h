/* SPDX-License-Identifier: MIT */
/* lang/document.h - YAML as a tree of texts with their places; types come later, from the schema.
 *
 * Spec       YAML 1.1 as libyaml reads it, without tags, merge keys (<<) and several documents.
 * Limits     1 MiB, 64 levels, 65,536 nodes with aliases expanded. */
#ifndef LANG_DOCUMENT_H
#define LANG_DOCUMENT_H

#include "scenarios/lang/problem.h"

#define LANG_FILE_BYTES_MAX 1048576u
#define LANG_DEPTH_MAX      64u
#define LANG_NODES_MAX      65536u

enum lang_node_kind { LANG_SCALAR, LANG_LIST, LANG_MAP };

struct lang_entry {
    const char *key; /* map only */
    struct lang_mark key_mark;
    const struct lang_node *value;
};

/* Never changed once read; several trees may share one. */
struct lang_node {
    enum lang_node_kind kind;
    struct lang_mark mark; /* of the whole scalar, or of the first character */
    uint32_t expanded;     /* nodes in it, itself included, each alias counted as what it means */
    bool quoted;
    const char *text; /* scalar, without a NUL inside */
    size_t size;
    const struct lang_entry *entries;
    uint32_t count;
};

/* Reads a source. Gives NULL when there is nothing or it does not parse, with the problems added.
 * Keys are not yet checked for doubles. */
const struct lang_node *lang_document_read(struct lang_problems *problems, uint32_t source);
/* Reads a source from `offset` bytes on, on one line: the value of a --set. */
const struct lang_node *lang_document_read_from(struct lang_problems *problems, uint32_t source,
                                                size_t offset);

/* Says whether a scalar is `null` or `~`, without quotes: no value where one may be left out, a
 * text elsewhere. */
bool lang_node_is_null(const struct lang_node *node);
/* Finds the value of a key; NULL when a map has none. */
const struct lang_node *lang_node_find(const struct lang_node *map, const char *key);
/* Marks `size` bytes at `offset` of a scalar's text, as near as quoting and folding allow. */
struct lang_mark lang_node_part(const struct lang_problems *problems, const struct lang_node *node,
                                size_t offset, size_t size);

#endif
