/* SPDX-License-Identifier: MIT */
/* lang/draft.h - a scenario while it is checked: what the schema table reads into.
 *
 * Each struct begins with its struct lang_item; the checks of rules_*.c turn drafts into the plan.
 */
#ifndef LANG_DRAFT_H
#define LANG_DRAFT_H

#include "scenarios/lang/load.h"
#include "scenarios/lang/schema.h"
#include "scenarios/lang/selector.h"

struct draft_run {
    struct lang_item item;
    trp_time until;
    uint64_t seed;
};

struct draft_link {
    struct lang_item item;
    struct trp_plan_link link;
};

struct draft_network {
    struct lang_item item;
    enum trp_plan_transport transport;
    enum trp_plan_security security;
    struct lang_items links;
};

struct draft_limits {
    struct lang_item item;
    struct trp_limits limits;
};

struct draft_group {
    struct lang_item item;
    struct trp_plan_group group;
    struct lang_start start;
    const struct lang_node *bootstrap; /* read when all groups are known, as is: */
    const struct lang_node *against;
    struct draft_limits limits;
};

struct draft_actor {
    struct lang_item item;
    const char *type;
    const struct lang_node *args; /* read by the type of the actor */
    struct trp_plan_actor actor;
};

struct draft_workload {
    struct lang_item item;
    struct trp_plan_workload workload;
    const char *message;
    const struct lang_node *args; /* read by the type of the message */
    const struct lang_node *occasions;
};

struct draft_action {
    struct lang_item item;
    struct trp_plan_action action;
    struct lang_sides sides;
    const char *heal;
    const char *link;
    const struct lang_node *pairs;
};

struct draft_eventually {
    struct lang_item item;
    const char *metric;
    const struct lang_node *at_least;
    const struct lang_node *at_most;
    trp_time for_ns;
    const char *after;
    trp_time within;
};

struct draft_expect {
    struct lang_item item;
    struct trp_plan_expect expect;
    const char *always;
    const char *metric;
    const char *sql;
    struct draft_eventually eventually;
    const struct lang_node *at_least;
    const struct lang_node *at_most;
};

struct draft {
    struct lang_item item;
    const char *name;
    const char *about;
    struct lang_words tags;
    struct draft_run run;
    struct draft_limits limits;
    struct draft_network network;
    struct lang_items hosts;
    struct lang_items actors;
    struct lang_items workload;
    struct lang_items timeline;
    struct lang_items expect;
};

struct lang_context {
    struct lang_arena *arena;
    struct lang_problems *problems;
    const struct trp_vocabulary *vocabulary;
    struct lang_selectors selectors;
    struct draft draft;
    struct trp_plan *plan; /* grows section by section */
};

/* Reads a whole tree into context->draft and context->plan; problems are added. */
void lang_read(struct lang_context *context, const struct lang_node *root);

/* Reads one value into a field; false with a problem added. */
bool lang_value_read(struct lang_context *context, const struct lang_key *key,
                     const struct lang_node *node, void *field);

/* Adds a problem for a fault in a scalar. */
void lang_fault_report(struct lang_context *context, const struct lang_node *node,
                       const struct lang_fault *fault);

/* The value of a key of an item as written; NULL when it was left out. */
const struct lang_node *lang_item_value(const struct lang_item *item, const char *key);
/* The mark of that value, or of the item. */
struct lang_mark lang_item_mark(const struct lang_item *item, const char *key);
/* Says whether a key of an item is a time that was read and is zero. */
bool lang_item_is_zero(const struct lang_item *item, const char *key);
struct trp_place lang_item_place(const struct lang_context *context, const struct lang_item *item);
/* Hashes a name: the key of the draws of what it names. */
uint64_t lang_entity(const char *kind, const char *name);

/* The checks of each section; they run in the order of the table. */
void lang_rules_run(struct lang_context *context);
void lang_rules_hosts(struct lang_context *context);
void lang_rules_network(struct lang_context *context);
void lang_rules_actors(struct lang_context *context);
void lang_rules_workload(struct lang_context *context);
void lang_rules_timeline(struct lang_context *context);
void lang_rules_expect(struct lang_context *context);

/* Reads "A <-> B" or "A -> B" into a link; false with a problem added at `mark`. */
bool lang_pair_read(struct lang_context *context, const char *text, struct lang_mark mark,
                    const struct lang_node *node, struct trp_plan_link *link);
/* Reads a selector of exactly one host that is known before the run; TRP_PLAN_NONE with a fault. */
uint32_t lang_host_read(struct lang_context *context, struct trp_bytes text,
                        struct lang_fault *fault);
/* Reads `args` (NULL: left out of the entry at `mark`) as a message of `type` (NULL: it takes
 * none), which problems call `what`. Gives it in msgpack, in the arena; nothing when problems were
 * added. */
struct trp_bytes lang_arguments_read(struct lang_context *context, const struct lang_node *args,
                                     struct lang_mark mark, const char *what,
                                     const struct trp_message_type *type);

#endif
