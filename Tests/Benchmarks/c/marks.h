// Finds a mark and the value of fixed length behind it in a stream of bytes, however the stream is cut.
#pragma once
#include <stddef.h>

// Upper bound of a mark and its value together.
#define MARK_BYTES 96

typedef struct {
    const char *mark;
    size_t value_length;
    // `value` is valid during the call and not terminated.
    void (*found)(void *context, const char *value);
} mark_kind;

// What the last bytes may have begun; all zero at the start of a stream.
typedef struct {
    size_t carried;
    char carry[MARK_BYTES];
} mark_reader;

void marks_read(mark_reader *reader, const mark_kind *kind, const char *bytes, size_t count, void *context);
