/* SPDX-License-Identifier: MIT */
#include "remote/state.h"

static const char *right_text(enum trp_access_right right)
{
    switch (right) {
    case TRP_ACCESS_CONNECT:
        return "connect";
    case TRP_ACCESS_MESSAGE:
        return "message";
    case TRP_ACCESS_LINK:
        break;
    }
    return "link";
}

/* Says whether the rules for `actor_type` (NULL: those without one) give the right; *ret_any
 * whether there are any. */
static bool rules_allow(const struct trp_remote *remote, const struct trp_peer_id *peer,
                        enum trp_access_right right, const struct trp_bytes *actor_type,
                        bool *ret_any)
{
    bool allowed = false;
    *ret_any = false;
    for (uint32_t i = 0; i < remote->config.access_count; i++) {
        const struct trp_access_rule *rule = &remote->config.access[i];
        bool fits = actor_type == NULL
                        ? rule->actor_type == NULL
                        : rule->actor_type != NULL &&
                              trp_bytes_equal(trp_bytes_text(rule->actor_type), *actor_type);
        if ((rule->rights & (uint32_t)right) != 0 && fits) {
            *ret_any = true;
            allowed = allowed || rule->peer.size == 0 || trp_peer_id_equal(&rule->peer, peer);
        }
    }
    return allowed;
}

enum trp_status trp_remote_access(struct trp_remote *remote, const struct trp_peer_id *peer,
                                  enum trp_access_right right, struct trp_bytes actor_type)
{
    bool any;
    if (remote->config.access_count == 0) {
        return TRP_OK;
    }
    bool allowed = rules_allow(remote, peer, right, &actor_type, &any);
    if (!any) {
        allowed = rules_allow(remote, peer, right, NULL, &any);
    }
    if (allowed || !any) {
        return TRP_OK;
    }
    trp_trace_access_refused(
        remote->config.trace,
        &(struct trp_event_access_refused){
            .peer = peer, .right = trp_bytes_text(right_text(right)), .actor_type = actor_type});
    return TRP_EDENIED;
}

enum trp_status trp_remote_admit(void *self, const struct trp_connection_info *connection)
{
    return trp_remote_access(self, &connection->peer, TRP_ACCESS_CONNECT, TRP_BYTES_NONE);
}
