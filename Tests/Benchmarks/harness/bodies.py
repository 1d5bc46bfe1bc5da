"""The request bodies: valid chat completions whose last message is the user's.

Sizes and shapes are what chat clients send: a short question, a long history that is sent again with each turn, a
picture as a data URL. The text is mixed (prose, lists, code, tables, two other scripts), because counting tokens costs
differently for each.
"""

import base64
import random
import struct
import zlib

PROSE = (
    "a about after all also an and any are as at because been before between both but by can change could day "
    "did does each end even every few find first for from get give good great had has have here how however if "
    "important in into is it its just keep know large last less like line long look made make many may mean "
    "more most much must need never new next no not now number of often on one only open or other our out over "
    "own part people place point possible present problem question rather reason right same second see several "
    "should show side since small so some state still such system take than that the their them then there "
    "these they thing this those through time to together too two under until up use value very was way we "
    "well were what when where which while who why will with without word work would year layout colour "
    "palette contrast typeface margin sketch revision designer gradient"
).split()
RUSSIAN = (
    "мы хотим чтобы макет был светлее а заголовок крупнее покажи ещё три варианта с другим фоном спасибо"
).split()
CHINESE = "请把这张图的背景换成浅色并且保留原来的文字和比例然后再给我两个方案谢谢"
CODE = """```python
def scale_{n}(box, factor={n}.5):
    width, height = box["width"], box["height"]
    if not 0 < factor <= 16:
        raise ValueError(f"factor {{factor}} is out of range")
    return {{**box, "width": round(width * factor), "height": round(height * factor)}}
```"""


def sentence(chance):
    words = [chance.choice(PROSE) for _ in range(chance.randint(5, 20))]
    end = chance.choice([".", ".", ".", "?", "!", f" ({chance.randint(1, 9999):,}.75)."])
    return " ".join(words).capitalize() + end


def paragraph(chance):
    kind = chance.randrange(100)
    if kind < 12:
        return CODE.format(n=chance.randint(1, 999))
    if kind < 24:
        points = range(1, chance.randint(3, 7))
        return "\n".join(f"{i}. **{chance.choice(PROSE)}**: {sentence(chance)}" for i in points)
    if kind < 30:
        return " ".join(chance.choice(RUSSIAN) for _ in range(30)).capitalize() + "."
    if kind < 34:
        return "".join(chance.choice(CHINESE) for _ in range(40)) + "。"
    if kind < 40:
        rows = "\n".join(f"| {chance.choice(PROSE)} | {chance.randint(0, 99999)} |" for _ in range(5))
        return "| name | value |\n| --- | --- |\n" + rows
    return " ".join(sentence(chance) for _ in range(chance.randint(2, 6)))


def text(chance, size):
    """At most `size` bytes, and hardly less."""
    parts, length = [], 0
    while length < size:
        part = paragraph(chance) if size > 400 else sentence(chance)
        parts.append(part)
        length += len(part.encode()) + 2
    return "\n\n".join(parts).encode()[:size].decode("utf-8", "ignore")


def history(chance, size, turns, model="mock", stream=False):
    """About `size` bytes: a system message and `turns` messages, questions shorter than answers."""
    weights = [chance.uniform(0.2, 0.8) if turn % 2 == 0 else chance.uniform(0.8, 2.0) for turn in range(turns)]
    unit = (size - 200 - 45 * turns) / sum(weights) * 0.955  # escapes in JSON take the rest
    messages = [{"role": "system", "content": "You are a helpful assistant of a designer. Answer in her language."}]
    for turn, weight in enumerate(weights):
        role = "user" if turn % 2 == 0 else "assistant"
        messages.append({"role": role, "content": text(chance, max(20, int(unit * weight)))})
    return {"model": model, "stream": stream, "messages": messages}


def png(chance, width, height):
    """A valid RGB image of noise, which does not compress."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + chance.randbytes(width * 3) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def picture(chance):
    """About 4 MB."""
    url = "data:image/png;base64," + base64.b64encode(png(chance, 1024, 1010)).decode()
    parts = [
        {"type": "text", "text": "What would you change in this picture?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return {"model": "mock", "stream": False, "messages": [{"role": "user", "content": parts}]}


def all_bodies():
    """Pairs of name and body."""
    chance = random.Random(20)
    yield "short", history(chance, 2048, 3)
    yield "history", history(chance, 200 * 1024, 61)
    yield "picture", picture(chance)
    yield "burst", history(chance, 2048, 3, stream=True)
    yield "paced-5", history(chance, 1024, 3, model="paced-5", stream=True)
    yield "paced-100", history(chance, 1024, 3, model="paced-100", stream=True)
