/* SPDX-License-Identifier: MIT */
#include "wire/multihash.h"

#include "wire/uvarint.h"

enum trp_status trp_multihash_decode(struct trp_bytes in, struct trp_multihash *ret_multihash)
{
    uint64_t code;
    uint64_t size;
    size_t used;
    if (trp_uvarint_decode(in, &code, &used) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    in = trp_bytes_skip(in, used);
    if (trp_uvarint_decode(in, &size, &used) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    in = trp_bytes_skip(in, used);
    if (size != in.size) {
        return TRP_EMALFORMED;
    }
    *ret_multihash = (struct trp_multihash){.code = code, .digest = in};
    return TRP_OK;
}
