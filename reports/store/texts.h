/* SPDX-License-Identifier: MIT */
/* reports/store/texts.h - each distinct text once, named by a small number.
 *
 * Ownership  Copies; what texts_at gives borrows until deinit.
 * Failure    Id 0 without memory, as for NULL. */
#ifndef REPORTS_STORE_TEXTS_H
#define REPORTS_STORE_TEXTS_H

#include <troupe/base.h>

struct texts {
    char **texts; /* by id - 1 */
    uint32_t count;
    uint32_t *slots; /* open addressing; ids, 0 empty */
    uint32_t slots_count;
};

void texts_deinit(struct texts *texts);
/* Gives the id (from 1) of a text, adding it when it is new; 0 for NULL. */
uint32_t texts_add(struct texts *texts, const char *text);
/* NULL for id 0. */
const char *texts_at(const struct texts *texts, uint32_t id);

#endif
