/* SPDX-License-Identifier: MIT */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void trp_assert_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "troupe: assertion failed: %s at %s:%d\n", expression, file, line);
    abort();
}
