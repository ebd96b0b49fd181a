/* SPDX-License-Identifier: MIT */
#include "interop/transport/redis.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024u

/* Connects to "host:port". */
static FILE *redis_connect(const char *server)
{
    char host[256];
    const char *colon = strrchr(server, ':');
    if (colon == NULL || (size_t)(colon - server) >= sizeof host) {
        (void)fprintf(stderr, "redis: '%s' is no host:port\n", server);
        return NULL;
    }
    memcpy(host, server, (size_t)(colon - server));
    host[colon - server] = '\0';
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, colon + 1, &hints, &found);
    if (error != 0) {
        (void)fprintf(stderr, "redis: %s: %s\n", server, gai_strerror(error));
        return NULL;
    }
    int fd = -1;
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
    if (file == NULL) {
        (void)fprintf(stderr, "redis: no connection to %s\n", server);
        return NULL;
    }
    (void)setvbuf(file, NULL, _IONBF, 0);
    return file;
}

static bool redis_send(FILE *file, const char *const *words, size_t count)
{
    bool good = fprintf(file, "*%zu\r\n", count) > 0;
    for (size_t i = 0; i < count && good; i++) {
        good = fprintf(file, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]) > 0;
    }
    return good;
}

/* Reads a line without its end; false when it is none of Redis's, or an error. */
static bool redis_line(FILE *file, char *line)
{
    if (fgets(line, LINE_MAX_BYTES, file) == NULL) {
        (void)fprintf(stderr, "redis: it hung up\n");
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '-') {
        (void)fprintf(stderr, "redis: %s\n", line + 1);
    }
    return line[0] != '-';
}

bool redis_push(const char *server, const char *list, const char *value)
{
    char line[LINE_MAX_BYTES];
    const char *const words[] = {"RPUSH", list, value};
    FILE *file = redis_connect(server);
    bool good = file != NULL && redis_send(file, words, 3) && redis_line(file, line);
    if (file != NULL) {
        (void)fclose(file);
    }
    return good;
}

/* The answer is an array of two texts: the list's name, the value. */
static bool redis_take(FILE *file, char *out, size_t room)
{
    char line[LINE_MAX_BYTES];
    if (!redis_line(file, line)) {
        return false;
    }
    if (strcmp(line, "*2") != 0) {
        (void)fprintf(stderr, "redis: nothing came in time\n");
        return false;
    }
    for (int i = 0; i < 4; i++) { /* two lengths, two texts without line ends */
        if (!redis_line(file, line)) {
            return false;
        }
    }
    return (size_t)snprintf(out, room, "%s", line) < room;
}

bool redis_pop(const char *server, const char *list, unsigned seconds, char *out, size_t room)
{
    char patience[16];
    (void)snprintf(patience, sizeof patience, "%u", seconds);
    const char *const words[] = {"BLPOP", list, patience};
    FILE *file = redis_connect(server);
    bool good = file != NULL && redis_send(file, words, 3) && redis_take(file, out, room);
    if (file != NULL) {
        (void)fclose(file);
    }
    return good;
}
