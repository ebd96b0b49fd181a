/* SPDX-License-Identifier: MIT */
#include "actor/type_name.h"

#include "base/map.h"

#include <troupe/actor_ref.h>

#define ID_BYTES_MAX 1024u

struct trp_type_name {
    uint64_t hash;
    uint32_t size;
    bool own;
    bool used; /* since a drop passed it over */
    UT_hash_handle hh;
    uint8_t text[];
};

static struct trp_type_name *name_find(const struct trp_type_names *names, uint64_t hash)
{
    struct trp_type_name *name;
    HASH_FIND(hh, names->names, &hash, sizeof hash, name);
    return name;
}

/* Drops the oldest of others' types that was not used since the last drop that found all used. */
static void name_evict(struct trp_type_names *names)
{
    struct trp_memory *uthash_memory = names->memory;
    struct trp_type_name *victim = NULL;
    struct trp_type_name *oldest = NULL;
    for (struct trp_type_name *name = names->names; name != NULL && victim == NULL;
         name = name->hh.next) {
        if (!name->own) {
            oldest = oldest == NULL ? name : oldest;
            victim = name->used ? NULL : name;
            name->used = false;
        }
    }
    victim = victim == NULL ? oldest : victim;
    if (victim != NULL) {
        HASH_DELETE(hh, names->names, victim);
        trp_memory_free(names->memory, victim);
        names->others_count--;
    }
}

uint64_t trp_type_names_learn(struct trp_type_names *names, struct trp_bytes id, bool own)
{
    struct trp_memory *uthash_memory = names->memory;
    if (id.size == 0 || id.size > ID_BYTES_MAX) {
        return 0;
    }
    uint64_t hash = trp_actor_type_hash(id);
    struct trp_type_name *name = name_find(names, hash);
    if (name != NULL) {
        name->used = true;
        names->others_count -= own && !name->own;
        name->own = name->own || own;
        return hash;
    }
    if (!own && names->others_count >= names->others_max) {
        name_evict(names);
    }
    name = trp_memory_alloc(names->memory, sizeof *name + id.size);
    if (name == NULL) {
        return 0;
    }
    name->hash = hash;
    name->size = (uint32_t)id.size;
    name->own = own;
    memcpy(name->text, id.data, id.size);
    HASH_ADD(hh, names->names, hash, sizeof name->hash, name);
    if (name->hh.tbl == NULL) {
        trp_memory_free(names->memory, name);
        return 0;
    }
    names->others_count += !own;
    return hash;
}

struct trp_bytes trp_type_names_find(const struct trp_type_names *names, uint64_t hash)
{
    struct trp_type_name *name = name_find(names, hash);
    if (name == NULL) {
        return TRP_BYTES_NONE;
    }
    name->used = true;
    return trp_bytes(name->text, name->size);
}

void trp_type_names_deinit(struct trp_type_names *names)
{
    struct trp_memory *uthash_memory = names->memory;
    struct trp_type_name *name = names->names;
    HASH_CLEAR(hh, names->names);
    while (name != NULL) {
        struct trp_type_name *next = name->hh.next;
        trp_memory_free(names->memory, name);
        name = next;
    }
    names->others_count = 0;
}
