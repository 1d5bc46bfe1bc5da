// glibc declares these for programs that ask for its extensions, which the Swift module of it does not.
#define _GNU_SOURCE
#include "csidecar.h"
#include <link.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

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

// The program itself comes first; of its segments only those that nothing ever writes to.
static int release_segments(struct dl_phdr_info *program, size_t size, void *context) {
    (void)size;
    (void)context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &program->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W)) continue;
        uintptr_t start = program->dlpi_addr + segment->p_vaddr;
        uintptr_t first = start & ~(page - 1);
        madvise((void *)first, start + segment->p_memsz - first, MADV_DONTNEED);
    }
    return 1;
}

void sidecar_release_startup_pages(void) { dl_iterate_phdr(release_segments, NULL); }
