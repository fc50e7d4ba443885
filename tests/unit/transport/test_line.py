"""Lines: what is written arrives, what comes is reported, whatever the pieces; an end is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.certificates import Certificates, make_certificates
from tests.transport.simple import until
from tornado_aws.transport.line import Line, SocketLine, TLSLine
from tornado_aws.transport.loops import Waiter
from tornado_aws.transport.tls import load_context

SIZE = 4096


class Listener:
    """Notes what a line reports.

    Attributes:
        data: all bytes that came.
        pieces: their numbers.
        end: how the line ended, as a list of one.
        drained: how often it was said that all is written.
    """

    def __init__(self, line: Line) -> None:
        self.data = bytearray()
        self.pieces: list[int] = []
        self.end: list[Exception | None] = []
        self.drained = 0
        self._line = line

    def bytes_received(self, nbytes: int) -> None:
        self.data += self._line.target[:nbytes]
        self.pieces.append(nbytes)

    def line_ended(self, cause: Exception | None) -> None:
        self.end.append(cause)

    def line_drained(self) -> None:
        self.drained += 1


def buffer() -> memoryview:
    """Return memory to receive into."""
    return memoryview(bytearray(SIZE))


# --- in the clear -----------------------------------------------------------------------------


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; the first one does not block."""
    listening = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listening.getsockname())
    theirs, _ = listening.accept()
    listening.close()
    ours.setblocking(False)
    theirs.settimeout(5)
    yield ours, theirs
    ours.close()
    theirs.close()


Ends = tuple[socket.socket, socket.socket]


def test_bytes_go_both_ways(ends: Ends) -> None:
    """What comes is in the target; an end in order has no cause."""
    ours, theirs = ends

    async def main() -> None:
        line = SocketLine(asyncio.get_running_loop(), ours, buffer())
        listener = Listener(line)
        line.listen(listener)
        line.write(b"question")
        assert theirs.recv(100) == b"question"
        theirs.sendall(b"answer" * 2000)
        theirs.shutdown(socket.SHUT_WR)
        await until(lambda: listener.end)
        assert bytes(listener.data) == b"answer" * 2000
        assert max(listener.pieces) <= SIZE
        assert listener.end == [None]
        assert listener.drained == 0
        line.abort()
        assert line.fileno() == -1

    asyncio.run(main())


def test_what_has_come_can_be_taken_at_once(ends: Ends) -> None:
    """Without waiting for the loop, be it bytes, nothing or the end."""
    ours, theirs = ends

    async def main() -> None:
        line = SocketLine(asyncio.get_running_loop(), ours, buffer())
        listener = Listener(line)
        line.listen(listener)
        line.look()
        assert not listener.pieces
        theirs.sendall(b"hello")
        line.look()
        assert listener.data == b"hello"
        theirs.close()
        line.look()
        assert (listener.end, line.is_over) == ([None], True)
        line.abort()

    asyncio.run(main())


def test_nothing_is_read_before_somebody_listens_or_while_paused(ends: Ends) -> None:
    """The bytes wait in the socket."""
    ours, theirs = ends

    async def main() -> None:
        line = SocketLine(asyncio.get_running_loop(), ours, buffer())
        listener = Listener(line)
        theirs.sendall(b"early")
        await asyncio.sleep(0.01)
        line.listen(listener)
        line.pause()
        line.pause()
        await asyncio.sleep(0.01)
        assert not listener.data
        line.resume()
        await until(lambda: listener.data)
        assert listener.data == b"early"
        line.abort()
        line.resume()  # of no effect any more

    asyncio.run(main())


def test_what_the_peer_does_not_take_waits(ends: Ends) -> None:
    """It is counted, goes out in order, and its end is told once."""
    ours, theirs = ends
    pieces = [bytes([number]) * 1_000_000 for number in range(8)]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        line = SocketLine(loop, ours, buffer())
        listener = Listener(line)
        line.listen(listener)
        for piece in pieces:
            line.write(piece)
        assert 0 < line.unwritten() < 8_000_000
        assert listener.drained == 0
        got = await loop.run_in_executor(None, read_exactly, theirs, 8_000_000)
        assert got == b"".join(pieces)
        await until(lambda: listener.drained)
        assert (line.unwritten(), listener.drained) == (0, 1)
        line.abort()

    asyncio.run(main())


def read_exactly(sock: socket.socket, size: int) -> bytes:
    """Read `size` bytes from a socket that blocks."""
    data = bytearray()
    while len(data) < size:
        data += sock.recv(size - len(data))
    return bytes(data)


def test_a_peer_s_last_words_are_read_before_its_reset(ends: Ends) -> None:
    """It answered, did not read the rest and closed: writing fails, and says nothing itself."""
    ours, theirs = ends

    async def main() -> None:
        line = SocketLine(asyncio.get_running_loop(), ours, buffer())
        listener = Listener(line)
        line.write(b"x" * 100_000)
        theirs.sendall(b"enough!")
        theirs.close()
        for _ in range(3):
            await asyncio.sleep(0.01)
            line.write(b"more")
        assert line.unwritten() >= 4
        line.listen(listener)
        await until(lambda: listener.end)
        assert listener.data == b"enough!"
        assert isinstance(listener.end[0], ConnectionResetError | None)
        assert listener.drained == 0
        line.abort()

    asyncio.run(main())


@pytest.mark.parametrize("fills", [False, True])
def test_an_aborted_line_leaves_nothing_with_the_loop(ends: Ends, fills: bool) -> None:
    """Neither a reader nor a writer, and the socket is closed; again it does nothing."""
    ours, theirs = ends

    async def main() -> None:
        loop = asyncio.get_running_loop()
        line = SocketLine(loop, ours, buffer())
        listener = Listener(line)
        line.listen(listener)
        line.write(b"x" * (8_000_000 if fills else 1))
        descriptor = line.fileno()
        line.abort()
        line.abort()
        assert not loop.remove_reader(descriptor)
        assert not loop.remove_writer(descriptor)
        assert line.unwritten() == 0
        await asyncio.sleep(0.01)
        assert not listener.end

    asyncio.run(main())
    while theirs.recv(1 << 20):
        pass


def test_a_line_is_closed_without_its_loop(ends: Ends) -> None:
    """The peer sees the end when the loop is gone."""
    ours, theirs = ends

    async def main() -> SocketLine:
        line = SocketLine(asyncio.get_running_loop(), ours, buffer())
        line.listen(Listener(line))
        return line

    asyncio.run(main()).forsake()
    assert theirs.recv(1) == b""


def test_a_receiver_s_error_is_its_own_and_reaches_the_loop(ends: Ends) -> None:
    """A fault of ours is not swallowed, and whoever waits is told."""
    ours, theirs = ends
    told: list[dict[str, Any]] = []

    class Faulty(Listener):
        def bytes_received(self, nbytes: int) -> None:
            raise RuntimeError("a fault")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        line = SocketLine(loop, ours, buffer())
        listener = Faulty(line)
        line.listen(listener)
        theirs.sendall(b"x")
        await until(lambda: listener.end)
        assert str(listener.end[0]) == "a fault"
        line.abort()

    asyncio.run(main())
    assert str(told[0]["exception"]) == "a fault"


# --- under TLS --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of a CA of our own."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    return make_certificates(folder)


class Cable:
    """A `Line` that carries bytes to and from a TLS server in memory."""

    is_secure = False
    is_over = False

    def __init__(self, context: ssl.SSLContext) -> None:
        self.target = buffer()
        self.is_paused = False
        self.is_aborted = False
        self._to_server, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = context.wrap_bio(self._to_server, self._from_server, server_side=True)
        self._receiver: Any = None

    def listen(self, receiver: Any) -> None:
        self._receiver = receiver

    def write(self, data: bytes | memoryview) -> None:
        self._to_server.write(data)

    def unwritten(self) -> int:
        return 0

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def look(self) -> None:
        self.carry()

    def fileno(self) -> int:
        return 99

    def abort(self) -> None:
        self.is_aborted = True

    def forsake(self) -> None:
        self.is_aborted = True

    def carry(self, size: int = SIZE) -> None:
        """Bring what the server has written, `size` bytes at a time."""
        data = self._from_server.read()
        for start in range(0, len(data), size):
            if self.is_paused or self.is_aborted:
                return
            piece = data[start : start + size]
            self.target[: len(piece)] = piece
            self._receiver.bytes_received(len(piece))

    def end(self, cause: Exception | None = None) -> None:
        """End the connection."""
        self._receiver.line_ended(cause)


async def shaken(cable: Cable, ca: str, size: int = SIZE) -> TLSLine:
    """Return a line whose handshake is done."""
    loop = asyncio.get_running_loop()
    line = TLSLine(loop, cable, load_context(ca, None), "localhost")
    task = loop.create_task(line.shake_hands())
    while not task.done():
        await asyncio.sleep(0)
        with suppress(ssl.SSLWantReadError):
            cable.server.do_handshake()
        cable.carry(size)
    await task
    return line


@given(
    messages=st.lists(st.binary(max_size=40_000), max_size=6),
    size=st.one_of(st.integers(1, 40), st.integers(41, SIZE)),
    room=st.one_of(st.integers(1, 40), st.integers(41, SIZE)),
    says_goodbye=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_tls_in_any_pieces(
    certificates: Certificates,
    messages: list[bytes],
    size: int,
    room: int,
    says_goodbye: bool,
) -> None:
    """Records cut anywhere, into memory of any size, are the bytes that were sent."""

    async def main() -> None:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca, size)
        line.target = line.target[:room]
        listener = Listener(line)
        line.listen(listener)
        for message in messages:
            cable.server.write(message)
            cable.carry(size)
        assert bytes(listener.data) == b"".join(messages)
        assert not listener.end
        if says_goodbye:
            with pytest.raises(ssl.SSLWantReadError):
                cable.server.unwrap()
            cable.carry(size)
            assert listener.end == [None]
        else:
            cable.end()
            assert isinstance(listener.end[0], ConnectionAbortedError)
        assert cable.is_paused
        line.write(b"still there?")
        assert cable.server.read(100) == b"still there?"

    asyncio.run(main())


def test_what_came_before_anybody_listened_is_not_lost(certificates: Certificates) -> None:
    """A server may speak right after the handshake."""

    async def main() -> bytes:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca)
        cable.server.write(b"hello")
        cable.carry()
        listener = Listener(line)
        line.listen(listener)
        return bytes(listener.data)

    assert asyncio.run(main()) == b"hello"


def test_a_receiver_may_abort_in_the_middle(certificates: Certificates) -> None:
    """Nothing more is reported, though more is there."""

    async def main() -> None:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca)
        line.target = line.target[:100]

        class Hasty(Listener):
            def bytes_received(self, nbytes: int) -> None:
                super().bytes_received(nbytes)
                line.abort()

        listener = Hasty(line)
        line.listen(listener)
        cable.server.write(b"x" * 1000)
        cable.carry()
        assert cable.is_aborted
        assert listener.data == b"x" * 100

    asyncio.run(main())


def test_an_end_is_known_with_the_last_bytes(certificates: Certificates) -> None:
    """TLS's goodbye that came along is seen before the bytes are handed on."""

    async def main() -> list[bool]:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca)
        known: list[bool] = []

        class Curious(Listener):
            def bytes_received(self, nbytes: int) -> None:
                known.append(line.is_over)

        line.listen(Curious(line))
        cable.server.write(b"first")
        cable.carry()
        cable.server.write(b"last")
        with suppress(ssl.SSLWantReadError):
            cable.server.unwrap()
        cable.carry()
        return known

    assert asyncio.run(main()) == [False, True]


def test_looking_takes_what_has_come(certificates: Certificates) -> None:
    """Session tickets are no bytes for the receiver, and answers are."""

    async def main() -> None:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca)
        listener = Listener(line)
        line.listen(listener)
        line.look()
        assert not listener.pieces
        cable.server.write(b"hello")
        line.look()
        assert listener.data == b"hello"

    asyncio.run(main())


def test_garbage_after_the_handshake_is_an_error(certificates: Certificates) -> None:
    """It is told once, with OpenSSL's reason; writing afterwards tells of it as well."""

    async def main() -> None:
        cable = Cable(certificates.server_context())
        line = await shaken(cable, certificates.ca)
        listener = Listener(line)
        line.listen(listener)
        cable._from_server.write(b"this is no record of TLS" * 10)
        cable.carry()
        assert [type(cause) for cause in listener.end] == [ssl.SSLError]
        line.write(b"x")
        await asyncio.sleep(0)
        assert len(listener.end) == 2

    asyncio.run(main())


@pytest.mark.parametrize("cause", [None, ConnectionResetError("reset")])
def test_an_end_within_the_handshake_fails_it(
    certificates: Certificates, cause: Exception | None
) -> None:
    """Whoever waits for the handshake is told."""

    async def main() -> None:
        cable = Cable(certificates.server_context())
        loop = asyncio.get_running_loop()
        line = TLSLine(loop, cable, load_context(certificates.ca, None), "localhost")
        task = loop.create_task(line.shake_hands())
        await asyncio.sleep(0)
        cable.end(cause)
        with pytest.raises(OSError, match="goodbye" if cause is None else "reset"):
            await task

    asyncio.run(main())


def test_a_waiter_may_be_any(ends: Ends) -> None:
    """A line asks nothing of a loop but to wait for its socket."""
    ours, theirs = ends
    readers: dict[int, Callable[[], None]] = {}

    class ByHand:
        def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
            readers[fd] = lambda: callback(*args)

        def remove_reader(self, fd: int) -> None:
            del readers[fd]

        def add_writer(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
            raise AssertionError("nothing had to wait")

        def remove_writer(self, fd: int) -> None:
            raise AssertionError("nothing had to wait")

    waiter: Waiter = ByHand()
    line = SocketLine(waiter, ours, buffer())
    listener = Listener(line)
    line.listen(listener)
    readers[ours.fileno()]()  # nothing is there, which is no error
    theirs.sendall(b"now")
    while not listener.data:
        readers[ours.fileno()]()
    assert listener.data == b"now"
    line.abort()
    assert not readers
