/* SPDX-License-Identifier: MIT */
/* lang/schema.h - the language as one table: what each key takes, means and is by default.
 *
 * The reader, the defaults, `troupe explain`, the reference page and the JSON Schema are views of
 * it. A key is read into the struct of its section at `offset`. Keys are read in the order of the
 * table, so that what refers to something comes after it. */
#ifndef LANG_SCHEMA_H
#define LANG_SCHEMA_H

#include "scenarios/lang/document.h"

enum lang_type {
    LANG_TEXT,        /* const char * */
    LANG_WORD,        /* const char *: a letter, then letters, digits, - and _ */
    LANG_WORDS,       /* struct lang_words */
    LANG_COUNT,       /* uint32_t, at least 1 */
    LANG_SEED,        /* uint64_t */
    LANG_TIME,        /* trp_time */
    LANG_RATE,        /* uint64_t bits per second */
    LANG_SHARE,       /* uint32_t millionths */
    LANG_SHARE_WIDE,  /* uint64_t millionths */
    LANG_LIMIT,       /* uint32_t: a count, or a size when the key ends in _bytes */
    LANG_LIMIT_WIDE,  /* uint64_t bytes */
    LANG_SPREAD,      /* struct trp_dist */
    LANG_START,       /* struct lang_start: one for all hosts, or a list of moments; or `never` */
    LANG_FLAG,        /* bool */
    LANG_CHOICE,      /* an enum: value of the choice */
    LANG_HOSTS,       /* const struct trp_selector * */
    LANG_HOSTS_LATER, /* const struct lang_node *: selectors read when all groups are known */
    LANG_PAIRS,       /* const struct lang_node *: a list of two hosts each */
    LANG_OCCASIONS,   /* const struct lang_node *: a list of moment, host and name each */
    LANG_SIDES,       /* struct lang_sides: one selector, or a list of them */
    LANG_REGISTER,    /* const struct trp_name_template * */
    LANG_TARGET,      /* struct trp_name_template */
    LANG_ARGUMENTS,   /* const struct lang_node *: read by the type of its message */
    LANG_BOUND,       /* const struct lang_node *: read by the unit of its metric */
    LANG_FILES,       /* nothing: gone before the schema is applied */
    LANG_SECTION,     /* a struct with keys of its own, inside */
    LANG_TABLE,       /* struct lang_items: entries by name */
    LANG_LIST_OF      /* struct lang_items: a list of entries */
};
#define LANG_TYPES_COUNT (LANG_LIST_OF + 1)

struct lang_context;

struct lang_choice {
    const char *word;
    unsigned value;
    bool planned; /* known, not there yet */
    const char *about;
};

struct lang_key {
    const char *name;
    uint32_t name_size; /* 0: up to its NUL */
    enum lang_type type;
    bool required;
    bool action;        /* exactly one such key in a section; `value` goes to its kind */
    unsigned value;     /* of the kind; or the bit in the section's bits */
    size_t offset;      /* in the section's struct */
    const char *with;   /* the actions it belongs to, between spaces; NULL: any */
    const char *usual;  /* the default as it would be written; NULL: none */
    const char *unless; /* what holds when it is left out, in words, when there is no `usual` */
    const char *about;
    const char *example;
    const struct lang_choice *choices; /* up to a NULL word */
    const struct lang_section *section;
    void (*done)(struct lang_context *context); /* runs after the key, present or not */
};

struct lang_section {
    const char *name;
    const struct lang_key *keys;
    uint32_t keys_count;
    size_t size;         /* of its struct */
    size_t kind_offset;  /* of the unsigned that takes an action's value; 0: none */
    size_t bits_offset;  /* of the uint32_t that collects the values of the keys there; 0: none */
    const char *planned; /* keys of a later version, between spaces; NULL: none */
};

/* The first member of every section's struct. */
struct lang_item {
    const struct lang_section *section;
    const struct lang_node *node; /* NULL: the section is absent */
    const char *name;             /* in a table: its key */
    struct lang_mark mark;        /* of that key, or of the node */
};

struct lang_items {
    void *items; /* each of section->size */
    uint32_t count;
    const struct lang_node *node; /* NULL: absent */
};

struct lang_words {
    const char *const *words;
    uint32_t count;
};

struct lang_start {
    struct trp_dist dist;
    const trp_time *each; /* a list; NULL: `dist` */
    uint32_t count;
};

struct lang_sides {
    const struct trp_selector *const *sides;
    uint32_t count;
    bool listed;
};

/* The section that a whole scenario is. */
const struct lang_section *lang_schema(void);

#define LANG_COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

/* Parts of the table, of schema_network.c. */
extern const struct lang_section lang_network_section;
extern const struct lang_section lang_timeline_section;
extern const struct lang_choice lang_states[]; /* what a crash leaves */

/* The name of a key as bytes. */
struct trp_bytes lang_key_name(const struct lang_key *key);
/* Finds a key of a section; NULL. */
const struct lang_key *lang_key_find(const struct lang_section *section, const char *name);
/* Says whether a word is in a list of words between spaces. */
bool lang_word_in(const char *words, const char *word);

/* Writes what holds when a key of a section is left out, as much as fits; "" when nothing does. */
#define LANG_DEFAULT_TEXT_MAX 96u
void lang_default_print(const struct lang_section *section, const struct lang_key *key,
                        char ret_text[LANG_DEFAULT_TEXT_MAX]);

/* What a type is called and looks like, for people and for the JSON Schema. */
struct lang_type_text {
    const char *name;
    const char *about;
    const char *json; /* members of its JSON Schema object; NULL: made from the key */
};
const struct lang_type_text *lang_type_text(enum lang_type type);
/* The same of a key; a limit is a count or a size by its name. */
const struct lang_type_text *lang_key_text(const struct lang_key *key);

#endif
