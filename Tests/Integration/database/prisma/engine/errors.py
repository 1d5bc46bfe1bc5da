"""Errors that the query engine would raise."""

from ..errors import PrismaError


class EngineConnectionError(PrismaError):
    """Never raised: without an engine there is no connection to it."""
