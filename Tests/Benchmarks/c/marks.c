#define _GNU_SOURCE
#include "marks.h"

#include <string.h>

void marks_read(mark_reader *reader, const mark_kind *kind, const char *bytes, size_t count, void *context) {
    size_t mark_length = strlen(kind->mark), whole = mark_length + kind->value_length;
    char joined[2048];
    while (count) {
        size_t room = sizeof joined - reader->carried, taken = count < room ? count : room;
        memcpy(joined, reader->carry, reader->carried);
        memcpy(joined + reader->carried, bytes, taken);
        const char *from = joined, *end = joined + reader->carried + taken;
        for (const char *at; (at = memmem(from, (size_t)(end - from), kind->mark, mark_length));) {
            if ((size_t)(end - at) < whole)
                break;
            kind->found(context, at + mark_length);
            from = at + whole;
        }
        reader->carried = (size_t)(end - from) < whole - 1 ? (size_t)(end - from) : whole - 1;
        memcpy(reader->carry, end - reader->carried, reader->carried);
        bytes += taken;
        count -= taken;
    }
}
