/* SPDX-License-Identifier: MIT */
/* Addresses and peer ids as text: what parses prints, and parses again. */
#include "base/assert.h"

#include <troupe/multiaddr.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024];
    char printed[TRP_MULTIADDR_TEXT_MAX];
    struct trp_multiaddr addr;
    struct trp_multiaddr again;
    struct trp_peer_id id;
    struct trp_peer_id id_again;
    size_t at = 0;
    size = size < sizeof text ? size : sizeof text - 1;
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    enum trp_status status = trp_multiaddr_parse(text, &addr, &at);
    if (status == TRP_OK) {
        trp_multiaddr_print(&addr, printed);
        TRP_ASSERT(trp_multiaddr_parse(printed, &again, NULL) == TRP_OK);
        TRP_ASSERT(trp_multiaddr_equal(&addr, &again));
    }
    TRP_ASSERT(status != TRP_EMALFORMED || at <= strlen(text));
    if (trp_peer_id_parse(text, &id) == TRP_OK) {
        trp_peer_id_print(&id, printed);
        TRP_ASSERT(trp_peer_id_parse(printed, &id_again) == TRP_OK);
        TRP_ASSERT(trp_peer_id_equal(&id, &id_again));
    }
    return 0;
}
