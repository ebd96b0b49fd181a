/* SPDX-License-Identifier: MIT */
#include "net/origin.h"

static void ip_of(const struct trp_multiaddr *remote, uint8_t ret_ip[8])
{
    struct trp_endpoint endpoint;
    memset(ret_ip, 0, 8);
    if (trp_multiaddr_tcp(remote, &endpoint) != TRP_OK) {
        return;
    }
    if (endpoint.host == TRP_MA_IP4) {
        memcpy(ret_ip, endpoint.ip, 4);
    } else if (endpoint.host == TRP_MA_IP6) {
        memcpy(ret_ip, endpoint.ip, 8);
    }
}

enum trp_status trp_origin_enter(struct trp_origin **table, struct trp_memory *memory,
                                 const struct trp_multiaddr *remote, struct trp_origin **ret_origin)
{
    struct trp_memory *uthash_memory = memory;
    struct trp_origin *origin = NULL;
    uint8_t ip[8];
    ip_of(remote, ip);
    HASH_FIND(hh, *table, ip, sizeof ip, origin);
    if (origin == NULL) {
        origin = trp_memory_alloc(memory, sizeof *origin);
        if (origin == NULL) {
            return TRP_ENOMEM;
        }
        memcpy(origin->ip, ip, sizeof ip);
        HASH_ADD(hh, *table, ip, sizeof origin->ip, origin);
        if (origin->hh.tbl == NULL) {
            trp_memory_free(memory, origin);
            return TRP_ENOMEM;
        }
    }
    origin->pending++;
    *ret_origin = origin;
    return TRP_OK;
}

void trp_origin_leave(struct trp_origin **table, struct trp_memory *memory,
                      struct trp_origin *origin)
{
    struct trp_memory *uthash_memory = memory;
    if (origin != NULL && --origin->pending == 0) {
        HASH_DELETE(hh, *table, origin);
        trp_memory_free(memory, origin);
    }
}

uint32_t trp_origin_pending(struct trp_origin *table, const struct trp_multiaddr *remote)
{
    struct trp_origin *origin = NULL;
    uint8_t ip[8];
    ip_of(remote, ip);
    HASH_FIND(hh, table, ip, sizeof ip, origin);
    return origin == NULL ? 0 : origin->pending;
}

void trp_origin_free_all(struct trp_origin **table, struct trp_memory *memory)
{
    struct trp_memory *uthash_memory = memory;
    while (*table != NULL) {
        struct trp_origin *origin = *table;
        HASH_DELETE(hh, *table, origin);
        trp_memory_free(memory, origin);
    }
}

bool trp_proven_find(const struct trp_proven *proven, const struct trp_multiaddr *remote)
{
    uint8_t ip[8];
    ip_of(remote, ip);
    for (uint32_t i = 0; i < proven->count && i < TRP_PROVEN_MAX; i++) {
        if (memcmp(proven->ips[i], ip, sizeof ip) == 0) {
            return true;
        }
    }
    return false;
}

void trp_proven_insert(struct trp_proven *proven, struct trp_memory *memory,
                       const struct trp_multiaddr *remote)
{
    if (trp_proven_find(proven, remote)) {
        return;
    }
    if (proven->ips == NULL) {
        proven->ips = trp_memory_alloc(memory, TRP_PROVEN_MAX * sizeof *proven->ips);
    }
    if (proven->ips != NULL) {
        ip_of(remote, proven->ips[proven->count++ % TRP_PROVEN_MAX]);
    }
}
