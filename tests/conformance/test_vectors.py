"""Requests and results of generated clients against AWS's protocol test vectors."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSError
from tornado_aws.testing import CannedTransport, response
from tornado_aws.transport import Response

from . import vectors
from .vectors import Vector

TOKEN = UUID("00000000-0000-4000-8000-000000000000")
ENDPOINT = "https://example.com"

# Cases that are not followed, as in botocore, and why; one that would pass is an error.
OTHERWISE = {
    name: reason
    for reason, names in {
        "the path of an endpoint is the whole path of an operation without one": [
            "input ec2-Ec2QueryHostWithPath",
            "input json-AwsJson11HostWithPath",
            "input json_1_0-AwsJson10HostWithPath",
            "input query-QueryHostWithPath",
            "input rest-json-RestJsonHostWithPath",
        ],
        "a checksum that is required is CRC32, which services take, too": [
            "input rest-json-RestJsonHttpChecksumRequired",
        ],
        "an empty structure is sent as one, and comes as one": [
            "input rest-json-RestJsonHttpPayloadWithUnsetUnion",
            "output rest-xml-RestXmlHttpPayloadWithUnsetUnion",
        ],
        "a document in a header is JSON, of which a text has quotes": [
            "input rest-json-MediaTypeHeaderInputBase64",
            "output rest-json-MediaTypeHeaderOutputBase64",
        ],
        "a header whose value is empty is not sent": [
            "input rest-json-RestJsonNullAndEmptyHeaders",
            "input rest-xml-NullAndEmptyHeaders",
        ],
        "a payload is called as its member, and a body as the operation's shape": [
            "input rest-xml-BodyWithXmlName",
            "output rest-xml-BodyWithXmlName",
            "input rest-xml-HttpPayloadWithXmlName",
            "input rest-xml-HttpPayloadWithXmlNamespace",
            "input rest-xml-HttpPayloadWithXmlNamespaceAndPrefix",
            "input rest-xml-RestXmlHttpPayloadWithUnion",
            "input rest-xml-XmlAttributesOnPayload",
        ],
        "a stream that has nothing is an empty stream": [
            "output rest-json-RestJsonHttpPayloadTraitsWithNoBlobBody",
            "output rest-xml-HttpPayloadTraitsWithNoBlobBody",
        ],
        "a null in a map stays": [
            "output rest-json-RestJsonDeserializesDenseSetMapAndSkipsNull",
        ],
    }.items()
    for name in names
}


def marked(direction: str) -> list[Any]:
    """Return the cases of a direction as parameters of a test."""
    found = []
    for each in vectors.vectors(direction):
        reason = OTHERWISE.get(f"{direction} {each.name}")
        marks = [pytest.mark.xfail(reason=reason)] if reason else []
        found.append(pytest.param(each, id=each.name, marks=marks))
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages that are forgotten when the test ends."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("vectors_")]:
        del sys.modules[name]


def call(vector: Vector, folder: Path, transport: CannedTransport, params: dict[str, Any]) -> Any:
    """Call the operation of a case."""
    (client,) = vectors.client_classes(vectors.package(vector, folder))
    options = {
        "region": "us-east-1",
        "credentials": Credentials("AKIDEXAMPLE", "secret"),
        "endpoint": vector.suite.get("clientEndpoint", ENDPOINT),
        "transport": transport,
        "max_attempts": 1,
    }

    async def run() -> Any:
        async with client(**options) as service:
            result = await getattr(service, vectors.method_of(vector))(**params)
            return await vectors.read_streams(result)

    return asyncio.run(run())


@pytest.mark.parametrize("vector", marked("input"))
def test_requests_are_what_the_vectors_say(vector: Vector, folder: Path) -> None:
    """Method, path, host, headers and body are what the vector wants for the parameters."""
    protocol = vector.suite["metadata"]["protocol"]
    transport = CannedTransport(response(vectors.EMPTY[protocol]))
    use = vector.case["given"].get("input")
    params = vector.case["params"]
    if use is not None:
        params = vectors.special_floats(params, use, vector.suite["shapes"])
    with mock.patch("uuid.uuid4", return_value=TOKEN):
        call(vector, folder, transport, params)
    (request,) = transport.requests
    wanted = vector.case["serialized"]
    headers = {name.lower(): value for name, value in request.headers}
    assert request.method == wanted.get("method", "POST")
    assert sorted(split(request.target)) == sorted(split(wanted["uri"]))
    assert request.origin.host == wanted.get("host", request.origin.host)
    for name, value in vectors.wanted_headers(protocol, wanted):
        assert without_spaces(headers[name.lower()]) == without_spaces(value), name
    framing = {"content-length"} if isinstance(request.body, bytes) else set()
    assert headers.keys() | framing >= {name.lower() for name in wanted.get("requireHeaders", ())}
    assert headers.keys().isdisjoint(name.lower() for name in wanted.get("forbidHeaders", ()))
    if "body" in wanted:
        assert isinstance(request.body, bytes | None)
        read = vectors.BODIES[protocol]
        assert read(request.body or b"") == vectors.wanted_body(protocol, wanted["body"] or "")


def split(target: str) -> list[str]:
    """Return path and parts of the query, whose order nothing asks for."""
    path, _, query = target.partition("?")
    return [path, *query.split("&")]


def without_spaces(value: str) -> str:
    """Return a header's value: blanks behind its commas may be, or may not."""
    return value.replace(", ", ",")


@pytest.mark.parametrize("vector", marked("output"))
def test_results_are_what_the_vectors_say(vector: Vector, folder: Path) -> None:
    """The result, or the error with its own members, is what the vector wants."""
    answer = vector.case["response"]
    status = answer.get("status_code", 200)
    protocol = vector.suite["metadata"]["protocol"]
    body = vectors.answered_body(protocol, answer["body"]) if "body" in answer else b""
    if protocol == "query" and not body:
        body = vectors.EMPTY[protocol]
    pairs = list(answer.get("headers", {}).items())
    transport = CannedTransport(Response(status, "", pairs, body))
    if "error" not in vector.case:
        result = call(vector, folder, transport, {})
        assert vectors.plain(result) == vector.case["result"]
        return
    with pytest.raises(AWSError) as caught:
        call(vector, folder, transport, {})
    error = caught.value
    assert error.code == vector.case.get("errorCode", "")
    assert error.message == vector.case.get("errorMessage", error.message)
    members = {name: each for name, each in error.response.items() if name != "Error"}
    assert vectors.plain(members) == vector.case["error"]
