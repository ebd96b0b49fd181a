/* SPDX-License-Identifier: MIT */
/* DNS messages: what is read is written again, with pointers of ours, and reads the same. */
#include "base/assert.h"
#include "wire/dns_message.h"

#define OUT_BYTES 262144u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_record(struct trp_dns_writer *writer, const struct trp_dns_reader *reader,
                         const struct trp_dns_record *record)
{
    struct trp_dns_name target;
    const struct trp_dns_owner owner = {.name = &record->name,
                                        .type = (enum trp_dns_type)record->type,
                                        .top = record->top,
                                        .ttl_s = record->ttl_s};
    if (record->section == TRP_DNS_QUESTION) {
        trp_dns_put_question(writer, &record->name, owner.type, record->top);
        return;
    }
    trp_dns_begin_record(writer, record->section, &owner);
    if (record->type == TRP_DNS_PTR && trp_dns_target(reader, record, &target) == TRP_OK) {
        trp_dns_put_name(writer, &target);
    } else {
        trp_dns_put_bytes(writer, record->data);
    }
    trp_dns_end_record(writer);
}

static void compare(const struct trp_dns_reader *readers, const struct trp_dns_record *a,
                    const struct trp_dns_record *b)
{
    struct trp_dns_name targets[2];
    struct trp_bytes texts[2];
    size_t at[2] = {0, 0};
    TRP_ASSERT(a->section == b->section && a->type == b->type && a->top == b->top);
    TRP_ASSERT(a->ttl_s == b->ttl_s && trp_dns_name_equal(&a->name, &b->name));
    if (a->section == TRP_DNS_QUESTION) {
        return;
    }
    if (a->type == TRP_DNS_PTR && trp_dns_target(&readers[0], a, &targets[0]) == TRP_OK) {
        TRP_ASSERT(trp_dns_target(&readers[1], b, &targets[1]) == TRP_OK);
        TRP_ASSERT(trp_dns_name_equal(&targets[0], &targets[1]));
        return;
    }
    TRP_ASSERT(trp_bytes_equal(a->data, b->data));
    while (trp_dns_next_text(a, &at[0], &texts[0])) {
        TRP_ASSERT(trp_dns_next_text(b, &at[1], &texts[1]));
        TRP_ASSERT(trp_bytes_equal(texts[0], texts[1]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[OUT_BYTES];
    struct trp_dns_reader readers[2];
    struct trp_dns_record records[2];
    size_t out_size;
    if (trp_dns_open(trp_bytes(data, size), &readers[0]) != TRP_OK) {
        return 0;
    }
    struct trp_dns_writer writer =
        trp_dns_writer_init(out, sizeof out, readers[0].header.id, readers[0].header.flags);
    enum trp_status status;
    while ((status = trp_dns_next(&readers[0], &records[0])) == TRP_OK) {
        write_record(&writer, &readers[0], &records[0]);
    }
    if (status != TRP_ENOTFOUND || trp_dns_writer_end(&writer, &out_size) != TRP_OK) {
        return 0; /* no message; or its pointers made more of it than has room here */
    }
    TRP_ASSERT(trp_dns_open(trp_bytes(data, size), &readers[0]) == TRP_OK);
    TRP_ASSERT(trp_dns_open(trp_bytes(out, out_size), &readers[1]) == TRP_OK);
    while (trp_dns_next(&readers[0], &records[0]) == TRP_OK) {
        TRP_ASSERT(trp_dns_next(&readers[1], &records[1]) == TRP_OK);
        compare(readers, &records[0], &records[1]);
    }
    TRP_ASSERT(trp_dns_next(&readers[1], &records[1]) == TRP_ENOTFOUND);
    return 0;
}
