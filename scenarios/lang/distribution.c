/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/scalar.h"

#define PARAMETERS_MAX 2u

enum parameter_type { PARAMETER_SPAN, PARAMETER_SHAPE };

struct parameter {
    const char *name;
    enum parameter_type type;
};

struct family {
    const char *name;
    enum trp_dist_kind kind;
    struct parameter parameters[PARAMETERS_MAX]; /* in the order of positional arguments */
    bool swapped;                                /* the first parameter is `b` of the world's */
};

static const struct family families[] = {
    {"uniform", TRP_DIST_UNIFORM, {{"from", PARAMETER_SPAN}, {"to", PARAMETER_SPAN}}, false},
    {"normal", TRP_DIST_NORMAL, {{"mean", PARAMETER_SPAN}, {"sd", PARAMETER_SPAN}}, false},
    {"exp", TRP_DIST_EXP, {{"mean", PARAMETER_SPAN}, {NULL, PARAMETER_SPAN}}, false},
    {"lognormal", TRP_DIST_LOGNORMAL, {{"p50", PARAMETER_SPAN}, {"p99", PARAMETER_SPAN}}, false},
    {"pareto", TRP_DIST_PARETO, {{"min", PARAMETER_SPAN}, {"shape", PARAMETER_SHAPE}}, false},
    {"weibull", TRP_DIST_WEIBULL, {{"k", PARAMETER_SHAPE}, {"mean", PARAMETER_SPAN}}, true}};

#define FAMILIES_COUNT (sizeof families / sizeof families[0])

/* Shapes outside of this are no model of anything and strain the fixed-point sampler. */
#define SHAPE_MIN 100u   /* 0.1 */
#define SHAPE_MAX 20000u /* 20 */

struct scanner {
    struct trp_bytes text;
    size_t at;
};

static void skip_space(struct scanner *scanner)
{
    while (scanner->at < scanner->text.size && scanner->text.data[scanner->at] == ' ')
        scanner->at++;
}

static bool take(struct scanner *scanner, char c)
{
    skip_space(scanner);
    if (scanner->at == scanner->text.size || scanner->text.data[scanner->at] != (uint8_t)c)
        return false;
    scanner->at++;
    return true;
}

/* Takes what is before the next of `ends`, without spaces around it. */
static struct trp_bytes take_until(struct scanner *scanner, const char *ends)
{
    skip_space(scanner);
    size_t start = scanner->at;
    while (scanner->at < scanner->text.size &&
           strchr(ends, (int)scanner->text.data[scanner->at]) == NULL)
        scanner->at++;
    size_t end = scanner->at;
    while (end > start && scanner->text.data[end - 1] == ' ')
        end--;
    return trp_bytes(scanner->text.data + start, end - start);
}

static size_t offset_of(const struct scanner *scanner, struct trp_bytes part)
{
    return (size_t)(part.data - scanner->text.data);
}

static void list_families(struct lang_fault *fault)
{
    lang_fault_hint(fault, "uniform(a, b) normal(mean=, sd=) exp(mean=) lognormal(p50=, p99=) "
                           "pareto(min=, shape=) weibull(k=, mean=), or one value such as 40ms");
}

/* Finds which parameter an argument is for: by its name, or the next free one. */
static bool parameter_find(const struct scanner *scanner, const struct family *family,
                           struct trp_bytes name, const bool *given, uint32_t *ret_index,
                           struct lang_fault *fault)
{
    for (uint32_t i = 0; i < PARAMETERS_MAX && family->parameters[i].name != NULL; i++) {
        const char *own = family->parameters[i].name;
        bool fits = name.size == 0 ? !given[i] : trp_bytes_equal(name, trp_bytes_text(own));
        if (fits && given[i]) {
            lang_fault_set(fault, offset_of(scanner, name), name.size, "`%s` is given twice", own);
            return false;
        }
        if (fits) {
            *ret_index = i;
            return true;
        }
    }
    const struct parameter *parameters = family->parameters;
    if (name.size == 0)
        lang_fault_set(fault, 0, scanner->at, "too many values for %s()", family->name);
    else
        lang_fault_set(fault, offset_of(scanner, name), name.size, "%s() has no such parameter",
                       family->name);
    lang_fault_hint(fault, "%s(%s=%s%s%s)", family->name, parameters[0].name,
                    parameters[1].name == NULL ? "" : ", ",
                    parameters[1].name == NULL ? "" : parameters[1].name,
                    parameters[1].name == NULL ? "" : "=");
    return false;
}

/* Moves a fault from a part to the whole text. */
static bool shift_fault(struct lang_fault *fault, size_t offset)
{
    fault->offset += offset;
    return false;
}

static bool argument_read(struct scanner *scanner, const struct family *family, bool *given,
                          uint64_t *values, struct lang_fault *fault)
{
    struct scanner ahead = *scanner;
    struct trp_bytes name = take_until(&ahead, "=,)");
    if (take(&ahead, '='))
        *scanner = ahead;
    else
        name.size = 0;
    uint32_t index;
    if (!parameter_find(scanner, family, name, given, &index, fault))
        return false;
    struct trp_bytes value = take_until(scanner, ",)");
    size_t offset = offset_of(scanner, value);
    given[index] = true;
    if (family->parameters[index].type == PARAMETER_SPAN)
        return lang_span_read(value, &values[index], fault) || shift_fault(fault, offset);
    if (!lang_number_read(value, 1000, &values[index], fault))
        return shift_fault(fault, offset);
    if (values[index] < SHAPE_MIN || values[index] > SHAPE_MAX) {
        lang_fault_set(fault, offset, value.size, "`%s` must be from 0.1 to 20",
                       family->parameters[index].name);
        return false;
    }
    return true;
}

/* What each family wants of its values. */
static bool dist_check(const struct trp_dist *dist, size_t size, struct lang_fault *fault)
{
    const char *wrong = NULL;
    if (dist->kind == TRP_DIST_UNIFORM && dist->a > dist->b)
        wrong = "the lower end is above the upper one";
    else if (dist->kind == TRP_DIST_LOGNORMAL && dist->a > dist->b)
        wrong = "p99 is below p50";
    else if (dist->kind != TRP_DIST_UNIFORM && dist->kind != TRP_DIST_CONST && dist->a == 0)
        wrong = "this must be above 0";
    if (wrong != NULL)
        lang_fault_set(fault, 0, size, "%s", wrong);
    return wrong == NULL;
}

static bool family_read(struct scanner *scanner, const struct family *family,
                        struct trp_dist *ret_dist, struct lang_fault *fault)
{
    bool given[PARAMETERS_MAX] = {false};
    uint64_t values[PARAMETERS_MAX] = {0};
    do {
        if (!argument_read(scanner, family, given, values, fault))
            return false;
    } while (take(scanner, ','));
    if (!take(scanner, ')')) {
        lang_fault_set(fault, scanner->at, 1, "`)` is missing");
        return false;
    }
    skip_space(scanner);
    if (scanner->at != scanner->text.size) {
        lang_fault_set(fault, scanner->at, scanner->text.size - scanner->at,
                       "nothing may follow the `)`");
        return false;
    }
    for (uint32_t i = 0; i < PARAMETERS_MAX && family->parameters[i].name != NULL; i++) {
        if (!given[i]) {
            lang_fault_set(fault, 0, scanner->text.size, "%s() also needs `%s=`", family->name,
                           family->parameters[i].name);
            return false;
        }
    }
    struct trp_dist dist = {.kind = family->kind, .a = values[0], .b = values[1]};
    if (family->swapped)
        dist = (struct trp_dist){.kind = family->kind, .a = values[1], .b = values[0]};
    if (!dist_check(&dist, scanner->text.size, fault))
        return false;
    *ret_dist = dist;
    return true;
}

bool lang_dist_read(struct trp_bytes text, struct trp_dist *ret_dist, struct lang_fault *fault)
{
    struct scanner scanner = {.text = text};
    struct trp_bytes name = take_until(&scanner, "(");
    if (name.size == 0 || !take(&scanner, '(')) {
        trp_time ns;
        if (lang_is_word(text)) {
            lang_fault_set(fault, 0, text.size, "a time or a distribution of times was expected");
            list_families(fault);
            return false;
        }
        if (!lang_span_read(text, &ns, fault))
            return false;
        *ret_dist = (struct trp_dist){.kind = TRP_DIST_CONST, .a = ns};
        return true;
    }
    for (size_t i = 0; i < FAMILIES_COUNT; i++)
        if (trp_bytes_equal(name, trp_bytes_text(families[i].name)))
            return family_read(&scanner, &families[i], ret_dist, fault);
    lang_fault_set(fault, offset_of(&scanner, name), name.size, "no such distribution");
    list_families(fault);
    return false;
}
