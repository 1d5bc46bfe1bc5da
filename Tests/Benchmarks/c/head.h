// Reading the fields of a message head.
#pragma once
#include <stddef.h>

// Collects bytes into `head` until the empty line; keeps it terminated by NUL.
//
// Returns how many of the bytes belonged to the head. `*complete` says whether the empty line was seen; a head that
// does not fit ends with `*length` at `capacity - 1` and `*complete` 0.
size_t head_collect(char *head, size_t capacity, size_t *length, const char *bytes, size_t count, int *complete);

// The value of a field, given as "\r\nname:", or NULL. `head` is terminated by NUL.
const char *head_field(const char *head, const char *field);

// Whether a field is there and its value begins with `value`, in any case.
int head_field_begins(const char *head, const char *field, const char *value);
