"""A client with the calls that LiteLLM makes, each of them one statement."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row
from psycopg.types.datetime import TimestampLoader

from . import errors
from .fields import Json
from .schema import MODELS
from .table import Table

TABLES = {name.lower(): model for name, model in MODELS.items()}


class UTCTimestampLoader(TimestampLoader):
    """Prisma keeps instants as UTC without saying so in the column's type."""

    def load(self, data: bytes) -> datetime:
        return super().load(data).replace(tzinfo=timezone.utc)


def sendable(value: object) -> object:
    if isinstance(value, Json):
        value = value.data
    if isinstance(value, Mapping):
        return json.dumps(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else value


class Connection:
    """One session with PostgreSQL, used by one statement at a time and opened anew after an outage."""

    def __init__(self) -> None:
        self.session: psycopg.AsyncConnection | None = None
        self.turn = asyncio.Lock()

    async def open(self) -> None:
        # The URL carries settings of Prisma's own pool, which PostgreSQL would refuse.
        address = urlsplit(os.environ["DATABASE_URL"])._replace(query="").geturl()
        self.session = await psycopg.AsyncConnection.connect(address, autocommit=True, options="-c timezone=UTC")
        self.session.adapters.register_loader("timestamp", UTCTimestampLoader)

    async def close(self) -> None:
        if self.session:
            await self.session.close()
        self.session = None

    async def run(self, statement: str, values: Sequence = ()) -> tuple[list[dict], int]:
        """The rows that a statement returns, and how many it touched."""
        if self.session is None:
            raise errors.ClientNotConnectedError("not connected")
        async with self.turn:
            try:
                if self.session.closed:
                    await self.open()
                cursor = psycopg.AsyncRawCursor(self.session, row_factory=dict_row)
                await cursor.execute(statement, [sendable(value) for value in values])
                return (await cursor.fetchall() if cursor.description else []), max(cursor.rowcount, 0)
            except psycopg.Error as error:
                raise errors.translated(error) from error


class Queries:
    """A table for every model, and SQL as it is."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Table:
        try:
            return Table(TABLES[name], self.connection.run)
        except KeyError:
            raise AttributeError(name) from None

    async def query_raw(self, query: str, *values: object) -> list[dict]:
        return (await self.connection.run(query, values))[0]

    async def query_first(self, query: str, *values: object) -> dict | None:
        return next(iter(await self.query_raw(query, *values)), None)

    async def execute_raw(self, query: str, *values: object) -> int:
        return (await self.connection.run(query, values))[1]

    def batch_(self) -> "Batch":
        return Batch(self)

    @asynccontextmanager
    async def tx(self, **limits: object) -> AsyncIterator["Queries"]:
        """Everything or nothing, in a session of its own; Prisma's limits of time are not kept."""
        connection = Connection()
        await connection.open()
        try:
            async with connection.session.transaction():
                yield Queries(connection)
        finally:
            await connection.close()


class Batch:
    """Calls that are kept, and run in one transaction at the end."""

    def __init__(self, queries: Queries, table: str | None = None, kept: list | None = None) -> None:
        self.queries = queries
        self.table = table
        self.kept = [] if kept is None else kept

    def __getattr__(self, name: str) -> "Batch | Callable[..., None]":
        if self.table is None and name in TABLES:
            return Batch(self.queries, name, self.kept)

        def keep(*values: object, **named: object) -> None:
            def run(queries: Queries) -> Awaitable:
                target = getattr(queries, self.table) if self.table else queries
                return getattr(target, name)(*values, **named)

            self.kept.append(run)

        return keep

    async def commit(self) -> None:
        async with self.queries.tx() as transaction:
            for run in self.kept:
                await run(transaction)

    async def __aenter__(self) -> "Batch":
        return self

    async def __aexit__(self, kind: type | None, *rest: object) -> None:
        if kind is None:
            await self.commit()


class Prisma(Queries):
    """The client that LiteLLM constructs."""

    def __init__(self, **settings: object) -> None:
        super().__init__(Connection())

    async def connect(self, *timeout: object) -> None:
        await self.connection.open()

    async def disconnect(self, *timeout: object) -> None:
        await self.connection.close()

    def is_connected(self) -> bool:
        return self.connection.session is not None


TransactionManager = Queries
