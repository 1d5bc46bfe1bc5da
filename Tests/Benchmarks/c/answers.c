#define _GNU_SOURCE
#include "answers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Upper bound of a member with an image's address.
#define IMAGE_BYTES 1024

const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                           "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
const char stream_end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

static const char json_format[] =
    "{\"id\":\"chatcmpl-9x7abcdefghijklmnop\","
    "\"object\":\"chat.completion\",\"created\":1700000000,%s%s\"model\":\"mock\","
    "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
    "\"content\":\"The quick brown fox jumps over the lazy dog. "
    "Pack my box with five dozen liquor jugs. "
    "How vexingly quick daft zebras jump! Sphinx of black quartz, judge my vow. "
    "The five boxing wizards jump quickly. Jackdaws love my big sphinx of quartz.\","
    "\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":512,\"completion_tokens\":64,\"total_tokens\":576},"
    "\"system_fingerprint\":\"fp_0123456789\"}";

// Where a member's value begins, or NULL. LiteLLM writes JSON anew, so white space and order vary.
static const char *value_of(const request *r, const char *member) {
    const char *windows[] = {r->first, r->last};
    for (int i = 0; i < 2; i++) {
        const char *found = strstr(windows[i], member);
        if (found)
            return found + strlen(member) + strspn(found + strlen(member), " :\"");
    }
    return NULL;
}

static bool begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

static void read_pace(script *s, const char *name) {
    size_t word = strcspn(name, "-x\"");
    if (name[word] == '-')
        s->period_ms = strtoull(name + word + 1, NULL, 10);
    const char *times = name + word + (name[word] == '-');
    times += strspn(times, "0123456789");
    if (*times == 'x' && isdigit((unsigned char)times[1]))
        s->events = atoi(times + 1);
}

script script_of(const request *r) {
    script s = {.shape = ANSWER_JSON, .events = DEFAULT_EVENTS, .close = r->close};
    const char *stream = value_of(r, "\"stream\"");
    const char *model = value_of(r, "\"model\"");
    if (stream && begins(stream, "true"))
        s.shape = ANSWER_STREAM;
    if (!model)
        return s;
    if (begins(model, "paced-") || begins(model, "cut-") || begins(model, "burstx"))
        read_pace(&s, model);
    s.cut = begins(model, "cut-") || begins(model, "half");
    s.shows_image = begins(model, "picture");
    s.close |= s.cut || begins(model, "close");
    return s;
}

bool nonces_agree(const request *r) {
    const char *found = r->nonce[0] ? memmem(r->first, r->first_length, "nonce-", 6) : NULL;
    return !r->nonce[0] || (found && !strncmp(found + 6, r->nonce, NONCE_LENGTH));
}

// The members that let a client recognise its own answer; empty without a nonce.
static void write_marks(char out[96], const request *r) {
    out[0] = 0;
    if (r && r->nonce[0])
        sprintf(out, "\"nonce\":\"%s\",\"sum\":\"%016llx\",", r->nonce, (unsigned long long)r->sum);
}

int answer_event(char *out, const request *r, const script *s, int index, uint64_t stamp_ns) {
    char marks[96], event[EVENT_BYTES - 16];
    write_marks(marks, r);
    bool last = index == s->events - 1 && !s->cut;
    int length = snprintf(event, sizeof event,
                          "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                          "\"ts\":%020llu,%s\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                          "\"tok%03d \"},\"finish_reason\":%s}]}\n\n",
                          (unsigned long long)(stamp_ns + STAMP_BASE), marks, index, last ? "\"stop\"" : "null");
    return sprintf(out, "%x\r\n%s\r\n", length, event);
}

char *answer_burst(const request *r, const script *s, size_t *length) {
    char *out = malloc(sizeof stream_head + sizeof stream_end + (size_t)s->events * EVENT_BYTES);
    if (!out)
        abort();
    char *at = stpcpy(out, stream_head);
    for (int i = 0; i < s->events; i++)
        at += answer_event(at, r, s, i, 0);
    if (!s->cut)
        at = stpcpy(at, stream_end);
    *length = (size_t)(at - out);
    return out;
}

// What stands as "url" at the beginning of the body, as it was received; of a longer value its first bytes.
static void write_image(char out[IMAGE_BYTES], const request *r) {
    const char *value = value_of(r, "\"url\"");
    size_t length = value ? strcspn(value, "\"") : 0;
    bool whole = length && value[length] == '"' && length < IMAGE_BYTES - 16;
    sprintf(out, "\"image\":\"%.*s\",", (int)(whole ? length : length < 32 ? length : 32), value ? value : "");
}

char *answer_json(const request *r, const script *s, size_t *length) {
    char marks[96], image[IMAGE_BYTES] = "", body[1400 + IMAGE_BYTES];
    write_marks(marks, r);
    if (s->shows_image)
        write_image(image, r);
    int size = snprintf(body, sizeof body, json_format, marks, image);
    char *out = NULL;
    int whole = asprintf(&out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
                         s->close ? "Connection: close\r\n" : "", size, body);
    if (whole < 0)
        abort();
    *length = (size_t)(s->cut ? whole - size / 2 : whole);
    return out;
}
