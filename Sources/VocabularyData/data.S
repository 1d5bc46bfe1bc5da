// Symbol names as C sees them: ELF adds nothing, Mach-O an underscore.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
.section __TEXT,__const
#else
#define SYMBOL(name) name
.section .rodata
#endif

.macro carry symbol, file
.globl \symbol
.balign 64
\symbol:
.incbin "\file"
.endm

carry SYMBOL(sidecar_vocabulary_o200k_base), o200k_base.bin
carry SYMBOL(sidecar_vocabulary_llama3), llama3.bin
carry SYMBOL(sidecar_vocabulary_p50k_base), p50k_base.bin
carry SYMBOL(sidecar_vocabulary_qwen2), qwen2.bin
carry SYMBOL(sidecar_vocabulary_gemma), gemma.bin
carry SYMBOL(sidecar_vocabulary_claude_legacy), claude_legacy.bin
carry SYMBOL(sidecar_gemma_joints), gemma_joints.bin
carry SYMBOL(sidecar_unicode_classes), unicode_classes.bin
carry SYMBOL(sidecar_normalization), normalization.bin

#if defined(__ELF__)
.section .note.GNU-stack,"",%progbits
#endif
