"""The Unicode tables of Sources/VocabularyData/data; vocabulary.py writes them.

The classes of scalars are those of Unicode 16, because tiktoken 0.14 behaves as that version. The normalization tables
are asked of the library that defines the encodings which normalize, Hugging Face's tokenizers: it knows the scalars of
Unicode 9 and takes later ones as they are.

`unicode_classes.bin`: 256 classes by first byte, then u8 a block of 128 scalars, then the distinct blocks in order of
appearance.

`normalization.bin`, little-endian:

    header       8 x u32: canonical decompositions, compatible ones, compositions, offsets of the five sections
    properties   u8 a block of 128 scalars, then the distinct blocks: in the low 6 bits the place of the combining class
                 among all classes, in their order; bit 6 if the scalar may change in NFC, bit 7 in NFKC
    canonical    full decompositions by scalar: u32 scalar, u32 offset in the scalars (u24) and length (u8)
    compatible   the same for scalars whose compatible decomposition is another
    compositions by the pair: u32 first, u32 second, u32 composed
    scalars      u32 each, of all decompositions

Hangul syllables are not in the lists; they follow from their numbers (Unicode 16, section 3.12).
"""

import struct
import sys

OTHER, SPACE, NEWLINE, UPPER, LOWER, LETTER, MARK, NUMBER, MULTIBYTE = range(9)
# White_Space of PropList.txt, which is what \s means to the patterns; CR and LF stand apart.
SPACES = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
CATEGORIES = {"Lu": UPPER, "Lt": UPPER, "Ll": LOWER, "Lm": LETTER, "Lo": LETTER}
# Hangul: syllables, and the letters in them that join what is before them.
SYLLABLES, VOWELS, TAILS = range(0xAC00, 0xD7A4), range(0x1161, 0x1176), range(0x11A8, 0x11C3)


def scalar_class(database, code):
    if code in (0x0A, 0x0D):
        return NEWLINE
    if code in SPACES:
        return SPACE
    category = database.category(chr(code))
    return CATEGORIES.get(category, {"M": MARK, "N": NUMBER}.get(category[0], OTHER))


def by_block(value):
    """The number of the block for each 128 scalars, and the distinct blocks in order of appearance."""
    blocks, index = {}, bytearray()
    for start in range(0, 0x110000, 128):
        block = bytes(value(code) for code in range(start, start + 128))
        index.append(blocks.setdefault(block, len(blocks)))
    return bytes(index), list(blocks)


def unicode_classes(database):
    index, blocks = by_block(lambda code: scalar_class(database, code))
    return blocks[0] + bytes([MULTIBYTE]) * 128 + index + b"".join(blocks)


def combining_class(database, nfd, letter):
    """The class by which the library orders marks; 0 for marks that it does not know."""
    known = database.combining(letter)
    if not known:
        return 0
    # A mark of another class moves past it, in one order or the other, only if it has a class.
    before, after = "\u0334" if known != 1 else "\u0335\u093c", "\u0345"
    return known if nfd(letter + before[-1]) != letter + before[-1] or nfd(after + letter) != after + letter else 0


def normalization(database, forms):
    nfc, nfd, nfkc, nfkd = forms
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    canonical = {a: nfd(a) for a in letters if ord(a) not in SYLLABLES and nfd(a) != a}
    compatible = {a: nfkd(a) for a in letters if ord(a) not in SYLLABLES and nfkd(a) not in (a, canonical.get(a))}
    composed = {}
    for letter in letters:
        fields = database.decomposition(letter).split()
        if len(fields) == 2 and not fields[0].startswith("<"):
            pair = "".join(chr(int(field, 16)) for field in fields)
            if nfc(pair) == letter:
                composed[pair] = letter
    classes = {a: combining_class(database, nfd, a) for a in letters}
    order = sorted(set(classes.values()))
    if len(order) > 64:
        sys.exit("too many combining classes")
    joins_back = {pair[1] for pair in composed} | {chr(code) for block in (VOWELS, TAILS) for code in block}

    def properties(code):
        letter = chr(code)
        if 0xD800 <= code < 0xE000:
            return 0
        moves = classes[letter] > 0 or letter in joins_back
        changes = [moves or form(letter) != letter for form in (nfc, nfkc)]
        return order.index(classes[letter]) | changes[0] << 6 | changes[1] << 7

    index, blocks = by_block(properties)
    scalars, lists = [], []
    for decompositions in canonical, compatible:
        rows = []
        for letter, parts in sorted(decompositions.items()):
            rows += [ord(letter), len(scalars) << 8 | len(parts)]
            scalars += map(ord, parts)
        lists.append(rows)
    pairs = [ord(part) for pair, letter in sorted(composed.items()) for part in (*pair, letter)]
    sections = [index + b"".join(blocks)]
    sections += [struct.pack(f"<{len(numbers)}I", *numbers) for numbers in (*lists, pairs, scalars)]
    body, starts = bytearray(64), []
    for section in sections:
        body.extend(bytes(-len(body) % 64))
        starts.append(len(body))
        body += section
    body[:64] = struct.pack("<8I", len(canonical), len(compatible), len(composed), *starts).ljust(64, b"\0")
    return bytes(body)


def files():
    """Both tables by the names of their files."""
    import tokenizers
    import unicodedata2

    if unicodedata2.unidata_version != "16.0.0" or tokenizers.__version__ != "0.23.3":
        sys.exit("needs unicodedata2 16.0.0 and tokenizers 0.23.3")
    forms = [getattr(tokenizers.normalizers, form)().normalize_str for form in ("NFC", "NFD", "NFKC", "NFKD")]
    return {
        "unicode_classes.bin": unicode_classes(unicodedata2),
        "normalization.bin": normalization(unicodedata2, forms),
    }
