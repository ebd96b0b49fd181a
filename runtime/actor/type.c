/* SPDX-License-Identifier: MIT */
#include "actor/actor.h"

#include "actor/scheduler_state.h"

static enum trp_status type_info_make(struct trp_scheduler *scheduler,
                                      const struct trp_actor_type *type,
                                      const struct trp_type_info **ret_info)
{
    if (type->id == NULL || type->id[0] == '\0') {
        return TRP_EINVAL;
    }
    if (trp_type_names_learn(&scheduler->type_names, trp_bytes_text(type->id), true) == 0) {
        return TRP_ENOMEM;
    }
    struct trp_type_info *info = trp_memory_alloc(
        scheduler->memory, sizeof *info + type->handlers_count * sizeof(struct trp_handler_info));
    if (info == NULL) {
        return TRP_ENOMEM;
    }
    *info = (struct trp_type_info){
        .type = type,
        .id = trp_bytes_text(type->id),
        .hash = trp_actor_type_hash(trp_bytes_text(type->id)),
        .args = trp_shape_of(type->args),
        .class = trp_pool_class_of(TRP_ACTOR_HEADER + (size_t)type->state_bytes),
        .handlers_count = type->handlers_count};
    for (uint32_t i = 0; i < type->handlers_count; i++) {
        const struct trp_actor_handler *handler = &type->handlers[i];
        info->handlers[i] = (struct trp_handler_info){.id = trp_bytes_text(handler->message->id),
                                                      .message = trp_shape_of(handler->message),
                                                      .handle = handler->handle,
                                                      .reply = trp_shape_of(handler->reply)};
    }
    if (scheduler->types == NULL) {
        scheduler->types = info;
    } else {
        scheduler->types_last->next = info;
    }
    scheduler->types_last = info;
    *ret_info = info;
    return TRP_OK;
}

enum trp_status trp_type_info_find(struct trp_scheduler *scheduler,
                                   const struct trp_actor_type *type,
                                   const struct trp_type_info **ret_info)
{
    const struct trp_type_info *info = scheduler->type_recent;
    if (info == NULL || info->type != type) {
        info = scheduler->types;
        while (info != NULL && info->type != type) {
            info = info->next;
        }
        if (info == NULL) {
            enum trp_status status = type_info_make(scheduler, type, &info);
            if (status != TRP_OK) {
                return status;
            }
        }
        scheduler->type_recent = info;
    }
    *ret_info = info;
    return TRP_OK;
}

const struct trp_handler_info *trp_type_info_handler_by_id(const struct trp_type_info *info,
                                                           struct trp_bytes message)
{
    for (uint32_t i = 0; i < info->handlers_count; i++) {
        if (trp_bytes_equal(info->handlers[i].id, message)) {
            return &info->handlers[i];
        }
    }
    return NULL;
}
