/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/plan.h"

#include "base/assert.h"

const struct trp_plan_group *trp_plan_group_of(const struct trp_plan *plan, uint32_t host)
{
    uint32_t low = 0;
    uint32_t high = plan->groups_count;
    TRP_ASSERT(host < plan->hosts_count);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->groups[middle].first <= host)
            low = middle;
        else
            high = middle;
    }
    return &plan->groups[low];
}

bool trp_plan_link_apply(const struct trp_plan *plan, const struct trp_plan_link *link,
                         uint32_t from, uint32_t to, struct trp_path *path)
{
    TRP_ASSERT(from < plan->hosts_count && to < plan->hosts_count);
    bool there = trp_selector_contains(link->from, from) && trp_selector_contains(link->to, to);
    bool back = link->both && trp_selector_contains(link->from, to) &&
                trp_selector_contains(link->to, from);
    if (!there && !back)
        return false;
    if ((link->keys & TRP_LINK_LATENCY) != 0)
        path->latency = link->path.latency;
    if ((link->keys & TRP_LINK_JITTER) != 0)
        path->jitter_ppm = link->path.jitter_ppm;
    if ((link->keys & TRP_LINK_LOSS) != 0)
        path->loss_ppm = link->path.loss_ppm;
    if ((link->keys & TRP_LINK_RATE) != 0)
        path->rate_bits_per_s = link->path.rate_bits_per_s;
    if ((link->keys & TRP_LINK_QUEUE) != 0)
        path->queue_ns = link->path.queue_ns;
    if ((link->keys & TRP_LINK_STALL) != 0)
        path->stall = link->path.stall;
    return true;
}

void trp_plan_path(const struct trp_plan *plan, uint32_t from, uint32_t to,
                   struct trp_path *ret_path)
{
    *ret_path = plan->path;
    for (uint32_t i = 0; i < plan->links_count; i++)
        (void)trp_plan_link_apply(plan, &plan->links[i], from, to, ret_path);
}
