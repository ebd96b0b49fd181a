/* SPDX-License-Identifier: MIT */
/* interop/troupe/peer.h - our side of the interoperability tests: a node that is told by lines of
 * text what to do. The vocabulary is that of every peer here: see tests/interop/README.md.
 *
 * main.c     options, the loop, commands, what the node itself does
 * talk.c     a user's behaviour: the stream protocols of these tests, and libp2p's ping
 * dht.c      Kademlia and request-response on protocol ids of these tests */
#ifndef INTEROP_PEER_H
#define INTEROP_PEER_H

#include <troupe/swarm.h>
#include <troupe/uv.h>

#define WORDS_MAX    8u  /* of a command */
#define JOB_ID_BYTES 24u /* of what names a command in its answer */

#define PROTOCOL_PREFIX "/troupe/interop/"
#define PROTOCOL_ECHO   PROTOCOL_PREFIX "echo/1.0.0"
#define PROTOCOL_BULK   PROTOCOL_PREFIX "bulk/1.0.0"
#define PROTOCOL_HOLD   PROTOCOL_PREFIX "hold/1.0.0"
#define PROTOCOL_EARLY  PROTOCOL_PREFIX "early/1.0.0"
#define PROTOCOL_CBOR   PROTOCOL_PREFIX "cbor/1.0.0"
#define PROTOCOL_JSON   PROTOCOL_PREFIX "json/1.0.0"
#define PROTOCOL_KAD    PROTOCOL_PREFIX "kad/1.0.0"
#define PROTOCOL_PING   "/ipfs/ping/1.0.0"

struct talker;
struct dht;

struct peer {
    struct trp_runtime *runtime;
    struct trp_swarm *swarm;
    struct talker *talker;
    struct dht *dht;
    bool quit;
};

/* A command taken apart: words[0] names it in its answer, words[1] is the verb. */
struct order {
    uint32_t count;
    char *words[WORDS_MAX];
};

/* Prints a line at once. */
void say(const char *format, ...) TRP_PRINTF(1, 2);
/* Answers a command that came to nothing. */
void say_failed(const char *id, enum trp_status status);
/* Reads hexadecimal digits in place; false when they are none. */
bool hex_decode(char *text, struct trp_bytes *ret_bytes);
/* Prints bytes as hexadecimal digits. */
void say_hex(struct trp_bytes bytes);

struct talker *talker_open(void);
void talker_close(struct talker *talker);
struct trp_behaviour talker_behaviour(struct talker *talker);
/* Each does a command of its own, or gives false when it is another's. */
bool talker_order(struct talker *talker, const struct order *order);

struct dht *dht_open(const char *kad_protocol);
void dht_close(struct dht *dht);
#define DHT_BEHAVIOURS 3u
void dht_behaviours(struct dht *dht, struct trp_behaviour ret_behaviours[DHT_BEHAVIOURS]);
bool dht_order(struct dht *dht, const struct order *order);
/* Says what came to an end since the last look; true when the node is to step for what was done. */
bool dht_poll(struct dht *dht);

#endif
