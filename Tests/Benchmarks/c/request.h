// Incremental reader of one HTTP/1.1 request, as the mock upstream needs it.
#pragma once
#include <stdbool.h>

#include "chunked.h"

// As much of a body's start and end as is kept to read the model and the stream flag from.
#define BODY_WINDOW 1200
#define NONCE_LENGTH 16

typedef struct {
    enum { REQUEST_HEAD, REQUEST_LENGTH, REQUEST_CHUNKED, REQUEST_COMPLETE, REQUEST_BROKEN } state;
    bool close;           // the client asks for it
    bool expects_continue;
    char nonce[NONCE_LENGTH + 1]; // of the header x-nonce; empty without one
    uint64_t sum;         // of the body, when there is a nonce
    uint64_t left;        // of a body with a length
    chunked chunks;
    size_t head_length, first_length, last_length;
    char first[BODY_WINDOW + 1], last[BODY_WINDOW + 1]; // terminated by NUL
    char head[16384];
} request;

void request_start(request *r);

// Reads bytes until the request ends and returns how many belonged to it.
size_t request_feed(request *r, const char *bytes, size_t count);
