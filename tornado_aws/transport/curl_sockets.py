"""Which sockets libcurl waits for, and how the event loop is told.

libcurl names a socket when a transfer begins to wait for it and takes the name back when the
transfer ends, also when the connection is kept and serves another transfer a moment later.
Registering and unregistering with the loop each time cost a quarter of a whole request when it was
measured. On Linux the sockets are therefore gathered in an epoll of their own, of which the loop
sees one descriptor: a socket stays in it between two transfers, and the kernel drops it when
libcurl closes it, unseen by Python. `LoopWatcher` does it the plain way for other systems, and
`ThreadWatcher` for asyncio's Proactor loop, the default of Windows, which waits for no sockets.

Something that happens on a kept connection ends it: its peer closed it, or spoke unasked. libcurl
itself does not look before every use, so that each watcher does; the one with the epoll hears of it
at once. Events are libcurl's bits: 1 to read, 2 to write, 0 for no longer.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from tornado_aws.transport.loops import selector_thread, waits_for_sockets

READ = 1
WRITE = 2

Ready = Callable[[int, int], None]
Unasked = Callable[[int], None]


class Watcher(Protocol):
    """Waits for sockets on behalf of libcurl."""

    def watch(self, fd: int, events: int) -> None:
        """Wait for `events` on `fd` from now on, and for nothing else on it."""

    def opened(self, fd: int) -> None:
        """Take note that `fd` is a socket that there has not been before."""

    def keep(self, fd: int) -> None:
        """Look after `fd`, for which no transfer waits any more, between two transfers."""

    def look(self) -> None:
        """Tell now what happened between two transfers, before the loop's next round."""

    def close(self) -> None:
        """Stop waiting for anything; the loop is open."""


class LoopWatcher:
    """Registers each socket with the event loop, for as long as libcurl names it.

    A kept one is not registered, for libcurl may close it unseen; it is looked at before each use.

    Args:
        loop: the loop.
        ready: called with a socket and its events.
        unasked: called with a socket on which something happened between two transfers.
    """

    def __init__(self, loop: Any, ready: Ready, unasked: Unasked) -> None:
        self._loop = loop
        self._ready = ready
        self._unasked = unasked
        self._events: dict[int, int] = {}
        self._kept: set[int] = set()

    def watch(self, fd: int, events: int) -> None:
        before = self._events.pop(fd, 0)
        if events:
            self._events[fd] = events
            self._kept.discard(fd)
        added, dropped = events & ~before, before & ~events
        if dropped & READ:
            self._loop.remove_reader(fd)
        if dropped & WRITE:
            self._loop.remove_writer(fd)
        if added & READ:
            self._loop.add_reader(fd, self._ready, fd, READ)
        if added & WRITE:
            self._loop.add_writer(fd, self._ready, fd, WRITE)

    def opened(self, fd: int) -> None:
        self._kept.discard(fd)

    def keep(self, fd: int) -> None:
        if fd not in self._events:  # several transfers may share a connection
            self._kept.add(fd)

    def look(self) -> None:
        if not self._kept:
            return
        for fd in _with_news(self._kept):
            self._kept.discard(fd)
            self._unasked(fd)

    def close(self) -> None:
        for fd in list(self._events):
            self.watch(fd, 0)
        self._kept.clear()


def _with_news(fds: set[int]) -> list[int]:
    """Return those of `fds` that can be read or have ended; 10 take 3 us."""
    if not hasattr(select, "poll"):  # on Windows, where `select.select` takes any number
        return [fd for fd in fds if _has_news(fd)]
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _events in poll.poll(0)]


def _has_news(fd: int) -> bool:
    try:
        return bool(select.select([fd], [], [], 0)[0])
    except OSError:
        return True  # it is no socket any more


class ThreadWatcher(LoopWatcher):
    """Waits in a thread for sockets, on behalf of a loop that cannot.

    Args:
        loop: the loop, on which `ready` is called.
        ready: called with a socket and its events.
        unasked: see `LoopWatcher`.

    Raises:
        ConfigurationError: Tornado is older than 6.5, which brought the thread.
    """

    def __init__(self, loop: AbstractEventLoop, ready: Ready, unasked: Unasked) -> None:
        self._thread = selector_thread(loop)
        super().__init__(self._thread, ready, unasked)

    def close(self) -> None:
        super().close()
        self._thread.close()


if sys.platform == "linux":
    _TO_EPOLL = (0, select.EPOLLIN, select.EPOLLOUT, select.EPOLLIN | select.EPOLLOUT)
    _FAULT = select.EPOLLERR | select.EPOLLHUP

    class EpollWatcher:
        """Keeps sockets in an epoll of its own, which the loop watches as one descriptor.

        Args:
            loop: the loop.
            ready: called with a socket and its events.
            unasked: called with a socket on which something happened between two transfers.
        """

        def __init__(self, loop: AbstractEventLoop, ready: Ready, unasked: Unasked) -> None:
            self._loop = loop
            self._ready = ready
            self._unasked = unasked
            self._events: dict[int, int] = {}
            self._open()

        def _open(self) -> None:
            self._epoll = select.epoll()
            self._flags: dict[int, int] = {}
            self._loop.add_reader(self._epoll.fileno(), self._poll)

        def watch(self, fd: int, events: int) -> None:
            if not events:
                self._events.pop(fd, None)
                return
            self._events[fd] = events
            self._register(fd, _TO_EPOLL[events])

        def _register(self, fd: int, flags: int) -> None:
            if fd in self._flags:
                # The number may belong to another socket by now; only the kernel knows.
                try:
                    self._epoll.modify(fd, flags)
                except FileNotFoundError:
                    self._epoll.register(fd, flags)
            else:
                self._epoll.register(fd, flags)
            self._flags[fd] = flags

        def opened(self, fd: int) -> None:
            self._flags.pop(fd, None)

        def keep(self, fd: int) -> None:
            # libcurl names no socket whose answer came before it had to wait for it. The next
            # transfer may have begun on it by now, and waits for more than input perhaps.
            if fd not in self._events and self._flags.get(fd) != select.EPOLLIN:
                self._register(fd, select.EPOLLIN)

        def look(self) -> None:
            for fd, _flags in self._epoll.poll(0):
                if fd not in self._events:
                    self._forget(fd)

        def _poll(self) -> None:
            for fd, flags in self._epoll.poll(0):
                events = self._events.get(fd)
                if events is None:
                    self._forget(fd)
                    continue
                happened = 0
                if flags & select.EPOLLIN:
                    happened = READ
                if flags & select.EPOLLOUT:
                    happened |= WRITE
                if flags & _FAULT:
                    happened |= events
                self._ready(fd, happened)

        def _forget(self, fd: int) -> None:
            """Drop a kept socket on which something happened: most often its peer closed it."""
            self._flags.pop(fd, None)
            try:
                self._epoll.unregister(fd)
            except OSError:
                # The number means nothing or something else by now. If a forked process still holds
                # the socket that it meant, the kernel goes on telling of it.
                self._renew()
            else:
                self._unasked(fd)

        def _renew(self) -> None:
            """Wait for what libcurl waits for, and for nothing that was kept."""
            self.close()
            self._open()
            for fd, events in self._events.items():
                self.watch(fd, events)

        def close(self) -> None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    _usual_watcher: Callable[[AbstractEventLoop, Ready, Unasked], Watcher] = EpollWatcher
else:
    _usual_watcher = LoopWatcher


def make_watcher(loop: AbstractEventLoop, ready: Ready, unasked: Unasked) -> Watcher:
    """Return the best watcher that `loop` allows.

    Raises:
        ConfigurationError: see `ThreadWatcher`.
    """
    return (_usual_watcher if waits_for_sockets(loop) else ThreadWatcher)(loop, ready, unasked)


class OpenSockets:
    """The sockets that libcurl has opened for connections.

    libcurl tells of a new socket and not, in a way that pycurl can pass on safely, of its end: a
    socket is known by its inode to be the one that was opened under its number. Windows has no
    inodes of sockets: there all count as open, and none is shut down for what happens on it.

    Attributes:
        created: how many were opened.
    """

    def __init__(self) -> None:
        self.created = 0
        self._inodes: dict[int, int | None] = {}

    def opened(self, fd: int, _purpose: int) -> int:
        """Take libcurl's word that it opened `fd`; 0 tells it to go on."""
        self.created += 1
        self._inodes[fd] = _inode(fd)
        return 0

    def count(self) -> int:
        """Return how many are open."""
        return len(self._still_open())

    def shut_down(self, fd: int) -> None:
        """Make a connection unusable: its peer sees the end, libcurl a dead connection."""
        self._inodes.pop(fd, None)
        with suppress(OSError), socket.socket(fileno=os.dup(fd)) as same:
            same.shutdown(socket.SHUT_RDWR)

    def shut_down_spoilt(self, fd: int) -> None:
        """Shut down a kept connection that was closed, or on which something came unasked.

        Under TLS, too, where data cannot be told from messages of TLS itself: session tickets have
        been read with the first answer, which they precede, and others are rare. At worst a
        handshake is lost.
        """
        inode = self._inodes.get(fd)
        if inode is not None and _inode(fd) == inode and _is_spoilt(fd):
            self.shut_down(fd)

    def sever(self) -> None:
        """Detach a forked process from its parent's connections.

        The numbers stay taken, by nothing: whatever libcurl says goodbye to, the peer of the parent
        does not hear it.
        """
        with Path(os.devnull).open("r+b") as nothing:
            for fd in self._still_open():
                os.dup2(nothing.fileno(), fd, inheritable=False)

    def _still_open(self) -> list[int]:
        self._inodes = {fd: inode for fd, inode in self._inodes.items() if _inode(fd) == inode}
        return list(self._inodes)


def _is_spoilt(fd: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(fd)) as same:
            same.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False  # what was there belonged to the last answer
    except OSError:
        pass
    return True


def is_connected(fd: int) -> bool:
    """Tell whether a socket has a peer; False as well when it is none any more."""
    try:
        with socket.socket(fileno=os.dup(fd)) as same:
            same.getpeername()
    except OSError:
        return False
    return True


def _inode(fd: int) -> int | None:
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None
