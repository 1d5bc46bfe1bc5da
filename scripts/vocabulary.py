#!/usr/bin/env python3
"""Makes the files of Sources/VocabularyData/data: vocabularies and the Unicode tables.

    python3 -m venv .venv && .venv/bin/pip install unicodedata2==16.0.0 tokenizers==0.23.3
    .venv/bin/python scripts/vocabulary.py            # writes the files
    .venv/bin/python scripts/vocabulary.py --check    # fails when a committed file differs

The same to the byte every time. The vocabularies are taken from the wheel of the PyPI package litellm and from the
source archive of llama-cpp-python, which pip downloads unless --wheel and --sdist name them. Every file is pinned by
its SHA-256. `unicode_tables.py` makes the Unicode tables.

`vocabulary_file.py` describes the layout of a vocabulary. Its hashes hold the tokens that a text can give: all of them
where the defining implementation looks whole pieces up, else those that merging can reach. The others are there to be
decoded. A whole piece may then always be looked up first, and merging by the ranks of what pairs give is merging by a
list of pairs: `final_split` says why.

`joints.py` says where a piece can be cut before it is merged; `gemma_joints.bin` is a table of the same kind for a
splitter, a byte for any two neighbours, as `gemma_joints` says.
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
from vocabulary_file import NO_RANK, vocabulary

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


def units(token):
    """The bytes from which merging starts."""
    return [token[at : at + 1] for at in range(len(token))]


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
        split = final_split(units(token), ranks)
        if split and len(token) > 1 and split != given.get(token):
            sys.exit(f"rank {rank} is merged from another pair than the listed one")
        if split:
            found.add(rank)
    return found


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
    """For implementations that look whole pieces up, so that each token is found, whether merging gives it or not.

    Those that it does not give come last.
    """
    ranks = ranks_over_bytes(tokens)
    unmerged = [rank for token, rank in ranks.items() if not final_split(units(token), ranks)]
    return tokens, set(ranks.values()), unmerged


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
