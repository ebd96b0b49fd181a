/* SPDX-License-Identifier: MIT */
/* Reads a scenario, and a --set behind a first NUL. What is fine has a resolved form that is fine
 * too and resolves to itself. */
#include "scenarios/lang/load.h"

#include "base/assert.h"
#include "lib/words.h"

#include <stdlib.h>

#define INPUT_MAX    16384u
#define RESOLVED_MAX 65536u /* beyond, defaults and expanded aliases may pass a limit */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trp_load *load_text(const char *text, size_t size, const char *setting)
{
    const struct trp_load_options options = {.path = "fuzz.yaml",
                                             .text = text,
                                             .text_bytes = size,
                                             .settings = &setting,
                                             .settings_count = setting == NULL ? 0 : 1,
                                             .vocabulary = &words};
    return trp_load_open(&options);
}

/* Compares two resolved texts without their comments, which say where each line is from. */
static bool alike(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        const char *ends[2] = {a + strcspn(a, "\n"), b + strcspn(b, "\n")};
        const char *stops[2] = {ends[0], ends[1]};
        const char *starts[2] = {a, b};
        for (int i = 0; i < 2; i++) {
            while (stops[i] > starts[i] && !(stops[i][-1] == ' ' && stops[i][0] == '#'))
                stops[i]--;
            while (stops[i] > starts[i] && stops[i][-1] == ' ')
                stops[i]--;
        }
        if (stops[0] - a != stops[1] - b || memcmp(a, b, (size_t)(stops[0] - a)) != 0)
            return false;
        a = ends[0] + (*ends[0] == '\n');
        b = ends[1] + (*ends[1] == '\n');
    }
    return *a == *b;
}

static void check_resolved(const char *resolved)
{
    struct trp_load *again = load_text(resolved, strlen(resolved), NULL);
    char *twice = trp_load_print_resolved(again);
    TRP_ASSERT(twice != NULL);
    TRP_ASSERT(alike(resolved, twice));
    free(twice);
    trp_load_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    char *text = malloc(size + 1);
    TRP_ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *end = memchr(text, '\0', size);
    size_t text_size = end == NULL ? size : (size_t)(end - text);
    const char *setting = end == NULL ? NULL : end + 1;
    /* No files of this machine. */
    if (strstr(text, "extends") == NULL &&
        (setting == NULL || strstr(setting, "extends") == NULL)) {
        struct trp_load *load = load_text(text, text_size, setting);
        char *problems = trp_load_print_problems(load);
        char *resolved = trp_load_print_resolved(load);
        TRP_ASSERT((problems[0] == '\0') == (trp_load_plan(load) != NULL));
        TRP_ASSERT((resolved != NULL) == (trp_load_plan(load) != NULL));
        if (resolved != NULL && strlen(resolved) <= RESOLVED_MAX)
            check_resolved(resolved);
        free(problems);
        free(resolved);
        trp_load_free(load);
    }
    free(text);
    return 0;
}
