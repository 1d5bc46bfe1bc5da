"""Turns the arguments of a Prisma call into SQL with numbered parameters."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from .fields import Json
from .schema import MODELS, Field, Model, Relation

COMPARISONS = {"equals": "=", "not": "IS DISTINCT FROM", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
MATCHES = {"contains": "%{}%", "startsWith": "{}%", "startswith": "{}%", "endsWith": "%{}", "endswith": "%{}"}
ARITHMETIC = {"increment": "+", "decrement": "-", "multiply": "*", "divide": "/"}
ARRAYS = {"hasSome": "&&", "has_some": "&&", "hasEvery": "@>", "has_every": "@>"}


class Parameters(list):
    """The values of a statement, in the order of their numbers."""

    def place(self, field: Field, value: object, cast: str | None = None) -> str:
        """Keeps a value and returns what stands for it in the statement."""
        cast = cast or field.cast
        if cast == "jsonb" and not isinstance(value, str) and value is not None:
            value = json.dumps(value.data if isinstance(value, Json) else value)
        self.append(value)
        return f"${len(self)}::{cast}"


def quoted(name: str) -> str:
    return f'"{name}"'


def condition(model: Model, where: Mapping | None, values: Parameters) -> str:
    """The rows that a `where` means, as the text behind WHERE."""
    return " AND ".join(_clause(model, key, wanted, values) for key, wanted in (where or {}).items()) or "TRUE"


def _clause(model: Model, key: str, wanted: object, values: Parameters) -> str:
    if key in ("AND", "OR", "NOT"):
        parts = wanted if isinstance(wanted, Sequence) else [wanted]
        joined = f" {'OR' if key == 'OR' else 'AND'} ".join(f"({condition(model, part, values)})" for part in parts)
        return f"NOT ({joined})" if key == "NOT" else f"({joined or 'FALSE'})"
    if key in model.fields:
        return _comparison(model, model.fields[key], wanted, values)
    if key in model.relations:
        return _related(model, model.relations[key], wanted, values)
    if isinstance(wanted, Mapping):
        return condition(model, wanted, values)  # A key of several columns, under their joined name.
    raise NotImplementedError(f"{model.name}: {key}={wanted!r}")


def _related(model: Model, relation: Relation, wanted: object, values: Parameters) -> str:
    target = MODELS[relation.model]
    kind, inner = next(iter(wanted.items())) if set(wanted) & {"is", "some", "none"} else ("is", wanted)
    joined = " AND ".join(
        f"{quoted(target.name)}.{quoted(target.fields[theirs].column)} = "
        f"{quoted(model.name)}.{quoted(model.fields[ours].column)}"
        for ours, theirs in zip(relation.ours, relation.theirs, strict=True)
    )
    exists = f"EXISTS (SELECT 1 FROM {quoted(target.name)} WHERE {joined} AND {condition(target, inner, values)})"
    return f"NOT {exists}" if kind == "none" or inner is None else exists


def _comparison(model: Model, field: Field, wanted: object, values: Parameters) -> str:
    column = f"{quoted(model.name)}.{quoted(field.column)}"
    if wanted is None:
        return f"{column} IS NULL"
    if not isinstance(wanted, Mapping):
        return f"{column} = {values.place(field, wanted)}"
    if "path" in wanted:
        column = f"({column} #> {values.place(field, list(wanted['path']), 'text[]')})"
        wanted = {name: operand for name, operand in wanted.items() if name != "path"}
    like = "ILIKE" if wanted.get("mode") == "insensitive" else "LIKE"
    return " AND ".join(
        _operation(column, field, name, operand, like, values) for name, operand in wanted.items() if name != "mode"
    )


def _operation(column: str, field: Field, name: str, operand: object, like: str, values: Parameters) -> str:
    if name in COMPARISONS and not isinstance(operand, Mapping):
        if operand is None:
            return f"{column} IS {'NOT ' if name == 'not' else ''}NULL"
        return f"{column} {COMPARISONS[name]} {values.place(field, operand)}"
    if name in ("in", "in_"):
        return f"{column} = ANY({values.place(field, list(operand), f'{field.cast}[]')})"
    if name in ("notIn", "not_in"):
        return f"{column} <> ALL({values.place(field, list(operand), f'{field.cast}[]')})"
    if name in MATCHES:
        return f"{column} {like} {values.place(field, MATCHES[name].format(operand))}"
    if name == "has":
        return f"{values.place(field, operand, field.cast.removesuffix('[]'))} = ANY({column})"
    if name in ARRAYS:
        return f"{column} {ARRAYS[name]} {values.place(field, list(operand))}"
    if name == "not":
        return f"NOT ({' AND '.join(_operation(column, field, *each, like, values) for each in operand.items())})"
    raise NotImplementedError(f"{column}: {name}={operand!r}")


def order(model: Model, wanted: Mapping | Sequence[Mapping] | None) -> str:
    parts = [wanted] if isinstance(wanted, Mapping) else wanted or []
    terms = [f"{quoted(model.fields[name].column)} {way}" for part in parts for name, way in part.items()]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def page(take: int | None, skip: int | None) -> str:
    return (f" LIMIT {int(take)}" if take is not None else "") + (f" OFFSET {int(skip)}" if skip else "")


def _linked(model: Model, data: Mapping) -> dict:
    """The same with `connect` and `disconnect` of a relation turned into its columns."""
    flat = {}
    for name, value in data.items():
        if name in model.fields:
            flat[name] = value
        elif (relation := model.relations.get(name)) and set(value) <= {"connect", "disconnect"}:
            for ours, theirs in zip(relation.ours, relation.theirs, strict=True):
                flat[ours] = value["connect"][theirs] if "connect" in value else None
        else:
            raise NotImplementedError(f"{model.name}: {name}={value!r}")
    return flat


def _generated(model: Model) -> dict:
    """What the query engine fills in, rather than the database."""
    fresh = {}
    for field in model.fields.values():
        if "uuid()" in field.attributes or "cuid()" in field.attributes:
            fresh[field.name] = str(uuid.uuid4())
        elif "@updatedAt" in field.attributes:
            fresh[field.name] = datetime.now(timezone.utc)
    return fresh


def insertion(model: Model, data: Mapping, values: Parameters) -> str:
    row = _generated(model) | _linked(model, data)
    columns = ", ".join(quoted(model.fields[name].column) for name in row)
    placed = ", ".join(values.place(model.fields[name], _plain(value)) for name, value in row.items())
    return f"INSERT INTO {quoted(model.name)} ({columns}) VALUES ({placed})"


def _plain(value: object) -> object:
    return value["set"] if isinstance(value, Mapping) and set(value) == {"set"} else value


def assignments(model: Model, data: Mapping, values: Parameters) -> str:
    """The text behind SET."""
    row = _linked(model, data)
    for field in model.fields.values():
        if "@updatedAt" in field.attributes:
            row.setdefault(field.name, datetime.now(timezone.utc))
    return ", ".join(_assignment(model.fields[name], value, values) for name, value in row.items())


def _assignment(field: Field, value: object, values: Parameters) -> str:
    column = quoted(field.column)
    if isinstance(value, Mapping) and field.type != "Json" and len(value) == 1:
        name, operand = next(iter(value.items()))
        if name in ARITHMETIC:
            return f"{column} = {column} {ARITHMETIC[name]} {values.place(field, operand)}"
        if name == "push":
            return f"{column} = array_cat({column}, {values.place(field, _listed(operand))})"
    return f"{column} = {values.place(field, _plain(value))}"


def _listed(value: object) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]
