/* SPDX-License-Identifier: MIT */
#include "simnet/path.h"

#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

#define PPM 1000000u

__extension__ typedef unsigned __int128 uint128;

static uint64_t path_draw(const struct trp_world *world, const struct trp_sim_path *path,
                          enum trp_sim_draw stream, uint64_t counter)
{
    const struct trp_dist *latency = &path->shape.latency;
    uint64_t draw = trp_draw(world->config.seed, path->pair, stream, counter);
    return path->sigma != 0 ? trp_fixed_lognormal(latency->a, path->sigma, draw)
                            : trp_dist_sample(latency, draw);
}

static void path_shape(struct trp_world *world, struct trp_sim_path *path)
{
    uint32_t from = (uint32_t)(path->pair >> 32);
    uint32_t to = (uint32_t)path->pair;
    path->shape = (struct trp_path){.jitter_ppm = 0};
    if (from == to) {
        path->shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_SIM_LOOPBACK_NS};
    } else if (world->topology.path != NULL) {
        world->topology.path(world->topology.user, from, to, &path->shape);
    }
    if (path->shape.jitter_ppm == 0 || path->shape.jitter_ppm > PPM) {
        path->shape.jitter_ppm = PPM;
    }
    path->topology_generation = world->topology_generation;
    path->latency_window = UINT64_MAX;
    const struct trp_dist *latency = &path->shape.latency;
    path->sigma =
        latency->kind == TRP_DIST_LOGNORMAL ? trp_fixed_lognormal_sigma(latency->a, latency->b) : 0;
    if (path->shape.jitter_ppm < PPM) {
        path->latency_base = path_draw(world, path, TRP_SIM_DRAW_LATENCY_BASE, 0);
    }
    if (path->shape.stall && !trp_list_link_is_linked(&path->stalled)) {
        trp_list_push_back(&world->stalled, &path->stalled);
    }
}

static bool set_has(const uint64_t *set, uint32_t hosts_count, uint32_t host)
{
    return host < hosts_count && (set[host / 64] >> (host % 64) & 1u) != 0;
}

static void path_cuts(struct trp_world *world, struct trp_sim_path *path)
{
    uint32_t from = (uint32_t)(path->pair >> 32);
    uint32_t to = (uint32_t)path->pair;
    path->cut = TRP_CUT_NONE;
    for (uint32_t i = 0; i < world->cuts.count; i++) {
        const struct trp_sim_cut *cut = &world->cuts.entries[i];
        if (!set_has(cut->from, cut->hosts_count, from) ||
            !set_has(cut->to, cut->hosts_count, to)) {
            continue;
        }
        if (!path->was_cut || cut->at > path->cut_at) {
            path->was_cut = true;
            path->cut_at = cut->at;
        }
        /* Silence hides an error. */
        if (!cut->healed && cut->cut > path->cut) {
            path->cut = cut->cut;
        }
    }
    path->cuts_generation = world->cuts.generation;
}

void trp_sim_path_refresh(struct trp_world *world, struct trp_sim_path *path)
{
    if (path->topology_generation != world->topology_generation) {
        path_shape(world, path);
    }
    if (path->cuts_generation != world->cuts.generation) {
        path_cuts(world, path);
    }
}

struct trp_sim_path *trp_sim_path_find(struct trp_world *world, uint32_t from, uint32_t to)
{
    uint64_t pair = trp_sim_pair(from, to);
    uint32_t hash = trp_index_hash(&pair, sizeof pair);
    uint32_t at = hash;
    struct trp_sim_path *path;
    while ((path = trp_index_next(&world->paths, hash, &at)) != NULL) {
        if (path->pair == pair) {
            break;
        }
    }
    if (path == NULL) {
        path = trp_memory_alloc(&world->memory, sizeof *path);
        if (path == NULL) {
            return NULL;
        }
        path->pair = pair;
        trp_list_init(&path->held);
        if (trp_index_insert(&world->paths, hash, path) != TRP_OK) {
            trp_memory_free(&world->memory, path);
            return NULL;
        }
        path_shape(world, path);
        path_cuts(world, path);
        return path;
    }
    trp_sim_path_refresh(world, path);
    return path;
}

trp_time trp_sim_path_latency(struct trp_world *world, struct trp_sim_path *path, trp_time at)
{
    uint64_t window = at / TRP_SIM_LATENCY_WINDOW_NS;
    if (window != path->latency_window) {
        uint64_t fresh = path_draw(world, path, TRP_SIM_DRAW_LATENCY, window);
        uint64_t jitter = path->shape.jitter_ppm;
        uint128 mixed = ((uint128)path->latency_base * (PPM - jitter) + (uint128)fresh * jitter);
        path->latency = (trp_time)(mixed / PPM);
        path->latency_window = window;
    }
    return path->latency > TRP_SIM_LATENCY_MIN_NS ? path->latency : TRP_SIM_LATENCY_MIN_NS;
}

trp_time trp_sim_path_occupy(struct trp_world *world, struct trp_sim_path *path, uint32_t bytes)
{
    world->stats.bytes_sent += bytes;
    if (path->shape.rate_bits_per_s == 0) {
        return world->now;
    }
    uint64_t segments = bytes / TRP_SIM_SEGMENT_BYTES + 1;
    uint128 bits = (uint128)(bytes + segments * TRP_SIM_SEGMENT_HEADER_BYTES) * 8;
    uint64_t span = (uint64_t)(bits * (uint128)TRP_S(1) / path->shape.rate_bits_per_s);
    trp_time from = path->busy_until > world->now ? path->busy_until : world->now;
    path->busy_until = trp_time_after(from, span);
    return path->busy_until;
}

trp_time trp_sim_path_admits_at(const struct trp_world *world, const struct trp_sim_path *path)
{
    bool bounded = path->shape.rate_bits_per_s != 0 && path->shape.queue_ns != 0;
    if (!bounded || path->busy_until <= path->shape.queue_ns) {
        return world->now;
    }
    return path->busy_until - path->shape.queue_ns;
}

bool trp_sim_path_loses(const struct trp_sim_path *path, uint32_t bytes, uint64_t draw)
{
    if (path->shape.loss_ppm == 0) {
        return false;
    }
    if (path->shape.loss_ppm >= PPM) {
        return true;
    }
    /* (1 - p)^n with 32 bits after the point, by squaring. */
    uint64_t one = ((uint64_t)(PPM - path->shape.loss_ppm) << 32) / PPM;
    uint64_t kept = 1ull << 32;
    for (uint64_t n = bytes / TRP_SIM_SEGMENT_BYTES + 1; n > 0; n >>= 1) {
        if ((n & 1u) != 0) {
            kept = kept * one >> 32;
        }
        one = one * one >> 32;
    }
    return draw >> 32 >= kept;
}

static void cut_free(struct trp_world *world, struct trp_sim_cut *cut)
{
    trp_memory_free(&world->memory, cut->from);
    trp_memory_free(&world->memory, cut->to);
}

bool trp_world_is_cut(const struct trp_world *world, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < world->cuts.count; i++) {
        const struct trp_sim_cut *cut = &world->cuts.entries[i];
        if (!cut->healed && set_has(cut->from, cut->hosts_count, from) &&
            set_has(cut->to, cut->hosts_count, to)) {
            return true;
        }
    }
    return false;
}

/* Forgets cuts that nothing in flight can have met. */
static void cuts_expire(struct trp_world *world)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->cuts.count; i++) {
        struct trp_sim_cut *cut = &world->cuts.entries[i];
        if (cut->healed && trp_time_after(cut->healed_at, TRP_SIM_CUT_KEPT_NS) < world->now) {
            cut_free(world, cut);
        } else {
            world->cuts.entries[kept++] = *cut;
        }
    }
    world->cuts.count = kept;
}

static uint64_t *set_of(struct trp_world *world, const uint32_t *hosts, uint32_t count)
{
    uint64_t *set = trp_memory_alloc(&world->memory, (world->hosts_count / 64 + 1) * sizeof *set);
    for (uint32_t i = 0; set != NULL && i < count; i++) {
        if (hosts[i] < world->hosts_count) {
            set[hosts[i] / 64] |= 1ull << (hosts[i] % 64);
        }
    }
    return set;
}

enum trp_status trp_sim_cuts_add(struct trp_world *world, struct trp_sim_cut *cut,
                                 const uint32_t *from, uint32_t from_count, const uint32_t *to,
                                 uint32_t to_count)
{
    struct trp_sim_cuts *cuts = &world->cuts;
    cuts_expire(world);
    if (cuts->count == cuts->capacity) {
        uint32_t capacity = cuts->capacity == 0 ? 8 : cuts->capacity * 2;
        struct trp_sim_cut *entries =
            trp_memory_resize(&world->memory, cuts->entries, (size_t)capacity * sizeof *entries);
        if (entries == NULL) {
            return TRP_ENOMEM;
        }
        cuts->entries = entries;
        cuts->capacity = capacity;
    }
    cut->at = world->now;
    cut->hosts_count = world->hosts_count;
    cut->from = set_of(world, from, from_count);
    cut->to = set_of(world, to, to_count);
    if (cut->from == NULL || cut->to == NULL) {
        cut_free(world, cut);
        return TRP_ENOMEM;
    }
    cuts->entries[cuts->count++] = *cut;
    cuts->generation++;
    return TRP_OK;
}

uint32_t trp_sim_cuts_heal(struct trp_world *world, uint32_t id)
{
    uint32_t healed = 0;
    for (uint32_t i = 0; i < world->cuts.count; i++) {
        struct trp_sim_cut *cut = &world->cuts.entries[i];
        if (cut->id == id && !cut->healed) {
            cut->healed = true;
            cut->healed_at = world->now;
            healed++;
        }
    }
    world->cuts.generation++;
    return healed;
}

void trp_sim_paths_free(struct trp_world *world)
{
    uint32_t at = 0;
    struct trp_sim_path *path;
    while ((path = trp_index_pop(&world->paths, &at)) != NULL) {
        trp_memory_free(&world->memory, path);
    }
    trp_index_deinit(&world->paths);
    for (uint32_t i = 0; i < world->cuts.count; i++) {
        cut_free(world, &world->cuts.entries[i]);
    }
    trp_memory_free(&world->memory, world->cuts.entries);
    world->cuts = (struct trp_sim_cuts){.generation = 0};
}
