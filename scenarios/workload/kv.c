/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/kv.h"

#define KEYS_MAX        64u
#define KEY_BYTES_MAX   63u
#define VALUE_BYTES_MAX 255u

TRP_MESSAGE_DEFINE(kv_put, "put", KV_PUT);
TRP_MESSAGE_DEFINE(kv_get, "get", KV_KEY);
TRP_MESSAGE_DEFINE(kv_delete, "delete", KV_KEY);
TRP_MESSAGE_DEFINE_NEWTYPE(kv_value, "value", KV_VALUE);
TRP_MESSAGE_DEFINE_NEWTYPE(kv_existed, "existed", KV_EXISTS);
TRP_MESSAGE_DEFINE_NEWTYPE(kv_error, "error", KV_ERROR);
TRP_MESSAGE_DEFINE_ENUM(kv_change, NULL, KV_CHANGE);
TRP_MESSAGE_DEFINE(kv_batch, "batch", KV_BATCH);
TRP_MESSAGE_DEFINE_NEWTYPE(kv_made, "made", KV_MADE);

struct pair {
    bool used;
    uint8_t key_size;
    uint8_t value_size;
    uint8_t key[KEY_BYTES_MAX];
    uint8_t value[VALUE_BYTES_MAX];
};

struct store {
    struct pair pairs[KEYS_MAX];
};

static struct pair *store_find(struct store *store, struct trp_bytes key)
{
    for (uint32_t i = 0; i < KEYS_MAX; i++) {
        struct pair *pair = &store->pairs[i];
        if (pair->used && trp_bytes_equal(trp_bytes(pair->key, pair->key_size), key)) {
            return pair;
        }
    }
    return NULL;
}

static struct pair *store_free_pair(struct store *store)
{
    for (uint32_t i = 0; i < KEYS_MAX; i++) {
        if (!store->pairs[i].used) {
            return &store->pairs[i];
        }
    }
    return NULL;
}

/* A tell wants no answer: that is fine. */
static enum trp_status answered(enum trp_status status)
{
    return status == TRP_ESTATE ? TRP_OK : status;
}

static enum trp_status refuse(struct trp_context *ctx, const char *text)
{
    const struct kv_error error = {.text = trp_bytes_text(text)};
    return answered(trp_reply_error(ctx, &kv_error_type, &error));
}

/* Gives why it cannot be done; NULL: it is. */
static const char *store_put(struct store *store, const struct kv_put *put, bool *ret_existed)
{
    if (put->key.size > KEY_BYTES_MAX || put->value.size > VALUE_BYTES_MAX) {
        return "too large";
    }
    struct pair *pair = store_find(store, put->key);
    *ret_existed = pair != NULL;
    pair = pair != NULL ? pair : store_free_pair(store);
    if (pair == NULL) {
        return "full";
    }
    *pair = (struct pair){
        .used = true, .key_size = (uint8_t)put->key.size, .value_size = (uint8_t)put->value.size};
    if (put->key.size > 0) {
        memcpy(pair->key, put->key.data, put->key.size);
    }
    if (put->value.size > 0) {
        memcpy(pair->value, put->value.data, put->value.size);
    }
    return NULL;
}

static bool store_delete(struct store *store, struct trp_bytes key)
{
    struct pair *pair = store_find(store, key);
    if (pair != NULL) {
        pair->used = false;
    }
    return pair != NULL;
}

static enum trp_status on_put(struct trp_context *ctx, void *state, const void *message)
{
    struct kv_existed reply = {.existed = false};
    const char *why = store_put(state, message, &reply.existed);
    return why != NULL ? refuse(ctx, why) : answered(trp_reply(ctx, &kv_existed_type, &reply));
}

static enum trp_status on_get(struct trp_context *ctx, void *state, const void *message)
{
    const struct kv_get *get = message;
    const struct pair *pair = store_find(state, get->key);
    if (pair == NULL) {
        return refuse(ctx, "no such key");
    }
    const struct kv_value reply = {.value = trp_bytes(pair->value, pair->value_size)};
    return answered(trp_reply(ctx, &kv_value_type, &reply));
}

static enum trp_status on_delete(struct trp_context *ctx, void *state, const void *message)
{
    const struct kv_delete *delete_ = message;
    const struct kv_existed reply = {.existed = store_delete(state, delete_->key)};
    return answered(trp_reply(ctx, &kv_existed_type, &reply));
}

static enum trp_status on_batch(struct trp_context *ctx, void *state, const void *message)
{
    struct store *store = state;
    const struct store before = *store;
    const struct kv_batch *batch = message;
    struct kv_made reply = {.made = 0};
    bool existed;
    if (batch->unless.has && store_find(store, batch->unless.value) != NULL) {
        return answered(trp_reply(ctx, &kv_made_type, &reply));
    }
    for (size_t i = 0; i < batch->changes.count; i++) {
        const struct kv_change *change = &batch->changes.items[i];
        if (change->kind == kv_change_delete_) {
            reply.made += store_delete(store, change->delete_.key);
            continue;
        }
        const char *why = store_put(store, &change->put, &existed);
        if (why != NULL) {
            *store = before;
            return refuse(ctx, why);
        }
        reply.made++;
    }
    return answered(trp_reply(ctx, &kv_made_type, &reply));
}

static const struct trp_actor_handler handlers[] = {
    {.message = &kv_put_type, .reply = &kv_existed_type, .handle = on_put},
    {.message = &kv_get_type, .reply = &kv_value_type, .handle = on_get},
    {.message = &kv_delete_type, .reply = &kv_existed_type, .handle = on_delete},
    {.message = &kv_batch_type, .reply = &kv_made_type, .handle = on_batch},
};

const struct trp_actor_type kv_actor_type = {.id = "kv",
                                             .state_bytes = sizeof(struct store),
                                             .handlers = handlers,
                                             .handlers_count =
                                                 sizeof handlers / sizeof handlers[0]};
