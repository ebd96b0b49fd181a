/* SPDX-License-Identifier: MIT */
/* troupe/access.h - who may do what on a node: an allow-list of peers, per actor type where wanted.
 *
 * A right that no rule speaks of is everybody's, as with Kameo. A right that some rule speaks of
 * belongs to those whom a rule gives it. Rules that name an actor type are the only ones that count
 * for actors of that type; rules without one count for all other types.
 *
 *     {TRP_ACCESS_CONNECT, a}, {TRP_ACCESS_CONNECT, b}    a, b and nobody else
 *     {TRP_ACCESS_MESSAGE, a, "admin"}                    only a may message admins
 *
 * What is refused is traced (access_refused) and answered: a connection is closed before it is
 * used, a message or link gets Kameo's UnknownActor. */
#ifndef TROUPE_ACCESS_H
#define TROUPE_ACCESS_H

#include <troupe/base.h>
#include <troupe/peer_id.h>

TRP_EXTERN_C_BEGIN

enum trp_access_right {
    TRP_ACCESS_CONNECT = 1, /* be connected with us, whoever dials */
    TRP_ACCESS_MESSAGE = 2, /* ask and tell */
    TRP_ACCESS_LINK = 4     /* link and unlink: whose end it may be when the other side dies */
};

struct trp_access_rule {
    uint32_t rights;         /* enum trp_access_right, added up */
    struct trp_peer_id peer; /* who has them; size 0: everybody */
    const char *actor_type;  /* MESSAGE, LINK: with actors of this type; NULL: of any */
};

TRP_EXTERN_C_END

#endif
