"""The protocol test vectors that AWS publishes, called through generated clients.

``protocol-vectors.json.xz`` holds those of botocore (``tests/unit/protocols`` of its source
distribution, Apache License 2.0) for the JSON protocols, without their texts.
``python -m tests.conformance.vectors FOLDER`` packs them anew from such a folder.
"""

from __future__ import annotations

import importlib
import json
import lzma
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from codegen.load import SERVICE, Model, Source
from codegen.manifest import Wishes
from codegen.pipeline import generate
from codegen.spelling import method_name
from tornado_aws.service import ServiceClient

FILE = Path(__file__).with_name("protocol-vectors.json.xz")
PACKED = ("json", "json_1_0", "json_1_0-query-compatible")
TEXTS = ("documentation", "description")
Json = Any


class Vector(NamedTuple):
    """A case.

    Attributes:
        name: the file it is from, and its id there.
        suite: the metadata, shapes and endpoint around it.
        case: the operation (``given``) and what is given and expected.
    """

    name: str
    suite: Json
    case: Json


@cache
def _all() -> Json:
    return json.loads(lzma.decompress(FILE.read_bytes()))


def vectors(direction: str) -> Iterator[Vector]:
    """Yield the cases of ``input`` or ``output``."""
    for file, directions in _all().items():
        for at, suite in enumerate(directions[direction]):
            for number, case in enumerate(suite["cases"]):
                yield Vector(f"{file}-{case.get('id', f'{at}.{number}')}", suite, case)


def package(vector: Vector, folder: Path) -> ModuleType:
    """Generate the client of a case's one operation into `folder`, which can be imported from."""
    given, suite = vector.case["given"], vector.suite
    name = given.get("name", "OperationName")
    metadata = {
        "apiVersion": "2014-01-01",
        "endpointPrefix": "vectors",
        "serviceFullName": "Vectors",
        "serviceId": "Vectors",
        "targetPrefix": "Vectors",
        "jsonVersion": "1.0",
        **suite["metadata"],
    }
    service = {
        "metadata": metadata,
        "operations": {name: {"http": {"method": "POST", "requestUri": "/"}, **given}},
        "shapes": suite["shapes"],
    }
    module = "vectors_" + "".join(each if each.isalnum() else "_" for each in vector.name)
    source = Source(module, metadata["apiVersion"], folder)
    made = generate(Model(source, {SERVICE: service}, ""), Wishes())
    (folder / module).mkdir()
    for file, text in made.files.items():
        (folder / module / file).write_text(text)
    importlib.invalidate_caches()
    return importlib.import_module(module)


def client_classes(module: ModuleType) -> list[type[ServiceClient]]:
    """Return the client classes of a generated package: one."""
    found = vars(module).values()
    return [each for each in found if isinstance(each, type) and issubclass(each, ServiceClient)]


def method_of(vector: Vector) -> str:
    """Return the name of the method of a case's operation."""
    return method_name(vector.case["given"].get("name", "OperationName"))


_SPECIAL: Mapping[str, float] = {
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
    "NaN": float("nan"),
}


def special_floats(value: Any, use: Json, shapes: Json) -> Any:
    """Return parameters with the floats that JSON has no numbers for."""
    shape = shapes[use["shape"]]
    if shape["type"] in ("float", "double") and isinstance(value, str):
        return _SPECIAL[value]
    if shape["type"] == "structure" and isinstance(value, dict) and not shape.get("document"):
        members = shape.get("members", {})
        return {
            name: special_floats(each, members[name], shapes) if name in members else each
            for name, each in value.items()
        }
    if shape["type"] == "list" and isinstance(value, list):
        return [special_floats(each, shape["member"], shapes) for each in value]
    return value


def plain(value: Any) -> Any:
    """Return a result as the vectors write it."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, float):
        return next((name for name, each in _SPECIAL.items() if repr(each) == repr(value)), value)
    return value


def _pack(folder: Path) -> None:
    packed = {
        name: {
            direction: _stripped(json.loads((folder / direction / f"{name}.json").read_text()))
            for direction in ("input", "output")
        }
        for name in PACKED
    }
    text = json.dumps(packed, separators=(",", ":"), sort_keys=True)
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


def _stripped(value: Any) -> Any:
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _stripped(each)
        for key, each in value.items()
        if not (key in TEXTS and isinstance(each, str))
    }


if __name__ == "__main__":
    _pack(Path(sys.argv[1]))
