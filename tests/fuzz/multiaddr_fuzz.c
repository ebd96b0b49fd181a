/* SPDX-License-Identifier: MIT */
/* Addresses in binary: what decodes prints, and parses back to the same bytes. */
#include "base/assert.h"

#include <troupe/multiaddr.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trp_multiaddr addr;
    struct trp_multiaddr again;
    struct trp_peer_id id;
    struct trp_endpoint endpoint;
    char text[TRP_MULTIADDR_TEXT_MAX];
    if (trp_multiaddr_decode(trp_bytes(data, size), &addr) != TRP_OK) {
        return 0;
    }
    trp_multiaddr_print(&addr, text);
    TRP_ASSERT(trp_multiaddr_parse(text, &again, NULL) == TRP_OK);
    TRP_ASSERT(trp_multiaddr_equal(&addr, &again));
    if (trp_multiaddr_peer(&addr, &id) == TRP_OK) {
        struct trp_multiaddr bare = trp_multiaddr_without_peer(&addr);
        TRP_ASSERT(trp_multiaddr_with_peer(&bare, &id, &again) == TRP_OK || bare.size == 0);
        TRP_ASSERT(bare.size == 0 || trp_multiaddr_equal(&addr, &again));
    }
    if (trp_multiaddr_tcp(&addr, &endpoint) == TRP_OK) {
        TRP_ASSERT(strlen(endpoint.name) < sizeof endpoint.name);
    }
    return 0;
}
