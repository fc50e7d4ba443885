"""Signatures of events against the vectors of another implementation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tornado_aws.credentials import Credentials
from tornado_aws.event_signing import EventSigner
from tornado_aws.event_stream import Decoder, encode_headers
from tornado_aws.signing import SigV4

SIGNER = SigV4("transcribestreaming", "us-east-1")
CREDENTIALS = Credentials("AKID", "SECRET")

# What aws-sdk-go-v2 computes for these headers and payloads at these seconds, one after the other.
VECTORS = [
    (b"foo", b"foo", 10, "e3a136405ec1152f62136742efd41f8639cd647a1cf21fab12aedb22cccd8999"),
    (b"bar", b"bar", 20, "92a6ad677e839d3003672cb2cefc71ef80d42e8cb300fefce0807e8398c74068"),
    (b"baz", b"baz", 30, "46d6660bd40f2ff5d6246a347895cabe7f4e89d9e1f4c6dad6dabdc801923be1"),
    (b"", b"", 30, "492bcb3e21de447c85f8a9bef6c0eb833e992e405b9b3584be84edaccc5aad18"),
]


def signer(began: float = 0.0, seed: str = b"foobarbazqux".hex()) -> EventSigner:
    """Return a signer that goes on from a seed."""
    return EventSigner(SIGNER, CREDENTIALS, f"AWS4-HMAC-SHA256 ..., Signature={seed}", began)


def test_each_signature_goes_on_from_the_one_before() -> None:
    """Headers, payload, time and the last signature are in it."""
    chain = signer()
    signatures = [chain.sign(headers, payload, at).hex() for headers, payload, at, _ in VECTORS]
    assert signatures == [expected for *_, expected in VECTORS]


def test_a_frame_carries_the_event_with_its_time_and_signature() -> None:
    """The time is that of the request's head and what has passed since, in whole seconds."""
    (message,) = Decoder().feed(signer(1_000_000.0).frame(b"event", 5.9))
    date = datetime.fromtimestamp(1_000_005, UTC)
    expected = signer().sign(encode_headers({":date": date}), b"event", 1_000_005)
    assert message.payload == b"event"
    assert message.headers == {":date": date, ":chunk-signature": expected}


@pytest.mark.parametrize("elapsed", [0.0, 86_400.0])
def test_the_key_is_that_of_the_day(elapsed: float) -> None:
    """A stream that lasts beyond midnight is signed with the next day's key."""
    at = 1_000_000 + int(elapsed)
    fresh = signer(float(at)).frame(b"x", 0.0)
    chain = signer(1_000_000.0)
    chain._last = signer()._last
    assert chain.frame(b"x", elapsed) == fresh


def test_the_secret_is_in_no_repr() -> None:
    """A signer may end up in a log."""
    assert repr(signer()) == "<EventSigner>"
