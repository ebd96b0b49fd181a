/* SPDX-License-Identifier: MIT */
#include "lib/test.h"
#include "uv/state.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char directory[64];
    char path[96];
    struct trp_memory memory;
    struct trp_buffer saved;
};

static const uint8_t identity[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static int set_up(void **state)
{
    struct place *place = test_calloc(1, sizeof *place);
    (void)snprintf(place->directory, sizeof place->directory, "%s", "/tmp/troupe-state-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof place->path, "%s/node.state", place->directory);
    place->memory = trp_memory_init(UINT64_MAX);
    place->saved = trp_buffer_init(&place->memory, TRP_UV_STATE_BYTES_MAX);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    trp_buffer_free(&place->saved);
    (void)chmod(place->directory, 0700);
    (void)unlink(place->path);
    assert_int_equal(rmdir(place->directory), 0); /* nothing is left beside it */
    test_free(place);
    return 0;
}

static void keeps_identity_and_bytes(void **state)
{
    struct place *place = *state;
    uint8_t read[32];
    int error;
    struct stat info;
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_ENOTFOUND);
    assert_status(trp_uv_state_write(place->path, identity, trp_bytes_text("one"), &error), TRP_OK);
    assert_status(trp_uv_state_write(place->path, identity, trp_bytes_text("other"), &error),
                  TRP_OK);
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_OK);
    assert_memory_equal(read, identity, sizeof read);
    assert_true(trp_bytes_equal(trp_buffer_view(&place->saved), trp_bytes_text("other")));
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_status(trp_uv_state_write(place->path, identity, TRP_BYTES_NONE, &error), TRP_OK);
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_OK);
    assert_int_equal(place->saved.size, 0);
}

static size_t file_get(const char *path, uint8_t *out, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(out, 1, room, file);
    assert_int_equal(fclose(file), 0);
    return size;
}

static void file_put(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void refuses_every_damaged_file(void **state)
{
    struct place *place = *state;
    uint8_t whole[256];
    uint8_t read[32];
    int error;
    assert_status(trp_uv_state_write(place->path, identity, trp_bytes_text("state"), &error),
                  TRP_OK);
    size_t size = file_get(place->path, whole, sizeof whole);
    for (size_t i = 0; i < size; i++) {
        file_put(place->path, whole, i);
        assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_EMALFORMED);
        whole[i] ^= 1u;
        file_put(place->path, whole, size);
        assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_EMALFORMED);
        whole[i] ^= 1u;
    }
    file_put(place->path, whole, size);
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_OK);
}

static void refuses_what_is_too_big(void **state)
{
    struct place *place = *state;
    uint8_t read[32];
    int error;
    uint8_t *much = test_calloc(1, TRP_UV_STATE_BYTES_MAX + 10);
    assert_status(
        trp_uv_state_write(place->path, identity, trp_bytes(much, TRP_UV_STATE_BYTES_MAX), &error),
        TRP_EFULL);
    file_put(place->path, much, TRP_UV_STATE_BYTES_MAX + 10);
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_EMALFORMED);
    test_free(much);
}

static void reports_what_it_cannot_read(void **state)
{
    struct place *place = *state;
    uint8_t read[32];
    int error;
    assert_status(trp_uv_state_read(place->directory, read, &place->saved, &error), TRP_EIO);
    assert_true(error < 0);
}

/* A disk that takes no more: the state of before is still whole, and nothing lies beside it. */
static void loses_nothing_on_a_full_disk(void **state)
{
    struct place *place = *state;
    uint8_t read[32];
    int error;
    struct rlimit was;
    assert_status(trp_uv_state_write(place->path, identity, trp_bytes_text("before"), &error),
                  TRP_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    const struct rlimit tight = {.rlim_cur = 60, .rlim_max = was.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum trp_status status =
        trp_uv_state_write(place->path, identity, trp_bytes_text("after"), &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_status(status, TRP_EIO);
    assert_true(error < 0);
    assert_status(trp_uv_state_read(place->path, read, &place->saved, &error), TRP_OK);
    assert_true(trp_bytes_equal(trp_buffer_view(&place->saved), trp_bytes_text("before")));
}

static void reports_a_directory_that_is_not_there(void **state)
{
    struct place *place = *state;
    char path[128];
    int error;
    (void)snprintf(path, sizeof path, "%s/none/node.state", place->directory);
    assert_status(trp_uv_state_write(path, identity, TRP_BYTES_NONE, &error), TRP_EIO);
    assert_true(error < 0);
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLACE(keeps_identity_and_bytes),     PLACE(refuses_every_damaged_file),
        PLACE(refuses_what_is_too_big),      PLACE(reports_what_it_cannot_read),
        PLACE(loses_nothing_on_a_full_disk), PLACE(reports_a_directory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
