/* SPDX-License-Identifier: MIT */
/* base/list.h - an intrusive doubly linked list; order is the order of pushes. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct trp_list_link {
    struct trp_list_link *next;
    struct trp_list_link *prev; /* NULL: in no list */
};

/* Gives the object that holds `link` as its member. */
#define TRP_CONTAINER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

struct trp_list {
    struct trp_list_link head;
};

static inline void trp_list_init(struct trp_list *list)
{
    list->head.next = &list->head;
    list->head.prev = &list->head;
}

static inline bool trp_list_is_empty(const struct trp_list *list)
{
    return list->head.next == &list->head;
}

static inline bool trp_list_link_is_linked(const struct trp_list_link *link)
{
    return link->prev != NULL;
}

static inline void trp_list_push_back(struct trp_list *list, struct trp_list_link *link)
{
    link->prev = list->head.prev;
    link->next = &list->head;
    list->head.prev->next = link;
    list->head.prev = link;
}

/* Removes it from its list; fine when it is in none. */
static inline void trp_list_link_remove(struct trp_list_link *link)
{
    if (link->prev != NULL) {
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->next = NULL;
        link->prev = NULL;
    }
}

static inline struct trp_list_link *trp_list_front(const struct trp_list *list)
{
    return trp_list_is_empty(list) ? NULL : list->head.next;
}

static inline struct trp_list_link *trp_list_pop_front(struct trp_list *list)
{
    struct trp_list_link *link = trp_list_front(list);
    if (link != NULL) {
        trp_list_link_remove(link);
    }
    return link;
}

/* The link after `link`; NULL at the end. */
static inline struct trp_list_link *trp_list_next(const struct trp_list *list,
                                                  const struct trp_list_link *link)
{
    return link->next == &list->head ? NULL : link->next;
}

#endif
