"""What Compose makes of a file and an override, for a podman-compose that cannot read every tag.

The rules are those of https://docs.docker.com/reference/compose-file/merge/: `!reset` and `!override` first take out
what was there, in what is extended too; mappings are merged, sequences appended, commands replaced.
"""

import re
from copy import deepcopy
from pathlib import Path

import yaml

REPLACED = {("command",), ("entrypoint",), ("healthcheck", "test")}
"""What of a service is replaced, not appended to."""
KEYED = {"environment": "=", "labels": "="}
"""What may be written as a list or as a mapping."""


class Tagged:
    """A value with `!reset` or `!override`."""

    def __init__(self, value: object, is_kept: bool) -> None:
        self.value = value
        self.is_kept = is_kept


class Loader(yaml.SafeLoader):
    """Reads the tags of Compose."""


def tagged(loader: Loader, suffix: str, node: yaml.Node) -> Tagged:
    if suffix not in ("reset", "override"):
        raise ValueError(f"unknown tag !{suffix}")
    if isinstance(node, yaml.MappingNode):
        value: object = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)
    return Tagged(value, is_kept=suffix == "override")


Loader.add_multi_constructor("!", tagged)


def load(path: Path, variables: dict[str, str]) -> dict:
    """A file with its variables put in."""
    return filled(yaml.load(path.read_text(), Loader), variables)


def filled(value: object, variables: dict[str, str]) -> object:
    match value:
        case str():
            return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda found: variables.get(found[1]) or found[2] or "", value)
        case Tagged():
            return Tagged(filled(value.value, variables), value.is_kept)
        case list():
            return [filled(element, variables) for element in value]
        case dict():
            return {key: filled(element, variables) for key, element in value.items()}
    return value


def with_override(base: Path, override: Path, variables: dict[str, str]) -> dict:
    """The project of a file and an override that may extend services of it."""
    project, changes = load(base, variables), load(override, variables)
    for service in changes["services"].values():
        if extends := service.pop("extends", None):
            source = load(base.parent / extends["file"], variables)["services"][extends["service"]]
            service |= merged(normal(source), normal(service))
    services = {name: normal(service) for name, service in project["services"].items()}
    for name, service in changes["services"].items():
        services[name] = merged(services.get(name, {}), normal(service))
    volumes = (project.get("volumes") or {}) | (changes.get("volumes") or {})
    return project | {"services": services, "volumes": volumes}


def normal(service: dict) -> dict:
    """The same with mappings where a list is short for one."""
    result = deepcopy(service)
    for key, separator in KEYED.items():
        if isinstance(result.get(key), list):
            result[key] = dict(entry.split(separator, 1) for entry in result[key])
    for key, default in (("depends_on", {"condition": "service_started"}), ("networks", None)):
        if isinstance(result.get(key), list):
            result[key] = dict.fromkeys(result[key], default)
    return result


def merged(base: object, change: object, path: tuple[str, ...] = ()) -> object:
    if isinstance(base, dict) and isinstance(change, dict):
        result = dict(base)
        for key, value in change.items():
            if isinstance(value, Tagged):
                result.pop(key, None)
                if value.is_kept:
                    result[key] = value.value
            else:
                result[key] = merged(result[key], value, (*path, key)) if key in result else value
        return result
    if isinstance(base, list) and isinstance(change, list) and path not in REPLACED:
        return base + change
    return change
