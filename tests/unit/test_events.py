"""What observers are told of calls, through real clients against a scripted server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from generated.dynamodb import DynamoDB
from tests.support.recording_server import Answer, RecordingServer
from tornado_aws import AsyncAWSClient, AWSClient, exceptions
from tornado_aws.events import Attempt, Call, Observer

KEYS: Any = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
THROTTLED = Answer(
    400,
    b'{"__type":"ThrottlingException","message":"slow"}',
    (("x-amzn-RequestId", "R1"), ("x-amz-retry-after", "0")),
)
MISSING = Answer(400, b'{"__type":"ResourceNotFoundException"}', (("x-amzn-RequestId", "R2"),))


class Diary(Observer):
    """Writes down what it is told, as it was at that moment."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self.calls: list[Call] = []
        self.attempts: list[Attempt] = []
        self.headers = headers

    def call_started(self, call: Call) -> None:
        self.calls.append(call)
        self.lines.append(("call", call.name, call.attempts))

    def attempt_started(self, attempt: Attempt) -> Mapping[str, str] | None:
        self.attempts.append(attempt)
        self.lines.append(("attempt", attempt.number))
        return self.headers

    def attempt_ended(self, attempt: Attempt) -> None:
        repeated = attempt.retry_in is not None
        self.lines.append(("ended", attempt.number, attempt.status, attempt.error, repeated))

    def call_ended(self, call: Call) -> None:
        self.lines.append(("done", call.attempts, call.status, call.error))


class Broken(Observer):
    """Fails at every event."""

    def call_started(self, call: Call) -> None:
        raise RuntimeError("no metrics today")

    def attempt_started(self, attempt: Attempt) -> Mapping[str, str] | None:
        raise RuntimeError("no metrics today")

    attempt_ended = call_ended = call_started  # type: ignore[assignment]


def call(server: RecordingServer, *observers: Observer, **options: Any) -> Any:
    """Describe a table with a generated client of its own."""

    async def main() -> Any:
        made = {"endpoint": server.url, "observers": observers, **KEYS, **options}
        async with DynamoDB(**made) as dynamodb:
            return await dynamodb.describe_table(TableName="ttt")

    return asyncio.run(main())


def test_observers_are_told_of_the_call_and_each_attempt(server: RecordingServer) -> None:
    """Every event comes once and in order, with status, error and what follows."""
    server.queue(THROTTLED)
    diary = Diary()
    call(server, diary)
    assert diary.lines == [
        ("call", "dynamodb.DescribeTable", 0),
        ("attempt", 1),
        ("ended", 1, 400, "ThrottlingException", True),
        ("attempt", 2),
        ("ended", 2, 200, None, False),
        ("done", 2, 200, None),
    ]
    (seen,) = diary.calls
    assert (seen.region, seen.method, seen.max_attempts) == ("us-east-1", "POST", 4)
    assert f"http://{seen.host}" == server.url
    assert seen.id == server.requests[0].header("amz-sdk-invocation-id")
    assert diary.attempts[0].request_id == "R1"
    assert diary.attempts[0].reason == "throttling"
    assert 0 < diary.attempts[1].seconds <= seen.seconds


def test_a_failed_call_is_told_with_the_services_code(server: RecordingServer) -> None:
    """An expected error of the service is the call's error, and no exception."""
    server.queue(MISSING)
    diary = Diary()
    with pytest.raises(exceptions.AWSError):
        call(server, diary)
    assert diary.lines[-1] == ("done", 1, 400, "ResourceNotFoundException")
    assert diary.calls[0].exception is None
    assert diary.calls[0].request_id == "R2"


def test_a_call_without_an_answer_is_told_with_the_exception() -> None:
    """The attempt's exception is the one that the caller gets."""
    diary = Diary()

    async def main() -> None:
        async with AsyncAWSClient(
            "sqs", endpoint="http://127.0.0.1:1", observers=[diary], max_attempts=2, **KEYS
        ) as client:
            await client.fetch("POST")

    with pytest.raises(exceptions.ConnectError) as caught:
        asyncio.run(main())
    assert diary.calls[0].exception is caught.value is diary.attempts[1].exception
    assert diary.calls[0].name == "sqs.POST"
    assert [line[-2:] for line in diary.lines if line[0] == "ended"] == [
        ("ConnectError", True),
        ("ConnectError", False),
    ]


def test_a_cancelled_call_is_told_as_such(server: RecordingServer) -> None:
    """Attempt and call end with the cancellation."""
    gate = threading.Event()
    server.default = Answer(gate=gate)
    diary = Diary()

    async def main() -> None:
        async with AsyncAWSClient("sqs", endpoint=server.url, observers=[diary], **KEYS) as client:
            task = client.fetch("POST")
            await server.arrived()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert diary.lines[-2:] == [
        ("ended", 1, None, "CancelledError", False),
        ("done", 1, None, "CancelledError"),
    ]


def test_headers_of_observers_are_sent_and_signed(server: RecordingServer) -> None:
    """Each attempt carries them; what signing adds itself cannot be replaced."""
    given = {"X-Trace": "t-1", "authorization": "mine", "X-Amz-Date": "never"}
    call(server, Diary(given), Diary({"X-Other": "2"}))
    (request,) = server.requests
    assert (request.header("X-Trace"), request.header("X-Other")) == ("t-1", "2")
    signed = request.header("Authorization") or ""
    assert "x-other;" in signed + ";"
    assert "x-trace" in signed
    assert "mine" not in signed
    assert (request.header("X-Amz-Date") or "").endswith("Z")


def test_a_broken_observer_is_logged_and_disturbs_nothing(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The call succeeds, and the observers after the broken one are told all the same."""
    diary = Diary()
    call(server, Broken(), diary)
    assert [line[0] for line in diary.lines] == ["call", "attempt", "ended", "done"]
    messages = [record for record in caplog.records if record.name == "tornado_aws.events"]
    assert len(messages) == 4
    assert all("'Broken'" in record.getMessage() for record in messages)


def test_headers_that_are_none_are_logged_and_disturb_nothing(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A number is sent as text; what is no mapping is the observer's fault, and not the call's."""
    call(server, Diary([("X-Trace", "1")]), Diary({"X-Number": 7}))  # type: ignore[arg-type, dict-item]
    (request,) = server.requests
    assert (request.header("X-Trace"), request.header("X-Number")) == (None, "7")
    (record,) = [record for record in caplog.records if record.name == "tornado_aws.events"]
    assert "'Diary'" in record.getMessage()


def test_the_blocking_client_has_observers_too(server: RecordingServer) -> None:
    """They are told on the client's own thread."""
    diary = Diary()
    with AWSClient("dynamodb", endpoint=server.url, observers=[diary], **KEYS) as client:
        client.fetch("POST")
    assert [line[0] for line in diary.lines] == ["call", "attempt", "ended", "done"]


def test_credentials_that_fail_end_the_call_without_an_attempt(server: RecordingServer) -> None:
    """Nothing was sent, and the call's exception says why."""
    diary = Diary()

    def none() -> Any:
        raise exceptions.CredentialsError(source="vault", reason="sealed")

    async def main() -> None:
        async with AsyncAWSClient(
            "sqs", region="us-east-1", endpoint=server.url, credentials=none, observers=[diary]
        ) as client:
            with pytest.raises(exceptions.CredentialsError):
                await client.fetch("POST")

    asyncio.run(main())
    assert diary.lines == [
        ("call", "sqs.POST", 0),
        ("done", 0, None, "CredentialsError"),
    ]
    assert server.requests == []


def test_attempts_are_logged_for_debugging_and_nothing_else(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG there is a line for each attempt; an expected error logs nothing above it."""
    server.queue(THROTTLED, MISSING)
    with caplog.at_level(logging.DEBUG, "tornado_aws"), pytest.raises(exceptions.AWSError):
        call(server)
    lines = [r.getMessage() for r in caplog.records if r.name == "tornado_aws.pipeline"]
    assert len(lines) == 2
    assert "dynamodb.DescribeTable in us-east-1 at 127.0.0.1:" in lines[0]
    assert "attempt 1 of 4: 400 ThrottlingException in 0." in lines[0]
    assert "request id R1; repeated in" in lines[0]
    assert lines[1].endswith("request id R2; not repeated: repeating it cannot help")
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


def test_no_log_line_and_no_event_holds_a_secret(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG of every logger keys, tokens, signatures and parameters stay out."""
    secrets = ("wJalrSecretKey", "IQoSessionToken", "hunter2", "c3NlLWtleQ")
    server.queue(THROTTLED)
    diary = Diary({"X-Api-Token": "hunter2"})

    async def main() -> None:
        async with AsyncAWSClient(
            "s3",
            None,
            "us-east-1",
            "AKID",
            secrets[0],
            secrets[1],
            server.url,
            observers=[diary],
        ) as client:
            await client.fetch(
                "PUT",
                "/b/k",
                {"Password": "hunter2", "api_key": "hunter2", "x-id": "shown"},
                {
                    "x-amz-server-side-encryption-customer-key": secrets[3],
                    "X-Api-Key": "hunter2",
                    "Cookie": "session=hunter2",
                    "X-Vault-Secret": "half&hunter2",
                },
                body="hunter2",
            )

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    signatures = [r.getMessage() for r in caplog.records if r.name == "tornado_aws.signing"]
    assert len(signatures) == 2
    assert "PUT\n/b/k\n" in signatures[0]
    assert "x-id=shown" in signatures[0]
    assert "x-amz-security-token:***" in signatures[0]
    text = caplog.text + repr([vars_of(thing) for thing in [*diary.calls, *diary.attempts]])
    for secret in secrets:
        assert secret not in text
    for request in server.requests:
        assert (request.header("Authorization") or "").rpartition("=")[2] not in text


def vars_of(thing: Any) -> dict[str, Any]:
    """Return the attributes of an event."""
    return {name: getattr(thing, name) for name in thing.__slots__}
