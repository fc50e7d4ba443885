"""Which engine sends: the pool or curl, a client's own or one shared with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from tornado_aws.exceptions import ClientClosedError
from tornado_aws.transport import (
    PoolStats,
    Request,
    Response,
    Timeouts,
    Transport,
    TransportOptions,
)

_Key = tuple[TransportOptions, bool]

# By event loop, as ``force_instance=False`` promises; a loop's engines go when it does.
_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, _SharedEngine]]
_SHARED = WeakKeyDictionary()


def make_engine(options: TransportOptions, *, use_curl: bool, own: bool) -> Transport:
    """Return an engine; call it on the loop that will use it.

    Args:
        options: what the engine is made with.
        use_curl: libcurl instead of the pool.
        own: a new engine; if False the one that other clients on this loop use with equal options,
            which is closed when the last of them closes it.
    """
    if own:
        return _engine(options, use_curl)
    engines = _SHARED.setdefault(asyncio.get_running_loop(), {})
    key = (options, use_curl)
    shared = engines.get(key)
    if shared is None or shared.users == 0:
        shared = engines[key] = _SharedEngine(_engine(options, use_curl))
    return _Lease(shared)


def _engine(options: TransportOptions, use_curl: bool) -> Transport:
    return engine_class(use_curl)(options)


def engine_class(use_curl: bool) -> Callable[[TransportOptions], Transport]:
    """Return what makes an engine.

    Its import takes too long for a loop: call this in a thread before `make_engine`.
    """
    # Each engine is imported when it is wanted: pycurl alone costs 39 ms and 8 MiB.
    if use_curl:
        from tornado_aws.transport.curl import CurlTransport  # noqa: PLC0415

        return CurlTransport
    from tornado_aws.transport.pool import PoolTransport  # noqa: PLC0415

    return PoolTransport


class _SharedEngine:
    def __init__(self, engine: Transport) -> None:
        self.engine = engine
        self.users = 0


class _Lease:
    """One client's use of a shared engine."""

    def __init__(self, shared: _SharedEngine) -> None:
        self._shared = shared
        self._closed = False
        shared.users += 1

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        if self._closed:
            raise ClientClosedError(sent=False)
        return await self._shared.engine.send(request, timeouts)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._shared.users -= 1
            if self._shared.users == 0:
                self._shared.engine.close()

    def stats(self) -> PoolStats:
        return self._shared.engine.stats()
