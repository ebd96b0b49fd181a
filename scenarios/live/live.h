/* SPDX-License-Identifier: MIT */
/* live/live.h - real sockets in real time as the network of a run.
 *
 * Every host is a node in this process, with a loopback address of its own (127.x.y.z) on one libuv
 * loop; a gate between each node and its sockets makes the scenario's paths and faults. Nothing is
 * reproducible: keys, seeds and the order of things come from the machine.
 * Limits     TRP_LIVE_HOSTS_MAX hosts. */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include "scenarios/harness/network.h"

#define TRP_LIVE_HOSTS_MAX 200u

/* Gives what of a plan cannot be had on real sockets, and where it is said: false, and a text for
 * people. */
bool trp_live_can_run(const struct trp_plan *plan, struct trp_place *ret_place,
                      char ret_problem[256]);
/* For a struct trp_network_opener; `user` is ignored. TRP_ENOMEM, TRP_EIO. */
enum trp_status trp_network_open_live(void *user, const struct trp_network_config *config,
                                      struct trp_network *ret_network) TRP_NODISCARD;

#endif
