/* SPDX-License-Identifier: MIT */
/* Addresses as text: "/name" or "/name/value" for each part. */
#include "base/assert.h"
#include "base/endian.h"
#include "wire/multiaddr.h"
#include "wire/writer.h"

/* Text that is read, and where reading has got to. */
struct reader {
    const char *text;
    size_t at;
};

/* ---- numbers ---- */

/* Reads a decimal number without leading zeros from the whole of `text`. */
static bool number_parse(struct trp_bytes text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

static void number_print(struct trp_writer *out, uint64_t value)
{
    uint8_t text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    trp_writer_put(out, trp_bytes(text + at, sizeof text - at));
}

static uint8_t hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return (uint8_t)(c - '0');
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 0xff;
}

/* ---- IP addresses ---- */

static bool ip4_parse(struct trp_bytes text, uint8_t ip[4])
{
    for (size_t i = 0; i < 4; i++) {
        size_t size = 0;
        while (size < text.size && text.data[size] != '.') {
            size++;
        }
        uint64_t octet;
        if (!number_parse(trp_bytes(text.data, size), 255, &octet) ||
            (i < 3) != (size < text.size)) {
            return false;
        }
        ip[i] = (uint8_t)octet;
        text = trp_bytes_skip(text, size + 1);
    }
    return true;
}

static void ip4_print(struct trp_writer *out, const uint8_t *ip)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            trp_writer_byte(out, '.');
        }
        number_print(out, ip[i]);
    }
}

/* Reads one to four hexadecimal digits; 0 when there are none or too many. */
static size_t ip6_group(struct trp_bytes text, uint8_t group[2])
{
    uint32_t value = 0;
    size_t size = 0;
    while (size < text.size && hex_digit(text.data[size]) != 0xff) {
        value = value << 4 | hex_digit(text.data[size++]);
        if (size > 4) {
            return 0;
        }
    }
    trp_store_be16(group, (uint16_t)value);
    return size;
}

/* An IPv6 address that is being read. */
struct ip6 {
    uint8_t bytes[16];
    size_t count;
    size_t gap; /* where "::" stands; NO_GAP */
};

#define NO_GAP SIZE_MAX

/* Takes a group off, with the colon or the "::" that must stand before the next one; the last 32
 * bits may be an IPv4 address. */
static bool ip6_take(struct ip6 *ip6, struct trp_bytes *text)
{
    if (ip6->count <= 12 && ip4_parse(*text, ip6->bytes + ip6->count)) {
        ip6->count += 4;
        text->size = 0;
        return true;
    }
    size_t size = ip6->count <= 14 ? ip6_group(*text, ip6->bytes + ip6->count) : 0;
    if (size == 0) {
        return false;
    }
    ip6->count += 2;
    *text = trp_bytes_skip(*text, size);
    if (text->size == 0) {
        return true;
    }
    bool doubled = text->size >= 2 && text->data[1] == ':';
    if (text->data[0] != ':' || text->size == 1 || (doubled && ip6->gap != NO_GAP)) {
        return false;
    }
    ip6->gap = doubled ? ip6->count : ip6->gap;
    *text = trp_bytes_skip(*text, doubled ? 2 : 1);
    return true;
}

/* RFC 4291, 2.2: groups of 16 bits, "::" for the zeros that are missing. */
static bool ip6_parse(struct trp_bytes text, uint8_t ip[16])
{
    struct ip6 ip6 = {.gap = NO_GAP};
    if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
        ip6.gap = 0;
        text = trp_bytes_skip(text, 2);
    }
    while (text.size > 0) {
        if (!ip6_take(&ip6, &text)) {
            return false;
        }
    }
    if (ip6.gap == NO_GAP ? ip6.count != 16 : ip6.count > 14) {
        return false;
    }
    size_t before = ip6.gap == NO_GAP ? 16 : ip6.gap;
    size_t after = ip6.count - before;
    memset(ip, 0, 16);
    memcpy(ip, ip6.bytes, before);
    memcpy(ip + 16 - after, ip6.bytes + before, after);
    return true;
}

/* RFC 5952: lower case, no leading zeros, the longest run of zero groups as "::". */
static void ip6_print(struct trp_writer *out, const uint8_t *ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const char digits[] = "0123456789abcdef";
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        trp_writer_put(out, trp_bytes_text("::ffff:"));
        ip4_print(out, ip + 12);
        return;
    }
    size_t best = 8;
    size_t best_count = 1; /* one zero group alone is not shortened */
    for (size_t i = 0; i < 8; i++) {
        size_t count = 0;
        while (i + count < 8 && trp_load_be16(ip + 2 * (i + count)) == 0) {
            count++;
        }
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (i == best) {
            trp_writer_put(out, trp_bytes_text("::"));
            i += best_count - 1;
            continue;
        }
        if (i > 0 && i != best + best_count) {
            trp_writer_byte(out, ':');
        }
        uint32_t group = trp_load_be16(ip + 2 * i);
        for (uint32_t shift = 16; shift > 0;) {
            shift -= 4;
            if (shift == 0 || group >> shift != 0) {
                trp_writer_byte(out, (uint8_t)digits[group >> shift & 15u]);
            }
        }
    }
}

/* ---- paths ---- */

static bool path_is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Percent-encoding, RFC 3986, 2.1. */
static bool path_parse(struct trp_bytes text, struct trp_writer *out)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '%') {
            trp_writer_byte(out, text.data[i]);
            continue;
        }
        if (text.size - i < 3) {
            return false;
        }
        uint8_t high = hex_digit(text.data[i + 1]);
        uint8_t low = hex_digit(text.data[i + 2]);
        if (high > 15 || low > 15) {
            return false;
        }
        trp_writer_byte(out, (uint8_t)(high << 4 | low));
        i += 2;
    }
    return true;
}

static void path_print(struct trp_writer *out, struct trp_bytes path)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.data[i];
        if (path_is_plain(c)) {
            trp_writer_byte(out, c);
        } else {
            trp_writer_byte(out, '%');
            trp_writer_byte(out, (uint8_t)digits[c >> 4]);
            trp_writer_byte(out, (uint8_t)digits[c & 15u]);
        }
    }
}

/* ---- values ---- */

static bool peer_parse(struct trp_bytes text, struct trp_writer *out)
{
    char copy[TRP_MULTIADDR_TEXT_MAX];
    struct trp_peer_id id;
    if (text.size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (trp_peer_id_parse(copy, &id) != TRP_OK) {
        return false;
    }
    trp_writer_put(out, trp_peer_id_bytes(&id));
    return true;
}

/* Reads the text of a value; writes its bytes without a length prefix. */
static bool value_parse(const struct trp_multiaddr_protocol *protocol, struct trp_bytes text,
                        struct trp_writer *out)
{
    uint8_t fixed[16];
    uint64_t number = 0;
    bool good = true;
    switch (protocol->value) {
    case TRP_MA_VALUE_NONE:
        break;
    case TRP_MA_VALUE_IP4:
        good = ip4_parse(text, fixed);
        break;
    case TRP_MA_VALUE_IP6:
        good = ip6_parse(text, fixed);
        break;
    case TRP_MA_VALUE_PORT:
        good = number_parse(text, UINT16_MAX, &number);
        trp_store_be16(fixed, (uint16_t)number);
        break;
    case TRP_MA_VALUE_NUMBER:
        good = number_parse(text, UINT64_MAX, &number);
        trp_store_be64(fixed, number);
        break;
    case TRP_MA_VALUE_HOST:
        trp_writer_put(out, text);
        return true;
    case TRP_MA_VALUE_PATH:
        return path_parse(text, out);
    case TRP_MA_VALUE_PEER:
        return peer_parse(text, out);
    }
    if (good) {
        trp_writer_put(out, trp_bytes(fixed, protocol->value_bytes));
    }
    return good;
}

static void value_print(struct trp_writer *out, enum trp_multiaddr_value value,
                        struct trp_bytes bytes)
{
    struct trp_peer_id id;
    char text[TRP_PEER_ID_TEXT_MAX];
    switch (value) {
    case TRP_MA_VALUE_NONE:
        break;
    case TRP_MA_VALUE_IP4:
        ip4_print(out, bytes.data);
        break;
    case TRP_MA_VALUE_IP6:
        ip6_print(out, bytes.data);
        break;
    case TRP_MA_VALUE_PORT:
        number_print(out, trp_load_be16(bytes.data));
        break;
    case TRP_MA_VALUE_NUMBER:
        number_print(out, trp_load_be64(bytes.data));
        break;
    case TRP_MA_VALUE_HOST:
        trp_writer_put(out, bytes);
        break;
    case TRP_MA_VALUE_PATH:
        path_print(out, bytes);
        break;
    case TRP_MA_VALUE_PEER:
        if (trp_peer_id_decode(bytes, &id) == TRP_OK) {
            trp_peer_id_print(&id, text);
            trp_writer_put(out, trp_bytes_text(text));
        }
        break;
    }
}

/* ---- addresses ---- */

/* Takes "/word" off; the word is empty when there is no slash or nothing behind it. */
static struct trp_bytes reader_word(struct reader *reader)
{
    size_t start = reader->at + (reader->text[reader->at] == '/' ? 1 : 0);
    size_t end = start;
    while (start > reader->at && reader->text[end] != '\0' && reader->text[end] != '/') {
        end++;
    }
    reader->at = start;
    return trp_bytes(reader->text + start, end - start);
}

/* Reads one part; on failure the reader stays at what does not fit. */
static enum trp_status part_parse(struct reader *reader, struct trp_writer *out)
{
    struct trp_bytes name = reader_word(reader);
    const struct trp_multiaddr_protocol *protocol = trp_multiaddr_protocol_by_name(name);
    if (protocol == NULL) {
        return TRP_EMALFORMED;
    }
    reader->at += name.size;
    trp_writer_varint(out, protocol->code);
    if (protocol->value == TRP_MA_VALUE_NONE) {
        return TRP_OK;
    }
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
    struct trp_writer value = trp_writer_init(bytes, sizeof bytes);
    struct trp_bytes text = reader_word(reader);
    if (!value_parse(protocol, text, &value)) {
        return TRP_EMALFORMED;
    }
    if (value.overflow) {
        return TRP_ETOOBIG;
    }
    if (!trp_multiaddr_value_is_valid(protocol->value, trp_bytes(bytes, value.size))) {
        return TRP_EMALFORMED;
    }
    if (trp_multiaddr_value_has_length(protocol->value)) {
        trp_writer_varint(out, value.size);
    }
    trp_writer_put(out, trp_bytes(bytes, value.size));
    reader->at += text.size;
    return TRP_OK;
}

enum trp_status trp_multiaddr_parse(const char *text, struct trp_multiaddr *ret_addr,
                                    size_t *ret_at)
{
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
    struct trp_writer out = trp_writer_init(bytes, sizeof bytes);
    struct reader reader = {.text = text};
    enum trp_status status;
    do {
        status = part_parse(&reader, &out);
    } while (status == TRP_OK && text[reader.at] != '\0');
    if (status == TRP_OK) {
        status =
            out.overflow ? TRP_ETOOBIG : trp_multiaddr_decode(trp_bytes(bytes, out.size), ret_addr);
    }
    if (status == TRP_EMALFORMED && ret_at != NULL) {
        *ret_at = reader.at;
    }
    return status;
}

void trp_multiaddr_print(const struct trp_multiaddr *addr, char ret_text[TRP_MULTIADDR_TEXT_MAX])
{
    struct trp_writer out = trp_writer_init((uint8_t *)ret_text, TRP_MULTIADDR_TEXT_MAX - 1);
    struct trp_multiaddr_part part;
    for (size_t at = 0; trp_multiaddr_next(addr, &at, &part);) {
        const struct trp_multiaddr_protocol *protocol = trp_multiaddr_protocol_by_code(part.code);
        TRP_ASSERT(protocol != NULL);
        trp_writer_byte(&out, '/');
        trp_writer_put(&out, trp_bytes_text(protocol->name));
        if (protocol->value != TRP_MA_VALUE_NONE) {
            trp_writer_byte(&out, '/');
            value_print(&out, protocol->value, part.value);
        }
    }
    ret_text[out.size] = '\0';
}
