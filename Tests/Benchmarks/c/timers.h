// Timers of one thread: a heap ordered by due time.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Embedded in what is to be woken. `place` is its position in the heap plus one; 0 means not armed.
typedef struct timer {
    uint64_t due;
    size_t place;
    void *owner;
} timer;

typedef struct {
    timer **heap;
    size_t count, capacity;
} timers;

// Arms a timer that is not armed.
void timers_arm(timers *all, timer *t, uint64_t due_ns);

// Disarms; does nothing when it is not armed.
void timers_cancel(timers *all, timer *t);

// Disarms and returns the earliest timer that is due, or NULL.
timer *timers_pop_due(timers *all, uint64_t now);

// Nanoseconds until the earliest timer is due, at most `limit`.
uint64_t timers_wait_ns(const timers *all, uint64_t now, uint64_t limit);
