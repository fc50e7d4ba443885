"""query and ec2: names in forms, results, errors and what the body says of the response."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny_model import list_of, map_of, operation, service, structure
from tornado_aws.exceptions import ParamValidationError, ResponseParserError
from tornado_aws.protocols import HTTPParts, ec2, query
from tornado_aws.transport import Response

MOMENT = datetime(2014, 4, 29, 18, 30, 38, tzinfo=UTC)
SHAPES: dict[str, Any] = {
    "Texts": list_of("string"),
    "NamedTexts": {"type": "list", "member": {"shape": "string", "locationName": "item"}},
    "FlatTexts": list_of("string", flattened=True),
    "FlatNamed": {
        "type": "list",
        "member": {"shape": "Pair", "locationName": "p"},
        "flattened": True,
    },
    "Matrix": list_of("Texts"),
    "Map": map_of("integer"),
    "FlatMap": {
        "type": "map",
        "key": {"shape": "string", "locationName": "k"},
        "value": {"shape": "Pair", "locationName": "v"},
        "flattened": True,
    },
    "Pair": structure(
        {
            "left": {"shape": "string", "locationName": "leftName"},
            "right": {"shape": "integer", "locationName": "r", "queryName": "Q"},
            "Lists": "FlatNamed",
        }
    ),
    "Token": {"type": "string"},
}
MEMBERS: dict[str, Any] = {
    "text": "string",
    "Text": "string",
    "Number": "integer",
    "Double": "double",
    "Flag": "boolean",
    "Data": "blob",
    "At": "timestamp",
    "FlatHere": {"shape": "NamedTexts", "flattened": True, "locationName": "here"},
    "AtDate": {"shape": "timestamp", "timestampFormat": "rfc822"},
    "Pair": "Pair",
    **{name: name for name in SHAPES if name not in ("Pair", "Token")},
}


def pairs(protocol: ModuleType, **params: Any) -> list[tuple[str, str]]:
    """Return the form that parameters become, without action and version."""
    parts = protocol.serializer(operation(MEMBERS, shapes=SHAPES))(params)
    action, version, *rest = parse_qsl(parts.body.decode(), keep_blank_values=True)
    assert (action, version) == (("Action", "Try"), ("Version", "2026-01-01"))
    return rest


def test_the_parts_of_a_request() -> None:
    """The form is the body; path, query and host say nothing."""
    parts = query.serializer(operation(MEMBERS, shapes=SHAPES))({"Text": "a b", "Number": -1})
    assert parts == HTTPParts(
        "POST",
        "/",
        "",
        [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
        b"Action=Try&Version=2026-01-01&Text=a+b&Number=-1",
        "",
        None,
    )


def test_an_operation_without_input() -> None:
    """Without parameters there is the operation's name alone."""
    assert query.serializer(operation())({}).body == b"Action=Try&Version=2026-01-01"


SCALARS: list[tuple[dict[str, Any], str]] = [
    ({"Number": 0}, "0"),
    ({"Double": 1e16}, "1e+16"),
    ({"Double": float("inf")}, "Infinity"),
    ({"Double": float("nan")}, "NaN"),
    ({"Flag": False}, "false"),
    ({"Flag": True}, "true"),
    ({"Data": b"\xfb\xff"}, "+/8="),
    ({"Data": "text"}, "dGV4dA=="),
    ({"At": MOMENT}, "2014-04-29T18:30:38Z"),
    ({"AtDate": MOMENT}, "Tue, 29 Apr 2014 18:30:38 GMT"),
    ({"Text": ""}, ""),
    ({"Text": "a&b=c+d%20 é/\r\n~"}, "a&b=c+d%20 é/\r\n~"),
]


@pytest.mark.parametrize("protocol", [query, ec2])
@pytest.mark.parametrize(("params", "text"), SCALARS)
def test_scalars(protocol: ModuleType, params: dict[str, Any], text: str) -> None:
    """Both protocols write scalars alike, and quoting loses nothing."""
    assert pairs(protocol, **params) == [(next(iter(params)), text)]


TREES: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    (
        {"Texts": ["a", "b"]},
        {"Texts.member.1": "a", "Texts.member.2": "b"},
        {"Texts.1": "a", "Texts.2": "b"},
    ),
    ({"Texts": []}, {"Texts": ""}, {}),
    ({"NamedTexts": ["a"]}, {"NamedTexts.item.1": "a"}, {"NamedTexts.1": "a"}),
    ({"FlatTexts": ["a"]}, {"FlatTexts.1": "a"}, {"FlatTexts.1": "a"}),
    ({"FlatTexts": []}, {"FlatTexts": ""}, {}),
    ({"FlatNamed": [{"left": "a"}]}, {"p.1.leftName": "a"}, {"FlatNamed.1.LeftName": "a"}),
    ({"text": "a"}, {"text": "a"}, {"Text": "a"}),
    ({"FlatHere": ["a"]}, {"here.1": "a"}, {"Here.1": "a"}),
    ({"Matrix": [["a"]]}, {"Matrix.member.1.member.1": "a"}, {"Matrix.1.1": "a"}),
    (
        {"Map": {"a": 1}},
        {"Map.entry.1.key": "a", "Map.entry.1.value": "1"},
        {"Map.entry.1.Key": "a", "Map.entry.1.Value": "1"},
    ),
    ({"Map": {}}, {}, {}),
    (
        {"FlatMap": {"a": {"right": 1}}},
        {"FlatMap.1.k": "a", "FlatMap.1.v.r": "1"},
        {"FlatMap.1.K": "a", "FlatMap.1.V.Q": "1"},
    ),
    (
        {"Pair": {"left": "a", "right": 1}},
        {"Pair.leftName": "a", "Pair.r": "1"},
        {"Pair.LeftName": "a", "Pair.Q": "1"},
    ),
    ({"Pair": {}}, {}, {}),
    (
        {"Pair": {"Lists": [{"right": 1}]}},
        {"Pair.p.1.r": "1"},
        {"Pair.Lists.1.Q": "1"},
    ),
]


@pytest.mark.parametrize(("params", "in_query", "in_ec2"), TREES)
def test_paths(params: dict[str, Any], in_query: dict[str, str], in_ec2: dict[str, str]) -> None:
    """Each protocol has its own names for members, items and entries."""
    assert dict(pairs(query, **params)) == in_query
    assert dict(pairs(ec2, **params)) == in_ec2


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_survives_the_form(text: str) -> None:
    """What is quoted is read back as it was."""
    assert pairs(query, text=text) == [("text", text)]


def test_a_text_that_is_not_unicode_is_refused() -> None:
    """A lone surrogate is a fault of the parameters, not a crash."""
    with pytest.raises(ParamValidationError, match="surrogate"):
        pairs(query, text="\ud800")


def test_what_is_not_an_integer_cannot_smuggle_names() -> None:
    """Parameters that nobody validated add no parameters to the form."""
    with pytest.raises(ParamValidationError):
        pairs(query, Number="1&Action=Other")


def test_parameters_nested_too_deeply_are_refused() -> None:
    """Depth that the interpreter cannot follow is a fault of the parameters, not a crash."""
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"Next": value}
    subject = operation({"Node": "Node"}, shapes={"Node": structure({"Next": "Node"})})
    with pytest.raises(ParamValidationError, match="nested too deeply"):
        query.serializer(subject)({"Node": value})


def test_a_missing_token_is_made_up() -> None:
    """An idempotency token that the caller did not give comes from uuid4()."""
    subject = operation({"Token": {"shape": "string", "idempotencyToken": True}})
    with mock.patch("uuid.uuid4", return_value=uuid.UUID(int=1)):
        body = ec2.serializer(subject)({}).body
    assert body == b"Action=Try&Version=2026-01-01&Token=00000000-0000-0000-0000-000000000001"


OUTPUT: dict[str, Any] = {"Name": "string", "Numbers": "Numbers"}


def parse(protocol: ModuleType, body: str, **output_traits: Any) -> dict[str, Any]:
    subject = operation(
        None, OUTPUT, shapes={"Numbers": list_of("integer")}, output_traits=output_traits
    )
    result: dict[str, Any] = protocol.parser(subject)(Response(200, "OK", [], body.encode()))
    return result


def test_a_result_in_its_wrapper() -> None:
    """The result is inside the wrapper, the request's id beside it."""
    body = (
        "<TryResponse xmlns='urn:x'>\n<TryResult><Name>a</Name>"
        "<Numbers><member>1</member></Numbers></TryResult>"
        "<ResponseMetadata><RequestId>id</RequestId><BoxUsage>0.1</BoxUsage></ResponseMetadata>"
        "</TryResponse>"
    )
    assert parse(query, body, resultWrapper="TryResult") == {
        "Name": "a",
        "Numbers": [1],
        "ResponseMetadata": {"RequestId": "id", "BoxUsage": "0.1"},
    }


def test_a_result_without_wrapper() -> None:
    """EC2's result, and that of an operation without wrapper, are the root element's members."""
    assert parse(query, "<R><Name>a</Name></R>") == {"Name": "a"}
    assert parse(ec2, "<R><requestId>id</requestId><Name>a</Name></R>") == {
        "Name": "a",
        "ResponseMetadata": {"RequestId": "id"},
    }


@pytest.mark.parametrize("protocol", [query, ec2])
def test_an_operation_without_output(protocol: ModuleType) -> None:
    """There is nothing in the result but what the body says of the response."""
    read = protocol.parser(operation())
    response = Response(
        200,
        "OK",
        [],
        b"<R><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
        b"<requestId>id</requestId></R>",
    )
    assert read(response) == {"ResponseMetadata": {"RequestId": "id"}}


@pytest.mark.parametrize("protocol", [query, ec2])
@pytest.mark.parametrize("body", ["", "not XML", "{}", "<R>", "<!DOCTYPE R><R/>"])
def test_what_is_not_a_result_is_an_error(protocol: ModuleType, body: str) -> None:
    """A body that is not XML raises the library's error, which holds the response."""
    with pytest.raises(ResponseParserError) as caught:
        parse(protocol, body)
    assert caught.value.response.body == body.encode()


def test_a_missing_wrapper_is_an_error() -> None:
    """An answer of another operation, or of no service at all, is not taken for an empty result."""
    with pytest.raises(ResponseParserError, match="there is no TryResult"):
        parse(query, "<html><body/></html>", resultWrapper="TryResult")


FAULT = structure(
    {"Message": "string", "Limit": "integer"}, exception=True, error={"code": "Known"}
)
MODEL = service({"KnownFault": FAULT}, {})


@pytest.mark.parametrize("protocol", [query, ec2])
@pytest.mark.parametrize("code", ["Known", "KnownFault"])
@pytest.mark.parametrize(
    "body",
    [
        "<ErrorResponse xmlns='urn:x'><Error>{}</Error><RequestId>id</RequestId></ErrorResponse>",
        "<Response><Errors><Error>{}</Error></Errors><RequestID>id</RequestID></Response>",
        "<Error>{}</Error>",
        "<?xml version='1.0'?><!-- hello --><Error>\n{}</Error>",
    ],
)
def test_members_of_errors(protocol: ModuleType, code: str, body: str) -> None:
    """The modelled members are found in each form of an error."""
    inside = "<Code>Known</Code><Message>m</Message><Limit>3</Limit><Other>o</Other>"
    response = Response(400, "", [], body.format(inside).encode())
    assert protocol.error_parser(MODEL)(response, code) == {"Message": "m", "Limit": 3}


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("Unknown", "<Error><Message>m</Message></Error>"),
        ("Known", ""),
        ("Known", "<html><head><title>503</title><meta></head></html>"),
        ("Known", "<html/>"),
        ("Known", '{"Message": "m"}'),
        ("Known", "<Error><Limit>many</Limit></Error>"),
    ],
)
def test_errors_in_strange_forms_have_no_members(code: str, body: str) -> None:
    """An error that is not modelled, or not of the protocol, is still an error without members."""
    assert query.error_parser(MODEL)(Response(400, "", [], body.encode()), code) == {}
