/* SPDX-License-Identifier: MIT */
#include "scenarios/adversary/adversary.h"

#include "base/assert.h"
#include "base/endian.h"
#include "base/prng.h"

#include <stdlib.h>

#define INTRUDER_SOCKETS_MAX 1024u
#define SLOW_AT_ONCE         64u /* connections that dawdle together */
#define ATTACKS_PER_STEP     64u /* of those that are overdue; the others never happen */
#define OUTPUTS_MAX          1024u
#define MALFORMED_KEPT_NS    TRP_S(10)
#define NOISE_BYTES          4096u /* of a message that no handshake allows */
#define DIALOGUE_BYTES_MAX   (64u + NOISE_BYTES)

enum stream { DRAW_CUT = 1, DRAW_WHICH, DRAW_ABORT, DRAW_BYTES };

/* A connection, dialed or accepted. */
struct grip {
    trp_socket id;
    trp_time since;
    uint32_t sent; /* of the dialogue, when it dawdles */
    bool open;
};

struct pending {
    enum trp_output_kind kind;
    trp_socket socket;
    uint32_t victim;
    uint32_t from; /* bytes of the dialogue */
    uint32_t size;
    bool abort;
};

struct trp_intruder {
    struct trp_adversary_config config;
    struct trp_multiaddr *victims;
    trp_time now;
    trp_time next_at;
    trp_socket dialed_next;
    uint64_t attacks;
    struct grip grips[INTRUDER_SOCKETS_MAX]; /* the oldest first */
    uint32_t grips_count;
    struct pending outputs[OUTPUTS_MAX];
    uint32_t outputs_head;
    uint32_t outputs_count;
    uint8_t dialogue[DIALOGUE_BYTES_MAX]; /* what it says, or a part of it */
    uint32_t dialogue_size;
};

bool trp_conduct_is_intruder(enum trp_plan_conduct conduct)
{
    switch (conduct) {
    case TRP_PLAN_FLOOD:
    case TRP_PLAN_SLOW:
    case TRP_PLAN_SILENT:
    case TRP_PLAN_TRUNCATE:
    case TRP_PLAN_MALFORMED:
        return true;
    case TRP_PLAN_HONEST:
    case TRP_PLAN_OVERSIZE:
    case TRP_PLAN_LIE:
    case TRP_PLAN_STREAMS:
        break;
    }
    return false;
}

static trp_time usual_pace(enum trp_plan_conduct conduct)
{
    return conduct == TRP_PLAN_SLOW ? TRP_S(1) : TRP_MS(10);
}

static uint64_t draw(const struct trp_intruder *intruder, enum stream stream, uint64_t counter)
{
    return trp_draw(intruder->config.seed, (uint64_t)intruder->config.conduct, stream, counter);
}

/* ---- what it says ---- */

static void say(struct trp_intruder *intruder, const void *bytes, size_t size)
{
    TRP_ASSERT(size <= sizeof intruder->dialogue - intruder->dialogue_size);
    memcpy(intruder->dialogue + intruder->dialogue_size, bytes, size);
    intruder->dialogue_size += (uint32_t)size;
}

static void say_noise(struct trp_intruder *intruder, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint8_t bytes[8];
        trp_store_le64(bytes, draw(intruder, DRAW_BYTES, intruder->attacks << 16 | i));
        say(intruder, bytes, size - i < sizeof bytes ? size - i : sizeof bytes);
    }
}

#define SAY(intruder, text) say(intruder, text, sizeof(text) - 1)

static const char multistream[] = "\x13/multistream/1.0.0\n";
static const char noise[] = "\x07/noise\n";

/* The beginning that any peer would make: multistream-select, then the first message of Noise XX.
 */
static void say_beginning(struct trp_intruder *intruder)
{
    intruder->dialogue_size = 0;
    SAY(intruder, multistream);
    SAY(intruder, noise);
    SAY(intruder, "\x00\x20");
    say_noise(intruder, 32);
}

/* One of the things that no handshake allows. */
static void say_malformed(struct trp_intruder *intruder)
{
    intruder->dialogue_size = 0;
    switch (trp_draw_below(draw(intruder, DRAW_WHICH, intruder->attacks), 5)) {
    case 0: /* a line of 4 GiB */
        SAY(intruder, "\xff\xff\xff\xff\x0f/multistream/1.0.0\n");
        break;
    case 1: /* a line that does not end in a newline */
        SAY(intruder, multistream);
        SAY(intruder, "\x07/noise!");
        break;
    case 2: /* a handshake message of the greatest size */
        SAY(intruder, multistream);
        SAY(intruder, noise);
        SAY(intruder, "\xff\xff");
        say_noise(intruder, NOISE_BYTES);
        break;
    case 3:
        SAY(intruder, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        break;
    default:
        say_noise(intruder, 64);
        break;
    }
}

/* ---- sockets ---- */

static void push(struct trp_intruder *intruder, struct pending output)
{
    if (intruder->outputs_count < OUTPUTS_MAX) {
        intruder->outputs[(intruder->outputs_head + intruder->outputs_count++) % OUTPUTS_MAX] =
            output;
    }
}

static void grip_drop(struct trp_intruder *intruder, uint32_t index)
{
    intruder->grips_count--;
    memmove(&intruder->grips[index], &intruder->grips[index + 1],
            (intruder->grips_count - index) * sizeof intruder->grips[0]);
}

/* Keeps a connection; the oldest gives way when there are too many. */
static void grip_keep(struct trp_intruder *intruder, trp_socket id, bool open)
{
    if (intruder->grips_count == INTRUDER_SOCKETS_MAX) {
        push(intruder, (struct pending){
                           .kind = TRP_OUT_CLOSE, .socket = intruder->grips[0].id, .abort = true});
        grip_drop(intruder, 0);
    }
    intruder->grips[intruder->grips_count++] =
        (struct grip){.id = id, .since = intruder->now, .open = open};
}

static struct grip *grip_find(struct trp_intruder *intruder, trp_socket id, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < intruder->grips_count; i++) {
        if (intruder->grips[i].id == id) {
            *ret_index = i;
            return &intruder->grips[i];
        }
    }
    return NULL;
}

static void dial(struct trp_intruder *intruder)
{
    if (intruder->config.victims_count == 0) {
        return;
    }
    intruder->dialed_next += 2;
    grip_keep(intruder, intruder->dialed_next, false);
    push(intruder, (struct pending){
                       .kind = TRP_OUT_DIAL,
                       .socket = intruder->dialed_next,
                       .victim = (uint32_t)(intruder->attacks % intruder->config.victims_count)});
}

/* ---- attacks ---- */

/* Every connection that dawdles says its next byte; new ones until there are enough. */
static void attack_slowly(struct trp_intruder *intruder)
{
    if (intruder->grips_count < SLOW_AT_ONCE) {
        dial(intruder);
    }
    for (uint32_t i = 0; i < intruder->grips_count; i++) {
        struct grip *grip = &intruder->grips[i];
        if (grip->open && grip->sent < intruder->dialogue_size) {
            push(intruder,
                 (struct pending){
                     .kind = TRP_OUT_BYTES, .socket = grip->id, .from = grip->sent++, .size = 1});
        }
    }
}

static void attack(struct trp_intruder *intruder)
{
    intruder->attacks++;
    if (intruder->config.conduct == TRP_PLAN_SLOW) {
        attack_slowly(intruder);
        return;
    }
    dial(intruder);
    while (intruder->config.conduct == TRP_PLAN_MALFORMED && intruder->grips_count > 0 &&
           intruder->grips[0].since + MALFORMED_KEPT_NS < intruder->now) {
        push(intruder, (struct pending){.kind = TRP_OUT_CLOSE, .socket = intruder->grips[0].id});
        grip_drop(intruder, 0);
    }
}

static void on_connected(struct trp_intruder *intruder, trp_socket id)
{
    uint32_t index;
    struct grip *grip = grip_find(intruder, id, &index);
    if (grip == NULL) {
        return;
    }
    grip->open = true;
    if (intruder->config.conduct == TRP_PLAN_MALFORMED) {
        say_malformed(intruder);
        push(intruder, (struct pending){
                           .kind = TRP_OUT_BYTES, .socket = id, .size = intruder->dialogue_size});
    } else if (intruder->config.conduct == TRP_PLAN_TRUNCATE) {
        uint64_t cut = draw(intruder, DRAW_CUT, id);
        push(intruder,
             (struct pending){.kind = TRP_OUT_BYTES,
                              .socket = id,
                              .size = 1 + trp_draw_below(cut, intruder->dialogue_size - 1)});
        push(intruder, (struct pending){.kind = TRP_OUT_CLOSE,
                                        .socket = id,
                                        .abort = draw(intruder, DRAW_ABORT, id) % 2 == 0});
        grip_drop(intruder, index);
    }
}

static void on_input(struct trp_intruder *intruder, const struct trp_input *in)
{
    uint32_t index;
    if (in->kind == TRP_IN_CONNECTED) {
        on_connected(intruder, in->socket);
    } else if (in->kind == TRP_IN_ACCEPTED) {
        grip_keep(intruder, in->socket, true);
        push(intruder, (struct pending){.kind = TRP_OUT_PAUSE, .socket = in->socket});
    } else if (in->kind == TRP_IN_CLOSED && grip_find(intruder, in->socket, &index) != NULL) {
        grip_drop(intruder, index);
    }
}

static enum trp_status intruder_step(void *self, const struct trp_input *in)
{
    struct trp_intruder *intruder = self;
    intruder->now = in->now;
    on_input(intruder, in);
    for (uint32_t i = 0; intruder->next_at <= in->now && i < ATTACKS_PER_STEP; i++) {
        attack(intruder);
        intruder->next_at = trp_time_after(intruder->next_at, intruder->config.every_ns);
    }
    if (intruder->next_at <= in->now) {
        intruder->next_at = trp_time_after(in->now, intruder->config.every_ns);
    }
    return TRP_OK;
}

static bool intruder_next_output(void *self, struct trp_output *ret_out)
{
    struct trp_intruder *intruder = self;
    if (intruder->outputs_count == 0) {
        return false;
    }
    const struct pending *pending = &intruder->outputs[intruder->outputs_head];
    intruder->outputs_head = (intruder->outputs_head + 1) % OUTPUTS_MAX;
    intruder->outputs_count--;
    *ret_out = (struct trp_output){
        .kind = pending->kind, .socket = pending->socket, .abort = pending->abort};
    if (pending->kind == TRP_OUT_DIAL) {
        ret_out->address = &intruder->victims[pending->victim];
    } else if (pending->kind == TRP_OUT_LISTEN) {
        ret_out->address = &intruder->config.listen;
    } else if (pending->kind == TRP_OUT_BYTES) {
        ret_out->bytes = trp_bytes(intruder->dialogue + pending->from, pending->size);
    }
    return true;
}

static trp_time intruder_deadline(const void *self)
{
    const struct trp_intruder *intruder = self;
    return intruder->next_at;
}

static const struct trp_process_ops intruder_ops = {
    .step = intruder_step, .next_output = intruder_next_output, .deadline = intruder_deadline};

enum trp_status trp_intruder_open(const struct trp_adversary_config *config,
                                  struct trp_intruder **ret_intruder)
{
    struct trp_intruder *intruder = calloc(1, sizeof *intruder);
    if (intruder == NULL) {
        return TRP_ENOMEM;
    }
    intruder->config = *config;
    if (config->every_ns == 0) {
        intruder->config.every_ns = usual_pace(config->conduct);
    }
    intruder->now = config->now;
    intruder->next_at = config->conduct == TRP_PLAN_SILENT ? TRP_NEVER : config->now;
    intruder->victims = malloc(config->victims_count * sizeof *intruder->victims + 1);
    if (intruder->victims == NULL) {
        free(intruder);
        return TRP_ENOMEM;
    }
    if (config->victims_count > 0) {
        memcpy(intruder->victims, config->victims,
               config->victims_count * sizeof *intruder->victims);
    }
    say_beginning(intruder);
    intruder->dialed_next = 2;
    push(intruder, (struct pending){.kind = TRP_OUT_LISTEN, .socket = 2});
    *ret_intruder = intruder;
    return TRP_OK;
}

void trp_intruder_close(struct trp_intruder *intruder)
{
    if (intruder != NULL) {
        free(intruder->victims);
        free(intruder);
    }
}

struct trp_process trp_intruder_process(struct trp_intruder *intruder)
{
    return (struct trp_process){.ops = &intruder_ops, .self = intruder};
}
