/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"

#include <inttypes.h>
#include <math.h>

static void write_string(FILE *out, struct trp_bytes text)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\') {
            (void)fprintf(out, "\\%c", byte);
        } else if (byte == '\n') {
            (void)fputs("\\n", out);
        } else if (byte < 0x20) {
            (void)fprintf(out, "\\u%04x", byte);
        } else {
            (void)fputc(byte, out);
        }
    }
    (void)fputc('"', out);
}

static void begin_item(struct json *json, const char *key)
{
    if (json->comma) {
        (void)fputc(',', json->out);
    }
    json->comma = true;
    if (key != NULL) {
        write_string(json->out, trp_bytes_text(key));
        (void)fputc(':', json->out);
    }
}

void json_open(struct json *json, const char *key, char bracket)
{
    begin_item(json, key);
    (void)fputc(bracket, json->out);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    (void)fputc(bracket, json->out);
    json->comma = true;
}

void json_bytes(struct json *json, const char *key, struct trp_bytes text)
{
    begin_item(json, key);
    write_string(json->out, text);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text == NULL) {
        json_raw(json, key, "null");
    } else {
        json_bytes(json, key, trp_bytes_text(text));
    }
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    begin_item(json, key);
    (void)fprintf(json->out, "%" PRIu64, number);
}

void json_real(struct json *json, const char *key, double number)
{
    begin_item(json, key);
    if (isfinite(number)) {
        (void)fprintf(json->out, "%.9g", number);
    } else {
        (void)fputs("null", json->out);
    }
}

void json_raw(struct json *json, const char *key, const char *text)
{
    begin_item(json, key);
    (void)fputs(text, json->out);
}
