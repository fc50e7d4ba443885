"""Attempts of a call, against a server that records what arrives: repeated, corrected, bounded."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.raw_fetch import EXPIRED, KEYS, LIST_TABLES, MISSING, THROTTLED, fetch
from tests.support.recording_server import Answer, RecordingServer
from tests.transport.server import Peer, ScriptedServer
from tornado_aws import AsyncAWSClient, AWSClient, exceptions, pipeline
from tornado_aws.credentials import Credentials
from tornado_aws.events import Attempt, Observer
from tornado_aws.testing import CannedTransport


def test_throttling_is_repeated_and_counted(server: RecordingServer) -> None:
    """Each attempt has its number, all have one invocation id, the error knows their count."""
    server.queue(THROTTLED, THROTTLED)
    assert fetch(server, "POST", client={"max_attempts": 3}).code == 200
    attempts = [request.header("amz-sdk-request") for request in server.requests]
    assert attempts == ["attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3"]
    assert len({request.header("amz-sdk-invocation-id") for request in server.requests}) == 1
    server.default = THROTTLED
    with pytest.raises(exceptions.AWSError) as caught:
        fetch(server, "POST", client={"max_attempts": 2})
    assert caught.value.attempts == 2


IDS_OF_A_FAMILY = """
import asyncio, os, random
from tornado_aws import AsyncAWSClient
from tornado_aws.testing import CannedTransport, response

def call():
    random.seed(7)  # what a program may do for reasons of its own
    transport = CannedTransport(response(b"{}"))
    async def main():
        keys = {"region": "us-east-1", "access_key": "a", "secret_key": "s"}
        async with AsyncAWSClient("sqs", transport=transport, **keys) as client:
            await client.fetch("POST")
    asyncio.run(main())
    # In one piece: unbuffered, print would let the other process write before the end of its line.
    os.write(1, dict(transport.requests[0].headers)["amz-sdk-invocation-id"].encode() + b"\\n")

call()
child = os.fork()
call()
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX systems fork")
def test_no_two_calls_have_one_id() -> None:
    """Neither in a forked process nor where the program begins its own random numbers anew."""
    command = [sys.executable, "-c", IDS_OF_A_FAMILY]
    ids = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert len(ids) == len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


def test_one_attempt_means_no_repetition(server: RecordingServer) -> None:
    """max_attempts=1 sends once."""
    server.queue(THROTTLED)
    with pytest.raises(exceptions.AWSError):
        fetch(server, "POST", client={"max_attempts": 1})
    assert len(server.requests) == 1


def test_a_request_says_who_sends_it(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own User-Agent unless the caller has one; Lambda's trace id goes along."""
    fetch(server, "GET", client={"user_agent_appid": "player"})
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3")
    fetch(server, "GET", headers={"user-agent": "mine"})
    first, second = server.requests
    assert (first.header("User-Agent") or "").startswith("tornado-aws/3.0.0 ua/2.1 ")
    assert (first.header("User-Agent") or "").endswith(" app/player")
    assert first.header("X-Amzn-Trace-Id") is None
    assert second.header("User-Agent") == "mine"
    assert second.header("X-Amzn-Trace-Id") == "Root=1-2-3"
    assert "user-agent" not in (first.header("Authorization") or "")


def test_a_skewed_clock_is_corrected_after_an_error_about_the_time(
    server: RecordingServer,
) -> None:
    """The call is signed again with the service's time, and so are the next ones."""
    served = time.time() + 3600
    date = ("Date", formatdate(served, usegmt=True))
    body = b'{"__type":"InvalidSignatureException","message":"Signature expired"}'
    server.queue(Answer(400, body, (date,)))

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            await client.fetch("POST")
            await client.fetch("POST")

    asyncio.run(main())
    stamps = [request.header("X-Amz-Date") or "" for request in server.requests]
    hours = [int(stamp[9:11]) for stamp in stamps]
    expected = time.gmtime(served).tm_hour
    assert hours[0] != hours[1]
    assert {hours[1], hours[2]} <= {expected, (expected + 1) % 24}


def test_a_wrong_checksum_is_repeated(server: RecordingServer) -> None:
    """DynamoDB states the CRC32 of its bodies; what was executed is known to be a read."""
    right = ("x-amz-crc32", str(zlib.crc32(b"{}")))
    server.queue(Answer(200, b"{x", (right,)), Answer(200, b"{}", (right,)))
    assert fetch(server, "POST", headers=LIST_TABLES).body == b"{}"
    server.default = Answer(200, b"{x", (right,))
    with pytest.raises(exceptions.ReadError, match=r"crc32.*after 2 attempts") as caught:
        fetch(server, "POST", headers=LIST_TABLES, client={"max_attempts": 2})
    assert caught.value.attempts == 2


def test_a_raw_write_with_a_lost_answer_is_not_repeated(server: RecordingServer) -> None:
    """Nobody knows if it was executed; a caller who says that this does no harm has it repeated."""
    broken, right = ("x-amz-crc32", "1"), ("x-amz-crc32", str(zlib.crc32(b"{}")))
    server.queue(Answer(200, b"{}", (broken,)), Answer(200, b"{}", (broken,)))
    server.default = Answer(200, b"{}", (right,))
    headers = {"X-Amz-Target": "DynamoDB_20120810.UpdateItem"}
    with pytest.raises(exceptions.ReadError, match="retry_lost_writes=True") as caught:
        fetch(server, "POST", headers=headers)
    assert (caught.value.attempts, caught.value.sent, len(server.requests)) == (1, True, 1)
    fetch(server, "POST", headers=headers, client={"retry_lost_writes": True})
    assert len(server.requests) == 3


def test_a_body_that_can_be_sent_once_is_the_reason_not_to_repeat() -> None:
    """The error says so, for what failed is repeated else."""
    with AWSClient("s3", endpoint="http://127.0.0.1:1", **KEYS) as client:
        with pytest.raises(exceptions.ConnectError, match="can be sent only once") as caught:
            client.fetch("PUT", "/b/k", headers={"Content-Length": "1"}, body=iter([b"x"]))
        assert caught.value.attempts == 1
        with pytest.raises(exceptions.ConnectError) as caught:
            client.fetch("PUT", "/b/k", body=[b"x"])
        assert caught.value.attempts == 3
        assert "only once" not in str(caught.value)


def test_the_adaptive_mode_slows_down_after_throttling(server: RecordingServer) -> None:
    """After a throttling answer the client's limiter is on."""

    async def main() -> None:
        async with AsyncAWSClient(
            "dynamodb", endpoint=server.url, retry_mode="adaptive", max_attempts=2, **KEYS
        ) as client:
            for _ in range(20):
                await client.fetch("POST")
            server.queue(THROTTLED)
            await client.fetch("POST")
            limiter = (await client._session.ready()).pipeline.limiter
            assert limiter.enabled

    asyncio.run(main())
    assert len(server.requests) == 22


class Rotating:
    """Gives new credentials each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        return Credentials(f"AKID{self.asked}", "SECRET", "token")


def test_rejected_credentials_are_renewed_and_the_call_repeated_once(
    server: RecordingServer,
) -> None:
    """The second attempt is signed with other keys; a second rejection is final."""
    keys = {"access_key": None, "secret_key": None, "max_attempts": 1}
    server.queue(EXPIRED)
    assert fetch(server, "POST", client={**keys, "credentials": Rotating()}).code == 200
    first, second = (request.header("Authorization") or "" for request in server.requests)
    assert "Credential=AKID1/" in first
    assert "Credential=AKID2/" in second
    server.default = EXPIRED
    with pytest.raises(exceptions.AWSError, match="expired"):
        fetch(server, "POST", client={**keys, "credentials": Rotating()})
    assert len(server.requests) == 4


def test_rejected_explicit_credentials_fail_at_once_and_stay(server: RecordingServer) -> None:
    """Explicit keys are not destroyed by an error: the next call is signed with them."""

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            server.queue(EXPIRED)
            with pytest.raises(exceptions.AWSError):
                await client.fetch("POST")
            assert (await client.fetch("POST")).code == 200

    asyncio.run(main())
    assert len(server.requests) == 2
    assert all("AKID/" in (request.header("Authorization") or "") for request in server.requests)


SHORT = {"Content-Length": "1"}


async def once(part: bytes) -> AsyncIterator[bytes]:
    """Give a body that can be read but once."""
    yield part


def test_a_call_that_cannot_be_repeated_renews_the_credentials_for_the_next(
    server: RecordingServer,
) -> None:
    """Otherwise a client that only uploads streams would stay rejected for ever."""
    server.queue(EXPIRED)

    async def main() -> None:
        options: Any = {"endpoint": server.url, "region": "us-east-1", "credentials": Rotating()}
        async with AsyncAWSClient("s3", **options) as client:
            with pytest.raises(exceptions.AWSError, match="expired"):
                await client.fetch("PUT", "/b/k", headers=SHORT, body=once(b"a"))
            assert (await client.fetch("PUT", "/b/k", headers=SHORT, body=once(b"b"))).code == 200

    asyncio.run(main())
    first, second = (request.header("Authorization") or "" for request in server.requests)
    assert "Credential=AKID1/" in first
    assert "Credential=AKID2/" in second


def test_a_call_that_cannot_be_repeated_corrects_the_clock_for_the_next(
    server: RecordingServer,
) -> None:
    """Its own error is final."""
    ahead = formatdate(time.time() + 3600, usegmt=True)
    server.queue(Answer(403, b'{"__type":"RequestTimeTooSkewed"}', (("Date", ahead),)))

    async def main() -> None:
        async with AsyncAWSClient("s3", endpoint=server.url, **KEYS) as client:
            with pytest.raises(exceptions.AWSError, match="Skewed"):
                await client.fetch("PUT", "/b/k", headers=SHORT, body=once(b"a"))
            assert (await client.fetch("PUT", "/b/k", headers=SHORT, body=once(b"b"))).code == 200

    asyncio.run(main())
    first, second = (request.header("X-Amz-Date") for request in server.requests)
    assert (first or "") < (second or "")


class Expiring(Rotating):
    """Gives credentials once, and fails from then on."""

    def __call__(self) -> Credentials:
        if self.asked:
            self.asked += 1
            raise exceptions.CredentialsError(source="vault", reason="it is sealed")
        return super().__call__()


def test_rejected_credentials_whose_source_fails_are_the_services_error(
    server: RecordingServer,
) -> None:
    """Its cause says why there are no others; the source is not asked by every call."""
    server.default = EXPIRED
    source = Expiring()
    errors: list[exceptions.AWSError] = []

    async def main() -> None:
        options: Any = {"endpoint": server.url, "region": "us-east-1", "credentials": source}
        async with AsyncAWSClient("dynamodb", **options) as client:
            for _ in range(20):
                with pytest.raises(exceptions.AWSError, match="expired") as caught:
                    await client.fetch("POST")
                errors.append(caught.value)
            response = await client.fetch("POST", raise_error=False)
            assert response.code == 400

    asyncio.run(main())
    assert len(server.requests) == 21
    assert source.asked == 2
    for error in errors:
        assert isinstance(error.__cause__, exceptions.CredentialsError)
        assert "it is sealed" in str(error.__cause__)


def test_a_client_that_is_closed_while_it_renews_credentials_says_so(
    server: RecordingServer,
) -> None:
    """The service's error is not what ended the call."""
    server.default = EXPIRED

    async def main() -> None:
        began = asyncio.Event()
        given = iter([Credentials("AKID", "SECRET")])

        async def credentials() -> Credentials:
            for first in given:
                return first
            began.set()
            await asyncio.Event().wait()
            raise AssertionError

        options: Any = {"endpoint": server.url, "region": "us-east-1", "credentials": credentials}
        async with AsyncAWSClient("dynamodb", **options) as client:
            call = client.fetch("POST")
            await began.wait()
            client.close()
            with pytest.raises(exceptions.ClientClosedError):
                await call

    asyncio.run(main())


def test_the_total_timeout_bounds_all_attempts(server: RecordingServer) -> None:
    """What cannot be repeated before it ends is not waited for: the error comes at once."""
    server.default = THROTTLED
    started = time.monotonic()
    with pytest.raises(exceptions.AWSError, match="ThrottlingException") as caught:
        fetch(server, "POST", client={"total_timeout": 0.1, "max_attempts": 50})
    assert time.monotonic() - started < 5
    assert caught.value.attempts == len(server.requests) < 50


def test_a_timeout_of_the_credentials_is_not_the_calls(server: RecordingServer) -> None:
    """It is raised as it is, long before the call's own time is over."""

    def slow() -> Credentials:
        raise TimeoutError("the vault is slow")

    keys = {"access_key": None, "secret_key": None}
    with pytest.raises(TimeoutError, match="the vault is slow"):
        fetch(server, "POST", client={**keys, "credentials": slow, "total_timeout": 60})


def test_the_total_timeout_ends_an_attempt_too(server: RecordingServer) -> None:
    """The error names the bound, and the call that it ended."""
    gate = threading.Event()
    server.default = Answer(gate=gate)
    with pytest.raises(exceptions.RequestTimeout, match=r"total_timeout=0[.]1") as caught:
        fetch(server, "POST", client={"total_timeout": 0.1, "max_attempts": 50})
    error = caught.value
    assert (error.service, error.region) == ("dynamodb", "us-east-1")
    assert f"http://{error.host}" == server.url


@pytest.mark.parametrize("use_curl", [False, True])
def test_the_total_timeout_tells_how_much_of_a_response_had_come(use_curl: bool) -> None:
    """Whichever engine carried the attempt that it ended."""
    if use_curl:
        pytest.importorskip("pycurl")

    def half(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        options = {"endpoint": url, "use_curl": use_curl, "total_timeout": 0.2, **KEYS}
        async with AsyncAWSClient("dynamodb", **options) as client:
            await client.fetch("POST")

    with (
        ScriptedServer(half) as server,
        pytest.raises(exceptions.RequestTimeout, match="begun: 1; 44 bytes of a resp") as caught,
    ):
        asyncio.run(main())
    assert (caught.value.sent, caught.value.response_started) == (True, True)


def test_who_leaves_a_backoff_leaves_the_quota_as_it_was(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repetition was paid for and is not sent."""
    server.default = THROTTLED
    monkeypatch.setattr(pipeline, "random", SimpleNamespace(random=lambda: 1.0))

    class Impatient(Observer):
        def attempt_ended(self, attempt: Attempt) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()  # takes effect in the backoff

    async def main() -> int:
        options: Any = {"endpoint": server.url, "observers": [Impatient()], **KEYS}
        async with AsyncAWSClient("dynamodb", **options) as client:
            with pytest.raises(asyncio.CancelledError):
                await client.fetch("POST")
            return (await client._session.ready()).pipeline.quota.available

    assert asyncio.run(main()) == 500


def test_the_adaptive_mode_waits_for_no_turn_behind_the_deadline(server: RecordingServer) -> None:
    """The call ends at once, and nothing is sent."""

    async def main() -> None:
        options: Any = {"endpoint": server.url, "retry_mode": "adaptive", **KEYS}
        async with AsyncAWSClient("dynamodb", **options) as client:
            limiter = (await client._session.ready()).pipeline.limiter
            limiter.update(time.monotonic(), throttled=True)
            with pytest.raises(exceptions.RequestTimeout, match="total_timeout"):
                await client.with_options(total_timeout=0.9).fetch("POST")

    asyncio.run(main())
    assert server.requests == []


def test_an_error_tells_which_call_it_ended_and_what_was_retried(
    server: RecordingServer,
) -> None:
    """A raw fetch has no operation; the earlier failures stand in order."""
    server.queue(Answer(500, b"{}"), THROTTLED, MISSING)
    with pytest.raises(exceptions.AWSError) as caught:
        fetch(server, "POST", client={"max_attempts": 5})
    error = caught.value
    assert (error.service, error.operation, error.region) == ("dynamodb", None, "us-east-1")
    assert f"http://{error.host}" == server.url
    assert (error.attempts, error.retried) == (3, ("500", "ThrottlingException"))


def test_a_repetition_tells_until_when_its_answer_is_waited_for(server: RecordingServer) -> None:
    """The time is the server's, so it is not told before the server's clock is known."""
    date = ("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
    server.queue(Answer(500, b"{}", (date,)), Answer(500, b"{}"))
    fetch(server, "POST", client={"max_attempts": 3, "read_timeout": 60, "request_timeout": 90})
    first, second, third = (request.header("amz-sdk-request") for request in server.requests)
    assert first == "attempt=1; max=3"
    assert (second or "").startswith("ttl=20260101T0001")
    assert (second or "").endswith("Z; attempt=2; max=3")
    assert third == "attempt=3; max=3"


@pytest.mark.parametrize("wish", ["9" * 5000, "9" * 400, "-1", "1.5", "soon", ""])
def test_an_absurd_wish_for_a_wait_is_no_error_of_its_own(
    server: RecordingServer, wish: str
) -> None:
    """The call ends with the service's error, or waits within the bounds."""
    headers = (("x-amz-retry-after", wish), ("Date", "1 Jan 99999999999999999999 00:00:00 GMT"))
    server.default = Answer(500, b'{"__type":"InternalServerError"}', headers)
    with pytest.raises(exceptions.AWSError, match="InternalServerError"):
        fetch(server, "POST", client={"max_attempts": 2, "total_timeout": 4.0})


def test_the_mode_none_sends_once(server: RecordingServer) -> None:
    """It wins over max_attempts."""
    server.default = THROTTLED
    with pytest.raises(exceptions.AWSError):
        fetch(server, "POST", client={"retry_mode": "none", "max_attempts": 5})
    assert len(server.requests) == 1


def test_an_error_counts_as_sent_when_any_attempt_may_have_arrived() -> None:
    """A refused repetition does not undo what the first attempt may have done."""

    def sent(*failures: exceptions.RequestException) -> bool:
        canned = CannedTransport(*failures)
        with (
            AWSClient("sqs", transport=canned, max_attempts=len(failures), **KEYS) as client,
            pytest.raises(exceptions.ConnectError) as caught,
        ):
            client.fetch("GET")
        return caught.value.sent

    assert sent(exceptions.ReadError(), exceptions.ConnectError())
    assert not sent(exceptions.ConnectError(), exceptions.ConnectError())


def test_the_logged_canonical_request_is_the_one_that_was_signed(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The signature that was sent follows from the text in the log."""
    with caplog.at_level("DEBUG", "tornado_aws.signing"):
        fetch(server, "PUT", "/a b", {"q": "1"}, {"X-Some": " text "}, body=b"data")
    (record,) = [each for each in caplog.records if each.name == "tornado_aws.signing"]
    canonical = record.getMessage().partition("\n")[2]
    authorization = server.requests[0].header("Authorization") or ""
    scope = authorization.partition("Credential=AKID/")[2].partition(",")[0]
    stamp = server.requests[0].header("X-Amz-Date")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4SECRET"
    for part in [*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"]:
        key = hmac.digest(key, part.encode(), "sha256")
    assert authorization.endswith(f"Signature={key.hex()}")
