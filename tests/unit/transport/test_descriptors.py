"""Room for descriptors is made in a thread, before the loop would wait for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.fresh_process import FRESH
from tests.transport.server import Peer, ScriptedServer
from tornado_aws.transport import descriptors
from tornado_aws.transport.descriptors import DescriptorTable

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others do not wait")


@pytest.mark.parametrize("engine", ["pool", "curl"])
def test_the_loop_opens_no_socket_that_needs_a_larger_table(engine: str) -> None:
    """The system doubles a table that is full; this one has been made larger by far before."""
    if engine == "curl" and find_spec("pycurl") is None:
        pytest.skip("pycurl is not installed")
    count = 70
    all_are_open = threading.Barrier(count, timeout=10)

    def script(peer: Peer) -> None:
        peer.read_request()
        all_are_open.wait()
        peer.answer(b"ok")

    with ScriptedServer(script) as server:
        command = ("-m", "tests.support.connecting_program", engine, str(server.origin.port))
        ran = subprocess.run(
            (*FRESH, sys.executable, *command, str(count)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=30,
        )
    before, after = json.loads(ran.stdout)
    assert before == 64
    assert after > 128


def test_a_table_is_short_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others open descriptors, too."""
    monkeypatch.setattr(descriptors, "_grow", lambda size: size)

    async def run() -> None:
        table = DescriptorTable(asyncio.get_running_loop())
        assert not table.is_short()
        table.opened(47)
        table.opened(9)
        assert not table.is_short()
        table.opened(48)
        assert table.is_short()
        await table.grow()
        assert not table.is_short()
        table.opened(1008)
        assert table.is_short()

    asyncio.run(run())


def test_sockets_out_of_sight_take_the_numbers_of_earlier_ones() -> None:
    """Only those beyond may need a larger table."""

    async def run() -> None:
        table = DescriptorTable(asyncio.get_running_loop())
        assert not table.is_short_for(15, each=3)
        assert table.is_short_for(16, each=3)
        for descriptor in range(20, 40):
            table.opened(descriptor)
        assert not table.is_short_for(22, each=3)
        assert table.is_short_for(23, each=3)
        table.opened(20)
        assert table.is_short_for(23, each=3)

    asyncio.run(run())


def test_a_table_grows_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who is cancelled meanwhile takes nothing from the others."""
    sizes, threads = [], []
    may_go = threading.Event()

    def grow(size: int) -> int:
        sizes.append(size)
        threads.append(threading.current_thread())
        may_go.wait(10)
        return size

    async def run() -> None:
        table = DescriptorTable(asyncio.get_running_loop())
        asking = [asyncio.create_task(table.grow()) for _ in range(3)]
        await asyncio.sleep(0)
        asking[0].cancel()
        await asyncio.sleep(0)
        may_go.set()
        await asyncio.gather(*asking[1:])
        assert asking[0].cancelled()
        await table.grow()

    monkeypatch.setattr(descriptors, "_grow", grow)
    asyncio.run(run())
    assert sizes == [1024, 16384]
    assert threading.main_thread() not in threads


def test_a_table_grows_while_the_loop_s_threads_are_all_at_work() -> None:
    """Whoever needs none of them need not wait for one."""
    may_end = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        work = loop.run_in_executor(None, may_end.wait, 10)
        await DescriptorTable(loop).grow()
        may_end.set()
        assert await work

    asyncio.run(asyncio.wait_for(run(), 5))


def test_nothing_stays_open() -> None:
    """The descriptors that make a table larger are closed."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert descriptors._grow(128) == 128
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("limit", [128, 100, 3])
def test_nobody_waits_at_the_limit(limit: int) -> None:
    """Whether there is any room left or none, there will be no larger table."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        size = descriptors._grow(128)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert size == sys.maxsize
