// Symbol names as C sees them: ELF adds nothing, Mach-O an underscore.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
.section __TEXT,__const
#else
#define SYMBOL(name) name
.section .rodata
#endif

.globl SYMBOL(sidecar_vocabulary_o200k_base)
.balign 64
SYMBOL(sidecar_vocabulary_o200k_base):
.incbin "o200k_base.bin"

.globl SYMBOL(sidecar_vocabulary_cl100k_base)
.balign 64
SYMBOL(sidecar_vocabulary_cl100k_base):
.incbin "cl100k_base.bin"

.globl SYMBOL(sidecar_unicode_classes)
.balign 64
SYMBOL(sidecar_unicode_classes):
.incbin "unicode_classes.bin"

#if defined(__ELF__)
.section .note.GNU-stack,"",%progbits
#endif
