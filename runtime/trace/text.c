/* SPDX-License-Identifier: MIT */
#include <troupe/peer_id.h>
#include <troupe/trace.h>

/* Bytes shown of a field; the rest becomes "…". */
#define SHOWN_BYTES 96u

struct line {
    char *out;
    size_t room;
    size_t size; /* as long as the whole line would be */
};

static void line_put(struct line *line, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (line->size + 1 < line->room) {
            line->out[line->size] = text[i];
        }
        line->size++;
    }
}

static void line_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

/* Writes a decimal number with leading zeros up to `width` digits. */
static void line_number(struct line *line, uint64_t number, uint32_t width)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof text - at < width);
    line_put(line, text + at, sizeof text - at);
}

static void line_bytes(struct line *line, struct trp_bytes bytes, bool hex)
{
    static const char digits[] = "0123456789abcdef";
    size_t shown = bytes.size < SHOWN_BYTES ? bytes.size : SHOWN_BYTES;
    for (size_t i = 0; i < shown; i++) {
        uint8_t byte = bytes.data[i];
        if (hex) {
            line_put(line, (const char[]){digits[byte >> 4], digits[byte & 15u]}, 2);
        } else {
            line_put(line, (const char[]){(char)(byte < 0x20 || byte == 0x7f ? '?' : byte)}, 1);
        }
    }
    if (shown < bytes.size) {
        line_text(line, "…");
    }
}

static void line_value(struct line *line, enum trp_trace_field_type type,
                       const union trp_trace_value *value)
{
    struct trp_peer_id peer;
    char text[TRP_PEER_ID_TEXT_MAX];
    switch (type) {
    case TRP_TRACE_U64:
        line_number(line, value->number, 1);
        break;
    case TRP_TRACE_I64:
        line_text(line, (int64_t)value->number < 0 ? "-" : "");
        line_number(line, (int64_t)value->number < 0 ? 0 - value->number : value->number, 1);
        break;
    case TRP_TRACE_SPAN:
        line_number(line, value->number / 1000, 1);
        line_text(line, "us");
        break;
    case TRP_TRACE_STATUS:
        line_text(line, trp_status_name((enum trp_status)(int64_t)value->number));
        break;
    case TRP_TRACE_TEXT:
        line_bytes(line, value->bytes, false);
        break;
    case TRP_TRACE_HEX:
        line_bytes(line, value->bytes, true);
        break;
    case TRP_TRACE_PEER:
        if (trp_peer_id_decode(value->bytes, &peer) == TRP_OK) {
            trp_peer_id_print(&peer, text);
            line_text(line, text);
        }
        break;
    }
}

size_t trp_trace_print(const struct trp_trace_event *event, char *out, size_t room)
{
    static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    struct line line = {.out = out, .room = room};
    line_number(&line, event->time / TRP_S(1), 1);
    line_text(&line, ".");
    line_number(&line, event->time % TRP_S(1) / 1000, 6);
    line_text(&line, "s n");
    line_number(&line, event->node, 1);
    line_text(&line, " #");
    line_number(&line, event->sequence, 1);
    if (event->cause != 0) {
        line_text(&line, "<-");
        line_number(&line, event->cause, 1);
    }
    line_text(&line, " ");
    line_text(&line, levels[event->kind->level]);
    line_text(&line, " ");
    line_text(&line, event->kind->name);
    for (uint32_t i = 0; i < event->kind->fields_count; i++) {
        line_text(&line, " ");
        line_text(&line, event->kind->fields[i].name);
        line_text(&line, "=");
        line_value(&line, event->kind->fields[i].type, &event->values[i]);
    }
    if (room > 0) {
        out[line.size < room ? line.size : room - 1] = '\0';
    }
    return line.size;
}
