/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES 16384u

struct lang_block {
    struct lang_block *next;
    size_t used;
    size_t room;
    alignas(max_align_t) unsigned char data[];
};

void *lang_heap_take(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (memory == NULL) {
        (void)fputs("troupe: out of memory\n", stderr);
        exit(5);
    }
    return memory;
}

void *lang_arena_take(struct lang_arena *arena, size_t size)
{
    size_t aligned = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct lang_block *block = arena->blocks;
    if (block == NULL || block->room - block->used < aligned) {
        size_t room = aligned > BLOCK_BYTES ? aligned : BLOCK_BYTES;
        block = lang_heap_take(NULL, sizeof *block + room);
        *block = (struct lang_block){.next = arena->blocks, .room = room};
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += aligned;
    memset(memory, 0, size);
    return memory;
}

const char *lang_arena_copy(struct lang_arena *arena, const char *text, size_t size)
{
    char *copy = lang_arena_take(arena, size + 1);
    if (size != 0)
        memcpy(copy, text, size);
    return copy;
}

const char *lang_arena_vprint(struct lang_arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = lang_arena_take(arena, size < 0 ? 1 : (size_t)size + 1);
    if (size > 0)
        (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

const char *lang_arena_print(struct lang_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = lang_arena_vprint(arena, format, arguments);
    va_end(arguments);
    return text;
}

void lang_arena_free(struct lang_arena *arena)
{
    struct lang_block *block = arena->blocks;
    while (block != NULL) {
        struct lang_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
}

static void text_reserve(struct lang_text *text, size_t size)
{
    if (text->capacity - text->size > size)
        return;
    text->capacity = (text->size + size + 1) * 2;
    text->data = lang_heap_take(text->data, text->capacity);
}

void lang_text_append(struct lang_text *text, const char *bytes, size_t size)
{
    text_reserve(text, size);
    if (size != 0)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void lang_text_add(struct lang_text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size >= 0) {
        text_reserve(text, (size_t)size);
        (void)vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
    va_end(arguments);
}

void lang_text_pad(struct lang_text *text, size_t column)
{
    size_t start = text->size;
    while (start > 0 && text->data[start - 1] != '\n')
        start--;
    do
        lang_text_append(text, " ", 1);
    while (text->size - start < column);
}

char *lang_text_take(struct lang_text *text)
{
    lang_text_append(text, "", 0);
    char *data = text->data;
    *text = (struct lang_text){0};
    return data;
}
