"""The other token counters, each by the fastest call that it has for the count of one text.

    python -m harness.counters COUNTER ENCODING FILE

counts a file over and over and prints the object that `sidecar count --bench` prints: bytes, tokens, and the seconds of
the first call and of the median of the later ones. Loading a vocabulary is not part of a call. Some counters load a part
of what they need when they are first called, so each is called with a word before; the sidecar has no such call.
"""

import importlib
import json
import statistics
import sys
import time

from . import vocabularies

LEAST_CALLS, LEAST_SECONDS = 2, 1


# Imported in the functions: a process measures one of them, and the others need not be installed.
def tiktoken(encoding):
    encoder = importlib.import_module("tiktoken").get_encoding(encoding)
    return lambda text: len(encoder.encode_to_numpy(text, disallowed_special=()))


def rs_bpe(encoding):
    return getattr(importlib.import_module("rs_bpe.bpe").openai, encoding)().count


def gigatoken(encoding):
    pattern = {"o200k_base": "o200k", "cl100k_base": "gpt4"}[encoding]
    file = str(vocabularies.path(encoding, "tiktoken"))
    tokenizer = importlib.import_module("gigatoken").Tokenizer.from_tiktoken(
        file, pretokenizer=pattern, special_tokens={}
    )
    return lambda text: len(tokenizer.encode(text))


def fastokens(encoding):
    native = importlib.import_module("fastokens._native")
    tokenizer = native.Tokenizer.from_tiktoken(str(vocabularies.path(encoding, "tiktoken")), encoding=encoding)
    return lambda text: len(tokenizer.encode_ordinary(text))


def splintr(encoding):
    tokenizer = importlib.import_module("splintr").Tokenizer.from_pretrained(encoding)
    # Four bytes a token.
    return lambda text: len(tokenizer.encode_flat(text)) // 4


def tokie(encoding):
    file = str(vocabularies.path(encoding, "json"))
    return importlib.import_module("tokie").Tokenizer.from_json(file).count_tokens


def tokenizers(encoding):
    file = str(vocabularies.path(encoding, "json"))
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(file)
    return lambda text: len(tokenizer.encode_batch_fast([text])[0])


OPENAI = {"o200k_base", "cl100k_base"}
# The counter and the encodings that it is compared in.
COUNTERS = {
    "tiktoken": (tiktoken, OPENAI | {"p50k_base"}),
    "rs-bpe": (rs_bpe, OPENAI),
    "gigatoken": (gigatoken, OPENAI),
    "fastokens": (fastokens, OPENAI),
    "splintr": (splintr, OPENAI),
    "tokie": (tokie, OPENAI),
    "tokenizers": (tokenizers, set(vocabularies.SOURCES)),
}


def measure(count, text):
    count("Hello")
    seconds = []
    while len(seconds) <= LEAST_CALLS or sum(seconds[1:]) < LEAST_SECONDS:
        start = time.perf_counter()
        tokens = count(text)
        seconds.append(time.perf_counter() - start)
    times = {"first_s": seconds[0], "median_s": statistics.median(seconds[1:])}
    return {"bytes": len(text.encode()), "tokens": tokens, **times}


def main(name, encoding, path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    print(json.dumps(measure(COUNTERS[name][0](encoding), text)))


if __name__ == "__main__":
    main(*sys.argv[1:])
