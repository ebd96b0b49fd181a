/* SPDX-License-Identifier: MIT */
#include "remote/remote.h"

#include "base/assert.h"
#include "remote/state.h"

/* ---- who is who ---- */

bool trp_remote_is_local(const struct trp_remote *remote, const struct trp_actor_ref *ref)
{
    return ref->peer.size == 0 || trp_peer_id_equal(&ref->peer, remote->config.self);
}

struct trp_bytes trp_remote_own_type(const struct trp_remote *remote, uint64_t actor)
{
    const struct trp_actor_type *type = trp_scheduler_type_of(remote->config.scheduler, actor);
    return trp_bytes_text(type == NULL ? NULL : type->id);
}

struct trp_actor_ref trp_remote_own_ref(const struct trp_remote *remote, uint64_t actor)
{
    struct trp_bytes type = trp_remote_own_type(remote, actor);
    return (struct trp_actor_ref){.id = actor,
                                  .type = type.size == 0 ? 0 : trp_actor_type_hash(type),
                                  .peer = *remote->config.self};
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
    const struct delivery *found = trp_slab_find(&remote->deliveries, event->token);
    if (found == NULL) {
        return;
    }
    struct delivery delivery = *found;
    trp_slab_remove(&remote->deliveries, event->token);
    trp_remote_complete(remote, &delivery.origin, event->status, event->payload, &delivery.ref);
}

/* A message of an actor to one elsewhere. */
static void remote_on_message(struct trp_remote *remote, const struct trp_sched_event *event,
                              const struct origin *origin)
{
    const struct message message = {
        .ask = event->kind == TRP_SCHED_ASK,
        .id = event->message,
        .payload = event->payload,
        .mailbox_timeout_ns = event->mailbox_timeout_ns,
        .reply_timeout_ns = event->reply_timeout_ns == 0 ? TRP_NEVER : event->reply_timeout_ns};
    trp_remote_send_message(remote, &event->other, &message, origin);
}

static void remote_on_died(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct trp_sched_link link = {
        .actor = event->actor, .other = event->other, .other_type = event->other_type};
    trp_remote_send_signal(remote, &link, event->death);
    trp_remote_update_linked(remote, &event->other.peer);
}

static void remote_on_sched_event(struct trp_remote *remote, const struct trp_sched_event *event)
{
    struct origin origin = {.kind = event->request == 0 ? ORIGIN_NOBODY : ORIGIN_ACTOR,
                            .id = event->request};
    remote->config.trace->cause = event->cause;
    switch (event->kind) {
    case TRP_SCHED_ANSWER:
        remote_on_answer(remote, event);
        break;
    case TRP_SCHED_ASK:
        remote_on_message(remote, event, &origin);
        break;
    case TRP_SCHED_TELL:
        if (event->request != 0 || !trp_remote_tell(remote, event)) {
            remote_on_message(remote, event, &origin);
        }
        break;
    case TRP_SCHED_LINK:
        trp_remote_send_link(remote, event);
        break;
    case TRP_SCHED_UNLINK:
        trp_remote_send_unlink(remote, event);
        break;
    case TRP_SCHED_CONNECT:
    case TRP_SCHED_DISCONNECT:
        trp_remote_connect(remote, event->kind == TRP_SCHED_CONNECT, &event->other, &event->second,
                           &origin);
        break;
    case TRP_SCHED_DIED:
        remote_on_died(remote, event);
        break;
    case TRP_SCHED_REGISTER:
        trp_remote_register(remote, event->actor, event->name, &origin);
        break;
    case TRP_SCHED_UNREGISTER: /* a name that is not there is gone */
        TRP_IGNORE(trp_registry_unregister(remote->config.registry, event->name));
        break;
    case TRP_SCHED_LOOKUP:
        trp_remote_lookup(remote, event->name, event->scope, &origin, NULL);
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
    any = trp_remote_run_registry(remote) || any;
    return any;
}

/* ---- commands ---- */

/* Sends the message of an ASK or TELL to an actor, here or elsewhere. */
static void remote_command_message(struct trp_remote *remote, const struct trp_command *command,
                                   const struct origin *origin)
{
    if (command->ref.id == 0) {
        trp_remote_lookup(remote, command->name, TRP_LOOKUP_FIRST, origin, command);
        return;
    }
    struct trp_actor_ref to = command->ref;
    struct message message = {
        .ask = command->kind == TRP_CMD_ASK,
        .id = command->message,
        .payload = command->payload,
        .mailbox_timeout_ns =
            command->mailbox_timeout_ns == 0 ? TRP_NEVER : command->mailbox_timeout_ns,
        .reply_timeout_ns = command->reply_timeout_ns == 0 ? TRP_NEVER : command->reply_timeout_ns};
    if (command->immediate) {
        message.mailbox_timeout_ns = 0;
    }
    if (trp_remote_is_local(remote, &to)) {
        trp_remote_deliver(remote, &to, &message, origin);
        return;
    }
    if (to.type == 0 && command->actor_type.size > 0) {
        to.type = trp_scheduler_learn_type(remote->config.scheduler, command->actor_type);
    }
    trp_remote_send_message(remote, &to, &message, origin);
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
    struct trp_actor_ref ref;
    enum trp_status status = trp_remote_find_name(remote, command->name, &ref);
    if (status == TRP_OK) {
        status = command->kind == TRP_CMD_KILL
                     ? trp_scheduler_kill(remote->config.scheduler, ref.id)
                     : trp_scheduler_stop(remote->config.scheduler, ref.id);
    }
    trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, NULL);
}

static void remote_command_link(struct trp_remote *remote, const struct trp_command *command,
                                const struct origin *origin)
{
    bool known = command->ref.id != 0 && command->other.id != 0 &&
                 !trp_actor_ref_equal(&command->ref, &command->other);
    if (known) {
        trp_remote_connect(remote, command->kind == TRP_CMD_LINK, &command->ref, &command->other,
                           origin);
    } else {
        trp_remote_complete(remote, origin, TRP_EINVAL, TRP_BYTES_NONE, NULL);
    }
}

static enum trp_lookup_scope command_scope(const struct trp_command *command)
{
    enum trp_lookup_scope wide = command->all ? TRP_LOOKUP_ALL : TRP_LOOKUP_FIRST;
    return command->local ? TRP_LOOKUP_LOCAL : wide;
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
        trp_remote_complete(remote, &origin,
                            trp_registry_unregister(remote->config.registry, command->name),
                            TRP_BYTES_NONE, NULL);
        break;
    case TRP_CMD_LOOKUP:
        trp_remote_lookup(remote, command->name, command_scope(command), &origin, NULL);
        break;
    case TRP_CMD_LINK:
    case TRP_CMD_UNLINK:
        remote_command_link(remote, command, &origin);
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
    case TRP_CMD_PING:
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
                                                    .admit = trp_remote_admit,
                                                    .connected = trp_remote_connected,
                                                    .disconnected = trp_remote_disconnected,
                                                    .dial_failed = trp_remote_dial_failed,
                                                    .deadline = trp_remote_liveness_deadline,
                                                    .expire = trp_remote_liveness_expire};

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
    remote->connects = trp_slab_init(memory, sizeof(struct connect), limits->commands);
    remote->deliveries = trp_slab_init(memory, sizeof(struct delivery), limits->requests);
    remote->announcements = trp_slab_init(memory, sizeof(struct announcement), limits->names);
    remote->searches = trp_slab_init(memory, sizeof(struct search), limits->commands);
    remote->liveness = trp_heap_init(memory);
    trp_list_init(&remote->results);
    *ret_remote = remote;
    return TRP_OK;
}

void trp_remote_close(struct trp_remote *remote)
{
    if (remote == NULL) {
        return;
    }
    struct trp_result result;
    while (trp_remote_next_result(remote, &result)) {
    }
    trp_remote_close_linked(remote);
    trp_remote_close_searches(remote);
    trp_slab_free(&remote->calls);
    trp_slab_free(&remote->connects);
    trp_slab_free(&remote->deliveries);
    trp_slab_free(&remote->announcements);
    trp_slab_free(&remote->searches);
    trp_memory_free(remote->config.memory, remote);
}
