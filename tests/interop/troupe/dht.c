/* SPDX-License-Identifier: MIT */
/* Kademlia on a protocol id of the tests, and request-response on two. Requests of peers are
 * answered with themselves. */
#include "interop/troupe/peer.h"

#include "base/slab.h"
#include "behaviour/kad.h"
#include "behaviour/request_response.h"

#include <stdio.h>
#include <stdlib.h>

#define JOBS_MAX 1024u

/* A query or request under way. */
struct dht_job {
    trp_handle id;
    char name[JOB_ID_BYTES];
    uint32_t found;
    char *peers; /* found so far, each after a comma */
};

struct dht {
    struct trp_memory memory;
    struct trp_trace trace; /* none */
    struct trp_kad *kad;
    struct trp_request_response *cbor;
    struct trp_request_response *json;
    struct trp_slab jobs;
};

static struct dht_job *dht_job_make(struct dht *dht, const char *name)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&dht->jobs, &id, &object) != TRP_OK) {
        return NULL;
    }
    struct dht_job *job = object;
    job->id = id;
    (void)snprintf(job->name, sizeof job->name, "%s", name);
    return job;
}

static void dht_job_free(struct dht *dht, struct dht_job *job)
{
    free(job->peers);
    trp_slab_remove(&dht->jobs, job->id);
}

/* ---- Kademlia ---- */

static void job_add_peers(struct dht_job *job, const struct trp_kad_event *event)
{
    for (uint32_t i = 0; i < event->peers_count; i++) {
        char text[TRP_PEER_ID_TEXT_MAX];
        trp_peer_id_print(&event->peers[i], text);
        size_t size = job->peers == NULL ? 0 : strlen(job->peers);
        char *peers = realloc(job->peers, size + strlen(text) + 2);
        if (peers != NULL) {
            (void)snprintf(peers + size, strlen(text) + 2, ",%s", text);
            job->peers = peers;
            job->found++;
        }
    }
}

static void say_value(const char *name, struct trp_bytes value)
{
    (void)printf("done id=%s value=", name);
    say_hex(value);
    say("\n");
}

static void kad_finished(struct dht *dht, struct dht_job *job, const struct trp_kad_event *event)
{
    bool found_some = event->kind == TRP_KAD_FOUND_PROVIDERS && job->found > 0;
    if (event->status != TRP_OK && !found_some) {
        say_failed(job->name, event->status);
    } else {
        say("done id=%s stored=%u rpcs=%u peers=%s\n", job->name, event->stored, event->rpcs,
            job->peers == NULL ? "" : job->peers + 1);
    }
    dht_job_free(dht, job);
}

static void kad_poll(struct dht *dht)
{
    struct trp_kad_event event;
    while (trp_kad_next_event(dht->kad, &event)) {
        struct dht_job *job = trp_slab_find(&dht->jobs, event.token);
        if (job == NULL) {
            continue;
        }
        job_add_peers(job, &event);
        if (event.kind == TRP_KAD_FOUND_RECORD && event.value.size > 0) {
            say_value(job->name, event.value);
            trp_kad_cancel(dht->kad, event.query);
            dht_job_free(dht, job);
        } else if (event.last) {
            kad_finished(dht, job, &event);
        }
    }
}

static enum trp_status kad_begin(struct dht *dht, const struct order *order, uint64_t token)
{
    const char *verb = order->words[1];
    struct trp_bytes key = TRP_BYTES_NONE;
    struct trp_bytes value = TRP_BYTES_NONE;
    struct trp_peer_id peer;
    uint64_t query;
    if (strcmp(verb, "kad-find") == 0) {
        return order->count > 2 && trp_peer_id_parse(order->words[2], &peer) == TRP_OK
                   ? trp_kad_find_peers(dht->kad, trp_peer_id_bytes(&peer), token, &query)
                   : TRP_EINVAL;
    }
    if (strcmp(verb, "kad-bootstrap") == 0) {
        return trp_kad_bootstrap(dht->kad, token);
    }
    if (order->count < 3 || !hex_decode(order->words[2], &key) ||
        (order->count > 3 && !hex_decode(order->words[3], &value))) {
        return TRP_EINVAL;
    }
    if (strcmp(verb, "kad-provide") == 0) {
        return trp_kad_provide(dht->kad, key, token, &query);
    }
    if (strcmp(verb, "kad-providers") == 0) {
        return trp_kad_get_providers(dht->kad, key, token, &query);
    }
    if (strcmp(verb, "kad-put") == 0) {
        return trp_kad_put_record(dht->kad, key, value, token, &query);
    }
    return strcmp(verb, "kad-get") == 0 ? trp_kad_get_record(dht->kad, key, NULL, token, &query)
                                        : TRP_EUNSUPPORTED;
}

static void order_table(const struct dht *dht, const char *id)
{
    uint32_t at = 0;
    uint32_t bucket;
    struct trp_peer_id peer;
    const char *comma = "";
    (void)printf("done id=%s peers=", id);
    while (trp_kad_next_peer(dht->kad, &at, &peer, &bucket)) {
        char text[TRP_PEER_ID_TEXT_MAX];
        trp_peer_id_print(&peer, text);
        (void)printf("%s%s", comma, text);
        comma = ",";
    }
    say("\n");
}

/* ---- request-response ---- */

static bool rr_poll(struct dht *dht, struct trp_request_response *rr)
{
    struct trp_request_response_event event;
    bool answered = false;
    while (trp_request_response_next_event(rr, &event)) {
        struct dht_job *job = trp_slab_find(&dht->jobs, event.token);
        switch (event.kind) {
        case TRP_RR_REQUEST:
            TRP_IGNORE(trp_request_response_answer(rr, event.id, event.bytes)); /* it is gone */
            answered = true;
            break;
        case TRP_RR_RESPONSE:
            if (job != NULL) {
                say_value(job->name, event.bytes);
                dht_job_free(dht, job);
            }
            break;
        case TRP_RR_FAILURE:
            if (job != NULL) {
                say_failed(job->name, event.status);
                dht_job_free(dht, job);
            }
            break;
        case TRP_RR_SENT:
        case TRP_RR_DROPPED:
            break;
        }
    }
    return answered;
}

/* request PEER PROTOCOL HEX */
static enum trp_status rr_begin(struct dht *dht, const struct order *order, uint64_t token)
{
    struct trp_peer_id peer;
    struct trp_bytes request;
    uint64_t id;
    if (order->count < 5 || trp_peer_id_parse(order->words[2], &peer) != TRP_OK ||
        !hex_decode(order->words[4], &request)) {
        return TRP_EINVAL;
    }
    bool json = strcmp(order->words[3], PROTOCOL_JSON) == 0;
    if (!json && strcmp(order->words[3], PROTOCOL_CBOR) != 0) {
        return TRP_EUNSUPPORTED;
    }
    return trp_request_response_send(json ? dht->json : dht->cbor, &peer, request, 0, token, &id);
}

/* ---- both ---- */

bool dht_order(struct dht *dht, const struct order *order)
{
    const char *verb = order->words[1];
    bool request = strcmp(verb, "request") == 0;
    if (!request && strncmp(verb, "kad-", 4) != 0) {
        return false;
    }
    if (strcmp(verb, "kad-table") == 0) {
        order_table(dht, order->words[0]);
        return true;
    }
    struct dht_job *job = dht_job_make(dht, order->words[0]);
    enum trp_status status = TRP_EFULL;
    if (job != NULL) {
        status = request ? rr_begin(dht, order, job->id) : kad_begin(dht, order, job->id);
    }
    if (status != TRP_OK) {
        say_failed(order->words[0], status);
        if (job != NULL) {
            dht_job_free(dht, job);
        }
    }
    return true;
}

bool dht_poll(struct dht *dht)
{
    kad_poll(dht);
    bool answered = rr_poll(dht, dht->cbor);
    return rr_poll(dht, dht->json) || answered;
}

struct dht *dht_open(const char *kad_protocol)
{
    struct dht *dht = calloc(1, sizeof *dht);
    if (dht == NULL) {
        return NULL;
    }
    dht->memory = trp_memory_init(UINT64_MAX);
    dht->jobs = trp_slab_init(&dht->memory, sizeof(struct dht_job), JOBS_MAX);
    const struct trp_kad_config kad = {
        .memory = &dht->memory, .trace = &dht->trace, .protocol = kad_protocol, .seed = 1};
    struct trp_request_response_config rr = {
        .memory = &dht->memory, .trace = &dht->trace, .protocol = PROTOCOL_CBOR};
    enum trp_status status = trp_kad_open(&kad, &dht->kad);
    if (status == TRP_OK) {
        status = trp_request_response_open(&rr, &dht->cbor);
    }
    rr.protocol = PROTOCOL_JSON;
    if (status == TRP_OK) {
        status = trp_request_response_open(&rr, &dht->json);
    }
    if (status != TRP_OK) {
        dht_close(dht);
        return NULL;
    }
    return dht;
}

void dht_close(struct dht *dht)
{
    uint32_t at = 0;
    trp_handle id;
    struct dht_job *job;
    while ((job = trp_slab_next(&dht->jobs, &at, &id)) != NULL) {
        dht_job_free(dht, job);
    }
    trp_kad_close(dht->kad);
    trp_request_response_close(dht->cbor);
    trp_request_response_close(dht->json);
    trp_slab_free(&dht->jobs);
    free(dht);
}

void dht_behaviours(struct dht *dht, struct trp_behaviour ret_behaviours[DHT_BEHAVIOURS])
{
    ret_behaviours[0] = trp_kad_behaviour(dht->kad);
    ret_behaviours[1] = trp_request_response_behaviour(dht->cbor);
    ret_behaviours[2] = trp_request_response_behaviour(dht->json);
}
