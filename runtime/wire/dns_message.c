/* SPDX-License-Identifier: MIT */
#include "wire/dns_message.h"

#include "base/assert.h"
#include "base/endian.h"

#define LABEL_KIND                                                                                 \
    0xc0u /* RFC 1035 4.1.4: of a length byte, these bits tell label from pointer                  \
           */
#define LABEL_POINTER 0xc0u
#define POINTER_MAX   0x3fffu
#define QUESTION_TAIL 4u
#define RECORD_TAIL   10u

/* ---- names ---- */

/* Appends a label; false when the name becomes too long. There is always room left for the zero. */
static bool name_append(struct trp_dns_name *name, struct trp_bytes label)
{
    if (label.size == 0 || label.size > TRP_DNS_LABEL_MAX ||
        name->size + 1 + label.size + 1 > TRP_DNS_NAME_BYTES_MAX) {
        return false;
    }
    name->bytes[name->size] = (uint8_t)label.size;
    memcpy(name->bytes + name->size + 1, label.data, label.size);
    name->size = (uint8_t)(name->size + 1 + label.size);
    return true;
}

enum trp_status trp_dns_name_parse(const char *text, struct trp_dns_name *ret_name)
{
    struct trp_dns_name name = {.size = 0};
    struct trp_bytes rest = trp_bytes_text(text);
    while (rest.size > 0) {
        size_t size = 0;
        while (size < rest.size && rest.data[size] != '.') {
            size++;
        }
        if (!name_append(&name, trp_bytes(rest.data, size))) {
            return TRP_EMALFORMED;
        }
        rest = trp_bytes_skip(rest, size + 1);
    }
    name.size++;
    *ret_name = name;
    return TRP_OK;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Lengths are below 'A', so that letters are the only bytes with a case. */
static bool wire_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool trp_dns_name_equal(const struct trp_dns_name *a, const struct trp_dns_name *b)
{
    return a->size == b->size && wire_equal(a->bytes, b->bytes, a->size);
}

bool trp_dns_name_is_child(const struct trp_dns_name *name, const struct trp_dns_name *parent)
{
    size_t label = name->size == 0 ? 0 : 1u + name->bytes[0];
    return label > 1 && name->size == label + parent->size &&
           wire_equal(name->bytes + label, parent->bytes, parent->size);
}

enum trp_status trp_dns_name_child(const struct trp_dns_name *parent, struct trp_bytes label,
                                   struct trp_dns_name *ret_name)
{
    struct trp_dns_name name = {.size = 0};
    if (!name_append(&name, label) || name.size + parent->size > TRP_DNS_NAME_BYTES_MAX) {
        return TRP_EMALFORMED;
    }
    memcpy(name.bytes + name.size, parent->bytes, parent->size);
    name.size = (uint8_t)(name.size + parent->size);
    *ret_name = name;
    return TRP_OK;
}

/* Reads a name at *at, which is then behind it. */
static enum trp_status name_read(struct trp_bytes message, size_t *at,
                                 struct trp_dns_name *ret_name)
{
    TRP_ASSERT(message.data != NULL || message.size == 0);
    struct trp_dns_name name = {.size = 0};
    size_t from = *at;
    size_t limit = *at; /* a pointer must lead before this: each goes further back */
    bool jumped = false;
    for (;;) {
        uint8_t head = from < message.size ? message.data[from] : 0xffu;
        if (from >= message.size) {
            return TRP_EMALFORMED;
        }
        if (head == 0) {
            name.bytes[name.size++] = 0;
            *at = jumped ? *at : from + 1;
            *ret_name = name;
            return TRP_OK;
        }
        if ((head & LABEL_KIND) == LABEL_POINTER) {
            if (message.size - from < 2) {
                return TRP_EMALFORMED;
            }
            size_t to = trp_load_be16(message.data + from) & POINTER_MAX;
            if (to >= limit) {
                return TRP_EMALFORMED;
            }
            *at = jumped ? *at : from + 2;
            jumped = true;
            from = limit = to;
            continue;
        }
        if ((head & LABEL_KIND) != 0 || head > message.size - from - 1 ||
            !name_append(&name, trp_bytes(message.data + from + 1, head))) {
            return TRP_EMALFORMED;
        }
        from += 1u + head;
    }
}

/* ---- reading ---- */

enum trp_status trp_dns_open(struct trp_bytes message, struct trp_dns_reader *ret_reader)
{
    if (message.size < TRP_DNS_HEADER_BYTES) {
        return TRP_EMALFORMED;
    }
    struct trp_dns_reader reader = {.message = message, .at = TRP_DNS_HEADER_BYTES};
    reader.header.id = trp_load_be16(message.data);
    reader.header.flags = trp_load_be16(message.data + 2);
    for (size_t i = 0; i < TRP_DNS_SECTIONS; i++) {
        reader.header.counts[i] = trp_load_be16(message.data + 4 + 2 * i);
    }
    *ret_reader = reader;
    return TRP_OK;
}

/* Reads what stands behind the name of a question or a record. */
static enum trp_status tail_read(struct trp_dns_reader *reader, struct trp_dns_record *record)
{
    struct trp_bytes rest = trp_bytes_skip(reader->message, reader->at);
    bool question = record->section == TRP_DNS_QUESTION;
    size_t size = question ? QUESTION_TAIL : RECORD_TAIL;
    if (rest.size < size) {
        return TRP_EMALFORMED;
    }
    uint16_t class_ = trp_load_be16(rest.data + 2);
    record->type = trp_load_be16(rest.data);
    record->class_ = class_ & (uint16_t)~TRP_DNS_CLASS_TOP;
    record->top = (class_ & TRP_DNS_CLASS_TOP) != 0;
    if (!question) {
        size_t data_size = trp_load_be16(rest.data + 8);
        if (data_size > rest.size - size) {
            return TRP_EMALFORMED;
        }
        record->ttl_s = trp_load_be32(rest.data + 4);
        record->data = trp_bytes(rest.data + size, data_size);
        size += data_size;
    }
    reader->at += size;
    return TRP_OK;
}

enum trp_status trp_dns_next(struct trp_dns_reader *reader, struct trp_dns_record *ret_record)
{
    while (reader->section < TRP_DNS_SECTIONS &&
           reader->taken == reader->header.counts[reader->section]) {
        reader->section++;
        reader->taken = 0;
    }
    if (reader->section == TRP_DNS_SECTIONS) {
        return TRP_ENOTFOUND;
    }
    if (reader->total == TRP_DNS_RECORDS_MAX) {
        return TRP_EMALFORMED;
    }
    *ret_record = (struct trp_dns_record){.section = (enum trp_dns_section)reader->section};
    enum trp_status status = name_read(reader->message, &reader->at, &ret_record->name);
    if (status == TRP_OK) {
        status = tail_read(reader, ret_record);
    }
    reader->taken++;
    reader->total++;
    return status;
}

enum trp_status trp_dns_target(const struct trp_dns_reader *reader,
                               const struct trp_dns_record *record, struct trp_dns_name *ret_name)
{
    struct trp_dns_name name;
    size_t at = (size_t)(record->data.data - reader->message.data);
    size_t end = at + record->data.size;
    if (record->data.size == 0 || name_read(reader->message, &at, &name) != TRP_OK || at != end) {
        return TRP_EMALFORMED;
    }
    *ret_name = name;
    return TRP_OK;
}

bool trp_dns_next_text(const struct trp_dns_record *record, size_t *at, struct trp_bytes *ret_text)
{
    struct trp_bytes rest = trp_bytes_skip(record->data, *at);
    if (rest.size == 0 || rest.data[0] > rest.size - 1) {
        return false;
    }
    *ret_text = trp_bytes(rest.data + 1, rest.data[0]);
    *at += 1u + rest.data[0];
    return true;
}

/* ---- writing ---- */

struct trp_dns_writer trp_dns_writer_init(uint8_t *out, size_t room, uint16_t id, uint16_t flags)
{
    TRP_ASSERT(room >= TRP_DNS_HEADER_BYTES);
    struct trp_dns_writer writer = {.out = trp_writer_init(out, room),
                                    .header = {.id = id, .flags = flags}};
    (void)trp_writer_reserve(&writer.out, TRP_DNS_HEADER_BYTES);
    return writer;
}

static void put_be16(struct trp_dns_writer *writer, uint16_t value)
{
    uint8_t *at = trp_writer_reserve(&writer->out, 2);
    if (at != NULL) {
        trp_store_be16(at, value);
    }
}

/* Finds where the rest of a name, from `at` on, stands already; 0: nowhere. */
static uint16_t place_find(const struct trp_dns_writer *writer, const struct trp_dns_name *name,
                           size_t at)
{
    for (uint32_t i = 0; i < writer->places_count; i++) {
        struct trp_dns_name there;
        size_t from = writer->places[i];
        if (name_read(trp_bytes(writer->out.out, writer->out.size), &from, &there) == TRP_OK &&
            there.size == name->size - at &&
            wire_equal(there.bytes, name->bytes + at, there.size)) {
            return writer->places[i];
        }
    }
    return 0;
}

void trp_dns_put_name(struct trp_dns_writer *writer, const struct trp_dns_name *name)
{
    /* Places of this name count when it is whole: a pointer within it would find no end. */
    uint32_t places_count = writer->places_count;
    TRP_ASSERT(name->size > 0);
    for (size_t at = 0; at < name->size && name->bytes[at] != 0; at += 1u + name->bytes[at]) {
        uint16_t place = place_find(writer, name, at);
        if (place != 0) {
            put_be16(writer, (uint16_t)(LABEL_POINTER << 8 | place));
            writer->places_count = places_count;
            return;
        }
        if (places_count < TRP_DNS_PLACES_MAX && writer->out.size <= POINTER_MAX) {
            writer->places[places_count++] = (uint16_t)writer->out.size;
        }
        trp_writer_put(&writer->out, trp_bytes(name->bytes + at, 1u + name->bytes[at]));
    }
    trp_writer_byte(&writer->out, 0);
    writer->places_count = places_count;
}

void trp_dns_put_question(struct trp_dns_writer *writer, const struct trp_dns_name *name,
                          enum trp_dns_type type, bool top)
{
    trp_dns_put_name(writer, name);
    put_be16(writer, (uint16_t)type);
    put_be16(writer, (uint16_t)(TRP_DNS_CLASS_IN | (top ? TRP_DNS_CLASS_TOP : 0)));
    writer->header.counts[TRP_DNS_QUESTION]++;
}

void trp_dns_begin_record(struct trp_dns_writer *writer, enum trp_dns_section section,
                          const struct trp_dns_owner *owner)
{
    trp_dns_put_name(writer, owner->name);
    put_be16(writer, (uint16_t)owner->type);
    put_be16(writer, (uint16_t)(TRP_DNS_CLASS_IN | (owner->top ? TRP_DNS_CLASS_TOP : 0)));
    uint8_t *ttl = trp_writer_reserve(&writer->out, 4);
    if (ttl != NULL) {
        trp_store_be32(ttl, owner->ttl_s);
    }
    put_be16(writer, 0);
    writer->data_at = writer->out.size;
    writer->header.counts[section]++;
}

void trp_dns_put_bytes(struct trp_dns_writer *writer, struct trp_bytes bytes)
{
    trp_writer_put(&writer->out, bytes);
}

void trp_dns_put_text(struct trp_dns_writer *writer, struct trp_bytes text)
{
    TRP_ASSERT(text.size <= TRP_DNS_TEXT_MAX);
    trp_writer_byte(&writer->out, (uint8_t)text.size);
    trp_writer_put(&writer->out, text);
}

void trp_dns_end_record(struct trp_dns_writer *writer)
{
    if (!writer->out.overflow) {
        size_t size = writer->out.size - writer->data_at;
        trp_store_be16(writer->out.out + writer->data_at - 2, (uint16_t)size);
    }
}

enum trp_status trp_dns_writer_end(struct trp_dns_writer *writer, size_t *ret_size)
{
    uint8_t *header = writer->out.out;
    trp_store_be16(header, writer->header.id);
    trp_store_be16(header + 2, writer->header.flags);
    for (size_t i = 0; i < TRP_DNS_SECTIONS; i++) {
        trp_store_be16(header + 4 + 2 * i, writer->header.counts[i]);
    }
    return trp_writer_end(&writer->out, ret_size);
}
