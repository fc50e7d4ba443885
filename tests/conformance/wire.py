"""What the clients of both libraries hand to their connections for the same call, compared.

Everything between the caller and the network takes part: validation, what is peculiar to a service,
the endpoint, checksums and the signature. `OWN` and the functions below `comparable` say where the
two need not agree; docs/service-peculiarities.rst gives the reasons.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import json
import os
import re
import time
import uuid
import zlib
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self
from unittest import mock
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import botocore.auth
import botocore.session
from awscrt import checksums as crt
from botocore import awsrequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from tornado_aws.exceptions import AWSClientException, AWSError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts
from tornado_aws.transport.http1 import request_head

from . import models, oracle, routes
from .differential import Case, Difference, body_reader
from .random_params import STYLES, Maker

NOW = datetime(2026, 8, 1, 12, 30, 5, tzinfo=UTC)
REGION = "us-west-2"
KEYS = ("AKIDEXAMPLE", "secret")
ENDPOINT = {"Address": "cell1.timestream.us-west-2.amazonaws.com", "CachePeriodInMinutes": 60}
TOKEN = {"AWS_BEARER_TOKEN_CODECATALYST": "token"}

# Who sends, how often, and how the connection is used: each library says that in its own way.
OWN = frozenset({"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "expect"})

_UNSIGNED = "UNSIGNED-PAYLOAD"
_HMAC = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    r"(?P<algorithm>\S+) Credential=(?P<key>[^/]+)/(?P<scope>\S+),"
    r" SignedHeaders=(?P<names>\S+), Signature=(?P<signature>\S+)"
)


class Sent(NamedTuple):
    """A request as it goes to the connection.

    Attributes:
        method: the HTTP method.
        url: scheme and host.
        path: percent-encoded.
        query: percent-encoded, "" for none.
        headers: values by lower-case name.
        body: the body's bytes, b"" for none.
    """

    method: str
    url: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Refused(NamedTuple):
    """Why nothing was sent."""

    reason: str


class Pair:
    """A client of each library for the same service, with the same settings.

    Args:
        service: the service's folder in botocore's data.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._ours = Ours(service)
        with mock.patch.dict(os.environ, TOKEN):
            self._theirs = Theirs(service)

    def difference(self, case: Case) -> Difference | None:
        """Compare what both send for a case's random parameters."""
        operation = models.ours(self._service).operation(case.operation)
        if operation.input is not None and models.has_event_stream(operation.input.shape):
            return None  # botocore speaks no HTTP/2
        maker = Maker(case.random, STYLES[case.style])
        params = usable(self._service, maker.parameters(operation))
        with standing_still(case.seed):
            expected = self._theirs.sent(case.operation, params)
            got = self._ours.sent(case.operation, params)
        return _difference(case, params, expected, got)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._ours.close()


def _difference(
    case: Case, params: Mapping[str, Any], expected: Sent | Refused, got: Sent | Refused
) -> Difference | None:
    if _is_as_explained(expected, got):
        return None
    if isinstance(expected, Refused) or isinstance(got, Refused):
        return Difference(case, "request", params, expected, got)
    theirs, ours = comparable(case.service, expected), comparable(case.service, got)
    if theirs == ours:
        return None
    names = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    return Difference(
        case,
        "request",
        params,
        {name: theirs.get(name) for name in names},
        {name: ours.get(name) for name in names},
    )


# Parameters of which the endpoint depends, so that random text would be refused.
_USABLE: Mapping[str, Mapping[str, Any]] = {
    "cloudfront-keyvaluestore": {
        "KvsARN": "arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d"
    },
    "kinesis": {
        "ChannelARN": f"arn:aws:kinesis:{REGION}:123456789012:channel/c",
        "ConsumerARN": f"arn:aws:kinesis:{REGION}:123456789012:stream/s/consumer/c:1",
        "ResourceARN": f"arn:aws:kinesis:{REGION}:123456789012:stream/s",
        "StreamARN": f"arn:aws:kinesis:{REGION}:123456789012:stream/s",
    },
    **{name: {"SourceRegion": "eu-west-1"} for name in ("docdb", "ec2", "neptune", "rds")},
    "machinelearning": {
        "PredictEndpoint": "https://realtime.machinelearning.us-west-2.amazonaws.com"
    },
    "s3": {"Bucket": "my-bucket", "CopySource": "other-bucket/a key/ü?versionId=v"},
}


# Where one value alone is right, or would keep a client from making its own.
_LEFT_OUT = frozenset(
    {
        ("s3", "ContentLength"),
        ("ec2", "PresignedUrl"),
        *((service, "PreSignedUrl") for service in ("docdb", "neptune", "rds")),
    }
)


def usable(service: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return random parameters, those that cannot be random replaced."""
    given = _USABLE.get(service, {})
    return {
        name: given.get(name, value)
        for name, value in params.items()
        if (service, name) not in _LEFT_OUT
    }


# Refused here and let pass by botocore, or by its stub in place of the HTTP library: the request
# would go to another path, or its head would be another.
_STRICTER = re.compile("part of the URL|holds the control character")
# Refused by botocore and sent here.
_UNKNOWN_THERE = ("Unsupported checksum algorithm: md5",)


def _is_as_explained(expected: Sent | Refused, got: Sent | Refused) -> bool:
    """Tell whether a call was refused by both, or by one of them for a known reason."""
    if isinstance(got, Refused):
        return isinstance(expected, Refused) or bool(_STRICTER.search(got.reason))
    return isinstance(expected, Refused) and expected.reason in _UNKNOWN_THERE


@contextmanager
def standing_still(seed: int) -> Iterator[None]:
    """Stop the clock and give the same tokens to both."""
    token = uuid.UUID(int=seed)
    with ExitStack() as stack:
        for module in ("auth", "crt.auth", "signers"):
            name = f"botocore.{module}.get_current_datetime"
            stack.enter_context(mock.patch(name, _now))
        stack.enter_context(mock.patch.dict(os.environ, TOKEN))
        stack.enter_context(mock.patch.object(time, "gmtime", _gmtime))
        stack.enter_context(mock.patch.object(time, "time", NOW.timestamp))
        stack.enter_context(mock.patch.object(uuid, "uuid4", return_value=token))
        yield


def _now(remove_tzinfo: bool = True) -> datetime:
    return NOW.replace(tzinfo=None) if remove_tzinfo else NOW


_real_gmtime = time.gmtime


def _gmtime(seconds: float | None = None) -> time.struct_time:
    return _real_gmtime(NOW.timestamp() if seconds is None else seconds)


def _answer(sent: Sent) -> tuple[int, bytes]:
    """Return status and body of an answer: an endpoint to who asks for one, an error to others."""
    if sent.headers.get("x-amz-target", "").startswith("Timestream") and _asks(sent):
        return 200, json.dumps({"Endpoints": [ENDPOINT]}).encode()
    return 500, b""


def _asks(sent: Sent) -> bool:
    return sent.headers["x-amz-target"].endswith(".DescribeEndpoints")


# --- ours -----------------------------------------------------------------------------------------


class Ours:
    """Our client of a service, without a network."""

    def __init__(self, service: str) -> None:
        self._wire = _Wire()
        self._runner = asyncio.Runner()
        self._client = routes.client_class(service)(
            access_key=KEYS[0],
            secret_key=KEYS[1],
            region=REGION,
            max_attempts=1,
            config_file=os.devnull,
            credentials_file=os.devnull,
            transport=self._wire,
        )

    def sent(self, operation: str, params: Mapping[str, Any]) -> Sent | Refused:
        """Return what the client sends for a call."""
        self._wire.sent.clear()
        try:
            with suppress(AWSError):
                self._runner.run(self._client._call(operation, params))
        except AWSClientException as error:
            return Refused(str(error))
        return self._wire.sent[-1]

    def close(self) -> None:
        """Close the client."""
        self._client.close()
        self._runner.close()


class _Wire:
    """A transport that keeps requests and answers with errors."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        sent = await _of_request(request)
        self.sent.append(sent)
        status, body = _answer(sent)
        return Response(status, "", [], body)

    def close(self) -> None:
        """There is nothing to close."""

    def stats(self) -> PoolStats:
        """Nothing is ever open."""
        return PoolStats(0, 0, 0, 0, 0)


async def _of_request(request: Request) -> Sent:
    lines = request_head(request).decode().split("\r\n")[1:-2]
    headers = _by_lower_name(line.split(": ", 1) for line in lines)
    body = request.body or b""
    if isinstance(body, AsyncIterable):
        body = b"".join([bytes(piece) async for piece in body])
    url = f"{request.origin.scheme}://{headers.pop('host')}"
    path, _, query = request.target.partition("?")
    return Sent(request.method, url, path, query, headers, body)


# --- botocore's -----------------------------------------------------------------------------------


class Theirs:
    """Botocore's client of a service, without a network."""

    def __init__(self, service: str) -> None:
        self._caught: list[Sent] = []
        session = botocore.session.Session()
        session.set_credentials(*KEYS)
        self._client = session.create_client(
            service,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, auth_scheme_preference="sigv4"),
        )
        self._client.meta.events.register("before-send", self._catch)

    def sent(self, operation: str, params: Mapping[str, Any]) -> Sent | Refused:
        """Return what the client sends for a call."""
        self._caught.clear()
        try:
            with suppress(ClientError, ElementTree.ParseError):  # where an empty answer is no XML
                self._client._make_api_call(operation, copy.deepcopy(dict(params)))
        except BotoCoreError as error:
            return Refused(str(error))
        return self._caught[-1]

    def _catch(self, request: awsrequest.AWSPreparedRequest, **_: Any) -> awsrequest.AWSResponse:
        sent = _of_prepared(request)  # whose body can be read once
        self._caught.append(sent)
        status, body = _answer(sent)
        return awsrequest.AWSResponse(request.url, status, {}, oracle.RawBody(body))


def _of_prepared(request: awsrequest.AWSPreparedRequest) -> Sent:
    url = urlsplit(request.url)
    headers = _by_lower_name(request.headers.items())
    headers.pop("host", None)
    return Sent(
        request.method,
        f"{url.scheme}://{url.netloc}",
        url.path,
        url.query,
        headers,
        oracle.body_bytes(request.body),
    )


def _by_lower_name(pairs: Iterable[Any]) -> dict[str, str]:
    return {
        name.lower(): (value.decode() if isinstance(value, bytes) else str(value)).strip()
        for name, value in pairs
    }


# --- comparing ------------------------------------------------------------------------------------


def comparable(service: str, sent: Sent) -> dict[str, object]:
    """Return a request in terms that are equal for requests that mean the same.

    What was computed from the body's bytes is checked here, since the same JSON or XML can be
    written in several ways.
    """
    authorization = _authorization(sent, sent.headers.get("authorization", ""))
    sent = _in_one_piece(sent)
    headers: dict[str, object] = {
        name: value for name, value in sent.headers.items() if name not in OWN
    }
    # HTTP libraries add it where botocore leaves it out; RFC 9110 lets the method say whether 0 is.
    if sent.headers.get("content-length") == str(len(sent.body)):
        del headers["content-length"]
    headers["authorization"] = authorization
    return {
        "method": sent.method,
        "url": sent.url.lower(),
        "path": sent.path or "/",
        "query": sorted(parse_qsl(sent.query, keep_blank_values=True)),
        "body": _in_any_order(body_reader(models.protocols()[service])(sent.body)),
        **{f"header {name}": _of_body(name, value, sent) for name, value in headers.items()},
    }


# What says that a body comes in chunks, and which checksum it has.
_CHUNKING = frozenset(
    {
        "content-encoding",
        "transfer-encoding",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
        *(f"x-amz-checksum-{name}" for name in ("crc32", "crc64nvme", "sha1", "sha256")),
    }
)


def _in_one_piece(sent: Sent) -> Sent:
    """Return a request whose checksum is a header, as ours is for a body in memory.

    botocore sends such bodies in chunks, with the checksum after the last one.
    """
    if sent.headers.get("content-encoding") != "aws-chunked":
        return sent
    pieces, rest = [], sent.body
    while not rest.startswith(b"0\r\n"):
        size, rest = rest.split(b"\r\n", 1)
        pieces.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    name, _, checksum = rest.split(b"\r\n")[1].decode().partition(":")
    body = b"".join(pieces)
    headers = {each: value for each, value in sent.headers.items() if each not in _CHUNKING}
    payload = headers["x-amz-content-sha256"].replace("STREAMING-", "").replace("-TRAILER", "")
    headers |= {name: checksum, "x-amz-content-sha256": payload, "content-length": str(len(body))}
    return sent._replace(headers=headers, body=body)


def _in_any_order(body: object) -> object:
    """Return a form whose presigned URLs have their parameters sorted; any other body as it is."""
    if not isinstance(body, list):
        return body
    return [
        (pair[0], sorted(pair[1].split("&"))) if pair[0].lower() == "presignedurl" else pair
        for pair in body
    ]


def _of_body(name: str, value: object, sent: Sent) -> object:
    """Return a header's value, or that it is what follows from the body."""
    compute = _COMPUTED.get(name)
    if compute is not None and compute(sent.body) == value:
        return "computed from the body"
    if value == _UNSIGNED and sent.url.startswith("https:"):
        return "computed from the body"  # as good, with TLS and a checksum, and not always the same
    return value


def _base64_of(make: Callable[[bytes], bytes]) -> Callable[[bytes], str]:
    return lambda body: base64.b64encode(make(body)).decode()


_COMPUTED: Mapping[str, Callable[[bytes], str]] = {
    "content-md5": _base64_of(lambda body: hashlib.md5(body).digest()),
    "x-amz-checksum-crc32": _base64_of(lambda body: zlib.crc32(body).to_bytes(4, "big")),
    "x-amz-checksum-crc32c": _base64_of(lambda body: crt.crc32c(body).to_bytes(4, "big")),
    "x-amz-checksum-crc64nvme": _base64_of(lambda body: crt.crc64nvme(body).to_bytes(8, "big")),
    "x-amz-checksum-md5": _base64_of(lambda body: hashlib.md5(body).digest()),
    "x-amz-checksum-sha1": _base64_of(lambda body: hashlib.sha1(body).digest()),
    "x-amz-checksum-sha256": _base64_of(lambda body: hashlib.sha256(body).digest()),
    "x-amz-checksum-sha512": _base64_of(lambda body: hashlib.sha512(body).digest()),
    "x-amz-content-sha256": lambda body: hashlib.sha256(body).hexdigest(),
}


def _authorization(sent: Sent, value: str) -> object:
    """Return what a signature says but for its digits, which are checked."""
    match = _AUTHORIZATION.fullmatch(value)
    if match is None:
        return value
    names = {name for name in match["names"].split(";") if name not in OWN | _CHUNKING}
    # The digits of a signature of version 4A are others each time.
    is_right = match["algorithm"] != _HMAC or match["signature"] == _signature(sent, match)
    return match["algorithm"], match["key"], _scope(match["scope"]), names, is_right


def _scope(scope: str) -> str:
    """Return what a signature is for.

    botocore signs AWS Health for us-east-1 whatever the host; here it is the host's region.
    """
    date, region, name, *end = scope.split("/")
    return "/".join((date, "any" if name == "health" else region, name, *end))


def _signature(sent: Sent, stated: re.Match[str]) -> str:
    """Return the signature that botocore makes of a request and its signed headers."""
    _, region, name, _ = stated["scope"].split("/")
    kind = botocore.auth.S3SigV4Auth if name.startswith("s3") else botocore.auth.SigV4Auth
    auth = kind(Credentials(*KEYS), name, region)
    request = awsrequest.AWSRequest(
        sent.method, f"{sent.url}{sent.path}?{sent.query}", data=sent.body
    )
    for header in stated["names"].split(";"):
        if header != "host":
            request.headers[header] = sent.headers[header]
    request.context["timestamp"] = sent.headers["x-amz-date"]
    canonical = auth.canonical_request(request)
    signed = auth.signature(auth.string_to_sign(request, canonical), request)
    return str(signed)
