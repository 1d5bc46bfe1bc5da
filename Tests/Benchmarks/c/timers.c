#include "timers.h"

#include <stdlib.h>

static void put(timers *all, size_t at, timer *t) {
    all->heap[at] = t;
    t->place = at + 1;
}

static void rise(timers *all, size_t at, timer *t) {
    while (at > 0 && all->heap[(at - 1) / 2]->due > t->due) {
        put(all, at, all->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(all, at, t);
}

static void sink(timers *all, size_t at, timer *t) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < all->count && all->heap[child + 1]->due < all->heap[child]->due)
            child++;
        if (child >= all->count || all->heap[child]->due >= t->due)
            break;
        put(all, at, all->heap[child]);
        at = child;
    }
    put(all, at, t);
}

void timers_arm(timers *all, timer *t, uint64_t due_ns) {
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? all->capacity * 2 : 64;
        all->heap = realloc(all->heap, all->capacity * sizeof *all->heap);
        if (!all->heap)
            abort();
    }
    t->due = due_ns;
    rise(all, all->count++, t);
}

void timers_cancel(timers *all, timer *t) {
    if (!t->place)
        return;
    size_t hole = t->place - 1;
    t->place = 0;
    timer *last = all->heap[--all->count];
    if (last == t)
        return;
    if (hole > 0 && all->heap[(hole - 1) / 2]->due > last->due)
        rise(all, hole, last);
    else
        sink(all, hole, last);
}

timer *timers_pop_due(timers *all, uint64_t now) {
    if (!all->count || all->heap[0]->due > now)
        return NULL;
    timer *first = all->heap[0];
    timers_cancel(all, first);
    return first;
}

uint64_t timers_wait_ns(const timers *all, uint64_t now, uint64_t limit) {
    if (!all->count)
        return limit;
    uint64_t due = all->heap[0]->due;
    uint64_t wait = due > now ? due - now : 0;
    return wait < limit ? wait : limit;
}
