/* SPDX-License-Identifier: MIT */
/* uv/socket.h - TCP handles of libuv as sockets of a process; for the files of uv. */
#ifndef UV_SOCKET_H
#define UV_SOCKET_H

#include "base/buffer.h"
#include "uv/driver.h"

/* A read's buffer, and with it the longest TRP_IN_BYTES. */
#define TRP_UV_READ_BYTES 65536u
#define TRP_UV_BACKLOG    128
/* A block for writing of at most this size stays with its socket. */
#define TRP_UV_KEEP_BYTES 65536u
/* A socket that its process has closed may send for so long what was written before. */
#define TRP_UV_LINGER_NS TRP_S(30)
/* How long a listener rests when there was no memory for what it accepts. */
#define TRP_UV_ACCEPT_RETRY_NS TRP_S(1)
/* Rounds of inputs that follow from inputs before other callbacks of the loop have their turn. */
#define TRP_UV_ROUNDS_MAX 64u

enum trp_uv_state {
    TRP_UV_LISTENER,
    TRP_UV_DIALING,
    TRP_UV_OPEN,
    TRP_UV_LINGERING, /* closed by the process; sends what was written */
    TRP_UV_CLOSING    /* closed to libuv */
};

struct trp_uv_socket {
    uv_tcp_t tcp;               /* data: the socket */
    UT_hash_handle hh;          /* in driver->sockets by id, while the process has it */
    struct trp_list_link all;   /* in driver->all, until libuv has closed it */
    struct trp_list_link dirty; /* in driver->dirty: something is to be sent or told */
    struct trp_list_link lingering;
    struct trp_uv_driver *driver;
    trp_socket id;
    enum trp_uv_state state;
    bool listening_due;
    bool closed_due;
    bool stalled; /* a connection waits for memory to be accepted */
    bool paused;
    bool eof;
    bool shutdown_asked;
    bool shutdown_begun;
    bool shutdown_done;
    enum trp_status closed_status;
    uint64_t cause;    /* of what is due */
    uint64_t sent_due; /* bytes of credit to tell */
    trp_time linger_until;
    struct trp_buffer out;     /* written by the process */
    struct trp_buffer writing; /* handed to libuv */
    uv_write_t write;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
};

struct trp_uv_driver {
    struct trp_memory memory;
    struct trp_uv_config config;
    struct trp_trace trace;
    struct trp_uv_socket *sockets; /* uthash by id */
    struct trp_list all;
    struct trp_list dirty;
    struct trp_list lingering;         /* earliest first */
    struct trp_list resolutions;       /* questions without an answer */
    struct trp_list answers;           /* to what could not be asked */
    struct datagram_socket *datagrams; /* uthash by id */
    struct trp_list datagrams_due;     /* something is to be told */
    bool interfaces_due;
    uint64_t interfaces_cause;
    uint32_t interfaces_count;
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX]; /* as last seen */
    trp_socket accepted_next;
    trp_time watch_at;  /* when interfaces are looked at next; TRP_NEVER: nobody asked */
    trp_time deadline;  /* of the process */
    trp_time timer_at;  /* when the timer fires; TRP_NEVER: it does not */
    trp_time accept_at; /* when stalled listeners try again; TRP_NEVER: none is */
    uv_timer_t timer;
    uv_idle_t idle; /* active while `dirty` waits for the next turn of the loop */
    uint64_t steps;
    uint32_t handles;
    enum trp_status listen_status; /* of the newest listen */
    bool stepping;
    bool broken;
    bool closing;
    void (*closed)(void *user);
    void *closed_user;
    uint8_t read_buffer[TRP_UV_READ_BYTES];
};

/* ---- driver.c ---- */

/* One input with its outputs; nothing is sent yet. */
void trp_uv_step(struct trp_uv_driver *driver, struct trp_input *in);
/* Tells what is due and sends what was written, until nothing is left or others want a turn. */
void trp_uv_settle(struct trp_uv_driver *driver);
void trp_uv_mark(struct trp_uv_socket *socket);
/* A handle has closed; the driver may be freed by this. */
void trp_uv_handle_closed(struct trp_uv_driver *driver);
/* Sets the timer for the earliest of all deadlines. */
void trp_uv_arm(struct trp_uv_driver *driver);
/* The process cannot go on. */
void trp_uv_break(struct trp_uv_driver *driver, enum trp_status status);

/* ---- socket.c ---- */

enum trp_status trp_uv_status(int error);
/* Performs an output about a socket. */
void trp_uv_socket_perform(struct trp_uv_driver *driver, const struct trp_output *out);
/* Sends what was written, as far as the kernel takes it. */
void trp_uv_socket_flush(struct trp_uv_socket *socket);
/* Tells the process one thing that is due. May free the socket later, in the loop. */
void trp_uv_socket_tell(struct trp_uv_socket *socket);
void trp_uv_socket_close(struct trp_uv_socket *socket, bool reset);
/* Accepts what waits at listeners for memory. */
void trp_uv_accept_again(struct trp_uv_driver *driver);
struct trp_multiaddr trp_uv_address(const struct sockaddr *address);

/* ---- resolve.c ---- */

void trp_uv_resolve(struct trp_uv_driver *driver, const struct trp_output *out);
/* Tells the answer to something that could not be asked; false when there is none. */
bool trp_uv_resolve_tell(struct trp_uv_driver *driver);
/* Gives up every question. */
void trp_uv_resolve_cancel(struct trp_uv_driver *driver);

#endif
