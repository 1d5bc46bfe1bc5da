"""The generated client has a typed dictionary here for every argument; at run time each of them is a dict."""


def __getattr__(name: str) -> type[dict]:
    if name.startswith("__"):
        raise AttributeError(name)
    return dict
