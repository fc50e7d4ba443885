"""How bodies are sent: lengths, hashes, codings and repetition, with real requests."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiny_model
from tests.support.tiny_client import S3, S3_MODEL, client_class
from tests.support.tiny_model import structure
from tests.transport.certificates import Certificates, make_certificates
from tests.transport.server import Peer, Received, ScriptedServer, response
from tornado_aws import AsyncAWSClient, exceptions
from tornado_aws.checksums import algorithm
from tornado_aws.protocols import HTTPParts, load, rest_xml
from tornado_aws.routes import Route, make_signer
from tornado_aws.uploads import Upload, upload
from tornado_aws.urls import parse_base

KEYS: Any = {"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}
DATA = bytes(range(256)) * 40
HASH = hashlib.sha256(DATA).hexdigest()
CRC32 = algorithm("CRC32").of(DATA)


async def pieces(data: bytes = DATA) -> AsyncIterator[bytes]:
    """A body that can be read once."""
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def put(
    scheme: str, calculation: str = "when_supported", *, signed: bool = True, **params: Any
) -> HTTPParts:
    """Return what is sent for PutObject to an endpoint of this scheme."""
    operation = S3_MODEL.operation("PutObject")
    params = {"Bucket": "b", "Key": "k", **params}
    parts = rest_xml.serializer(operation)(params)
    signer = make_signer("s3", "us-east-1", is_s3=True) if signed else None
    route = Route(parse_base(f"{scheme}://s3.test"), signer, [])
    sending = upload(operation, load(S3_MODEL.metadata))
    assert sending is not None
    return asyncio.run(sending.prepare(parts, params, route, calculation))


def headers(parts: HTTPParts) -> dict[str, str]:
    """Return the headers that are added, names in lower case."""
    return {name.lower(): value for name, value in parts.headers}


def test_bytes_have_their_checksum_in_a_header() -> None:
    """Over TLS that is proof enough; without it the payload's hash is signed."""
    secure, plain = put("https", Body=DATA), put("http", Body=DATA)
    assert headers(secure) == headers(plain)
    assert headers(secure)["x-amz-checksum-crc32"] == CRC32
    assert secure.payload_hash == "UNSIGNED-PAYLOAD"
    assert plain.payload_hash == ""  # the signer hashes what is short


def test_without_a_checksum_the_payload_of_bytes_is_signed() -> None:
    """Also over TLS."""
    assert put("https", "when_required", Body=DATA).payload_hash == ""
    long = bytes(1 << 20)
    assert put("http", Body=long).payload_hash == hashlib.sha256(long).hexdigest()


def test_streams_over_tls_have_their_checksum_in_a_trailer() -> None:
    """With the length, if it is known, of the coded body and of the decoded one."""
    parts = put("https", Body=io.BytesIO(DATA), ContentEncoding="gzip")
    assert headers(parts) == {
        "content-encoding": "gzip,aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(DATA)),
        "x-amz-sdk-checksum-algorithm": "CRC32",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    assert parts.content_length is not None
    assert parts.content_length > len(DATA)


def test_bodies_of_unknown_length_are_read_when_they_are_short() -> None:
    """S3 must be told the length; a long one is sent without, as services like S3 take it."""
    short = put("https", Body=pieces())
    assert (short.body, headers(short)["x-amz-checksum-crc32"]) == (DATA, CRC32)
    long = put("https", Body=pieces(DATA * 500))
    assert long.content_length is None
    assert "x-amz-trailer" in headers(long)
    assert "x-amz-decoded-content-length" not in headers(long)


def test_streams_over_tls_without_a_checksum_are_not_signed() -> None:
    """Nor read twice."""
    parts = put("https", "when_required", Body=io.BytesIO(DATA))
    assert (parts.payload_hash, parts.content_length) == ("UNSIGNED-PAYLOAD", len(DATA))
    assert put("https", Body=io.BytesIO(DATA), ChecksumCRC32=CRC32).payload_hash == (
        "UNSIGNED-PAYLOAD"
    )


def test_without_tls_files_are_read_twice_and_iterables_signed_chunk_by_chunk() -> None:
    """Both have a signature over every byte."""
    file = put("http", Body=io.BytesIO(DATA))
    assert (file.payload_hash, headers(file)["x-amz-checksum-crc32"]) == (HASH, CRC32)
    once = headers(put("http", Body=pieces(), ContentLength=len(DATA)))
    assert once["x-amz-content-sha256"] == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    bare = headers(put("http", "when_required", Body=pieces(), ContentLength=len(DATA)))
    assert bare["x-amz-content-sha256"] == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    assert "x-amz-trailer" not in bare


def test_unsigned_requests_have_trailers_too() -> None:
    """A bucket may be public; there is no signature then that chunks could follow."""
    parts = headers(put("http", signed=False, Body=pieces(), ContentLength=len(DATA)))
    assert parts["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    plain = put("http", "when_required", signed=False, Body=pieces(), ContentLength=len(DATA))
    assert headers(plain) == {}


@pytest.mark.parametrize(
    ("body", "length", "asks"),
    [
        (b"x" * 1000, None, False),
        (b"x" * (1 << 21), None, True),
        (io.BytesIO(b"x"), None, False),
        (pieces(), None, False),
        (pieces(DATA * 500), None, True),
        (pieces(), 1 << 21, True),
    ],
)
def test_long_bodies_wait_for_consent(body: Any, length: int | None, asks: bool) -> None:
    """A refusal costs no upload then; short ones do not spend a round trip."""
    params: dict[str, Any] = {} if length is None else {"ContentLength": length}
    assert put("https", Body=body, **params).expect_continue is asks


@pytest.mark.parametrize("body", [b"12345", io.BytesIO(b"12345"), [b"123", b"45"]])
@pytest.mark.parametrize("length", [4, 6])
def test_a_stated_length_that_is_wrong_is_refused_before_sending(body: Any, length: int) -> None:
    """The text has both."""
    with pytest.raises(exceptions.ParamValidationError, match=f"5 bytes.*says {length}"):
        put("https", Body=body, ContentLength=length)


def test_a_negative_length_is_refused() -> None:
    """It would end the header's sense."""
    with pytest.raises(exceptions.ParamValidationError, match="-1, which is no length"):
        put("https", Body=b"", ContentLength=-1)


# --- services that want a hash --------------------------------------------------------------------

OTHER = client_class(
    tiny_model.service(
        {
            "Stream": {"type": "blob", "streaming": True},
            "Measured": {"type": "blob", "streaming": True, "requiresLength": True},
            "Input": structure({"Body": "Stream"}, payload="Body"),
            "MeasuredInput": structure({"Body": "Measured"}, payload="Body"),
        },
        {
            "Store": {
                "http": {"method": "POST", "requestUri": "/store"},
                "input": {"shape": "Input"},
            },
            "StoreUnsigned": {
                "http": {"method": "POST", "requestUri": "/store"},
                "input": {"shape": "Input"},
                "authtype": "v4-unsigned-body",
                "unsignedPayload": True,
            },
            "StoreMeasured": {
                "http": {"method": "POST", "requestUri": "/store"},
                "input": {"shape": "MeasuredInput"},
                "unsignedPayload": True,
            },
        },
        protocol="rest-json",
        endpointPrefix="tiny",
    )
)


def store(operation: str, body: Any, script: Any = None, *more: Any) -> list[Received]:
    """Send a body, and more of them, and return the requests that it took."""

    async def main() -> None:
        async with OTHER(endpoint=f"http://127.0.0.1:{server.origin.port}", **KEYS) as tiny:
            for each in (body, *more):
                await tiny.call(operation, Body=each)

    with ScriptedServer(script or ok) as server:
        asyncio.run(main())
    return server.requests


def ok(peer: Peer) -> None:
    """Answer every request with nothing."""
    while peer.read_request() is not None:
        peer.answer(b"{}")


def test_a_file_is_hashed_before_it_is_sent(tmp_path: Path) -> None:
    """The signature is the same as for its bytes."""
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: 1.8e9)
        requests = store("Store", DATA, None, path, io.BytesIO(DATA), [DATA])
    assert {request.body for request in requests} == {DATA}
    assert len({request.header("Authorization") for request in requests}) == 1
    assert {request.header("Content-Length") for request in requests} == {str(len(DATA))}


def test_a_file_whose_upload_is_cancelled_is_hashed_no_further(tmp_path: Path) -> None:
    """A process that ends waits for its threads, and a file may be large."""
    path = tmp_path / "data"
    path.write_bytes(bytes(4 << 20))
    updates: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        class Cancelling:
            def update(self, data: bytes | memoryview) -> None:
                updates.append(len(data))
                loop.call_soon_threadsafe(task.cancel)

            def digest(self) -> bytes:
                raise AssertionError

        operation = S3_MODEL.operation("PutObject")
        parts = rest_xml.serializer(operation)({"Bucket": "b", "Key": "k", "Body": path})
        signer = make_signer("s3", "us-east-1", is_s3=True)
        route = Route(parse_base("http://s3.test"), signer, [])
        sending = upload(operation, load(S3_MODEL.metadata), {"X-Sum": Cancelling})
        assert isinstance(sending, Upload)
        task = asyncio.create_task(sending.prepare(parts, {}, route, "when_required"))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert len(updates) == 1


def test_what_can_be_read_once_is_refused_where_a_hash_is_wanted() -> None:
    """The text says what to give instead."""
    with pytest.raises(exceptions.ParamValidationError, match="give bytes, a path"):
        store("Store", pieces())


def test_operations_with_unsigned_payloads_take_anything() -> None:
    """What is not known to end is chunked; bytes are signed where there is no TLS."""
    (request,) = store("StoreUnsigned", DATA)
    assert request.body == DATA
    assert request.header("X-Amz-Content-SHA256") is None
    (request,) = store("StoreUnsigned", pieces())
    assert request.body == DATA
    assert request.header("X-Amz-Content-SHA256") == "UNSIGNED-PAYLOAD"
    assert request.header("Transfer-Encoding") == "chunked"


def test_operations_that_want_a_length_say_so() -> None:
    """Those with the model's trait."""
    with pytest.raises(exceptions.ParamValidationError, match="give ContentLength"):
        store("StoreMeasured", pieces())
    (request,) = store("StoreMeasured", io.BytesIO(DATA))
    assert request.body == DATA


# --- repetition -----------------------------------------------------------------------------------


def once_unavailable(peer: Peer) -> None:
    """Refuse the first request only."""
    if peer.read_request() is not None:
        peer.send(response(b"{}", "503 Service Unavailable"))
    ok(peer)


@pytest.mark.parametrize("make", [lambda: DATA, lambda: io.BytesIO(DATA), lambda: [DATA]])
def test_what_can_be_read_again_is_sent_again(make: Any) -> None:
    """From where it stood."""
    requests = store("StoreUnsigned", make(), once_unavailable)
    assert [request.body for request in requests] == [DATA, DATA]


def test_what_can_be_read_once_is_sent_once() -> None:
    """The service's error is the caller's."""
    with pytest.raises(exceptions.AWSClientException) as caught:
        store("StoreUnsigned", pieces(), once_unavailable)
    assert getattr(caught.value, "attempts", None) == 1


def test_a_source_that_fails_fails_the_call() -> None:
    """Nothing that the server could take for a whole has been sent; the cause is kept."""

    async def failing() -> AsyncIterator[bytes]:
        yield DATA
        raise ZeroDivisionError("no more")

    def script(peer: Peer) -> None:
        peer.read_head()
        assert b"0\r\n\r\n" not in peer.wait_closed()

    with pytest.raises(exceptions.RequestException) as caught:
        store("StoreUnsigned", failing(), script)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_bodies_for_s3_arrive_whole() -> None:
    """In chunks that are signed, through the client."""

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        async with S3(endpoint=url, **KEYS) as s3:
            await s3.call("PutObject", Bucket="b", Key="k", Body=pieces(), ContentLength=len(DATA))

    with ScriptedServer(ok) as server:
        asyncio.run(main())
    (request,) = server.requests
    assert request.header("X-Amz-Decoded-Content-Length") == str(len(DATA))
    assert request.body.count(b";chunk-signature=") == 2
    assert f"x-amz-checksum-crc32:{CRC32}".encode() in request.body
    assert DATA in request.body


# --- raw requests -------------------------------------------------------------------------------


def fetch(service: str, body: Any, headers: Any = None) -> list[Received]:
    """Send a raw request with a body, and return the requests that it took."""

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        async with AsyncAWSClient(service, endpoint=url, **KEYS) as client:
            await client.fetch("PUT", "/b/k", headers=headers, body=body)

    with ScriptedServer(ok) as server:
        asyncio.run(main())
    return server.requests


@pytest.mark.parametrize(
    "make", [lambda: io.BytesIO(DATA), lambda: [DATA], lambda: bytearray(DATA)]
)
def test_raw_bodies_that_can_be_read_again_are_hashed(make: Any) -> None:
    """For S3 and for others."""
    for service in ("s3", "glacier"):
        (request,) = fetch(service, make())
        assert request.body == DATA
    (request,) = fetch("s3", make())
    assert request.header("X-Amz-Content-SHA256") == HASH


def test_raw_bodies_that_can_be_read_once() -> None:
    """S3 takes them in signed chunks, others if the caller says what to sign."""
    (request,) = fetch("s3", pieces(), {"Content-Length": str(len(DATA))})
    assert request.header("X-Amz-Content-SHA256") == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    (request,) = fetch("glacier", pieces(), {"X-Amz-Content-SHA256": HASH})
    assert (request.body, request.header("Transfer-Encoding")) == (DATA, "chunked")
    with pytest.raises(exceptions.ParamValidationError, match="give bytes"):
        fetch("glacier", pieces())


# --- over TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of a server and of the CA that it is trusted for."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def put_over_tls(certificates: Certificates, script: Any, *bodies: Any) -> list[Received]:
    """Put bodies, and return the requests that it took."""

    async def main() -> None:
        url = f"https://127.0.0.1:{server.origin.port}"
        async with S3(endpoint=url, verify=certificates.ca, **KEYS) as s3:
            for body in bodies:
                await s3.call("PutObject", Bucket="b", Key="k", Body=body)

    with ScriptedServer(script, tls=certificates.server_context()) as server:
        asyncio.run(main())
    return server.requests


def test_a_file_goes_over_tls_with_a_trailer_and_again_after_an_error(
    certificates: Certificates,
) -> None:
    """Both attempts have the whole of it, in chunks that are not signed."""
    requests = put_over_tls(certificates, once_unavailable, io.BytesIO(DATA))
    assert len(requests) == 2
    assert requests[0].body == requests[1].body
    assert requests[0].body == (
        f"{len(DATA):x}\r\n".encode()
        + DATA
        + f"\r\n0\r\nx-amz-checksum-crc32:{CRC32}\r\n\r\n".encode()
    )
    assert requests[0].header("X-Amz-Decoded-Content-Length") == str(len(DATA))
    assert requests[0].header("Content-Length") == str(len(requests[0].body))
    assert "x-amz-trailer" in (requests[0].header("Authorization") or "")


def test_bytes_go_over_tls_as_they_are(certificates: Certificates) -> None:
    """With a checksum and no hash."""
    (request,) = put_over_tls(certificates, ok, DATA)
    assert (request.body, request.header("x-amz-checksum-crc32")) == (DATA, CRC32)
    assert request.header("X-Amz-Content-SHA256") == "UNSIGNED-PAYLOAD"


def test_a_refusal_costs_no_upload(certificates: Certificates) -> None:
    """A server that answers instead of asking for the body does not get it."""

    def script(peer: Peer) -> None:
        head = peer.read_head()
        assert head is not None
        assert ("Expect", "100-continue") in head[2]
        peer.send(response(b"<Error><Code>AccessDenied</Code></Error>", "403 Forbidden"))
        assert peer.wait_closed() == b""

    with pytest.raises(exceptions.AWSError, match="AccessDenied"):
        put_over_tls(certificates, script, bytes(2 << 20))
