/* SPDX-License-Identifier: MIT */
/* conformance/ground.h - where two processes meet: one implementation per driver. */
#ifndef CONFORMANCE_GROUND_H
#define CONFORMANCE_GROUND_H

#include <troupe/driver.h>

struct ground;

/* Starts two processes, 0 and 1. */
struct ground *ground_open(struct trp_process first, struct trp_process second);
void ground_close(struct ground *ground);
/* Feeds an empty command to a process, so that its waiting outputs leave. */
void ground_kick(struct ground *ground, uint32_t process);
/* Runs until `done` says so; gives whether it did within the ground's patience. */
bool ground_run(struct ground *ground, bool (*done)(void *user), void *user);
/* Runs for a while, and for long enough that what is under way ends. */
void ground_rest(struct ground *ground);
/* The driver's time. */
trp_time ground_now(const struct ground *ground);

/* Where a process can listen, with any port. */
struct trp_multiaddr ground_address(void);
/* A wildcard address with any port. */
struct trp_multiaddr ground_wildcard(void);
/* An address at which nobody listens. */
struct trp_multiaddr ground_closed_address(void);
/* An IP address at which a process is reached by datagrams, with port 0; and a group with the
 * interface that both are on. */
struct trp_udp_address ground_udp(uint32_t process);
struct trp_udp_address ground_group(uint32_t *ret_interface);
/* A name that resolves to an address of process 0, with port 4001; and one that does not. */
struct trp_multiaddr ground_name(void);
struct trp_multiaddr ground_bad_name(void);

#endif
