"""Stands in for the Prisma client of LiteLLM: the same calls, answered by PostgreSQL through psycopg.

Prisma's own client asks a query engine, a binary that its command downloads when it generates the client; neither the
Python package index nor Debian has it. LiteLLM itself, its schema, its migrations and the database are the real ones.
What LiteLLM never calls here is missing, and a call that is not understood raises.
"""

from . import engine, errors, models, types
from .client import Prisma
from .fields import Base64, Json

__all__ = ["Base64", "Json", "Prisma", "engine", "errors", "models", "types"]
