/* SPDX-License-Identifier: MIT */
/* lang/topics.h - what the reference says besides the keys. */
#ifndef LANG_TOPICS_H
#define LANG_TOPICS_H

#include <stdint.h>

struct lang_topic {
    const char *name;
    const char *title;
    const char *about; /* one line */
    const char *text;  /* Markdown that reads well in a terminal too */
};

extern const struct lang_topic lang_topics[];
extern const uint32_t lang_topics_count;

#endif
