"""What of a call goes into the request of an attempt, and what of it is signed."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_aws.credentials import Credentials
from tornado_aws.protocols import HTTPParts
from tornado_aws.routes import Route
from tornado_aws.signed_request import signed_request
from tornado_aws.signing import SigV4
from tornado_aws.transport import Headers, Origin, Request
from tornado_aws.transport.fields import fields_of
from tornado_aws.urls import BaseURL

KEYS = Credentials("AKID", "hush")
BASE = BaseURL(Origin("https", "svc.test", 443), "svc.test", "/v1")
SIGNER = SigV4("svc", "us-east-1")
NOON = 1767268800.0


def build(
    headers: Headers, *, signer: SigV4 | None = SIGNER, about: Headers | None = None, **parts: Any
) -> Request:
    """Make the request of an attempt to put something."""
    return signed_request(
        Route(BASE, signer, [("X-Of-Route", "r")]),
        HTTPParts("PUT", "/a", "b=c", headers, b"body", **parts),
        KEYS,
        NOON,
        added=[("X-Added", "a")],
        about=fields_of(about or []),
        stream=False,
    )


def signed_names(request: Request) -> set[str]:
    """Return the names of the headers that the signature covers."""
    authorization = dict(request.headers)["Authorization"]
    return set(authorization.split("SignedHeaders=")[1].split(",")[0].split(";"))


def test_what_is_sent_is_what_was_signed() -> None:
    """The base's path comes first; headers of call, route and observers are signed."""
    request = build([("X-Of-Call", "c")], about=[("User-Agent", "ua")])
    assert (request.method, request.target, request.body) == ("PUT", "/v1/a?b=c", b"body")
    assert request.origin == BASE.origin
    assert request.headers[0] == ("Host", "svc.test")
    assert signed_names(request) == {"host", "x-added", "x-amz-date", "x-of-call", "x-of-route"}
    assert dict(request.headers)["X-Amz-Date"] == "20260101T120000Z"
    assert request.headers[-1] == ("User-Agent", "ua")


def test_a_host_of_the_callers_own_is_sent_and_signed_once() -> None:
    """The connection goes to the endpoint all the same."""
    request = build([("host", "other.test")])
    assert [value for name, value in request.headers if name.lower() == "host"] == ["other.test"]
    assert request.origin == BASE.origin
    elsewhere, here = (dict(each.headers)["Authorization"] for each in (request, build([])))
    assert elsewhere != here


def test_a_host_prefix_is_part_of_name_and_signature() -> None:
    """It is resolved, too."""
    request = build([], host_prefix="data-")
    assert request.origin.host == "data-svc.test"
    assert dict(request.headers)["Host"] == "data-svc.test"


def test_what_the_caller_says_of_itself_counts() -> None:
    """Headers about the sender step back."""
    request = build([("user-agent", "mine")], about=[("User-Agent", "ua"), ("X-Else", "e")])
    names = [name.lower() for name, _ in request.headers]
    assert names.count("user-agent") == 1
    assert ("X-Else", "e") in request.headers


def test_without_a_signer_nothing_is_signed() -> None:
    """As for operations that everybody may call."""
    names = {name.lower() for name, _ in build([], signer=None).headers}
    assert names == {"host", "x-of-route", "x-added"}


@pytest.mark.parametrize(("method", "may"), [("GET", True), ("HEAD", True), ("PUT", False)])
def test_the_transport_repeats_only_reading(method: str, may: bool) -> None:
    """Whether anything else is repeated is decided by the call."""
    parts = HTTPParts(method, "/", "", [], None)
    request = signed_request(
        Route(BASE, SIGNER, []), parts, KEYS, NOON, added=[], about=fields_of([]), stream=True
    )
    assert request.may_resend is may
    assert request.stream
