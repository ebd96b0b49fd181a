/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/allow.h"

#include "scenarios/lang/problem.h"
#include "scenarios/workload/workload.h"

static const struct {
    const char *name;
    uint32_t right;
} rights[] = {
    {"connect", TRP_ACCESS_CONNECT}, {"message", TRP_ACCESS_MESSAGE}, {"link", TRP_ACCESS_LINK}};
#define RIGHTS_COUNT (sizeof rights / sizeof rights[0])

/* The part of a rule up to the next colon; *text goes behind that, or becomes NULL at the end. */
static struct trp_bytes next_part(const char **text)
{
    const char *colon = strchr(*text, ':');
    struct trp_bytes part =
        colon == NULL ? trp_bytes_text(*text) : trp_bytes(*text, (size_t)(colon - *text));
    *text = colon == NULL ? NULL : colon + 1;
    return part;
}

static bool is_text(struct trp_bytes part, const char *text)
{
    return trp_bytes_equal(part, trp_bytes_text(text));
}

static int read_peer(const struct cli_verb *verb, struct trp_bytes part,
                     struct trp_peer_id *ret_peer)
{
    char text[2 * TRP_PEER_ID_TEXT_MAX];
    if (is_text(part, "any")) {
        *ret_peer = (struct trp_peer_id){0};
        return CLI_OK;
    }
    if (part.size < sizeof text) {
        memcpy(text, part.data, part.size);
        text[part.size] = '\0';
        if (trp_peer_id_parse(text, ret_peer) == TRP_OK) {
            return CLI_OK;
        }
    }
    return cli_wrong(verb,
                     "--allow: '%.*s' is no PeerId; one looks like 12D3KooW… and stands at the end "
                     "of the address that its node prints, or is `any`",
                     (int)part.size, (const char *)part.data);
}

static int no_right(const struct cli_verb *verb, struct trp_bytes name)
{
    struct lang_nearest nearest = lang_nearest_to((const char *)name.data, name.size);
    for (size_t i = 0; i < RIGHTS_COUNT; i++) {
        lang_nearest_offer(&nearest, rights[i].name);
    }
    return cli_wrong(verb, "--allow: there is no right '%.*s' but connect, message and link%s%s%s",
                     (int)name.size, (const char *)name.data,
                     nearest.best == NULL ? "" : "; did you mean '",
                     nearest.best == NULL ? "" : nearest.best, nearest.best == NULL ? "" : "'?");
}

static int read_rights(const struct cli_verb *verb, struct trp_bytes part, uint32_t *ret_rights)
{
    uint32_t all = 0;
    for (;;) {
        const uint8_t *comma = part.size == 0 ? NULL : memchr(part.data, ',', part.size);
        struct trp_bytes name =
            comma == NULL ? part : trp_bytes(part.data, (size_t)(comma - part.data));
        uint32_t right = 0;
        for (size_t i = 0; i < RIGHTS_COUNT; i++) {
            right = is_text(name, rights[i].name) ? rights[i].right : right;
        }
        if (right == 0) {
            return no_right(verb, name);
        }
        all |= right;
        if (comma == NULL) {
            *ret_rights = all;
            return CLI_OK;
        }
        part = trp_bytes_skip(part, name.size + 1);
    }
}

static bool is_actor_type(const char *type)
{
    for (uint32_t i = 0; i < trp_workload_types_count; i++) {
        if (strcmp(trp_workload_types[i]->id, type) == 0) {
            return true;
        }
    }
    return false;
}

int cli_allow(const struct cli_verb *verb, const char *text, struct trp_access_rule *ret_rule)
{
    struct trp_access_rule rule = {.rights =
                                       TRP_ACCESS_CONNECT | TRP_ACCESS_MESSAGE | TRP_ACCESS_LINK};
    const char *rest = text;
    int code = read_peer(verb, next_part(&rest), &rule.peer);
    if (code == CLI_OK && rest != NULL) {
        code = read_rights(verb, next_part(&rest), &rule.rights);
    }
    if (code != CLI_OK) {
        return code;
    }
    rule.actor_type = rest;
    if (rest != NULL && !is_actor_type(rest)) {
        return cli_wrong(verb, "--allow: there is no actor type '%s'", rest);
    }
    if (rest != NULL && (rule.rights & TRP_ACCESS_CONNECT) != 0) {
        return cli_wrong(verb,
                         "--allow: to connect is no matter of actor types; '%s' may say "
                         "message and link alone",
                         text);
    }
    *ret_rule = rule;
    return CLI_OK;
}
