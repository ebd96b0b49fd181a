/* SPDX-License-Identifier: MIT */
/* actor/type_name.h - the ids of actor types by their hashes: refs carry only those.
 *
 * Our own types stay; of those that others told of, old ones that are not used give way.
 * Limits     trp_limits.types, of others' types. */
#ifndef ACTOR_TYPE_NAME_H
#define ACTOR_TYPE_NAME_H

#include "base/memory.h"

struct trp_type_name;

struct trp_type_names {
    struct trp_memory *memory;   /* borrowed */
    struct trp_type_name *names; /* by hash, in the order they became known */
    uint32_t others_count;
    uint32_t others_max;
};

void trp_type_names_deinit(struct trp_type_names *names);
/* Remembers an id; gives its hash. `own`: for ever. 0: it is empty or too long, or there is no
 * memory. */
uint64_t trp_type_names_learn(struct trp_type_names *names, struct trp_bytes id, bool own);
/* Gives an id, borrowed until the next is learnt; of no size when it is not known. */
struct trp_bytes trp_type_names_find(const struct trp_type_names *names, uint64_t hash);

#endif
