"""The rows that are handed out, one class a table."""

import pydantic

from .schema import MODELS


def _row_class(name: str) -> type[pydantic.BaseModel]:
    names = [*MODELS[name].fields, *MODELS[name].relations]
    settings = pydantic.ConfigDict(protected_namespaces=())
    return pydantic.create_model(name, __config__=settings, **{each: (object, None) for each in names})


ROWS = {name: _row_class(name) for name in MODELS}


def __getattr__(name: str) -> type[pydantic.BaseModel]:
    try:
        return ROWS[name]
    except KeyError:
        raise AttributeError(name) from None
