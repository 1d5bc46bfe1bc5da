// A growing list of measured values and its percentiles.
#pragma once
#include <stddef.h>

typedef struct {
    float *values;
    size_t count, capacity;
} samples;

void samples_add(samples *s, double value);

// Writes {"p50":…,"p90":…,"p99":…,"p999":…,"max":…}, zeros when there are none. Sorts the values.
void samples_print(samples *s);
