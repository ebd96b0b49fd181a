/* SPDX-License-Identifier: MIT */
#include "interop/kameo/searches.h"

#include "interop/kameo/lines.h"

#include <stdio.h>

#define SEARCHES_MAX 16u
#define FOUND_BYTES  4096u

struct search {
    uint64_t tag; /* 0: a free place */
    uint64_t type;
    bool of_other_type;
    char found[FOUND_BYTES];
    size_t size;
};

static struct search searches[SEARCHES_MAX];
static struct trp_peer_id self_peer;

void searches_init(const struct trp_peer_id *self)
{
    self_peer = *self;
}

static struct search *search_find(uint64_t tag)
{
    for (uint32_t i = 0; i < SEARCHES_MAX; i++) {
        if (searches[i].tag == tag) {
            return &searches[i];
        }
    }
    return NULL;
}

enum trp_status search_begin(uint64_t tag, struct trp_bytes type)
{
    struct search *search = search_find(0);
    if (search == NULL) {
        return TRP_EFULL;
    }
    *search = (struct search){.tag = tag, .type = trp_actor_type_hash(type)};
    return TRP_OK;
}

void search_result(uint64_t tag, enum trp_status status, const struct trp_actor_ref *ref, bool last)
{
    struct search *search = search_find(tag);
    char text[REF_TEXT_MAX];
    char json[FOUND_BYTES + 2];
    if (search == NULL) {
        return;
    }
    if (ref->id != 0) {
        search->of_other_type = search->of_other_type || ref->type != search->type;
        ref_print(ref, &self_peer, text);
        search->size +=
            (size_t)snprintf(search->found + search->size, sizeof search->found - search->size,
                             "%s\"%s\"", search->size == 0 ? "" : ", ", text);
    }
    if (!last) {
        return;
    }
    status = status == TRP_OK && search->of_other_type ? TRP_EBADTYPE : status;
    if (status == TRP_OK) {
        (void)snprintf(json, sizeof json, "[%s]", search->found);
        answer_json(tag, json);
    } else {
        answer_error(tag, status, "\"\"");
    }
    search->tag = 0;
}
