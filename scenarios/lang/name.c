/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/name.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/prng.h"

#define PARTS_MAX      16u
#define NAME_BYTES_MAX 255u

static const struct {
    const char *word;
    enum trp_name_part_kind kind;
} placeholders[] = {{"host.index", TRP_NAME_HOST_INDEX},
                    {"host.group", TRP_NAME_HOST_GROUP},
                    {"host.zone", TRP_NAME_HOST_ZONE},
                    {"index", TRP_NAME_INDEX},
                    {"random", TRP_NAME_RANDOM}};

#define PLACEHOLDERS_COUNT (sizeof placeholders / sizeof placeholders[0])

static bool may_stand(enum trp_name_part_kind kind, enum lang_name_use use)
{
    return use == LANG_NAME_REGISTER ? kind != TRP_NAME_RANDOM : kind != TRP_NAME_INDEX;
}

static bool placeholder_find(struct trp_bytes word, size_t offset, enum lang_name_use use,
                             enum trp_name_part_kind *ret_kind, struct lang_fault *fault)
{
    struct lang_nearest nearest = lang_nearest_to((const char *)word.data, word.size);
    for (size_t i = 0; i < PLACEHOLDERS_COUNT; i++) {
        bool same = trp_bytes_equal(word, trp_bytes_text(placeholders[i].word));
        if (same && may_stand(placeholders[i].kind, use)) {
            *ret_kind = placeholders[i].kind;
            return true;
        }
        if (may_stand(placeholders[i].kind, use))
            lang_nearest_offer(&nearest, placeholders[i].word);
    }
    lang_fault_set(fault, offset, word.size + 2, "there is no such placeholder here");
    if (!lang_nearest_fault(&nearest, fault))
        lang_fault_hint(fault, use == LANG_NAME_REGISTER
                                   ? "{host.index} {host.group} {host.zone} {index}"
                                   : "{random} {host.index} {host.group} {host.zone}");
    return false;
}

struct splitter {
    struct lang_arena *arena;
    struct trp_name_part *parts;
    uint32_t count;
    char literal[NAME_BYTES_MAX + 1];
    size_t literal_size;
};

static bool part_push(struct splitter *splitter, enum trp_name_part_kind kind, const char *text)
{
    if (splitter->count == PARTS_MAX)
        return false;
    splitter->parts[splitter->count++] = (struct trp_name_part){.kind = kind, .text = text};
    return true;
}

static bool literal_flush(struct splitter *splitter)
{
    if (splitter->literal_size == 0)
        return true;
    const char *text = lang_arena_copy(splitter->arena, splitter->literal, splitter->literal_size);
    splitter->literal_size = 0;
    return part_push(splitter, TRP_NAME_TEXT, text);
}

/* Reads the placeholder at `at`, which is a `{`; gives the byte behind its `}`. */
static bool placeholder_read(struct splitter *splitter, struct trp_bytes text, size_t *at,
                             enum lang_name_use use, struct lang_fault *fault)
{
    size_t start = *at + 1;
    size_t end = start;
    while (end < text.size && text.data[end] != '}')
        end++;
    if (end == text.size) {
        lang_fault_set(fault, *at, 1, "`}` is missing; `{{` stands for a `{`");
        return false;
    }
    enum trp_name_part_kind kind;
    struct trp_bytes word = trp_bytes(text.data + start, end - start);
    if (!placeholder_find(word, *at, use, &kind, fault))
        return false;
    *at = end + 1;
    if (literal_flush(splitter) && part_push(splitter, kind, NULL))
        return true;
    lang_fault_set(fault, 0, text.size, "more than 16 parts");
    return false;
}

/* Refuses what the registry uses itself. */
static bool check_reserved(const struct splitter *splitter, struct trp_bytes text,
                           struct lang_fault *fault)
{
    for (uint32_t i = 0; i < splitter->count; i++) {
        const char *part = splitter->parts[i].text;
        const char *found = part == NULL ? NULL : strstr(part, ":meta");
        bool last = i + 1 == splitter->count;
        for (; found != NULL; found = strstr(found + 1, ":meta")) {
            char next = found[strlen(":meta")];
            if (next == ':' || (next == '\0' && last)) {
                lang_fault_set(fault, 0, text.size,
                               "a name cannot contain `:meta:` or end in `:meta`");
                return false;
            }
        }
    }
    return true;
}

bool lang_name_read(struct lang_arena *arena, struct trp_bytes text, enum lang_name_use use,
                    struct trp_name_template *ret_name, struct lang_fault *fault)
{
    struct splitter splitter = {.arena = arena};
    if (text.size == 0 || text.size > NAME_BYTES_MAX) {
        lang_fault_set(fault, 0, text.size, "a name has 1 to 255 bytes");
        return false;
    }
    splitter.parts = lang_arena_take(arena, PARTS_MAX * sizeof *splitter.parts);
    for (size_t at = 0; at < text.size;) {
        bool twice = at + 1 < text.size && text.data[at + 1] == text.data[at];
        if (text.data[at] == '{' && !twice) {
            if (!placeholder_read(&splitter, text, &at, use, fault))
                return false;
            continue;
        }
        bool brace = text.data[at] == '{' || text.data[at] == '}';
        splitter.literal[splitter.literal_size++] = (char)text.data[at];
        at += brace && twice ? 2 : 1;
    }
    if (!literal_flush(&splitter)) {
        lang_fault_set(fault, 0, text.size, "more than 16 parts");
        return false;
    }
    *ret_name = (struct trp_name_template){
        .text = lang_arena_copy(arena, (const char *)text.data, text.size),
        .parts = splitter.parts,
        .parts_count = splitter.count,
        .actor = TRP_PLAN_NONE};
    return use == LANG_NAME_TARGET || check_reserved(&splitter, text, fault);
}

/* ---- matching ---- */

static bool parts_match(const struct trp_name_template *own, const struct trp_name_template *target)
{
    if (own->parts_count != target->parts_count)
        return false;
    for (uint32_t i = 0; i < own->parts_count; i++) {
        const struct trp_name_part *a = &own->parts[i];
        const struct trp_name_part *b = &target->parts[i];
        bool random = b->kind == TRP_NAME_RANDOM && a->kind != TRP_NAME_TEXT;
        if (!random && a->kind != b->kind)
            return false;
        if (a->kind == TRP_NAME_TEXT && strcmp(a->text, b->text) != 0)
            return false;
    }
    return true;
}

/* The target written out, when it has no placeholder. */
static const char *literal_of(const struct trp_name_template *target)
{
    return target->parts_count == 1 && target->parts[0].kind == TRP_NAME_TEXT
               ? target->parts[0].text
               : NULL;
}

/* What the placeholders matched so far say; TRP_PLAN_NONE: not yet known. */
struct match {
    const struct trp_plan *plan;
    const struct trp_plan_actor *actor;
    uint32_t host;
    uint32_t group;
    uint32_t index;
};

static bool match_from(struct match match, uint32_t part, const char *text);

/* A host that fits all that is known runs such an actor. */
static bool match_end(const struct match *match)
{
    const struct trp_selector *on = match->actor->on;
    if (on == NULL || on->hosts == NULL) /* chosen at run time */
        return true;
    if (match->host != TRP_PLAN_NONE)
        return trp_selector_contains(on, match->host);
    for (uint32_t i = 0; match->group != TRP_PLAN_NONE && i < on->hosts_count; i++)
        if (trp_plan_group_of(match->plan, on->hosts[i]) == &match->plan->groups[match->group])
            return true;
    return match->group == TRP_PLAN_NONE;
}

/* Matches a number that is written as we write it, of every possible length. */
static bool match_number(struct match match, uint32_t part, const char *text)
{
    bool host = match.actor->name->parts[part].kind == TRP_NAME_HOST_INDEX;
    uint32_t known = host ? match.host : match.index;
    uint32_t bound = host ? match.plan->hosts_count : match.actor->count;
    uint64_t value = 0;
    for (uint32_t i = 0; text[i] >= '0' && text[i] <= '9' && (i == 0 || text[0] != '0'); i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value >= bound)
            return false;
        if (known != TRP_PLAN_NONE && known != value)
            continue;
        struct match next = match;
        if (host) {
            next.host = (uint32_t)value;
            uint32_t group =
                (uint32_t)(trp_plan_group_of(match.plan, next.host) - match.plan->groups);
            if (match.group != TRP_PLAN_NONE && match.group != group)
                continue;
            next.group = group;
        } else {
            next.index = (uint32_t)value;
        }
        if (match_from(next, part + 1, text + i + 1))
            return true;
    }
    return false;
}

/* Matches the name or zone of the group that is known, or of any. */
static bool match_group(struct match match, uint32_t part, const char *text)
{
    bool zone = match.actor->name->parts[part].kind == TRP_NAME_HOST_ZONE;
    bool known = match.group != TRP_PLAN_NONE;
    uint32_t end = known ? match.group + 1 : match.plan->groups_count;
    for (uint32_t i = known ? match.group : 0; i < end; i++) {
        const struct trp_plan_group *group = &match.plan->groups[i];
        const char *word = zone ? group->zone : group->name;
        struct match next = match;
        next.group = i;
        if (strncmp(word, text, strlen(word)) == 0 &&
            match_from(next, part + 1, text + strlen(word)))
            return true;
    }
    return false;
}

/* Matches a written-out name with the template from a part on. */
static bool match_from(struct match match, uint32_t part, const char *text)
{
    const struct trp_name_template *own = match.actor->name;
    if (part == own->parts_count)
        return *text == '\0' && match_end(&match);
    const struct trp_name_part *at = &own->parts[part];
    switch (at->kind) {
    case TRP_NAME_TEXT:
        return strncmp(at->text, text, strlen(at->text)) == 0 &&
               match_from(match, part + 1, text + strlen(at->text));
    case TRP_NAME_HOST_GROUP:
    case TRP_NAME_HOST_ZONE:
        return match_group(match, part, text);
    case TRP_NAME_HOST_INDEX:
    case TRP_NAME_INDEX:
        return match_number(match, part, text);
    case TRP_NAME_RANDOM: /* never in a register: template */
        break;
    }
    return false;
}

static bool literal_match(const struct trp_plan *plan, const struct trp_plan_actor *actor,
                          const char *literal)
{
    return match_from((struct match){.plan = plan,
                                     .actor = actor,
                                     .host = TRP_PLAN_NONE,
                                     .group = TRP_PLAN_NONE,
                                     .index = TRP_PLAN_NONE},
                      0, literal);
}

bool lang_name_resolve(const struct trp_plan *plan, struct trp_name_template *target,
                       struct lang_fault *fault)
{
    const char *literal = literal_of(target);
    struct lang_nearest nearest = lang_nearest_to(target->text, strlen(target->text));
    const char *first = NULL;
    for (uint32_t i = 0; i < plan->actors_count; i++) {
        const struct trp_plan_actor *actor = &plan->actors[i];
        if (actor->name == NULL)
            continue;
        if (actor->name->parts_count == 0) /* it did not parse: that is said already */
            return true;
        if (parts_match(actor->name, target) ||
            (literal != NULL && literal_match(plan, actor, literal))) {
            target->actor = i;
            return true;
        }
        first = first == NULL ? actor->name->text : first;
        lang_nearest_offer(&nearest, actor->name->text);
    }
    lang_fault_set(fault, 0, strlen(target->text), "no actor registers such a name");
    if (first == NULL)
        lang_fault_hint(fault, "give an entry of `actors:` a `register:`");
    else
        lang_fault_hint(fault, "registered names look like `%.*s`",
                        nearest.best == NULL ? 150 : (int)nearest.best_size,
                        nearest.best == NULL ? first : nearest.best);
    return false;
}

/* ---- writing names ---- */

struct name_place {
    const struct trp_plan *plan;
    uint32_t host;
    uint32_t index;
};

static bool name_add(char *out, size_t room, size_t *size, const char *text)
{
    size_t more = strlen(text);
    if (more >= room - *size)
        return false;
    memcpy(out + *size, text, more + 1);
    *size += more;
    return true;
}

static bool part_print(const struct trp_name_part *part, const struct name_place *place, char *out,
                       size_t room, size_t *size)
{
    char number[16];
    switch (part->kind) {
    case TRP_NAME_TEXT:
        return name_add(out, room, size, part->text);
    case TRP_NAME_HOST_GROUP:
        return name_add(out, room, size, trp_plan_group_of(place->plan, place->host)->name);
    case TRP_NAME_HOST_ZONE:
        return name_add(out, room, size, trp_plan_group_of(place->plan, place->host)->zone);
    case TRP_NAME_HOST_INDEX:
    case TRP_NAME_INDEX:
        (void)snprintf(number, sizeof number, "%u",
                       part->kind == TRP_NAME_INDEX ? place->index : place->host);
        return name_add(out, room, size, number);
    case TRP_NAME_RANDOM: /* the caller puts the part of the register: template in its place */
        break;
    }
    return false;
}

enum trp_status trp_plan_actor_name(const struct trp_plan *plan, const struct trp_plan_actor *actor,
                                    uint32_t host, uint32_t index, char *out, size_t room)
{
    struct name_place place = {.plan = plan, .host = host, .index = index};
    size_t size = 0;
    if (room == 0)
        return TRP_ETOOBIG;
    out[0] = '\0';
    for (uint32_t i = 0; i < actor->name->parts_count; i++)
        if (!part_print(&actor->name->parts[i], &place, out, room, &size))
            return TRP_ETOOBIG;
    return TRP_OK;
}

enum trp_status trp_plan_target_name(const struct trp_plan *plan,
                                     const struct trp_name_template *target, uint32_t host,
                                     const uint32_t *hosts, uint32_t hosts_count, uint64_t draw,
                                     char *out, size_t room)
{
    TRP_ASSERT(target->actor < plan->actors_count);
    const struct trp_plan_actor *actor = &plan->actors[target->actor];
    bool aligned = target->parts_count == actor->name->parts_count;
    struct name_place here = {.plan = plan, .host = host};
    struct name_place drawn = {.plan = plan};
    size_t size = 0;
    if (room == 0)
        return TRP_ETOOBIG;
    out[0] = '\0';
    if (hosts_count != 0) {
        drawn.host = hosts[trp_draw_below(draw, hosts_count)];
        drawn.index = trp_draw_below(draw << 32, actor->count);
    }
    for (uint32_t i = 0; i < target->parts_count; i++) {
        bool random = target->parts[i].kind == TRP_NAME_RANDOM;
        if (random && hosts_count == 0)
            return TRP_ENOTFOUND;
        TRP_ASSERT(!random || aligned);
        const struct trp_name_part *part = random ? &actor->name->parts[i] : &target->parts[i];
        if (!part_print(part, random ? &drawn : &here, out, room, &size))
            return TRP_ETOOBIG;
    }
    return TRP_OK;
}
