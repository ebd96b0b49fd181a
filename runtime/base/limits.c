/* SPDX-License-Identifier: MIT */
#include <troupe/limits.h>

enum trp_status trp_limits_complete(struct trp_limits *limits, const char **ret_name)
{
#define LIMITS_COMPLETE(type, name, default_, minimum, reason)                                     \
    if (limits->name == 0) {                                                                       \
        limits->name = (default_);                                                                 \
    }                                                                                              \
    if (limits->name < (minimum)) {                                                                \
        if (ret_name != NULL) {                                                                    \
            *ret_name = #name;                                                                     \
        }                                                                                          \
        return TRP_EINVAL;                                                                         \
    }
    TRP_LIMITS_MAP(LIMITS_COMPLETE)
#undef LIMITS_COMPLETE
    return TRP_OK;
}
