#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

void samples_add(samples *s, double value) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 1 << 16;
        s->values = realloc(s->values, s->capacity * sizeof *s->values);
        if (!s->values)
            abort();
    }
    s->values[s->count++] = (float)value;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(const samples *s, double share) {
    if (!s->count)
        return 0;
    size_t at = (size_t)(share * (double)s->count);
    return s->values[at < s->count ? at : s->count - 1];
}

void samples_print(samples *s) {
    if (s->count)
        qsort(s->values, s->count, sizeof *s->values, ascending);
    printf("{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", percentile(s, .5), percentile(s, .9),
           percentile(s, .99), percentile(s, .999), percentile(s, 1));
}
