/* SPDX-License-Identifier: MIT */
/* lib/fuzz_replay.c - runs a fuzz target without libFuzzer: on the empty input, on keyed random
 * inputs, and on every file of a corpus directory. Usage: <target>_fuzz CORPUS_DIR */
#include "base/prng.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX 65536u
#define RANDOM_INPUTS   2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Random bytes, small values more often than not: lengths and tags are small. */
static void run_random(uint8_t *input)
{
    for (uint32_t i = 0; i < RANDOM_INPUTS; i++) {
        uint32_t size = trp_draw_below(trp_draw(1, i, 0, 0), 512);
        for (uint32_t k = 0; k < size; k++) {
            uint64_t draw = trp_draw(1, i, 1, k);
            input[k] = (uint8_t)((draw >> 40) % 3 == 0 ? draw : draw & 15u);
        }
        (void)LLVMFuzzerTestOneInput(input, size);
    }
}

static int run_file(const char *directory, const char *name, uint8_t *input)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(input, 1, INPUT_BYTES_MAX, file);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(input, size);
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t *input = calloc(1, INPUT_BYTES_MAX);
    if (input == NULL) {
        return 1;
    }
    int failed = 0;
    unsigned files = 0;
    (void)LLVMFuzzerTestOneInput(input, 0);
    run_random(input);
    DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.') {
            failed |= run_file(argv[1], entry->d_name, input);
            files++;
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    free(input);
    (void)printf("%u random inputs, %u files\n", RANDOM_INPUTS, files);
    return failed;
}
