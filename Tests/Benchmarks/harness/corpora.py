"""The texts that the token counters are compared over, made of what a Debian machine has.

Prose comes from Python's own documentation and the licences of the system, code from Python's library and this
repository, Russian and Chinese from translated manual pages, which scripts/setup takes out of their packages. The same
to the byte in every run on one machine, but not on two: compare counters of one run only.
"""

import ast
import base64
import gzip
import importlib
import json
import os
import pathlib
import random
import re
import sysconfig

from .tools import REPOSITORY, scratch

SIZE = 2_000_000
# Less than this is no text to measure with; the corpus is left out.
LEAST = 200_000
SEED = 20261121
LIBRARY = pathlib.Path(sysconfig.get_path("stdlib"))
LICENCES = pathlib.Path("/usr/share/common-licenses")
MANUALS = pathlib.Path(REPOSITORY, ".venv/bench/share/man")
# Counters differ in whether the spelling of a special token is that token; no corpus has one.
SPECIAL = "<|"


def cut(text, size=SIZE):
    """The first bytes of a text, whole scalars only."""
    return text.encode()[:size].decode(errors="ignore")


def gathered(parts, size=SIZE):
    """Parts put together until there are enough bytes."""
    chosen, total = [], 0
    for part in parts:
        if total >= size:
            break
        if SPECIAL not in part:
            chosen.append(part)
            total += len(part.encode())
    return cut("\n\n".join(chosen), size)


def files(folder, pattern):
    """The texts of a folder's files, by name; a second name of the same file does not count."""
    paths = {path.resolve() for path in folder.glob(pattern) if path.is_file()}
    return (path.read_text(errors="ignore") for path in sorted(paths))


def docstrings(pattern):
    """What modules of Python's library say of themselves."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    for source in files(LIBRARY, pattern):
        texts = (ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, documented))
        # Shorter ones are labels rather than prose.
        yield from (text for text in texts if text and len(text) > 80)


def english():
    topics = importlib.import_module("pydoc_data.topics").topics

    def parts():
        yield from (topics[name] for name in sorted(topics))
        yield from files(LICENCES, "*")
        yield from docstrings("*.py")
        yield from docstrings("[a-s]*/*.py")

    return gathered(parts())


def code():
    swift = gathered(files(pathlib.Path(REPOSITORY, "Sources"), "**/*.swift"), SIZE // 2)
    return gathered([swift, gathered(files(LIBRARY, "*.py"), SIZE - len(swift.encode()))])


def plain(page):
    """A manual page without its markup (groff_man(7)): the text of macros stays, requests and fonts go."""
    lines = []
    for line in page.splitlines():
        if line.startswith(('.\\"', "'\\\"", ".if", ".ie", ".el", ".de", "..")):
            continue
        line = re.sub(r"^[.'][A-Za-z]+\s*", "", line)
        line = re.sub(r"\\f(\[\w*\]|\(..|.)|\\[&/,|^]|\\s[-+]?\d", "", line)
        lines.append(line.replace("\\-", "-").replace("\\(co", "©").replace("\\e", "\\"))
    return "\n".join(line for line in lines if line.strip())


def manual(language, script):
    """Manual pages of a language; pages that are not translated, or hardly, are left out."""

    def pages():
        for path in sorted(MANUALS.glob(f"{language}/man*/*.gz")):
            text = plain(gzip.decompress(path.read_bytes()).decode(errors="ignore")) if path.is_file() else ""
            if len(re.findall(script, text)) > len(text) / 4:
                yield text

    return gathered(pages())


def message(draw, texts):
    """What somebody says in a chat: some paragraphs of prose, sometimes code, sometimes another language."""
    parts = draw.choices(texts["english"], k=draw.randint(1, 5))
    if draw.random() < 0.4:
        parts.append("```python\n" + draw.choice(texts["code"]) + "\n```")
    for language in "russian", "chinese":
        if texts[language] and draw.random() < 0.1:
            parts.append(draw.choice(texts[language]))
    return "\n\n".join(parts)


def chat(corpora):
    """A long chat as the body that clients send."""
    draw, messages, size = random.Random(SEED), [], 0
    texts = {name: [text[at : at + 600] for at in range(0, len(text), 600)] for name, text in corpora.items()}
    # Leaves room for the quotation marks and names around the texts.
    while size < SIZE * 0.95:
        text = message(draw, texts)
        messages.append({"role": "assistant" if len(messages) % 2 else "user", "content": text})
        size += len(json.dumps(text, ensure_ascii=False).encode()) + 40
    return json.dumps({"model": "gpt-4o", "stream": True, "messages": messages}, ensure_ascii=False)


def mixed(corpora, block=2_000):
    """The others in turn, so that what a counter remembers of one is of no use to the next."""
    longest = max(len(text) for text in corpora.values())
    blocks = (text[at : at + block] for at in range(0, longest, block) for text in corpora.values())
    return cut("".join(blocks))


def noise(size):
    """Base64 of random bytes, the same in every run."""
    return base64.b64encode(random.Random(SEED).randbytes(size * 3 // 4)).decode()


def texts():
    """The corpora by their names; empty where the machine does not have the text."""
    corpora = {
        "english": english(),
        "code": code(),
        "russian": manual("ru", "[А-Яа-яЁё]"),
        "chinese": manual("zh_CN", "[\u4e00-\u9fff]"),
    }
    made = {"chat.json": chat(corpora), "mixed": mixed(corpora), "base64": noise(SIZE // 2)}
    return corpora | made


NAMES = ["english", "code", "russian", "chinese", "chat.json", "mixed", "base64"]


def write(folder, texts):
    """Writes texts into the scratch folder; their paths by name, without what is too short to be measured."""
    os.makedirs(scratch("tokens", folder), exist_ok=True)
    paths = {}
    for name, text in texts.items():
        data = text.encode()
        if len(data) >= LEAST:
            paths[name] = scratch("tokens", folder, name.replace(" ", "-"))
            pathlib.Path(paths[name]).write_bytes(data)
    return paths
