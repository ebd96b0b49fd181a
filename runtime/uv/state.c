/* SPDX-License-Identifier: MIT */
#include "uv/state.h"

#include "base/rolling_hash.h"
#include "crypto/crypto.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define MAGIC          "troupe state 1 "
#define CHECKSUM_CHARS 32u
#define HEAD_BYTES     (sizeof MAGIC - 1 + CHECKSUM_CHARS + 1)
#define IDENTITY_BYTES 32u

/* Writes the line that goes before `content`. */
static void state_head(struct trp_bytes content, char ret_head[HEAD_BYTES + 1])
{
    uint64_t hash[2];
    trp_hash_init(hash);
    trp_hash_bytes(hash, content);
    (void)snprintf(ret_head, HEAD_BYTES + 1, MAGIC "%016llx%016llx\n", (unsigned long long)hash[0],
                   (unsigned long long)hash[1]);
}

/* Reads up to the end of the file or `room`; gives the size or a negative error. */
static int file_read(uv_file file, uint8_t *out, size_t room, size_t *ret_size)
{
    uv_fs_t request;
    size_t size = 0;
    while (size < room) {
        uv_buf_t buffer = uv_buf_init((char *)out + size, (unsigned)(room - size));
        int count = uv_fs_read(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (count < 0) {
            return count;
        }
        if (count == 0) {
            break;
        }
        size += (size_t)count;
    }
    *ret_size = size;
    return 0;
}

static int file_open(const char *path, int flags)
{
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, flags | O_CLOEXEC, 0600, NULL);
    uv_fs_req_cleanup(&request);
    return file;
}

static int file_close(uv_file file)
{
    uv_fs_t request;
    int error = uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return error;
}

/* Checks the whole file and takes it apart. */
static enum trp_status state_decode(struct trp_bytes file, uint8_t ret_identity[32],
                                    struct trp_buffer *ret_saved)
{
    char head[HEAD_BYTES + 1];
    if (file.size < HEAD_BYTES + IDENTITY_BYTES) {
        return TRP_EMALFORMED;
    }
    struct trp_bytes content = trp_bytes_skip(file, HEAD_BYTES);
    state_head(content, head);
    if (memcmp(file.data, head, HEAD_BYTES) != 0) {
        return TRP_EMALFORMED;
    }
    trp_buffer_consume(ret_saved, ret_saved->size);
    enum trp_status status = trp_buffer_append(ret_saved, trp_bytes_skip(content, IDENTITY_BYTES));
    if (status == TRP_OK) {
        memcpy(ret_identity, content.data, IDENTITY_BYTES);
    }
    return status;
}

enum trp_status trp_uv_state_read(const char *path, uint8_t ret_identity[32],
                                  struct trp_buffer *ret_saved, int *ret_error)
{
    const size_t room = TRP_UV_STATE_BYTES_MAX + 1;
    size_t size = 0;
    *ret_error = 0;
    int file = file_open(path, O_RDONLY);
    if (file < 0) {
        *ret_error = file;
        return file == UV_ENOENT ? TRP_ENOTFOUND : TRP_EIO;
    }
    enum trp_status status = TRP_ENOMEM;
    uint8_t *bytes = malloc(room);
    if (bytes != NULL) {
        *ret_error = file_read(file, bytes, room, &size);
        status = *ret_error != 0 ? TRP_EIO : size == room ? TRP_EMALFORMED : TRP_OK;
    }
    (void)file_close(file);
    if (status == TRP_OK) {
        status = state_decode(trp_bytes(bytes, size), ret_identity, ret_saved);
    }
    if (bytes != NULL) {
        trp_crypto_wipe(bytes, size); /* the identity is among them */
    }
    free(bytes);
    return status;
}

static int file_write(uv_file file, struct trp_bytes bytes)
{
    uv_fs_t request;
    while (bytes.size > 0) {
        char *data = (char *)(uintptr_t)bytes.data; /* libuv's buffers are never const */
        uv_buf_t buffer = uv_buf_init(data, (unsigned)bytes.size);
        int count = uv_fs_write(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (count < 0) {
            return count;
        }
        bytes = trp_bytes_skip(bytes, (size_t)count);
    }
    return 0;
}

static int file_sync(uv_file file)
{
    uv_fs_t request;
    int error = uv_fs_fsync(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return error;
}

/* Makes a file of its own with `bytes`, on the disk when this returns 0. */
static int file_make(const char *path, struct trp_bytes bytes)
{
    uv_fs_t request;
    /* One that an earlier failure left behind could have another mode. */
    (void)uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    int file = file_open(path, O_WRONLY | O_CREAT | O_EXCL);
    if (file < 0) {
        return file;
    }
    int error = file_write(file, bytes);
    if (error == 0) {
        error = file_sync(file);
    }
    int close_error = file_close(file);
    return error != 0 ? error : close_error;
}

/* Makes a rename last: the directory is synchronised where the system can. */
static void directory_sync(const char *path)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    if (size + 2 > sizeof directory) {
        return;
    }
    memcpy(directory, path, size);
    (void)snprintf(directory + size, sizeof directory - size, "%s", slash == NULL ? "." : "/");
    int file = file_open(directory, O_RDONLY);
    if (file >= 0) {
        (void)file_sync(file);
        (void)file_close(file);
    }
}

static int file_replace(const char *path, struct trp_bytes bytes)
{
    uv_fs_t request;
    char beside[4096];
    int size = snprintf(beside, sizeof beside, "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof beside) {
        return UV_ENAMETOOLONG;
    }
    int error = file_make(beside, bytes);
    if (error == 0) {
        error = uv_fs_rename(NULL, &request, beside, path, NULL);
        uv_fs_req_cleanup(&request);
    }
    if (error == 0) {
        directory_sync(path);
        return 0;
    }
    (void)uv_fs_unlink(NULL, &request, beside, NULL);
    uv_fs_req_cleanup(&request);
    return error;
}

enum trp_status trp_uv_state_write(const char *path, const uint8_t identity[32],
                                   struct trp_bytes saved, int *ret_error)
{
    size_t size = HEAD_BYTES + IDENTITY_BYTES + saved.size;
    *ret_error = 0;
    if (size > TRP_UV_STATE_BYTES_MAX) {
        return TRP_EFULL;
    }
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return TRP_ENOMEM;
    }
    uint8_t *content = bytes + HEAD_BYTES;
    memcpy(content, identity, IDENTITY_BYTES);
    if (saved.size > 0) {
        memcpy(content + IDENTITY_BYTES, saved.data, saved.size);
    }
    char head[HEAD_BYTES + 1];
    state_head(trp_bytes(content, IDENTITY_BYTES + saved.size), head);
    memcpy(bytes, head, HEAD_BYTES);
    *ret_error = file_replace(path, trp_bytes(bytes, size));
    trp_crypto_wipe(bytes, size);
    free(bytes);
    return *ret_error == 0 ? TRP_OK : TRP_EIO;
}
