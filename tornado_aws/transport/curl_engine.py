"""The part of the curl engine that belongs to one event loop: transfers from begin to end.

A transfer has one future, its handle's `waiter`. Those that are asked for in one round of the loop
begin together, as libcurl is then called once for all of them. libcurl watches the bound for
connecting; the others are watched here, with one timer for all transfers. Whatever ends a transfer
early (a bound, a cancelled caller, a closed client) takes it out of libcurl, which closes its
connection at once, and throws its handle away; a handle whose transfer ended by itself is used
again.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import AbstractEventLoop, Future, Task
from functools import partial
from ssl import SSLContext

import pycurl

from tornado_aws.exceptions import ReadError, RequestException, UnsupportedOperationError
from tornado_aws.transport import (
    Origin,
    PoolStats,
    Request,
    Response,
    Timeouts,
    TransportOptions,
    errors,
)
from tornado_aws.transport.curl_body import CurlBodyStream, Inbox, Upload
from tornado_aws.transport.curl_easy import (
    NEVER,
    BodyTooLargeError,
    Handle,
    header_lines,
)
from tornado_aws.transport.curl_errors import translate
from tornado_aws.transport.curl_multi import LazyTimer, Multi
from tornado_aws.transport.curl_options import fixed_options, speaks_http2
from tornado_aws.transport.curl_slots import Slots
from tornado_aws.transport.curl_sockets import OpenSockets
from tornado_aws.transport.descriptors import DescriptorTable
from tornado_aws.transport.http1 import Head, ProtocolError
from tornado_aws.transport.proxies import Route, route
from tornado_aws.transport.tls import load_context
from tornado_aws.transport.upload import without_body

# Routes are kept for this many origins; S3 makes one for each bucket.
_MAX_ROUTES = 1024

# What a transfer may open: its socket, and a pair to hear from the thread that looks a name up.
_DESCRIPTORS = 3


class Engine:
    """Sends requests on one event loop.

    Args:
        options: what the transport was made with.
        loop: the running loop.

    Attributes:
        loop: the loop it belongs to.
        pid: the process it belongs to.
        feed_grace: seconds that the source of a body may take to notice that it was cancelled.
    """

    feed_grace = 1.0

    def __init__(self, options: TransportOptions, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.pid = os.getpid()
        self._options = options
        self._sockets = OpenSockets()
        self._fixed = fixed_options(options)
        self._tls_checked = options.verify is True and options.client_cert is None
        self._tls_check: Future[SSLContext] | None = None
        self._routes: dict[Origin, Route] = {}
        self._slots = Slots(options.max_clients, loop)
        self._descriptors = DescriptorTable(loop)
        self._spare: list[Handle] = []
        self._active: dict[pycurl.Curl, Handle] = {}
        self._beginners: list[Handle] = []
        self._multi = Multi(loop, options.max_clients, self._finished, self._spoilt)
        self._bounds = LazyTimer(loop, self._enforce_bounds)
        self._requests = 0
        self._is_closed = False

    # --- beginning -------------------------------------------------------------------------

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """See `tornado_aws.transport.Transport.send`."""
        if request.is_duplex and not speaks_http2():
            raise UnsupportedOperationError(
                "Events can be sent while others are received over HTTP/2 only, and libcurl was"
                " built without it"
            )
        began = self.loop.time()
        way = self._route(request.origin)
        lines = header_lines(request, way)
        if request.content_length == 0:
            request = await without_body(request)
        if not self._tls_checked and "https" in (way.origin.scheme, way.first_hop.scheme):
            await self._check_tls()
        if self._descriptors.is_short_for(len(self._active) + 1, _DESCRIPTORS):
            await self._descriptors.grow()
        if not self._slots.take():
            await self._wait_for_slot(request.origin, timeouts, began)
        waiter: Future[Response] = self.loop.create_future()
        handle = self._prepared(request, lines, way, timeouts)
        handle.waiter = waiter
        handle.expires = NEVER if timeouts.request is None else began + timeouts.request
        self._begin(handle)
        feed = handle.feed
        try:
            return await waiter
        except BaseException:
            self._abandon(handle, waiter)
            raise
        finally:
            if feed is not None and handle.feed is not feed:
                # The body's source is the caller's again.
                await asyncio.wait((feed,), timeout=self.feed_grace)

    def _route(self, origin: Origin) -> Route:
        found = self._routes.get(origin)
        if found is None:
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            found = self._routes[origin] = route(self._options, origin)
        return found

    async def _check_tls(self) -> None:
        """Let Python's TLS look at the files first: it says which one is bad, and why.

        Once for all who wait for it, who then go on in the order in which they came.
        """
        if self._tls_check is None:
            self._tls_check = self.loop.run_in_executor(
                None, load_context, self._options.verify, self._options.client_cert
            )
            self._tls_check.add_done_callback(self._tls_was_checked)
        await asyncio.shield(self._tls_check)

    def _tls_was_checked(self, check: Future[SSLContext]) -> None:
        self._tls_check = None
        self._tls_checked = not check.cancelled() and check.exception() is None

    async def _wait_for_slot(self, origin: Origin, timeouts: Timeouts, began: float) -> None:
        pool = NEVER if timeouts.pool is None else timeouts.pool
        whole = NEVER if timeouts.request is None else timeouts.request
        bound = min(pool, whole)
        try:
            await self._slots.wait(None if bound == NEVER else began + bound)
        except TimeoutError:
            if pool <= whole:
                raise errors.pool_timed_out(origin, pool, self._slots.limit) from None
            raise errors.request_timed_out(
                origin, whole, "waiting for a free connection", sent=False, received=0
            ) from None

    def _prepared(
        self, request: Request, lines: list[bytes], way: Route, timeouts: Timeouts
    ) -> Handle:
        """Return a handle that is ready to send `request`, for which a slot was taken."""
        try:
            if self._is_closed:
                raise errors.closed(sent=False)
            handle = self._spare.pop() if self._spare else self._new_handle()
            handle.prepare(request, lines, way, timeouts, self._begin_stream)
        except BaseException:
            self._slots.give_back()
            raise
        return handle

    def _new_handle(self) -> Handle:
        return Handle(self._fixed, self._opened, self._options.max_response_size)

    def _opened(self, fd: int, purpose: int) -> int:
        self._descriptors.opened(fd)
        self._multi.opened(fd)
        return self._sockets.opened(fd, purpose)

    def _begin(self, handle: Handle) -> None:
        if not self._beginners:
            self.loop.call_soon(self._begin_all)
        self._beginners.append(handle)
        self._requests += 1
        self._active[handle.curl] = handle
        if handle.upload is not None:
            handle.feed = self.loop.create_task(self._feed(handle, handle.upload))

    def _begin_all(self) -> None:
        """Hand libcurl what was asked for in this round: 10 at once cost a quarter less so."""
        beginners, self._beginners = self._beginners, []
        now = self.loop.time()
        curls = []
        for handle in beginners:
            if handle.is_wanted:  # its caller may be gone by now
                handle.begin_watch(now)
                curls.append(handle.curl)
                look = self._next_look(handle, now)
                if look < NEVER:
                    self._bounds.by(look)
        if curls:
            self._multi.look()
            self._multi.add(*curls)

    async def _feed(self, handle: Handle, upload: Upload) -> None:
        try:
            await upload.feed()
        except Exception as error:  # the caller's own iterable may raise anything
            self._abort(handle, errors.body_failed(handle.request.origin, error, handle.received))

    def _begin_stream(self, handle: Handle, head: Head) -> None:
        handle.inbox = inbox = Inbox(handle.resume)
        handle.expires = NEVER
        stream = CurlBodyStream(inbox, partial(self._drop, handle, inbox), self.loop)
        response = Response(
            head.status, head.reason, head.pairs, stream=stream, headers=head.headers
        )
        # The handle must not keep the stream alive: one that is dropped ends the transfer.
        waiter, handle.waiter = handle.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(response)

    # --- ending ----------------------------------------------------------------------------

    def _finished(self, curl: pycurl.Curl, code: int, text: str) -> bool:
        """Take a transfer that ended by itself; tell whether it begins again."""
        handle = self._active[curl]
        if handle.is_untouched(code):
            handle.rearm(self.loop.time())
            return True
        del self._active[curl]
        try:
            if code:
                raise self._failure(handle, code, text)
            self._deliver(handle)
        except ProtocolError as error:
            self._sockets.shut_down(handle.socket)
            self._fail(handle, errors.malformed(handle.request.origin, error, handle.received))
        except Exception as error:  # whatever it is, the call must end with it
            self._fail(handle, error)
        self._end_feed(handle)
        kept = handle.socket
        if kept >= 0:
            self._multi.keep(kept)
        handle.clear()
        self._spare.append(handle)
        self._slots.give_back()
        return False

    def _spoilt(self, fd: int) -> None:
        """Something happened on a socket for which libcurl does not wait at the moment."""
        # It may be that of a stream which is paused; otherwise it belongs to no transfer.
        if not any(handle.is_streaming_on(fd) for handle in self._active.values()):
            self._sockets.shut_down_spoilt(fd)

    def _deliver(self, handle: Handle) -> None:
        if handle.inbox is not None:
            handle.inbox.end()
        elif handle.waiter is not None and not handle.waiter.done():
            handle.waiter.set_result(handle.response())

    def _failure(self, handle: Handle, code: int, text: str) -> RequestException:
        origin, failure = handle.request.origin, handle.failure
        if isinstance(failure, BodyTooLargeError):
            return errors.too_large(origin, failure.limit, handle.received)
        if failure is not None:
            return errors.malformed(origin, failure, handle.received)
        way = handle.route or self._route(origin)
        return translate(code, text, way, handle.timeouts, handle.progress)

    def _fail(self, handle: Handle, error: Exception) -> None:
        if handle.inbox is not None:
            handle.inbox.end(error)
        elif handle.waiter is not None and not handle.waiter.done():
            handle.waiter.set_exception(error)

    def _abort(self, handle: Handle, error: RequestException) -> None:
        """End a transfer early."""
        if self._active.pop(handle.curl, None) is None:
            return
        self._fail(handle, error)
        self._end_feed(handle)
        if handle.has_begun:
            self._multi.remove(handle.curl)
        handle.clear()
        handle.curl.close()
        self._slots.give_back()

    def _end_feed(self, handle: Handle) -> None:
        feed, handle.feed = handle.feed, None
        if feed is not None and feed is not asyncio.current_task(self.loop):
            feed.cancel()

    def _abandon(self, handle: Handle, waiter: Future[Response]) -> None:
        """End the transfer of a caller who is gone, if it has not ended."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            stream = waiter.result().stream
            if stream is not None:
                stream.close()
        elif handle.waiter is waiter:
            handle.request.received = handle.received
            self._abort(handle, errors.closed(sent=True))

    def _drop(self, handle: Handle, inbox: Inbox) -> None:
        """End the transfer of a stream that is not read to its end."""
        if handle.inbox is inbox:
            self._abort(handle, ReadError("The stream was closed before its end was read"))

    # --- bounds ----------------------------------------------------------------------------

    def _next_look(self, handle: Handle, now: float) -> float:
        return min(handle.expires, now + handle.look_every)

    def _enforce_bounds(self) -> None:
        now = self.loop.time()
        following = NEVER
        for handle in list(self._active.values()):
            error = self._overdue(handle, now)
            if error is not None:
                self._abort(handle, error)
            else:
                following = min(following, self._next_look(handle, now))
        if following < NEVER:
            self._bounds.at(following)

    def _overdue(self, handle: Handle, now: float) -> RequestException | None:
        origin, timeouts = handle.request.origin, handle.timeouts
        if now >= handle.expires and timeouts.request is not None:
            sent, received = handle.progress[:2]
            doing = "waiting for the response" if sent else "waiting for a new connection"
            return errors.request_timed_out(
                origin, timeouts.request, doing, sent=sent, received=received
            )
        if timeouts.read is not None and handle.silence(now) >= timeouts.read:
            return errors.read_timed_out(origin, timeouts.read, handle.received)
        if timeouts.tls is not None and handle.handshake(now) >= timeouts.tls:
            way = handle.route or self._route(origin)
            hop = origin if handle.has_tunnel else way.first_hop
            return errors.tls_timed_out(hop, timeouts.tls)
        return None

    # --- the whole -------------------------------------------------------------------------

    def serves(self, loop: AbstractEventLoop) -> bool:
        """Whether it can send on `loop` in this process."""
        return self.loop is loop and self.pid == os.getpid() and not self._multi.is_broken

    def stats(self) -> PoolStats:
        """See `tornado_aws.transport.Transport.stats`."""
        opened, busy = self._sockets.count(), len(self._active)
        return PoolStats(
            opened,
            max(0, opened - busy),
            self._slots.waiting,
            self._sockets.created,
            self._requests,
        )

    def close(self) -> set[Task[None]]:
        """Close everything; what is under way ends with `ClientClosedError`.

        Returns:
            Tasks that still have to notice that they were cancelled.
        """
        self._is_closed = True
        handles = list(self._active.values())
        feeds = {handle.feed for handle in handles if handle.feed is not None}
        self._slots.fail(errors.closed(sent=False))
        for handle in handles:
            sent, received = handle.progress[:2]
            self._abort(handle, errors.closed(sent=sent, received=received))
        self._bounds.cancel()
        self._multi.close()
        self._close_spare()
        return feeds

    def forsake(self) -> None:
        """Close the sockets without the loop: it is closed, or the parent process's."""
        if self.pid != os.getpid():
            self._sockets.sever()
        self._bounds.cancel()
        self._multi.forsake()
        self._close_spare()

    def _close_spare(self) -> None:
        for handle in self._spare:
            handle.curl.close()
        self._spare.clear()
