// Counts a program's allocations in the file that ALLOCATION_COUNTS names: their number and their bytes, as two numbers
// of eight bytes, little-endian.
//
// Preloaded by test_allocations.py. glibc's allocator is called under its own names, so that nothing has to be looked
// up while the program is being loaded.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

typedef struct {
    _Atomic uint64_t count, bytes;
} totals;

static totals unused;
static totals *_Atomic kept = &unused;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ALLOCATION_COUNTS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof(totals)) == 0) {
        void *shared = mmap(NULL, sizeof(totals), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) atomic_store(&kept, shared);
    }
    close(file);
}

static void *counted(void *memory, size_t size) {
    totals *totals = atomic_load_explicit(&kept, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&totals->bytes, size, memory_order_relaxed);
    return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size), size); }
void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size), count * size); }
void *realloc(void *memory, size_t size) { return counted(__libc_realloc(memory, size), size); }
void *memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size), size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
