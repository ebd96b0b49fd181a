/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/problem.h"

#include <stdlib.h>

uint32_t lang_source_add(struct lang_problems *problems, struct lang_source source)
{
    if (problems->sources_count == problems->sources_room) {
        uint32_t room = problems->sources_room == 0 ? 8 : problems->sources_room * 2;
        struct lang_source *sources =
            lang_arena_take(problems->arena, room * sizeof *problems->sources);
        if (problems->sources_count != 0)
            memcpy(sources, problems->sources, problems->sources_count * sizeof *sources);
        problems->sources = sources;
        problems->sources_room = room;
    }
    problems->sources[problems->sources_count] = source;
    return problems->sources_count++;
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int problem_compare(const void *left, const void *right)
{
    const struct lang_problem *a = left;
    const struct lang_problem *b = right;
    int order = compare_u32(a->mark.source, b->mark.source);
    order = order != 0 ? order : compare_u32(a->mark.line, b->mark.line);
    order = order != 0 ? order : compare_u32(a->mark.column, b->mark.column);
    return order != 0 ? order : compare_u32(a->order, b->order);
}

void lang_problems_sort(struct lang_problems *problems)
{
    qsort(problems->items, problems->count, sizeof problems->items[0], problem_compare);
}

/* ---- characters ---- */

/* Decodes one character, leniently: a byte that is not UTF-8 counts as one character. */
static uint32_t character_at(const uint8_t *at, size_t size, size_t *ret_bytes)
{
    static const uint8_t firsts[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t bytes = at[0] < 0xC0 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    *ret_bytes = 1;
    if (bytes == 1 || bytes > size)
        return at[0];
    uint32_t character = (uint32_t)(at[0] - firsts[bytes]);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return at[0];
        character = character << 6 | (at[i] & 0x3Fu);
    }
    *ret_bytes = bytes;
    return character;
}

/* Bytes of the line break at `at`, as YAML 1.1 has them; 0: it is none. */
static size_t break_at(const uint8_t *at, size_t size)
{
    if (at[0] == '\r')
        return size > 1 && at[1] == '\n' ? 2 : 1;
    if (at[0] == '\n')
        return 1;
    if (size > 1 && at[0] == 0xC2 && at[1] == 0x85)
        return 2;
    if (size > 2 && at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9))
        return 3;
    return 0;
}

uint32_t lang_characters(const char *text, size_t size)
{
    uint32_t count = 0;
    for (size_t at = 0; at < size; count++) {
        size_t bytes;
        (void)character_at((const uint8_t *)text + at, size - at, &bytes);
        at += bytes;
    }
    return count;
}

static size_t skip_bom(const struct lang_source *source)
{
    return source->size >= 3 && memcmp(source->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

bool lang_source_line(const struct lang_source *source, uint32_t line, struct trp_bytes *ret_line)
{
    const uint8_t *text = (const uint8_t *)source->text;
    size_t at = skip_bom(source);
    for (uint32_t i = 0;; i++) {
        size_t end = at;
        size_t bytes = 0;
        while (end < source->size && (bytes = break_at(text + end, source->size - end)) == 0)
            end++;
        if (i == line) {
            *ret_line = trp_bytes(text == NULL ? NULL : text + at, end - at);
            return true;
        }
        if (end >= source->size)
            return false;
        at = end + bytes;
    }
}

struct lang_mark lang_source_mark(const struct lang_problems *problems, uint32_t source,
                                  size_t byte)
{
    const struct lang_source *from = &problems->sources[source];
    struct lang_mark mark = {.source = source, .width = 1};
    size_t at = skip_bom(from);
    byte = byte > from->size ? from->size : byte;
    while (at < byte) {
        const uint8_t *text = (const uint8_t *)from->text + at;
        size_t bytes = break_at(text, from->size - at);
        if (bytes != 0) {
            mark.line++;
            mark.column = 0;
        } else {
            (void)character_at(text, from->size - at, &bytes);
            mark.column++;
        }
        at += bytes;
    }
    return mark;
}

/* ---- problems ---- */

/* Texts of the file stand in the messages, perhaps cut: what is not whole UTF-8, and what would
 * move a terminal's cursor, becomes a `?`. */
static const char *print_plain(struct lang_arena *arena, const char *format, va_list arguments)
    TRP_PRINTF(2, 0);
static const char *print_plain(struct lang_arena *arena, const char *format, va_list arguments)
{
    char *text = (char *)(uintptr_t)lang_arena_vprint(arena, format, arguments);
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        size_t bytes;
        uint32_t c = character_at((const uint8_t *)text + at, size - at, &bytes);
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && bytes == 1))
            text[at] = '?';
        at += bytes;
    }
    return text;
}

void lang_problem_add(struct lang_problems *problems, struct lang_mark mark, const char *format,
                      ...)
{
    if (problems->count == LANG_PROBLEMS_MAX) {
        problems->dropped++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    problems->items[problems->count] =
        (struct lang_problem){.mark = mark,
                              .message = print_plain(problems->arena, format, arguments),
                              .hint = "",
                              .order = problems->count};
    problems->count++;
    va_end(arguments);
}

void lang_problem_hint(struct lang_problems *problems, const char *format, ...)
{
    if (problems->count == 0 || problems->dropped != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    problems->items[problems->count - 1].hint = print_plain(problems->arena, format, arguments);
    va_end(arguments);
}

/* Columns a terminal gives a character: 0, 1 or 2. */
static uint32_t character_columns(uint32_t c)
{
    static const uint32_t none[][2] = {
        {0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
    static const uint32_t wide[][2] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
                                       {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (c >= none[i][0] && c <= none[i][1])
            return 0;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (c >= wide[i][0] && c <= wide[i][1])
            return 2;
    return 1;
}

#define SHOWN_MAX    160u /* characters of a source line */
#define SHOWN_BEFORE 80u  /* of them before the place, in a longer line */

/* Writes a character, or a `?` for what a terminal would obey; gives the columns it takes. */
static uint32_t print_character(struct lang_text *text, const uint8_t *at, size_t bytes, uint32_t c)
{
    bool control = (c < 0x20 && c != '\t') || c == 0x7F || (c >= 0x80 && bytes == 1);
    lang_text_append(text, control ? "?" : (const char *)at, control ? 1 : bytes);
    return control || c == '\t' ? 1 : character_columns(c);
}

/* Writes the source line and the carets below it. */
static void print_line(struct lang_text *text, struct trp_bytes line, const struct lang_mark *mark)
{
    struct lang_text below = {0};
    uint32_t first = mark->column > SHOWN_MAX / 2 + SHOWN_BEFORE ? mark->column - SHOWN_BEFORE : 0;
    uint32_t column = 0;
    for (size_t at = 0; at < line.size && column < first + SHOWN_MAX; column++) {
        size_t bytes;
        uint32_t c = character_at(line.data + at, line.size - at, &bytes);
        uint32_t columns = column < first ? 0 : print_character(text, line.data + at, bytes, c);
        char fill = column >= mark->column ? '^' : c == '\t' ? '\t' : ' ';
        for (uint32_t i = 0; i < columns && column < mark->column + mark->width; i++)
            lang_text_append(&below, &fill, 1);
        at += bytes;
    }
    if (column <= mark->column) /* past the end of the line */
        lang_text_append(&below, "^", 1);
    lang_text_add(text, "\n      | %s", below.data == NULL ? "" : below.data);
    free(below.data);
}

void lang_problem_print(const struct lang_problems *problems, uint32_t index,
                        struct lang_text *text)
{
    const struct lang_problem *problem = &problems->items[index];
    const struct lang_source *source = &problems->sources[problem->mark.source];
    struct trp_bytes line;
    lang_text_add(text, "%s:%u:%u: %s\n", source->path, problem->mark.line + 1,
                  problem->mark.column + 1, problem->message);
    if (source->text != NULL && lang_source_line(source, problem->mark.line, &line)) {
        lang_text_add(text, "%5u | ", problem->mark.line + 1);
        print_line(text, line, &problem->mark);
        lang_text_add(text, "\n");
    }
    if (problem->hint[0] != '\0')
        lang_text_add(text, "      = %s\n", problem->hint);
}

/* ---- suggestions ---- */

#define WORD_MAX 64u

/* Edits between two words, a swap of neighbours being one (optimal string alignment). */
static uint32_t word_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    uint32_t rows[3][WORD_MAX + 1];
    for (uint32_t k = 0; k <= b_size; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_size; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *last = rows[(i + 2) % 3];
        row[0] = (uint32_t)i;
        for (size_t k = 1; k <= b_size; k++) {
            uint32_t best = last[k - 1] + (a[i - 1] != b[k - 1]);
            best = last[k] + 1 < best ? last[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                uint32_t swapped = rows[(i + 1) % 3][k - 2] + 1;
                best = swapped < best ? swapped : best;
            }
            row[k] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

struct lang_nearest lang_nearest_to(const char *word, size_t size)
{
    uint32_t distance = size < 3 ? 2 : (uint32_t)(size / 3) + 2; /* the first that is too far */
    return (struct lang_nearest){.word = word, .word_size = size, .distance = distance};
}

void lang_nearest_offer_bytes(struct lang_nearest *nearest, const char *candidate, size_t size)
{
    size_t apart =
        size > nearest->word_size ? size - nearest->word_size : nearest->word_size - size;
    if (nearest->word_size > WORD_MAX || size > WORD_MAX || size == 0 || apart >= nearest->distance)
        return;
    uint32_t distance = word_distance(nearest->word, nearest->word_size, candidate, size);
    if (distance >= nearest->distance || distance >= size)
        return;
    nearest->distance = distance;
    nearest->best = candidate;
    nearest->best_size = size;
}

void lang_nearest_offer(struct lang_nearest *nearest, const char *candidate)
{
    lang_nearest_offer_bytes(nearest, candidate, strlen(candidate));
}

bool lang_nearest_hint(const struct lang_nearest *nearest, struct lang_problems *problems)
{
    if (nearest->best == NULL)
        return false;
    lang_problem_hint(problems, "did you mean `%.*s`?", (int)nearest->best_size, nearest->best);
    return true;
}

bool lang_nearest_fault(const struct lang_nearest *nearest, struct lang_fault *fault)
{
    if (nearest->best == NULL)
        return false;
    lang_fault_hint(fault, "did you mean `%.*s`?", (int)nearest->best_size, nearest->best);
    return true;
}
