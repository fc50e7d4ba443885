"""libcurl's multi interface on an asyncio loop: sockets and timers in, ends of transfers out.

Three things make it cheap: transfers that are wanted in the same round of the loop are begun
together, all requests being on the wire when `Multi.add` returns; sockets stay registered between
transfers (`tornado_aws.transport.curl_sockets`); and a timer that libcurl moves or takes back, as
it does in every transfer, is moved by assigning a number (`LazyTimer`).
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import Protocol

import pycurl

from tornado_aws.transport.curl_sockets import Unasked, make_watcher

# libcurl's clock counts milliseconds: a timer that fires early finds nothing to do.
_GRAIN = 0.001

_ABORTED_BY_CALLBACK = 42  # curl/curl.h, CURLcode


class LazyTimer:
    """One timer of the loop for a moment that keeps being moved, mostly to a later one."""

    def __init__(self, loop: AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._due: float | None = None
        self._handle: TimerHandle | None = None
        self._fires_at = 0.0  # uvloop's handles of due timers do not tell

    def at(self, when: float | None) -> None:
        """Call back at `when`, on the loop's clock, instead of any earlier choice; None: never."""
        self._due = when
        if when is None:
            return
        if self._handle is not None:
            if self._fires_at <= when:
                return
            self._handle.cancel()
        self._fires_at = when
        self._handle = self._loop.call_at(when, self._fire)

    def by(self, when: float) -> None:
        """Call back at `when` at the latest."""
        if self._due is None or when < self._due:
            self.at(when)

    def _fire(self) -> None:
        self._handle = None
        due = self._due
        if due is None:
            return
        if due > self._loop.time() + _GRAIN:
            self.at(due)
            return
        self._due = None
        self._callback()

    def cancel(self) -> None:
        """Never call back again."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Finished(Protocol):
    """What is called when a transfer has ended."""

    def __call__(self, curl: pycurl.Curl, code: int, text: str) -> bool:
        """Take what `curl` received; it is removed afterwards.

        Args:
            curl: the handle, whose connection can still be asked for.
            code: libcurl's code, 0 for success.
            text: its explanation.

        Returns:
            Whether `curl` is to begin again.
        """
        ...


class Multi:
    """Runs transfers on one loop.

    Args:
        loop: the running loop.
        max_connections: how many connections are open at once, kept ones included.
        finished: called for each transfer that ends by itself, outside of libcurl.
        unasked: called with a socket on which something happened between two transfers.

    Attributes:
        is_broken: whether it has become useless.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        max_connections: int,
        finished: Finished,
        unasked: Unasked,
    ) -> None:
        self._loop = loop
        self._finished = finished
        self._running: set[pycurl.Curl] = set()
        self._adding = False
        self.is_broken = False
        self._timer = LazyTimer(loop, self._on_timeout)
        self._watcher = make_watcher(loop, self._act, unasked)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_connections)
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, max_connections)

    def opened(self, fd: int) -> None:
        """Take note of a new socket of libcurl's."""
        self._watcher.opened(fd)

    def keep(self, fd: int) -> None:
        """Look after a connection whose transfer has ended and that libcurl keeps."""
        self._watcher.keep(fd)

    def look(self) -> None:
        """Take notice of kept connections that have ended."""
        self._watcher.look()

    def add(self, *curls: pycurl.Curl) -> None:
        """Begin transfers; they may end before this returns."""
        self._running.update(curls)
        self._adding = True
        try:
            for curl in curls:
                self._multi.add_handle(curl)
        except pycurl.error as error:
            self._give_up(error)
            return
        finally:
            self._adding = False
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def remove(self, curl: pycurl.Curl) -> None:
        """End a transfer early; its connection is closed at once."""
        self._running.discard(curl)
        self._multi.remove_handle(curl)

    def close(self) -> None:
        """Close every connection; no transfer may be running."""
        self._watcher.close()
        self.forsake()

    def forsake(self) -> None:
        """Close every connection without the loop: it is closed, or the parent process's."""
        self._timer.cancel()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, _ignore)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, _ignore)
        self._multi.close()

    def _act(self, fd: int, events: int) -> None:
        try:
            _, running = self._multi.socket_action(fd, events)
        except pycurl.error as error:
            self._give_up(error)
            return
        if running < len(self._running):
            self._reap()

    def _give_up(self, error: pycurl.error) -> None:
        """End every transfer: libcurl does no more after one of the callbacks below failed."""
        self.is_broken = True
        running, self._running = self._running, set()
        for curl in running:
            self._finished(curl, _ABORTED_BY_CALLBACK, f"libcurl stopped working: {error}")

    def _reap(self) -> None:
        _, succeeded, failed = self._multi.info_read()
        for curl in succeeded:
            self._finished(curl, 0, "")
            self.remove(curl)
        for curl, code, text in failed:
            begins_again = self._finished(curl, code, text)
            self.remove(curl)
            if begins_again:
                self.look()
                self.add(curl)

    # libcurl calls these from within the calls above; they must not call it back.

    def _on_socket(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        self._watcher.watch(fd, 0 if what == pycurl.POLL_REMOVE else what)

    def _on_timer(self, milliseconds: int) -> None:
        if self._adding:
            return
        self._timer.at(self._loop.time() + milliseconds / 1000 if milliseconds >= 0 else None)

    def _on_timeout(self) -> None:
        self._act(pycurl.SOCKET_TIMEOUT, 0)


def _ignore(*_arguments: object) -> None:
    """Take libcurl's last words on sockets and timers that nobody watches any more."""
