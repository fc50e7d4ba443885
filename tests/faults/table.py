"""Faults of servers and networks, as data: what happens, and what a single attempt makes of it.

A fault plays the server on one connection and says by its result whether the connection lives on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from tests.transport.server import Peer, ScriptedServer, response
from tornado_aws.exceptions import AWSError, CallError, ReadError, ReadTimeout, RequestException

RIGHT = b'{"Responses":[],"Table":{"TableName":"right"}}'
CRC = "x-amz-crc32: 1"
HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


def good(peer: Peer) -> bool:
    """Answer a request as it should be answered."""
    if peer.read_request() is None:
        return False
    peer.answer(RIGHT, "200 OK", "x-amzn-RequestId: R")
    return True


class Fault(NamedTuple):
    """A fault.

    Attributes:
        name: what happens.
        play: lets it happen to the next request; False when the connection is over.
        error: what one attempt ends with.
        executed: whether the server has received the whole request.
        repeated: whether the standard mode sends the request again.
    """

    name: str
    play: Callable[[Peer], bool]
    error: type[CallError]
    executed: bool = True
    repeated: bool = True

    @property
    def lost(self) -> bool:
        """Whether the client cannot know if the request was executed."""
        return issubclass(self.error, ReadError)


def _reset_at_once(peer: Peer) -> bool:
    peer.reset()
    return False


def _reset_within(peer: Peer) -> bool:
    peer.read_head()
    peer.reset()
    return False


def _reset_after(peer: Peer) -> bool:
    if peer.read_request() is not None:
        peer.reset()
    return False


def _answering(data: bytes, then: Callable[[Peer], object]) -> Callable[[Peer], bool]:
    def play(peer: Peer) -> bool:
        if peer.read_request() is not None:
            if data:
                peer.send(data)
            then(peer)
        return False

    return play


def _status(status: str, body: bytes, *headers: str) -> Callable[[Peer], bool]:
    def play(peer: Peer) -> bool:
        if peer.read_request() is None:
            return False
        peer.answer(body, status, *headers)
        return True

    return play


def _error(code: str) -> bytes:
    return b'{"__type":"com.amazonaws#%s","message":"no"}' % code.encode()


_WHOLE = response(RIGHT)

FAULTS = (
    # Whether the connection was made at all is a race, and two classes of error.
    Fault("reset before the request", _reset_at_once, RequestException, executed=False),
    Fault("reset within the request", _reset_within, ReadError, executed=False),
    Fault("reset after the request", _reset_after, ReadError),
    Fault("closed after the request", _answering(b"", Peer.close), ReadError),
    Fault("reset within the head", _answering(_WHOLE[:20], Peer.reset), ReadError),
    Fault("truncated body", _answering(_WHOLE[:-5], Peer.close), ReadError),
    Fault("stall before the answer", _answering(b"", Peer.stall), ReadTimeout),
    Fault("stall within the head", _answering(_WHOLE[:20], Peer.stall), ReadTimeout),
    Fault("stall within the body", _answering(_WHOLE[:-5], Peer.stall), ReadTimeout),
    Fault("no HTTP", _answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Peer.close), ReadError),
    Fault("wrong CRC", _status("200 OK", RIGHT, CRC), ReadError),
    Fault("500", _status("500 X", _error("InternalServerError")), AWSError),
    Fault("503 in HTML", _status("503 X", HTML, "Content-Type: text/html"), AWSError),
    Fault("empty 502", _status("502 Bad Gateway", b""), AWSError),
    Fault("429", _status("429 X", _error("Unknown")), AWSError),
    Fault("throttled", _status("400 X", _error("ThrottlingException")), AWSError),
    Fault(
        "told when to come again",
        _status("503 X", _error("SlowDown"), "x-amz-retry-after: 20", "Retry-After: 3600"),
        AWSError,
    ),
    Fault("refused by the service", _status("400 X", _error("Nope")), AWSError, repeated=False),
)


class Faulty(ScriptedServer):
    """Plays a fault a number of times, and answers rightly afterwards."""

    def __init__(self, play: Callable[[Peer], bool], times: float = 1) -> None:
        super().__init__(self._play_all)
        self._fault = play
        self._left = times
        self._lock = threading.Lock()

    def _play_all(self, peer: Peer) -> None:
        while (self._fault if self._take() else good)(peer):
            pass

    def _take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0
