"""Parameters and results outside the body."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.tiny_model import list_of, map_of, operation
from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation
from tornado_aws.protocols import http_binding
from tornado_aws.transport import Headers, Response

MOMENT = datetime(2019, 12, 16, 23, 48, 18, 250000, tzinfo=UTC)
SHAPES = {
    "Texts": list_of("string"),
    "Numbers": list_of("integer"),
    "Flags": list_of("boolean"),
    "Times": list_of("timestamp"),
    "Map": map_of("string"),
    "ListMap": map_of("Texts"),
}


def at(location: str, shape: str = "string", name: str | None = None, **traits: Any) -> Any:
    """Return a member at a location."""
    named = {"locationName": name} if name else {}
    return {"shape": shape, "location": location, **named, **traits}


def bound(uri: str, members: dict[str, Any], params: dict[str, Any]) -> http_binding.Bound:
    """Return what becomes of parameters."""
    subject = operation(members, shapes=SHAPES, http={"method": "GET", "requestUri": uri})
    return http_binding.request_binder(subject)(params)


@pytest.mark.parametrize(
    ("shape", "value", "text"),
    [
        ("string", "plain", "plain"),
        ("string", "a b", "a%20b"),
        ("string", "a/b", "a%2Fb"),
        (
            "string",
            " %:/?#[]@!$&'()*+,;=😹",
            "%20%25%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B" "%2C%3B%3D%F0%9F%98%B9",
        ),
        ("string", "-._~", "-._~"),
        ("string", "ü", "%C3%BC"),
        ("string", "..", ".."),
        ("integer", 7, "7"),
        ("boolean", True, "true"),
        ("double", float("inf"), "Infinity"),
        ("double", 1.25, "1.25"),
        ("timestamp", MOMENT, "2019-12-16T23%3A48%3A18.250000Z"),
    ],
)
def test_labels_in_the_path(shape: str, value: Any, text: str) -> None:
    """Every type is written as the services want it, and nothing in it can end the label."""
    got = bound("/a/{Label}/b", {"Name": at("uri", shape, "Label")}, {"Name": value})
    assert (got.path, got.query, got.body) == (f"/a/{text}/b", "", {})


def test_greedy_labels_keep_their_slashes() -> None:
    """Only the slash, in only these labels."""
    members = {"Bucket": at("uri"), "Key": at("uri")}
    got = bound("/{Bucket}/{Key+}", members, {"Bucket": "a/b", "Key": "x//y/../z?w=é"})
    assert got.path == "/a%2Fb/x//y/../z%3Fw%3D%C3%A9"


def test_the_fixed_query_comes_first() -> None:
    """What the operation's own path has after the question mark stays as it is."""
    members = {"Id": at("uri"), "Page": at("querystring", "integer", "page")}
    got = bound("/v/{Id}?mode=import&flag", members, {"Id": "i", "Page": 2})
    assert (got.path, got.query) == ("/v/i", "mode=import&flag&page=2")
    assert bound("/v/{Id}?mode=import&flag", members, {"Id": "i"}).query == "mode=import&flag"


@pytest.mark.parametrize(
    ("member", "value", "query"),
    [
        (at("querystring", name="q s"), "a b+&=", "q%20s=a%20b%2B%26%3D"),
        (at("querystring"), "", "X="),
        (at("querystring", "boolean"), False, "X=false"),
        (at("querystring", "Texts"), ["a", "b c"], "X=a&X=b%20c"),
        (at("querystring", "Texts"), [], ""),
        (at("querystring", "Flags"), [True, False], "X=true&X=false"),
        (at("querystring", "Times"), [0], "X=1970-01-01T00%3A00%3A00Z"),
        (
            at("querystring", "timestamp", timestampFormat="unixTimestamp"),
            MOMENT,
            "X=1576540098.25",
        ),
        (at("querystring", "double"), float("nan"), "X=NaN"),
        (at("querystring", "Map"), {"a": "1", "b/": "2"}, "a=1&b%2F=2"),
        (at("querystring", "ListMap"), {"a": ["1", "2"]}, "a=1&a=2"),
    ],
)
def test_the_query(member: Any, value: Any, query: str) -> None:
    """Scalars once, lists repeated, maps as names of their own."""
    assert bound("/", {"X": member}, {"X": value}).query == query


def test_a_name_of_its_own_wins_over_a_map() -> None:
    """A map cannot replace what another parameter says, in whichever order they are given."""
    members = {"Named": at("querystring", name="bar"), "Map": at("querystring", "Map")}
    free = {"bar": "map", "qux": "map"}
    for params in ({"Named": "x", "Map": free}, {"Map": free, "Named": "x"}):
        assert bound("/", members, params).query == "bar=x&qux=map"


@pytest.mark.parametrize(
    ("member", "value", "headers"),
    [
        (at("header", name="X-Text"), "a b", {"X-Text": "a b"}),
        (at("header"), "", {"X": ""}),
        (at("header", "integer"), 5, {"X": "5"}),
        (at("header", "boolean"), True, {"X": "true"}),
        (at("header", "double"), float("-inf"), {"X": "-Infinity"}),
        (at("header", "timestamp"), MOMENT, {"X": "Mon, 16 Dec 2019 23:48:18 GMT"}),
        (
            at("header", "timestamp", timestampFormat="iso8601"),
            MOMENT,
            {"X": "2019-12-16T23:48:18Z"},
        ),
        (at("header", "timestamp", timestampFormat="unixTimestamp"), MOMENT, {"X": "1576540098"}),
        (at("header", "Texts"), ["a", "b,c", 'd"e'], {"X": 'a,"b,c","d\\"e"'}),
        (at("header", "Texts"), [], {}),
        (at("header", "Numbers"), [1, 2], {"X": "1,2"}),
        (at("header", "Flags"), [True, False], {"X": "true,false"}),
        (at("header", "blob"), b"x", {"X": "eA=="}),
        (at("header", jsonvalue=True), {"a": [1, "ü"]}, {"X": "eyJhIjpbMSwiXHUwMGZjIl19"}),
        (at("headers", "Map", "X-Meta-"), {"A": "1", "b": "2"}, {"X-Meta-A": "1", "X-Meta-b": "2"}),
        (at("headers", "Map", "X-Meta-"), {}, {}),
        (at("headers", "Map"), {"Color": "red"}, {"Color": "red"}),
    ],
)
def test_headers(member: Any, value: Any, headers: dict[str, str]) -> None:
    """Every type as its header, moments without fractions, empty lists not at all."""
    assert bound("/", {"X": member}, {"X": value}).headers == headers


def test_the_rest_is_left_for_the_body() -> None:
    """What has no place elsewhere, and what has one that requests do not know."""
    members = {"A": "string", "B": at("statusCode", "integer"), "C": at("header")}
    assert bound("/", members, {"A": "1", "B": 2, "C": "3"}).body == {"A": "1", "B": 2}


def received(members: dict[str, Any], headers: Headers, status: int = 200) -> dict[str, Any]:
    """Return the members that come from a response's head."""
    subject: Operation = operation(None, members, shapes=SHAPES)
    assert subject.output is not None
    bind = http_binding.response_binder(subject.output.shape)
    return bind(Response(status, "OK", headers))


@pytest.mark.parametrize(
    ("member", "text", "value"),
    [
        (at("header"), "text", "text"),
        (at("header", "integer"), "-7", -7),
        (at("header", "double"), "NaN", pytest.approx(float("nan"), nan_ok=True)),
        (at("header", "boolean"), "True", True),
        (at("header", "boolean"), "false", False),
        (at("header", "timestamp"), "Mon, 16 Dec 2019 23:48:18 GMT", MOMENT.replace(microsecond=0)),
        (at("header", "timestamp"), "2019-12-16T23:48:18.25Z", MOMENT),
        (at("header", "blob"), "eA==", b"x"),
        (at("header", jsonvalue=True), "eyJhIjpbMV19", {"a": [1]}),
        (at("header", "Texts"), "a, b ,c", ["a", "b", "c"]),
        (at("header", "Texts"), '"b,c", "\\"def\\"", a', ["b,c", '"def"', "a"]),
        (at("header", "Texts"), '"x",', ["x", ""]),
        (at("header", "Texts"), "", [""]),
        (at("header", "Numbers"), "1,2, 3", [1, 2, 3]),
        (at("header", "Flags"), "true, false", [True, False]),
        (
            at("header", "Times"),
            "Mon, 16 Dec 2019 23:48:18 GMT, Mon, 16 Dec 2019 23:48:18 GMT",
            [MOMENT.replace(microsecond=0)] * 2,
        ),
        (
            at("header", "Times"),
            "0, 1",
            [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)],
        ),
    ],
)
def test_headers_of_a_response(member: Any, text: str, value: Any) -> None:
    """Headers are found in any case and read as their member's type."""
    assert received({"X": {**member, "locationName": "X-Some"}}, [("x-sOME", text)]) == {"X": value}


def test_missing_headers_are_missing_members() -> None:
    """There is no member for a header that did not come, and an empty map for no prefixed ones."""
    members = {"X": at("header"), "Meta": at("headers", "Map", "x-meta-")}
    assert received(members, []) == {"Meta": {}}


def test_prefixed_headers_keep_the_case_of_the_wire() -> None:
    """The prefix is found in any case; what follows is the key as it came."""
    members = {"Meta": at("headers", "Map", "x-meta-")}
    headers = [("X-META-Color", "red"), ("x-meta-size", "1"), ("x-meta-size", "2"), ("x-other", "")]
    assert received(members, headers) == {"Meta": {"Color": "red", "size": "1, 2"}}


def test_a_map_without_a_prefix_is_of_all_headers() -> None:
    """Where the model names no prefix, every header is an entry."""
    members = {"All": at("headers", "Map")}
    assert received(members, [("Color", "red")]) == {"All": {"Color": "red"}}


def test_the_status_is_a_member() -> None:
    """A member may be bound to the status code."""
    assert received({"Status": at("statusCode", "integer")}, [], 206) == {"Status": 206}


def test_a_header_of_another_type_is_a_clear_error() -> None:
    """The error names the header and has the response."""
    with pytest.raises(ResponseParserError, match="header x-count: invalid literal") as caught:
        received({"Count": at("header", "integer", "X-Count")}, [("x-count", "many")])
    assert caught.value.response.status == 200
