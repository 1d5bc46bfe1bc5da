// glibc declares these for programs that ask for its extensions, which the Swift module of it does not.
#define _GNU_SOURCE
#include "csidecar.h"
#include <sched.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

const char *sidecar_commit(void) { return SIDECAR_COMMIT; }

int sidecar_allowed_processors(void) {
    cpu_set_t mask;
    return sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 0;
}

void sidecar_tune_allocator(int arenas) {
#ifdef __GLIBC__
    // Large bodies go back to the system when they are done with; among smaller ones they would leave holes.
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    mallopt(M_ARENA_MAX, arenas);
#else
    (void)arenas;
#endif
}

void sidecar_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
