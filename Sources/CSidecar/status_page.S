// The parts of the status page, in the read-only section of the binary, each ended by a zero.
//
// A compiler notes the files that it asks for with __has_include as what an object is made of, those of .incbin it
// does not: without this a changed page would not be built anew.
#if !__has_include("status.html") || !__has_include("status.css") || !__has_include("status.js")
#error "page/ is incomplete"
#endif

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
\symbol:
.incbin "\file"
.byte 0
.endm

carry SYMBOL(sidecar_status_page_html), status.html
carry SYMBOL(sidecar_status_page_css), status.css
carry SYMBOL(sidecar_status_page_js), status.js

#if defined(__ELF__)
.section .note.GNU-stack,"",%progbits
#endif
