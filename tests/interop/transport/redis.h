/* SPDX-License-Identifier: MIT */
/* transport/redis.h - the two commands of Redis that the transport interoperability suite meets by.
 *
 * Spec       redis.io "Redis serialization protocol", RESP2
 * Threading  Blocks. */
#ifndef TRANSPORT_REDIS_H
#define TRANSPORT_REDIS_H

#include <stdbool.h>
#include <stddef.h>

/* Appends `value` to a list. False: it says why on standard error. */
bool redis_push(const char *server, const char *list, const char *value);
/* Takes the first value of a list; waits for one for `seconds`. */
bool redis_pop(const char *server, const char *list, unsigned seconds, char *out, size_t room);

#endif
