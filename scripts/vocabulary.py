#!/usr/bin/env python3
"""Makes the files of Sources/VocabularyData/data: vocabularies and the Unicode tables.

    python3 -m venv .venv && .venv/bin/pip install unicodedata2==16.0.0 tokenizers==0.23.3
    .venv/bin/python scripts/vocabulary.py            # writes the files
    .venv/bin/python scripts/vocabulary.py --check    # fails when a committed file differs

The same to the byte every time. The vocabularies are taken from the wheel of the PyPI package litellm and from the
source archive of llama-cpp-python, which pip downloads unless --wheel and --sdist name them. Every file is pinned by
its SHA-256. `unicode_tables.py` makes the Unicode tables.

A vocabulary is used where it lies in the binary, never parsed. All numbers are little-endian, u24 is a number of three
bytes; offsets count from the start of the file:

    header   16 x u32: magic, tokens, longest token in bytes, then bucket and slot counts and section offsets (below)
    short    perfect hash of the tokens of up to 8 bytes: seeds (u16 a bucket), keys (u64 a slot), values (u24 a slot:
             length in the bits from 18 on, rank below; 0 is an empty slot)
    long     perfect hash of the others: seeds (u16 a bucket), slots (u32: 14 bits of the hash, rank below; an empty
             slot holds the first token of the table)
    pairs    u16 for any two bytes, the first one times 256 plus the second: where in the next list their rank stands
    ranks    u32 a token of two bytes, with a leading ~0 for "no token"; merging starts with these
    places   u24 a rank: the slot of a short token, or with the top bit the offset of a text; ~0 is no token
    texts    the other tokens: length (u8, or 0 and u16), bytes

`gemma_joints.bin` holds a byte for any two neighbours, as `gemma_joints` says.

Hash and displace: a key's bucket gives a seed, and key and seed give the one slot where the key can be.

The hashes hold the tokens that a text can give: all of them where the defining implementation looks whole pieces up,
else those that merging can reach. The others are there to be decoded. A whole piece may then always be looked up first,
and merging by the ranks of what pairs give is merging by a list of pairs: `final_split` says why.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import unicode_tables

PACKAGE, SDIST = "litellm==1.106.2", "llama-cpp-python==0.3.36"
FOLDER = "litellm/litellm_core_utils/tokenizers/"
SDIST_FOLDER = "llama_cpp_python-0.3.36/vendor/llama.cpp/models/"
# Name of the encoding, file in the package, its SHA-256.
TIKTOKEN_FILES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "p50k_base": (
        "ec7223a39ce59f226a68acc30dc1af2788490e15",
        "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    ),
}
JSON_FILES = {
    "claude_legacy": (
        "anthropic_tokenizer.json",
        "c241737df24b4e7f7c9af4fdcee29a0ca903dcb288a8b753bc346a3092911767",
    ),
}
SDIST_FILES = {
    "llama3": (
        "ggml-vocab-llama-bpe.gguf",
        "97272e430d53bc7688f52d5e0ad8ea8f163ede9f1bbd1694feaa504797d5d96e",
    ),
    "qwen2": (
        "ggml-vocab-qwen2.gguf",
        "44c2f46b715f585c6ab513970e8a006bfa5badd6108560054921cf598d154d8c",
    ),
    "gemma": (
        "ggml-vocab-gemma-4.gguf",
        "58b1ba0b57f3b4d7c468ba4ffd91ad85190346a3d7ad7e71d1cabaae8a14bb65",
    ),
}
OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "VocabularyData" / "data"

MASK = (1 << 64) - 1
SPREAD, MIX, DISPLACE, FOLD = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
MAGIC = int.from_bytes(b"SCV2", "little")
NO_RANK, NO_PLACE, TEXT = 0xFFFFFFFF, 0xFFFFFF, 0x800000
RANK_BITS = 18
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


def final_split(units, ranks):
    """The last two parts when a token's own units are merged by the ranks of what they give; None if that fails.

    A token arises in a text only by the merges that make it of its own units: none across its ends came before. So
    what cannot arise alone never arises, and what can always arises from the same two parts, however ties are broken
    and whichever other pairs a list of merges allows.
    """
    parts = list(units)
    while len(parts) > 2:
        pairs = [ranks.get(a + b, NO_RANK) for a, b in zip(parts, parts[1:])]
        lowest = min(pairs)
        if lowest == NO_RANK:
            return None
        at = pairs.index(lowest)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(parts)


def ranks_over_bytes(tokens):
    ranks = {token: rank for rank, token in enumerate(tokens) if token}
    if any(bytes([byte]) not in ranks for byte in range(256)):
        sys.exit("a byte has no token")
    return ranks


def reachable(tokens, merges):
    """The ranks of the tokens that a list of merges gives, each from the one pair that the list has for it."""
    ranks = ranks_over_bytes(tokens)
    given = {left + right: (left, right) for left, right in merges}
    if len(given) != len(merges) or [ranks[token] for token in given] != sorted(ranks[token] for token in given):
        sys.exit("the merges are not one a token and in the order of the tokens")
    found = set()
    for token, rank in ranks.items():
        split = final_split([token[i : i + 1] for i in range(len(token))], ranks)
        if split and len(token) > 1 and split != given.get(token):
            sys.exit(f"rank {rank} is merged from another pair than the listed one")
        if split:
            found.add(rank)
    return found


def u24(numbers):
    return b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0"


def texts(tokens):
    """Texts with their lengths, and the offset of each by rank."""
    body, offsets = bytearray(), {}
    for rank, token in tokens:
        offsets[rank] = len(body)
        body += (bytes([len(token)]) if len(token) < 256 else struct.pack("<BH", 0, len(token))) + token
    if len(body) >= TEXT - 1:
        sys.exit("texts are too long for their offsets")
    return body, offsets


def packed(form, numbers):
    return struct.pack(f"<{len(numbers)}{form}", *numbers)


def short_tables(short):
    """Seeds, keys and values of the tokens of up to 8 bytes, and the slot of each by rank."""
    seeds, slots = perfect_hash([short_key(token) for _, token in short])
    keys = [0 if at is None else short_key(short[at][1]) for at in slots]
    values = [0 if at is None else short[at][0] | len(short[at][1]) << RANK_BITS for at in slots]
    slot_of = {short[at][0]: slot for slot, at in enumerate(slots) if at is not None}
    return [packed("H", seeds), packed("Q", keys), u24(values)], slot_of, (len(seeds), len(slots))


def long_tables(long):
    """Seeds and slots of the other tokens."""
    seeds, slots = perfect_hash([long_key(token) for _, token in long])
    entries = [(mixed(long_key(token)) & 0x3FFF) << RANK_BITS | rank for rank, token in long]
    return [packed("H", seeds), packed("I", [entries[at or 0] for at in slots])], (len(seeds), len(slots))


def pair_tables(short):
    places, ranks = [0] * 65536, [NO_RANK]
    for rank, token in short:
        if len(token) == 2:
            places[token[0] << 8 | token[1]] = len(ranks)
            ranks.append(rank)
    return [packed("H", places), packed("I", ranks)]


def place_tables(tokens, slot_of):
    text, offsets = texts((rank, token) for rank, token in enumerate(tokens) if token and rank not in slot_of)
    places = [slot_of.get(rank, TEXT | offsets[rank] if rank in offsets else NO_PLACE) for rank in range(len(tokens))]
    return [u24(places), bytes(text)]


def vocabulary(tokens, found):
    """The file of one vocabulary; tokens in the order of their ranks, and the ranks that are to be found."""
    known = [(rank, token) for rank, token in enumerate(tokens) if rank in found]
    short = [(rank, token) for rank, token in known if len(token) <= SHORT]
    sections, slot_of, short_counts = short_tables(short)
    long_sections, long_counts = long_tables([(rank, token) for rank, token in known if len(token) > SHORT])
    sections += long_sections + pair_tables(short) + place_tables(tokens, slot_of)
    body, starts = bytearray(64), []
    for section in sections:
        body.extend(bytes(-len(body) % 64))
        starts.append(len(body))
        body += section
    longest = max(len(token) for _, token in known)
    body[:64] = packed("I", [MAGIC, len(tokens), longest, *short_counts, *long_counts, *starts])
    return bytes(body)


def tiktoken_tokens(data):
    """Tokens by rank of a file of tiktoken's; a rank that the file leaves out has no bytes."""
    ranks = {int(rank): base64.b64decode(token) for token, rank in (line.split() for line in data.splitlines() if line)}
    return [ranks.get(rank, b"") for rank in range(max(ranks) + 1)]


def byte_letters():
    """The letters that stand for bytes in files of GPT-2's kind."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + at): byte for at, byte in enumerate(others)}


LETTERS = byte_letters()


def from_letters(text):
    return bytes(LETTERS[letter] for letter in text)


def split_merges(merges):
    return [tuple(from_letters(part) for part in merge.split(" ")) for merge in merges]


def gguf_fields(data):
    """The fields of a GGUF file (ggml/docs/gguf.md, version 3) that are lists of strings or numbers."""
    sizes = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    at = 24

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    def value(kind):
        nonlocal at
        if kind == 8:
            (length,) = take("Q")
            at += length
            return data[at - length : at].decode()
        if kind == 9:
            kind, count = take("IQ")
            return take(f"{count}{sizes[kind]}") if kind in sizes else [value(kind) for _ in range(count)]
        return take(sizes[kind])[0]

    (count,) = struct.unpack_from("<Q", data, 16)
    fields = {}
    for _ in range(count):
        name, kind = value(8), take("I")[0]
        fields[name] = value(kind)
    return fields


def gguf_tokens(data, count):
    """Tokens over bytes, without the special ones at the end, and the merges."""
    fields = gguf_fields(data)
    tokens = [from_letters(token) for token in fields["tokenizer.ggml.tokens"][:count]]
    return tokens, split_merges(fields["tokenizer.ggml.merges"])


def qwen2_vocabulary(data):
    tokens, merges = gguf_tokens(data, 151_643)
    return tokens, reachable(tokens, merges)


def claude_vocabulary(data):
    """Tokens over bytes; the first five are special."""
    model = json.loads(data)["model"]
    tokens = [b""] * len(model["vocab"])
    for text, rank in model["vocab"].items():
        if rank >= 5:
            tokens[rank] = from_letters(text)
    return tokens, reachable(tokens, split_merges(model["merges"]))


# Types of tokens that are special: control and user-defined (ggml/docs/gguf.md).
GGUF_SPECIAL = 3, 4
# What stands for a space.
BLOCK = "\u2581"
GEMMA_RUNS = {letter * length for letter in ("\n", "\t", BLOCK) for length in range(1, 32)}
GEMMA_BYTES = 238


def gemma_joints(texts):
    """By any two neighbours, the first one times 128 plus the second: whether a token has them, 1 or 0.

    Neighbours are ASCII scalars; 127 stands for all others. Runs do not count: the splitter knows them.
    """
    joints = bytearray(128 * 128)
    for text in texts:
        for first, second in zip(text, text[1:]):
            joints[min(ord(first), 127) << 7 | min(ord(second), 127)] = 1
    return bytes(joints)


def gemma_made(texts, merges):
    """The tokens that merging gives, less the runs, if the list of merges is what the splitter takes it to be.

    Runs of spaces merge before all else, the longest first; runs of line ends and of tabs merge so too and with nothing
    else. So the splitter cuts runs into pieces of 31, and before every space, since but for one no token has a space
    behind other scalars. All other merges stand in the order of the tokens that they give, and every split of a token
    into two is among them.
    """
    ranks = {text: rank for rank, text in enumerate(texts)}
    made = [left + right for left, right in merges]
    order = [ranks[text] for text in made if text not in GEMMA_RUNS]
    first = next(at for at, text in enumerate(made) if text not in GEMMA_RUNS)
    late = {text[0] for text in made[first:] if text in GEMMA_RUNS}
    splits = {(t[:k], t[k:]) for t in texts for k in range(1, len(t)) if t[:k] in ranks and t[k:] in ranks}
    others = set(made) - GEMMA_RUNS
    crossing = [text for text in others if re.search(f"{BLOCK}{BLOCK}|[\n\t]", text)]
    inner = {text for text in others if BLOCK in text[1:]}
    if order != sorted(order) or splits != set(merges) or BLOCK in late or crossing or inner != {f">{BLOCK}</"}:
        sys.exit("the merges are not as the splitter takes them to be")
    return others


def gemma_vocabulary(texts, made):
    """Tokens over scalars, with a space where the file has U+2581, and a token for each byte."""
    ranks = {text: rank for rank, text in enumerate(texts)}
    scalars = {text.encode(): rank for text, rank in ranks.items() if len(text) == 1 or text in made}
    found = {ranks[text] for text in GEMMA_RUNS}
    for text, rank in scalars.items():
        if final_split([scalar.encode() for scalar in text.decode()], scalars):
            found.add(rank)
    tokens = [text.replace(BLOCK, " ").encode() for text in texts]
    for byte in range(256):
        tokens[GEMMA_BYTES + byte] = bytes([byte])
        # A byte that is a scalar of its own has that token.
        if byte >= 0x80 or (chr(byte) not in ranks and byte != 0x20):
            found.add(GEMMA_BYTES + byte)
    return tokens, found


def gemma_files(data):
    fields = gguf_fields(data)
    texts = fields["tokenizer.ggml.tokens"]
    made = gemma_made(texts, [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]])
    tokens, found = gemma_vocabulary(texts, made)
    for rank, kind in enumerate(fields["tokenizer.ggml.token_type"]):
        if kind in GGUF_SPECIAL:
            tokens[rank] = b""
    yield "gemma.bin", vocabulary(tokens, found)
    yield "gemma_joints.bin", gemma_joints(text.replace(BLOCK, " ") for text in made)


def downloaded(package, form, pattern, scratch):
    """The path of a package that pip downloads into a scratch folder."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", form, package.split("==")[0]]
    subprocess.run([*pip, "-d", scratch, package], check=True)
    return next(pathlib.Path(scratch).glob(pattern))


def wheel(given, scratch):
    """The path of the wheel: the given one, else a downloaded one."""
    return given or downloaded(PACKAGE, "--only-binary", "litellm-*.whl", scratch)


def sdist(given, scratch):
    """The path of the source archive: the given one, else a downloaded one."""
    return given or downloaded(SDIST, "--no-binary", "llama_cpp_python-*.tar.gz", scratch)


def pinned(name, data, digest):
    if hashlib.sha256(data).hexdigest() != digest:
        sys.exit(f"the {name} vocabulary is not the expected one")
    return data


def pinned_files(path, files=TIKTOKEN_FILES):
    """The names of encodings and the original files of the wheel, by default those of tiktoken's kind."""
    with zipfile.ZipFile(path) as archive:
        for name, (member, digest) in files.items():
            yield name, pinned(name, archive.read(FOLDER + member), digest)


def pinned_sdist_files(path):
    with tarfile.open(path) as archive:
        for name, (member, digest) in SDIST_FILES.items():
            yield name, pinned(name, archive.extractfile(SDIST_FOLDER + member).read(), digest)


def whole_vocabulary(tokens):
    """For implementations that look whole pieces up, so that each token is found, whether merging gives it or not."""
    return tokens, set(ranks_over_bytes(tokens).values())


def vocabularies(originals):
    """The files by name. The first tokens of Llama 3 are those of cl100k_base, so one file serves both."""
    cl100k = tiktoken_tokens(originals["cl100k_base"])
    llama3 = gguf_tokens(originals["llama3"], 128_000)[0]
    if llama3[: len(cl100k)] != cl100k:
        sys.exit("llama3 does not start as cl100k_base does")
    yield "llama3.bin", vocabulary(*whole_vocabulary(llama3))
    for name in "o200k_base", "p50k_base":
        yield name + ".bin", vocabulary(*whole_vocabulary(tiktoken_tokens(originals[name])))
    yield "qwen2.bin", vocabulary(*qwen2_vocabulary(originals["qwen2"]))
    yield "claude_legacy.bin", vocabulary(*claude_vocabulary(originals["claude_legacy"]))
    yield from gemma_files(originals["gemma"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", help=f"a wheel of {PACKAGE}; without it pip downloads one")
    parser.add_argument("--sdist", help=f"the source archive of {SDIST}; without it pip downloads it")
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    parser.add_argument("--output", type=pathlib.Path, default=OUTPUT, help="the folder of the files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = wheel(options.wheel, scratch)
        originals = dict(pinned_files(path)) | dict(pinned_files(path, JSON_FILES))
        originals |= dict(pinned_sdist_files(sdist(options.sdist, scratch)))
        made = dict(vocabularies(originals)) | unicode_tables.files()
    for name, data in made.items():
        path = options.output / name
        if options.check and (not path.exists() or path.read_bytes() != data):
            sys.exit(f"{name} differs from what its sources give")
        if not options.check:
            path.write_bytes(data)
        print(name, len(data), hashlib.sha256(data).hexdigest())
    if not options.check and options.output == OUTPUT:
        # A build looks at this file's time only, not at those of the files that it includes.
        (OUTPUT.parent / "data.S").touch()


if __name__ == "__main__":
    main()
