/* SPDX-License-Identifier: MIT */
/* wire/dns_message.h - DNS messages as multicast DNS has them: read record by record, and written.
 *
 * Wire       header 12 bytes: id u16, flags u16, counts of questions, answers, authorities and
 *            additionals, u16 each. Question: name, type u16, class u16. Record: name, type,
 *            class, ttl u32, size u16, data. The top bit of a class asks for a unicast answer,
 *            or says that a record replaces what was known of its name (RFC 6762 18.12, 18.13).
 * Spec       RFC 1035 4; RFC 6762 18.
 * Limits     A pointer of a name must point before the labels it ends, so that each name is read
 *            in bounded time; TRP_DNS_RECORDS_MAX questions and records.
 * Failure    TRP_EMALFORMED where bytes are no message; nothing of them is trusted before. */
#ifndef WIRE_DNS_MESSAGE_H
#define WIRE_DNS_MESSAGE_H

#include "wire/writer.h"

#define TRP_DNS_HEADER_BYTES   12u
#define TRP_DNS_NAME_BYTES_MAX 255u
#define TRP_DNS_LABEL_MAX      63u
#define TRP_DNS_TEXT_MAX       255u
#define TRP_DNS_RECORDS_MAX    1024u

#define TRP_DNS_RESPONSE      0x8000u /* flags: QR */
#define TRP_DNS_AUTHORITATIVE 0x0400u /* AA */
#define TRP_DNS_NOT_PLAIN     0x780fu /* opcode and response code; both zero in multicast DNS */

enum trp_dns_type {
    TRP_DNS_A = 1,
    TRP_DNS_PTR = 12,
    TRP_DNS_TXT = 16,
    TRP_DNS_AAAA = 28,
    TRP_DNS_SRV = 33,
    TRP_DNS_ANY = 255 /* in questions */
};

#define TRP_DNS_CLASS_IN  1u
#define TRP_DNS_CLASS_TOP 0x8000u

enum trp_dns_section {
    TRP_DNS_QUESTION,
    TRP_DNS_ANSWER,
    TRP_DNS_AUTHORITY,
    TRP_DNS_ADDITIONAL,
    TRP_DNS_SECTIONS
};

/* A name without compression: labels behind their lengths, and a zero. */
struct trp_dns_name {
    uint8_t size; /* 0: none */
    uint8_t bytes[TRP_DNS_NAME_BYTES_MAX];
};

/* Reads "_p2p._udp.local": labels between dots, without escapes. TRP_EMALFORMED. */
enum trp_status trp_dns_name_parse(const char *text, struct trp_dns_name *ret_name) TRP_NODISCARD;
/* Letters of ASCII are equal in either case. */
bool trp_dns_name_equal(const struct trp_dns_name *a, const struct trp_dns_name *b);
/* Says whether `name` is one label in front of `parent`. */
bool trp_dns_name_is_child(const struct trp_dns_name *name, const struct trp_dns_name *parent);
/* Puts a label in front. TRP_EMALFORMED: it is empty or too long, or the name becomes so. */
enum trp_status trp_dns_name_child(const struct trp_dns_name *parent, struct trp_bytes label,
                                   struct trp_dns_name *ret_name) TRP_NODISCARD;

/* ---- reading ---- */

struct trp_dns_header {
    uint16_t id;
    uint16_t flags;
    uint16_t counts[TRP_DNS_SECTIONS];
};

struct trp_dns_reader {
    struct trp_bytes message;
    struct trp_dns_header header;
    size_t at;
    uint32_t section;
    uint32_t taken; /* of the section */
    uint32_t total;
};

/* A question (without ttl and data) or a record. */
struct trp_dns_record {
    enum trp_dns_section section;
    struct trp_dns_name name;
    uint16_t type;
    uint16_t class_; /* without its top bit */
    bool top;        /* that bit */
    uint32_t ttl_s;
    struct trp_bytes data; /* borrows from the message */
};

/* Begins to read; borrows the bytes. TRP_EMALFORMED: no header. */
enum trp_status trp_dns_open(struct trp_bytes message,
                             struct trp_dns_reader *ret_reader) TRP_NODISCARD;
/* Gives the next question or record. TRP_ENOTFOUND: there is none left; TRP_EMALFORMED. */
enum trp_status trp_dns_next(struct trp_dns_reader *reader,
                             struct trp_dns_record *ret_record) TRP_NODISCARD;
/* The name that a PTR record is all about. TRP_EMALFORMED. */
enum trp_status trp_dns_target(const struct trp_dns_reader *reader,
                               const struct trp_dns_record *record,
                               struct trp_dns_name *ret_name) TRP_NODISCARD;
/* Walks the strings of a TXT record: start with *at = 0; false at the end, or where the rest is
 * none. */
bool trp_dns_next_text(const struct trp_dns_record *record, size_t *at, struct trp_bytes *ret_text);

/* ---- writing ---- */

/* Places where a name can be pointed to. */
#define TRP_DNS_PLACES_MAX 32u

struct trp_dns_writer {
    struct trp_writer out;
    struct trp_dns_header header;
    uint16_t places[TRP_DNS_PLACES_MAX];
    uint32_t places_count;
    size_t data_at; /* of the record that is being written */
};

/* A record's owner and kind. */
struct trp_dns_owner {
    const struct trp_dns_name *name;
    enum trp_dns_type type;
    bool top;
    uint32_t ttl_s;
};

/* Begins a message in `out`, which has room for the header at least. */
struct trp_dns_writer trp_dns_writer_init(uint8_t *out, size_t room, uint16_t id, uint16_t flags);
/* Sections must come in their order. */
void trp_dns_put_question(struct trp_dns_writer *writer, const struct trp_dns_name *name,
                          enum trp_dns_type type, bool top);
/* Begins a record; its data follows by the functions below, then trp_dns_end_record. */
void trp_dns_begin_record(struct trp_dns_writer *writer, enum trp_dns_section section,
                          const struct trp_dns_owner *owner);
/* Writes a name, with a pointer for what stands in the message already. */
void trp_dns_put_name(struct trp_dns_writer *writer, const struct trp_dns_name *name);
void trp_dns_put_bytes(struct trp_dns_writer *writer, struct trp_bytes bytes);
/* Writes a string of a TXT record: at most TRP_DNS_TEXT_MAX bytes. */
void trp_dns_put_text(struct trp_dns_writer *writer, struct trp_bytes text);
void trp_dns_end_record(struct trp_dns_writer *writer);
/* Completes the header. TRP_ETOOBIG: not everything fitted. */
enum trp_status trp_dns_writer_end(struct trp_dns_writer *writer, size_t *ret_size) TRP_NODISCARD;

#endif
