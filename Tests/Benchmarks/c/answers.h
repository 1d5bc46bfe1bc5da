// The bytes of the mock upstream's answers, and the script that a request asks for.
//
// A request chooses by the name of its model:
//
//   anything       JSON, or with "stream":true an SSE answer of 200 events at once
//   paced-MS       SSE, an event each MS milliseconds
//   …xN            N events instead of 200, as in burstx50 or paced-20x15
//   cut-MSxN       as paced, but the connection is closed after N events, without an end
//   half           JSON, cut in the middle of its body
//   picture        JSON with the address of the image that was received, or the beginning of one that is inline
//   close          JSON, then the connection is closed in order
//
// An answer to a request with a nonce carries the nonce in each event, and the checksum of the request's body.
#pragma once
#include "request.h"

#define DEFAULT_EVENTS 200
// Upper bound of one event with its chunk framing.
#define EVENT_BYTES 640
// Lets a time stamp have 20 digits always and still be a number in JSON.
#define STAMP_BASE 10000000000000000000ull

extern const char stream_head[];
extern const char stream_end[];

typedef struct {
    enum { ANSWER_JSON, ANSWER_STREAM } shape;
    uint64_t period_ms; // 0: all at once
    int events;
    bool cut;           // ends without saying so
    bool close;
    bool shows_image;
} script;

script script_of(const request *r);

// Whether the nonce in the body is the one in the header.
bool nonces_agree(const request *r);

// Writes one event as one chunk and returns its length. `stamp_ns` 0 means none.
int answer_event(char *out, const request *r, const script *s, int index, uint64_t stamp_ns);

// Allocates a whole streamed answer, head and end included.
char *answer_burst(const request *r, const script *s, size_t *length);

// Allocates a JSON answer with its head.
char *answer_json(const request *r, const script *s, size_t *length);
