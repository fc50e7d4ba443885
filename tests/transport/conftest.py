"""One suite, every engine: `transport_factory` is parametrised by the table `ENGINES`.

A test makes its transports with the factory and runs its coroutine with `run`; both go together,
because an engine is tested on each event loop it supports. What a test leaves open is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

import pytest

from tests.transport.certificates import Certificates, make_certificates
from tornado_aws.transport import Transport, TransportOptions
from tornado_aws.transport.curl import CurlTransport
from tornado_aws.transport.pool import PoolTransport

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]
TransportFactory = Callable[..., Transport]
Run = Callable[[Coroutine[Any, Any, T]], T]


class Engine(NamedTuple):
    """An engine on an event loop.

    Attributes:
        make: makes a transport from `TransportOptions`.
        loop_factory: makes the event loop.
    """

    make: Callable[[TransportOptions], Transport]
    loop_factory: LoopFactory


ENGINES: dict[str, Engine] = {"pool": Engine(PoolTransport, asyncio.SelectorEventLoop)}

with suppress(ImportError):
    import uvloop

    ENGINES["pool-uvloop"] = Engine(PoolTransport, uvloop.new_event_loop)

if find_spec("pycurl") is not None:
    ENGINES["curl"] = Engine(CurlTransport, asyncio.SelectorEventLoop)
    if "pool-uvloop" in ENGINES:
        ENGINES["curl-uvloop"] = Engine(CurlTransport, ENGINES["pool-uvloop"].loop_factory)


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine under test."""
    return ENGINES[request.param]


@pytest.fixture
def run(engine: Engine) -> Iterator[Run[Any]]:
    """Run a coroutine on the engine's event loop; several calls of a test share the loop."""
    with asyncio.Runner(loop_factory=engine.loop_factory) as runner:
        yield lambda coroutine: runner.run(asyncio.wait_for(coroutine, 20))


@pytest.fixture
def transport_factory(engine: Engine, run: Run[Any]) -> Iterator[TransportFactory]:
    """Make transports from the fields of `TransportOptions`."""
    made: list[Transport] = []

    def make(**options: Any) -> Transport:
        transport = engine.make(TransportOptions(**options))
        made.append(transport)
        return transport

    yield make

    async def close() -> None:
        for transport in made:
            transport.close()
        await asyncio.sleep(0)

    run(close())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA and what it has signed."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))
