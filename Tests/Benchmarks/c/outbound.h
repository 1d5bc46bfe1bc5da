// The requests of the endurance test: what kinds there are and how one is written.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

typedef struct {
    const char *name;
    int share;         // of all requests, in percent
    const char *model; // chooses the mock's script
    int events;        // of the whole answer; 0: JSON
    size_t body_bytes; // least size of the body; its size varies up to four times that
    bool chunked;      // the request, by the chunked coding
    bool slow;         // reads 16 KB each 10 ms, with a small receive buffer
    enum {
        ENDS_WHOLE,         // the answer has to arrive complete
        ENDS_CUT,           // the upstream breaks off: the answer must not look complete
        ENDS_LEFT_ANSWER,   // the client leaves after a few events
        ENDS_LEFT_REQUEST,  // the client leaves in the middle of its own request
    } ending;
} request_kind;

#define KIND_COUNT 13
extern const request_kind kinds[KIND_COUNT];

// The kind of the n-th request: in every hundred each kind has its share, in a mixed order.
int kind_of(uint64_t number);

typedef struct {
    char *bytes; // to be freed
    size_t length, head_length;
    char nonce[NONCE_LENGTH + 1]; // of no other request
    char sum[17];                 // of the body, as the mock will compute it
} outbound;

outbound outbound_for(const request_kind *kind, uint64_t number, int port);
