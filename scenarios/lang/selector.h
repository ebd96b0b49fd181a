/* SPDX-License-Identifier: MIT */
/* lang/selector.h - reading selectors: which hosts something happens to.
 *
 *     sum    = term { ("+" | " - ") term }
 *     term   = "all" | "none" | "any" | group | group "[" index [ ".." index ] "]" | zone | "zone("
 * zone ")" | "random(" count-or-percent [ "," "of=" sum ] ")" | "closest(" name "," count ")" |
 * "holders(" name ")" | "(" sum ")"
 *
 * Limits     1024 terms, nested 16 deep; choices known before the run list 4 million hosts in all.
 */
#ifndef LANG_SELECTOR_H
#define LANG_SELECTOR_H

#include "scenarios/lang/plan.h"
#include "scenarios/lang/problem.h"

/* What every selector of a file shares. */
struct lang_selectors {
    struct lang_arena *arena;
    const struct trp_plan *plan; /* with its groups */
    struct lang_known *known;    /* read before, by text */
    uint64_t listed;             /* hosts in them */
};

enum lang_bare_word { LANG_GROUP_FIRST, LANG_ZONE_FIRST };

/* Reads a selector; NULL with the fault. A word that names both a group and a zone means what
 * `bare` says. */
const struct trp_selector *lang_selector_read(struct lang_selectors *selectors,
                                              struct trp_bytes text, enum lang_bare_word bare,
                                              struct lang_fault *fault);
/* Says whether the choice is known before the run. */
bool lang_selector_is_static(const struct trp_selector *selector);
/* Says whether the choice can be made before the run: it asks nothing of the DHT. */
bool lang_selector_is_early(const struct trp_selector *selector);

#endif
