/* SPDX-License-Identifier: MIT */
/* wire/channel_frame.h - frames of /troupe/messages/1: asks and tells between two nodes of ours.
 *
 * Who asks opens the stream and writes requests on it; the answers come back on the same stream.
 * Each side begins with a HELLO. A frame is
 *
 *     uvarint  size of what follows
 *     u8       kind in the low four bits, flags in the others: 0x10 do not wait for room in the
 *              mailbox, 0x20 a mailbox timeout is there, 0x40 a reply timeout is there
 *     ...      the fields of its kind, in this order
 *
 *     0 HELLO    size of the largest frame that the sender takes
 *     1 PAIR     number; size of the actor type's id; that id; id of the message (the rest)
 *     2 TELL     number of the pair; actor; [mailbox]; payload (the rest)
 *     3 TELL_ACK request; number of the pair; actor; [mailbox]; payload
 *     4 ASK      request; number of the pair; actor; [mailbox]; [reply]; payload
 *     5 REPLY    request; payload
 *     6 ERROR    request; u8 error; size of the actor type's id; that id; size of the message's id;
 *                that id; payload of a HANDLER_ERROR, text of the others
 *     7 DROPPED  request: it will not be answered
 *     8 CANCEL   request: nobody waits for its answer any more
 *
 * Numbers, sizes and timeouts (ns) are varints, an actor is the sequence of its ActorId in eight
 * bytes, little-endian. A pair of actor type and message is said once and then named by its number;
 * a number that is said again means the new pair from then on. A TELL is not answered.
 * Ownership  What decoding gives borrows from the input.
 * Failure    TRP_EAGAIN: the frame goes on behind the input. TRP_ETOOBIG: it is larger than the
 *            limit, or does not fit. TRP_EMALFORMED. */
#ifndef WIRE_CHANNEL_FRAME_H
#define WIRE_CHANNEL_FRAME_H

#include <troupe/messaging.h>

/* Kind, numbers, actor and timeouts of the longest header, with the size before it. */
#define TRP_CHANNEL_HEADER_BYTES_MAX 80u

enum trp_channel_frame_kind {
    TRP_CHANNEL_HELLO,
    TRP_CHANNEL_PAIR,
    TRP_CHANNEL_TELL,
    TRP_CHANNEL_TELL_ACK,
    TRP_CHANNEL_ASK,
    TRP_CHANNEL_REPLY,
    TRP_CHANNEL_ERROR,
    TRP_CHANNEL_DROPPED,
    TRP_CHANNEL_CANCEL
};

struct trp_channel_frame {
    enum trp_channel_frame_kind kind;
    bool immediate;              /* TELL, TELL_ACK, ASK: do not wait for room in the mailbox */
    enum trp_send_error error;   /* ERROR */
    uint64_t number;             /* HELLO: a size; PAIR, TELL, TELL_ACK, ASK: of the pair */
    uint64_t request;            /* TELL_ACK, ASK, REPLY, ERROR, DROPPED, CANCEL */
    uint64_t actor;              /* TELL, TELL_ACK, ASK: its id */
    trp_time mailbox_timeout_ns; /* the same; TRP_NEVER: none */
    trp_time reply_timeout_ns;   /* ASK; TRP_NEVER: none */
    struct trp_bytes actor_type; /* PAIR, ERROR */
    struct trp_bytes message;    /* PAIR, ERROR */
    struct trp_bytes payload;    /* TELL, TELL_ACK, ASK, REPLY, ERROR */
};

/* Gives how many bytes encoding takes at most. */
static inline size_t trp_channel_frame_room(const struct trp_channel_frame *frame)
{
    return TRP_CHANNEL_HEADER_BYTES_MAX + frame->actor_type.size + frame->message.size +
           frame->payload.size;
}

/* Writes a frame to `out`, which has trp_channel_frame_room; returns how many bytes. */
size_t trp_channel_frame_encode(const struct trp_channel_frame *frame, uint8_t *out);
/* Reads the frame that `in` begins with, of at most `limit` bytes behind its size. Unless that
 * succeeds, what is in *ret_frame means nothing. */
enum trp_status trp_channel_frame_decode(struct trp_bytes in, uint64_t limit,
                                         struct trp_channel_frame *ret_frame,
                                         size_t *ret_used) TRP_NODISCARD;

#endif
