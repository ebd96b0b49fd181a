/* SPDX-License-Identifier: MIT */
/* examples/greeter.h - an actor type of one message, used by the programs of this folder.
 *
 *   greet { name: text } -> text */
#ifndef EXAMPLES_GREETER_H
#define EXAMPLES_GREETER_H

#include <troupe/actor.h>

#define GREETER_GREET(FIELD, TAG)    FIELD(TAG, TEXT, name)
#define GREETER_GREETING(FIELD, TAG) FIELD(TAG, TEXT, text)

TRP_MESSAGE_DECLARE(greeter_greet, GREETER_GREET);
TRP_MESSAGE_DECLARE(greeter_greeting, GREETER_GREETING);

extern const struct trp_actor_type greeter_actor_type;

#endif
