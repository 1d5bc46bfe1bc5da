#define _GNU_SOURCE
#include "head.h"

#include <string.h>
#include <strings.h>

size_t head_collect(char *head, size_t capacity, size_t *length, const char *bytes, size_t count, int *complete) {
    size_t room = capacity - 1 - *length;
    size_t taken = count < room ? count : room;
    memcpy(head + *length, bytes, taken);

    // The empty line may have begun in an earlier read.
    size_t from = *length > 3 ? *length - 3 : 0;
    char *end = memmem(head + from, *length + taken - from, "\r\n\r\n", 4);
    *complete = end != NULL;
    if (end)
        taken = (size_t)(end + 4 - head) - *length;
    *length += taken;
    head[*length] = 0;
    return taken;
}

const char *head_field(const char *head, const char *field) {
    const char *found = strcasestr(head, field);
    if (!found)
        return NULL;
    found += strlen(field);
    while (*found == ' ' || *found == '\t')
        found++;
    return found;
}

int head_field_begins(const char *head, const char *field, const char *value) {
    const char *found = head_field(head, field);
    return found && !strncasecmp(found, value, strlen(value));
}
