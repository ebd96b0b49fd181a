/* SPDX-License-Identifier: MIT */
#include "reports/store/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

void error_set(struct trp_run_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
}

enum trp_status draft_init(struct draft *draft, const char *path, struct trp_run_error *error)
{
    size_t size = strlen(path) + 32;
    *draft = (struct draft){.path = malloc(size), .temporary = malloc(size)};
    if (draft->path == NULL || draft->temporary == NULL) {
        draft_deinit(draft);
        error_set(error, "out of memory");
        return TRP_ENOMEM;
    }
    (void)snprintf(draft->path, size, "%s", path);
    (void)snprintf(draft->temporary, size, "%s.%ld.tmp", path, (long)getpid());
    (void)unlink(draft->temporary);
    return TRP_OK;
}

enum trp_status draft_open(struct draft *draft, const char *path, struct trp_run_error *error)
{
    enum trp_status status = draft_init(draft, path, error);
    if (status != TRP_OK) {
        return status;
    }
    draft->file = fopen(draft->temporary, "wx");
    if (draft->file == NULL) {
        error_set(error, "cannot write %s: %s", path, strerror(errno));
        draft_deinit(draft);
        return TRP_EIO;
    }
    return TRP_OK;
}

/* Makes the directory entry of `path` durable; not all file systems can, so failure is no error. */
static void sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    if (directory == NULL) {
        return;
    }
    int fd = open(directory, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(directory);
}

static bool sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool synced = fsync(fd) == 0;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return synced;
}

enum trp_status draft_commit(struct draft *draft, struct trp_run_error *error)
{
    bool written = true;
    if (draft->file != NULL) {
        bool failed = ferror(draft->file) != 0;
        written = fclose(draft->file) == 0 && !failed;
        draft->file = NULL;
    }
    if (!written || !sync_file(draft->temporary) || rename(draft->temporary, draft->path) != 0) {
        error_set(error, "cannot write %s: %s", draft->path, strerror(errno));
        return TRP_EIO;
    }
    sync_directory(draft->path);
    free(draft->temporary);
    draft->temporary = NULL;
    return TRP_OK;
}

void draft_deinit(struct draft *draft)
{
    if (draft->file != NULL) {
        (void)fclose(draft->file);
    }
    if (draft->temporary != NULL) {
        (void)unlink(draft->temporary);
    }
    free(draft->temporary);
    free(draft->path);
    *draft = (struct draft){0};
}
