"""The default engine: kept HTTP/1.1 connections on the running asyncio loop.

This module is what a client sees; `tornado_aws.transport.pool_engine` is all that belongs to one
event loop. The loop refers to that only, so that a `PoolTransport` that is dropped unclosed is
noticed.

It runs on selector loops and on uvloop; for asyncio's Proactor loop, the default of Windows, a
thread waits for its sockets.
"""

from __future__ import annotations

import asyncio
import os
import warnings

from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts, TransportOptions, errors
from tornado_aws.transport.call import Call
from tornado_aws.transport.loops import refuse_strange, running_loop
from tornado_aws.transport.pool_engine import Pool
from tornado_aws.transport.upload import without_body

# An attempt to connect that is cancelled closes its socket when its tasks have had their turn.
_ROUNDS_TO_CLOSE = 4

# How long an upload that has been cancelled may take to notice, seconds.
_GRACE = 1.0


class PoolTransport:
    """Kept HTTP/1.1 connections on the running asyncio loop: a `tornado_aws.transport.Transport`.

    It can be made anywhere, and belongs to the loop of its first `send`. When that loop has been
    closed it moves to the next one; in a forked child it starts with no connections. It is not
    thread-safe: all methods but `close` are for the loop's thread.

    Args:
        options: see `TransportOptions`.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._options = options or TransportOptions()
        self._pool: Pool | None = None
        self._is_closed = False

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Send `request` and return its response, whatever its status.

        Cancelling it closes the connection that the request was on, or leaves the queue; nothing
        else notices.

        Args:
            request: what to send.
            timeouts: bounds of this attempt.

        Raises:
            RequestException: no complete response came; the subclass says why: `ConnectError`,
                `ConnectTimeout`, `TLSTimeout`, `PoolTimeout`, `ReadError`, `ReadTimeout`,
                `RequestTimeout`, `ClientClosedError`, or the class itself when the request cannot
                be sent as it is.
            ConfigurationError: a TLS or proxy setting cannot be used, or the transport belongs to
                another loop, which is still open, or to that of the parent process.
            UnsupportedOperationError: the request is a duplex one, which HTTP/1.1 has not.
        """
        if request.is_duplex:
            raise UnsupportedOperationError(
                "Events can be sent while others are received over HTTP/2 only, which libcurl"
                " speaks: make the client with use_curl=True (pip install 'tornado-aws[curl]')"
            )
        if request.content_length == 0:
            request = await without_body(request)
        loop = asyncio.get_running_loop()
        pool = self._pool
        if pool is None or pool.loop is not loop or pool.pid != os.getpid():
            pool = self._bind(loop)
        call = pool.call(request, timeouts)
        future = call.future
        try:
            response = await future
        except BaseException:
            _abandon(pool, call, future)
            raise
        finally:
            # Beside a streamed response the request may still be on its way.
            if call.upload is not None and call.stream is None:
                await _ended(call.upload)
        if response.stream is not None:
            response.stream.keeper = self  # type: ignore[attr-defined]
        return response

    def close(self) -> None:
        """Close every connection; calls under way end with `ClientClosedError`.

        Idempotent. It may be called from any thread, and when the loop is closed.
        """
        self._is_closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            _close(pool)

    def stats(self) -> PoolStats:
        """Count connections and callers."""
        return PoolStats(0, 0, 0, 0, 0) if self._pool is None else self._pool.stats()

    def _bind(self, loop: asyncio.AbstractEventLoop) -> Pool:
        if self._is_closed:
            raise errors.closed(sent=False)
        old = self._pool
        if old is not None:
            refuse_strange(old.loop, old.pid, loop)
            old.forsake()
        self._pool = Pool(self._options, loop)
        return self._pool

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)
        if pool is None or pool.stats().open == 0:
            return
        warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        if pool.loop.is_closed() or pool.pid != os.getpid():
            pool.forsake()
        else:
            pool.loop.call_soon_threadsafe(pool.close)

    def __repr__(self) -> str:
        if self._is_closed:
            return "<PoolTransport closed>"
        counts = ", ".join(f"{name} {count}" for name, count in self.stats()._asdict().items())
        return f"<PoolTransport {counts}>"


def _abandon(pool: Pool, call: Call, future: asyncio.Future[Response]) -> None:
    """End a call that its caller no longer waits for."""
    if future.done() and not future.cancelled() and future.exception() is None:
        stream = future.result().stream
        if stream is not None:
            stream.close()
    pool.abandon(call)


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait until a body is no longer read from, so that its source is the caller's again."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=_GRACE)


def _close(pool: Pool) -> None:
    loop = pool.loop
    if loop.is_closed() or pool.pid != os.getpid():
        pool.forsake()
    elif loop.is_running():
        if running_loop() is loop:
            pool.close()
        else:
            loop.call_soon_threadsafe(pool.close)
    else:
        pool.close()
        if running_loop() is None:
            loop.run_until_complete(_settle())


async def _settle() -> None:
    """Let the loop close what has been aborted."""
    for _ in range(_ROUNDS_TO_CLOSE):
        await asyncio.sleep(0)
