"""The protocol test vectors that AWS publishes, called through generated clients.

``protocol-vectors.json.xz`` holds those of botocore (``tests/unit/protocols`` of its source
distribution, Apache License 2.0), without their texts.
``python -m tests.conformance.vectors FOLDER`` packs them anew from such a folder.
"""

from __future__ import annotations

import base64
import importlib
import json
import lzma
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from xml.etree import ElementTree

from codegen.load import SERVICE, Model, Source
from codegen.manifest import Wishes
from codegen.pipeline import generate
from codegen.spelling import method_name
from tornado_aws.protocols import cbor
from tornado_aws.service import ServiceClient
from tornado_aws.streams import StreamingBody

FILE = Path(__file__).with_name("protocol-vectors.json.xz")
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
    output = given.get("output")
    if output and metadata["protocol"] == "query" and suite["shapes"][output["shape"]]["members"]:
        given = {**given, "output": {**output, "resultWrapper": f"{name}Result"}}
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


def _json_or_text(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _xml_or_text(body: bytes) -> Any:
    try:
        return ElementTree.canonicalize(body.decode(), strip_text=True)
    except ElementTree.ParseError:
        return body


# Reads a body so that what means the same is the same.
BODIES: Mapping[str, Callable[[bytes], Any]] = {
    "json": lambda body: json.loads(body or b"{}"),
    "rest-json": _json_or_text,
    "rest-xml": _xml_or_text,
    "query": lambda body: sorted(body.split(b"&")),
    "ec2": lambda body: sorted(body.split(b"&")),
    "smithy-rpc-v2-cbor": lambda body: plain(cbor.loads(body)) if body else {},
}
# An answer that says nothing.
EMPTY: Mapping[str, bytes] = {
    "json": b"{}",
    "rest-json": b"{}",
    "rest-xml": b"",
    "query": b"<r/>",
    "ec2": b"<r/>",
    "smithy-rpc-v2-cbor": b"\xa0",
}


def wanted_headers(protocol: str, wanted: Json) -> Iterator[tuple[str, str]]:
    """Yield the headers that a request should have, but for types that botocore leaves out, too."""
    for name, value in wanted.get("headers", {}).items():
        is_type = name.lower() == "content-type"
        if is_type and protocol in ("query", "ec2"):
            yield name, f"{value}; charset=utf-8"
        elif not is_type or protocol not in ("rest-xml", "rest-json"):
            yield name, value


async def read_streams(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with the contents of its streams."""
    return {
        name: await value.read() if isinstance(value, StreamingBody) else value
        for name, value in result.items()
    }


def answered_body(protocol: str, text: str) -> bytes:
    """Return the body of an answer; that of CBOR is written in Base64."""
    return base64.b64decode(text) if protocol == "smithy-rpc-v2-cbor" else text.encode()


def wanted_body(protocol: str, text: str) -> Any:
    """Return the body that a request should have, as `BODIES` read it."""
    return BODIES[protocol](answered_body(protocol, text))


def _pack(folder: Path) -> None:
    packed = {
        path.stem: {
            direction: _stripped(json.loads((folder / direction / path.name).read_text()))
            for direction in ("input", "output")
        }
        for path in sorted((folder / "input").glob("*.json"))
    }
    text = json.dumps(packed, separators=(",", ":"))
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
