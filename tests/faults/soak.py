"""Random faults at 200 concurrent calls for a while: every call must be accounted for.

    python -m tests.faults.soak [seconds] [seed]

Each engine runs half of the time. One in five requests meets a fault, one call in fifty is
cancelled, one in twenty has little time; half of the calls are reads, half are writes.
A call must end with its own answer or with an error that the faults explain; the server must have
executed it at least once if it succeeded, never more often than it was sent, and a write never
again after an answer was lost. In the end there must be no connection, task or timer left. The exit
status is 1 when any of this does not hold.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

from tests.transport.server import response
from tornado_aws import AsyncAWSClient, exceptions
from tornado_aws.events import Call, Observer

CONCURRENCY = 200
# Fewer than callers, so that connections pass from one call to the next at once.
CONNECTIONS = 60
READ_TIMEOUT = 1.5
# More than sockets take at once: such a body waits for its connection to be writable.
LONG = b"{" + b" " * 600_000 + b"}"
EXPLAINED = (exceptions.AWSError, exceptions.ReadError, exceptions.ConnectError)

Writer = asyncio.StreamWriter


async def _right(writer: Writer, call_id: bytes) -> None:
    writer.write(response(call_id))


async def _reset(writer: Writer, call_id: bytes) -> None:
    writer.transport.abort()


async def _close(writer: Writer, call_id: bytes) -> None:
    writer.close()


async def _truncate(writer: Writer, call_id: bytes) -> None:
    writer.write(response(call_id)[:-7])
    writer.close()


async def _stall(writer: Writer, call_id: bytes) -> None:
    writer.write(response(call_id)[:-7])
    await asyncio.sleep(READ_TIMEOUT * 3)


async def _drip(writer: Writer, call_id: bytes) -> None:
    for byte in response(call_id):
        if writer.is_closing():
            return
        writer.write(bytes([byte]))
        await asyncio.sleep(0.002)


async def _twice(writer: Writer, call_id: bytes) -> None:
    writer.write(response(call_id) + response(b"nobody's"))


async def _garbage(writer: Writer, call_id: bytes) -> None:
    writer.write(b"220 smtp.example ready\r\n\r\n")
    writer.close()


async def _wrong_crc(writer: Writer, call_id: bytes) -> None:
    writer.write(response(call_id, "200 OK", "x-amz-crc32: 1"))


async def _fail(writer: Writer, call_id: bytes) -> None:
    writer.write(response(b'{"__type":"InternalServerError"}', "500 X"))


async def _unavailable(writer: Writer, call_id: bytes) -> None:
    writer.write(response(b"<html>no</html>", "503 X", "Connection: close"))
    writer.close()


async def _throttle(writer: Writer, call_id: bytes) -> None:
    writer.write(response(b'{"__type":"ThrottlingException"}', "400 X"))


FAULTS: tuple[Callable[[Writer, bytes], Awaitable[None]], ...] = (
    _reset,
    _close,
    _truncate,
    _stall,
    _drip,
    _twice,
    _garbage,
    _wrong_crc,
    _fail,
    _unavailable,
    _throttle,
)


# After these a client knows what became of its request.
ANSWERS = (_right, _drip, _twice, _fail, _unavailable, _throttle)
READ, WRITE = ({"X-Amz-Target": f"DynamoDB_20120810.{name}"} for name in ("GetItem", "PutItem"))


class Server:
    """A server that meets requests with random faults, and counts the executions of each call.

    Attributes:
        executions: how often each call was executed, by its id.
        faults: how often each fault was played.
        lost: the writes whose answer was lost.
        silent: the calls that were left waiting once.
        repeated: those of them that came again.
    """

    def __init__(self, chance: random.Random) -> None:
        self.executions: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.lost: set[str] = set()
        self.silent: set[str] = set()
        self.repeated: set[str] = set()
        self._chance = chance

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """Answer the requests of one connection."""
        try:
            while not writer.is_closing():
                await self._exchange(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has given the connection up
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
        await reader.readexactly(int(fields.get("Content-Length", 0)))
        call_id = fields["amz-sdk-invocation-id"]
        self.executions[call_id] += 1
        if call_id in self.lost:
            self.repeated.add(call_id)
        play = self._chance.choice(FAULTS) if self._chance.random() < 0.2 else _right
        if play not in ANSWERS and fields["X-Amz-Target"] == WRITE["X-Amz-Target"]:
            self.lost.add(call_id)
        if play is _stall:
            self.silent.add(call_id)
        self.faults[play.__name__.strip("_")] += 1
        await play(writer, call_id.encode())
        await writer.drain()


class Ids(Observer):
    """Keeps what the call of each task is known by."""

    def __init__(self) -> None:
        self.calls: dict[asyncio.Task[object] | None, Call] = {}

    def call_started(self, call: Call) -> None:
        self.calls[asyncio.current_task()] = call


class Soak:
    """Callers, and what became of their calls."""

    def __init__(self, client: AsyncAWSClient, server: Server, ids: Ids, seed: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._clients = {None: client, 0.05: client.with_options(total_timeout=0.05)}
        self._server = server
        self._ids = ids
        self._chance = random.Random(seed)

    async def call_until(self, end: float) -> None:
        """Make one call after the other."""
        while time.monotonic() < end:
            bound = 0.05 if self._chance.random() < 0.05 else None
            headers = self._chance.choice((READ, WRITE))
            body = LONG if self._chance.random() < 0.05 else b"{}"
            task = self._clients[bound].fetch("POST", headers=headers, body=body)
            if self._chance.random() < 0.02:
                await asyncio.sleep(self._chance.random() * 0.02)
                task.cancel()
            await asyncio.wait([task])
            call = self._ids.calls.pop(task, None)
            executions = self._server.executions.pop(call.id, 0) if call is not None else 0
            self._account(task, call, executions, bound)

    def _account(
        self, task: asyncio.Task[object], call: Call | None, executions: int, bound: float | None
    ) -> None:
        outcome, fault = self._judge(task, call, executions, bound)
        self.outcomes[outcome] += 1
        if outcome == "ReadTimeout" and call is not None and call.id not in self._server.silent:
            fault = "the server was not silent"
        if fault:
            self.wrong.append(f"{outcome}: {fault} ({call!r}, {executions} executions)")

    @staticmethod
    def _judge(
        task: asyncio.Task[object], call: Call | None, executions: int, bound: float | None
    ) -> tuple[str, str]:
        if call is None:
            ended = task.cancelled() or (bound is not None and _was_never_sent(task.exception()))
            return "never begun", "" if ended else "the call was not observed"
        fault = "executed too often" if executions > call.attempts else ""
        if task.cancelled():
            return "cancelled", fault
        error = task.exception()
        if error is None:
            body = getattr(task.result(), "body", b"")
            own = body == call.id.encode() and executions >= 1
            return "success", fault or ("" if own else "not its own answer")
        late = bound is not None and isinstance(error, exceptions.RequestTimeout)
        explained = late or isinstance(error, EXPLAINED) or _is_page(error)
        return type(error).__name__, fault or ("" if explained else repr(error))


def _was_never_sent(error: BaseException | None) -> bool:
    """Tell whether the whole time was over before there was a request: at a client's first call."""
    return isinstance(error, exceptions.RequestTimeout) and not error.sent


def _is_page(error: BaseException) -> bool:
    """Tell whether it is what a raw fetch raises for an answer that is not AWS's."""
    return getattr(error, "code", None) in (500, 503)


async def soak(seconds: float, seed: int, *, use_curl: bool) -> int:
    """Run one engine for `seconds`; return how many things were wrong."""
    server, ids = Server(random.Random(seed)), Ids()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=1024)
    before = _descriptors()
    client = AsyncAWSClient(
        "dynamodb",
        None,
        "us-east-1",
        "AKID",
        "SECRET",
        None,
        f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}",
        max_clients=CONNECTIONS,
        read_timeout=READ_TIMEOUT,
        observers=[ids],
        use_curl=use_curl,
    )
    run = Soak(client, server, ids, seed)
    end = time.monotonic() + seconds
    async with asyncio.timeout(seconds + 60):
        await asyncio.gather(*(run.call_until(end) for _ in range(CONCURRENCY)))
    client.close()
    listening.close()
    await asyncio.sleep(READ_TIMEOUT * 4)  # the server's own stalls end, and its connections
    run.wrong += _what_is_left(before)
    run.wrong += [f"a write came again after its answer was lost: {id}" for id in server.repeated]
    _report(run, server, f"{seconds:g} s with {'libcurl' if use_curl else 'the default engine'}")
    return len(run.wrong)


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _what_is_left(before: int) -> list[str]:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    left = {"tasks": tasks, "timers": timers}
    found = [f"left {name}: {things}" for name, things in left.items() if things]
    # The listening socket was open before, and is closed by now.
    return found + ([f"left descriptors: {_descriptors()}"] if _descriptors() > before else [])


def _report(run: Soak, server: Server, circumstances: str) -> None:
    calls, requests = run.outcomes.total(), server.faults.total()
    _say(f"{calls} calls and {requests} requests in {circumstances}")
    _say(f"  {len(server.lost)} writes lost an answer, {len(server.repeated)} of them came again")
    for title, counts in (("calls ended as", run.outcomes), ("requests met", server.faults)):
        _say(f"  {title} " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))
    for line in run.wrong[:20]:
        _say(f"WRONG {line}")
    _say(f"{len(run.wrong)} wrong")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(arguments: list[str]) -> int:
    """Run as the command line says."""
    seconds = float(arguments[0]) if arguments else 60.0
    seed = int(arguments[1]) if len(arguments) > 1 else random.SystemRandom().randrange(10**6)
    _say(f"seed {seed}")
    engines = (False, True) if find_spec("pycurl") else (False,)
    wrong = [asyncio.run(soak(seconds / len(engines), seed, use_curl=use)) for use in engines]
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
