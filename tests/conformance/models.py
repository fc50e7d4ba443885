"""The services of botocore's data folder, each as this library's model and as botocore's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import botocore
import botocore.model
import msgspec
from botocore.utils import deep_merge

from tornado_aws.model import ServiceModel, Shape
from tornado_aws.protocols import choose

DATA = Path(botocore.__file__).parent / "data"


class _Head(msgspec.Struct):
    metadata: dict[str, Any]


@cache
def _files() -> Mapping[str, Path]:
    """Service name -> its newest ``service-2.json.gz``."""
    newest = {}
    for path in sorted(DATA.glob("*/*/service-2.json.gz")):
        newest[path.parent.parent.name] = path
    return newest


@cache
def protocols() -> Mapping[str, str]:
    """Service name -> the protocol it is spoken to in, for every service."""
    decode = msgspec.json.Decoder(_Head).decode
    return {
        name: choose(decode(gzip.decompress(path.read_bytes())).metadata)
        for name, path in _files().items()
    }


def services(protocol: str) -> list[str]:
    """Names of the services spoken to in `protocol`, sorted."""
    return sorted(name for name, spoken in protocols().items() if spoken == protocol)


@lru_cache(maxsize=8)
def load(service: str) -> dict[str, Any]:
    """Return the service's model as botocore's loader gives it, extras merged."""
    path = _files()[service]
    model: dict[str, Any] = msgspec.json.decode(gzip.decompress(path.read_bytes()))
    extras = path.with_name("service-2.sdk-extras.json")
    if extras.exists():
        deep_merge(model, json.loads(extras.read_text()).get("merge", {}))
    return model


def wire_model(model: Mapping[str, Any]) -> ServiceModel:
    """Return a botocore-style model (a dict) as this library's `ServiceModel`."""
    return ServiceModel(
        json.dumps(model["metadata"]),
        _lines(model.get("operations", {})),
        _lines(model.get("shapes", {})),
    )


@lru_cache(maxsize=8)
def ours(service: str) -> ServiceModel:
    """Return this library's model of a service."""
    return wire_model(load(service))


@lru_cache(maxsize=8)
def theirs(service: str) -> botocore.model.ServiceModel:
    """Return botocore's model of a service."""
    return botocore.model.ServiceModel(load(service), service)


def has_event_stream(shape: Shape | None) -> bool:
    """Tell whether a parameters' or a result's structure has an event stream for a member."""
    members = shape.members.values() if shape is not None else ()
    return any(member.traits.get("eventstream") for member in members)


def _lines(items: Mapping[str, Any]) -> str:
    text = "".join(f"{name} {_encode(_bare(data)).decode()}\n" for name, data in items.items())
    # What ends a line for Python and may stand in JSON as it is.
    for character in "\x85\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_encode = msgspec.json.Encoder().encode


def _bare(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the documentation texts of a shape or an operation, and of its members, out."""
    bare = {key: value for key, value in data.items() if key != "documentation"}
    if "members" in bare:
        bare["members"] = {
            name: {key: value for key, value in use.items() if key != "documentation"}
            for name, use in bare["members"].items()
        }
    return bare
