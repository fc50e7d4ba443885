"""Parameters and results outside the body: path, query, headers and status (rest-json, rest-xml).

`request_binder` and `response_binder` read the models' `location` once and return plain functions.
What remains is the body, and that is the protocol's own business.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.protocols import scalars, timestamps
from tornado_aws.transport import Response

__all__ = [
    "Bound",
    "body_members",
    "is_bound",
    "request_binder",
    "response_binder",
]

_REQUEST_LOCATIONS = frozenset({"uri", "querystring", "header", "headers"})
_RESPONSE_LOCATIONS = frozenset({"header", "headers", "statusCode"})
_LABEL = re.compile(r"{(.*?)}")
# An element of a header's list: in double quotes with backslash escapes, or up to the next comma.
_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
# A comma ends an HTTP date only when it does not follow the name of a day.
_DATE_END = re.compile(r"(?<!\b[A-Z][a-z]{2}),")

ToText = Callable[[Any], str]
FromText = Callable[[str], Any]


class Bound(NamedTuple):
    """Parameters, each in its place.

    Attributes:
        path: percent-encoded.
        query: percent-encoded, "" for none; the fixed query of the operation included.
        headers: values by name, spelled as in the model.
        body: the parameters that are left for the body.
    """

    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, Any]


# --- requests -------------------------------------------------------------------------------------


def request_binder(operation: Operation) -> Callable[[Mapping[str, Any]], Bound]:
    """Return a function that puts parameters in their places."""
    members = operation.input.shape.members if operation.input else {}
    labels = {_wire_name(ref): (name, _query_text(ref)) for name, ref in _at(members, "uri")}
    expand_path = _path_expander(operation.request_uri, labels)
    put_query = {name: _query_putter(ref) for name, ref in _at(members, "querystring")}
    put_header = {name: _header_putter(ref) for name, ref in _at(members, "header")}
    put_header |= {name: _prefix_putter(ref) for name, ref in _at(members, "headers")}
    placed = {name for name, ref in members.items() if _location(ref) in _REQUEST_LOCATIONS}

    def bind(params: Mapping[str, Any]) -> Bound:
        named: dict[str, Any] = {}
        free: dict[str, Any] = {}
        headers: dict[str, str] = {}
        body: dict[str, Any] = {}
        for name, value in params.items():
            if name not in placed:
                body[name] = value
            elif name in put_query:
                put_query[name](named, free, value)
            elif name in put_header:
                put_header[name](headers, value)
        path, _, fixed = expand_path(params).partition("?")
        query = "&".join(part for part in (fixed, _encode_query({**free, **named})) if part)
        return Bound(path, query, headers, body)

    return bind


def body_members(shape: Shape) -> dict[str, Ref]:
    """Return the members of an input that have their place in the body."""
    return {
        name: ref for name, ref in shape.members.items() if _location(ref) not in _REQUEST_LOCATIONS
    }


def _location(ref: Ref) -> str | None:
    location: str | None = ref.traits.get("location")
    return location


def _wire_name(ref: Ref) -> str:
    name: str = ref.traits.get("locationName", ref.name)
    return name


def _prefix(ref: Ref) -> str:
    """Return what the names of a map's headers begin with, "" where the map is of all headers."""
    prefix: str = ref.traits.get("locationName", "")
    return prefix


def _at(members: Mapping[str, Ref], location: str) -> Iterable[tuple[str, Ref]]:
    return [(name, ref) for name, ref in members.items() if _location(ref) == location]


def _path_expander(
    template: str, labels: Mapping[str, tuple[str, ToText]]
) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that fills in ``/{Bucket}/{Key+}``; ``+`` lets slashes stand."""
    texts = _LABEL.split(template)[::2]
    places = [
        (*labels[label.removesuffix("+")], "/~" if label.endswith("+") else "~")
        for label in _LABEL.findall(template)
    ]

    def expand(params: Mapping[str, Any]) -> str:
        path = texts[0]
        for (name, to_text, safe), text in zip(places, texts[1:], strict=True):
            path += _encode(to_text(params[name]), safe) + text
        return path

    return expand


def _encode(text: str, safe: str = "~") -> str:
    if text.isalnum() and text.isascii():
        return text
    return quote(text, safe=safe)


def _encode_query(query: Mapping[str, str | list[str]]) -> str:
    pairs = []
    for name, value in query.items():
        key = _encode(name)
        if isinstance(value, list):
            pairs += [f"{key}={_encode(item)}" for item in value]
        else:
            pairs.append(f"{key}={_encode(value)}")
    return "&".join(pairs)


def _query_text(ref: Ref) -> ToText:
    """Return how a scalar is written in the path and in the query."""
    kind = ref.shape.type
    if kind == "boolean":
        return scalars.boolean_text
    if kind == "timestamp":
        return _timestamp_text(ref, "iso8601")
    if kind in ("float", "double"):
        return scalars.float_text
    return str


def _timestamp_text(ref: Ref, default: str) -> ToText:
    write = timestamps.FORMATS[ref.traits.get("timestampFormat", default).lower()]
    return lambda value: str(write(timestamps.to_datetime(value)))


def _query_putter(ref: Ref) -> Callable[[dict[str, Any], dict[str, Any], Any], None]:
    """Return a function that adds a parameter to the query, as a name of its own or as names.

    Names of their own and names from a map are kept apart: the former win.
    """
    key = _wire_name(ref)
    if ref.shape.type == "map":
        return lambda _named, free, value: free.update(_query_map(value))
    if ref.shape.type == "list":
        of_item = _query_text(ref.shape.member)

        def put_list(named: dict[str, Any], _free: dict[str, Any], value: Any) -> None:
            named[key] = [of_item(item) for item in value]

        return put_list
    to_text = _query_text(ref)

    def put(named: dict[str, Any], _free: dict[str, Any], value: Any) -> None:
        named[key] = to_text(value)

    return put


def _query_map(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: [str(one) for one in item] if isinstance(item, (list, tuple)) else str(item)
        for key, item in value.items()
    }


def _header_putter(ref: Ref) -> Callable[[dict[str, str], Any], None]:
    key = _wire_name(ref)
    to_text = _header_text(ref)
    is_list = ref.shape.type == "list"

    def put(headers: dict[str, str], value: Any) -> None:
        if value or not is_list:
            headers[key] = to_text(value)

    return put


def _prefix_putter(ref: Ref) -> Callable[[dict[str, str], Any], None]:
    prefix = _prefix(ref)

    def put(headers: dict[str, str], value: Any) -> None:
        headers.update((prefix + key, item) for key, item in value.items())

    return put


def _header_text(ref: Ref) -> ToText:
    """Return how a value is written in a header."""
    kind = ref.shape.type
    if kind == "list":
        of_item = _header_list_item(ref.shape.member)
        return lambda value: ",".join([of_item(item) for item in value if item is not None])
    if kind == "timestamp":
        return _header_timestamp_text(ref)
    if _is_json_value(ref):
        return _json_value_text
    if kind == "blob":
        return scalars.blob_text
    return _query_text(ref)


def _header_list_item(ref: Ref) -> ToText:
    return _quote_item if ref.shape.type == "string" else _header_text(ref)


def _quote_item(text: str) -> str:
    if "," in text or '"' in text:
        return '"' + text.replace('"', '\\"') + '"'
    return text


def _header_timestamp_text(ref: Ref) -> ToText:
    """Return how a moment is written in a header: never with fractions of a second."""
    write = timestamps.FORMATS[ref.traits.get("timestampFormat", "rfc822").lower()]
    return lambda value: str(write(timestamps.to_datetime(value).replace(microsecond=0)))


def _is_json_value(ref: Ref) -> bool:
    return bool(ref.traits.get("jsonvalue")) and _location(ref) == "header"


def _json_value_text(value: Any) -> str:
    return b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


# --- responses ------------------------------------------------------------------------------------


def response_binder(shape: Shape) -> Callable[[Response], dict[str, Any]]:
    """Return a function from a response to the members that are not in its body.

    The function raises `ResponseParserError` when a header is not of its member's type.
    """
    from_headers = [
        (name, _wire_name(ref).lower(), _header_value(ref))
        for name, ref in _at(shape.members, "header")
    ]
    prefixes = [(name, _prefix(ref).lower()) for name, ref in _at(shape.members, "headers")]
    statuses = [name for name, _ in _at(shape.members, "statusCode")]

    def bind(response: Response) -> dict[str, Any]:
        result: dict[str, Any] = dict.fromkeys(statuses, response.status)
        for name, prefix in prefixes:
            result[name] = _prefixed(response, prefix)
        if from_headers:
            headers = response.headers
            for name, key, from_text in from_headers:
                if key in headers:
                    result[name] = _read(from_text, key, headers[key], response)
        return result

    return bind


def is_bound(ref: Ref) -> bool:
    """Tell whether a member of a result has its place outside the body."""
    return _location(ref) in _RESPONSE_LOCATIONS


def _prefixed(response: Response, prefix: str) -> dict[str, str]:
    """Return the headers that begin with `prefix`, without it, in the case of the wire."""
    found: dict[str, str] = {}
    for name, value in response.raw_headers:
        if name.lower().startswith(prefix):
            key = name[len(prefix) :]
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _read(from_text: FromText, name: str, text: str, response: Response) -> Any:
    try:
        return from_text(text)
    except ValueError as error:
        reason = f"header {name}: {error}"
        raise ResponseParserError(reason=reason, response=response) from error


def _header_value(ref: Ref) -> FromText:
    """Return how a header's value is read."""
    if ref.shape.type == "list":
        of_item = _header_value(ref.shape.member)
        split = _split_dates if ref.shape.member.shape.type == "timestamp" else _split_list
        return lambda text: [of_item(item) for item in split(text)]
    if _is_json_value(ref):
        return lambda text: json.loads(b64decode(text))
    return _FROM_TEXT.get(ref.shape.type, str)


def _split_list(text: str) -> list[str]:
    if '"' not in text:
        return [item.strip() for item in text.split(",")]
    items = [
        _ESCAPE.sub(r"\1", match[1]) if match[1] is not None else match[2]
        for match in _ELEMENT.finditer(text)
    ]
    # The pattern finds an empty element at the very end, unless the text ends with a comma.
    return items if text.rstrip().endswith(",") else items[:-1]


def _split_dates(text: str) -> list[str]:
    return [item.strip() for item in _DATE_END.split(text)]


_FROM_TEXT: Mapping[str, FromText] = {
    "boolean": lambda text: text.lower() == "true",
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "timestamp": timestamps.parse,
    "blob": b64decode,
}
