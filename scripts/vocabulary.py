#!/usr/bin/env python3
"""Makes the files of Sources/VocabularyData/data: vocabularies and the Unicode class table.

    python3 -m venv .venv && .venv/bin/pip install unicodedata2==16.0.0
    .venv/bin/python scripts/vocabulary.py            # writes the files
    .venv/bin/python scripts/vocabulary.py --check    # fails when a committed file differs

The same to the byte every time. The vocabularies are taken from the PyPI package litellm, whose wheel pip downloads
unless --wheel names one. Every file is pinned by its SHA-256. Unicode 16 is pinned too, because tiktoken 0.14 behaves
as that version.

A vocabulary is used where it lies in the binary, never parsed. All numbers are little-endian; offsets count from the
start of the file:

    header   16 x u32: magic, tokens, longest token in bytes, then bucket and slot counts and section offsets (below)
    short    perfect hash of the tokens of up to 8 bytes: seeds (u16 a bucket), keys (u64 a slot), values (u32 a slot:
             length in the top 8 bits, rank below; 0 is an empty slot)
    long     perfect hash of the others: seeds (u16 a bucket), slots (u32 fingerprint, u32 rank; rank ~0 is empty)
    pairs    u32 for any two bytes, the first one times 256 plus the second: the rank, ~0 if they are no token; merging
             starts with these
    ends     u32 a rank, with a leading 0: where the bytes of each token end
    bytes    all tokens in the order of their ranks

Hash and displace: a key's bucket gives a seed, and key and seed give the one slot where the key can be.
"""

import argparse
import base64
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "litellm==1.106.2"
FOLDER = "litellm/litellm_core_utils/tokenizers/"
TIKTOKEN_FILES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "VocabularyData" / "data"

MASK = (1 << 64) - 1
SPREAD, MIX, DISPLACE, FOLD = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
MAGIC = int.from_bytes(b"SCV1", "little")
EMPTY_RANK = 0xFFFFFFFF
SHORT = 8
KEYS_A_BUCKET = 4
SLOTS_A_KEY = 1.03


def mixed(value):
    value = value * SPREAD & MASK
    return (value ^ value >> 32) * MIX & MASK


def short_key(token):
    """Up to 8 bytes as one number; what is shorter carries its length in the top byte."""
    key = int.from_bytes(token, "little")
    return key if len(token) == SHORT else key | len(token) << 56


def long_key(token):
    """Folds the whole words from the front, then the last 8 bytes, which may overlap them."""
    key = len(token) * SPREAD & MASK
    for at in range(0, len(token) - SHORT, SHORT):
        key = (key ^ int.from_bytes(token[at : at + SHORT], "little")) * FOLD & MASK
        key ^= key >> 29
    return (key ^ int.from_bytes(token[-SHORT:], "little")) & MASK


def perfect_hash(keys):
    """A seed for every bucket and, by slot, the index of the key that lies there (or None)."""
    buckets, slots = max(1, len(keys) // KEYS_A_BUCKET), max(1, int(len(keys) * SLOTS_A_KEY))
    members = [[] for _ in range(buckets)]
    for index, key in enumerate(keys):
        hashed = mixed(key)
        members[(hashed >> 32) * buckets >> 32].append((hashed, index))
    seeds, places = [0] * buckets, [None] * slots
    for bucket in sorted(range(buckets), key=lambda b: (-len(members[b]), b)):
        for seed in range(1 << 16):
            shift = seed * FOLD & MASK
            chosen = [((h ^ shift) * DISPLACE & MASK) * slots >> 64 for h, _ in members[bucket]]
            if len(set(chosen)) == len(chosen) and all(places[slot] is None for slot in chosen):
                break
        else:
            sys.exit("no seed places a bucket: raise SLOTS_A_KEY")
        seeds[bucket] = seed
        for slot, (_, index) in zip(chosen, members[bucket]):
            places[slot] = index
    return seeds, places


def check_merges(ranks):
    """Refuses a vocabulary with a token that merging its own bytes does not give, or by way of higher ranks only."""
    for token, rank in ranks.items():
        parts = [token[i : i + 1] for i in range(len(token))]
        while len(parts) > 2:
            pairs = [ranks.get(a + b, rank) for a, b in zip(parts, parts[1:])]
            lowest = min(pairs)
            if lowest >= rank:
                sys.exit(f"rank {rank} cannot be reached by merging")
            at = pairs.index(lowest)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]


def vocabulary(tokens):
    """The file of one vocabulary; tokens in the order of their ranks."""
    short = [(rank, token) for rank, token in enumerate(tokens) if 0 < len(token) <= SHORT]
    long = [(rank, token) for rank, token in enumerate(tokens) if len(token) > SHORT]
    short_seeds, short_places = perfect_hash([short_key(token) for _, token in short])
    long_seeds, long_places = perfect_hash([long_key(token) for _, token in long])
    keys = [0 if at is None else short_key(short[at][1]) for at in short_places]
    values = [0 if at is None else short[at][0] | len(short[at][1]) << 24 for at in short_places]
    slots = []
    for at in long_places:
        slots += [0, EMPTY_RANK] if at is None else [mixed(long_key(long[at][1])) & 0xFFFFFFFF, long[at][0]]
    pairs, ends = [EMPTY_RANK] * 65536, [0]
    for rank, token in enumerate(tokens):
        ends.append(ends[-1] + len(token))
        if len(token) == 2:
            pairs[token[0] << 8 | token[1]] = rank

    body, offsets = bytearray(64), []
    short_sections = ("H", short_seeds), ("Q", keys), ("I", values)
    for form, numbers in (*short_sections, ("H", long_seeds), ("I", slots), ("I", pairs), ("I", ends)):
        body.extend(bytes(-len(body) % 64))
        offsets.append(len(body))
        body += struct.pack(f"<{len(numbers)}{form}", *numbers)
    offsets.append(len(body))
    body += b"".join(tokens)
    counts = [len(short_seeds), len(short_places), len(long_seeds), len(long_places)]
    head = [MAGIC, len(tokens), max(map(len, tokens)), *counts, *offsets, len(body)]
    body[:64] = struct.pack(f"<{len(head)}I", *head).ljust(64, b"\0")
    return bytes(body)


def tiktoken_tokens(data):
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}
    tokens = sorted(ranks, key=ranks.get)
    if [ranks[token] for token in tokens] != list(range(len(tokens))):
        sys.exit("ranks have holes")
    if any(bytes([byte]) not in ranks for byte in range(256)):
        sys.exit("a byte has no token")
    check_merges(ranks)
    return tokens


OTHER, SPACE, NEWLINE, UPPER, LOWER, LETTER, MARK, NUMBER, MULTIBYTE = range(9)
# White_Space of PropList.txt, which is what \s means to the patterns; CR and LF stand apart.
SPACES = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
CATEGORIES = {"Lu": UPPER, "Lt": UPPER, "Ll": LOWER, "Lm": LETTER, "Lo": LETTER}


def scalar_class(database, code):
    if code in (0x0A, 0x0D):
        return NEWLINE
    if code in SPACES:
        return SPACE
    category = database.category(chr(code))
    return CATEGORIES.get(category, {"M": MARK, "N": NUMBER}.get(category[0], OTHER))


def unicode_classes():
    """256 classes by first byte, then u8 a block of 128 scalars, then the distinct blocks in order of appearance."""
    import unicodedata2

    if unicodedata2.unidata_version != "16.0.0":
        sys.exit(f"Unicode {unicodedata2.unidata_version} is not 16.0.0")
    blocks, index = {}, bytearray()
    for start in range(0, 0x110000, 128):
        block = bytes(scalar_class(unicodedata2, code) for code in range(start, start + 128))
        index.append(blocks.setdefault(block, len(blocks)))
    return next(iter(blocks)) + bytes([MULTIBYTE]) * 128 + bytes(index) + b"".join(blocks)


def wheel(given, scratch):
    """The path of the wheel: the given one, else one that pip downloads into a scratch folder."""
    if given:
        return given
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, PACKAGE], check=True)
    return next(pathlib.Path(scratch).glob("litellm-*.whl"))


def pinned_files(path):
    with zipfile.ZipFile(path) as archive:
        for name, (member, digest) in TIKTOKEN_FILES.items():
            data = archive.read(FOLDER + member)
            if hashlib.sha256(data).hexdigest() != digest:
                sys.exit(f"{member} is not the {name} vocabulary expected")
            yield name, data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", help=f"a wheel of {PACKAGE}; without it pip downloads one")
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        files = pinned_files(wheel(options.wheel, scratch))
        made = {name + ".bin": vocabulary(tiktoken_tokens(data)) for name, data in files}
    made["unicode_classes.bin"] = unicode_classes()
    for name, data in made.items():
        path = OUTPUT / name
        if options.check and (not path.exists() or path.read_bytes() != data):
            sys.exit(f"{name} differs from what its sources give")
        if not options.check:
            path.write_bytes(data)
        print(name, len(data), hashlib.sha256(data).hexdigest())
    if not options.check:
        # A build looks at this file's time only, not at those of the files that it includes.
        (OUTPUT.parent / "data.S").touch()


if __name__ == "__main__":
    main()
