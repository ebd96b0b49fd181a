/* SPDX-License-Identifier: MIT */
/* zeromq_bench.c - ZeroMQ beside remote_bench: messages of 64 bytes from one process to another,
 * as many at once as it takes, in plaintext.
 *
 *     zeromq_bench serve                       {"listening": ADDRESS}, until killed
 *     zeromq_bench call ADDRESS [flood=N]      the figure remote_flood
 * An empty message asks how many came before it. */
#define _POSIX_C_SOURCE 200809L

#include "bench/figure.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define LOAD_BYTES   64
#define FLOOD        5000000u
#define ADDRESS_SIZE 256u

static void check(int result, const char *what)
{
    if (result < 0) {
        (void)fprintf(stderr, "zeromq_bench: %s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

/* As many messages may be under way as remote_bench has. */
static void *open_socket(void *context)
{
    static const int messages = 32000;
    void *socket = zmq_socket(context, ZMQ_PAIR);
    check(socket == NULL ? -1 : 0, "a socket");
    check(zmq_setsockopt(socket, ZMQ_SNDHWM, &messages, sizeof messages), "a bound");
    check(zmq_setsockopt(socket, ZMQ_RCVHWM, &messages, sizeof messages), "a bound");
    return socket;
}

static void serve(void *socket)
{
    char address[ADDRESS_SIZE];
    size_t size = sizeof address;
    check(zmq_bind(socket, "tcp://127.0.0.1:*"), "listening");
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &size), "an address");
    (void)printf("{\"listening\":\"%s\"}\n", address);
    (void)fflush(stdout);
    for (uint64_t count = 0;;) {
        char load[LOAD_BYTES];
        int bytes = zmq_recv(socket, load, sizeof load, 0);
        check(bytes, "receiving");
        if (bytes > 0) {
            count++;
        } else {
            check(zmq_send(socket, &count, sizeof count, 0), "answering");
        }
    }
}

static uint64_t ask_count(void *socket)
{
    uint64_t count;
    check(zmq_send(socket, NULL, 0, 0), "asking");
    check(zmq_recv(socket, &count, sizeof count, 0), "an answer");
    return count;
}

static int call(void *socket, const char *address, uint64_t flood)
{
    static const char load[LOAD_BYTES] = {0x55};
    check(zmq_connect(socket, address), "connecting");
    uint64_t before = ask_count(socket);
    uint64_t began = bench_clock(CLOCK_MONOTONIC);
    uint64_t cpu_began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < flood; i++) {
        check(zmq_send(socket, load, sizeof load, 0), "sending");
    }
    if (ask_count(socket) - before != flood) {
        (void)fprintf(stderr, "zeromq_bench: a message was lost\n");
        return 1;
    }
    uint64_t spent = bench_clock(CLOCK_MONOTONIC) - began;
    uint64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
    bench_figure("remote_flood", (double)flood * 1e9 / (double)spent, "per second");
    bench_figure("remote_flood_cpu", (double)cpu / (double)flood, "ns");
    return 0;
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    check(context == NULL ? -1 : 0, "a context");
    void *socket = open_socket(context);
    if (argc >= 2 && strcmp(argv[1], "serve") == 0) {
        serve(socket);
        return 0;
    }
    if (argc < 3) {
        (void)fprintf(stderr, "usage: zeromq_bench serve\n"
                              "       zeromq_bench call ADDRESS [flood=N]\n");
        return 2;
    }
    uint64_t flood = FLOOD;
    for (int i = 3; i < argc; i++) {
        flood = strncmp(argv[i], "flood=", 6) == 0 ? strtoull(argv[i] + 6, NULL, 10) : flood;
    }
    return call(socket, argv[2], flood);
}
