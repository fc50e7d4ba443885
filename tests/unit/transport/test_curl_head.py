"""The heads of a response, from lines."""

from __future__ import annotations

import pytest

from tornado_aws.transport.curl_head import Heads
from tornado_aws.transport.http1 import MAX_INTERIM, ProtocolError

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"
FINAL = b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n"


def heads(*blocks: bytes) -> Heads:
    """Return what has come when these blocks have, in lines."""
    made = Heads()
    for block in blocks:
        made.lines += block.splitlines(keepends=True)
    return made


@pytest.mark.parametrize("blocks", [[FINAL], [HINT, FINAL], [FINAL, b"HTTP/1.1 500 X\r\n\r\n"]])
def test_the_first_that_is_not_interim_is_final(blocks: list[bytes]) -> None:
    """Interim heads precede it, and what follows is trailers, whatever they look like."""
    head = heads(*blocks).final(is_http2=False)
    assert head is not None
    assert (head.status, head.pairs) == (200, [("X-A", "1")])


def test_interim_heads_are_dropped_as_they_come() -> None:
    """Nothing is held of them but their count, and none is looked at twice."""
    made = heads()
    for _ in range(MAX_INTERIM):
        made.lines += [HINT]
        assert made.final(is_http2=False) is None
        assert made.lines == []
    made.lines += [HINT]
    with pytest.raises(ProtocolError, match=f"more than {MAX_INTERIM} interim"):
        made.final(is_http2=False)


def test_the_count_is_of_one_response() -> None:
    """The next response begins at none."""
    made = heads(*[HINT] * MAX_INTERIM)
    assert made.final(is_http2=False) is None
    made.clear()
    made.lines += [HINT] * MAX_INTERIM + [FINAL]
    assert made.final(is_http2=False) is not None


def test_http2_is_written_down_as_http1_is() -> None:
    """Each head of it, and nothing else that looks like it."""
    blocks = b"HTTP/2 103 \r\n\r\n", b"HTTP/2 200 \r\nvia: HTTP/2 x\r\n\r\n"
    head = heads(*blocks).final(is_http2=True)
    assert head is not None
    assert (head.status, head.pairs) == (200, [("via", "HTTP/2 x")])


@pytest.mark.parametrize(
    ("block", "is_http2", "text"),
    [
        (b"HTTP/2 200 \r\n\r\n", False, "not an HTTP/1.x response"),
        (FINAL, True, "need HTTP/2"),
        (HINT, True, "need HTTP/2"),
        (b"HTTP/2.1 200 \r\n\r\n", True, "need HTTP/2"),
        (b"HTTP/1.1 101 S\r\n\r\n", False, "another protocol, unasked"),
        (b"HTTP/1.1 200 OK\n\n", False, "does not end with CRLF"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 65536 + b"\r\n\r\n", False, "more than 65536 bytes"),
        (b"HTTP/1.1 103 C\r\nX: " + b"x" * 65536 + b"\r\n\r\n", False, "more than 65536"),
        (b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", False, "malformed"),
    ],
)
def test_what_is_no_head_is_refused(block: bytes, is_http2: bool, text: str) -> None:
    """The error says why."""
    with pytest.raises(ProtocolError, match=text):
        heads(block).final(is_http2=is_http2)
