/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/plan.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/prng.h"

/* Streams of the draws of selectors; the ordinal of the node is added to the first. */
#define STREAM_RANDOM    0x73656c0000000000ull
#define STREAM_PICK      0x7069636b00000000ull
#define PICK_TRIES       16u
#define COUNTER_PER_EVAL 20 /* bits below the number of the evaluation */

/* A set of hosts, one bit each. */
struct host_set {
    uint64_t *words;
    uint32_t words_count;
};

struct keyed_host {
    uint64_t draw;
    uint32_t host;
};

struct evaluation {
    const struct trp_plan *plan;
    const struct trp_selector_world *world;
};

static void set_add(struct host_set *set, uint32_t host)
{
    set->words[host / 64] |= (uint64_t)1 << (host % 64);
}

static bool set_has(const struct host_set *set, uint32_t host)
{
    return (set->words[host / 64] >> (host % 64) & 1) != 0;
}

static bool set_open(const struct trp_plan *plan, struct host_set *ret_set)
{
    ret_set->words_count = plan->hosts_count / 64 + 1;
    ret_set->words = calloc(ret_set->words_count, sizeof *ret_set->words);
    return ret_set->words != NULL;
}

static uint32_t set_list(const struct trp_plan *plan, const struct host_set *set, uint32_t *hosts)
{
    uint32_t count = 0;
    for (uint32_t host = 0; host < plan->hosts_count; host++)
        if (set_has(set, host))
            hosts[count++] = host;
    return count;
}

static enum trp_status eval(const struct evaluation *evaluation,
                            const struct trp_selector *selector, struct host_set *set);

static bool is_up(const struct trp_selector_world *world, uint32_t host)
{
    return world->is_up == NULL || world->is_up(world->user, host);
}

/* By draw, then by host: no two are equal. */
static int compare_keyed(const void *left, const void *right)
{
    const struct keyed_host *a = left;
    const struct keyed_host *b = right;
    if (a->draw != b->draw)
        return a->draw < b->draw ? -1 : 1;
    return a->host < b->host ? -1 : a->host > b->host;
}

/* Adds the hosts of `from` with the smallest draws. */
static enum trp_status add_random(const struct evaluation *evaluation,
                                  const struct trp_selector *selector, const struct host_set *from,
                                  struct host_set *set)
{
    const struct trp_selector_world *world = evaluation->world;
    uint32_t hosts_count = evaluation->plan->hosts_count;
    struct keyed_host *keyed = malloc((size_t)hosts_count * sizeof *keyed + 1);
    if (keyed == NULL)
        return TRP_ENOMEM;
    uint32_t count = 0;
    for (uint32_t host = 0; host < hosts_count; host++) {
        if (!set_has(from, host) || !is_up(world, host))
            continue;
        uint64_t counter = world->counter << COUNTER_PER_EVAL | host;
        keyed[count].host = host;
        keyed[count++].draw =
            trp_draw(world->seed, world->entity, STREAM_RANDOM + selector->ordinal, counter);
    }
    qsort(keyed, count, sizeof *keyed, compare_keyed);
    uint64_t wanted = selector->kind == TRP_SELECT_ANY ? 1 : selector->count;
    if (selector->share_ppm != 0)
        wanted = ((uint64_t)count * selector->share_ppm + 999999) / 1000000;
    for (uint32_t i = 0; i < count && i < wanted; i++)
        set_add(set, keyed[i].host);
    free(keyed);
    return TRP_OK;
}

static enum trp_status add_closest(const struct evaluation *evaluation,
                                   const struct trp_selector *selector, const struct host_set *from,
                                   struct host_set *set)
{
    const struct trp_selector_world *world = evaluation->world;
    if (world->sort_by_distance == NULL)
        return TRP_EUNSUPPORTED;
    uint32_t *hosts = malloc((size_t)evaluation->plan->hosts_count * sizeof *hosts + 1);
    if (hosts == NULL)
        return TRP_ENOMEM;
    uint32_t count = set_list(evaluation->plan, from, hosts);
    world->sort_by_distance(world->user, selector->name, hosts, count);
    for (uint32_t i = 0; i < count && i < selector->count; i++) {
        TRP_ASSERT(hosts[i] < evaluation->plan->hosts_count);
        set_add(set, hosts[i]);
    }
    free(hosts);
    return TRP_OK;
}

static enum trp_status add_holders(const struct evaluation *evaluation,
                                   const struct trp_selector *selector, const struct host_set *from,
                                   struct host_set *set)
{
    const struct trp_selector_world *world = evaluation->world;
    if (world->holds == NULL)
        return TRP_EUNSUPPORTED;
    for (uint32_t host = 0; host < evaluation->plan->hosts_count; host++)
        if (set_has(from, host) && is_up(world, host) &&
            world->holds(world->user, host, selector->name))
            set_add(set, host);
    return TRP_OK;
}

/* Evaluates what draws or asks: a choice from what the left side gives. */
static enum trp_status eval_choice(const struct evaluation *evaluation,
                                   const struct trp_selector *selector, struct host_set *set)
{
    struct host_set from;
    if (!set_open(evaluation->plan, &from))
        return TRP_ENOMEM;
    enum trp_status status = eval(evaluation, selector->left, &from);
    if (status == TRP_OK && selector->kind == TRP_SELECT_RANDOM)
        status = add_random(evaluation, selector, &from, set);
    else if (status == TRP_OK && selector->kind == TRP_SELECT_CLOSEST)
        status = add_closest(evaluation, selector, &from, set);
    else if (status == TRP_OK)
        status = add_holders(evaluation, selector, &from, set);
    free(from.words);
    return status;
}

static enum trp_status eval_minus(const struct evaluation *evaluation,
                                  const struct trp_selector *selector, struct host_set *set)
{
    struct host_set left = {0};
    struct host_set right = {0};
    enum trp_status status = TRP_ENOMEM;
    if (set_open(evaluation->plan, &left) && set_open(evaluation->plan, &right))
        status = eval(evaluation, selector->left, &left);
    if (status == TRP_OK)
        status = eval(evaluation, selector->right, &right);
    for (uint32_t i = 0; status == TRP_OK && i < left.words_count; i++)
        set->words[i] |= left.words[i] & ~right.words[i];
    free(left.words);
    free(right.words);
    return status;
}

static void add_zone(const struct trp_plan *plan, const char *zone, struct host_set *set)
{
    for (uint32_t i = 0; i < plan->groups_count; i++)
        for (uint32_t k = 0; strcmp(plan->groups[i].zone, zone) == 0 && k < plan->groups[i].count;
             k++)
            set_add(set, plan->groups[i].first + k);
}

/* Adds the hosts of a selector to a set. The parser bounds the depth. */
static enum trp_status eval(const struct evaluation *evaluation,
                            const struct trp_selector *selector, struct host_set *set)
{
    enum trp_status status = TRP_OK;
    struct host_set all;
    switch (selector->kind) {
    case TRP_SELECT_NONE:
        break;
    case TRP_SELECT_ALL:
        for (uint32_t host = 0; host < evaluation->plan->hosts_count; host++)
            set_add(set, host);
        break;
    case TRP_SELECT_RANGE:
        for (uint32_t host = selector->first; host <= selector->last; host++)
            set_add(set, host);
        break;
    case TRP_SELECT_ZONE:
        add_zone(evaluation->plan, selector->name, set);
        break;
    case TRP_SELECT_SUM:
        status = eval(evaluation, selector->left, set);
        return status != TRP_OK ? status : eval(evaluation, selector->right, set);
    case TRP_SELECT_MINUS:
        return eval_minus(evaluation, selector, set);
    case TRP_SELECT_ANY:
        if (!set_open(evaluation->plan, &all))
            return TRP_ENOMEM;
        for (uint32_t host = 0; host < evaluation->plan->hosts_count; host++)
            set_add(&all, host);
        status = add_random(evaluation, selector, &all, set);
        free(all.words);
        break;
    case TRP_SELECT_RANDOM:
    case TRP_SELECT_CLOSEST:
    case TRP_SELECT_HOLDERS:
        return eval_choice(evaluation, selector, set);
    }
    return status;
}

enum trp_status trp_selector_eval(const struct trp_plan *plan, const struct trp_selector *selector,
                                  const struct trp_selector_world *world, uint32_t *ret_hosts,
                                  uint32_t *ret_count)
{
    if (selector->hosts != NULL) {
        memcpy(ret_hosts, selector->hosts, selector->hosts_count * sizeof *ret_hosts);
        *ret_count = selector->hosts_count;
        return TRP_OK;
    }
    struct evaluation evaluation = {.plan = plan, .world = world};
    struct host_set set;
    if (!set_open(plan, &set))
        return TRP_ENOMEM;
    enum trp_status status = eval(&evaluation, selector, &set);
    if (status == TRP_OK)
        *ret_count = set_list(plan, &set, ret_hosts);
    free(set.words);
    return status;
}

static uint32_t listed(const uint32_t *hosts, uint32_t index)
{
    return hosts == NULL ? index : hosts[index];
}

/* Draws from a list (NULL: of all hosts): some tries, then, when most are down, from those that are
 * up. */
static enum trp_status pick_from(const struct trp_selector_world *world, const uint32_t *hosts,
                                 uint32_t count, uint32_t *ret_host)
{
    uint64_t base = world->counter << COUNTER_PER_EVAL;
    for (uint32_t i = 0; count != 0 && i < PICK_TRIES; i++) {
        uint64_t draw = trp_draw(world->seed, world->entity, STREAM_PICK, base | i);
        uint32_t host = listed(hosts, trp_draw_below(draw, count));
        if (is_up(world, host)) {
            *ret_host = host;
            return TRP_OK;
        }
    }
    uint32_t up = 0;
    for (uint32_t i = 0; i < count; i++)
        up += is_up(world, listed(hosts, i));
    if (up == 0)
        return TRP_ENOTFOUND;
    uint64_t draw = trp_draw(world->seed, world->entity, STREAM_PICK, base | PICK_TRIES);
    uint32_t left = trp_draw_below(draw, up);
    for (uint32_t i = 0; i < count; i++) {
        if (is_up(world, listed(hosts, i)) && left-- == 0) {
            *ret_host = listed(hosts, i);
            break;
        }
    }
    return TRP_OK;
}

enum trp_status trp_selector_pick(const struct trp_plan *plan, const struct trp_selector *selector,
                                  const struct trp_selector_world *world, uint32_t *ret_host)
{
    if (selector->hosts != NULL)
        return pick_from(world, selector->hosts, selector->hosts_count, ret_host);
    if (selector->kind == TRP_SELECT_ANY)
        return pick_from(world, NULL, plan->hosts_count, ret_host);
    uint32_t *hosts = malloc((size_t)plan->hosts_count * sizeof *hosts + 1);
    if (hosts == NULL)
        return TRP_ENOMEM;
    uint32_t count = 0;
    enum trp_status status = trp_selector_eval(plan, selector, world, hosts, &count);
    if (status == TRP_OK)
        status = pick_from(world, hosts, count, ret_host);
    free(hosts);
    return status;
}

bool trp_selector_contains(const struct trp_selector *selector, uint32_t host)
{
    uint32_t low = 0;
    uint32_t high = selector->hosts_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (selector->hosts[middle] < host)
            low = middle + 1;
        else
            high = middle;
    }
    return low < selector->hosts_count && selector->hosts[low] == host;
}
