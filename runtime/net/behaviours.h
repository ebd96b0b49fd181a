/* SPDX-License-Identifier: MIT */
/* net/behaviours.h - the hooks of all behaviours, called one after the other in their order.
 *
 * Only the work loop of the swarm calls these, apart from the protocols, which are a mere question.
 */
#ifndef NET_BEHAVIOURS_H
#define NET_BEHAVIOURS_H

#include "net/state.h"

#define TRP_BEHAVIOUR_PROTOCOLS_MAX 64u /* of one behaviour */

/* The first refusal, or TRP_OK. */
enum trp_status trp_behaviours_admit(struct trp_swarm *swarm,
                                     const struct trp_connection_info *info) TRP_NODISCARD;
void trp_behaviours_connected(struct trp_swarm *swarm, const struct trp_connection_info *info);
void trp_behaviours_disconnected(struct trp_swarm *swarm, const struct trp_connection_info *info,
                                 enum trp_status reason);
void trp_behaviours_dial_failed(struct trp_swarm *swarm, const struct trp_dial_report *report);
void trp_behaviours_identified(struct trp_swarm *swarm, const struct trp_identified *identified);
void trp_behaviours_self_changed(struct trp_swarm *swarm);
trp_time trp_behaviours_deadline(const struct trp_swarm *swarm);
/* Expires those that are due; false when none is. */
bool trp_behaviours_expire(struct trp_swarm *swarm);
/* Gives a reference to the table of the protocols accepted now; NULL when out of memory. */
struct trp_protocol_table *trp_behaviours_accepted(struct trp_swarm *swarm);
void trp_protocol_table_release(struct trp_swarm *swarm, struct trp_protocol_table *table);

#endif
