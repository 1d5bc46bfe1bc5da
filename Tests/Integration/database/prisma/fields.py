"""Wrappers that callers put around values."""


class Json:
    """A value for a JSON column."""

    def __init__(self, data: object) -> None:
        self.data = data


class Base64(str):
    """Bytes as text."""
