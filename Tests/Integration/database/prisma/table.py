"""The calls on one table."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from . import sql
from .models import ROWS
from .schema import MODELS, Model


class Table:
    """Arguments and results are those of Prisma; `run` sends a statement and returns rows and their number."""

    def __init__(self, model: Model, run: Callable[[str, Sequence], Awaitable[tuple[list[dict], int]]]) -> None:
        self.model = model
        self.name = sql.quoted(model.name)
        self.run = run

    async def find_many(
        self,
        take: int | None = None,
        skip: int | None = None,
        where: Mapping | None = None,
        include: Mapping | None = None,
        order: Mapping | Sequence[Mapping] | None = None,
    ) -> list:
        values = sql.Parameters()
        selected = f"SELECT * FROM {self.name} WHERE {sql.condition(self.model, where, values)}"
        rows, _ = await self.run(selected + sql.order(self.model, order) + sql.page(take, skip), values)
        return [await self.row(row, include) for row in rows]

    async def find_first(self, **query: object) -> object | None:
        return next(iter(await self.find_many(**{**query, "take": 1})), None)

    async def find_unique(self, where: Mapping, include: Mapping | None = None) -> object | None:
        return await self.find_first(where=where, include=include)

    async def count(self, where: Mapping | None = None) -> int:
        values = sql.Parameters()
        counted = f"SELECT count(*) AS n FROM {self.name} WHERE {sql.condition(self.model, where, values)}"
        return (await self.run(counted, values))[0][0]["n"]

    async def group_by(
        self, by: Sequence[str], where: Mapping | None = None, order: Mapping | None = None, **figures: Mapping
    ) -> list[dict]:
        """Figures are `sum={"spend": True}` and the like, and come back as `{"_sum": {"spend": …}}`."""
        values = sql.Parameters()
        wanted = [(kind, name) for kind, names in figures.items() for name in names]
        keys = ", ".join(self.column(name) for name in by)
        terms = [f"{self.column(name)} AS {sql.quoted(name)}" for name in by]
        terms += [f'{kind}({self.column(name)}) AS "{kind} {name}"' for kind, name in wanted]
        meant = sql.condition(self.model, where, values)
        rows, _ = await self.run(
            f"SELECT {', '.join(terms)} FROM {self.name} WHERE {meant} GROUP BY {keys}{sql.order(self.model, order)}",
            values,
        )
        groups = [{name: row[name] for name in by} for row in rows]
        for group, row in zip(groups, rows, strict=True):
            for kind, name in wanted:
                group.setdefault(f"_{kind}", {})[name] = row[f"{kind} {name}"]
        return groups

    async def create(self, data: Mapping, include: Mapping | None = None) -> object:
        values = sql.Parameters()
        rows, _ = await self.run(f"{sql.insertion(self.model, data, values)} RETURNING *", values)
        return await self.row(rows[0], include)

    async def create_many(self, data: Sequence[Mapping], skip_duplicates: bool = False) -> int:
        unless = " ON CONFLICT DO NOTHING" if skip_duplicates else ""
        made = 0
        for one in data:
            values = sql.Parameters()
            made += (await self.run(sql.insertion(self.model, one, values) + unless, values))[1]
        return made

    async def update(self, data: Mapping, where: Mapping, include: Mapping | None = None) -> object | None:
        rows, _ = await self.changed(data, where)
        return await self.row(rows[0], include) if rows else None

    async def update_many(self, data: Mapping, where: Mapping) -> int:
        return (await self.changed(data, where))[1]

    async def changed(self, data: Mapping, where: Mapping) -> tuple[list[dict], int]:
        values = sql.Parameters()
        assigned = sql.assignments(self.model, data, values)
        meant = sql.condition(self.model, where, values)
        return await self.run(f"UPDATE {self.name} SET {assigned} WHERE {meant} RETURNING *", values)

    async def upsert(self, where: Mapping, data: Mapping, include: Mapping | None = None) -> object:
        if data["update"]:
            found = await self.update(data["update"], where, include)
        else:
            found = await self.find_unique(where, include)
        return found or await self.create(data["create"], include)

    async def delete(self, where: Mapping, include: Mapping | None = None) -> object | None:
        found = await self.find_unique(where, include)
        await self.delete_many(where)
        return found

    async def delete_many(self, where: Mapping | None = None) -> int:
        values = sql.Parameters()
        meant = sql.condition(self.model, where, values)
        return (await self.run(f"DELETE FROM {self.name} WHERE {meant}", values))[1]

    def column(self, name: str) -> str:
        return sql.quoted(self.model.fields[name].column)

    async def row(self, columns: dict, include: Mapping | None) -> object:
        row = {field.name: columns[field.column] for field in self.model.fields.values()}
        for name, wanted in (include or {}).items():
            if wanted:
                row[name] = await self.related(name, row, wanted if isinstance(wanted, Mapping) else {})
        return ROWS[self.model.name](**row)

    async def related(self, name: str, row: dict, wanted: Mapping) -> object:
        relation = self.model.relations[name]
        where = {theirs: row[ours] for ours, theirs in zip(relation.ours, relation.theirs, strict=True)}
        if None in where.values():
            return [] if relation.many else None
        found = await Table(MODELS[relation.model], self.run).find_many(
            where={"AND": [where, wanted.get("where") or {}]}, include=wanted.get("include")
        )
        return found if relation.many else next(iter(found), None)
