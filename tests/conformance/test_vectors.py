"""Requests and results of generated clients against AWS's protocol test vectors."""

from __future__ import annotations

import asyncio
import json
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

from . import vectors
from .vectors import Vector

TOKEN = UUID("00000000-0000-4000-8000-000000000000")
ENDPOINT = "https://example.com"

# Cases that are not followed, and why; one that would pass is an error.
OTHERWISE = dict.fromkeys(
    ("json-AwsJson11HostWithPath", "json_1_0-AwsJson10HostWithPath"),
    "the path of an endpoint is the whole path of an operation without one, as in botocore",
)


def marked(direction: str) -> list[Any]:
    """Return the cases of a direction as parameters of a test."""
    found = []
    for each in vectors.vectors(direction):
        reason = OTHERWISE.get(each.name)
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
            return await getattr(service, vectors.method_of(vector))(**params)

    return asyncio.run(run())


@pytest.mark.parametrize("vector", marked("input"))
def test_requests_are_what_the_vectors_say(vector: Vector, folder: Path) -> None:
    """Method, path, host, headers and body are what the vector wants for the parameters."""
    transport = CannedTransport(response("{}"))
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
    assert request.target == wanted["uri"]
    assert request.origin.host == wanted.get("host", request.origin.host)
    for name, value in wanted.get("headers", {}).items():
        assert headers[name.lower()] == value
    framing = {"content-length"} if isinstance(request.body, bytes) else set()
    assert headers.keys() | framing >= {name.lower() for name in wanted.get("requireHeaders", ())}
    if "body" in wanted:
        assert isinstance(request.body, bytes)
        assert json.loads(request.body or b"{}") == json.loads(wanted["body"] or "{}")


@pytest.mark.parametrize("vector", marked("output"))
def test_results_are_what_the_vectors_say(vector: Vector, folder: Path) -> None:
    """The result, or the error with its own members, is what the vector wants."""
    answer = vector.case["response"]
    status = answer.get("status_code", 200)
    transport = CannedTransport(response(answer.get("body", ""), status, answer.get("headers")))
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
