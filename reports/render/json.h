/* SPDX-License-Identifier: MIT */
/* reports/render/json.h - one JSON object on one line, keys in the order of writing. */
#ifndef REPORTS_RENDER_JSON_H
#define REPORTS_RENDER_JSON_H

#include <troupe/base.h>

#include <stdio.h>

/* Writes to `out`; `comma` says whether the next item is not the first of its object or list. */
struct json {
    FILE *out;
    bool comma;
};

void json_open(struct json *json, const char *key, char bracket); /* key NULL: in a list, or top */
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *key, const char *text); /* NULL gives null */
void json_bytes(struct json *json, const char *key, struct trp_bytes text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_real(struct json *json, const char *key, double number);
/* Writes text that is JSON already. */
void json_raw(struct json *json, const char *key, const char *text);

#endif
