// A checksum (FNV-1a, 64 bit) that tells whether a body arrived as it was sent.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SUM_START 0xcbf29ce484222325ull

static inline uint64_t sum_add(uint64_t sum, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3ull;
    return sum;
}
