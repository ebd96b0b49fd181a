/* SPDX-License-Identifier: MIT */
/* Turns gnuplot's SVG into a part of the page: its marks of colours become variables of the style
 * sheet, ids and empty groups go, and the shades of faults and the tips come around it. */
#include "reports/render/html.h"

/* The narrowest shade of a fault, and the gap that still joins two. */
#define THINNEST         1.5
#define TIP_FAULTS_MAX   4u
#define PLOT_AREA_HEIGHT (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM)

void svg_put_symbols(FILE *out)
{
    (void)fputs("<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\">"
                "<defs><circle id=\"dot\" r=\"1\" fill=\"currentColor\"/></defs></svg>\n",
                out);
}

/* A replacement at the front of `at`: gives how many bytes it stands for, 0 for none. */
struct rule {
    const char *from;
    const char *to;
};

static size_t apply_rule(FILE *out, const char *at)
{
    static const struct rule rules[] = {
        {" stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", ""},
        {" stroke-width=\"1.00\"", ""},
        {" font-family=\"sans\"", ""},
        {" font-size=\"11.00\"", ""},
        {" shape-rendering='crispEdges'", ""},
        {" color=\"black\" stroke=\"currentColor\"", ""},
        {" color=\"gray\" stroke=\"currentColor\"", ""},
        {"xlink:href='#gpPt6'", "href='#dot'"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t size = strlen(rules[i].from);
        if (strncmp(at, rules[i].from, size) == 0) {
            (void)fputs(rules[i].to, out);
            return size;
        }
    }
    return 0;
}

/* A colour at the front of `at`, "rgb(  1,   1,  32)". */
static size_t apply_color(FILE *out, const char *at)
{
    static const char *const fixed[] = {"", "", "axis", "label", "grid"};
    unsigned red = 0;
    unsigned green = 0;
    unsigned mark = 0;
    int size = 0;
    if (strncmp(at, "rgb(", 4) != 0 ||
        sscanf(at, "rgb(%3u ,%3u ,%3u )%n", &red, &green, &mark, &size) != 3 || size == 0 ||
        red != 1 || green != 1) {
        return 0;
    }
    if (mark < sizeof fixed / sizeof fixed[0]) {
        (void)fprintf(out, "var(--%s)", fixed[mark]);
    } else {
        (void)fprintf(out, "var(--%c%u)", mark >= 0x30 ? 'b' : 's', mark & 0xfu);
    }
    return (size_t)size;
}

static void put_line(FILE *out, const char *line, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t taken = 0;
        if (line[i] == 'r') {
            taken = apply_color(out, line + i);
        } else if (line[i] == ' ' || line[i] == 'x') {
            taken = apply_rule(out, line + i);
        }
        if (taken == 0) {
            (void)fputc(line[i], out);
            taken = 1;
        }
        i += taken;
    }
    (void)fputc('\n', out);
}

static size_t line_size(const char *at)
{
    return strcspn(at, "\n");
}

static bool starts(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

/* Copies what gnuplot drew, from behind its definitions to its end. */
static void put_drawing(FILE *out, const char *svg)
{
    const char *at = strstr(svg, "</defs>");
    at = at == NULL ? "" : at + strlen("</defs>");
    /* The group that was open before the definitions. */
    (void)fputs("<g>\n", out);
    while (*at != '\0' && !starts(at, "</svg>")) {
        size_t size = line_size(at);
        const char *next = at[size] == '\0' ? at + size : at + size + 1;
        const char *trimmed = at + strspn(at, " \t");
        bool empty_group = starts(at, "<g fill=") && starts(next, "</g>\n");
        if (empty_group) {
            at = next + strlen("</g>\n");
            continue;
        }
        if (starts(trimmed, "<g id=\"gnuplot_plot_")) {
            (void)fputs("<g>\n", out);
        } else if (size > 0) {
            put_line(out, at, size);
        }
        at = next;
    }
}

static void put_shade(FILE *out, uint32_t color, double from, double to)
{
    if (to > from) {
        (void)fprintf(out,
                      "<rect class=\"fault f%u\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
                      "height=\"%d\"/>\n",
                      color, from, PLOT_TOP, to - from, PLOT_AREA_HEIGHT);
    }
}

/* Shades the times of each kind of fault; what overlaps or nearly touches is one stretch, so that
 * thousands of faults stay a bounded number of shapes. */
static void put_faults(FILE *out, const struct plot *plot, const struct faults *faults)
{
    for (uint32_t color = 0; color < FAULT_COLORS; color++) {
        double from = 0;
        double to = 0;
        for (size_t i = 0; i < faults->count; i++) {
            if (faults->spans[i].color != color) {
                continue;
            }
            double start = plot_x(plot, faults->spans[i].from);
            double end = plot_x(plot, faults->spans[i].to);
            end = end - start < THINNEST ? start + THINNEST : end;
            if (start > to + THINNEST) {
                put_shade(out, color, from, to);
                from = start;
                to = end;
            } else {
                to = end > to ? end : to;
            }
        }
        put_shade(out, color, from, to);
    }
}

static void put_during(FILE *out, const struct plot_tip *tip, const struct faults *faults)
{
    uint32_t named = 0;
    for (size_t i = 0; i < faults->count && named < TIP_FAULTS_MAX; i++) {
        const struct fault_span *span = &faults->spans[i];
        if (span->from >= tip->to || span->to < tip->from) {
            continue;
        }
        (void)fputs("\nduring ", out);
        html_text(out, span->text[0] == '\0' ? span->kind : span->text);
        if (span->count > 1) {
            (void)fprintf(out, " and %u more", span->count - 1);
        }
        named++;
    }
}

static void put_tips(FILE *out, const struct plot *plot, const struct faults *faults,
                     bool over_time)
{
    (void)fputs("<g class=\"tips\">", out);
    for (size_t i = 0; i < plot->tips_count; i++) {
        const struct plot_tip *tip = &plot->tips[i];
        double from = plot_x(plot, tip->from);
        double width = plot_x(plot, tip->to) - from;
        (void)fprintf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>", from,
                      PLOT_TOP, width, PLOT_AREA_HEIGHT);
        html_text(out, tip->text);
        if (over_time) {
            put_during(out, tip, faults);
        }
        (void)fputs("</title></rect>", out);
    }
    (void)fputs("</g>\n", out);
}

void svg_embed(FILE *out, const char *svg, const struct plot *plot, const struct faults *faults)
{
    bool over_time = plot->x_label[0] == '\0';
    (void)fprintf(out, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                  plot->width, PLOT_HEIGHT);
    html_text(out, plot->title);
    (void)fputs("\">\n", out);
    if (over_time) {
        put_faults(out, plot, faults);
    }
    put_drawing(out, svg);
    put_tips(out, plot, faults, over_time);
    (void)fputs("</svg>\n", out);
}
