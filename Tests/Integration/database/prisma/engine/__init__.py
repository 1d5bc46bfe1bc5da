"""There is no query engine; LiteLLM looks up its errors."""

from . import errors

__all__ = ["errors"]
