#include "verdict.h"

#include <string.h>

// Between the nonce and the checksum that the mock writes.
#define SEPARATOR "\",\"sum\":\""

const char *const fault_names[FAULT_COUNT] = {
    "as expected",    "hit by outage",      "foreign nonce", "body changed",    "wrong status",  "incomplete",
    "events missing", "cut looks complete", "timed out",     "connection lost", "no connection",
};

static void nonce_found(void *context, const char *value) {
    observation *o = context;
    const char *sum = value + NONCE_LENGTH + sizeof SEPARATOR - 1;
    if (memcmp(value, o->sent->nonce, NONCE_LENGTH))
        o->foreign++;
    else if (memcmp(sum, o->sent->sum, sizeof o->sent->sum - 1))
        o->changed++;
    else
        o->events++;
}

static void end_found(void *context, const char *value) {
    (void)value;
    observation *o = context;
    o->end_mark = true;
}

void observe_start(observation *o, const outbound *sent) {
    *o = (observation){.sent = sent};
}

void observe(void *context, const char *bytes, size_t count) {
    static const mark_kind nonce = {
        .mark = "\"nonce\":\"", .value_length = 2 * NONCE_LENGTH + sizeof SEPARATOR - 1, .found = nonce_found};
    static const mark_kind end = {.mark = "data: [DONE]", .found = end_found};
    observation *o = context;
    marks_read(&o->nonces, &nonce, bytes, count, o);
    marks_read(&o->ends, &end, bytes, count, o);
}

static fault judge_cut(const request_kind *kind, const response *r, const observation *o) {
    bool whole = kind->events ? o->end_mark : r->state == RESPONSE_COMPLETE && r->status == 200;
    return whole ? CUT_LOOKS_COMPLETE : AS_EXPECTED;
}

static fault judge_whole(const request_kind *kind, const response *r, const observation *o) {
    if (r->status != 200)
        return WRONG_STATUS;
    if (r->state != RESPONSE_COMPLETE || (kind->events && !o->end_mark))
        return INCOMPLETE;
    return o->events == (kind->events ? kind->events : 1) ? AS_EXPECTED : EVENTS_MISSING;
}

fault judge(const request_kind *kind, const response *r, const observation *o) {
    if (o->foreign)
        return FOREIGN_NONCE;
    if (o->changed)
        return BODY_CHANGED;
    switch (kind->ending) {
    case ENDS_WHOLE: return judge_whole(kind, r, o);
    case ENDS_CUT: return judge_cut(kind, r, o);
    case ENDS_LEFT_ANSWER: return r->status == 200 ? AS_EXPECTED : WRONG_STATUS;
    case ENDS_LEFT_REQUEST: break;
    }
    return AS_EXPECTED;
}

bool fits_outage(fault found, const response *r) {
    bool blames_upstream = r->state == RESPONSE_COMPLETE && (r->status == 502 || r->status == 503);
    return (found == WRONG_STATUS && blames_upstream) || (found == INCOMPLETE && r->status == 200);
}
