/* SPDX-License-Identifier: MIT */
#include <troupe/base.h>

const char *trp_status_name(enum trp_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, class_, text)                                                     \
    case TRP_##name:                                                                               \
        return #name;
        TRP_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "?";
}

const char *trp_status_text(enum trp_status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, class_, text)                                                     \
    case TRP_##name:                                                                               \
        return text;
        TRP_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

enum trp_status_class trp_status_class(enum trp_status status)
{
    switch (status) {
#define STATUS_CLASS(name, value, class_, text)                                                    \
    case TRP_##name:                                                                               \
        return TRP_CLASS_##class_;
        TRP_STATUS_MAP(STATUS_CLASS)
#undef STATUS_CLASS
    }
    return TRP_CLASS_LOCAL;
}
