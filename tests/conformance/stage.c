/* SPDX-License-Identifier: MIT */
#include "conformance/stage.h"

#include "lib/test.h"

static enum trp_status stage_start(void *user, uint32_t host, uint32_t incarnation, trp_time now,
                                   const uint8_t seed[32], const uint8_t identity[32],
                                   struct trp_bytes saved, struct trp_process *ret_process)
{
    struct stage *stage = user;
    (void)now;
    assert_int_equal(incarnation, stage->starts[host]);
    stage->starts[host]++;
    memcpy(stage->seeds[host], seed, 32);
    memcpy(stage->identities[host], identity, 32);
    assert_true(saved.size <= sizeof stage->saved[host]);
    stage->saved_bytes[host] = saved.size;
    if (saved.size > 0) {
        memcpy(stage->saved[host], saved.data, saved.size);
    }
    toy_init(stage->toys[host]);
    if (!stage->mute) {
        struct trp_multiaddr address = stage_address(host);
        stage->listeners[host] = toy_listen(stage->toys[host], &address);
    }
    if (stage->on_start != NULL) {
        stage->on_start(stage, host);
    }
    *ret_process = toy_process(stage->toys[host]);
    return TRP_OK;
}

static void stage_end(void *user, uint32_t host, struct trp_process process)
{
    struct stage *stage = user;
    assert_ptr_equal(process.self, stage->toys[host]);
    stage->ends[host]++;
}

static void stage_path(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    struct stage *stage = user;
    assert_true(from != to);
    *ret_path = stage->path;
}

void stage_open_as_set(struct stage *stage, uint64_t seed, uint32_t hosts)
{
    assert_true(hosts <= STAGE_HOSTS_MAX);
    stage->hosts_count = hosts;
    trp_recorder_init(&stage->recorder, (struct trp_trace_sink){NULL, NULL});
    const struct trp_world_config config = {
        .seed = seed,
        .factory = {.start = stage_start, .end = stage_end, .user = stage},
        .recorder = &stage->recorder,
        .hosts_max = STAGE_HOSTS_MAX};
    assert_status(trp_world_open(&config, &stage->world), TRP_OK);
    stage_change_path(stage);
    for (uint32_t i = 0; i < hosts; i++) {
        uint32_t host;
        stage->toys[i] = test_malloc(sizeof *stage->toys[i]);
        assert_status(trp_world_add_host(stage->world, 0, &host), TRP_OK);
        assert_int_equal(host, i);
    }
    assert_status(trp_world_run_until(stage->world, 1), TRP_OK);
}

void stage_open(struct stage *stage, uint64_t seed, uint32_t hosts)
{
    *stage = (struct stage){.path = {.latency = {TRP_DIST_CONST, TRP_MS(10), 0}}};
    stage_open_as_set(stage, seed, hosts);
}

void stage_close(struct stage *stage)
{
    trp_world_close(stage->world);
    for (uint32_t i = 0; i < stage->hosts_count; i++) {
        assert_int_equal(stage->starts[i], stage->ends[i]);
        test_free(stage->toys[i]);
    }
}

void stage_change_path(struct stage *stage)
{
    trp_world_set_topology(stage->world, (struct trp_topology){stage_path, stage});
}

void stage_kick(struct stage *stage, uint32_t host)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    assert_status(trp_world_command(stage->world, host, &command, 0), TRP_OK);
}

void stage_run(struct stage *stage, trp_time span_ns)
{
    trp_time until = trp_time_after(trp_world_now(stage->world), span_ns);
    assert_status(trp_world_run_until(stage->world, until), TRP_OK);
    assert_true(trp_world_now(stage->world) == until);
}

struct trp_multiaddr stage_address(uint32_t host)
{
    uint8_t ip[4];
    trp_world_host_ip(host, ip);
    return trp_multiaddr_from_ip(ip, sizeof ip, STAGE_PORT);
}

struct toy_socket *stage_dial(struct stage *stage, uint32_t from, uint32_t to)
{
    struct trp_multiaddr address = stage_address(to);
    struct toy_socket *socket = toy_dial(stage->toys[from], &address);
    stage_kick(stage, from);
    return socket;
}

void stage_send(struct stage *stage, uint32_t host, struct toy_socket *socket, uint64_t bytes)
{
    toy_send(stage->toys[host], socket, bytes);
    stage_kick(stage, host);
}
