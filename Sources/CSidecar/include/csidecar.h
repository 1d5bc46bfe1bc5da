#pragma once

#include "descriptors.h"

/// The commit that was built; `unknown` outside a checkout.
const char *sidecar_commit(void);

/// How many processors the affinity mask of this process allows; 0 when it cannot be read.
int sidecar_allowed_processors(void);

/// Tunes the allocator for bodies of megabytes that come and go: glibc's defaults map and unmap each of them.
///
/// - `arenas`: how many heaps threads may use.
void sidecar_tune_allocator(int arenas);

/// Gives free memory back to the system.
void sidecar_trim_memory(void);

/// Unmaps the pages of the program's code and constants that starting has touched and serving does not.
///
/// They stay in the system's cache: what is needed again is mapped again at the first use.
void sidecar_release_startup_pages(void);

// The files of page/, which status_page.S puts into the binary. Swift imports functions, not arrays of unknown size.
#define SIDECAR_PAGE(name)                                                                                             \
    extern const char sidecar_status_page_##name[];                                                                    \
    static inline const char *sidecar_status_page_##name##_text(void) { return sidecar_status_page_##name; }

SIDECAR_PAGE(html)
SIDECAR_PAGE(css)
SIDECAR_PAGE(js)

#undef SIDECAR_PAGE
