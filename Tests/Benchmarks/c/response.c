#include "response.h"

#include <stdlib.h>

#include "head.h"

void response_start(response *r) {
    // The head's bytes are left as they are: clearing 8 KB for each request would be the largest cost here.
    r->state = RESPONSE_HEAD;
    r->status = 0;
    r->close = false;
    r->left = 0;
    r->body_bytes = 0;
    r->head_length = 0;
}

static void head_ended(response *r) {
    r->status = atoi(r->head + sizeof "HTTP/1.1" - 1);
    if (r->status >= 100 && r->status < 200) { // an interim answer: the real one follows
        response_start(r);
        return;
    }
    const char *length = head_field(r->head, "\r\ncontent-length:");
    r->close = head_field_begins(r->head, "\r\nconnection:", "close");
    if (head_field_begins(r->head, "\r\ntransfer-encoding:", "chunked")) {
        chunked_start(&r->chunks);
        r->state = RESPONSE_CHUNKED;
    } else if (length) {
        r->left = strtoull(length, NULL, 10);
        r->state = r->left ? RESPONSE_LENGTH : RESPONSE_COMPLETE;
    } else {
        r->close = true;
        r->state = RESPONSE_UNTIL_CLOSE;
    }
}

static size_t feed_head(response *r, const char *bytes, size_t count) {
    int complete;
    size_t taken = head_collect(r->head, sizeof r->head, &r->head_length, bytes, count, &complete);
    if (complete)
        head_ended(r);
    else if (r->head_length == sizeof r->head - 1)
        r->state = RESPONSE_BROKEN;
    return taken;
}

static size_t feed_plain(response *r, const char *bytes, size_t count, payload_sink sink, void *context) {
    size_t run = count;
    if (r->state == RESPONSE_LENGTH) {
        run = count < r->left ? count : r->left;
        r->left -= run;
        if (!r->left)
            r->state = RESPONSE_COMPLETE;
    }
    r->body_bytes += run;
    sink(context, bytes, run);
    return run;
}

static size_t feed_chunked(response *r, const char *bytes, size_t count, payload_sink sink, void *context) {
    size_t used = chunked_feed(&r->chunks, bytes, count, sink, context);
    r->body_bytes += used;
    if (r->chunks.state == CHUNKED_DONE)
        r->state = RESPONSE_COMPLETE;
    else if (r->chunks.state == CHUNKED_BAD)
        r->state = RESPONSE_BROKEN;
    return used;
}

size_t response_feed(response *r, const char *bytes, size_t count, payload_sink sink, void *context) {
    size_t at = 0;
    while (at < count && r->state < RESPONSE_COMPLETE) {
        const char *rest = bytes + at;
        if (r->state == RESPONSE_HEAD)
            at += feed_head(r, rest, count - at);
        else if (r->state == RESPONSE_CHUNKED)
            at += feed_chunked(r, rest, count - at, sink, context);
        else
            at += feed_plain(r, rest, count - at, sink, context);
    }
    return at;
}

void response_closed(response *r) {
    if (r->state == RESPONSE_UNTIL_CLOSE)
        r->state = RESPONSE_COMPLETE;
    else if (r->state < RESPONSE_COMPLETE)
        r->state = RESPONSE_BROKEN;
    r->close = true;
}
