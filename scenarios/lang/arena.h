/* SPDX-License-Identifier: MIT */
/* lang/arena.h - memory that is freed all at once, and text that grows.
 *
 * Failure    Out of memory ends the program with status 5; nothing here returns NULL. */
#ifndef LANG_ARENA_H
#define LANG_ARENA_H

#include <stdarg.h>

#include <troupe/base.h>

struct lang_arena {
    struct lang_block *blocks;
};

/* Gives zeroed memory that lives as long as the arena. */
void *lang_arena_take(struct lang_arena *arena, size_t size);
/* Copies text of `size` bytes and adds a NUL. */
const char *lang_arena_copy(struct lang_arena *arena, const char *text, size_t size);
/* Formats into the arena. */
const char *lang_arena_print(struct lang_arena *arena, const char *format, ...) TRP_PRINTF(2, 3);
const char *lang_arena_vprint(struct lang_arena *arena, const char *format, va_list arguments)
    TRP_PRINTF(2, 0);
void lang_arena_free(struct lang_arena *arena);

/* Gives memory of the heap, for what outlives an arena; free() it. */
void *lang_heap_take(void *old, size_t size);

/* Text with a NUL that grows; `data` is NULL while empty. */
struct lang_text {
    char *data;
    size_t size;
    size_t capacity;
};

void lang_text_add(struct lang_text *text, const char *format, ...) TRP_PRINTF(2, 3);
void lang_text_append(struct lang_text *text, const char *bytes, size_t size);
/* Adds spaces up to a column; at least one. */
void lang_text_pad(struct lang_text *text, size_t column);
/* Gives the text, to be freed with free(), never NULL. */
char *lang_text_take(struct lang_text *text);

#endif
