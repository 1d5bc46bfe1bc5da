// Decoder of the chunked transfer coding, for both directions.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Receives each run of payload bytes. The bytes are valid during the call only.
typedef void (*payload_sink)(void *context, const char *bytes, size_t count);

typedef struct {
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNKED_DONE, CHUNKED_BAD } state;
    uint64_t left;         // of the present chunk
    int digits;            // read of the size
    size_t trailer_length; // of the present trailer line
} chunked;

void chunked_start(chunked *c);

// Reads up to `count` bytes and returns how many belonged to this body.
size_t chunked_feed(chunked *c, const char *bytes, size_t count, payload_sink sink, void *context);
