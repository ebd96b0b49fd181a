/* SPDX-License-Identifier: MIT */
#include "net/behaviours.h"

enum trp_status trp_behaviours_admit(struct trp_swarm *swarm,
                                     const struct trp_connection_info *info)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->admit != NULL) {
            enum trp_status status = behaviour->ops->admit(behaviour->self, info);
            if (status != TRP_OK) {
                return status;
            }
        }
    }
    return TRP_OK;
}

void trp_behaviours_connected(struct trp_swarm *swarm, const struct trp_connection_info *info)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->connected != NULL) {
            behaviour->ops->connected(behaviour->self, info);
        }
    }
}

void trp_behaviours_disconnected(struct trp_swarm *swarm, const struct trp_connection_info *info,
                                 enum trp_status reason)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->disconnected != NULL) {
            behaviour->ops->disconnected(behaviour->self, info, reason);
        }
    }
}

void trp_behaviours_dial_failed(struct trp_swarm *swarm, const struct trp_dial_report *report)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->dial_failed != NULL) {
            behaviour->ops->dial_failed(behaviour->self, report);
        }
    }
}

void trp_behaviours_identified(struct trp_swarm *swarm, const struct trp_identified *identified)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->identified != NULL) {
            behaviour->ops->identified(behaviour->self, identified);
        }
    }
}

void trp_behaviours_self_changed(struct trp_swarm *swarm)
{
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->self_changed != NULL) {
            behaviour->ops->self_changed(behaviour->self);
        }
    }
}

static trp_time behaviour_deadline(const struct trp_behaviour *behaviour)
{
    return behaviour->ops->deadline == NULL ? TRP_NEVER : behaviour->ops->deadline(behaviour->self);
}

trp_time trp_behaviours_deadline(const struct trp_swarm *swarm)
{
    trp_time deadline = TRP_NEVER;
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        deadline = trp_time_min(deadline, behaviour_deadline(&swarm->behaviours[i]));
    }
    return deadline;
}

bool trp_behaviours_expire(struct trp_swarm *swarm)
{
    bool any = false;
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->expire != NULL && behaviour_deadline(behaviour) <= swarm->now) {
            behaviour->ops->expire(behaviour->self, swarm->now);
            any = true;
        }
    }
    return any;
}

/* ---- accepted protocols ---- */

static bool table_holds(const struct trp_protocol_table *table, uint32_t first, const char **names,
                        uint32_t count)
{
    if (count > table->count - first) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (table->names[first + i] != names[i] && strcmp(table->names[first + i], names[i]) != 0) {
            return false;
        }
    }
    return true;
}

static uint32_t behaviour_protocols(const struct trp_behaviour *behaviour, const char **names)
{
    if (behaviour->ops->protocols == NULL) {
        return 0;
    }
    uint32_t count = behaviour->ops->protocols(behaviour->self, names, TRP_BEHAVIOUR_PROTOCOLS_MAX);
    return count < TRP_BEHAVIOUR_PROTOCOLS_MAX ? count : TRP_BEHAVIOUR_PROTOCOLS_MAX;
}

static bool table_is_current(const struct trp_swarm *swarm, uint32_t *ret_count)
{
    const struct trp_protocol_table *table = swarm->accepted;
    const char *names[TRP_BEHAVIOUR_PROTOCOLS_MAX];
    bool current = table != NULL;
    uint32_t total = 0;
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        uint32_t count = behaviour_protocols(&swarm->behaviours[i], names);
        current = current && total <= table->count && table_holds(table, total, names, count);
        for (uint32_t k = 0; current && k < count; k++) {
            current = table->behaviours[total + k] == i;
        }
        total += count;
    }
    *ret_count = total;
    return current && total == table->count;
}

void trp_protocol_table_release(struct trp_swarm *swarm, struct trp_protocol_table *table)
{
    if (table != NULL && --table->references == 0) {
        trp_memory_free(swarm->memory, table->names);
        trp_memory_free(swarm->memory, table->behaviours);
        trp_memory_free(swarm->memory, table);
    }
}

static struct trp_protocol_table *table_make(struct trp_swarm *swarm, uint32_t count)
{
    struct trp_protocol_table *table = trp_memory_alloc(swarm->memory, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    /* One more than needed, so that an empty table is no special case. */
    table->references = 1;
    table->names = trp_memory_alloc(swarm->memory, (count + 1) * sizeof *table->names);
    table->behaviours = trp_memory_alloc(swarm->memory, (count + 1) * sizeof *table->behaviours);
    if (table->names == NULL || table->behaviours == NULL) {
        trp_protocol_table_release(swarm, table);
        return NULL;
    }
    const char *names[TRP_BEHAVIOUR_PROTOCOLS_MAX];
    for (uint32_t i = 0; i < swarm->behaviours_count; i++) {
        uint32_t more = behaviour_protocols(&swarm->behaviours[i], names);
        for (uint32_t k = 0; k < more && table->count < count; k++) {
            table->names[table->count] = names[k];
            table->behaviours[table->count] = i;
            table->count++;
        }
    }
    return table;
}

struct trp_protocol_table *trp_behaviours_accepted(struct trp_swarm *swarm)
{
    uint32_t count;
    if (!table_is_current(swarm, &count)) {
        struct trp_protocol_table *table = table_make(swarm, count);
        if (table == NULL) {
            return NULL;
        }
        trp_protocol_table_release(swarm, swarm->accepted);
        swarm->accepted = table;
    }
    swarm->accepted->references++;
    return swarm->accepted;
}
