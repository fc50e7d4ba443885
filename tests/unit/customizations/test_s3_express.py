"""Directory buckets: sessions are opened, kept, renewed and signed with, as botocore does it."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from generated.s3 import S3
from tests.support.written_transport import WrittenTransport, header
from tornado_aws.exceptions import AWSError
from tornado_aws.transport import Request, Response

BUCKET = "films--usw2-az1--x-s3"
OTHER = "books--usw2-az2--x-s3"
KEYS: dict[str, Any] = {
    "access_key": "AKID",
    "secret_key": "secret",
    "security_token": "long-lived",
}
OK = Response(200, "OK", [("ETag", '"e"')])
EXPIRED = Response(400, "Bad Request", [], b"<Error><Code>ExpiredToken</Code></Error>")


def session(number: int, lives: float = 300.0) -> Response:
    """Return the answer to CreateSession: a session that lives for some seconds."""
    end = datetime.fromtimestamp(time.time() + lives, UTC)
    body = (
        "<CreateSessionResult><Credentials>"
        f"<AccessKeyId>SAKID{number}</AccessKeyId><SecretAccessKey>s{number}</SecretAccessKey>"
        f"<SessionToken>token/{number}</SessionToken>"
        f"<Expiration>{end.isoformat()}</Expiration>"
        "</Credentials></CreateSessionResult>"
    )
    return Response(200, "OK", [], body.encode())


def calls(
    test: Callable[[S3], Awaitable[Any]], *responses: Response, **options: Any
) -> WrittenTransport:
    """Run a test with a client that is answered with these responses; return what was sent."""
    transport = WrittenTransport(*responses)

    async def main() -> None:
        async with S3(region="us-west-2", transport=transport, **KEYS, **options) as s3:
            await test(s3)

    asyncio.run(main())
    return transport


def tokens(transport: WrittenTransport) -> list[str]:
    return [header(each, "x-amz-s3session-token") for each in transport.requests]


def scope(request: Request) -> tuple[str, ...]:
    """Return what a request is signed with and for, without the date."""
    credential = header(request, "authorization").split("Credential=")[1].split()[0]
    key, _date, *others = credential.split("/")
    return (key, *others)


def test_a_session_is_opened_once_for_a_bucket() -> None:
    """Whoever comes at the same time or later signs with it; another bucket has its own."""

    async def test(s3: S3) -> None:
        await asyncio.gather(*(s3.head_object(Bucket=BUCKET, Key="k") for _ in range(3)))
        await s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        await s3.with_options(read_timeout=5).head_object(Bucket=BUCKET, Key="k")
        await s3.head_object(Bucket=OTHER, Key="k")

    sent = calls(test, session(1), OK, OK, OK, OK, OK, session(2), OK)
    zone = "https://films--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com"
    assert sent.urls[:2] == [f"{zone}/?session", f"{zone}/k"]
    assert tokens(sent) == ["", *["token/1"] * 5, "", "token/2"]


def test_the_long_lived_token_opens_sessions_and_nothing_else() -> None:
    """Requests within a session have its token and key alone, and are signed for s3express."""

    async def test(s3: S3) -> None:
        await s3.head_object(Bucket=BUCKET, Key="k")

    opening, call = calls(test, session(1), OK).requests
    assert header(opening, "x-amz-security-token") == "long-lived"
    assert header(call, "x-amz-security-token") == ""
    assert scope(opening) == ("AKID", "us-west-2", "s3express", "aws4_request,")
    assert scope(call) == ("SAKID1", "us-west-2", "s3express", "aws4_request,")


def test_without_sessions_the_clients_credentials_sign() -> None:
    """The setting of that name switches sessions off."""

    async def test(s3: S3) -> None:
        await s3.head_object(Bucket=BUCKET, Key="k")

    sent = calls(test, OK, s3_disable_express_session_auth=True)
    assert tokens(sent) == [""]
    assert header(sent.requests[0], "x-amz-security-token") == "long-lived"
    assert scope(sent.requests[0])[:3] == ("AKID", "us-west-2", "s3express")


def test_a_session_is_renewed_before_its_end() -> None:
    """Ten seconds before, callers wait for the next one."""

    async def test(s3: S3) -> None:
        for _ in range(2):
            await s3.head_object(Bucket=BUCKET, Key="k")

    sent = calls(test, session(1, lives=9.0), OK, session(2), OK)
    assert tokens(sent) == ["", "token/1", "", "token/2"]


@pytest.mark.parametrize("fast", [400.0, -400.0])
def test_a_session_lives_as_long_on_a_wrong_clock(fast: float) -> None:
    """Its end is the service's time, which the answer tells, too."""

    async def test(s3: S3) -> None:
        for _ in range(3):
            await s3.head_object(Bucket=BUCKET, Key="k")

    def opened(number: int, lives: float) -> Response:
        date = formatdate(time.time() - fast, usegmt=True)
        given = session(number, lives - fast)
        return Response(200, "OK", [("Date", date)], given.body)

    assert tokens(calls(test, opened(1, 300.0), OK, OK, OK)) == ["", *["token/1"] * 3]
    sent = calls(test, opened(1, 5.0), OK, opened(2, 300.0), OK, OK)
    assert tokens(sent) == ["", "token/1", "", "token/2", "token/2"]


def test_a_session_that_is_refused_is_opened_anew() -> None:
    """The call is repeated with the new one, once."""

    async def test(s3: S3) -> None:
        await s3.head_object(Bucket=BUCKET, Key="k")
        with pytest.raises(AWSError, match="ExpiredToken"):
            await s3.get_object(Bucket=BUCKET, Key="k")

    sent = calls(test, session(1), EXPIRED, session(2), OK, EXPIRED, session(3), EXPIRED)
    assert tokens(sent) == ["", "token/1", "", "token/2", "token/2", "", "token/3"]


def test_the_error_of_the_opening_is_the_calls() -> None:
    """It names the operation that failed, and the next call tries again."""
    denied = Response(403, "Forbidden", [], b"<Error><Code>AccessDenied</Code></Error>")

    async def test(s3: S3) -> None:
        with pytest.raises(AWSError, match=r"AccessDenied.*") as caught:
            await s3.head_object(Bucket=BUCKET, Key="k")
        assert caught.value.operation == "CreateSession"
        await s3.head_object(Bucket=BUCKET, Key="k")

    assert tokens(calls(test, denied, session(1), OK)) == ["", "", "token/1"]


def test_buckets_are_made_and_listed_without_sessions() -> None:
    """Nothing is asked of a bucket then: the service's control endpoint answers."""

    async def test(s3: S3) -> None:
        await s3.create_bucket(Bucket=BUCKET)
        await s3.list_directory_buckets()

    sent = calls(test, OK, Response(200, "OK", [], b"<ListAllMyDirectoryBucketsResult/>"))
    assert tokens(sent) == ["", ""]
    assert {each.origin.host for each in sent.requests} == {
        "s3express-control.us-west-2.amazonaws.com"
    }


def test_urls_are_those_of_botocore_and_end_with_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session's token is in the URL, and the URL is valid no longer than the session."""
    params = {"Bucket": BUCKET, "Key": "a b/ü+%"}

    made: list[str] = []

    async def test(s3: S3) -> None:
        for seconds in (200, 3600):
            made.append(await s3.generate_presigned_url("get_object", params, seconds))

    now = float(int(time.time()))
    moment = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    monkeypatch.setattr("time.time", lambda: now)
    calls(test, session(1))
    expected = theirs().generate_presigned_url("get_object", params, 200)
    assert parsed(made[0]) == parsed(expected)
    assert ("X-Amz-Expires", "300") in parsed(made[1])[1]


def parsed(url: str) -> tuple[str, list[tuple[str, str]]]:
    bare, _, query = url.partition("?")
    return bare, sorted(parse_qsl(query, keep_blank_values=True))


def theirs() -> Any:
    """Return botocore's client, which is given a session when it asks for one."""
    made = botocore.session.Session()
    made.set_credentials("AKID", "secret", "long-lived")
    client = made.create_client("s3", region_name="us-west-2", config=Config(retries={}))

    class Raw(io.BytesIO):
        def stream(self, *_: Any, **__: Any) -> Any:
            yield self.read()

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, {}, Raw(session(1).body))

    client.meta.events.register("before-send", answer)
    return client
