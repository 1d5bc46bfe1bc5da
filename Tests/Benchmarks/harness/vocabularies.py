"""The vocabularies in the forms that the other counters read, made from the sidecar's own data without a download.

Files of tiktoken's kind are the published ones to the byte: their SHA-256 is checked. Files of Hugging Face's kind
(`tokenizer.json`) are derived as far as counting needs: tokens, merges, pattern and normal form, no special tokens.
"""

import base64
import json
import os
import pathlib
import struct
import sys

from .tools import REPOSITORY, scratch

sys.path.append(os.path.join(REPOSITORY, "scripts"))
import vocabulary
import vocabulary_file

FOLDER = scratch("tokens", "vocabularies")
# Encoding, the file that starts with its tokens, how many they are (all of them where there is no number).
SOURCES = {
    "o200k_base": ("o200k_base", None),
    "cl100k_base": ("llama3", 100_256),
    "p50k_base": ("p50k_base", None),
    "gemma": ("gemma", None),
    "llama3": ("llama3", None),
    "qwen2": ("qwen2", None),
    "claude_legacy": ("claude_legacy", None),
}

CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
ENDS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
WORD, OTHERS = r"[^\r\n\p{L}\p{N}]?\p{L}+", r" ?[^\s\p{L}\p{N}]+[\r\n]*"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CL100K = rf"{CONTRACTION}|{WORD}|\p{{N}}{{1,3}}|{OTHERS}|{ENDS}"
O200K = [rf"[^\r\n\p{{L}}\p{{N}}]?{case}{CONTRACTION}?" for case in (f"{UPPER}*{LOWER}+", f"{UPPER}+{LOWER}*")]
PATTERNS = {
    "o200k_base": "|".join([*O200K, r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", ENDS]),
    "cl100k_base": CL100K,
    "llama3": CL100K,
    "qwen2": CL100K.replace("{1,3}", ""),
}
# Their implementations look whole pieces up before they merge.
WHOLE_PIECES = {"o200k_base", "cl100k_base", "p50k_base", "llama3"}
NORMAL_FORMS = {"qwen2": "NFC", "claude_legacy": "NFKC"}
LETTER_OF = {byte: letter for letter, byte in vocabulary.LETTERS.items()}


def tokens_of(encoding):
    """The tokens by rank, from the sidecar's data file; vocabulary_file.py describes it. No bytes where none is."""
    name, count = SOURCES[encoding]
    data = (vocabulary.OUTPUT / (name + ".bin")).read_bytes()
    _, tokens, *_, keys, values, _, _, _, _, places, texts = struct.unpack_from("<16I", data)

    def u24(section, index):
        at = section + 3 * index
        return int.from_bytes(data[at : at + 3], "little")

    def short(slot):
        length, at = u24(values, slot) >> vocabulary_file.RANK_BITS, keys + 8 * slot
        return data[at : at + length]

    def text(at):
        length, at = data[at], at + 1
        if length == 0:
            (length,), at = struct.unpack_from("<H", data, at), at + 2
        return data[at : at + length]

    def token(rank):
        place = u24(places, rank)
        if place == vocabulary_file.NO_PLACE:
            return b""
        is_text = place & vocabulary_file.TEXT
        return text(texts + place - vocabulary_file.TEXT) if is_text else short(place)

    return [token(rank) for rank in range(count or tokens)]


def tiktoken_file(encoding):
    """The file that OpenAI publishes."""
    ranked = ((token, rank) for rank, token in enumerate(tokens_of(encoding)) if token)
    data = b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranked)
    return vocabulary.pinned(encoding, data, vocabulary.TIKTOKEN_FILES[encoding][1])


def lettered(token):
    return "".join(LETTER_OF[byte] for byte in token)


def byte_model(encoding):
    """Vocabulary and merges over bytes: a token is merged from the two parts that merging by ranks leaves last."""
    ranks = {token: rank for rank, token in enumerate(tokens_of(encoding)) if token}
    splits = (vocabulary.final_split([token[i : i + 1] for i in range(len(token))], ranks) for token in ranks)
    merges = [[lettered(part) for part in split] for split in splits if split and len(split) == 2]
    words = {lettered(token): rank for token, rank in ranks.items()}
    return {"type": "BPE", "ignore_merges": encoding in WHOLE_PIECES, "vocab": words, "merges": merges}


def gemma_model():
    """Vocabulary and merges over scalars, bytes for scalars without a token; vocabulary.py says what the merges are."""
    first, words = vocabulary.GEMMA_BYTES, {"<unk>": 3}
    for rank, token in enumerate(tokens_of("gemma")):
        if first <= rank < first + 256:
            words[f"<0x{rank - first:02X}>"] = rank
        elif token:
            words[token.decode().replace(" ", vocabulary.BLOCK)] = rank
    splits = [(text[:at], text[at:]) for text in words for at in range(1, len(text))]
    merges = [split for split in splits if split[0] in words and split[1] in words]
    runs, block = vocabulary.GEMMA_RUNS, vocabulary.BLOCK

    def order(merge):
        text = merge[0] + merge[1]
        return (0, -len(text)) if text in runs and text[0] == block else (1, words[text])

    model = {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    return model | {"vocab": words, "merges": sorted(merges, key=order)}


def cutting(encoding):
    """The steps that cut a text into pieces of letters that stand for bytes."""
    letters = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    if encoding not in PATTERNS:
        return letters
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[encoding]}, "behavior": "Removed", "invert": True}
    return {"type": "Sequence", "pretokenizers": [split, letters | {"use_regex": False}]}


def hugging_face_file(encoding):
    """A tokenizer of Hugging Face's kind that counts as the encoding does."""
    if encoding == "gemma":
        space = {"type": "Replace", "pattern": {"String": " "}, "content": vocabulary.BLOCK}
        tokenizer = {"normalizer": space, "pre_tokenizer": None, "model": gemma_model()}
    else:
        form = {"type": NORMAL_FORMS[encoding]} if encoding in NORMAL_FORMS else None
        tokenizer = {"normalizer": form, "pre_tokenizer": cutting(encoding), "model": byte_model(encoding)}
    parts = {"version": "1.0", "added_tokens": [], "post_processor": None, "decoder": None}
    return json.dumps(parts | tokenizer, ensure_ascii=False).encode()


def path(encoding, kind):
    """Where a vocabulary lies; the kind is `tiktoken` or `json`."""
    return pathlib.Path(FOLDER, f"{encoding}.{kind}")


def cached(encoding):
    """Where tiktoken looks, in the folder that $TIKTOKEN_CACHE_DIR names, for what it would download."""
    return pathlib.Path(FOLDER, vocabulary.TIKTOKEN_FILES[encoding][0])


def write(encodings):
    """Writes the files that are missing or older than what they are made of."""
    os.makedirs(FOLDER, exist_ok=True)
    for encoding in encodings:
        makers = {path(encoding, "json"): hugging_face_file}
        if encoding in vocabulary.TIKTOKEN_FILES:
            makers |= {path(encoding, "tiktoken"): tiktoken_file, cached(encoding): tiktoken_file}
        sources = [pathlib.Path(__file__), vocabulary.OUTPUT / (SOURCES[encoding][0] + ".bin")]
        newest = max(source.stat().st_mtime for source in sources)
        for file, make in makers.items():
            if not file.exists() or file.stat().st_mtime < newest:
                # Under its name only when it is whole: a run may be stopped here.
                unfinished = file.with_suffix(".unfinished")
                unfinished.write_bytes(make(encoding))
                unfinished.replace(file)
