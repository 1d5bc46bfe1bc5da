"""What LiteLLM's schema.prisma says about its tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import litellm_proxy_extras

FIELD = re.compile(r"\s*(\w+)\s+(\w+)(\[\])?\??\s*(.*)")
POSTGRES = {
    "String": "text",
    "Int": "integer",
    "BigInt": "bigint",
    "Float": "double precision",
    "Boolean": "boolean",
    "DateTime": "timestamp",
    "Json": "jsonb",
    "Bytes": "bytea",
}


@dataclass(frozen=True)
class Field:
    """A column; its name in the API may be another than in the database."""

    name: str
    column: str
    type: str
    many: bool
    attributes: str

    @property
    def cast(self) -> str:
        # What is no scalar here is an enumeration, which PostgreSQL knows by the same name.
        return POSTGRES.get(self.type, f'"{self.type}"') + ("[]" if self.many else "")


@dataclass(frozen=True)
class Relation:
    """Rows of another model whose `theirs` equal this model's `ours`."""

    model: str
    many: bool
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A table."""

    name: str
    fields: dict[str, Field]
    relations: dict[str, Relation]


def _names(attributes: str, part: str) -> tuple[str, ...]:
    found = re.search(rf"{part}:\s*\[([^\]]*)\]", attributes)
    return tuple(name.strip() for name in found[1].split(",")) if found else ()


def _blocks(text: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
    for name, body in re.findall(r"^model (\w+) \{[^\n]*\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        lines = (line.split("//")[0].rstrip() for line in body.splitlines())
        yield name, [found for line in lines if "@@" not in line and (found := FIELD.fullmatch(line))]


def _relation(owner: str, line: re.Match[str], blocks: dict[str, list[re.Match[str]]]) -> Relation:
    """Of both sides of a relation only one lists the columns."""
    _, target, many, attributes = line.groups()
    if ours := _names(attributes, "fields"):
        return Relation(target, bool(many), ours, _names(attributes, "references"))
    label = re.search(r'@relation\("(\w+)"', attributes)
    for other in blocks[target]:
        if other[2] == owner and _names(other[4], "fields") and (not label or f'"{label[1]}"' in other[4]):
            return Relation(target, bool(many), _names(other[4], "references"), _names(other[4], "fields"))
    raise ValueError(f"{owner}.{line[1]} has no other side")


def _read(path: Path) -> dict[str, Model]:
    blocks = dict(_blocks(path.read_text()))
    models = {}
    for name, lines in blocks.items():
        fields, relations = {}, {}
        for line in lines:
            if line[2] in blocks:
                relations[line[1]] = _relation(name, line, blocks)
            else:
                column = re.search(r'@map\("(\w+)"\)', line[4])
                fields[line[1]] = Field(line[1], column[1] if column else line[1], line[2], bool(line[3]), line[4])
        models[name] = Model(name, fields, relations)
    return models


FOLDER = Path(litellm_proxy_extras.__file__).parent
MODELS = _read(FOLDER / "schema.prisma")
