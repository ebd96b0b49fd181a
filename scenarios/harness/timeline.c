/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/state.h"

#include <stdlib.h>

static const char *const action_names[] = {
    [TRP_PLAN_PARTITION] = "partition", [TRP_PLAN_HEAL] = "heal",
    [TRP_PLAN_LINK] = "link",           [TRP_PLAN_RESET] = "reset",
    [TRP_PLAN_CRASH] = "crash",         [TRP_PLAN_PAUSE] = "pause",
    [TRP_PLAN_STOP] = "stop",           [TRP_PLAN_KILL] = "kill",
    [TRP_PLAN_LEAVE] = "leave",         [TRP_PLAN_JOIN] = "join"};

/* How long a leaving host has for its goodbyes. */
#define GOODBYE_NS TRP_S(2)

enum trp_status trp_harness_begin_timeline(struct trp_run *run)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->timeline_count && status == TRP_OK; i++) {
        status =
            trp_harness_schedule(run, run->plan->timeline[i].at, AGENDA_ACT, i, TRP_STATE_KEPT, 0);
    }
    return status;
}

/* ---- links ---- */

static void timeline_path(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    struct trp_run *run = user;
    trp_plan_path(run->plan, from, to, ret_path);
    for (uint32_t i = 0; i < run->plan->timeline_count; i++) {
        const struct trp_plan_action *action = &run->plan->timeline[i];
        if (action->kind == TRP_PLAN_LINK && run->acts[i].lasting) {
            (void)trp_plan_link_apply(run->plan, &action->link, from, to, ret_path);
        }
    }
}

struct trp_topology trp_harness_topology(struct trp_run *run)
{
    return (struct trp_topology){.path = timeline_path, .user = run};
}

/* ---- which hosts ---- */

static enum trp_status act_select(struct trp_run *run, uint32_t index,
                                  const struct trp_selector *selector, uint32_t *ret_count)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct trp_selector_world world = trp_harness_selector_world(run, action->entity, 0);
    if (action->kind == TRP_PLAN_JOIN || action->kind == TRP_PLAN_PARTITION) {
        world.is_up = NULL; /* hosts that are down are meant too */
    }
    return trp_selector_eval(run->plan, selector, &world, run->scratch, ret_count);
}

/* Adds hosts to those the action hit, without doubles. */
static enum trp_status act_hit(struct trp_run *run, struct act *act, const uint32_t *hosts,
                               uint32_t count)
{
    uint32_t *all =
        trp_memory_resize(&run->memory, act->hosts, (act->hosts_count + count + 1) * sizeof *all);
    if (all == NULL) {
        return TRP_ENOMEM;
    }
    act->hosts = all;
    for (uint32_t i = 0; i < count; i++) {
        all[act->hosts_count++] = hosts[i];
    }
    return TRP_OK;
}

/* ---- partitions ---- */

static void cut_one_way(struct trp_run *run, uint32_t index, const uint32_t *from,
                        uint32_t from_count, const uint32_t *to, uint32_t to_count)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    const struct trp_network_cut cut = {.id = index,
                                        .from = from,
                                        .from_count = from_count,
                                        .to = to,
                                        .to_count = to_count,
                                        .mode = action->mode};
    uint64_t sequence = run->net.ops->cut(run->net.self, &cut, act->sequence);
    act->sequence = act->sequence != 0 ? act->sequence : sequence;
}

static void cut_sets(struct trp_run *run, uint32_t index, const uint32_t *a, uint32_t a_count,
                     const uint32_t *b, uint32_t b_count)
{
    enum trp_plan_direction direction = run->plan->timeline[index].direction;
    if (direction != TRP_PLAN_BACKWARD) {
        cut_one_way(run, index, a, a_count, b, b_count);
    }
    if (direction != TRP_PLAN_FORWARD) {
        cut_one_way(run, index, b, b_count, a, a_count);
    }
}

/* Orders hosts by their draws. */
static void shape_shuffle(struct trp_run *run, uint32_t index, uint32_t *hosts, uint32_t count)
{
    uint64_t entity = run->plan->timeline[index].entity;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t host = hosts[i];
        uint64_t draw = trp_harness_draw(run, entity, STREAM_SHAPE, host);
        uint32_t at = i;
        while (at > 0 && trp_harness_draw(run, entity, STREAM_SHAPE, hosts[at - 1]) > draw) {
            hosts[at] = hosts[at - 1];
            at--;
        }
        hosts[at] = host;
    }
}

static int host_compare(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

/* Ends a side of a partition behind the hosts that were hit so far. */
static void side_end(struct act *act, uint32_t end)
{
    uint32_t begin = act->sides == 0 ? 0 : act->ends[act->sides - 1];
    if (end > begin) {
        qsort(act->hosts + begin, end - begin, sizeof *act->hosts, host_compare);
    }
    act->ends[act->sides++] = end;
}

/* Cuts every side from every earlier one. */
static void cut_sides(struct trp_run *run, uint32_t index)
{
    const struct act *act = &run->acts[index];
    for (uint32_t i = 1; i < act->sides; i++) {
        const uint32_t *later = act->hosts + act->ends[i - 1];
        uint32_t later_count = act->ends[i] - act->ends[i - 1];
        for (uint32_t k = 0; k < i; k++) {
            uint32_t begin = k == 0 ? 0 : act->ends[k - 1];
            cut_sets(run, index, act->hosts + begin, act->ends[k] - begin, later, later_count);
        }
    }
}

/* Divides the first `count` of the hosts, in a drawn order, in two. */
static void cut_halves(struct trp_run *run, uint32_t index, uint32_t count)
{
    struct act *act = &run->acts[index];
    shape_shuffle(run, index, act->hosts, act->hosts_count);
    act->hosts_count = count; /* who is in no half is not hit */
    side_end(act, count / 2);
    side_end(act, count);
    cut_sides(run, index);
}

static void cut_isolated(struct trp_run *run, uint32_t index)
{
    const struct act *act = &run->acts[index];
    for (uint32_t i = 0; i < act->hosts_count; i++) {
        uint32_t others = 0;
        for (uint32_t host = 0; host < run->plan->hosts_count; host++) {
            if (host != act->hosts[i]) {
                run->scratch[others++] = host;
            }
        }
        cut_sets(run, index, &act->hosts[i], 1, run->scratch, others);
    }
}

/* Each host is cut from those that are farther than a majority reaches around the ring. */
static void cut_ring(struct trp_run *run, uint32_t index)
{
    const struct act *act = &run->acts[index];
    uint32_t count = act->hosts_count;
    uint32_t sees = count / 4; /* on each side: with itself, a bare majority */
    sees = sees * 2 + 1 <= count / 2 ? sees + 1 : sees;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t others = 0;
        for (uint32_t step = sees + 1; step + sees < count; step++) {
            run->scratch[others++] = act->hosts[(i + step) % count];
        }
        if (others > 0) {
            cut_one_way(run, index, &act->hosts[i], 1, run->scratch, others);
        }
    }
}

/* Chooses the hosts of each listed side, or those that a shape divides. */
static enum trp_status partition_select(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    uint32_t sides = action->sets_count < 2 ? 2 : action->sets_count;
    act->ends = trp_memory_alloc(&run->memory, sides * sizeof *act->ends);
    enum trp_status status = act->ends == NULL ? TRP_ENOMEM : TRP_OK;
    for (uint32_t i = 0; i < action->sets_count && status == TRP_OK; i++) {
        uint32_t count;
        status = act_select(run, index, action->sets[i], &count);
        if (status == TRP_OK) {
            status = act_hit(run, act, run->scratch, count);
        }
        if (status == TRP_OK && action->shape == TRP_PLAN_SHAPE_SETS) {
            side_end(act, act->hosts_count);
        }
    }
    return status;
}

static enum trp_status act_partition(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    enum trp_status status = partition_select(run, index);
    if (status != TRP_OK) {
        return status;
    }
    switch (action->shape) {
    case TRP_PLAN_SHAPE_SETS:
        cut_sides(run, index);
        break;
    case TRP_PLAN_SHAPE_ISOLATE:
        cut_isolated(run, index);
        break;
    case TRP_PLAN_SHAPE_RING:
        if (action->sets_count == 1) {
            shape_shuffle(run, index, act->hosts, act->hosts_count);
        }
        cut_ring(run, index);
        break;
    case TRP_PLAN_SHAPE_HALVES:
        cut_halves(run, index, act->hosts_count);
        break;
    case TRP_PLAN_SHAPE_BRIDGE: /* the last in the order sees both sides */
        cut_halves(run, index, act->hosts_count >= 3 ? act->hosts_count - 1 : 0);
        break;
    }
    return TRP_OK;
}

/* ---- other actions ---- */

static enum trp_status crash_one(struct trp_run *run, uint32_t index, uint32_t host)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    enum trp_plan_state state = action->state != TRP_PLAN_STATE_OF_GROUP
                                    ? action->state
                                    : trp_plan_group_of(run->plan, host)->state;
    uint64_t sequence = run->net.ops->crash(run->net.self, host, run->trace.cause);
    run->acts[index].sequence =
        run->acts[index].sequence != 0 ? run->acts[index].sequence : sequence;
    if (action->restart_ns == TRP_NEVER) {
        return TRP_OK;
    }
    return trp_harness_schedule(
        run, trp_time_after(trp_harness_now(run), action->restart_ns), AGENDA_RESTART, host,
        state == TRP_PLAN_STATE_LOST ? TRP_STATE_LOST : TRP_STATE_KEPT, sequence);
}

enum trp_status trp_harness_restart(struct trp_run *run, uint32_t host, enum trp_state_kept state,
                                    uint64_t cause)
{
    if (run->hosts[host].leaving && trp_harness_is_up(run, host)) {
        (void)run->net.ops->stop(run->net.self, host, cause); /* its goodbyes are said */
        return TRP_OK;
    }
    if (!trp_harness_is_up(run, host)) {
        run->hosts[host].leaving = false;
        (void)run->net.ops->restart(run->net.self, host, state, cause);
    }
    return TRP_OK;
}

static enum trp_status leave_one(struct trp_run *run, uint32_t host)
{
    const struct trp_command command = {.kind = TRP_CMD_LEAVE};
    run->hosts[host].leaving = true;
    TRP_IGNORE(run->net.ops->command(run->net.self, host, &command,
                                     run->trace.cause)); /* it may be down */
    return trp_harness_schedule(run, trp_time_after(trp_harness_now(run), GOODBYE_NS),
                                AGENDA_RESTART, host, TRP_STATE_KEPT, run->trace.cause);
}

/* Stops or kills an actor wherever it is registered. */
static enum trp_status act_on_actor(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    static const struct crew nobody = {.hosts = NULL};
    uint32_t actor = action->actor.actor;
    const struct crew *crew = actor == TRP_PLAN_NONE ? &nobody : &run->crews[actor];
    char name[256];
    enum trp_status status = trp_plan_target_name(
        run->plan, &action->actor, 0, crew->hosts, crew->count,
        trp_harness_draw(run, action->entity, STREAM_TARGET, 0), name, sizeof name);
    if (status == TRP_OK) {
        struct act *act = &run->acts[index];
        act->name = trp_memory_alloc(&run->memory, strlen(name) + 1);
        status = act->name == NULL ? TRP_ENOMEM : TRP_OK;
        if (status == TRP_OK) {
            memcpy(act->name, name, strlen(name) + 1);
        }
    }
    const struct trp_command command = {.kind = action->kind == TRP_PLAN_KILL ? TRP_CMD_KILL
                                                                              : TRP_CMD_STOP,
                                        .name = trp_bytes_text(name)};
    for (uint32_t host = 0; status == TRP_OK && host < run->plan->hosts_count; host++) {
        struct trp_actor_ref ref;
        if (run->hosts[host].node != NULL &&
            trp_node_find_name(run->hosts[host].node, command.name, &ref) == TRP_OK) {
            TRP_IGNORE(run->net.ops->command(run->net.self, host, &command, run->trace.cause));
            status = act_hit(run, &run->acts[index], &host, 1);
        }
    }
    return status;
}

/* Which of a host's connections a reset hits: those listed, or those drawn, which are noted. */
struct choice {
    struct trp_run *run;
    uint32_t index;
    uint32_t *numbers; /* of connections with each host, so far */
};

static bool reset_is_listed(const struct trp_plan_action *action, uint32_t host, uint32_t other,
                            uint32_t number)
{
    for (uint32_t i = 0; i < action->pairs_count; i++) {
        const struct trp_plan_pair *pair = &action->pairs[i];
        bool all = pair->number == 0 && pair->a == other && pair->b == host;
        if (all || (pair->a == host && pair->b == other &&
                    (pair->number == 0 || pair->number == number))) {
            return true;
        }
    }
    return false;
}

static bool reset_chooses(void *user, uint32_t host, uint32_t other, bool drawn)
{
    const struct choice *choice = user;
    struct trp_run *run = choice->run;
    const struct trp_plan_action *action = &run->plan->timeline[choice->index];
    struct act *act = &run->acts[choice->index];
    uint32_t number = ++choice->numbers[other];
    if (action->pairs != NULL) {
        return reset_is_listed(action, host, other, number);
    }
    if (!drawn) {
        return false;
    }
    if (act->pairs_count == act->pairs_capacity) {
        uint32_t capacity = act->pairs_capacity == 0 ? 16 : act->pairs_capacity * 2;
        struct trp_plan_pair *pairs =
            trp_memory_resize(&run->memory, act->pairs, capacity * sizeof *pairs);
        if (pairs == NULL) {
            run->failed = TRP_ENOMEM;
            return true;
        }
        act->pairs = pairs;
        act->pairs_capacity = capacity;
    }
    act->pairs[act->pairs_count++] =
        (struct trp_plan_pair){.a = host, .b = other, .number = number};
    return true;
}

static uint64_t reset_one(struct trp_run *run, uint32_t index, uint32_t host)
{
    struct act *act = &run->acts[index];
    uint32_t first = act->pairs_count;
    struct choice choice = {.run = run, .index = index, .numbers = run->scratch2};
    const struct trp_reset reset = {.share_ppm = run->plan->timeline[index].share_ppm,
                                    .chooses = reset_chooses,
                                    .user = &choice};
    memset(choice.numbers, 0, run->plan->hosts_count * sizeof *choice.numbers);
    uint64_t sequence = run->net.ops->reset(run->net.self, host, &reset, run->trace.cause);
    for (uint32_t i = first; i < act->pairs_count; i++) {
        if (choice.numbers[act->pairs[i].b] == 1) {
            act->pairs[i].number = 0; /* there is no other to tell it from */
        }
    }
    return sequence;
}

static enum trp_status act_on_host(struct trp_run *run, uint32_t index, uint32_t host)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    uint64_t sequence = 0;
    enum trp_status status = TRP_OK;
    switch (action->kind) {
    case TRP_PLAN_RESET:
        sequence = reset_one(run, index, host);
        break;
    case TRP_PLAN_CRASH:
        status = crash_one(run, index, host);
        break;
    case TRP_PLAN_PAUSE:
        sequence = run->net.ops->pause(run->net.self, host, run->trace.cause);
        run->hosts[host].paused_at = trp_harness_now(run);
        break;
    case TRP_PLAN_LEAVE:
        status = leave_one(run, host);
        break;
    case TRP_PLAN_JOIN:
        status = trp_harness_restart(
            run, host,
            trp_plan_group_of(run->plan, host)->state == TRP_PLAN_STATE_LOST ? TRP_STATE_LOST
                                                                             : TRP_STATE_KEPT,
            run->trace.cause);
        break;
    case TRP_PLAN_PARTITION:
    case TRP_PLAN_HEAL:
    case TRP_PLAN_LINK:
    case TRP_PLAN_STOP:
    case TRP_PLAN_KILL:
        break;
    }
    act->sequence = act->sequence != 0 ? act->sequence : sequence;
    return status;
}

static enum trp_status act_on_hosts(struct trp_run *run, uint32_t index)
{
    struct act *act = &run->acts[index];
    uint32_t count;
    enum trp_status status = act_select(run, index, run->plan->timeline[index].on, &count);
    if (status == TRP_OK) {
        status = act_hit(run, act, run->scratch, count);
    }
    for (uint32_t i = 0; i < act->hosts_count && status == TRP_OK; i++) {
        status = act_on_host(run, index, act->hosts[i]);
    }
    return status;
}

static enum trp_status act_heal(struct trp_run *run, uint32_t index)
{
    uint32_t target = run->plan->timeline[index].target;
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->timeline_count && status == TRP_OK; i++) {
        bool meant = target == TRP_PLAN_NONE ? run->plan->timeline[i].kind == TRP_PLAN_PARTITION
                                             : i == target;
        if (meant && run->acts[i].lasting) {
            status = trp_harness_end_act(run, i);
        }
    }
    return status;
}

static enum trp_status act_perform(struct trp_run *run, uint32_t index)
{
    switch (run->plan->timeline[index].kind) {
    case TRP_PLAN_PARTITION:
        return act_partition(run, index);
    case TRP_PLAN_HEAL:
        return act_heal(run, index);
    case TRP_PLAN_LINK:
        run->net.ops->retopology(run->net.self);
        return TRP_OK;
    case TRP_PLAN_STOP:
    case TRP_PLAN_KILL:
        return act_on_actor(run, index);
    case TRP_PLAN_RESET:
    case TRP_PLAN_CRASH:
    case TRP_PLAN_PAUSE:
    case TRP_PLAN_LEAVE:
    case TRP_PLAN_JOIN:
        return act_on_hosts(run, index);
    }
    return TRP_EINVAL;
}

static bool act_lasts(const struct trp_plan_action *action)
{
    return action->kind == TRP_PLAN_PARTITION || action->kind == TRP_PLAN_LINK ||
           action->kind == TRP_PLAN_PAUSE;
}

enum trp_status trp_harness_act(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    act->taken = true;
    act->lasting = act_lasts(action);
    run->trace.cause = trp_trace_action_taken(
        &run->trace,
        &(struct trp_event_action_taken){.name = trp_bytes_text(action->name),
                                         .kind = trp_bytes_text(action_names[action->kind]),
                                         .index = index});
    act->sequence = run->trace.cause;
    enum trp_status status = act_perform(run, index);
    if (status != TRP_OK) {
        return status;
    }
    if (run->options.record != NULL && action->kind != TRP_PLAN_HEAL) {
        trp_run_fault_start(run->options.record,
                            &(struct trp_run_fault){.id = index + 1,
                                                    .kind = action_names[action->kind],
                                                    .text = action->text,
                                                    .hosts = act->hosts,
                                                    .hosts_count = act->hosts_count,
                                                    .started = trp_harness_now(run),
                                                    .sequence = act->sequence});
        if (!act->lasting) {
            trp_time ended = trp_harness_now(run);
            if (action->kind == TRP_PLAN_CRASH && action->restart_ns != TRP_NEVER) {
                ended = trp_time_after(ended, action->restart_ns);
            }
            trp_run_fault_end(run->options.record, index + 1, ended);
        }
    }
    if (act->lasting) {
        run->lasting_fault = action->name;
        run->watch.calm_since = TRP_NEVER;
        if (action->for_ns != 0) {
            status = trp_harness_schedule(run, trp_time_after(trp_harness_now(run), action->for_ns),
                                          AGENDA_END_ACT, index, TRP_STATE_KEPT, act->sequence);
        }
    }
    return status;
}

/* Notes the moment at which nothing lasts any more. */
static void timeline_calm(struct trp_run *run)
{
    for (uint32_t i = 0; i < run->plan->timeline_count; i++) {
        if (run->acts[i].lasting) {
            return;
        }
    }
    run->watch.calm_since = trp_harness_now(run);
}

enum trp_status trp_harness_end_act(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_action *action = &run->plan->timeline[index];
    struct act *act = &run->acts[index];
    if (!act->lasting) {
        return TRP_OK; /* healed before */
    }
    act->lasting = false;
    timeline_calm(run);
    run->lasting_fault = run->lasting_fault == action->name ? NULL : run->lasting_fault;
    uint64_t cause = run->trace.cause != 0 ? run->trace.cause : act->sequence;
    if (action->kind == TRP_PLAN_PARTITION) {
        (void)run->net.ops->heal(run->net.self, index, cause);
    } else if (action->kind == TRP_PLAN_LINK) {
        run->net.ops->retopology(run->net.self);
    } else if (action->kind == TRP_PLAN_PAUSE) {
        for (uint32_t i = 0; i < act->hosts_count; i++) {
            struct host *host = &run->hosts[act->hosts[i]];
            host->paused_ns += trp_harness_now(run) - host->paused_at;
            (void)run->net.ops->resume(run->net.self, act->hosts[i], cause);
        }
    }
    if (run->options.record != NULL) {
        trp_run_fault_end(run->options.record, index + 1, trp_harness_now(run));
    }
    return TRP_OK;
}
