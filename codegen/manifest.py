"""What a folder of models says of itself in its ``codegen.toml``, which may be missing.

.. code-block:: toml

    [dynamodb]                                  # the name of the service's folder
    operations = ["GetItem", "PutItem"]         # generate these only

    [my-service.methods]
    Import = "import_data"                      # operation = name of its method

    [my-service.parameters.CreateReport]
    from = "from_time"                          # member = name of its parameter
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import Fault, FaultyModel, nearest
from .override import Method, Override, Parameter

FILE = "codegen.toml"
REASON = f"of {FILE}"
KEYS = ("operations", "methods", "parameters")


@dataclass(frozen=True)
class Wishes:
    """What is wanted of one service.

    Attributes:
        operations: names of the operations to generate, None for all.
        overrides: names for what Python or the client has no place for.
    """

    operations: Sequence[str] | None = None
    overrides: Sequence[Override] = ()


def read_manifest(models: Path, services: Sequence[str]) -> dict[str, Wishes]:
    """Read the manifest of a folder of models.

    Args:
        models: the folder.
        services: the services that it has.

    Returns:
        What is wanted, by service; services that it does not name are not there.

    Raises:
        FaultyModel: the manifest is not TOML or says what nobody understands.
    """
    path = models / FILE
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultyModel([Fault(path, "", f"this is not TOML: {error}")]) from error
    found = [
        finding for service, entry in data.items() for finding in _faults(service, entry, services)
    ]
    if found:
        raise FaultyModel(Fault(path, place, message) for place, message in found)
    return {service: _wishes(service, entry) for service, entry in data.items()}


def _faults(service: str, entry: object, services: Sequence[str]) -> Iterator[tuple[str, str]]:
    if service not in services:
        yield f"[{service}]", f"there is no model of it{nearest(service, services)}"
    if not isinstance(entry, dict):
        yield service, "should be a table"
        return
    for key in entry:
        if key not in KEYS:
            yield f"[{service}], {key}", f"is not one of {', '.join(KEYS)}{nearest(key, KEYS)}"
    operations = entry.get("operations", [])
    if not isinstance(operations, list) or not all(isinstance(each, str) for each in operations):
        yield f"[{service}], operations", "should be an array of names"
    if not _is_names(entry.get("methods", {})):
        yield f"[{service}.methods]", "should be a table of names"
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict) or not all(map(_is_names, parameters.values())):
        yield f"[{service}.parameters]", "should be a table of names for each operation"


def _is_names(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value.values())


def _wishes(service: str, entry: Mapping[str, Any]) -> Wishes:
    methods = [
        Method(service, operation, name, REASON)
        for operation, name in entry.get("methods", {}).items()
    ]
    parameters = [
        Parameter(service, operation, member, name, REASON)
        for operation, names in entry.get("parameters", {}).items()
        for member, name in names.items()
    ]
    return Wishes(entry.get("operations"), (*methods, *parameters))
