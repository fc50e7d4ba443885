"""Every fault against a read, an idempotent write and an unsafe write.

What must hold: the call ends with the right result or the right error within its bound, the server
has executed what the retry rule allows, and nothing is left: no socket, no task, no timer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from generated.dynamodb import DynamoDB
from tests.faults.table import FAULTS, RIGHT, Fault, Faulty, good
from tests.transport.certificates import make_certificates
from tests.transport.server import Peer, ScriptedServer, response
from tornado_aws import AsyncAWSClient, exceptions, pipeline
from tornado_aws.credentials import Credentials

KEYS: Any = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
BOUNDS: Any = {"connect_timeout": 5, "read_timeout": 0.4}
ALWAYS = float("inf")
# Far above what any case takes, far below a hang.
LONGEST = 8.0


class Kind(NamedTuple):
    """A kind of operation.

    Attributes:
        call: makes the call.
        may_execute_twice: whether it may be sent again when its answer is lost.
        options: the client's.
    """

    call: Callable[[DynamoDB], Awaitable[Any]]
    may_execute_twice: bool
    options: Any = {"max_attempts": 2}

    def attempts(self, fault: Fault) -> int:
        """Return how often it may be sent when every attempt meets `fault`."""
        return 2 if fault.repeated and (self.may_execute_twice or not fault.lost) else 1


KINDS = {
    "read": Kind(lambda client: client.describe_table(TableName="ttt"), True),
    "idempotent write": Kind(
        lambda client: client.transact_write_items(TransactItems=[{"Delete": _DELETED}]), True
    ),
    "unsafe write": Kind(
        lambda client: client.put_item(TableName="ttt", Item={"k": {"N": "1"}}), False
    ),
    "unsafe write, declared to be safe": Kind(
        lambda client: client.put_item(TableName="ttt", Item={"k": {"N": "1"}}),
        True,
        {"max_attempts": 2, "retry_lost_writes": True},
    ),
}
_DELETED: Any = {"TableName": "ttt", "Key": {"k": {"S": "1"}}}

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_case = pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(fault, kind, id=f"{fault.name}-{name}")
        for fault in FAULTS
        for name, kind in KINDS.items()
        # Whether the connection was made at all is a race, and the rule asks just that.
        if kind.may_execute_twice or fault.error is not exceptions.RequestException
    ],
)
each_engine = pytest.mark.parametrize(
    "use_curl",
    [
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(not find_spec("pycurl"), reason="pycurl is missing")
        ),
    ],
    ids=["pool", "curl"],
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every backoff a small part of its longest."""
    monkeypatch.setattr(pipeline, "random", SimpleNamespace(random=lambda: 0.02))


def run(endpoint: str, use: Callable[[DynamoDB], Awaitable[Any]], **options: Any) -> Any:
    """Use a client, within the bound of all tests; nothing may be left behind."""

    async def main() -> Any:
        async with DynamoDB(endpoint=endpoint, **{**KEYS, **BOUNDS, **options}) as client:
            try:
                async with asyncio.timeout(LONGEST):
                    return await use(client)
            finally:
                stats = (await client._session.ready()).pipeline.transport.stats()
                assert (stats.waiting, stats.open - stats.idle) == (0, 0), stats
                client.close()
                await asyncio.sleep(0.01)
                _assert_nothing_is_left()

    return asyncio.run(main())


def _assert_nothing_is_left() -> None:
    loop = asyncio.get_running_loop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    scheduled = loop._scheduled  # type: ignore[attr-defined]
    timers = [timer for timer in scheduled if not timer.cancelled()]
    # asyncio leaves the timer of a failed handshake to itself; it does nothing when it fires.
    assert not [timer for timer in timers if "_start_handshake" not in repr(timer)], timers


def url(server: ScriptedServer) -> str:
    return f"{server.origin.scheme}://{server.origin.host}:{server.origin.port}"


def tokens(server: ScriptedServer) -> set[str]:
    """Return what a service tells repetitions of one write by."""
    return {json.loads(request.body).get("ClientRequestToken", "") for request in server.requests}


@each_engine
@each_case
def test_a_fault_that_passes(fault: Fault, kind: Kind, use_curl: bool) -> None:
    """What may be repeated succeeds; what may not ends with the fault's error, sent once."""
    sent = 1 if fault.executed else 0
    with Faulty(fault.play) as server:
        if kind.attempts(fault) > 1:
            result = run(url(server), kind.call, use_curl=use_curl, **kind.options)
            assert result["ResponseMetadata"]["RetryAttempts"] == 1
            sent += 1
        else:
            with pytest.raises(fault.error) as caught:
                run(url(server), kind.call, use_curl=use_curl, **kind.options)
            assert (caught.value.attempts, caught.value.retried) == (1, ())
        assert len(server.requests) == sent
        assert len(tokens(server)) <= 1


@each_engine
@each_case
def test_a_fault_that_stays(fault: Fault, kind: Kind, use_curl: bool) -> None:
    """The error is the fault's, tells all attempts, and the server saw no more than those."""
    attempts = kind.attempts(fault)
    with Faulty(fault.play, ALWAYS) as server:
        with pytest.raises(fault.error) as caught:
            run(url(server), kind.call, use_curl=use_curl, **kind.options)
        error = caught.value
        assert error.attempts == attempts
        assert len(error.retried) == attempts - 1
        assert (error.service, error.region) == ("dynamodb", "us-east-1")
        assert f"http://{error.host}" == url(server)
        assert len(server.requests) == (attempts if fault.executed else 0)
        assert len(tokens(server)) <= 1
        is_explained = "not repeated: it may have been executed" in str(error)
        assert is_explained is (fault.repeated and attempts == 1)


@each_engine
@each_kind
def test_nobody_listens(kind: Kind, use_curl: bool) -> None:
    """A refused connection means that nothing was sent, after all attempts."""
    with pytest.raises(exceptions.ConnectError) as caught:
        run("http://127.0.0.1:1", kind.call, use_curl=use_curl, **kind.options)
    assert (caught.value.attempts, caught.value.sent) == (2, False)


@each_engine
@each_kind
def test_the_host_has_no_address(kind: Kind, use_curl: bool) -> None:
    """Name resolution fails with the host's name in the error."""
    with pytest.raises(exceptions.ConnectError, match=r"nowhere\.invalid") as caught:
        run("http://nowhere.invalid", kind.call, use_curl=use_curl, **kind.options)
    assert (caught.value.attempts, caught.value.sent) == (2, False)


@each_engine
def test_the_certificate_is_not_trusted(use_curl: bool, tmp_path: Path) -> None:
    """Nothing is sent to a server that cannot prove who it is."""
    context = make_certificates(tmp_path).server_context()
    with (
        ScriptedServer(good, tls=context) as server,
        pytest.raises(exceptions.ConnectError, match=r"(?i)certificate") as caught,
    ):
        run(url(server), KINDS["read"].call, use_curl=use_curl, max_attempts=2)
    assert not caught.value.sent
    assert server.requests == []


@each_engine
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Peer.stall, exceptions.ConnectTimeout),
        (lambda peer: peer.send(b"HTTP/1.0 400 X\r\n\r\n"), exceptions.ConnectError),
        (Peer.reset, exceptions.ConnectError),
    ],
    ids=["stalls", "speaks no TLS", "resets"],
)
def test_tls_fails(script: Any, error: Any, use_curl: bool) -> None:
    """A handshake that does not end is bounded by connect_timeout."""
    with ScriptedServer(script) as server, pytest.raises(error) as caught:
        run(
            url(server).replace("http:", "https:"),
            KINDS["read"].call,
            use_curl=use_curl,
            connect_timeout=0.2,
            max_attempts=2,
        )
    assert caught.value.attempts == 2


@each_engine
@pytest.mark.parametrize("bound", ["request_timeout", "total_timeout"])
def test_a_slow_drip_is_bounded(bound: str, use_curl: bool) -> None:
    """Bytes that keep coming satisfy read_timeout, but not the bounds of the whole."""

    def drip(peer: Peer) -> bool:
        peer.read_request()
        head, end, body = response(RIGHT).partition(b"\r\n\r\n")
        peer.send(head + end)  # libcurl tells nothing of a head's line before the line is complete
        for byte in body:
            peer.send(bytes([byte]))
            peer.released.wait(0.05)
        return False

    with Faulty(drip, ALWAYS) as server:
        with pytest.raises(exceptions.RequestTimeout, match=bound):
            run(url(server), KINDS["read"].call, use_curl=use_curl, **{bound: 0.8})
        assert len(server.requests) == 1


@each_engine
def test_a_second_answer_to_one_request_is_nobodys(use_curl: bool) -> None:
    """The next call gets its own answer, on a connection without leftovers."""
    wrong = response(b'{"Table":{"TableName":"wrong"}}')

    def twice(peer: Peer) -> bool:
        peer.read_request()
        peer.send(response(RIGHT) + wrong)
        return True

    async def two_calls(client: DynamoDB) -> list[str]:
        found = []
        for _ in range(2):
            result = await client.describe_table(TableName="ttt")
            found.append(result["Table"]["TableName"])
        return found

    with Faulty(twice) as server:
        assert run(url(server), two_calls, use_curl=use_curl) == ["right", "right"]
        assert server.connections == 2


@each_engine
@each_kind
def test_a_kept_connection_that_breaks_after_the_request(kind: Kind, use_curl: bool) -> None:
    """The attempt counts although the connection had served before: nothing is sent in secret."""
    sent: list[int] = []

    def script(peer: Peer) -> None:
        if peer.number == 0:
            good(peer)
            peer.read_request()
            peer.reset()
        else:
            good(peer)

    async def two_calls(client: DynamoDB) -> Any:
        await kind.call(client)
        sent.append(len(server.requests))
        return await kind.call(client)

    with ScriptedServer(script) as server:
        if kind.may_execute_twice:
            result = run(url(server), two_calls, use_curl=use_curl, **kind.options)
            assert result["ResponseMetadata"]["RetryAttempts"] == 1
        else:
            with pytest.raises(exceptions.ReadError) as caught:
                run(url(server), two_calls, use_curl=use_curl, **kind.options)
            assert caught.value.sent
        assert len(server.requests) - sent[0] == (2 if kind.may_execute_twice else 1)


def test_what_only_reads_goes_once_more_within_its_attempt() -> None:
    """A GET whose kept connection breaks before an answer is sent again; a POST is not."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.answer(b"ok")
        peer.read_request()
        peer.reset()

    async def fetch_twice(method: str) -> list[int]:
        options = {**KEYS, "max_attempts": 1, "endpoint": url(server)}
        async with AsyncAWSClient("s3", **options) as client:
            return [(await client.fetch(method, "/key")).code for _ in range(2)]

    with ScriptedServer(script) as server:
        assert asyncio.run(fetch_twice("GET")) == [200, 200]
        assert (len(server.requests), server.connections) == (3, 2)
    with ScriptedServer(script) as server:
        with pytest.raises(exceptions.ReadError) as caught:
            asyncio.run(fetch_twice("POST"))
        assert (caught.value.sent, len(server.requests)) == (True, 2)


@each_engine
def test_a_connection_that_was_closed_while_idle_is_not_used(use_curl: bool) -> None:
    """Even a call that may be sent only once does not notice."""

    def script(peer: Peer) -> None:
        good(peer)
        peer.close()

    async def two_calls(client: DynamoDB) -> None:
        for _ in range(2):
            await KINDS["unsafe write"].call(client)
            await asyncio.sleep(0.06)

    with ScriptedServer(script) as server:
        run(url(server), two_calls, use_curl=use_curl, retry_mode="none")
        assert (len(server.requests), server.connections) == (2, 2)


@each_kind
def test_a_throttling_storm_ends_when_the_quota_is_used_up(kind: Kind) -> None:
    """A hundred and more failing calls send no more repetitions than the quota pays for."""
    fault = next(fault for fault in FAULTS if fault.name == "500")

    async def storm(client: DynamoDB) -> list[Any]:
        calls = [asyncio.ensure_future(kind.call(client)) for _ in range(150)]
        return await asyncio.gather(*calls, return_exceptions=True)

    with Faulty(fault.play, ALWAYS) as server:
        results = run(url(server), storm, max_clients=20, read_timeout=5, **kind.options)
        assert all(isinstance(result, exceptions.AWSError) for result in results)
        repetitions = sum(result.attempts - 1 for result in results)
        assert len(server.requests) == 150 + repetitions
        assert repetitions == 500 // 14


def test_a_skewed_clock_is_corrected_once() -> None:
    """Even a call that is never repeated is signed again: the service has executed nothing."""
    body = b'{"__type":"InvalidSignatureException","message":"Signature expired"}'
    date = f"Date: {formatdate(time.time() + 7200, usegmt=True)}"

    def skewed(peer: Peer) -> bool:
        peer.read_request()
        peer.answer(body, "400 X", date)
        return True

    for times, attempts in ((1, 2), (ALWAYS, 2)):
        with Faulty(skewed, times) as server:
            if times == 1:
                run(url(server), KINDS["unsafe write"].call, retry_mode="none")
            else:
                with pytest.raises(exceptions.AWSError, match="InvalidSignature"):
                    run(url(server), KINDS["unsafe write"].call, retry_mode="none")
            assert len(server.requests) == attempts


def test_credentials_that_expire_in_the_middle_of_a_run() -> None:
    """Every call of the run succeeds, the refused ones with new credentials."""
    made: list[Credentials] = []

    def fresh() -> Credentials:
        made.append(Credentials(f"AKID{len(made)}", "SECRET", f"token{len(made)}"))
        return made[-1]

    def script(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            expired = request.header("X-Amz-Security-Token") == "token0"
            if expired and len(server.requests) > 5:
                peer.answer(b'{"__type":"ExpiredTokenException","message":"no"}', "400 X")
            else:
                peer.answer(RIGHT)

    async def many(client: DynamoDB) -> int:
        for _ in range(4):
            await asyncio.gather(*(client.describe_table(TableName="ttt") for _ in range(5)))
        return len(made)

    keys = {"access_key": None, "secret_key": None, "credentials": fresh}
    with ScriptedServer(script) as server:
        assert run(url(server), many, **keys, retry_mode="none", read_timeout=5) == 2
        refused = len(server.requests) - 20
        assert 1 <= refused <= 15
