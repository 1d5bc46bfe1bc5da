#define _GNU_SOURCE
#include "outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

#define CHUNK_BYTES 1000

const request_kind kinds[KIND_COUNT] = {
    {.name = "json", .share = 36, .model = "mock", .body_bytes = 500},
    {.name = "json chunked", .share = 5, .model = "mock", .body_bytes = 3000, .chunked = true},
    {.name = "json closed", .share = 3, .model = "close", .body_bytes = 500},
    {.name = "json large", .share = 4, .model = "mock", .body_bytes = 256 * 1024},
    {.name = "json cut", .share = 3, .model = "half", .body_bytes = 500, .ending = ENDS_CUT},
    {.name = "burst", .share = 14, .model = "burstx50", .events = 50, .body_bytes = 500},
    {.name = "burst slow", .share = 2, .model = "burstx5000", .events = 5000, .body_bytes = 500, .slow = true},
    {.name = "paced", .share = 13, .model = "paced-20x15", .events = 15, .body_bytes = 500},
    {.name = "paced large", .share = 1, .model = "paced-20x15", .events = 15, .body_bytes = 256 * 1024},
    {.name = "burst cut", .share = 3, .model = "cut-0x20", .events = 20, .body_bytes = 500, .ending = ENDS_CUT},
    {.name = "paced cut", .share = 4, .model = "cut-20x8", .events = 8, .body_bytes = 500, .ending = ENDS_CUT},
    {.name = "left answer", .share = 7, .model = "paced-20x100", .events = 100, .body_bytes = 500,
     .ending = ENDS_LEFT_ANSWER},
    {.name = "left request", .share = 5, .model = "mock", .body_bytes = 20000, .ending = ENDS_LEFT_REQUEST},
};

int kind_of(uint64_t number) {
    int place = (int)(number * 37 % 100); // 37 and 100 have no common divisor, so each place comes once in a hundred
    int kind = 0;
    while (place >= kinds[kind].share)
        place -= kinds[kind++].share;
    return kind;
}

// One-to-one (SplitMix64's finaliser), so that no two requests have the same value.
static uint64_t mixed(uint64_t number) {
    number += 0x9e3779b97f4a7c15ull;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ull;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebull;
    return number ^ (number >> 31);
}

// A body whose text is the nonce over and over, so that bytes of another request change the checksum.
static char *body_for(const request_kind *kind, const char *nonce, uint64_t random, size_t *length) {
    size_t text_bytes = kind->body_bytes + random % (3 * kind->body_bytes);
    char *body = malloc(text_bytes + 256);
    if (!body)
        abort();
    char *at = body + sprintf(body,
                              "{\"model\":\"%s\",\"stream\":%s,\"user\":\"nonce-%s\",\"messages\":[{\"role\":\"user\","
                              "\"content\":\"",
                              kind->model, kind->events ? "true" : "false", nonce);
    for (size_t written = 0; written < text_bytes; written += NONCE_LENGTH)
        at = stpcpy(at, nonce);
    at = stpcpy(at, "\"}]}");
    *length = (size_t)(at - body);
    return body;
}

static char *write_chunked(char *at, const char *body, size_t length) {
    for (size_t from = 0; from < length; from += CHUNK_BYTES) {
        size_t size = length - from < CHUNK_BYTES ? length - from : CHUNK_BYTES;
        at += sprintf(at, "%zx\r\n", size);
        at = mempcpy(at, body + from, size);
        at = stpcpy(at, "\r\n");
    }
    return stpcpy(at, "0\r\n\r\n");
}

outbound outbound_for(const request_kind *kind, uint64_t number, int port) {
    outbound made;
    uint64_t random = mixed(number);
    sprintf(made.nonce, "%016llx", (unsigned long long)random);
    size_t length;
    char *body = body_for(kind, made.nonce, random, &length);
    sprintf(made.sum, "%016llx", (unsigned long long)sum_add(SUM_START, body, length));

    made.bytes = malloc(length + (length / CHUNK_BYTES + 1) * 16 + 512);
    if (!made.bytes)
        abort();
    char framing[48] = "Transfer-Encoding: chunked";
    if (!kind->chunked)
        snprintf(framing, sizeof framing, "Content-Length: %zu", length);
    made.head_length = (size_t)sprintf(made.bytes,
                                       "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                                       "Authorization: Bearer sk-endurance\r\nContent-Type: application/json\r\n"
                                       "x-nonce: %s\r\n%s\r\n\r\n",
                                       port, made.nonce, framing);
    char *at = made.bytes + made.head_length;
    at = kind->chunked ? write_chunked(at, body, length) : mempcpy(at, body, length);
    made.length = (size_t)(at - made.bytes);
    free(body);
    return made;
}
