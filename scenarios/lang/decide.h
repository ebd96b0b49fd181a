/* SPDX-License-Identifier: MIT */
/* lang/decide.h - what chance and the course of a run made of a scenario, as a scenario again.
 *
 * Whatever the file leaves to a draw, or to how things stand at that moment, is said: when each
 * host starts and whom it dials, which hosts each fault hits, every operation of the workload. What
 * remains is the network's own play with single segments, which follows from the seed.
 * Ownership  Everything is borrowed for the call. */
#ifndef LANG_DECIDE_H
#define LANG_DECIDE_H

#include "scenarios/lang/load.h"

/* More operations than this are left to the seed: they would not fit a file. */
#define TRP_DECIDED_OPERATIONS_MAX 20000u

struct trp_decided_hosts {
    const uint32_t *hosts;
    uint32_t count;
};

struct trp_decided_action {
    bool taken; /* false: the run ended before */
    struct trp_decided_hosts hit;
    const uint32_t *ends; /* of each side of a partition, in `hit` */
    uint32_t sides;       /* 0: a shape that has none */
    const struct trp_plan_pair *pairs;
    uint32_t pairs_count;
    const char *name; /* of the actor; NULL */
};

struct trp_decided_operation {
    uint32_t workload;
    struct trp_plan_occasion occasion;
};

struct trp_decisions {
    uint64_t seed;
    const trp_time *starts;                         /* of each host; TRP_NEVER: none by itself */
    const struct trp_decided_hosts *bootstraps;     /* of each host; hosts NULL: nothing drawn */
    const struct trp_decided_hosts *crews;          /* of each actors: entry */
    const struct trp_decided_action *actions;       /* of each entry of plan->timeline */
    const struct trp_decided_operation *operations; /* by time */
    uint64_t operations_count;
};

/* Writes the decided scenario of a load without problems; to be freed with free(). NULL: it would
 * not be a valid scenario, which is a defect; ret_problem then says how. */
char *trp_load_print_decided(const struct trp_load *load, const struct trp_decisions *decisions,
                             char ret_problem[256]);

#endif
