/* SPDX-License-Identifier: MIT */
#include "reports/store/texts.h"

#include <stdlib.h>

#define SLOTS_MIN 64u

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    }
    return hash;
}

void texts_deinit(struct texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        free(texts->texts[i]);
    }
    free(texts->texts);
    free(texts->slots);
    *texts = (struct texts){0};
}

/* Gives the slot of a text, or the empty one where it belongs. */
static uint32_t find_slot(const struct texts *texts, const char *text)
{
    uint32_t slot = hash_text(text) & (texts->slots_count - 1);
    while (texts->slots[slot] != 0 && strcmp(texts->texts[texts->slots[slot] - 1], text) != 0) {
        slot = (slot + 1) & (texts->slots_count - 1);
    }
    return slot;
}

/* Keeps the table at most half full. */
static bool make_room(struct texts *texts)
{
    if (texts->count < texts->slots_count / 2) {
        return true;
    }
    uint32_t wanted = texts->slots_count == 0 ? SLOTS_MIN : texts->slots_count * 2;
    if (wanted == 0) {
        return false;
    }
    char **more = realloc(texts->texts, sizeof *more * (wanted / 2));
    if (more == NULL) {
        return false;
    }
    texts->texts = more;
    uint32_t *slots = calloc(wanted, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(texts->slots);
    texts->slots = slots;
    texts->slots_count = wanted;
    for (uint32_t i = 0; i < texts->count; i++) {
        slots[find_slot(texts, texts->texts[i])] = i + 1;
    }
    return true;
}

uint32_t texts_add(struct texts *texts, const char *text)
{
    if (text == NULL || !make_room(texts)) {
        return 0;
    }
    uint32_t slot = find_slot(texts, text);
    if (texts->slots[slot] == 0) {
        size_t size = strlen(text) + 1;
        char *copy = malloc(size);
        if (copy == NULL) {
            return 0;
        }
        memcpy(copy, text, size);
        texts->texts[texts->count++] = copy;
        texts->slots[slot] = texts->count;
    }
    return texts->slots[slot];
}

const char *texts_at(const struct texts *texts, uint32_t id)
{
    return id == 0 ? NULL : texts->texts[id - 1];
}
