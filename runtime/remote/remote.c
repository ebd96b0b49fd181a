/* SPDX-License-Identifier: MIT */
#include "remote/remote.h"

#include "base/assert.h"
#include "remote/state.h"
#include "wire/registration.h"

/* ---- types ---- */

const char *trp_remote_type_text(const struct trp_remote *remote, uint64_t hash)
{
    const struct type_name *type;
    HASH_FIND(hh, remote->types, &hash, sizeof hash, type);
    return type == NULL ? NULL : type->text;
}

uint64_t trp_remote_type_learn(struct trp_remote *remote, struct trp_bytes id)
{
    uint64_t hash = trp_actor_type_hash(id);
    if (trp_remote_type_text(remote, hash) != NULL) {
        return hash;
    }
    if (HASH_COUNT(remote->types) >= remote->config.limits->names) {
        return 0;
    }
    struct trp_memory *uthash_memory = remote->config.memory;
    struct type_name *type = trp_memory_alloc(uthash_memory, sizeof *type + id.size + 1);
    if (type == NULL) {
        return 0;
    }
    type->hash = hash;
    type->size = (uint32_t)id.size;
    memcpy(type->text, id.data, id.size);
    HASH_ADD(hh, remote->types, hash, sizeof type->hash, type);
    if (type->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, type);
        return 0;
    }
    return hash;
}

bool trp_remote_is_local(const struct trp_remote *remote, const struct trp_actor_ref *ref)
{
    return ref->peer.size == 0 || trp_peer_id_equal(&ref->peer, remote->config.self);
}

/* ---- outcomes ---- */

void trp_remote_push_result(struct trp_remote *remote, const struct trp_result *result)
{
    size_t slices = result->payload.size + result->actor_type.size;
    struct result *copy = trp_memory_alloc(remote->config.memory, sizeof *copy + slices);
    struct trp_bytes payload = result->payload;
    struct trp_bytes actor_type = result->actor_type;
    enum trp_status status = result->status;
    if (copy == NULL) { /* the outcome matters more than what it carries */
        payload = TRP_BYTES_NONE;
        actor_type = TRP_BYTES_NONE;
        status = TRP_ENOMEM;
        copy = trp_memory_alloc(remote->config.memory, sizeof *copy);
    }
    if (copy == NULL) {
        trp_trace_limit_reached(
            remote->config.trace,
            &(struct trp_event_limit_reached){.limit = trp_bytes_text("memory_bytes"),
                                              .value = remote->config.limits->memory_bytes});
        return;
    }
    copy->value = *result;
    copy->value.status = status;
    uint8_t *at = (uint8_t *)(copy + 1);
    if (payload.size > 0) {
        memcpy(at, payload.data, payload.size);
    }
    copy->value.payload = trp_bytes(at, payload.size);
    if (actor_type.size > 0) {
        memcpy(at + payload.size, actor_type.data, actor_type.size);
    }
    copy->value.actor_type = trp_bytes(at + payload.size, actor_type.size);
    trp_list_push_back(&remote->results, &copy->link);
}

bool trp_remote_next_result(struct trp_remote *remote, struct trp_result *ret_result)
{
    trp_memory_free(remote->config.memory, remote->lent);
    remote->lent = NULL;
    struct trp_list_link *link = trp_list_pop_front(&remote->results);
    if (link == NULL) {
        return false;
    }
    remote->lent = TRP_CONTAINER(link, struct result, link);
    *ret_result = remote->lent->value;
    return true;
}

void trp_remote_complete(struct trp_remote *remote, const struct origin *origin,
                         enum trp_status status, struct trp_bytes payload,
                         const struct trp_actor_ref *ref)
{
    switch (origin->kind) {
    case ORIGIN_NOBODY:
        break;
    case ORIGIN_ACTOR:
        trp_scheduler_complete(remote->config.scheduler, origin->id, status, payload);
        break;
    case ORIGIN_PEER:
        trp_remote_answer_peer(remote, origin, status, payload);
        break;
    case ORIGIN_COMMAND: {
        struct trp_result result = {.kind = origin->command,
                                    .status = status,
                                    .last = true,
                                    .request = origin->id,
                                    .payload = payload};
        if (ref != NULL) {
            result.ref = *ref;
        }
        trp_remote_push_result(remote, &result);
        break;
    }
    }
}

/* ---- the scheduler's events ---- */

static void remote_on_answer(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct origin *found = trp_slab_find(&remote->deliveries, event->token);
    if (found == NULL) {
        return;
    }
    struct origin origin = *found;
    trp_slab_remove(&remote->deliveries, event->token);
    struct trp_actor_ref ref = {.id = event->actor};
    trp_remote_complete(remote, &origin, event->status, event->payload, &ref);
}

static void remote_on_sched_event(struct trp_remote *remote, const struct trp_sched_event *event)
{
    struct origin actor = {.kind = ORIGIN_ACTOR, .id = event->request};
    struct origin nobody = {.kind = ORIGIN_NOBODY};
    remote->config.trace->cause = event->cause;
    switch (event->kind) {
    case TRP_SCHED_ANSWER:
        remote_on_answer(remote, event);
        break;
    case TRP_SCHED_ASK:
        trp_remote_send_message(remote, true, &event->other, event, &actor);
        break;
    case TRP_SCHED_TELL:
        trp_remote_send_message(remote, false, &event->other, event, &nobody);
        break;
    case TRP_SCHED_LINK:
        trp_remote_send_link(remote, event);
        break;
    case TRP_SCHED_UNLINK:
        trp_remote_send_unlink(remote, event);
        break;
    case TRP_SCHED_DIED:
        trp_remote_send_signal(remote, event);
        break;
    case TRP_SCHED_REGISTER:
        trp_remote_register(remote, event->actor, event->name, &nobody);
        break;
    case TRP_SCHED_UNREGISTER:
        TRP_IGNORE(trp_remote_unregister(remote, event->name));
        break;
    case TRP_SCHED_LOOKUP:
        trp_remote_lookup(remote, event->name, event->all, &actor, NULL);
        break;
    case TRP_SCHED_STOPPED:
        trp_remote_actor_stopped(remote, event->actor);
        break;
    }
}

bool trp_remote_run(struct trp_remote *remote)
{
    bool any = false;
    struct trp_sched_event event;
    uint64_t cause = remote->config.trace->cause;
    while (trp_scheduler_next_event(remote->config.scheduler, &event)) {
        any = true;
        remote_on_sched_event(remote, &event);
    }
    remote->config.trace->cause = cause;
    any = trp_remote_run_messaging(remote) || any;
    any = trp_remote_run_kad(remote) || any;
    return any;
}

/* ---- commands ---- */

static void remote_deliver(struct trp_remote *remote, const struct trp_command *command,
                           const struct trp_actor_ref *to, const struct origin *origin)
{
    trp_handle token;
    void *object;
    enum trp_status status = trp_slab_insert(&remote->deliveries, &token, &object);
    if (status != TRP_OK) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, to);
        return;
    }
    *(struct origin *)object = *origin;
    trp_scheduler_deliver(remote->config.scheduler,
                          &(struct trp_delivery){.ask = command->kind == TRP_CMD_ASK,
                                                 .actor = to->id,
                                                 .token = token,
                                                 .message = command->message,
                                                 .payload = command->payload,
                                                 .mailbox_timeout_ns = command->mailbox_timeout_ns,
                                                 .reply_timeout_ns = command->reply_timeout_ns});
}

/* Sends the message of an ASK or TELL to an actor, here or elsewhere. */
static void remote_command_message(struct trp_remote *remote, const struct trp_command *command,
                                   const struct origin *origin)
{
    if (command->ref.id == 0) {
        trp_remote_lookup(remote, command->name, false, origin, command);
        return;
    }
    if (trp_remote_is_local(remote, &command->ref)) {
        remote_deliver(remote, command, &command->ref, origin);
        return;
    }
    const struct trp_sched_event message = {.message = command->message,
                                            .payload = command->payload,
                                            .mailbox_timeout_ns = command->mailbox_timeout_ns,
                                            .reply_timeout_ns = command->reply_timeout_ns};
    trp_remote_send_message(remote, command->kind == TRP_CMD_ASK, &command->ref, &message, origin);
}

static enum trp_status remote_spawn(struct trp_remote *remote, const struct trp_command *command,
                                    struct trp_actor_ref *ret_ref)
{
    const struct trp_actor_type *type =
        trp_scheduler_find_type(remote->config.scheduler, command->actor_type);
    if (type == NULL) {
        return TRP_EUNKNOWNACTOR;
    }
    uint8_t *args = NULL;
    enum trp_status status = TRP_OK;
    if (type->args != NULL && type->args->size > 0) {
        size_t need;
        status = trp_message_decode_need(type->args, command->payload, &need);
        if (status != TRP_OK) {
            return status;
        }
        args = trp_memory_alloc(remote->config.memory, type->args->size + need);
        if (args == NULL) {
            return TRP_ENOMEM;
        }
        status = trp_message_decode_in(type->args, command->payload, args + type->args->size, need,
                                       args);
    }
    if (status == TRP_OK) {
        status = trp_scheduler_spawn(remote->config.scheduler, type, args, NULL, ret_ref);
    }
    trp_memory_free(remote->config.memory, args);
    return status;
}

static void remote_command_spawn(struct trp_remote *remote, const struct trp_command *command,
                                 const struct origin *origin)
{
    struct trp_actor_ref ref = {0};
    enum trp_status status = remote_spawn(remote, command, &ref);
    if (status == TRP_OK && command->name.size > 0) {
        trp_remote_register(remote, ref.id, command->name, origin);
    } else {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, &ref);
    }
}

static void remote_command_stop(struct trp_remote *remote, const struct trp_command *command,
                                const struct origin *origin)
{
    const struct name *name = trp_remote_name_find(remote, command->name);
    enum trp_status status = TRP_ENOTFOUND;
    if (name != NULL) {
        status = command->kind == TRP_CMD_KILL
                     ? trp_scheduler_kill(remote->config.scheduler, name->actor)
                     : trp_scheduler_stop(remote->config.scheduler, name->actor);
    }
    trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, NULL);
}

void trp_remote_command(struct trp_remote *remote, const struct trp_command *command)
{
    struct origin origin = {
        .kind = ORIGIN_COMMAND, .command = command->kind, .id = command->request};
    switch (command->kind) {
    case TRP_CMD_SPAWN:
        remote_command_spawn(remote, command, &origin);
        break;
    case TRP_CMD_STOP:
    case TRP_CMD_KILL:
        remote_command_stop(remote, command, &origin);
        break;
    case TRP_CMD_REGISTER:
        trp_remote_register(remote, command->ref.id, command->name, &origin);
        break;
    case TRP_CMD_UNREGISTER:
        trp_remote_complete(remote, &origin, trp_remote_unregister(remote, command->name),
                            TRP_BYTES_NONE, NULL);
        break;
    case TRP_CMD_LOOKUP:
        trp_remote_lookup(remote, command->name, command->all, &origin, NULL);
        break;
    case TRP_CMD_ASK:
    case TRP_CMD_TELL:
        remote_command_message(remote, command, &origin);
        break;
    case TRP_CMD_LISTEN:
    case TRP_CMD_DIAL:
    case TRP_CMD_BOOTSTRAP:
    case TRP_CMD_PEERS:
    case TRP_CMD_LEAVE:
        trp_remote_complete(remote, &origin, TRP_EUNSUPPORTED, TRP_BYTES_NONE, NULL);
        break;
    }
}

/* ---- life ---- */

static void remote_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    struct trp_remote *remote = self;
    remote->swarm = swarm;
}

static const struct trp_behaviour_ops remote_ops = {.name = "remote",
                                                    .attach = remote_attach,
                                                    .connected = trp_remote_connected,
                                                    .disconnected = trp_remote_disconnected,
                                                    .dial_failed = trp_remote_dial_failed};

struct trp_behaviour trp_remote_behaviour(struct trp_remote *remote)
{
    return (struct trp_behaviour){.ops = &remote_ops, .self = remote};
}

enum trp_status trp_remote_open(const struct trp_remote_config *config,
                                struct trp_remote **ret_remote)
{
    struct trp_memory *memory = config->memory;
    const struct trp_limits *limits = config->limits;
    struct trp_remote *remote = trp_memory_alloc(memory, sizeof *remote);
    if (remote == NULL) {
        return TRP_ENOMEM;
    }
    remote->config = *config;
    remote->calls = trp_slab_init(memory, sizeof(struct call), limits->requests);
    remote->deliveries = trp_slab_init(memory, sizeof(struct origin), limits->requests);
    remote->lookups = trp_slab_init(memory, sizeof(struct lookup), limits->commands);
    remote->queries = trp_slab_init(memory, sizeof(struct query),
                                    limits->commands * (REMOTE_LOOKUP_PEERS_MAX + 1));
    remote->names = trp_slab_init(memory, sizeof(struct name), limits->names);
    remote->scratch = trp_buffer_init(memory, limits->response_bytes);
    trp_list_init(&remote->results);
    for (uint32_t i = 0; i < config->types_count; i++) {
        if (trp_remote_type_learn(remote, trp_bytes_text(config->types[i]->id)) == 0) {
            trp_remote_close(remote);
            return TRP_ENOMEM;
        }
    }
    *ret_remote = remote;
    return TRP_OK;
}

void trp_remote_close(struct trp_remote *remote)
{
    if (remote == NULL) {
        return;
    }
    struct trp_memory *uthash_memory = remote->config.memory;
    struct trp_result result;
    while (trp_remote_next_result(remote, &result)) {
    }
    struct type_name *type;
    struct type_name *next;
    HASH_ITER(hh, remote->types, type, next)
    {
        HASH_DELETE(hh, remote->types, type);
        trp_memory_free(uthash_memory, type);
    }
    HASH_CLEAR(hh, remote->names_by_text);
    trp_remote_close_linked(remote);
    trp_remote_close_calls(remote);
    trp_remote_close_lookups(remote);
    trp_slab_free(&remote->calls);
    trp_slab_free(&remote->deliveries);
    trp_slab_free(&remote->lookups);
    trp_slab_free(&remote->queries);
    trp_slab_free(&remote->names);
    trp_buffer_free(&remote->scratch);
    trp_memory_free(uthash_memory, remote);
}
