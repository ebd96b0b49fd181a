/* SPDX-License-Identifier: MIT */
/* A kad node against a peer that says anything: as requests, on either protocol, and as the answer
 * to a look-up. The first byte says in what pieces it comes, the second which of these it is. */
#include "behaviour/kad.h"
#include "lib/fake_swarm.h"

#define PROTOCOL "/fuzz/kad/1.0.0"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    struct trp_swarm *swarm;
    struct trp_bytes says;
};

static void peer_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct peer *)self)->swarm = swarm;
}

static uint32_t peer_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return 1;
}

static void peer_say(struct peer *peer, trp_stream_id stream)
{
    size_t used;
    if (peer->says.size > 0) {
        TRP_ASSERT(trp_stream_write(peer->swarm, stream, peer->says, &used) == TRP_OK);
    }
    trp_stream_shutdown(peer->swarm, stream);
}

static void peer_opened(void *self, const struct trp_stream_info *stream)
{
    peer_say(self, stream->id);
}

static void peer_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    (void)self;
    (void)stream;
    (void)in;
}

static const struct trp_behaviour_ops peer_ops = {.name = "peer",
                                                  .attach = peer_attach,
                                                  .protocols = peer_protocols,
                                                  .stream_opened = peer_opened,
                                                  .stream_data = peer_data};

static void look_up(struct fake_world *world, struct trp_kad *kad, uint32_t which)
{
    struct trp_peer_id id = fake_id(1);
    world->nodes[0].knows[1] = true;
    trp_kad_add_peer(kad, &id);
    uint64_t query = 0;
    struct trp_bytes key = trp_bytes_text("key");
    enum trp_status status = which == 0   ? trp_kad_find_peers(kad, key, 7, &query)
                             : which == 1 ? trp_kad_get_providers(kad, key, 7, &query)
                                          : trp_kad_get_record(kad, key, NULL, 7, &query);
    TRP_ASSERT(status == TRP_OK);
    fake_touch(&world->nodes[0]);
    fake_run(world, world->now + TRP_MIN(2));
    struct trp_kad_event event;
    uint32_t lasts = 0;
    while (trp_kad_next_event(kad, &event)) {
        lasts += event.kind != TRP_KAD_BOOTSTRAPPED && event.last;
    }
    TRP_ASSERT(lasts == 1);
}

static void request(struct fake_world *world, struct peer *peer, bool withdrawal)
{
    const char *protocols[] = {withdrawal ? PROTOCOL "/withdraw" : PROTOCOL};
    struct trp_stream_request open = {
        .peer = fake_id(0), .dial = true, .protocols = protocols, .protocols_count = 1};
    trp_stream_id stream;
    world->nodes[1].knows[0] = true;
    TRP_ASSERT(trp_swarm_open_stream(peer->swarm, &open, &stream) == TRP_OK);
    fake_run(world, world->now + TRP_S(30));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct fake_world world;
    fake_world_open(&world, 2);
    world.nodes[0].chunk = data[0] % 16;
    world.nodes[0].write_room = data[0] / 16 * 100;
    struct trp_kad_config config = {
        .memory = &world.nodes[0].memory, .trace = &world.nodes[0].trace, .protocol = PROTOCOL};
    struct trp_kad *kad;
    TRP_ASSERT(trp_kad_open(&config, &kad) == TRP_OK);
    fake_attach(&world.nodes[0], trp_kad_behaviour(kad));
    struct peer peer = {.says = trp_bytes(data + 2, size - 2)};
    fake_attach(&world.nodes[1], (struct trp_behaviour){&peer_ops, &peer});
    uint32_t which = data[1] % 5;
    if (which < 3) {
        look_up(&world, kad, which);
    } else {
        request(&world, &peer, which == 4);
    }
    struct trp_kad_view view;
    trp_kad_inspect(kad, &view);
    TRP_ASSERT(view.queries == 0 && view.peers <= 1);
    trp_kad_close(kad);
    fake_world_close(&world);
    return 0;
}
