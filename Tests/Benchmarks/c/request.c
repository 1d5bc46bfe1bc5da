#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "sum.h"

void request_start(request *r) {
    // The large arrays are left as they are; their lengths say what is valid.
    r->state = REQUEST_HEAD;
    r->close = r->expects_continue = false;
    r->nonce[0] = 0;
    r->sum = SUM_START;
    r->left = 0;
    r->head_length = r->first_length = r->last_length = 0;
    r->first[0] = r->last[0] = 0;
}

static void keep_last(request *r, const char *bytes, size_t count) {
    if (count >= BODY_WINDOW) {
        memcpy(r->last, bytes + count - BODY_WINDOW, BODY_WINDOW);
        r->last_length = BODY_WINDOW;
        return;
    }
    size_t kept = r->last_length;
    if (kept + count > BODY_WINDOW)
        kept = BODY_WINDOW - count;
    memmove(r->last, r->last + r->last_length - kept, kept);
    memcpy(r->last + kept, bytes, count);
    r->last_length = kept + count;
}

static void body_bytes(void *context, const char *bytes, size_t count) {
    request *r = context;
    size_t room = BODY_WINDOW - r->first_length;
    size_t taken = count < room ? count : room;
    memcpy(r->first + r->first_length, bytes, taken);
    r->first_length += taken;
    keep_last(r, bytes, count);
    if (r->nonce[0])
        r->sum = sum_add(r->sum, bytes, count);
}

static void completed(request *r) {
    r->first[r->first_length] = r->last[r->last_length] = 0;
    r->state = REQUEST_COMPLETE;
}

static void head_ended(request *r) {
    const char *length = head_field(r->head, "\r\ncontent-length:");
    const char *nonce = head_field(r->head, "\r\nx-nonce:");
    r->close = head_field_begins(r->head, "\r\nconnection:", "close");
    r->expects_continue = head_field_begins(r->head, "\r\nexpect:", "100-continue");
    if (nonce && strlen(nonce) >= NONCE_LENGTH) {
        memcpy(r->nonce, nonce, NONCE_LENGTH);
        r->nonce[NONCE_LENGTH] = 0;
    }
    if (head_field_begins(r->head, "\r\ntransfer-encoding:", "chunked")) {
        chunked_start(&r->chunks);
        r->state = REQUEST_CHUNKED;
        return;
    }
    r->left = length ? strtoull(length, NULL, 10) : 0;
    r->state = REQUEST_LENGTH;
    if (!r->left)
        completed(r);
}

static size_t feed_head(request *r, const char *bytes, size_t count) {
    int complete;
    size_t taken = head_collect(r->head, sizeof r->head, &r->head_length, bytes, count, &complete);
    if (complete)
        head_ended(r);
    else if (r->head_length == sizeof r->head - 1)
        r->state = REQUEST_BROKEN;
    return taken;
}

static size_t feed_length(request *r, const char *bytes, size_t count) {
    size_t run = count < r->left ? count : r->left;
    body_bytes(r, bytes, run);
    r->left -= run;
    if (!r->left)
        completed(r);
    return run;
}

static size_t feed_chunked(request *r, const char *bytes, size_t count) {
    size_t used = chunked_feed(&r->chunks, bytes, count, body_bytes, r);
    if (r->chunks.state == CHUNKED_DONE)
        completed(r);
    else if (r->chunks.state == CHUNKED_BAD)
        r->state = REQUEST_BROKEN;
    return used;
}

size_t request_feed(request *r, const char *bytes, size_t count) {
    size_t at = 0;
    while (at < count && r->state < REQUEST_COMPLETE) {
        const char *rest = bytes + at;
        if (r->state == REQUEST_HEAD)
            at += feed_head(r, rest, count - at);
        else if (r->state == REQUEST_LENGTH)
            at += feed_length(r, rest, count - at);
        else
            at += feed_chunked(r, rest, count - at);
    }
    return at;
}
