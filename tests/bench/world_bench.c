/* SPDX-License-Identifier: MIT */
/* world_bench.c - happenings per second of the world with processes that do nothing but ask for the
 * next one: timers only, and messages that go to and fro between pairs of hosts. Usage: world_bench
 * [HOSTS [HAPPENINGS]] */
#define _POSIX_C_SOURCE 200809L

#include <troupe/sim.h>

#include "bench/figure.h"

#include <stdlib.h>

/* A process that sends one message back for each that it gets, or sets a timer. */
struct player {
    uint32_t host;
    bool messages;
    bool started;
    uint64_t received;
    trp_time deadline;
    struct trp_output outputs[2];
    uint32_t outputs_count;
    struct trp_multiaddr address;
};

struct game {
    struct player *players;
    bool messages;
};

static const uint8_t ball[64] = {1};

static void player_put(struct player *player, enum trp_output_kind kind, trp_socket socket)
{
    player->outputs[player->outputs_count++] =
        (struct trp_output){.kind = kind,
                            .socket = socket,
                            .address = &player->address,
                            .bytes = trp_bytes(ball, sizeof ball)};
}

static enum trp_status player_step(void *self, const struct trp_input *in)
{
    struct player *player = self;
    if (!player->messages) {
        player->deadline = in->now + TRP_MS(1) + player->host;
        return TRP_OK;
    }
    if (!player->started) {
        uint8_t ip[4];
        player->started = true;
        trp_world_host_ip(player->host & ~1u, ip);
        player->address = trp_multiaddr_from_ip(ip, sizeof ip, 4001);
        player_put(player, player->host % 2 == 0 ? TRP_OUT_LISTEN : TRP_OUT_DIAL, 2);
    } else if (in->kind == TRP_IN_CONNECTED || in->kind == TRP_IN_BYTES) {
        player->received += in->bytes.size;
        if (player->received % sizeof ball == 0) { /* it may come in pieces */
            player_put(player, TRP_OUT_BYTES, in->socket);
        }
    }
    return TRP_OK;
}

static bool player_next_output(void *self, struct trp_output *ret_out)
{
    struct player *player = self;
    if (player->outputs_count == 0) {
        return false;
    }
    *ret_out = player->outputs[--player->outputs_count];
    return true;
}

static trp_time player_deadline(const void *self)
{
    const struct player *player = self;
    return player->deadline;
}

static enum trp_status game_start(void *user, uint32_t host, uint32_t incarnation, trp_time now,
                                  const uint8_t seed[32], const uint8_t identity[32],
                                  struct trp_bytes saved, struct trp_process *ret_process)
{
    static const struct trp_process_ops ops = {
        .step = player_step, .next_output = player_next_output, .deadline = player_deadline};
    struct game *game = user;
    (void)incarnation, (void)now, (void)seed, (void)identity, (void)saved;
    game->players[host] =
        (struct player){.host = host, .messages = game->messages, .deadline = TRP_NEVER};
    *ret_process = (struct trp_process){.ops = &ops, .self = &game->players[host]};
    return TRP_OK;
}

static void game_path(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    (void)user;
    ret_path->latency =
        (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_MS(20) + from % 7u + to % 5u};
}

static int play(const char *name, bool messages, uint32_t hosts, uint64_t happenings)
{
    struct game game = {.players = calloc(hosts, sizeof *game.players), .messages = messages};
    const struct trp_world_config config = {
        .seed = 1, .factory = {.start = game_start, .user = &game}, .hosts_max = hosts};
    struct trp_world *world;
    if (game.players == NULL || trp_world_open(&config, &world) != TRP_OK) {
        return 1;
    }
    trp_world_set_topology(world, (struct trp_topology){.path = game_path});
    for (uint32_t i = 0; i < hosts; i++) {
        uint32_t host;
        if (trp_world_add_host(world, i % 2 == 0 ? 0 : TRP_MS(1) + i, &host) != TRP_OK) {
            return 1;
        }
    }
    if (trp_world_run_until(world, TRP_MS(200)) != TRP_OK) {
        return 1;
    }
    uint64_t begun = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < happenings; i++) {
        if (trp_world_step(world) != TRP_OK) {
            return 1;
        }
    }
    uint64_t spent = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - begun;
    bench_figure(name, (double)happenings * 1e3 / (double)spent, "M/s");
    trp_world_close(world);
    free(game.players);
    return 0;
}

int main(int argc, char **argv)
{
    uint32_t hosts = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    uint64_t happenings = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;
    hosts += hosts % 2;
    return play("world_timers", false, hosts, happenings) |
           play("world_messages", true, hosts, happenings);
}
