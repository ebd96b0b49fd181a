/* SPDX-License-Identifier: MIT */
/* lang/plan.h - a checked scenario as plain typed data: what a harness runs.
 *
 * Everything here was checked: references are resolved to indices, times lie within the run,
 * selectors and names parse. What reaches the world is an integer: nanoseconds, millionths, bits
 * per second.
 * Hosts      Numbered from 0 through the groups in the order of the file; group g holds the hosts
 *            first .. first + count - 1. This is the order for trp_world_add_host.
 * Draws      Whatever draws for an entry keys it with the entry's `entity`, a hash of its name: an
 *            entry that is left out moves no draw of another.
 * Ownership  A plan belongs to its load (lang/load.h) and lives as long; actor and message types
 *            belong to the vocabulary it was checked with. */
#ifndef LANG_PLAN_H
#define LANG_PLAN_H

#include <troupe/actor.h>
#include <troupe/limits.h>
#include <troupe/node.h>
#include <troupe/sim.h>

#define TRP_PLAN_NONE      UINT32_MAX /* of an index: there is none */
#define TRP_PLAN_HOSTS_MAX 65536u

/* Where something was written; for messages of a harness. */
struct trp_place {
    const char *file;
    uint32_t line;   /* from 1 */
    uint32_t column; /* in characters, from 1 */
};

/* ---- selectors ---- */

enum trp_selector_kind {
    TRP_SELECT_ALL,     /* every host */
    TRP_SELECT_NONE,    /* no host at all */
    TRP_SELECT_ANY,     /* one host, drawn anew each time */
    TRP_SELECT_RANGE,   /* hosts first .. last: a group or a part of it */
    TRP_SELECT_ZONE,    /* hosts of the groups with this zone: `name` */
    TRP_SELECT_SUM,     /* left or right */
    TRP_SELECT_MINUS,   /* left but not right */
    TRP_SELECT_RANDOM,  /* `count` hosts, or share_ppm of them rounded up, drawn from left */
    TRP_SELECT_CLOSEST, /* the `count` hosts of left whose ids are closest to the key of `name` */
    TRP_SELECT_HOLDERS  /* hosts of left that store a provider record of `name` */
};

struct trp_selector {
    enum trp_selector_kind kind;
    uint32_t ordinal; /* of this node in its expression; keys its draws */
    uint32_t first;
    uint32_t last;
    uint32_t count;
    uint32_t share_ppm;
    const char *name;
    const char *text; /* of the whole expression as written; NULL in inner nodes */
    const struct trp_selector *left;
    const struct trp_selector *right;
    const uint32_t *hosts; /* ascending, when the choice is known before the run; else NULL */
    uint32_t hosts_count;
};

/* ---- names of actors ---- */

enum trp_name_part_kind {
    TRP_NAME_TEXT,       /* `text` as it is */
    TRP_NAME_HOST_INDEX, /* {host.index}: number of the host in the whole scenario */
    TRP_NAME_HOST_GROUP, /* {host.group} */
    TRP_NAME_HOST_ZONE,  /* {host.zone} */
    TRP_NAME_INDEX,      /* {index}: from 0 among the actors of one entry on one host */
    TRP_NAME_RANDOM      /* {random}: drawn among what the matching register: template has here */
};

struct trp_name_part {
    enum trp_name_part_kind kind;
    const char *text;
};

/* A name with placeholders, such as "counter-{host.index}". */
struct trp_name_template {
    const char *text; /* as written */
    const struct trp_name_part *parts;
    uint32_t parts_count;
    uint32_t actor; /* index of the actors: entry that registers such names; of a target only */
};

/* ---- network ---- */

enum trp_plan_transport { TRP_PLAN_TCP };
enum trp_plan_security { TRP_PLAN_NOISE, TRP_PLAN_PLAINTEXT };

/* Which fields of a link are said; the others keep the value they have. */
#define TRP_LINK_LATENCY   (1u << 0)
#define TRP_LINK_JITTER    (1u << 1)
#define TRP_LINK_LOSS      (1u << 2)
#define TRP_LINK_RATE      (1u << 3)
#define TRP_LINK_QUEUE     (1u << 4)
#define TRP_LINK_STALL     (1u << 5)
#define TRP_LINK_BURST     (1u << 6)
#define TRP_LINK_MTU       (1u << 7)
#define TRP_LINK_DUPLICATE (1u << 8)
#define TRP_LINK_REORDER   (1u << 9)
#define TRP_LINK_CORRUPT   (1u << 10)
#define TRP_LINK_TRUNCATE  (1u << 11)

/* What a pair of zones or groups has different from the default, or a fault changes. */
struct trp_plan_link {
    const char *text; /* "west <-> east" */
    const struct trp_selector *from;
    const struct trp_selector *to;
    bool both; /* <-> : also from `to` to `from` */
    uint32_t keys;
    struct trp_path path;
    struct trp_place place;
};

/* ---- hosts and actors ---- */

enum trp_plan_state { TRP_PLAN_STATE_OF_GROUP, TRP_PLAN_STATE_KEPT, TRP_PLAN_STATE_LOST };

/* How the hosts of a group behave. Adversaries run no actors and do no operations; see
 * scenarios/adversary. */
enum trp_plan_conduct {
    TRP_PLAN_HONEST,
    TRP_PLAN_FLOOD,     /* opens connections without end, and says nothing */
    TRP_PLAN_SLOW,      /* begins as any peer would, one byte at a time */
    TRP_PLAN_SILENT,    /* takes connections and never answers */
    TRP_PLAN_TRUNCATE,  /* begins, and breaks off */
    TRP_PLAN_MALFORMED, /* sends what no handshake allows */
    TRP_PLAN_OVERSIZE,  /* announces messages beyond any limit */
    TRP_PLAN_LIE,       /* answers the DHT with inventions, and puts them there */
    TRP_PLAN_STREAMS    /* opens streams without end */
};

struct trp_plan_group {
    const char *name;
    const char *zone; /* the group's name unless said */
    uint32_t first;
    uint32_t count;
    const struct trp_selector *bootstrap; /* hosts each of these dials to join; NULL: none */
    const struct trp_selector *const *bootstraps; /* instead, one for each host; NULL: not said */
    struct trp_dist start;     /* moment of start per host; constant TRP_NEVER: waits for join: */
    const trp_time *starts;    /* instead, one for each host; NULL: not said */
    enum trp_plan_state state; /* what a crash leaves unless it says so: KEPT or LOST */
    enum trp_plan_conduct conduct;
    const struct trp_selector *against; /* whom an adversary attacks; NULL: all honest hosts */
    trp_time every_ns;                  /* from one attack to the next; 0: as is usual for it */
    enum trp_mdns_use mdns;             /* on the LAN of the zone */
    struct trp_limits limits; /* zero fields: the default; limits: of the file merged in */
    struct trp_place place;
};

/* Spawned on each host of `on` whenever that host starts. */
struct trp_plan_actor {
    const struct trp_actor_type *type;
    const char *type_name;
    const struct trp_selector *on;        /* evaluated once, at the start */
    const struct trp_name_template *name; /* NULL: not registered */
    uint32_t count;                       /* per host */
    struct trp_bytes args;                /* a message of type->args in msgpack */
    uint64_t entity;
    struct trp_place place;
};

/* ---- workload ---- */

enum trp_plan_operation { TRP_PLAN_LOOKUP, TRP_PLAN_ASK, TRP_PLAN_TELL };

/* One operation that is not drawn. */
struct trp_plan_occasion {
    trp_time at;
    uint32_t host;
    const char *target; /* the name, without placeholders */
};

struct trp_plan_workload {
    const char *name;
    uint64_t entity;
    trp_time from;
    trp_time until;        /* the end of the run unless said */
    struct trp_dist every; /* from one operation to the next, whole file-wide, not per host */
    const struct trp_selector *on; /* each operation runs on one host drawn from these */
    enum trp_plan_operation operation;
    struct trp_name_template target;
    bool all;                                  /* lookup: every actor of the name */
    const struct trp_actor_handler *handler;   /* ask, tell: message and reply types */
    struct trp_bytes args;                     /* the message in msgpack */
    trp_time timeout_ns;                       /* of the reply; 0: the node's request timeout */
    const struct trp_plan_occasion *occasions; /* by time; NULL: drawn by every, on, {random} */
    uint32_t occasions_count;
    struct trp_place place;
};

/* ---- timeline ---- */

enum trp_plan_action_kind {
    TRP_PLAN_PARTITION, /* sets or shape, mode, direction; for */
    TRP_PLAN_HEAL,      /* target: index of the entry that ends; TRP_PLAN_NONE: all */
    TRP_PLAN_LINK,      /* link; for */
    TRP_PLAN_RESET,     /* on, share_ppm */
    TRP_PLAN_CRASH,     /* on, restart_ns, state */
    TRP_PLAN_PAUSE,     /* on; for */
    TRP_PLAN_STOP,      /* actor */
    TRP_PLAN_KILL,      /* actor */
    TRP_PLAN_LEAVE,     /* on: says goodbye, then the process ends */
    TRP_PLAN_JOIN       /* on: hosts that are down start (state as their group says) */
};

enum trp_plan_shape {
    TRP_PLAN_SHAPE_SETS,    /* sets[] against each other; hosts in none of them see everyone */
    TRP_PLAN_SHAPE_HALVES,  /* sets[0] in two drawn halves */
    TRP_PLAN_SHAPE_ISOLATE, /* each host of sets[0] alone, cut from every other host */
    TRP_PLAN_SHAPE_BRIDGE,  /* two drawn halves of sets[0] and one drawn host that sees both */
    TRP_PLAN_SHAPE_RING     /* each host of sets[0] sees the nearest majority on a drawn ring; of
                             * several sets, on the ring in that order */
};

/* The connections of a host with another: all, or the one of this number among those `a` has with
 * `b`, the oldest first. */
struct trp_plan_pair {
    uint32_t a;
    uint32_t b;
    uint32_t number; /* from 1; 0: all */
};

/* FORWARD cuts what an earlier set sends to a later one; BACKWARD the other way. */
enum trp_plan_direction { TRP_PLAN_BOTH, TRP_PLAN_FORWARD, TRP_PLAN_BACKWARD };

struct trp_plan_action {
    const char *name; /* as said, or made: "partition@3min" */
    const char *text; /* in a line, as in the file: "partition: [ west, east ], mode: refuse" */
    uint64_t entity;
    enum trp_plan_action_kind kind;
    trp_time at;
    trp_time for_ns; /* 0: until healed, or for ever */
    const struct trp_selector *on;
    const struct trp_selector *const *sets;
    uint32_t sets_count;
    enum trp_cut mode;
    enum trp_plan_direction direction;
    enum trp_plan_shape shape;
    uint32_t target;
    struct trp_plan_link link;
    uint32_t share_ppm;
    const struct trp_plan_pair *pairs; /* RESET: whose connections, instead of a share; NULL */
    uint32_t pairs_count;
    trp_time restart_ns; /* after the crash; TRP_NEVER: stays down */
    enum trp_plan_state state;
    struct trp_name_template actor;
    uint32_t entry; /* its place in the file's list, from 0 */
    struct trp_place place;
};

/* ---- expectations ---- */

/* What the integer of a metric counts. */
enum trp_unit {
    TRP_UNIT_RATIO,  /* millionths of 1 */
    TRP_UNIT_NUMBER, /* millionths of 1: 2.5 hops are 2500000 */
    TRP_UNIT_SPAN,   /* nanoseconds */
    TRP_UNIT_BYTES
};

/* What is measured: a metric of the world, or one of a workload entry. */
struct trp_plan_metric {
    const char *text;  /* "finds.latency.p99" */
    uint32_t workload; /* index of the entry; TRP_PLAN_NONE: of the world */
    const char *name;  /* "dht.recall_at_k"; without the entry's name: "latency.p99" */
    enum trp_unit unit;
};

enum trp_plan_expect_kind {
    TRP_PLAN_ALWAYS,     /* `name` holds after every happening */
    TRP_PLAN_EVENTUALLY, /* metric comes within bounds in [from, until], and then stays for for_ns
                          */
    TRP_PLAN_METRIC,     /* metric is within bounds: of a workload entry over what began in [from,
                          * until], of the world at every sample there */
    TRP_PLAN_SQL         /* the query's first column of its only row is 1 */
};

struct trp_plan_expect {
    enum trp_plan_expect_kind kind;
    const char *text; /* one line for people, the same for the same meaning */
    const char *name; /* ALWAYS */
    const char *sql;
    struct trp_plan_metric metric;
    bool has_at_least;
    bool has_at_most;
    uint64_t at_least; /* in metric.unit */
    uint64_t at_most;
    trp_time from;  /* EVENTUALLY: after: as a moment */
    trp_time until; /* EVENTUALLY: from + within; with for_ns added not after the run's end */
    trp_time for_ns;
    uint32_t after; /* EVENTUALLY: index of the timeline entry it waits for; TRP_PLAN_NONE */
    struct trp_place place;
};

/* ---- the whole ---- */

struct trp_plan {
    const char *name;
    const char *about;
    const char *const *tags;
    uint32_t tags_count;
    trp_time until_ns;
    uint64_t seed;
    enum trp_plan_transport transport;
    enum trp_plan_security security;
    struct trp_path path; /* network.links.default */
    const struct trp_plan_link *links;
    uint32_t links_count;
    const struct trp_plan_group *groups;
    uint32_t groups_count;
    uint32_t hosts_count;
    const struct trp_plan_actor *actors;
    uint32_t actors_count;
    const struct trp_plan_workload *workload;
    uint32_t workload_count;
    const struct trp_plan_action *timeline; /* by time; entries of one time in file order */
    uint32_t timeline_count;
    const struct trp_plan_expect *expect;
    uint32_t expect_count;
};

/* Gives the group of a host; `host` is below hosts_count. */
const struct trp_plan_group *trp_plan_group_of(const struct trp_plan *plan, uint32_t host);
static inline bool trp_plan_is_honest(const struct trp_plan *plan, uint32_t host)
{
    return trp_plan_group_of(plan, host)->conduct == TRP_PLAN_HONEST;
}

/* Gives the path from one host to another without faults: the default, then each link that
 * applies in the order of the file, field by field. */
void trp_plan_path(const struct trp_plan *plan, uint32_t from, uint32_t to,
                   struct trp_path *ret_path);
/* Puts the fields a link says over those of a path when it applies from `from` to `to`. */
bool trp_plan_link_apply(const struct trp_plan *plan, const struct trp_plan_link *link,
                         uint32_t from, uint32_t to, struct trp_path *path);

/* ---- evaluation at run time ---- */

/* What a selector asks of the running world. A function may be NULL: see each. */
struct trp_selector_world {
    uint64_t seed;    /* of the run */
    uint64_t entity;  /* of the entry */
    uint64_t counter; /* how-manieth evaluation for this entry */
    /* Whether a host is up; draws skip hosts that are down. NULL: all are. */
    bool (*is_up)(void *user, uint32_t host);
    /* Orders hosts by the distance of their id to the key of `name`: writes the same hosts again,
     * closest first. NULL: the selector is TRP_EUNSUPPORTED. */
    void (*sort_by_distance)(void *user, const char *name, uint32_t *hosts, uint32_t hosts_count);
    /* Whether a host stores a provider record of `name`. NULL: TRP_EUNSUPPORTED. */
    bool (*holds)(void *user, uint32_t host, const char *name);
    void *user;
};

/* Writes the chosen hosts, ascending, without doubles; `ret_hosts` has room for plan->hosts_count.
 * random(n) takes the n hosts with the smallest keyed draws, so that a host more or less moves at
 * most one choice. TRP_EUNSUPPORTED, TRP_ENOMEM. */
enum trp_status trp_selector_eval(const struct trp_plan *plan, const struct trp_selector *selector,
                                  const struct trp_selector_world *world, uint32_t *ret_hosts,
                                  uint32_t *ret_count) TRP_NODISCARD;
/* Draws one host that is up from the choice. TRP_ENOTFOUND when there is none, TRP_EUNSUPPORTED,
 * TRP_ENOMEM. */
enum trp_status trp_selector_pick(const struct trp_plan *plan, const struct trp_selector *selector,
                                  const struct trp_selector_world *world,
                                  uint32_t *ret_host) TRP_NODISCARD;
/* Says whether a host is in a choice that is known before the run (selector->hosts). */
bool trp_selector_contains(const struct trp_selector *selector, uint32_t host);

/* Writes the name of an actors: entry's actor `index` on `host` with its NUL; TRP_ETOOBIG. */
enum trp_status trp_plan_actor_name(const struct trp_plan *plan, const struct trp_plan_actor *actor,
                                    uint32_t host, uint32_t index, char *out,
                                    size_t room) TRP_NODISCARD;
/* Writes the name a target (workload, stop:, kill:) means for an operation issued on `host`:
 * `hosts` are those the matching actors: entry was evaluated to, and {random} takes one of them,
 * and one of its actors, by `draw`. TRP_ETOOBIG, TRP_ENOTFOUND (no host). */
enum trp_status trp_plan_target_name(const struct trp_plan *plan,
                                     const struct trp_name_template *target, uint32_t host,
                                     const uint32_t *hosts, uint32_t hosts_count, uint64_t draw,
                                     char *out, size_t room) TRP_NODISCARD;

#endif
