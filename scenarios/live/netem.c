/* SPDX-License-Identifier: MIT */
#include "scenarios/live/netem.h"

#include "base/map.h"
#include "base/prng.h"

#include <stdlib.h>

#define PPM              1000000u
#define SEGMENT_BYTES    1460u
#define SEGMENT_OVERHEAD 40u
#define SEGMENTS_MAX     64u /* draws for one write */
#define LATENCY_EVERY_NS TRP_MS(100)
#define RTO_NS           TRP_MS(200)

enum stream { DRAW_LATENCY = 1, DRAW_BASE, DRAW_LOSS };

struct path {
    uint64_t pair;
    struct trp_path shape;
    uint32_t generation; /* of the topology */
    trp_time busy_until;
    uint64_t base; /* the part of the latency that stays */
    uint64_t segments;
    UT_hash_handle hh;
};

struct cut {
    uint32_t id;
    enum trp_cut mode;
    uint8_t *sides; /* of each host: 1 from, 2 to, 3 both */
    struct cut *next;
};

struct trp_netem {
    struct trp_memory memory;
    uint64_t seed;
    struct trp_topology topology;
    uint32_t generation;
    uint32_t hosts_count;
    struct path *paths;
    struct cut *cuts;
    bool *dead;
};

enum trp_status trp_netem_open(uint64_t seed, struct trp_topology topology, uint32_t hosts_count,
                               struct trp_netem **ret_netem)
{
    struct trp_netem *netem = calloc(1, sizeof *netem);
    if (netem == NULL) {
        return TRP_ENOMEM;
    }
    netem->memory = trp_memory_init(UINT64_MAX);
    netem->seed = seed;
    netem->topology = topology;
    netem->hosts_count = hosts_count;
    netem->dead = calloc(hosts_count + 1u, sizeof *netem->dead);
    if (netem->dead == NULL) {
        free(netem);
        return TRP_ENOMEM;
    }
    *ret_netem = netem;
    return TRP_OK;
}

void trp_netem_close(struct trp_netem *netem)
{
    if (netem == NULL) {
        return;
    }
    struct trp_memory *uthash_memory = &netem->memory;
    while (netem->paths != NULL) {
        struct path *path = netem->paths;
        HASH_DELETE(hh, netem->paths, path);
        trp_memory_free(&netem->memory, path);
    }
    while (netem->cuts != NULL) {
        struct cut *cut = netem->cuts;
        netem->cuts = cut->next;
        free(cut->sides);
        free(cut);
    }
    free(netem->dead);
    free(netem);
}

/* ---- cuts ---- */

enum trp_status trp_netem_cut(struct trp_netem *netem, uint32_t id, enum trp_cut mode,
                              const uint32_t *from, uint32_t from_count, const uint32_t *to,
                              uint32_t to_count)
{
    struct cut *cut = calloc(1, sizeof *cut);
    uint8_t *sides = calloc(netem->hosts_count + 1u, 1);
    if (cut == NULL || sides == NULL) {
        free(cut);
        free(sides);
        return TRP_ENOMEM;
    }
    for (uint32_t i = 0; i < from_count; i++) {
        sides[from[i]] |= 1u;
    }
    for (uint32_t i = 0; i < to_count; i++) {
        sides[to[i]] |= 2u;
    }
    *cut = (struct cut){.id = id, .mode = mode, .sides = sides, .next = netem->cuts};
    netem->cuts = cut;
    return TRP_OK;
}

uint32_t trp_netem_heal(struct trp_netem *netem, uint32_t id)
{
    uint32_t healed = 0;
    struct cut **place = &netem->cuts;
    while (*place != NULL) {
        struct cut *cut = *place;
        if (cut->id != id) {
            place = &cut->next;
            continue;
        }
        *place = cut->next;
        free(cut->sides);
        free(cut);
        healed++;
    }
    return healed;
}

void trp_netem_set_dead(struct trp_netem *netem, uint32_t host, bool dead)
{
    netem->dead[host] = dead;
}

/* Cuts add up, and silence wins. */
static enum trp_cut cuts_between(const struct trp_netem *netem, uint32_t from, uint32_t to)
{
    enum trp_cut found = TRP_CUT_NONE;
    if (from >= netem->hosts_count || to >= netem->hosts_count) {
        return TRP_CUT_NONE;
    }
    for (const struct cut *cut = netem->cuts; cut != NULL; cut = cut->next) {
        if ((cut->sides[from] & 1u) != 0 && (cut->sides[to] & 2u) != 0 &&
            found != TRP_CUT_BLACKHOLE) {
            found = cut->mode;
        }
    }
    return found;
}

enum trp_cut trp_netem_blocks(const struct trp_netem *netem, uint32_t from, uint32_t to)
{
    bool dead = to < netem->hosts_count && netem->dead[to];
    return dead ? TRP_CUT_BLACKHOLE : cuts_between(netem, from, to);
}

bool trp_netem_is_cut(const struct trp_netem *netem, uint32_t from, uint32_t to)
{
    return cuts_between(netem, from, to) != TRP_CUT_NONE;
}

/* ---- paths ---- */

void trp_netem_retopology(struct trp_netem *netem)
{
    netem->generation++;
}

static uint64_t draw(const struct trp_netem *netem, const struct path *path, enum stream stream,
                     uint64_t counter)
{
    return trp_draw(netem->seed, path->pair, stream, counter);
}

/* Gives the path as it is now; NULL: from or to the outside, or without memory for it. */
static struct path *path_find(struct trp_netem *netem, uint32_t from, uint32_t to)
{
    struct trp_memory *uthash_memory = &netem->memory;
    uint64_t pair = (uint64_t)from << 32 | to;
    struct path *path = NULL;
    if (from >= netem->hosts_count || to >= netem->hosts_count) {
        return NULL;
    }
    HASH_FIND(hh, netem->paths, &pair, sizeof pair, path);
    if (path == NULL) {
        path = trp_memory_alloc(&netem->memory, sizeof *path);
        if (path == NULL) {
            return NULL;
        }
        *path = (struct path){.pair = pair, .generation = netem->generation - 1};
        HASH_ADD(hh, netem->paths, pair, sizeof path->pair, path);
        if (path->hh.tbl == NULL) {
            trp_memory_free(&netem->memory, path);
            return NULL;
        }
    }
    if (path->generation != netem->generation) {
        path->generation = netem->generation;
        path->shape = (struct trp_path){0};
        netem->topology.path(netem->topology.user, from, to, &path->shape);
        path->shape.jitter_ppm = path->shape.jitter_ppm == 0 ? PPM : path->shape.jitter_ppm;
        path->base = trp_dist_sample(&path->shape.latency, draw(netem, path, DRAW_BASE, 0));
    }
    return path;
}

bool trp_netem_stalls(struct trp_netem *netem, uint32_t from, uint32_t to)
{
    const struct path *path = path_find(netem, from, to);
    return path != NULL && path->shape.stall;
}

static trp_time path_latency(const struct trp_netem *netem, const struct path *path, trp_time now)
{
    uint64_t fresh = trp_dist_sample(&path->shape.latency,
                                     draw(netem, path, DRAW_LATENCY, now / LATENCY_EVERY_NS));
    uint64_t jitter = path->shape.jitter_ppm;
    return path->base / PPM * (PPM - jitter) + path->base % PPM * (PPM - jitter) / PPM +
           fresh / PPM * jitter + fresh % PPM * jitter / PPM;
}

/* What lost segments cost: a timeout each, doubling while losses follow each other. */
static trp_time path_loss(const struct trp_netem *netem, struct path *path, uint64_t bytes)
{
    trp_time cost = 0;
    trp_time timeout = RTO_NS;
    uint64_t count = bytes / SEGMENT_BYTES + 1;
    if (path->shape.loss_ppm == 0) {
        return 0;
    }
    for (uint64_t i = 0; i < count && i < SEGMENTS_MAX; i++) {
        timeout = RTO_NS;
        while (timeout < TRP_S(60) && trp_draw_share(draw(netem, path, DRAW_LOSS, path->segments++),
                                                     path->shape.loss_ppm)) {
            cost += timeout;
            timeout *= 2;
        }
    }
    return cost;
}

trp_time trp_netem_arrival(struct trp_netem *netem, uint32_t from, uint32_t to, uint64_t bytes,
                           trp_time now)
{
    struct path *path = path_find(netem, from, to);
    if (path == NULL) {
        return now;
    }
    trp_time left = now;
    if (bytes > 0 && path->shape.rate_bits_per_s > 0) {
        uint64_t wire = bytes + (bytes / SEGMENT_BYTES + 1) * SEGMENT_OVERHEAD;
        uint64_t nanoseconds_per_byte_x8 = TRP_S(8) / path->shape.rate_bits_per_s;
        uint64_t rest = TRP_S(8) % path->shape.rate_bits_per_s;
        trp_time span = wire * nanoseconds_per_byte_x8 + wire * rest / path->shape.rate_bits_per_s;
        left = path->busy_until > now ? path->busy_until : now;
        left = trp_time_after(left, span);
        path->busy_until = left;
    }
    return trp_time_after(left, path_latency(netem, path, now) +
                                    (bytes > 0 ? path_loss(netem, path, bytes) : 0));
}
