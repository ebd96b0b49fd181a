/* SPDX-License-Identifier: MIT */
/* Whatever bytes come in, what reports store and show is clean UTF-8 and cut between characters.
 * The first byte chooses how little room there is. */
#include "reports/store/utf8.h"

#include "base/assert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct trp_bytes in = trp_bytes(data + 1, size - 1);
    char *out = malloc(3 * size);
    if (out == NULL) {
        return 0;
    }
    size_t written = utf8_clean(in, out, 3 * size);
    TRP_ASSERT(utf8_is_clean(trp_bytes(out, written)));
    TRP_ASSERT(!utf8_is_clean(in) || trp_bytes_equal(in, trp_bytes(out, written)));
    size_t room = data[0] < written ? data[0] : written;
    char *cut = malloc(room + 1);
    if (cut != NULL) {
        size_t kept = utf8_clean(in, cut, room);
        TRP_ASSERT(kept <= room && kept + 4 > room);
        TRP_ASSERT(utf8_is_clean(trp_bytes(cut, kept)));
    }
    free(cut);
    free(out);
    return 0;
}
