#ifndef VOCABULARY_DATA_H
#define VOCABULARY_DATA_H

// The files of data/, carried in the read-only section of the binary, so that the kernel pages in what is used.
// Each is aligned to a cache line; scripts/vocabulary_file.py and scripts/unicode_tables.py describe the layouts.
//
// Swift imports functions, not arrays of unknown size.
#define SIDECAR_DATA(name) \
    extern const unsigned char sidecar_##name[]; \
    static inline const void *sidecar_##name##_start(void) { return sidecar_##name; }

SIDECAR_DATA(vocabulary_o200k_base)
SIDECAR_DATA(vocabulary_llama3)
SIDECAR_DATA(vocabulary_p50k_base)
SIDECAR_DATA(vocabulary_qwen2)
SIDECAR_DATA(vocabulary_gemma)
SIDECAR_DATA(vocabulary_claude_legacy)
SIDECAR_DATA(gemma_joints)
SIDECAR_DATA(unicode_classes)
SIDECAR_DATA(normalization)

#undef SIDECAR_DATA

#endif
