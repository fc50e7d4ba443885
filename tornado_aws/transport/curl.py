"""The second engine: libcurl through pycurl, driven on the running asyncio loop.

For what only libcurl can do (HTTP/2). It behaves as the default engine does, as far as libcurl lets
it. libcurl unfolds folded header lines, takes bare LFs in chunked bodies, and by itself sends a
request without a body again when its kept connection breaks before the first byte of a response.
What follows the end of a response it drops; under TLS what it has read with that end is taken for
the next answer. The heads of a response that is no stream are looked at when it is whole. A proxy
that says ``100 Continue`` to CONNECT is refused, and a server that answers and closes while a body
is still being sent is not always heard. Neither Tornado's curl client nor Tornado's configuration
is used.

This module is what a client sees; libcurl keeps the connections, and
`tornado_aws.transport.curl_engine` is all that belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from typing import TYPE_CHECKING

from tornado_aws.exceptions import CurlNotInstalledError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts, TransportOptions, errors
from tornado_aws.transport.loops import refuse_strange, running_loop

if TYPE_CHECKING:
    from tornado_aws.transport.curl_engine import Engine

_NOTHING = PoolStats(0, 0, 0, 0, 0)


class CurlTransport:
    """libcurl on the running asyncio loop: a `tornado_aws.transport.Transport`.

    It can be made anywhere, and belongs to the loop of its first `send`. When that loop has been
    closed it moves to the next one; in a forked child it starts with no connections. It is not
    thread-safe: all methods but `close` are for the loop's thread.

    Args:
        options: see `TransportOptions`.

    Raises:
        CurlNotInstalledError: pycurl cannot be imported, is too old, or blocks the loop.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._engine: Engine | None = None
        self._is_closed = False
        self._options = options or TransportOptions()
        try:
            # pycurl costs 39 ms and 8 MiB, so that only who asks for it imports it.
            from tornado_aws.transport import curl_engine  # noqa: PLC0415
        except ImportError as error:
            raise CurlNotInstalledError from error
        _check_version()
        self._make_engine = curl_engine.Engine

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Send `request` and return its response, whatever its status.

        Cancelling it closes the connection that the request was on, or leaves the queue; nothing
        else notices.

        Args:
            request: what to send.
            timeouts: bounds of this attempt. ``read`` and ``tls`` are kept to a quarter of
                themselves; the tunnel of a proxy that is spoken to under TLS counts for ``tls``.

        Raises:
            RequestException: no complete response came; the subclass says why: `ConnectError`,
                `ConnectTimeout`, `TLSTimeout`, `PoolTimeout`, `ReadError`, `ReadTimeout`,
                `RequestTimeout`, `ClientClosedError`, or the class itself when the request cannot
                be sent as it is.
            ConfigurationError: a TLS or proxy setting cannot be used, the transport belongs to
                another loop, which is still open, or to that of the parent process; or the loop
                cannot wait for sockets, and Tornado is too old to do it instead.
        """
        loop = asyncio.get_running_loop()
        engine = self._engine
        if engine is None or not engine.serves(loop):
            engine = self._bind(loop)
        response = await engine.send(request, timeouts)
        if response.stream is not None:
            response.stream.keeper = self  # type: ignore[attr-defined]
        return response

    def _bind(self, loop: asyncio.AbstractEventLoop) -> Engine:
        if self._is_closed:
            raise errors.closed(sent=False)
        old = self._engine
        if old is not None:
            refuse_strange(old.loop, old.pid, loop)
            old.forsake()
        self._engine = self._make_engine(self._options, loop)
        return self._engine

    def stats(self) -> PoolStats:
        """Count connections and callers."""
        return _NOTHING if self._engine is None else self._engine.stats()

    def close(self) -> None:
        """Close every connection; calls under way end with `ClientClosedError`.

        Idempotent. It may be called from any thread, and when the loop is closed.
        """
        self._is_closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            _close(engine)

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is None or engine.stats().open == 0:
            return
        warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        if engine.loop.is_running() and engine.pid == os.getpid():
            # Garbage may be collected anywhere, within libcurl too, where nothing can be closed.
            engine.loop.call_soon_threadsafe(engine.close)
        else:
            _close(engine)

    def __repr__(self) -> str:
        if self._is_closed:
            return "<CurlTransport closed>"
        counts = ", ".join(f"{name} {count}" for name, count in self.stats()._asdict().items())
        return f"<CurlTransport {counts}>"


def _check_version() -> None:
    """Refuse a pycurl, or its libcurl, that lacks what the engine asks for.

    pycurl 7.45.6 is the first that has it.
    """
    pycurl = sys.modules["pycurl"]
    if not hasattr(pycurl, "SIZE_UPLOAD_T"):
        raise CurlNotInstalledError(
            f"use_curl=True needs pycurl 7.45.6 or newer, and this is {pycurl.version.split()[0]}: "
            "pip install --upgrade 'tornado-aws[curl]'"
        )
    if not pycurl.version_info()[4] & pycurl.VERSION_ASYNCHDNS:
        raise CurlNotInstalledError(
            "use_curl=True needs a libcurl that resolves names without blocking the event loop"
            " (AsynchDNS), and this one was built without; wheels of pycurl bring one that does"
        )


def _close(engine: Engine) -> None:
    loop, running = engine.loop, running_loop()
    if loop.is_closed() or engine.pid != os.getpid():
        engine.forsake()
    elif loop.is_running() and running is not loop:
        loop.call_soon_threadsafe(engine.close)
    else:
        feeds = engine.close()
        if feeds and running is None:
            loop.run_until_complete(asyncio.wait(feeds, timeout=engine.feed_grace))
