/* SPDX-License-Identifier: MIT */
/* workload/ping.h - actors in a ring: asks that pass through many, and a token that goes round.
 *
 *   next { name: text } -> bool    finds its successor by name
 *   ping {} -> u64                 how many tokens have passed here
 *   chain { hops: u32 } -> u32     asks its successor for one less, and so on; how many answered
 *   token { left: u64 }            a tell: passed on with one less until none is left
 *
 * Whoever has no successor, or hears an error from it, answers `chain` with an error. */
#ifndef WORKLOAD_PING_H
#define WORKLOAD_PING_H

#include <troupe/actor.h>

#define PING_NAME(FIELD, TAG)  FIELD(TAG, TEXT, name)
#define PING_FOUND(FIELD, TAG) FIELD(TAG, BOOL, found)
#define PING_COUNT(FIELD, TAG) FIELD(TAG, U64, passed)
#define PING_HOPS(FIELD, TAG)  FIELD(TAG, U32, hops)
#define PING_LEFT(FIELD, TAG)  FIELD(TAG, U64, left)
#define PING_ERROR(FIELD, TAG) FIELD(TAG, TEXT, text)

TRP_MESSAGE_DECLARE(ping_next, PING_NAME);
TRP_MESSAGE_DECLARE(ping_found, PING_FOUND);
TRP_MESSAGE_DECLARE_EMPTY(ping_ping);
TRP_MESSAGE_DECLARE(ping_count, PING_COUNT);
TRP_MESSAGE_DECLARE(ping_chain, PING_HOPS);
TRP_MESSAGE_DECLARE(ping_hops, PING_HOPS);
TRP_MESSAGE_DECLARE(ping_token, PING_LEFT);
TRP_MESSAGE_DECLARE(ping_error, PING_ERROR);

extern const struct trp_actor_type ping_actor_type;

#endif
