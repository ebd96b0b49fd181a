/* SPDX-License-Identifier: MIT */
/* conformance/toy.h - a process that does what a test tells it and checks what a driver tells it.
 *
 * Every input is checked against the contract of troupe/driver.h: time never goes back, nothing
 * comes for a socket after its end, bytes come in the order and with the content they were written,
 * credit never exceeds what was written. A broken rule fails the test at once. */
#ifndef CONFORMANCE_TOY_H
#define CONFORMANCE_TOY_H

#include <troupe/driver.h>

#define TOY_SOCKETS_MAX 512u
#define TOY_OUTPUTS_MAX 2048u
#define TOY_WRITE_BYTES 32768u
/* Written and not yet credited at most, as a node's socket_send_bytes; a test may change it. */
#define TOY_CREDIT_BYTES 262144u

enum toy_state { TOY_UNUSED, TOY_LISTENING, TOY_DIALING, TOY_OPEN, TOY_ENDED };

struct toy_socket {
    trp_socket id;
    trp_socket listener; /* of an accepted one */
    enum toy_state state;
    struct trp_multiaddr local; /* of a listener: the first address */
    struct trp_multiaddr remote;
    bool closed_by_us;
    bool eof;
    bool shut_down;
    bool paused;
    uint32_t closed_count;
    enum trp_status closed_status;
    uint64_t to_send; /* bytes still to write */
    uint64_t written;
    uint64_t credited;
    uint64_t received;
    uint64_t received_chunks;
    trp_time opened_at;
    trp_time received_at; /* the last bytes */
    trp_time eof_at;
    trp_time closed_at;
    uint64_t cause; /* of the last input */
    bool shut_down_when_sent;
    bool close_when_sent;
};

#define TOY_UDPS_MAX  8u
#define TOY_UDP_BYTES 2048u
#define TOY_JOINS_MAX 8u

/* A datagram as it came, or as it is to leave. */
struct toy_datagram {
    struct trp_datagram datagram;
    uint8_t bytes[TOY_UDP_BYTES];
};

struct toy_udp {
    trp_socket id;
    bool bound;
    struct trp_udp_address address;
    bool closed_by_us;
    uint32_t closed_count;
    enum trp_status closed_status;
    uint32_t joins; /* answered */
    enum trp_status joined[TOY_JOINS_MAX];
    uint32_t received;
    struct toy_datagram last;
};

struct toy {
    struct toy_udp udps[TOY_UDPS_MAX];
    uint32_t udps_count;
    struct toy_datagram datagrams[TOY_UDPS_MAX];
    struct trp_udp_address groups[TOY_OUTPUTS_MAX];
    uint32_t interfaces_told;
    uint32_t interfaces_count;
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    struct toy_socket sockets[TOY_SOCKETS_MAX];
    uint32_t sockets_count;
    struct trp_output outputs[TOY_OUTPUTS_MAX];
    struct trp_multiaddr addresses[TOY_OUTPUTS_MAX];
    uint32_t outputs_count;
    uint32_t outputs_given;
    uint64_t credit_bytes;
    trp_socket next_id;
    trp_time now;
    trp_time deadline;
    uint32_t times;             /* inputs of TRP_IN_TIME at or after a deadline */
    bool echo;                  /* writes back as many bytes as came */
    bool follow;                /* half-closes after an end of stream */
    uint64_t greet;             /* bytes to write to whoever connects */
    bool pause_accepted;        /* pauses what it accepts */
    uint64_t cause;             /* of the outputs */
    uint64_t hash[2];           /* over all inputs */
    enum trp_status resolved;   /* of the last question; TRP_EAGAIN before */
    uint32_t resolved_count;    /* addresses of it */
    struct trp_multiaddr found; /* the first of them */
    uint8_t pattern[TOY_WRITE_BYTES + 256];
};

void toy_init(struct toy *toy);
struct trp_process toy_process(struct toy *toy);

/* Ask for outputs; they leave with the next input. */
struct toy_socket *toy_listen(struct toy *toy, const struct trp_multiaddr *address);
struct toy_socket *toy_dial(struct toy *toy, const struct trp_multiaddr *address);
void toy_send(struct toy *toy, struct toy_socket *socket, uint64_t bytes);
void toy_shutdown(struct toy *toy, struct toy_socket *socket);
void toy_close(struct toy *toy, struct toy_socket *socket, bool abort);
void toy_pause(struct toy *toy, struct toy_socket *socket, bool pause);
void toy_resolve(struct toy *toy, const struct trp_multiaddr *address);
struct toy_udp *toy_bind(struct toy *toy, const struct trp_udp_address *address, bool shared);
/* Sends TOY_UDP_BYTES at most. At most TOY_UDPS_MAX of these wait for the next input. */
void toy_send_to(struct toy *toy, const struct toy_udp *udp, const struct trp_datagram *datagram);
void toy_join(struct toy *toy, const struct toy_udp *udp, const struct trp_udp_address *group,
              uint32_t interface, bool join);
void toy_unbind(struct toy *toy, struct toy_udp *udp);
void toy_watch(struct toy *toy);

/* The n-th accepted socket, from 0; NULL when there is none yet. */
struct toy_socket *toy_accepted(struct toy *toy, uint32_t index);

/* Says whether credit came back for all that was to be sent, but for what a driver may keep. */
bool toy_is_credited(const struct toy_socket *socket);

#endif
