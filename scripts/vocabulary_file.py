"""The file of a vocabulary, which Sources/TokenCount reads; vocabulary.py writes them.

A vocabulary is used where it lies in the binary, never parsed. All numbers are little-endian, u24 is a number of three
bytes; offsets count from the start of the file:

    header   19 x u32: magic, tokens, longest token in bytes, then bucket and slot counts and section offsets (below),
             binary logarithm of the number of joints' hashes, length of the shortest token that merging does not give
             (~0 where it gives all)
    short    perfect hash of the tokens of up to 8 bytes: seeds (u16 a bucket), keys (u64 a slot), values (u24 a slot:
             length in the bits from 18 on, rank below; 0 is an empty slot)
    long     perfect hash of the others: seeds (u16 a bucket), slots (u32: 14 bits of the hash, rank below; an empty
             slot holds the first token of the table)
    pairs    u16 for any two bytes, the first one times 256 plus the second: where in the next list their rank stands
    ranks    u32 a token of two bytes, with a leading ~0 for "no token"; merging starts with these
    places   u24 a rank: the slot of a short token, or with the top bit the offset of a text; ~0 is no token
    texts    the other tokens: length (u8, or 0 and u16), bytes
    joints   where a piece may be cut; joints.py describes it

Hash and displace: a key's bucket gives a seed, and key and seed give the one slot where the key can be.
"""

import struct
import sys

from joints import joints

MASK = (1 << 64) - 1
SPREAD, MIX, DISPLACE, FOLD = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
MAGIC = int.from_bytes(b"SCV3", "little")
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


def vocabulary(tokens, found, unmerged=()):
    """The file of one vocabulary; tokens in the order of their ranks, and the ranks that are to be found.

    Those that are found only as whole pieces are the unmerged ones.
    """
    known = [(rank, token) for rank, token in enumerate(tokens) if rank in found]
    short = [(rank, token) for rank, token in known if len(token) <= SHORT]
    sections, slot_of, short_counts = short_tables(short)
    long_sections, long_counts = long_tables([(rank, token) for rank, token in known if len(token) > SHORT])
    sections += long_sections + pair_tables(short) + place_tables(tokens, slot_of)
    bits, table = joints(token for _, token in known)
    body, starts = bytearray(128), []
    for section in [*sections, table]:
        body.extend(bytes(-len(body) % 64))
        starts.append(len(body))
        body += section
    longest = max(len(token) for _, token in known)
    shortest = min((len(tokens[rank]) for rank in unmerged), default=NO_RANK)
    header = [MAGIC, len(tokens), longest, *short_counts, *long_counts, *starts, bits, shortest]
    body[: 4 * len(header)] = packed("I", header)
    return bytes(body)
