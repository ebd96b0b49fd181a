/* SPDX-License-Identifier: MIT */
#include "crypto/keys.h"

#include "lib/test.h"

/* Keys of libp2p/specs peer-ids/peer-ids.md (RSA, P-256, secp256k1), and others; signatures of
 * "troupe" made with their private keys by another implementation (pyca/cryptography). */
#define MESSAGE "troupe"

#define RSA_KEY                                                                                    \
    "30820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d08200bde24ee"     \
    "f00d049449b07770ff9910257b2d7d5dda242ce8f0e2f12e1af4b32d9efd2c090f66b0f29986dbb645dae988"     \
    "0089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c04778eb3de1293aa1a23c3825b85c6620a2bc3"     \
    "f82f9b0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033cf8d0f0c606"     \
    "f4579326c930eb4e854395ad941256542c793902185153c474bed109d6ff5141ebf9cd256cf58893a37f8372"     \
    "9f97e7cb435ec679d2e33901d27bb35aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb1ad41fa7ed"     \
    "84f6e3e8ecd5d98b3982d2a901b4454991766da295ab78822add5612a2df83bcee814cf50973e80d7ef38111"     \
    "b1bd87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc14622375d92a8ff9a"     \
    "f7eb962162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d5a2e5999fc"     \
    "bb39bba7adbca78eab09b9bc39f7fa4b93411f4cc175e70c0a083e96bfaefb04a9580b4753c1738a6a760ae1"     \
    "afd851a1a4bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c79c13d63edb6e14fea"     \
    "effabc90ad317e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca959b0f5dcb"     \
    "c90caeefc4135baca6fd475224269bbe1b0203010001"

#define RSA_SIGNATURE                                                                              \
    "af83654acf79381021753adc3f132bf8c20eb9e54ea5a78498cad08bd2b832a48e40ecdbca0694b6621f3ee2"     \
    "d993c9fdd0a0e849ee1b9af88a48f3629ce9112fa7435f85e73a77cb459943077114ad578fb568e24f442459"     \
    "41c7b9542b9921605da1ce19723e92ef8651625f1f15fbc79fa72d171a8fae145f44a0b22ccbdb1da6d07784"     \
    "3fcbf5e0061fba28855fbbada9de894c3b3626625edd8059a93e04d8d23e25a84b71041f35b4aa53ca26b5db"     \
    "6d4c94a36fc81e120540a9afb80f08c6c69063f115519b485c863864d81fd734322eccd2e5f0f7844f6b03e4"     \
    "005ad6f3b8b4f5ee18a2381c24bb6bfde97e68d1870c713783d75e2615fddccf10ef2abb177f7f5db9086323"     \
    "6d16dd4762ab1b3be6b1bd8e5a29acc89c137bafa8ffc9c08f8b1e0a9a8c2b7e42e1ee41654830dadec7f893"     \
    "2cf9980c76de98fbdf471cd13f7b0572bff1b3306ec581ae9a7a919debe1f9d6778f8e0dce3faf64099a2be7"     \
    "b71190546274dc3ea4336d0c9f2d137921488e0f92a0040b1f315828773d034a1e78975da038a95fa94c450a"     \
    "8c6973f0d2030f2f0b54fef97b030be5649f7e7488265232473f8136adb42f9836beb80e83f6c707a98b18d7"     \
    "f10499fdad9ecc8a6986b0a3f4ebff7e10c6348b5d030c2e3a193fa35f192ac331bad29533c77369959211f7"     \
    "f934db219a220af58248d3ed6af6003814aaeeaa0a1e0fb8c344e0b1"

#define RSA_SHORT_KEY                                                                              \
    "30819f300d06092a864886f70d010101050003818d0030818902818100c0f2a0b35d8f47e8c34148fd0c4d3a"     \
    "99ff5cfc30534bfb4c82ca8e3f32736a4d06ff8c942c277a743363cd8896deae74564a8d410d14b47a8f44f1"     \
    "8a2ef7848b089f768ed041a4692b29ae4f5053c3b585b49a4dbd644cdac6ae71e98636c9313a294ac4631ced"     \
    "d7da002785c9ccee7f30d93420123344fca8ac5c5d96bd78e90203010001"

#define RSA_SHORT_SIGNATURE                                                                        \
    "01f669fc5fc6c42856a138c09cfc0b39d71f7b4d4b40e9d13670998ce020442bafc5173e4fe3cfd5a7f86ece"     \
    "ff78fdc8392377d07934e184a60465888fda2dbfbae524b8ecf3d6000abbeb69b97fad5739bf125d40ec3470"     \
    "8b4d5441897052ad46ff75a2c37296314bf555ef615dbea14662275dd1ca45b0782bba36f86bd322"

#define P256_KEY                                                                                   \
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44"     \
    "abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c"     \
    "409e62"

#define P256_SIGNATURE                                                                             \
    "3045022100c6d30948117f82fe1290f40f0278e0ef7635b8817d984678add441f52f59db0f02202c9723891b"     \
    "1afd13fc3f2f5374260614941f7bff34e3f801d42e9024b29abef7"

#define P384_KEY                                                                                   \
    "3076301006072a8648ce3d020106052b8104002203620004fbf96095915eb587390f850ec95b35f618ae121c"     \
    "72a70808ad8f9f4c261b602b63541743e395f7c778e52bb28c18dc83016a6ff3f72c9368326ad50a3bd148a5"     \
    "3cd2213bb480e4730ad019db87ae100995ec65df011e19811a15dc9ddfc9ab3c"

#define P384_SIGNATURE                                                                             \
    "3066023100b379f6964700baed3d9e28e7404225d6bb42da74b2efecde7002d8a4b30f9e7d7c2735290fd044"     \
    "b5bfea96aca0ec8900023100dacf91d1d1f3bd5de55c8a9fd846f86ca8c3d27dc492e903a6d40f212a0fb875"     \
    "9a64a56f5955d140789af42aa8e17297"

#define P521_KEY                                                                                   \
    "30819b301006072a8648ce3d020106052b810400230381860004019a86c2bb5827715e09f9ad1d42afb5f682"     \
    "9bf04e2581382de77a559c7738b2aa1f6d1f834369301908b9befbb67a87203657b41d9011c6e3e0d813c8d0"     \
    "c926fa670165e3cc7147513cbaf0203b6ffc02892876c0fd2d54ea399c0aba923c226d915e6e68123e4ffc43"     \
    "2ffd7db1ca2ad64f0cf7680bb7e5c2e548803f98019e0ed5d1e0"

#define P521_SIGNATURE                                                                             \
    "308188024201001091ae0c8456d97b335f6eeb9ebf2017d3804e60a3eac5f67b627648232900842a7b019e9c"     \
    "ac14a9bc36dbbdad16077cb54ad1bf5d92ddcfbd428140c3693b95024201b824f025f52f1051320260df0f9d"     \
    "9a33e6d7e013be8ef4a10c467ea92b1883d444840c99ae5b4b1b0ebb3bbd2253b9443343dd80b4dd876272cd"     \
    "2e50cc50dd2edc"

#define SECP256K1_KEY "037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"

#define SECP256K1_SIGNATURE                                                                        \
    "304502210092ef69d144dcd58ba3d6b451c1367336fdc17a2968091b3d0873ac5d8871638e02201055c1bd6f"     \
    "0f3a30d737c77c25a1776cb5d064b91e8960ee845d2efc9222dfda"

#define SECP256K1_HIGH_S                                                                           \
    "304602210092ef69d144dcd58ba3d6b451c1367336fdc17a2968091b3d0873ac5d8871638e022100efaa3e42"     \
    "90f0c5cf28c83883da5e889204de782d90bf3f4d3b752f903e136167"

static void set_key(struct trp_public_key *key, enum trp_key_type type, const char *hex)
{
    *key = (struct trp_public_key){.type = type};
    key->size = (uint16_t)test_unhex(hex, key->bytes, sizeof key->bytes);
}

/* RFC 8032, 7.1, tests 1 to 3. */
static void ed25519_matches_the_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *seed;
        const char *public_key;
        const char *message;
        const char *signature;
    } cases[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
         "1cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
         "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
         "984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t seed[32];
        uint8_t expected[64];
        uint8_t message[2];
        uint8_t signature[64];
        struct trp_keypair pair;
        test_unhex(cases[i].seed, seed, sizeof seed);
        size_t size = test_unhex(cases[i].message, message, sizeof message);
        trp_keypair_from_seed(seed, &pair);
        assert_int_equal(pair.public_key.type, TRP_KEY_ED25519);
        assert_int_equal(pair.public_key.size, test_unhex(cases[i].public_key, expected, 64));
        assert_memory_equal(pair.public_key.bytes, expected, 32);
        trp_keypair_sign(&pair, trp_bytes(message, size), signature);
        test_unhex(cases[i].signature, expected, sizeof expected);
        assert_memory_equal(signature, expected, sizeof expected);
        assert_status(trp_public_key_verify(&pair.public_key, trp_bytes(message, size),
                                            trp_bytes(signature, 64)),
                      TRP_OK);
    }
}

/* The private key of the specification is seed and public key. */
static void ed25519_matches_libp2ps_key(void **state)
{
    (void)state;
    uint8_t both[64];
    struct trp_keypair pair;
    test_unhex("7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
               "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
               both, sizeof both);
    trp_keypair_from_seed(both, &pair);
    assert_memory_equal(pair.public_key.bytes, both + 32, 32);
    assert_memory_equal(pair.secret, both, 64);
}

static const struct {
    enum trp_key_type type;
    const char *key;
    const char *signature;
} foreign[] = {
    {TRP_KEY_RSA, RSA_KEY, RSA_SIGNATURE},
    {TRP_KEY_ECDSA, P256_KEY, P256_SIGNATURE},
    {TRP_KEY_ECDSA, P384_KEY, P384_SIGNATURE},
    {TRP_KEY_ECDSA, P521_KEY, P521_SIGNATURE},
    {TRP_KEY_SECP256K1, SECP256K1_KEY, SECP256K1_SIGNATURE},
    {TRP_KEY_SECP256K1, SECP256K1_KEY, SECP256K1_HIGH_S},
};

static void verifies_signatures_of_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct trp_public_key key;
        uint8_t signature[1024];
        set_key(&key, foreign[i].type, foreign[i].key);
        size_t size = test_unhex(foreign[i].signature, signature, sizeof signature);
        struct trp_bytes proof = trp_bytes(signature, size);
        struct trp_bytes message = trp_bytes_text(MESSAGE);
        assert_status(trp_public_key_verify(&key, message, proof), TRP_OK);
        assert_status(trp_public_key_verify(&key, trp_bytes_text("Troupe"), proof), TRP_EAUTH);
        assert_status(trp_public_key_verify(&key, TRP_BYTES_NONE, proof), TRP_EAUTH);
        assert_status(trp_public_key_verify(&key, message, TRP_BYTES_NONE), TRP_EAUTH);
        for (size_t cut = 0; cut < size; cut++) {
            assert_status(trp_public_key_verify(&key, message, trp_bytes(signature, cut)),
                          TRP_EAUTH);
        }
        for (size_t at = 0; at < size; at++) {
            signature[at] ^= 0x10;
            assert_status(trp_public_key_verify(&key, message, proof), TRP_EAUTH);
            signature[at] ^= 0x10;
        }
    }
}

static void refuses_keys_that_do_not_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct trp_public_key key;
        uint8_t signature[1024];
        set_key(&key, foreign[i].type, foreign[i].key);
        size_t size = test_unhex(foreign[i].signature, signature, sizeof signature);
        struct trp_bytes proof = trp_bytes(signature, size);
        uint16_t whole = key.size;
        for (key.size = 0; key.size < whole; key.size++) {
            assert_status(trp_public_key_verify(&key, trp_bytes_text(MESSAGE), proof),
                          TRP_EMALFORMED);
        }
        for (int type = -1; type <= 4; type++) { /* a key of one type said to be of another */
            if (type != (int)foreign[i].type) {
                key.type = (enum trp_key_type)type;
                assert_status(trp_public_key_verify(&key, trp_bytes_text(MESSAGE), proof),
                              TRP_EMALFORMED);
            }
        }
    }
}

static void refuses_rsa_keys_that_are_too_short(void **state)
{
    (void)state;
    struct trp_public_key key;
    uint8_t signature[128];
    set_key(&key, TRP_KEY_RSA, RSA_SHORT_KEY);
    size_t size = test_unhex(RSA_SHORT_SIGNATURE, signature, sizeof signature);
    assert_status(trp_public_key_verify(&key, trp_bytes_text(MESSAGE), trp_bytes(signature, size)),
                  TRP_EMALFORMED);
}

static void ed25519_notices_every_change(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {1};
    struct trp_keypair pair;
    uint8_t signature[65] = {0};
    struct trp_bytes message = trp_bytes_text(MESSAGE);
    trp_keypair_from_seed(seed, &pair);
    trp_keypair_sign(&pair, message, signature);
    for (size_t size = 0; size <= sizeof signature; size++) {
        assert_status(trp_public_key_verify(&pair.public_key, message, trp_bytes(signature, size)),
                      size == 64 ? TRP_OK : TRP_EAUTH);
    }
    for (size_t at = 0; at < 64; at++) {
        signature[at] ^= 1;
        assert_status(trp_public_key_verify(&pair.public_key, message, trp_bytes(signature, 64)),
                      TRP_EAUTH);
        signature[at] ^= 1;
    }
    pair.public_key.size = 31;
    assert_status(trp_public_key_verify(&pair.public_key, message, trp_bytes(signature, 64)),
                  TRP_EMALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_matches_the_vectors),
        cmocka_unit_test(ed25519_matches_libp2ps_key),
        cmocka_unit_test(verifies_signatures_of_every_type),
        cmocka_unit_test(refuses_keys_that_do_not_parse),
        cmocka_unit_test(refuses_rsa_keys_that_are_too_short),
        cmocka_unit_test(ed25519_notices_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
