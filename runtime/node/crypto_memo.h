/* SPDX-License-Identifier: MIT */
/* node/crypto_memo.h - the inside of struct trp_crypto_memo (troupe/node.h). */
#ifndef NODE_CRYPTO_MEMO_H
#define NODE_CRYPTO_MEMO_H

#include "crypto/signature_memo.h"
#include "crypto/x25519_memo.h"

struct trp_crypto_memo {
    struct trp_memory memory; /* counts all of it */
    struct trp_signature_memo signatures;
    struct trp_x25519_memo agreements;
};

#endif
