/* SPDX-License-Identifier: MIT */
/* interop/kameo/searches.h - what lookups find, gathered until their last result answers the line.
 */
#ifndef INTEROP_KAMEO_SEARCHES_H
#define INTEROP_KAMEO_SEARCHES_H

#include <troupe/actor_ref.h>

/* Begins to gather for a line what is of an actor type. TRP_EFULL. */
enum trp_status search_begin(uint64_t tag, struct trp_bytes type);
/* Takes a result; `ref` of id 0: of nobody. With the last, answers with all ids, or with
 * TRP_EBADTYPE when one is of another type, as Kameo's lookups do. */
void search_result(uint64_t tag, enum trp_status status, const struct trp_actor_ref *ref,
                   bool last);
/* Says who we are; before anything is searched for. */
void searches_init(const struct trp_peer_id *self);

#endif
