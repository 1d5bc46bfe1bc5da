#ifndef VOCABULARY_DATA_H
#define VOCABULARY_DATA_H

// The files of data/, carried in the read-only section of the binary, so that the kernel pages in what is used.
// Each is aligned to a cache line; scripts/vocabulary.py describes the layouts.

extern const unsigned char sidecar_vocabulary_o200k_base[];
extern const unsigned char sidecar_vocabulary_cl100k_base[];
extern const unsigned char sidecar_unicode_classes[];

// Swift imports functions, not arrays of unknown size.

static inline const void *sidecar_vocabulary_o200k_base_start(void) { return sidecar_vocabulary_o200k_base; }
static inline const void *sidecar_vocabulary_cl100k_base_start(void) { return sidecar_vocabulary_cl100k_base; }
static inline const void *sidecar_unicode_classes_start(void) { return sidecar_unicode_classes; }

#endif
