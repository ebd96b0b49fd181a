/* SPDX-License-Identifier: MIT */
/* lib/msan_libraries.c - tells MemorySanitizer what the libraries of the pure layers read and
 * write.
 *
 * The system's libraries are not instrumented: what they write counts as never written, what they
 * read is not looked at. Each call of theirs is wrapped here (scripts/cmake/msan.cmake has the list
 * for the linker): inputs must be initialised, outputs are marked so. SQLite and libuv are not
 * wrapped; what stands on them is not run under MemorySanitizer. */
#include <cbor.h>
#include <gnutls/abstract.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <protobuf-c/protobuf-c.h>
#include <sanitizer/msan_interface.h>
#include <secp256k1.h>
#include <sodium.h>
#include <yaml.h>

#define KEY_BYTES   32u
#define NONCE_BYTES 12u
#define TAG_BYTES   16u

/* Declares the library's own function and our wrapper around it. */
#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

typedef unsigned char byte;
typedef unsigned long long count;

static void reads(const void *bytes, size_t size)
{
    if (size > 0) {
        __msan_check_mem_is_initialized(bytes, size);
    }
}

static void writes(const void *bytes, size_t size)
{
    if (bytes != NULL && size > 0) {
        __msan_unpoison(bytes, size);
    }
}

/* ---- nettle ---- */

WRAPPED(void, nettle_sha256_init, struct sha256_ctx *state)
{
    __real_nettle_sha256_init(state);
    writes(state, sizeof *state);
}

WRAPPED(void, nettle_sha256_update, struct sha256_ctx *state, size_t in_size, const byte *in)
{
    reads(in, in_size);
    __real_nettle_sha256_update(state, in_size, in);
}

WRAPPED(void, nettle_sha256_digest, struct sha256_ctx *state, size_t out_size, byte *out)
{
    __real_nettle_sha256_digest(state, out_size, out);
    writes(out, out_size);
}

WRAPPED(void, nettle_hmac_sha256_set_key, struct hmac_sha256_ctx *state, size_t key_size,
        const byte *key)
{
    reads(key, key_size);
    __real_nettle_hmac_sha256_set_key(state, key_size, key);
    writes(state, sizeof *state);
}

WRAPPED(void, nettle_hmac_sha256_update, struct hmac_sha256_ctx *state, size_t in_size,
        const byte *in)
{
    reads(in, in_size);
    __real_nettle_hmac_sha256_update(state, in_size, in);
}

WRAPPED(void, nettle_hmac_sha256_digest, struct hmac_sha256_ctx *state, size_t out_size, byte *out)
{
    __real_nettle_hmac_sha256_digest(state, out_size, out);
    writes(out, out_size);
}

/* ---- libsodium ---- */

WRAPPED(int, crypto_aead_chacha20poly1305_ietf_encrypt, byte *out, count *out_size, const byte *in,
        count in_size, const byte *ad, count ad_size, const byte *nsec, const byte *nonce,
        const byte *key)
{
    reads(in, in_size);
    reads(ad, ad_size);
    reads(nonce, NONCE_BYTES);
    reads(key, KEY_BYTES);
    int result = __real_crypto_aead_chacha20poly1305_ietf_encrypt(out, out_size, in, in_size, ad,
                                                                  ad_size, nsec, nonce, key);
    writes(out, in_size + TAG_BYTES);
    writes(out_size, out_size == NULL ? 0 : sizeof *out_size);
    return result;
}

WRAPPED(int, crypto_aead_chacha20poly1305_ietf_decrypt, byte *out, count *out_size, byte *nsec,
        const byte *in, count in_size, const byte *ad, count ad_size, const byte *nonce,
        const byte *key)
{
    reads(in, in_size);
    reads(ad, ad_size);
    reads(nonce, NONCE_BYTES);
    reads(key, KEY_BYTES);
    int result = __real_crypto_aead_chacha20poly1305_ietf_decrypt(out, out_size, nsec, in, in_size,
                                                                  ad, ad_size, nonce, key);
    writes(out, result == 0 ? in_size - TAG_BYTES : 0);
    writes(out_size, out_size == NULL ? 0 : sizeof *out_size);
    return result;
}

WRAPPED(int, crypto_hash_sha256, byte *out, const byte *in, count in_size)
{
    reads(in, in_size);
    int result = __real_crypto_hash_sha256(out, in, in_size);
    writes(out, crypto_hash_sha256_BYTES);
    return result;
}

WRAPPED(int, crypto_scalarmult_curve25519, byte *out, const byte *secret, const byte *point)
{
    reads(secret, KEY_BYTES);
    reads(point, KEY_BYTES);
    int result = __real_crypto_scalarmult_curve25519(out, secret, point);
    writes(out, KEY_BYTES);
    return result;
}

WRAPPED(int, crypto_scalarmult_curve25519_base, byte *out, const byte *secret)
{
    reads(secret, KEY_BYTES);
    int result = __real_crypto_scalarmult_curve25519_base(out, secret);
    writes(out, KEY_BYTES);
    return result;
}

WRAPPED(int, crypto_sign_ed25519_seed_keypair, byte *key, byte *secret, const byte *seed)
{
    reads(seed, crypto_sign_ed25519_SEEDBYTES);
    int result = __real_crypto_sign_ed25519_seed_keypair(key, secret, seed);
    writes(key, crypto_sign_ed25519_PUBLICKEYBYTES);
    writes(secret, crypto_sign_ed25519_SECRETKEYBYTES);
    return result;
}

WRAPPED(int, crypto_sign_ed25519_detached, byte *out, count *out_size, const byte *in,
        count in_size, const byte *secret)
{
    reads(in, in_size);
    reads(secret, crypto_sign_ed25519_SECRETKEYBYTES);
    int result = __real_crypto_sign_ed25519_detached(out, out_size, in, in_size, secret);
    writes(out, crypto_sign_ed25519_BYTES);
    writes(out_size, out_size == NULL ? 0 : sizeof *out_size);
    return result;
}

WRAPPED(int, crypto_sign_ed25519_verify_detached, const byte *signature, const byte *in,
        count in_size, const byte *key)
{
    reads(signature, crypto_sign_ed25519_BYTES);
    reads(in, in_size);
    reads(key, crypto_sign_ed25519_PUBLICKEYBYTES);
    return __real_crypto_sign_ed25519_verify_detached(signature, in, in_size, key);
}

WRAPPED(int, crypto_stream_chacha20_ietf, byte *out, count out_size, const byte *nonce,
        const byte *key)
{
    reads(nonce, NONCE_BYTES);
    reads(key, KEY_BYTES);
    int result = __real_crypto_stream_chacha20_ietf(out, out_size, nonce, key);
    writes(out, out_size);
    return result;
}

WRAPPED(int, crypto_stream_chacha20_ietf_xor_ic, byte *out, const byte *in, count in_size,
        const byte *nonce, uint32_t counter, const byte *key)
{
    reads(in, in_size);
    reads(nonce, NONCE_BYTES);
    reads(key, KEY_BYTES);
    int result = __real_crypto_stream_chacha20_ietf_xor_ic(out, in, in_size, nonce, counter, key);
    writes(out, in_size);
    return result;
}

/* ---- GnuTLS: it calls other libraries, whose memcmp and the like are seen ---- */

WRAPPED(int, gnutls_pubkey_init, gnutls_pubkey_t *key)
{
    int result = __real_gnutls_pubkey_init(key);
    writes(key, sizeof *key);
    return result;
}

WRAPPED(int, gnutls_pubkey_import, gnutls_pubkey_t key, const gnutls_datum_t *data,
        gnutls_x509_crt_fmt_t format)
{
    reads(data->data, data->size);
    __msan_scoped_disable_interceptor_checks();
    int result = __real_gnutls_pubkey_import(key, data, format);
    __msan_scoped_enable_interceptor_checks();
    return result;
}

WRAPPED(int, gnutls_pubkey_get_pk_algorithm, gnutls_pubkey_t key, unsigned *bits)
{
    int result = __real_gnutls_pubkey_get_pk_algorithm(key, bits);
    writes(bits, sizeof *bits);
    return result;
}

WRAPPED(int, gnutls_pubkey_verify_data2, gnutls_pubkey_t key, gnutls_sign_algorithm_t scheme,
        unsigned flags, const gnutls_datum_t *data, const gnutls_datum_t *signature)
{
    reads(data->data, data->size);
    reads(signature->data, signature->size);
    __msan_scoped_disable_interceptor_checks();
    int result = __real_gnutls_pubkey_verify_data2(key, scheme, flags, data, signature);
    __msan_scoped_enable_interceptor_checks();
    return result;
}

/* ---- libsecp256k1 ---- */

WRAPPED(int, secp256k1_ec_pubkey_parse, const secp256k1_context *context, secp256k1_pubkey *key,
        const byte *in, size_t in_size)
{
    reads(in, in_size);
    int result = __real_secp256k1_ec_pubkey_parse(context, key, in, in_size);
    writes(key, sizeof *key);
    return result;
}

WRAPPED(int, secp256k1_ecdsa_signature_parse_der, const secp256k1_context *context,
        secp256k1_ecdsa_signature *signature, const byte *in, size_t in_size)
{
    reads(in, in_size);
    int result = __real_secp256k1_ecdsa_signature_parse_der(context, signature, in, in_size);
    writes(signature, sizeof *signature);
    return result;
}

/* ---- protobuf-c ---- */

/* Hands out the caller's blocks, marked: only the library writes to them. */
static void *protobuf_alloc(void *original, size_t size)
{
    __msan_unpoison_param(2);
    const ProtobufCAllocator *allocator = original;
    void *block = allocator->alloc(allocator->allocator_data, size);
    writes(block, size);
    return block;
}

static void protobuf_free(void *original, void *block)
{
    __msan_unpoison_param(2);
    const ProtobufCAllocator *allocator = original;
    allocator->free(allocator->allocator_data, block);
}

WRAPPED(ProtobufCMessage *, protobuf_c_message_unpack, const ProtobufCMessageDescriptor *type,
        ProtobufCAllocator *allocator, size_t size, const uint8_t *in)
{
    ProtobufCAllocator marking = {
        .alloc = protobuf_alloc, .free = protobuf_free, .allocator_data = allocator};
    reads(in, size);
    return __real_protobuf_c_message_unpack(type, &marking, size, in);
}

WRAPPED(size_t, protobuf_c_message_pack, const ProtobufCMessage *message, uint8_t *out)
{
    size_t size = __real_protobuf_c_message_pack(message, out);
    writes(out, size);
    reads(out, size);
    return size;
}

/* ---- libcbor ---- */

WRAPPED(struct cbor_decoder_result, cbor_stream_decode, cbor_data in, size_t size,
        const struct cbor_callbacks *callbacks, void *context)
{
    reads(in, size);
    struct cbor_decoder_result result = __real_cbor_stream_decode(in, size, callbacks, context);
    writes(&result, sizeof result);
    return result;
}

#define WRAPPED_ENCODER(name, type)                                                                \
    WRAPPED(size_t, name, type value, byte *out, size_t room)                                      \
    {                                                                                              \
        size_t size = __real_##name(value, out, room);                                             \
        writes(out, size);                                                                         \
        return size;                                                                               \
    }
WRAPPED_ENCODER(cbor_encode_array_start, size_t)
WRAPPED_ENCODER(cbor_encode_bool, bool)
WRAPPED_ENCODER(cbor_encode_bytestring_start, size_t)
WRAPPED_ENCODER(cbor_encode_map_start, size_t)
WRAPPED_ENCODER(cbor_encode_string_start, size_t)
WRAPPED_ENCODER(cbor_encode_uint, uint64_t)

WRAPPED(size_t, cbor_encode_null, byte *out, size_t room)
{
    size_t size = __real_cbor_encode_null(out, room);
    writes(out, size);
    return size;
}

/* ---- libyaml ---- */

WRAPPED(int, yaml_parser_initialize, yaml_parser_t *parser)
{
    int result = __real_yaml_parser_initialize(parser);
    writes(parser, sizeof *parser);
    return result;
}

static void writes_text(const yaml_char_t *text)
{
    for (const yaml_char_t *at = text; at != NULL; at++) {
        writes(at, 1);
        if (*at == '\0') {
            return;
        }
    }
}

WRAPPED(int, yaml_parser_parse, yaml_parser_t *parser, yaml_event_t *event)
{
    __msan_scoped_disable_interceptor_checks();
    int result = __real_yaml_parser_parse(parser, event);
    __msan_scoped_enable_interceptor_checks();
    writes(parser, sizeof *parser);
    writes(event, sizeof *event);
    if (event->type == YAML_SCALAR_EVENT) {
        writes(event->data.scalar.value, event->data.scalar.length + 1);
        writes_text(event->data.scalar.anchor);
        writes_text(event->data.scalar.tag);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        writes_text(event->data.mapping_start.anchor);
        writes_text(event->data.mapping_start.tag);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        writes_text(event->data.sequence_start.anchor);
        writes_text(event->data.sequence_start.tag);
    } else if (event->type == YAML_ALIAS_EVENT) {
        writes_text(event->data.alias.anchor);
    }
    return result;
}
