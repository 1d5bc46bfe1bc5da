"""The errors that LiteLLM tells apart."""

import psycopg


class PrismaError(Exception):
    """Anything that went wrong between LiteLLM and its database."""

    code: str | None = None


class ClientNotConnectedError(PrismaError):
    """A query before `connect`."""


class HTTPClientClosedError(PrismaError):
    """Never raised: there is no HTTP in between."""


class DataError(PrismaError):
    """The database refused something, or cannot be reached."""


class UniqueViolationError(DataError):
    """A row with this key exists already."""

    code = "P2002"


class ForeignKeyViolationError(DataError):
    """The row that is pointed to does not exist."""

    code = "P2003"


class MissingRequiredValueError(DataError):
    """A column that may not be empty was left out."""

    code = "P2012"


class TableNotFoundError(DataError):
    """No such table."""

    code = "P2021"


class RecordNotFoundError(DataError):
    """No row where there had to be one."""

    code = "P2025"


class RawQueryError(DataError):
    """PostgreSQL refused a statement."""

    code = "P2010"


class UnreachableDatabaseError(DataError):
    """Nobody listens, or the session ended."""

    code = "P1001"


KINDS = {
    psycopg.errors.UniqueViolation: UniqueViolationError,
    psycopg.errors.ForeignKeyViolation: ForeignKeyViolationError,
    psycopg.errors.NotNullViolation: MissingRequiredValueError,
}


def translated(error: psycopg.Error) -> PrismaError:
    """The same as Prisma would say it."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return UnreachableDatabaseError(f"Can't reach database server: {error}")
    return KINDS.get(type(error), RawQueryError)(str(error))
