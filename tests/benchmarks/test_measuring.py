"""Benchmarks measure what they say: every candidate in every round, ratios within a round."""

from __future__ import annotations

import asyncio
from collections import Counter
from http.client import HTTPConnection
from typing import NoReturn

import pytest

from benchmarks import calls, clients, pieces, record, transport
from benchmarks.answers import answers
from benchmarks.rounds import Cost, Effort, compared, cpu_ratio, interleaved, interleaved_functions
from benchmarks.server import Server
from tornado_aws.transport import Origin

QUICK = Effort(rounds=2, seconds=0.001)


def test_ratios_are_taken_within_a_round() -> None:
    """A round in which everything took twice as long changes no ratio."""
    quiet, busy = Cost(2.0, 2.0), Cost(4.0, 4.0)
    base = [Cost(4.0, 4.0), Cost(8.0, 8.0)]
    assert cpu_ratio([quiet, busy], base) == 0.5
    rows = compared({"base": base, "other": [quiet, busy]})
    assert rows["other"] == [3e6, 0.5, 1 / 3, 2.0]


def test_candidates_take_turns() -> None:
    """Functions and coroutines all have as many turns as there are rounds."""
    made: Counter[str] = Counter()

    async def call() -> None:
        made["call"] += 1

    assert len(interleaved_functions({"a": lambda: made.update("a")}, QUICK)["a"]) == 2
    assert len(asyncio.run(interleaved({"call": call}, QUICK, 3))["call"]) == 2
    assert made["a"] > 0
    assert made["call"] >= 2 * 3 * (2 + QUICK.rounds)


@pytest.mark.parametrize("name", sorted(answers()))
def test_the_server_gives_each_answer_on_its_port(running: Server, name: str) -> None:
    """Requests with a body and requests without one are answered on one connection."""
    connection = HTTPConnection("127.0.0.1", running.ports[name])
    for body in (b"{}", None):
        connection.request("POST", "/", body)
        assert connection.getresponse().read() == answers()[name].partition(b"\r\n\r\n")[2]
    connection.close()


@pytest.mark.parametrize("client", ["tornado-aws", "tornado-aws, libcurl"])
@pytest.mark.parametrize("tls", [False, True])
def test_the_engines_are_measured_with_whole_answers(
    running: Server, client: str, tls: bool
) -> None:
    """An answer of another length than expected fails the benchmark."""
    port = running.ports["1KB+tls" if tls else "1KB"]
    origin = Origin("https" if tls else "http", "127.0.0.1", port)
    ca = running.ca if tls else None

    async def call(size: int) -> None:
        async with transport.CLIENTS[client](origin, size, ca) as send:
            await send()

    asyncio.run(call(1024))
    with pytest.raises(AssertionError, match="1024 bytes instead of 1025"):
        asyncio.run(call(1025))


@pytest.mark.parametrize("name", ["calls", "calls-tls"])
def test_what_is_installed_is_measured(
    running: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that cannot be imported is left out, whatever else is measured."""

    def missing(*_: object) -> NoReturn:
        raise ImportError

    own = {name: client for name, client in clients.CLIENTS.items() if "tornado-aws" in name}
    monkeypatch.setattr(calls, "CLIENTS", {"missing": missing, **own})
    (case,) = [case for case in calls.CASES if case.name == name]
    costs = asyncio.run(calls.measure(case, running, Effort(1, 0.001)))
    assert list(costs) == ["tornado-aws", "tornado-aws, libcurl", "tornado-aws, raw fetch"]


def test_pieces_have_their_place_in_the_documentation() -> None:
    """Every table can be recorded."""
    text = record.PAGE.read_text(encoding="utf-8")
    for table in pieces.tables(QUICK):
        assert table.rows
        record.replaced(text, table.name, "")
