// Judges whether an answer is the one that its request asked for.
#pragma once
#include "marks.h"
#include "outbound.h"
#include "response.h"

typedef enum {
    AS_EXPECTED,
    HIT_BY_OUTAGE,      // failed, in a way that says so, while the upstream was away; no fault
    FOREIGN_NONCE,      // part of another request's answer
    BODY_CHANGED,       // the upstream did not receive what was sent
    WRONG_STATUS,
    INCOMPLETE,         // ended too early, or without its end mark
    EVENTS_MISSING,     // complete by its framing, with too few or too many events
    CUT_LOOKS_COMPLETE, // the upstream broke off and the client was not told
    TIMED_OUT,
    CONNECTION_LOST,    // closed before the first byte of an answer, on a fresh connection
    NO_CONNECTION,      // more connections open than the test allows
    FAULT_COUNT,
} fault;

extern const char *const fault_names[FAULT_COUNT];

// What was seen of one answer.
typedef struct {
    const outbound *sent;
    mark_reader nonces, ends;
    int events;        // with the right nonce
    int foreign, changed;
    bool end_mark;
} observation;

void observe_start(observation *o, const outbound *sent);

// A payload_sink; `context` is the observation.
void observe(void *context, const char *bytes, size_t count);

// `r` is complete or broken, or the client has left.
fault judge(const request_kind *kind, const response *r, const observation *o);

// Whether this is what a request may get when its upstream goes away: an error answer that blames the upstream, or an
// answer that is visibly cut.
bool fits_outage(fault found, const response *r);
