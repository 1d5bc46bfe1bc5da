"""Texts of 1 MB that cost a tokenizer most, and the English that their times are compared with.

Long runs without a place to cut are quadratic for a plain merge loop, and marks in a random order for a plain sort in a
normal form. A counter that is linear takes for any of them about what it takes for prose.
"""

import random

from . import corpora

SIZE = 1_000_000
# The time for a worst case is at most this often the time for as much English.
BOUND = 5
ENGLISH = "English"
MARKS = "".join(map(chr, [*range(0x300, 0x370), 0x591, 0x5B4, 0x64B, 0x94D, 0xE31, 0x20DD, 0x302A, 0xFE0F]))
LETTERS = "abcxyzABCZäßéİжщЖЩλΩאבשקकतकกあカ가힣中文字ǅʰﬁ"
RUSSIAN = "".join(map(chr, range(0x430, 0x450)))
CHINESE = "".join(map(chr, range(0x4E00, 0x9FA6)))


def repeated(unit):
    return unit * (SIZE // len(unit.encode()))


def drawn(scalars):
    """Scalars at random, the same in every run; each is as likely as any other."""
    return corpora.cut("".join(random.Random(corpora.SEED).choices(scalars, k=SIZE)), SIZE)


def texts(english):
    """The worst cases by name, and the beginning of an English text for comparison."""
    return {
        ENGLISH: corpora.cut(english, SIZE),
        "one letter": repeated("a"),
        "spaces": repeated(" "),
        "line ends": repeated("\n"),
        "digits": drawn("0123456789"),
        "one mark": repeated("\u0301"),
        "random marks": drawn(MARKS),
        "one Chinese line": drawn(CHINESE),
        "Base64": corpora.noise(SIZE),
        "two bytes in turn": repeated("\0\x7f"),
        "two letters in turn": repeated("aé"),
        "random letters": drawn("abcdefghijklmnopqrstuvwxyz"),
        "few letters": drawn("etaoinshrdlu"),
        "Russian letters": drawn(RUSSIAN),
        "words without spaces": corpora.cut("".join(filter(str.isalpha, english.lower())), SIZE),
        "random letters and marks": drawn(LETTERS + MARKS),
    }
