"""Between which two neighbouring scalars of a text a token can lie, as Sources/TokenCount reads it.

Merging never joins what no token holds, so a piece may be cut between two scalars that no token has as neighbours,
and its tokens are those of its parts. A table says which neighbours some token has, or may have: two pairs that share
a bit are taken for one another, and a pair of ASCII scalars is not asked for.

A pair's key is the last two bytes of the one scalar and the first three of the other. A token may start within the one
and end within the other; then every key that its bytes leave open is in the table. Where a byte on either side is all
that a token has, those would be too many, and a smaller table has the two bytes.
"""

SPREAD = 0x9E3779B97F4A7C15
# Of so many bits one at most is set, so that few pairs are taken for others.
BITS_A_KEY = 8
LEADS = range(0xC2, 0xF5)
TRAILS = range(0x80, 0xC0)


def length(lead):
    """How many bytes a scalar has."""
    return 1 if lead < 0xC2 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def scalars(token):
    """The scalars of a token, the first one perhaps without its start and the last one without its end."""
    starts = [at for at, byte in enumerate(token) if byte not in TRAILS]
    bounds = sorted({0, *starts, len(token)})
    return [token[start:end] for start, end in zip(bounds, bounds[1:])]


def lefts(scalar):
    """The last two bytes of all scalars that end so."""
    if scalar[0] not in TRAILS or len(scalar) > 1:
        return [scalar[-2:].rjust(2, b"\0")]
    return [bytes([byte]) + scalar for byte in (*LEADS[: 0xE0 - 0xC2], *TRAILS)]


def rights(scalar):
    """The first three bytes of all scalars that start so."""
    open_bytes = min(length(scalar[0]), 3) - len(scalar)
    found = [scalar[:3]]
    for _ in range(open_bytes):
        found = [start + bytes([byte]) for start in found for byte in TRAILS]
    return found


def is_asked(left, right):
    """Whether the reader asks for a pair: not for two ASCII scalars, nor for what follows a space."""
    return left != b" " and (left[-1] >= 0x80 or right[0] >= 0x80)


def pairs(tokens):
    """The keys of all neighbours, and the last byte and the first one of those where more is left open."""
    keys, bytes_beside = set(), set()
    for token in tokens:
        parts = scalars(token)
        for left, right in zip(parts, parts[1:]):
            if len(left) == len(right) == 1 and left[0] in TRAILS:
                bytes_beside.add((left[0], right[0]))
            elif is_asked(left, right):
                keys.update((a, b) for a in lefts(left) for b in rights(right))
    return keys, bytes_beside


def place(left, right, bits):
    key = int.from_bytes(left, "little") << 24 | int.from_bytes(right, "little")
    return (key * SPREAD & (1 << 64) - 1) >> 64 - bits


def joints(tokens):
    """The binary logarithm of the number of hashes, and the table.

    It holds a bit for each pair of the last six bits of bytes, those of the first one times 64 plus the others, then a
    bit for each hash of a key.
    """
    keys, bytes_beside = pairs(tokens)
    bits = max(9, (len(keys) * BITS_A_KEY - 1).bit_length())
    table = bytearray((4096 + (1 << bits)) // 8)
    places = [(last & 63) << 6 | first & 63 for last, first in bytes_beside]
    for at in places + [4096 + place(left, right, bits) for left, right in keys]:
        table[at >> 3] |= 1 << (at & 7)
    return bits, bytes(table)
