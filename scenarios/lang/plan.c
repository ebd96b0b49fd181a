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

/* Where in a path each key of a link is. */
struct link_field {
    uint32_t key;
    uint32_t offset;
    uint32_t bytes;
};

#define LINK_FIELD(key_, name)                                                                     \
    {                                                                                              \
        .key = TRP_LINK_##key_, .offset = offsetof(struct trp_path, name),                         \
        .bytes = sizeof(((struct trp_path *)0)->name)                                              \
    }

static const struct link_field link_fields[] = {
    LINK_FIELD(LATENCY, latency),         LINK_FIELD(JITTER, jitter_ppm),
    LINK_FIELD(LOSS, loss_ppm),           LINK_FIELD(RATE, rate_bits_per_s),
    LINK_FIELD(QUEUE, queue_ns),          LINK_FIELD(STALL, stall),
    LINK_FIELD(BURST, burst_ns),          LINK_FIELD(MTU, mtu_bytes),
    LINK_FIELD(DUPLICATE, duplicate_ppm), LINK_FIELD(REORDER, reorder_ppm),
    LINK_FIELD(CORRUPT, corrupt_ppm),     LINK_FIELD(TRUNCATE, truncate_ppm)};

bool trp_plan_link_apply(const struct trp_plan *plan, const struct trp_plan_link *link,
                         uint32_t from, uint32_t to, struct trp_path *path)
{
    TRP_ASSERT(from < plan->hosts_count && to < plan->hosts_count);
    bool there = trp_selector_contains(link->from, from) && trp_selector_contains(link->to, to);
    bool back = link->both && trp_selector_contains(link->from, to) &&
                trp_selector_contains(link->to, from);
    if (!there && !back)
        return false;
    for (size_t i = 0; i < sizeof link_fields / sizeof link_fields[0]; i++) {
        const struct link_field *field = &link_fields[i];
        if ((link->keys & field->key) != 0)
            memcpy((uint8_t *)path + field->offset, (const uint8_t *)&link->path + field->offset,
                   field->bytes);
    }
    return true;
}

void trp_plan_path(const struct trp_plan *plan, uint32_t from, uint32_t to,
                   struct trp_path *ret_path)
{
    *ret_path = plan->path;
    for (uint32_t i = 0; i < plan->links_count; i++)
        (void)trp_plan_link_apply(plan, &plan->links[i], from, to, ret_path);
}
