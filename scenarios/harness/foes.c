/* SPDX-License-Identifier: MIT */
/* The hosts of a run that misbehave. */
#include "scenarios/harness/state.h"

#include <stdlib.h>

/* Gathers the addresses of those that a host attacks; the caller frees them. NULL: no memory. */
static struct trp_multiaddr *foe_victims(struct trp_run *run, uint32_t index, uint32_t *ret_count)
{
    const struct trp_selector *against = trp_plan_group_of(run->plan, index)->against;
    struct trp_selector_world world = trp_harness_selector_world(run, index, 0);
    uint32_t chosen = 0;
    world.is_up = NULL; /* they may start later */
    if (against == NULL) {
        for (uint32_t i = 0; i < run->plan->hosts_count; i++) {
            run->scratch[chosen++] = i;
        }
    } else if (trp_selector_eval(run->plan, against, &world, run->scratch, &chosen) != TRP_OK) {
        return NULL;
    }
    struct trp_multiaddr *victims = malloc(TRP_ADVERSARY_VICTIMS_MAX * sizeof *victims);
    *ret_count = 0;
    for (uint32_t i = 0; i < chosen && victims != NULL; i++) {
        uint32_t host = run->scratch[i];
        bool meant = against != NULL || trp_plan_is_honest(run->plan, host);
        if (meant && host != index && *ret_count < TRP_ADVERSARY_VICTIMS_MAX) {
            victims[(*ret_count)++] = run->net.ops->address(run->net.self, host);
        }
    }
    return victims;
}

/* Gives some of the names that actors of the run have. */
static uint32_t foe_names(const struct trp_run *run, char (*names)[256], const char **ret_names)
{
    uint32_t count = 0;
    for (uint32_t a = 0; a < run->plan->actors_count; a++) {
        const struct trp_plan_actor *actor = &run->plan->actors[a];
        for (uint32_t i = 0; actor->name != NULL && i < run->crews[a].count; i++) {
            if (count < TRP_ADVERSARY_NAMES_MAX &&
                trp_plan_actor_name(run->plan, actor, run->crews[a].hosts[i], 0, names[count],
                                    sizeof names[count]) == TRP_OK) {
                ret_names[count] = names[count];
                count++;
            }
        }
    }
    return count;
}

/* An impostor is a node that lives a bad life. */
static enum trp_status impostor_begin(struct trp_run *run, uint32_t index,
                                      const struct trp_adversary_config *adversary,
                                      struct trp_node_config *config)
{
    struct host *host = &run->hosts[index];
    enum trp_status status = trp_impostor_open(adversary, &host->impostor);
    if (status == TRP_OK) {
        trp_impostor_enter(host->impostor, config);
        status = trp_node_open(config, &host->foe);
    }
    return status == TRP_OK ? trp_harness_join(run, host->foe, index, config->now) : status;
}

enum trp_status trp_harness_foe_begin(struct trp_run *run, uint32_t index,
                                      struct trp_node_config *config,
                                      struct trp_process *ret_process)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, index);
    struct host *host = &run->hosts[index];
    char names[TRP_ADVERSARY_NAMES_MAX][256];
    const char *texts[TRP_ADVERSARY_NAMES_MAX];
    struct trp_adversary_config adversary = {
        .conduct = group->conduct,
        .seed = trp_harness_draw(run, index, STREAM_FOE, host->lives),
        .now = config->now,
        .every_ns = group->every_ns,
        .listen = run->net.ops->address(run->net.self, index),
        .names = texts};
    struct trp_multiaddr *victims = foe_victims(run, index, &adversary.victims_count);
    if (victims == NULL) {
        return TRP_ENOMEM;
    }
    adversary.victims = victims;
    adversary.names_count = foe_names(run, names, texts);
    enum trp_status status = TRP_OK;
    if (trp_conduct_is_intruder(group->conduct)) {
        status = trp_intruder_open(&adversary, &host->intruder);
        *ret_process =
            status == TRP_OK ? trp_intruder_process(host->intruder) : (struct trp_process){0};
    } else {
        status = impostor_begin(run, index, &adversary, config);
        *ret_process = status == TRP_OK ? trp_node_process(host->foe) : (struct trp_process){0};
    }
    free(victims);
    if (status != TRP_OK) {
        trp_harness_foe_end(run, index);
    }
    return status;
}

void trp_harness_foe_end(struct trp_run *run, uint32_t index)
{
    struct host *host = &run->hosts[index];
    trp_node_close(host->foe, trp_harness_now(run));
    trp_impostor_close(host->impostor);
    trp_intruder_close(host->intruder);
    host->foe = NULL;
    host->impostor = NULL;
    host->intruder = NULL;
}
