// Incremental reader of one HTTP/1.1 response.
#pragma once
#include <stdbool.h>

#include "chunked.h"

typedef struct {
    enum {
        RESPONSE_HEAD,
        RESPONSE_LENGTH,
        RESPONSE_CHUNKED,
        RESPONSE_UNTIL_CLOSE,
        RESPONSE_COMPLETE,
        RESPONSE_BROKEN
    } state;
    int status;
    bool close;          // the connection cannot be used again
    uint64_t left;       // of a body with a length
    uint64_t body_bytes; // so far, chunk framing included
    chunked chunks;
    size_t head_length;
    char head[8192];
} response;

void response_start(response *r);

// Reads bytes until the response ends and returns how many belonged to it.
size_t response_feed(response *r, const char *bytes, size_t count, payload_sink sink, void *context);

// The peer closed. Completes a response that is delimited by that, breaks any other unfinished one.
void response_closed(response *r);
