/* SPDX-License-Identifier: MIT */
/* The part of the table that speaks of the network and of what happens to it. */
#include "scenarios/lang/schema.h"

#include "scenarios/lang/draft.h"

/* ---- network ---- */

/* A share of the datagrams of a path that something happens to. */
#define DATAGRAM_SHARE_KEY(name_, value_, what, struct_, path_, with_, otherwise)                  \
    {                                                                                              \
        .name = (name_), .type = LANG_SHARE, .value = TRP_LINK_##value_,                           \
        .offset = offsetof(struct_, path_), .with = (with_), .unless = (otherwise),                \
        .about = "Datagrams only: how many of them; " what ".", .example = name_ ": 1%"            \
    }

/* The keys of a path; in a timeline they belong to `link:`. */
#define LINK_KEYS(struct_, path_, with_, otherwise)                                                \
    {.name = "latency",                                                                            \
     .type = LANG_SPREAD,                                                                          \
     .value = TRP_LINK_LATENCY,                                                                    \
     .offset = offsetof(struct_, path_.latency),                                                   \
     .with = (with_),                                                                              \
     .unless = (otherwise),                                                                        \
     .about = "One way; bytes of one connection stay in order.",                                   \
     .example = "latency: \"lognormal(p50=40ms, p99=180ms)\""},                                    \
        {.name = "jitter",                                                                         \
         .type = LANG_SHARE_WIDE,                                                                  \
         .value = TRP_LINK_JITTER,                                                                 \
         .offset = offsetof(struct_, path_.jitter_ppm),                                            \
         .with = (with_),                                                                          \
         .unless = (otherwise),                                                                    \
         .about = "How much of the latency is drawn anew for each segment; the rest stays as it "  \
                  "was. Where nothing is said: all of it.",                                        \
         .example = "jitter: 20%"},                                                                \
        {.name = "loss",                                                                           \
         .type = LANG_SHARE,                                                                       \
         .value = TRP_LINK_LOSS,                                                                   \
         .offset = offsetof(struct_, path_.loss_ppm),                                              \
         .with = (with_),                                                                          \
         .unless = (otherwise),                                                                    \
         .about = "Segments lost. Over TCP a loss is a stall for one retransmission timeout, "     \
                  "which doubles while losses follow each other.",                                 \
         .example = "loss: 0.1%"},                                                                 \
        {.name = "rate",                                                                           \
         .type = LANG_RATE,                                                                        \
         .value = TRP_LINK_RATE,                                                                   \
         .offset = offsetof(struct_, path_.rate_bits_per_s),                                       \
         .with = (with_),                                                                          \
         .unless = (otherwise),                                                                    \
         .about = "Bits per second that get through, or `unlimited`.",                             \
         .example = "rate: 20Mbit"},                                                               \
        {.name = "queue",                                                                          \
         .type = LANG_TIME,                                                                        \
         .value = TRP_LINK_QUEUE,                                                                  \
         .offset = offsetof(struct_, path_.queue_ns),                                              \
         .with = (with_),                                                                          \
         .unless = "200ms where there is a rate",                                                  \
         .about = "How much of the rate may wait before the sender feels it.",                     \
         .example = "queue: 200ms"},                                                               \
        {.name = "burst",                                                                          \
         .type = LANG_TIME,                                                                        \
         .value = TRP_LINK_BURST,                                                                  \
         .offset = offsetof(struct_, path_.burst_ns),                                              \
         .with = (with_),                                                                          \
         .unless = (otherwise),                                                                    \
         .about = "Datagrams only: `loss` strikes all of such a span, or none.",                   \
         .example = "burst: 50ms"},                                                                \
        {.name = "mtu",                                                                            \
         .type = LANG_LIMIT_WIDE,                                                                  \
         .value = TRP_LINK_MTU,                                                                    \
         .offset = offsetof(struct_, path_.mtu_bytes),                                             \
         .with = (with_),                                                                          \
         .unless = (otherwise),                                                                    \
         .about = "Datagrams only: larger ones are lost, the 28 bytes of IPv4 and UDP included.",  \
         .example = "mtu: 1280B"},                                                                 \
        DATAGRAM_SHARE_KEY("duplicate", DUPLICATE, "they come twice", struct_,                     \
                           path_.duplicate_ppm, with_, otherwise),                                 \
        DATAGRAM_SHARE_KEY("reorder", REORDER,                                                     \
                           "they are held for up to 100 ms, so that later ones overtake them",     \
                           struct_, path_.reorder_ppm, with_, otherwise),                          \
        DATAGRAM_SHARE_KEY("corrupt", CORRUPT, "one bit is another, past every checksum", struct_, \
                           path_.corrupt_ppm, with_, otherwise),                                   \
        DATAGRAM_SHARE_KEY("truncate", TRUNCATE, "they are cut short", struct_,                    \
                           path_.truncate_ppm, with_, otherwise)

static const struct lang_key link_keys[] = {
    LINK_KEYS(struct draft_link, link.path, NULL, "as in `default:`, and there: none"),
};

static const struct lang_section link_section = {.name = "links",
                                                 .keys = link_keys,
                                                 .keys_count = LANG_COUNT_OF(link_keys),
                                                 .size = sizeof(struct draft_link),
                                                 .bits_offset =
                                                     offsetof(struct draft_link, link.keys)};

static const struct lang_choice transports[] = {{"tcp", TRP_PLAN_TCP, false, "TCP, yamux on top"},
                                                {"ws", 0, true, "WebSocket"},
                                                {"quic", 0, true, "QUIC"},
                                                {NULL, 0, false, NULL}};

static const struct lang_choice securities[] = {
    {"noise", TRP_PLAN_NOISE, false, "Noise XX, as on a real network"},
    {"plaintext", TRP_PLAN_PLAINTEXT, false, "no encryption: for the largest runs"},
    {"tls", 0, true, "libp2p TLS"},
    {NULL, 0, false, NULL}};

static const struct lang_key network_keys[] = {
    {.name = "transport",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_network, transport),
     .usual = "tcp",
     .choices = transports,
     .about = "What connections are made of.",
     .example = "transport: tcp"},
    {.name = "security",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_network, security),
     .usual = "noise",
     .choices = securities,
     .about = "How connections are secured.",
     .example = "security: noise"},
    {.name = "links",
     .type = LANG_TABLE,
     .offset = offsetof(struct draft_network, links),
     .unless = "paths without delay, loss or bound",
     .section = &link_section,
     .about =
         "Paths between hosts. `default` is for all; \"A <-> B\" changes some keys between the "
         "hosts of A and of B, \"A -> B\" only in that direction. Ends are zones, groups or "
         "selectors that draw nothing; a word that is both a zone and a group means the zone. "
         "Where several apply, later ones win key by key.",
     .example = "links:\n  default: { latency: 40ms, rate: 20Mbit }\n"
                "  \"west <-> east\": { latency: 120ms }"}};

const struct lang_section lang_network_section = {.name = "network",
                                                  .keys = network_keys,
                                                  .keys_count = LANG_COUNT_OF(network_keys),
                                                  .size = sizeof(struct draft_network)};

/* ---- timeline ---- */

const struct lang_choice lang_states[] = {
    {"kept", TRP_PLAN_STATE_KEPT, false, "identity and saved state survive"},
    {"lost", TRP_PLAN_STATE_LOST, false, "the host comes back as a new node"},
    {"partial", 0, true, "the newest part of the saved state is lost"},
    {NULL, 0, false, NULL}};

static const struct lang_choice modes[] = {
    {"blackhole", TRP_CUT_BLACKHOLE, false, "silence"},
    {"refuse", TRP_CUT_REFUSE, false, "the sender sees an error"},
    {NULL, 0, false, NULL}};

static const struct lang_choice directions[] = {
    {"both", TRP_PLAN_BOTH, false, "nothing gets through"},
    {"forward", TRP_PLAN_FORWARD, false, "what an earlier side sends to a later one is cut"},
    {"backward", TRP_PLAN_BACKWARD, false, "what a later side sends to an earlier one is cut"},
    {NULL, 0, false, NULL}};

static const struct lang_choice shapes[] = {
    {"sides", TRP_PLAN_SHAPE_SETS, false, "the listed sides"},
    {"halves", TRP_PLAN_SHAPE_HALVES, false, "two drawn halves"},
    {"isolate", TRP_PLAN_SHAPE_ISOLATE, false, "each of the hosts is cut from all others"},
    {"bridge", TRP_PLAN_SHAPE_BRIDGE, false, "two drawn halves and one host that sees both"},
    {"ring", TRP_PLAN_SHAPE_RING, false, "each sees a majority, no two the same"},
    {NULL, 0, false, NULL}};

#define HOSTS_KEY(name_, value_, about_, example_)                                                 \
    {                                                                                              \
        .name = (name_), .type = LANG_HOSTS, .action = true, .value = (value_),                    \
        .offset = offsetof(struct draft_action, action.on), .about = (about_),                     \
        .example = (example_)                                                                      \
    }
#define ACTOR_KEY(name_, value_, about_)                                                           \
    {                                                                                              \
        .name = (name_), .type = LANG_TARGET, .action = true, .value = (value_),                   \
        .offset = offsetof(struct draft_action, action.actor), .about = (about_),                  \
        .example = name_ ": counter-7"                                                             \
    }

static const struct lang_key timeline_keys[] = {
    {.name = "at",
     .type = LANG_TIME,
     .required = true,
     .offset = offsetof(struct draft_action, action.at),
     .about = "When it happens.",
     .example = "at: 3min"},
    {.name = "name",
     .type = LANG_WORD,
     .offset = offsetof(struct draft_action, action.name),
     .unless = "made from the action and its time: partition@3min",
     .about = "What `heal:` and `after:` call it, and what its draws are keyed by.",
     .example = "name: split"},
    {.name = "partition",
     .type = LANG_SIDES,
     .action = true,
     .value = TRP_PLAN_PARTITION,
     .offset = offsetof(struct draft_action, sides),
     .about = "Cut the listed sides from each other; data in flight is hit too. Hosts in no side "
              "see everyone. With `shape:`, one selector whose hosts are divided.",
     .example = "{ at: 3min, partition: [ \"boot + west\", east ] }"},
    {.name = "heal",
     .type = LANG_TEXT,
     .action = true,
     .value = TRP_PLAN_HEAL,
     .offset = offsetof(struct draft_action, heal),
     .about = "End `all` partitions and link changes, or the one of that name.",
     .example = "{ at: 5min, heal: all }"},
    {.name = "link",
     .type = LANG_TEXT,
     .action = true,
     .value = TRP_PLAN_LINK,
     .offset = offsetof(struct draft_action, link),
     .about = "Change paths, as in `network.links`.",
     .example = "{ at: 2min, link: \"west <-> east\", latency: 2s, for: 30s }"},
    HOSTS_KEY("reset", TRP_PLAN_RESET, "Reset the connections of these hosts.",
              "{ at: 2min, reset: west, share: 50% }"),
    HOSTS_KEY("crash", TRP_PLAN_CRASH,
              "End the process without goodbye; its connections become half-open.",
              "{ at: 6min, crash: \"random(5, of=west)\", restart: 30s, state: lost }"),
    HOSTS_KEY("pause", TRP_PLAN_PAUSE, "Stop clock and CPU of these hosts for a while.",
              "{ at: 4min, pause: \"random(10%)\", for: 20s }"),
    ACTOR_KEY("stop", TRP_PLAN_STOP, "Stop an actor after the messages it already has."),
    ACTOR_KEY("kill", TRP_PLAN_KILL, "Stop an actor at once."),
    HOSTS_KEY("leave", TRP_PLAN_LEAVE, "Say goodbye, withdraw names, end.",
              "{ at: 7min, leave: \"west[0..4]\" }"),
    HOSTS_KEY("join", TRP_PLAN_JOIN, "Start those of these hosts that are down.",
              "{ at: 8min, join: late }"),
    {.name = "for",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_action, action.for_ns),
     .with = " partition link pause ",
     .unless = "until it is healed, or for good",
     .about = "How long it lasts.",
     .example = "for: 30s"},
    {.name = "mode",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_action, action.mode),
     .with = " partition ",
     .usual = "blackhole",
     .choices = modes,
     .about = "What a sender across the cut sees.",
     .example = "mode: refuse"},
    {.name = "direction",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_action, action.direction),
     .with = " partition ",
     .usual = "both",
     .choices = directions,
     .about = "Which way is cut, by the order of the sides.",
     .example = "direction: forward"},
    {.name = "shape",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_action, action.shape),
     .with = " partition ",
     .usual = "sides",
     .choices = shapes,
     .about = "How to divide the hosts of one selector. A list with `ring` is the ring itself.",
     .example = "{ at: 3min, partition: all, shape: bridge }"},
    {.name = "share",
     .type = LANG_SHARE,
     .offset = offsetof(struct draft_action, action.share_ppm),
     .with = " reset ",
     .usual = "100%",
     .about = "How many of the connections.",
     .example = "share: 50%"},
    {.name = "connections",
     .type = LANG_PAIRS,
     .offset = offsetof(struct draft_action, pairs),
     .with = " reset ",
     .unless = "drawn by `share`",
     .about = "The very connections instead of a drawn share: all between each two hosts.",
     .example = "connections: [ \"west[3] east[1]\" ]"},
    {.name = "restart",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_action, action.restart_ns),
     .with = " crash ",
     .unless = "the hosts stay down",
     .about = "How long after the crash they start again.",
     .example = "restart: 30s"},
    {.name = "state",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_action, action.state),
     .with = " crash ",
     .unless = "as the group of the host says",
     .choices = lang_states,
     .about = "What the crash leaves.",
     .example = "state: lost"},
    LINK_KEYS(struct draft_action, action.link.path, " link ", "unchanged"),
    {.name = "stall",
     .type = LANG_FLAG,
     .value = TRP_LINK_STALL,
     .offset = offsetof(struct draft_action, action.link.path.stall),
     .with = " link ",
     .unless = "unchanged",
     .about = "Hold the bytes, and release them in order when it ends.",
     .example = "stall: true"}};

const struct lang_section lang_timeline_section = {
    .name = "timeline",
    .keys = timeline_keys,
    .keys_count = LANG_COUNT_OF(timeline_keys),
    .size = sizeof(struct draft_action),
    .kind_offset = offsetof(struct draft_action, action.kind),
    .bits_offset = offsetof(struct draft_action, action.link.keys),
    .planned = " slow factor clock offset drift "};
