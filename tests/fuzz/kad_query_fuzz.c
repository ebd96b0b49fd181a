/* SPDX-License-Identifier: MIT */
/* A look-up under any order of seeds, answers, offers, failures and time: what it promises must
 * hold after each. */
#include "base/assert.h"
#include "proto/kad/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trp_kad_contact contact_of(uint8_t high, uint8_t low)
{
    struct trp_kad_contact contact = {.key = {{0, 0, high, low}}, .peer = {.size = 2}};
    contact.peer.bytes[0] = high;
    contact.peer.bytes[1] = low;
    return contact;
}

static void check(const struct trp_kad_query *query)
{
    TRP_ASSERT(query->count <= TRP_KAD_CANDIDATES_MAX);
    TRP_ASSERT(query->asked_count <= TRP_KAD_ALPHA);
    TRP_ASSERT(query->rpcs <= query->count);
    bool has_grace = query->slow > query->silent && query->answers < TRP_KAD_ALPHA;
    TRP_ASSERT((trp_kad_query_deadline(query) == TRP_NEVER) ==
               (query->asked_count == 0 && !has_grace));
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    uint32_t count = trp_kad_query_result(query, result);
    TRP_ASSERT(count <= TRP_KAD_RESULT_MAX && count <= query->answers);
    for (uint32_t i = 1; i < count; i++) {
        struct trp_kad_key a = trp_kad_distance(&result[i - 1].key, &query->config.target);
        struct trp_kad_key b = trp_kad_distance(&result[i].key, &query->config.target);
        TRP_ASSERT(trp_kad_key_compare(&a, &b) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    struct trp_memory memory = trp_memory_init(1u << 24);
    struct trp_kad_query_config config = {.memory = &memory,
                                          .self = contact_of(9, 9).key,
                                          .goal = data[0] % (TRP_KAD_K + 1),
                                          .patience_ns = 1 + data[1],
                                          .grace_ns = 128};
    memory.fail_at = data[2];
    struct trp_kad_query query;
    trp_kad_query_init(&query, &config);
    struct trp_kad_contact last = contact_of(0, 0);
    trp_time now = 0;
    for (size_t i = 3; i + 2 < size; i += 3) {
        struct trp_kad_contact contact = contact_of(data[i + 1], data[i + 2]);
        switch (data[i] % 7) {
        case 0:
            (void)!trp_kad_query_seed(&query, &contact);
            break;
        case 1:
            (void)!trp_kad_query_seed_known(&query, &contact);
            break;
        case 2:
            (void)!trp_kad_query_ask(&query, &contact, now);
            break;
        case 3:
            (void)!trp_kad_query_offer(&query, &last.key, &contact);
            break;
        case 4:
            trp_kad_query_failed(&query, &contact.key);
            break;
        case 5:
            now += data[i + 1];
            trp_kad_query_expire(&query, now);
            break;
        default:
            if (trp_kad_query_next(&query, now, &last)) {
                TRP_ASSERT(!trp_kad_key_equal(&last.key, &config.self));
                TRP_ASSERT(data[i + 1] % 2 == 0 || trp_kad_query_answered(&query, &last.key));
            }
            break;
        }
        check(&query);
    }
    /* Whoever is asked now answers nothing: it must end. */
    memory.fail_at = 0;
    trp_kad_query_expire(&query, TRP_NEVER);
    while (trp_kad_query_next(&query, now, &last)) {
        trp_kad_query_failed(&query, &last.key);
    }
    TRP_ASSERT(query.asked_count == 0);
    TRP_ASSERT(trp_kad_query_is_done(&query) && trp_kad_query_deadline(&query) == TRP_NEVER);
    trp_kad_query_deinit(&query);
    TRP_ASSERT(memory.used_bytes == 0);
    return 0;
}
