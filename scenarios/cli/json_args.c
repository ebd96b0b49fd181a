/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/json_args.h"

#include <errno.h>
#include <msgpack.h>
#include <stdlib.h>

#define DEPTH_MAX 32u

struct reader {
    const char *text;
    size_t at;
    uint32_t depth;
    msgpack_packer packer;
    uint8_t *out;
    size_t room;
    size_t size;
};

static int reader_write(void *self, const char *data, size_t size)
{
    struct reader *reader = self;
    if (size > reader->room - reader->size) {
        return -1;
    }
    memcpy(reader->out + reader->size, data, size);
    reader->size += size;
    return 0;
}

static void skip_space(struct reader *reader)
{
    while (reader->text[reader->at] != '\0' &&
           strchr(" \t\r\n", reader->text[reader->at]) != NULL) {
        reader->at++;
    }
}

static bool take(struct reader *reader, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(reader->text + reader->at, word, size) != 0) {
        return false;
    }
    reader->at += size;
    return true;
}

static enum trp_status packed(int failed)
{
    return failed == 0 ? TRP_OK : TRP_ETOOBIG;
}

/* Writes a code point as UTF-8. */
static size_t put_utf8(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 63u));
        return 2;
    }
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 63u));
    out[2] = (char)(0x80 | (point & 63u));
    return 3;
}

/* Reads what follows a backslash; surrogate pairs are not put together. */
static bool take_escape(struct reader *reader, char *out, size_t *size)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char escape = reader->text[reader->at++];
    const char *found = escape == '\0' ? NULL : strchr(escapes, escape);
    if (found != NULL) {
        out[(*size)++] = meanings[found - escapes];
        return true;
    }
    char digits[5] = {0};
    if (escape != 'u' || strlen(reader->text + reader->at) < 4) {
        return false;
    }
    memcpy(digits, reader->text + reader->at, 4);
    char *end;
    unsigned long point = strtoul(digits, &end, 16);
    if (*end != '\0' || (point >= 0xd800 && point < 0xe000)) {
        return false;
    }
    reader->at += 4;
    *size += put_utf8((uint32_t)point, out + *size);
    return true;
}

static enum trp_status read_string(struct reader *reader)
{
    size_t most = strlen(reader->text + reader->at);
    char *out = malloc(most + 4);
    size_t size = 0;
    if (out == NULL) {
        return TRP_ENOMEM;
    }
    enum trp_status status = take(reader, "\"") ? TRP_OK : TRP_EMALFORMED;
    while (status == TRP_OK && !take(reader, "\"")) {
        char character = reader->text[reader->at];
        if ((unsigned char)character < 0x20) {
            status = TRP_EMALFORMED; /* the end, too */
            break;
        }
        reader->at++;
        if (character != '\\') {
            out[size++] = character;
        } else if (!take_escape(reader, out, &size)) {
            status = TRP_EMALFORMED;
        }
    }
    if (status == TRP_OK) {
        status = packed(msgpack_pack_str(&reader->packer, size));
    }
    if (status == TRP_OK && size > 0) {
        status = packed(msgpack_pack_str_body(&reader->packer, out, size));
    }
    free(out);
    return status;
}

static enum trp_status read_number(struct reader *reader)
{
    const char *begin = reader->text + reader->at;
    size_t size = strspn(begin, "+-0123456789.eE");
    char *end;
    errno = 0;
    int failed;
    if (strcspn(begin, ".eE") < size) {
        failed = msgpack_pack_double(&reader->packer, strtod(begin, &end));
    } else if (begin[0] == '-') {
        failed = msgpack_pack_int64(&reader->packer, strtoll(begin, &end, 10));
    } else {
        failed = msgpack_pack_uint64(&reader->packer, strtoull(begin, &end, 10));
    }
    if (size == 0 || begin[0] == '+' || errno != 0 || end != begin + size) {
        return TRP_EMALFORMED;
    }
    reader->at += size;
    return packed(failed);
}

static enum trp_status read_value(struct reader *reader);

/* Counts the items of a list or map by reading it once without writing, then reads it again: the
 * count comes first in msgpack. */
static enum trp_status read_items(struct reader *reader, char close, bool keyed, bool write,
                                  uint32_t *ret_count)
{
    uint32_t count = 0;
    size_t size = reader->size;
    skip_space(reader);
    while (reader->text[reader->at] != close) {
        if (count > 0 && !take(reader, ",")) {
            return TRP_EMALFORMED;
        }
        skip_space(reader);
        enum trp_status status = TRP_OK;
        if (keyed) {
            status = read_string(reader);
            skip_space(reader);
            if (status == TRP_OK && !take(reader, ":")) {
                status = TRP_EMALFORMED;
            }
        }
        if (status == TRP_OK) {
            status = read_value(reader);
        }
        if (status != TRP_OK) {
            return status;
        }
        skip_space(reader);
        count++;
        if (!write) {
            reader->size = size;
        }
    }
    reader->at++;
    *ret_count = count;
    return TRP_OK;
}

static enum trp_status read_container(struct reader *reader, char close, bool keyed)
{
    uint32_t count;
    size_t begin = ++reader->at;
    enum trp_status status = read_items(reader, close, keyed, false, &count);
    if (status == TRP_OK) {
        status = packed(keyed ? msgpack_pack_map(&reader->packer, count)
                              : msgpack_pack_array(&reader->packer, count));
    }
    if (status == TRP_OK) {
        reader->at = begin;
        status = read_items(reader, close, keyed, true, &count);
    }
    return status;
}

static enum trp_status read_value(struct reader *reader)
{
    enum trp_status status;
    skip_space(reader);
    if (reader->depth == DEPTH_MAX) {
        return TRP_EMALFORMED;
    }
    reader->depth++;
    switch (reader->text[reader->at]) {
    case '{':
        status = read_container(reader, '}', true);
        break;
    case '[':
        status = read_container(reader, ']', false);
        break;
    case '"':
        status = read_string(reader);
        break;
    case 't':
        status = take(reader, "true") ? packed(msgpack_pack_true(&reader->packer)) : TRP_EMALFORMED;
        break;
    case 'f':
        status =
            take(reader, "false") ? packed(msgpack_pack_false(&reader->packer)) : TRP_EMALFORMED;
        break;
    case 'n':
        status = take(reader, "null") ? packed(msgpack_pack_nil(&reader->packer)) : TRP_EMALFORMED;
        break;
    default:
        status = read_number(reader);
        break;
    }
    reader->depth--;
    return status;
}

enum trp_status cli_json_to_msgpack(const char *json, uint8_t *out, size_t room, size_t *ret_size,
                                    size_t *ret_at)
{
    struct reader reader = {.text = json, .out = out, .room = room};
    msgpack_packer_init(&reader.packer, &reader, reader_write);
    enum trp_status status = read_value(&reader);
    skip_space(&reader);
    if (status == TRP_OK && json[reader.at] != '\0') {
        status = TRP_EMALFORMED;
    }
    *ret_at = reader.at;
    if (status == TRP_OK) {
        *ret_size = reader.size;
    }
    return status;
}
