/* SPDX-License-Identifier: MIT */
/* A whole node against a peer that speaks its messaging protocol as it likes: bytes as they come,
 * and envelopes that are well-formed and untrue. The first byte chooses the node's rules; then one
 * thing to do after the other.
 * The node must stay up and within bounds, give each command one outcome, and serve at the end. */
#include "lib/fuzz_input.h"
#include "lib/nodes.h"

#include "base/assert.h"
#include "wire/envelope.h"

#define STEPS_MAX 48u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trp_bytes next_bytes(struct input *in)
{
    size_t size = next(in);
    size = size < in->size ? size : in->size;
    struct trp_bytes bytes = trp_bytes(in->data, size);
    in->data += size;
    in->size -= size;
    return bytes;
}

/* ---- the peer ---- */

struct peer {
    struct trp_swarm *swarm;
    uint32_t index;
    uint8_t request[8192];
    size_t request_size;
    uint8_t answer[8192];
    size_t answer_size;
    bool hangs; /* its streams stay open */
};

static struct peer peer;
static struct trp_actor_ref agent;
static struct trp_actor_ref frail;
static uint64_t commands[STEPS_MAX];
static uint32_t commands_count;

static void peer_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    ((struct peer *)self)->swarm = swarm;
    ((struct peer *)self)->index = index;
}

static uint32_t peer_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    ret_protocols[0] = max > 0 ? TRP_PROTOCOL_MESSAGING : NULL;
    return 1;
}

static void peer_opened(void *self, const struct trp_stream_info *stream)
{
    struct peer *p = self;
    size_t used;
    struct trp_bytes out = stream->inbound ? trp_bytes(p->answer, p->answer_size)
                                           : trp_bytes(p->request, p->request_size);
    if (out.size > 0) {
        TRP_IGNORE(trp_stream_write(p->swarm, stream->id, out, &used)); /* what fits */
    }
    if (!p->hangs) {
        trp_stream_shutdown(p->swarm, stream->id);
    }
}

static void peer_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    trp_stream_consumed(((struct peer *)self)->swarm, stream->id, in.size);
}

static const struct trp_behaviour_ops peer_ops = {.name = "peer",
                                                  .attach = peer_attach,
                                                  .protocols = peer_protocols,
                                                  .stream_opened = peer_opened,
                                                  .stream_data = peer_data};

static void peer_send(void)
{
    static const char *const protocols[] = {TRP_PROTOCOL_MESSAGING};
    const struct trp_stream_request open = {.behaviour = peer.index,
                                            .peer = nodes_peer(0),
                                            .dial = true,
                                            .protocols = protocols,
                                            .protocols_count = 1};
    trp_stream_id stream;
    TRP_IGNORE(trp_swarm_open_stream(peer.swarm, &open, &stream)); /* or it has too many */
}

/* ---- well-formed and untrue ---- */

static struct trp_actor_ref next_ref(struct input *in)
{
    struct trp_actor_ref refs[] = {agent,
                                   frail,
                                   {.id = 77, .peer = nodes_peer(0)},
                                   {.id = 4, .peer = nodes_peer(1)},
                                   {.id = agent.id},
                                   {.id = 9, .peer = nodes_peer(0)}};
    refs[5].peer.bytes[10] ^= 1;
    return refs[next(in) % 6];
}

static struct trp_bytes next_type(struct input *in)
{
    static const char *const types[] = {"agent", "frail", "nothing", ""};
    uint8_t which = next(in);
    return which % 5 == 4 ? next_bytes(in) : trp_bytes_text(types[which % 5]);
}

static void make_request(struct input *in)
{
    static const char *const messages[] = {"add", "meet", "fail", "ponder", "bytes", "unheard"};
    uint8_t kind = next(in);
    const struct trp_request_envelope request = {
        .kind = (enum trp_envelope_kind)(kind % TRP_ENVELOPE_OUTBOUND_FAILURE),
        .immediate = kind >= 128,
        .actor = next_ref(in),
        .other = next_ref(in),
        .actor_type = next_type(in),
        .other_type = next_type(in),
        .message = trp_bytes_text(messages[next(in) % 6]),
        .payload = next_bytes(in),
        .mailbox_timeout_ns = next(in) % 2 == 0 ? TRP_NEVER : TRP_MS(next(in)),
        .reply_timeout_ns = next(in) % 2 == 0 ? TRP_NEVER : TRP_MS(next(in)),
        .cause = {.root = (enum trp_stop_reason)(kind % 4),
                  .links_count = kind % 3,
                  .links = {agent, frail},
                  .text = next_bytes(in)}};
    if (trp_request_envelope_encode(&request, peer.request, sizeof peer.request,
                                    &peer.request_size) != TRP_OK) {
        peer.request_size = 0; /* texts that are no UTF-8 */
    }
}

static void make_answer(struct input *in)
{
    uint8_t what = next(in);
    const struct trp_response_envelope response = {
        .kind = (enum trp_envelope_kind)(what % (TRP_ENVELOPE_OUTBOUND_FAILURE + 1)),
        .error = (enum trp_send_error)(next(in) % (TRP_SEND_UNSUPPORTED_PROTOCOLS + 1)),
        .payload = next_bytes(in),
        .actor_type = next_type(in),
        .text = next_type(in)};
    if (trp_response_envelope_encode(&response, peer.answer, sizeof peer.answer,
                                     &peer.answer_size) != TRP_OK) {
        peer.answer_size = 0;
    }
}

/* ---- what is done ---- */

static void command(struct input *in)
{
    static const enum trp_command_kind kinds[] = {TRP_CMD_ASK,    TRP_CMD_TELL,     TRP_CMD_LINK,
                                                  TRP_CMD_UNLINK, TRP_CMD_REGISTER, TRP_CMD_LOOKUP,
                                                  TRP_CMD_STOP,   TRP_CMD_PING};
    static const uint8_t add[] = {0x81, 0xa6, 'a', 'm', 'o', 'u', 'n', 't', 0x01};
    uint8_t what = next(in);
    struct trp_command wanted = {.kind = kinds[what % 8],
                                 .all = what >= 128,
                                 .immediate = what >= 64,
                                 .ref = next_ref(in),
                                 .other = next_ref(in),
                                 .name = trp_bytes_text("name"),
                                 .actor_type = next_type(in),
                                 .message = trp_bytes_text(what % 16 < 8 ? "add" : "ponder"),
                                 .payload = trp_bytes(add, sizeof add)};
    commands[commands_count++] = nodes_command(0, wanted);
}

static void step(struct input *in)
{
    uint8_t what = next(in);
    switch (what % 9) {
    case 0: {
        struct trp_bytes raw = next_bytes(in);
        peer.request_size = raw.size;
        if (raw.size > 0) {
            memcpy(peer.request, raw.data, raw.size);
        }
        peer_send();
        break;
    }
    case 1:
    case 2:
    case 3:
        make_request(in);
        peer_send();
        break;
    case 4:
        make_answer(in);
        break;
    case 5:
    case 6:
        command(in);
        break;
    case 7:
        peer.hangs = what >= 200;
        if (what % 4 == 0) {
            trp_world_reset(nodes.world, 0, &(struct trp_reset){.share_ppm = 1000000}, 0);
        }
        break;
    default:
        break;
    }
    (void)nodes_command(1, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step of the peer */
    nodes_run(TRP_MS(next(in) % 64 * 20));
}

static void begin(uint8_t rules)
{
    static struct trp_behaviour behaviour;
    static const struct trp_access_rule access[] = {
        {.rights = TRP_ACCESS_MESSAGE, .actor_type = "agent"},
        {.rights = TRP_ACCESS_MESSAGE | TRP_ACCESS_LINK, .peer = {.size = 2}}};
    peer = (struct peer){0};
    commands_count = 0;
    behaviour = (struct trp_behaviour){.ops = &peer_ops, .self = &peer};
    nodes_open(2, 13);
    nodes.hosts[0].config.security = TRP_SECURITY_PLAINTEXT;
    nodes.hosts[0].config.accept_unlinked_deaths = rules % 2 == 0;
    nodes.hosts[0].config.limits = (struct trp_limits){
        .mailbox_messages = 4, .links_per_peer = 3, .types = 2, .requests_per_connection = 8};
    nodes.hosts[0].config.access = access;
    nodes.hosts[0].config.access_count = rules / 2 % 3;
    nodes.hosts[1].config = (struct trp_node_config){.bare = true,
                                                     .security = TRP_SECURITY_PLAINTEXT,
                                                     .behaviours = &behaviour,
                                                     .behaviours_count = 1};
    nodes_begin();
    nodes_introduce(1, 0);
    agent = nodes_spawn(0, &agent_type, 'a', NULL);
    frail = nodes_spawn(0, &frail_type, 'f', NULL);
}

/* A new actor answers: the one of the test may have ended by now. */
static void check_serves(void)
{
    struct trp_actor_ref fresh = nodes_spawn(0, &agent_type, 'z', NULL);
    const struct agent_add add = {.amount = 1};
    TRP_ASSERT(nodes_do(0, nodes_ask(&fresh, &agent_add_type, &add))->value.status == TRP_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    begin(next(&in));
    for (uint32_t i = 0; i < STEPS_MAX && in.size > 0; i++) {
        step(&in);
        nodes.log_size = 0;
    }
    nodes_run(TRP_MIN(1));
    struct trp_node_view view;
    trp_node_inspect(nodes.hosts[0].node, &view);
    TRP_ASSERT(view.requests == 0 && view.memory_bytes < (8u << 20));
    for (uint32_t i = 0; i < commands_count; i++) {
        TRP_ASSERT(nodes_find(commands[i]) != NULL); /* and but one, which it checks */
    }
    check_serves();
    nodes_close();
    return 0;
}
