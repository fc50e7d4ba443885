"""Parameters against the model."""

from __future__ import annotations

import io
import types
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance import accepts
from tests.support.tiny_model import list_of, map_of, operation, structure
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation
from tornado_aws.validation import faults, validator

SHAPES = {
    "Name": {"type": "string", "min": 3},
    "Count": {"type": "integer", "min": 1},
    "Rate": {"type": "double", "min": 0.5},
    "Value": structure({"S": "string", "N": "string", "L": "Values", "M": "Attributes"}),
    "Values": list_of("Value"),
    "Attributes": map_of("Value"),
    "Names": list_of("Name", min=1),
    "Choice": structure({"A": "string", "B": "integer"}, union=True),
    "Free": {"type": "structure", "members": {}, "document": True},
    "Secret": {"type": "string", "sensitive": True, "min": 8},
    "Pin": {"type": "integer", "sensitive": True, "min": 1000},
    "Secrets": map_of("Count", sensitive=True),
    "Stream": {"type": "blob", "streaming": True},
    "Sparse": list_of("string", sparse=True),
    "SparseMap": map_of("string", sparse=True),
}
MEMBERS: Mapping[str, Any] = {
    "TableName": "Name",
    "Limit": "Count",
    "Rate": "Rate",
    "Item": "Attributes",
    "Names": "Names",
    "Choice": "Choice",
    "Free": "Free",
    "Secret": "Secret",
    "Pin": "Pin",
    "Secrets": "Secrets",
    "Flag": "boolean",
    "Data": "blob",
    "At": "timestamp",
    "Body": "Stream",
    "Sparse": "Sparse",
    "SparseMap": "SparseMap",
    "Long": "long",
    "Text": "string",
    "Key": {"shape": "string", "location": "uri", "locationName": "Key"},
    "Header": {"shape": "string", "location": "header", "jsonvalue": True},
    "Token": {"shape": "string", "idempotencyToken": True},
}
OPERATION = operation(MEMBERS, shapes=SHAPES)


def found(params: Any, subject: Operation = OPERATION) -> list[str]:
    """Return the faults of parameters, and check that the quick answer does not contradict them."""
    assert subject.input is not None
    result = faults(subject.input, params)
    assert not (accepts(subject.input, params) and result)
    return result


def deep(levels: int) -> dict[str, Any]:
    """Return a value nested in so many lists."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


async def chunks() -> AsyncIterator[bytes]:
    """Yield a chunk."""
    yield b"x"


class Level(StrEnum):
    """Text with names."""

    HIGH = "high"


class Mixed(str, Enum):  # noqa: UP042 - what users still have
    """Text with names, in the older style."""

    HIGH = "high"


class Text(str):
    """A text of somebody's own."""

    __slots__ = ()


RIGHT: list[dict[str, Any]] = [
    {},
    {"TableName": "abc", "Limit": 1, "Rate": 0.5},
    {"Rate": 1},
    {"Rate": Decimal("1.5")},
    {"Rate": float("inf")},
    {"Long": 2**80},
    {"TableName": Level.HIGH},
    {"TableName": Mixed.HIGH},
    {"TableName": Text("own")},
    {"Item": {"a": {"L": [{"M": {"b": {"N": "1"}}}]}}},
    {"Item": OrderedDict(a={"S": ""})},
    {"Item": types.MappingProxyType({"a": {"S": ""}})},
    {"Names": ("abc", "def")},
    {"Names": {"abc"}},
    {"Choice": {"A": ""}},
    {"Free": None},
    {"Free": {"a": [1, 2.5, None, True, "x", {}]}},
    {"Free": [1, (2, 3)]},
    {"Header": [1, {"a": None}]},
    {"Data": b"x"},
    {"Data": bytearray(b"x")},
    {"Data": memoryview(b"x")},
    {"Data": "text"},
    {"Data": io.BytesIO(b"x")},
    {"Body": Path("file")},
    {"Body": chunks()},
    {"Body": iter([b"x"])},
    {"At": datetime(2026, 1, 1)},
    {"At": datetime(2026, 1, 1, tzinfo=UTC)},
    {"At": 0},
    {"At": -1.5},
    {"At": "2026-01-01T00:00:00Z"},
    {"At": "1700000000"},
    {"Sparse": ["a", None], "SparseMap": {"a": None}},
]


@pytest.mark.parametrize("params", RIGHT, ids=repr)
def test_right_parameters_have_no_faults(params: dict[str, Any]) -> None:
    """Everything that can be sent is let pass: by the walk, and so by the operation's validator."""
    assert found(params) == []
    validator(OPERATION)(params)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"Limit": "1"}, ["Limit: expected an int, got a str"]),
    ({"Limit": True}, ["Limit: expected an int, got bool"]),
    ({"Limit": 1.0}, ["Limit: expected an int, got float"]),
    ({"Limit": 0}, ["Limit: expected at least 1, got 0"]),
    ({"Rate": 0.25}, ["Rate: expected at least 0.5, got 0.25"]),
    ({"Rate": "1"}, ["Rate: expected a float, an int or a Decimal, got a str"]),
    ({"Rate": True}, ["Rate: expected a float, an int or a Decimal, got bool"]),
    ({"TableName": "ab"}, ["TableName: expected a length of at least 3, got 2"]),
    ({"TableName": b"abc"}, ["TableName: expected a str, got bytes"]),
    ({"TableName": None}, ["TableName: expected a str, got None"]),
    ({"Flag": 1}, ["Flag: expected a bool, got int"]),
    ({"Item": []}, ["Item: expected a dict, got list"]),
    ({"Item": {"a": {"L": {}}}}, ["Item.a.L: expected a list, got dict"]),
    (
        {"Item": {"attr": {"L": [{"S": ""}, {"S": ""}, {"S": ""}, {"S": 5}]}}},
        ["Item.attr.L[3].S: expected a str, got int"],
    ),
    ({"Item": {5: {"S": ""}}}, ["Item.5 (the key): expected a str, got int"]),
    ({"Item": {"a": None}}, ["Item.a: expected a dict, got None"]),
    ({"Item": {"a": {"X": 1}}}, ["Item.a.X: unknown; the members are S, N, L, M"]),
    ({"TabelName": "abc"}, ["TabelName: unknown; did you mean TableName?"]),
    ({"Names": []}, ["Names: expected a length of at least 1, got 0"]),
    ({"Names": "abc"}, ["Names: expected a list, got a str"]),
    ({"Names": ["abc", "d"]}, ["Names[1]: expected a length of at least 3, got 1"]),
    ({"Choice": {}}, ["Choice: expected exactly one of A, B, got none"]),
    ({"Choice": {"A": "", "B": 1}}, ["Choice: expected exactly one of A, B, got A and B"]),
    ({"Data": 5}, ["Data: expected bytes, a str or a binary file, got int"]),
    ({"Data": ["x"]}, ["Data: expected bytes, a str or a binary file, got list"]),
    ({"At": True}, ["At: expected a datetime, seconds since 1970 or ISO 8601 text, got bool"]),
    ({"At": []}, ["At: expected a datetime, seconds since 1970 or ISO 8601 text, got list"]),
    ({"Key": ""}, ["Key: empty, and it is part of the URL"]),
    ({"Header": {1j}}, ["Header: cannot be written as JSON: Object of type set is not JSON "]),
    ({"Sparse": [5]}, ["Sparse[0]: expected a str, got int"]),
    (
        {"Free": {"a": [float("nan")]}},
        ["Free.a[0]: NaN and the infinities have no form in a JSON document"],
    ),
    ({"Free": {"a": b""}}, ["Free.a: expected None, a bool, int, float, str, list or dict, got "]),
    ({"Free": {1: 2}}, ["Free: expected str keys, got int"]),
    (
        {"Limit": 0, "Flag": "", "Item": {"a": {"S": 1}, "b": {"N": 2}}},
        [
            "Limit: expected at least 1, got 0",
            "Flag: expected a bool, got a str",
            "Item.a.S: expected a str, got int",
            "Item.b.N: expected a str, got int",
        ],
    ),
]


@pytest.mark.parametrize(("params", "expected"), WRONG, ids=[repr(case[0]) for case in WRONG])
def test_every_fault_is_named_with_its_path(params: dict[str, Any], expected: list[str]) -> None:
    """Each fault says where it is, what was expected and what was found; none is forgotten."""
    got = found(params)
    assert len(got) == len(expected)
    assert all(fault.startswith(start) for fault, start in zip(got, expected, strict=True)), got


def test_a_streaming_blob_takes_more_but_not_everything() -> None:
    """A number or a dict is no stream."""
    expected = "Body: expected bytes, a str, a binary file, a path or an (async) iterable of bytes"
    assert found({"Body": 5}) == [f"{expected}, got int"]
    assert found({"Body": {}}) == [f"{expected}, got dict"]


def test_missing_members_are_named_at_any_depth() -> None:
    """A required member that is missing is a fault, with the path that it would have."""
    shapes = {"Inner": structure({"A": "string", "B": "string"}, required=["A", "B"])}
    subject = operation(
        {"Name": "string", "Inner": "Inner"}, shapes=shapes, input_traits={"required": ["Name"]}
    )
    assert found({"Inner": {"B": ""}}, subject) == [
        "Name: missing, and it is required",
        "Inner.A: missing, and it is required",
    ]


def test_a_required_idempotency_token_may_be_missing() -> None:
    """A token is made up when there is none, so nobody has to give one."""
    members = {"Token": MEMBERS["Token"], "Name": "string"}
    subject = operation(members, input_traits={"required": ["Token", "Name"]})
    validator(subject)({"Name": "x"})
    with pytest.raises(ParamValidationError, match="Name: missing"):
        validator(subject)({"Token": "x"})


def test_a_host_label_must_not_be_empty() -> None:
    """A parameter that becomes part of the host name has at least one character."""
    subject = operation({"Account": {"shape": "string", "hostLabel": True}})
    assert found({"Account": ""}, subject) == ["Account: empty, and it is part of the URL"]


def test_an_operation_without_input_takes_nothing() -> None:
    """Any parameter is unknown to it."""
    validate = validator(operation())
    validate({})
    with pytest.raises(ParamValidationError, match="Any: unknown; there are no members"):
        validate({"Any": 1})


def test_sensitive_values_are_not_shown() -> None:
    """Neither values nor keys that the model calls sensitive become part of an error's text."""
    texts = found({"Secret": 12345678, "Pin": 42, "Secrets": {"hunter2": "x", "passw0rd": 0}})
    assert texts == [
        "Secret: expected a str, got int",
        "Pin: expected at least 1000",
        "Secrets.*: expected an int, got a str",
        "Secrets.*: expected at least 1",
    ]


def test_the_error_has_the_operation_and_all_faults() -> None:
    """The error's attributes and its text tell the same."""
    with pytest.raises(ParamValidationError) as caught:
        validator(OPERATION)({"Limit": 0, "Flag": 0})
    error = caught.value
    assert error.operation == "Try"
    assert error.faults == ["Limit: expected at least 1, got 0", "Flag: expected a bool, got int"]
    assert str(error) == "Invalid parameters for Try:\n  " + "\n  ".join(error.faults)


def test_deep_nesting_is_right_or_a_clear_fault() -> None:
    """A hundred levels are fine; what the interpreter cannot follow is said to be too deep."""
    assert found({"Item": {"a": deep(100)}}) == []
    cycle: dict[str, Any] = {}
    cycle["L"] = [cycle]
    for value in (deep(10_000), cycle):
        assert found({"Item": {"a": value}}) == [
            "the parameters are nested too deeply, or they hold themselves"
        ]


def test_a_shape_or_a_use_of_one_can_be_validated() -> None:
    """A structure can be checked by itself."""
    shape = OPERATION.model.shape("Choice")
    with pytest.raises(ParamValidationError, match="exactly one of A, B"):
        validator(shape)({})
    assert OPERATION.input is not None
    validator(OPERATION.input.shape.members["Choice"])({"B": 2})


def test_members_may_have_any_name() -> None:
    """Names that are no identifiers, keywords or names of methods are no trouble."""
    names = ["from", "class", "x-amz-key", "__init__", "9", "self", "m0"]
    subject = operation(dict.fromkeys(names, "string"), input_traits={"required": ["m0"]})
    assert found(dict.fromkeys(names, "x"), subject) == []
    assert found({"class": 5, "m0": ""}, subject) == ["class: expected a str, got int"]


def test_long_lists_of_names_are_cut() -> None:
    """An error names a dozen members and the number of the rest."""
    subject = operation({f"Member{index:02}": "string" for index in range(20)})
    assert found({"x": 1}, subject)[0].endswith("Member11 and 8 more")


@pytest.mark.parametrize("value", [{}, {"S": "x"}, deep(3)], ids=repr)
def test_plain_right_values_need_no_walk(value: dict[str, Any]) -> None:
    """The quick answer for ordinary parameters is yes."""
    assert OPERATION.input is not None
    params = {"Item": {"a": value}, "Data": b"", "At": datetime(2026, 1, 1), "Free": {}}
    assert accepts(OPERATION.input, params)
