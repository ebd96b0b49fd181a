/* SPDX-License-Identifier: MIT */
/* base/assert.h - checks of our own logic, on in every build.
 *
 * Bytes from a peer, a file or a user can never trip one; those get a status. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#define TRP_ASSERT(expression)                                                                     \
    ((expression) ? (void)0 : trp_assert_failed(#expression, __FILE__, __LINE__))

_Noreturn void trp_assert_failed(const char *expression, const char *file, int line);

#endif
