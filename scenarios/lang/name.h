/* SPDX-License-Identifier: MIT */
/* lang/name.h - names of actors with placeholders: "counter-{host.index}".
 *
 * A register: template says which names exist; a target (lookup: ask: tell: stop: kill:) is matched
 * against them, so that a name nobody registers is found before the run. `{{` stands for `{`.
 * Limits     255 bytes, 16 parts. */
#ifndef LANG_NAME_H
#define LANG_NAME_H

#include "scenarios/lang/plan.h"
#include "scenarios/lang/problem.h"

enum lang_name_use { LANG_NAME_REGISTER, LANG_NAME_TARGET };

/* Splits a text into parts. */
bool lang_name_read(struct lang_arena *arena, struct trp_bytes text, enum lang_name_use use,
                    struct trp_name_template *ret_name, struct lang_fault *fault);
/* Finds the actors: entry that registers what a target means and sets target->actor. */
bool lang_name_resolve(const struct trp_plan *plan, struct trp_name_template *target,
                       struct lang_fault *fault);

#endif
