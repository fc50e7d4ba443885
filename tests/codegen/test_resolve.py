"""The wire data says of operations and shapes what botocore reads from the same models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.model
import pytest

from codegen.importer import data_folder
from codegen.load import find, load
from codegen.resolve import LEFT_OUT, resolve
from codegen.select import select
from codegen.shapes import read_shape
from tornado_aws.model import Ref, ServiceModel

# One of each protocol, and those with the most unusual traits.
SERVICES = ["dynamodb", "s3", "cloudwatch", "cloudfront", "apigatewayv2", "iot-jobs-data", "rds"]
ROOT = Path(__file__).parents[2]


def models(service: str) -> tuple[ServiceModel, botocore.model.ServiceModel]:
    """Read a service by way of its wire data, and as botocore does."""
    (source,) = find(data_folder(), [service])
    model = load(source)
    wire = resolve(select(model))
    return (
        ServiceModel(wire.service, wire.operations, wire.shapes),
        botocore.model.ServiceModel(model.service, service),
    )


def pairs(ours: Ref | None, theirs: Any) -> Iterator[tuple[Ref, Any]]:
    """Walk through both models side by side, each shape once."""
    seen = set()
    waiting = [(ours, theirs)] if ours is not None else []
    while waiting:
        ref, shape = waiting.pop()
        yield ref, shape
        if shape.name in seen:
            continue
        seen.add(shape.name)
        if ref.shape.type == "structure":
            assert list(ref.shape.members) == list(shape.members)
            waiting += [(each, shape.members[name]) for name, each in ref.shape.members.items()]
        elif ref.shape.type == "list":
            waiting.append((ref.shape.member, shape.member))
        elif ref.shape.type == "map":
            waiting += [(ref.shape.key, shape.key), (ref.shape.value, shape.value)]


def traits(shape: Any) -> dict[str, Any]:
    """Return what botocore knows of a shape and the wire may depend on."""
    serialization = dict(shape.serialization)
    if "name" in serialization:
        serialization["locationName"] = serialization.pop("name")
    known = {**shape.metadata, **serialization}
    return {key: value for key, value in known.items() if key not in LEFT_OUT | {"required"}}


@pytest.mark.parametrize("service", SERVICES)
def test_the_wire_data_holds_what_botocore_reads(service: str) -> None:
    """Types, members in order, traits of uses and shapes, requirements and operations agree."""
    ours, theirs = models(service)
    assert ours.operation_names == list(theirs.operation_names)
    for name in ours.operation_names:
        operation, expected = ours.operation(name), theirs.operation_model(name)
        assert operation.http_method == expected.http.get("method", "POST")
        assert operation.request_uri == expected.http.get("requestUri", "/")
        assert operation.traits.get("endpoint") == expected.endpoint
        assert operation.traits.get("authtype") == expected.auth_type
        assert operation.traits.get("httpChecksum", {}) == expected.http_checksum
        assert set(operation.errors) == {each.name for each in expected.error_shapes}
        for use, shape in (
            (operation.input, expected.input_shape),
            (operation.output, expected.output_shape),
        ):
            assert (use is None) == (shape is None)
            for ref, other in pairs(use, shape):
                assert ref.shape.name == other.name
                assert ref.shape.type == other.type_name
                assert list(ref.shape.required) == other.metadata.get("required", [])
                expected_traits = traits(other)
                assert {key: ref.traits.get(key) for key in expected_traits} == expected_traits


@pytest.mark.parametrize("service", SERVICES)
def test_no_shape_is_there_for_nothing(service: str) -> None:
    """The shapes are those that operations and errors reach."""
    ours, _ = models(service)
    lines = list(ours._shape_lines)
    reached = {name for name in lines if ours.shape(name).traits.get("exception")}
    for name in ours.operation_names:
        operation = ours.operation(name)
        reached.update(operation.errors)
        reached.update(use.shape.name for use in (operation.input, operation.output) if use)
    waiting = list(reached)
    while waiting:
        shape = ours.shape(waiting.pop())
        uses = list(shape.members.values())
        uses += [shape.member] if shape.type == "list" else []
        uses += [shape.key, shape.value] if shape.type == "map" else []
        new = {use.shape.name for use in uses} - reached
        reached |= new
        waiting += new
    assert set(lines) == reached
    assert lines == sorted(lines)


def test_a_type_of_old_models_is_called_as_today() -> None:
    """The runtime knows no characters, which are short texts."""
    shape = read_shape("Letter", {"type": "character", "max": 1})
    assert (shape.type, shape.traits) == ("string", {"type": "string", "max": 1})
