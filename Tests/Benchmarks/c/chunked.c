#include "chunked.h"

void chunked_start(chunked *c) {
    *c = (chunked){.state = CHUNK_SIZE};
}

static int hex_value(char byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    char lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void size_line_ended(chunked *c) {
    if (!c->digits)
        c->state = CHUNKED_BAD;
    else
        c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
    c->digits = 0;
    c->trailer_length = 0;
}

static void framing_byte(chunked *c, char byte) {
    int value = hex_value(byte);
    if (c->state == CHUNK_SIZE && value >= 0 && c->digits < 15) {
        c->left = c->left * 16 + (uint64_t)value;
        c->digits++;
    } else if (c->state == CHUNK_DATA_END) {
        if (byte == '\n')
            c->state = CHUNK_SIZE;
        else if (byte != '\r')
            c->state = CHUNKED_BAD;
    } else if (c->state == CHUNK_TRAILER) {
        if (byte != '\n')
            c->trailer_length += byte != '\r';
        else if (c->trailer_length == 0)
            c->state = CHUNKED_DONE;
        else
            c->trailer_length = 0;
    } else if (byte == '\n') {
        size_line_ended(c);
    } else if (c->state == CHUNK_SIZE) {
        c->state = byte == ';' || byte == '\r' || byte == ' ' ? CHUNK_EXTENSION : CHUNKED_BAD;
    }
}

size_t chunked_feed(chunked *c, const char *bytes, size_t count, payload_sink sink, void *context) {
    size_t at = 0;
    while (at < count && c->state < CHUNKED_DONE) {
        if (c->state != CHUNK_DATA) {
            framing_byte(c, bytes[at++]);
            continue;
        }
        size_t run = count - at < c->left ? count - at : c->left;
        sink(context, bytes + at, run);
        at += run;
        c->left -= run;
        if (!c->left)
            c->state = CHUNK_DATA_END;
    }
    return at;
}
