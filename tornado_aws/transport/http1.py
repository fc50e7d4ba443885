"""HTTP/1.1 as bytes: the head of a request, and a parser of responses. No IO, no clock.

The parser is strict, for a client that hands over signed requests on connections it keeps: what two
parties could read differently ends in `ProtocolError` instead of a guess. Refused are both lengths
at once, lengths that disagree, any transfer coding but ``chunked``, folded header lines, bare CR or
LF, control characters, white space before a colon, sizes that are not plain hexadecimal, and bytes
after the end of a response. Terms are those of RFC 9110 and RFC 9112.

The usual response (one read, a ``Content-Length``) is parsed by one regular expression and one copy
of the body; `bytes.find` does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

from tornado_aws.transport import Headers, Request
from tornado_aws.transport.fields import TCHAR, TOKEN, by_name, refused

# Enough for any AWS response: user metadata of S3 is at most 2 KB. Python's http.client reads lines
# of up to 64 KiB, curl heads of up to 300 KB, node.js of 16 KiB.
MAX_HEAD = 65536
MAX_HEADERS = 256
MAX_CHUNK_LINE = 4096
# No body is that long; more digits would only make int() work.
MAX_DIGITS = 18
# 100 and 103 come once each; a peer that sends more than this only keeps the connection busy.
MAX_INTERIM = 16

# Bodies of these lengths, in bytes, are received into their own memory. Below it is not worth the
# trouble; above, the length is more than a stranger's word should reserve memory for.
_CLAIM_AT_LEAST = 65536
_CLAIM_AT_MOST = 1 << 26

# How many bytes of a read are copied at a time in search of the end of a head or line.
_WINDOW = 8192

# Possessive repeats and the anchor keep both linear on hostile input.
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*+))?\r\n")
_FIELD = re.compile(rf"(?m)^({TCHAR}++):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)\r\n")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*+;[\t\x20-\x7e\x80-\xff]*+)?")


class ProtocolError(Exception):
    """What the peer sent is not the HTTP/1.1 that this module accepts; the text says what."""


# --- requests ---------------------------------------------------------------------------------


def body_length(request: Request) -> int | None:
    """Return the length of the request's body in bytes; None when it is sent chunked."""
    body = request.body
    if isinstance(body, bytes):
        return len(body)
    return 0 if body is None else request.content_length


def request_head(request: Request, prefix: str = "", extra: str = "") -> bytes:
    """Return the head of `request` as it goes on the wire, the empty line included.

    Args:
        request: what to send; the head gets ``Content-Length`` or ``Transfer-Encoding`` unless the
            request states its length itself, and ``Expect`` when it waits for ``100 Continue``.
        prefix: scheme and authority put before the target: the absolute form for a proxy.
        extra: header lines for a proxy, known to be safe, each with its CRLF.

    Raises:
        RequestException: a method or target that cannot be sent safely, or a framing header that
            contradicts the body. Nothing has been sent.
    """
    start = request_line(request, prefix)
    return f"{start}{request.fields[0]}{framing_lines(request)}{extra}\r\n".encode()


def request_line(request: Request, prefix: str = "") -> str:
    """Return the first line of the head of `request`; see `request_head`."""
    method, target = request.method, f"{prefix}{request.target}"
    is_plain = target.isascii() and target.isprintable() and " " not in target
    if not target or not is_plain or not _is_method(method):
        raise refused("the method or target holds white space, control or non-ASCII characters")
    return f"{method} {target} HTTP/1.1\r\n"


@lru_cache(maxsize=64)
def _is_method(method: str) -> bool:
    return TOKEN.fullmatch(method) is not None


def framing_lines(request: Request) -> str:
    """Return the header lines by which the engine frames the body; see `request_head`."""
    names, length = request.fields[1], body_length(request)
    must_ask = request.expect_continue and "expect" not in names and length != 0
    expect = "Expect: 100-continue\r\n" if must_ask else ""
    if "transfer-encoding" in names:
        raise refused("Transfer-Encoding is set by the transport, not by its caller")
    if "content-length" in names:
        _check_length(request.headers, length)
    elif length is None:
        return f"Transfer-Encoding: chunked\r\n{expect}"
    elif length or request.method in _METHODS_WITH_BODY:
        return f"Content-Length: {length}\r\n{expect}"
    return expect


# RFC 9110 section 8.6: these say "no content" by a length of 0; for others silence says it.
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def _check_length(headers: Headers, length: int | None) -> None:
    if length is None:
        raise refused("Content-Length is given as a header; give it as content_length as well")
    for name, value in headers:
        if name.lower() == "content-length" and value != str(length):
            raise refused(f"Content-Length says {value!r} and the body has {length} bytes")


# --- responses --------------------------------------------------------------------------------


class Head(NamedTuple):
    """Status line and header fields of a response.

    Attributes:
        minor: minor version, 0 or 1.
        status: the status code.
        reason: the reason phrase, possibly "".
        pairs: (name, value) in order, Latin-1.
        headers: values by lower-case name, repeated ones joined with a comma and a space.
    """

    minor: int
    status: int
    reason: str
    pairs: Headers
    headers: dict[str, str]


def parse_head(text: str) -> Head:
    """Parse a head, from the status line up to and without the empty line.

    Raises:
        ProtocolError: it is malformed.
    """
    end = text.find("\r\n") + 2
    minor, status, reason = _parse_status_line(text[:end])
    pairs = parse_fields(text, end)
    headers = {name.lower(): value for name, value in pairs}
    if len(headers) != len(pairs):
        headers = by_name(pairs)
    return Head(minor, status, reason, pairs, headers)


@lru_cache(maxsize=64)
def _parse_status_line(line: str) -> tuple[int, int, str]:
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(f"not an HTTP/1.x response: it begins {line[:32]!r}")
    minor, status, reason = match.groups("")
    return int(minor), int(status), reason


def parse_fields(text: str, start: int = 0) -> Headers:
    """Parse header or trailer lines, each ended by CRLF.

    Args:
        text: where they are, up to its end.
        start: where in it they begin.

    Raises:
        ProtocolError: a line is malformed, or there are too many.
    """
    pairs: Headers = _FIELD.findall(text, start)
    # A field matches whole lines only, so a line that is none of them leaves the count short.
    if len(pairs) != text.count("\n", start):
        raise ProtocolError("malformed header line")
    if len(pairs) > MAX_HEADERS:
        raise ProtocolError(f"more than {MAX_HEADERS} header lines")
    if " \r" in text or "\t\r" in text:
        pairs = [(name, value.rstrip(" \t")) for name, value in pairs]
    return pairs


_CHUNKED = -1
_UNTIL_CLOSE = -2


def body_framing(method: str, head: Head) -> int:
    """Return the body's length, or how its end is found, by RFC 9112 section 6.3.

    Raises:
        ProtocolError: two readers could see the body's end in two places.
    """
    coding = head.headers.get("transfer-encoding")
    length = head.headers.get("content-length")
    if coding is not None:
        _check_coding(coding, length, head.minor)
    size = _UNTIL_CLOSE if length is None else _content_length(length)
    if head.status in _NO_CONTENT or (method in _NO_BODY and _has_no_body(method, head.status)):
        return 0
    return size if coding is None else _CHUNKED


_NO_CONTENT = frozenset({204, 304})
_NO_BODY = frozenset({"HEAD", "CONNECT"})


def _check_coding(coding: str, length: str | None, minor: int) -> None:
    if length is not None:
        raise ProtocolError("both Transfer-Encoding and Content-Length")
    if coding.lower() != "chunked" or minor == 0:
        raise ProtocolError(f"transfer coding {coding[:32]!r} in HTTP/1.{minor}")


def _has_no_body(method: str, status: int) -> bool:
    return method == "HEAD" or 200 <= status < 300  # a tunnel begins after CONNECT's 2xx


def _content_length(value: str) -> int:
    # Identical repeated lengths are one length (RFC 9110 section 8.6); others are an attack.
    if "," in value:
        first, *others = value.split(", ")
        value = first if all(other == first for other in others) else value
    if len(value) <= MAX_DIGITS and value.isascii() and value.isdecimal():
        return int(value)
    raise ProtocolError(f"Content-Length {value[:32]!r}")


def keeps_alive(head: Head) -> bool:
    """Tell whether the connection can carry another request after this response."""
    connection = head.headers.get("connection")
    if connection is None:
        return head.minor == 1
    if connection == "keep-alive":
        return True
    options = {option.strip() for option in connection.lower().split(",")}
    return "close" not in options and (head.minor == 1 or "keep-alive" in options)


def parse_opening(method: str, data: memoryview) -> tuple[Head, int, int] | None:
    """Parse the first bytes of a response when they hold the whole head, as they mostly do.

    With the body's length known, a response that came in one piece needs nothing else: that takes
    half the time of a `ResponseParser`, which gives the same.

    Args:
        method: the method of the request.
        data: the first bytes that came.

    Returns:
        The head, the body's length (negative when the head does not state it) and where in `data`
        the body begins; None when `ResponseParser` must find out what `data` is.

    Raises:
        ProtocolError: the head is malformed.
    """
    text = bytes(data[:_WINDOW])
    end = text.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = parse_head(str(text[: end + 2], "latin-1"))
    return None if head.status < 200 else (head, body_framing(method, head), end + 4)


class ResponseParser:
    """Parses the response to one request from bytes that come in any pieces.

    Args:
        method: the method of the request.
        opening: what `parse_opening` found; the bytes it covers must not be fed again.

    Attributes:
        head: status and headers of the final response, None until they are complete.
        length: the body's length if the head states it, else None.
        interim: how many 1xx responses came.
        continued: whether ``100 Continue`` was one of them.
        received: how many bytes were fed.
        buffered: how many bytes of the body are held.
        complete: whether the response is whole.
        reusable: whether the connection can carry another request after it.
    """

    head: Head | None = None
    length: int | None = None
    interim = 0
    continued = False
    received = 0
    buffered = 0
    complete = False
    reusable = False

    _pending = b""
    _remaining = 0
    _trailer_size = 0
    _claimed: _Claimed | None = None

    def __init__(self, method: str, opening: tuple[Head, int, int] | None = None) -> None:
        self._method = method
        self._pieces: list[bytes] = []
        # A plain function: a bound method would make every parser a reference cycle.
        self._state: _State = ResponseParser._read_head
        if opening is not None:
            head, framing, self.received = opening
            self._begin_body(head, framing)

    def feed(self, data: memoryview) -> None:
        """Take the next bytes from the connection; `data` is not kept.

        Raises:
            ProtocolError: the response is malformed; the parser is of no further use.
        """
        self.received += len(data)
        while data:
            data = self._state(self, data)

    def feed_eof(self) -> None:
        """Take the end of the connection.

        Raises:
            ProtocolError: the response is not complete.
        """
        if self._state is ResponseParser._read_until_close:
            self._end(reusable=False)
        elif not self.complete:
            where = "its headers" if self.head is None else "its body"
            raise ProtocolError(f"the connection was closed within the response, in {where}")

    def take_body(self) -> bytes:
        """Return the bytes of the body that have come since the last call."""
        pieces, self._pieces = self._pieces, []
        self.buffered = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def claim(self) -> memoryview | None:
        """Return memory to receive the rest of the body into, so that it is not copied again.

        Call `fill` after each read into it, and `claim` again. None when `feed` has to be called:
        the length is not known, or too small for this.
        """
        if self._claimed is None:
            is_worth_it = _CLAIM_AT_LEAST <= self._remaining <= _CLAIM_AT_MOST
            if self._state is not ResponseParser._read_length or not is_worth_it:
                return None
            self._claimed = _Claimed(self.take_body(), self._remaining)
            self.buffered = self._claimed.filled
        return self._claimed.room()

    def fill(self, nbytes: int) -> None:
        """Take bytes that were received into what `claim` returned.

        Raises:
            ProtocolError: more came than belongs to the response.
        """
        claimed = self._claimed
        if claimed is None:
            raise ValueError("nothing was claimed")
        self.received += nbytes
        self.buffered += nbytes
        self._remaining -= nbytes
        if self._remaining < 0:
            raise _excess(-self._remaining)
        claimed.filled += nbytes
        if not self._remaining:
            self._pieces, self._claimed = [claimed.take()], None
            self._end(self.reusable)

    def release(self) -> None:
        """Let go of what was claimed, when the rest of the response will not be received."""
        if self._claimed is not None:
            self._claimed.release()
            self._claimed = None

    # Each state takes bytes and returns those it leaves to the next state.

    def _read_head(self, data: memoryview) -> memoryview:
        text, rest = self._until(b"\r\n\r\n", data, MAX_HEAD)
        if text is None:
            if not (self._pending[:7] == b"HTTP/1."[: len(self._pending)]):
                raise ProtocolError(f"not an HTTP/1.x response: it begins {self._pending[:32]!r}")
            return rest
        head = parse_head(text[:-2].decode("latin-1"))
        if head.status < 200:
            self._count_interim(head.status)
        else:
            self._begin_body(head, body_framing(self._method, head))
        return rest

    def _count_interim(self, status: int) -> None:
        self.interim += 1
        self.continued = self.continued or status == 100
        if status == 101:
            raise ProtocolError("the server switched to another protocol, unasked")
        if self.interim > MAX_INTERIM:
            raise ProtocolError(f"more than {MAX_INTERIM} interim responses")

    def _begin_body(self, head: Head, framing: int) -> None:
        self.head = head
        self.reusable = keeps_alive(head)
        if framing == _CHUNKED:
            self._state = ResponseParser._read_chunk_size
        elif framing == _UNTIL_CLOSE:
            self._state = ResponseParser._read_until_close
        else:
            self.length = self._remaining = framing
            self._state = ResponseParser._read_length
            if framing == 0:
                self._end(self.reusable)

    def _read_length(self, data: memoryview) -> memoryview:
        rest = self._take(data)
        if not self._remaining:
            self._end(self.reusable)
        return rest

    def _read_until_close(self, data: memoryview) -> memoryview:
        self._remaining = len(data)
        return self._take(data)

    def _take(self, data: memoryview) -> memoryview:
        """Move up to the remaining count of bytes into the body."""
        part = data[: self._remaining]
        self._remaining -= len(part)
        # Pieces, joined at the end, cost half of a buffer that grows: the system moves one of 10 MB
        # to fresh pages again and again.
        self._pieces.append(bytes(part))
        self.buffered += len(part)
        return data[len(part) :]

    def _read_chunk_size(self, data: memoryview) -> memoryview:
        line, rest = self._until(b"\r\n", data, MAX_CHUNK_LINE)
        if line is None:
            return rest
        match = _CHUNK_SIZE.fullmatch(line, 0, len(line) - 2)
        if match is None:
            raise ProtocolError(f"malformed chunk size {line[:32]!r}")
        self._remaining = int(match[1], 16)
        self._state = (
            ResponseParser._read_chunk if self._remaining else ResponseParser._read_trailer
        )
        return rest

    def _read_chunk(self, data: memoryview) -> memoryview:
        rest = self._take(data)
        if not self._remaining:
            self._state = ResponseParser._read_chunk_end
        return rest

    def _read_chunk_end(self, data: memoryview) -> memoryview:
        end = self._pending + data[: 2 - len(self._pending)]
        rest = data[2 - len(self._pending) :]
        if not b"\r\n".startswith(end):
            raise ProtocolError("a chunk is longer than its size")
        if len(end) == 2:
            self._pending = b""
            self._state = ResponseParser._read_chunk_size
        else:
            self._pending = end
        return rest

    def _read_trailer(self, data: memoryview) -> memoryview:
        line, rest = self._until(b"\r\n", data, MAX_HEAD)
        if line is None:
            return rest
        if line == b"\r\n":
            self._end(self.reusable)
            return rest
        parse_fields(line.decode("latin-1"))
        self._trailer_size += len(line)
        if self._trailer_size > MAX_HEAD:
            raise ProtocolError(f"more than {MAX_HEAD} bytes of trailers")
        return rest

    def _read_nothing(self, data: memoryview) -> memoryview:
        raise _excess(len(data))

    def _end(self, reusable: bool) -> None:
        self.complete = True
        self.reusable = reusable
        self._state = ResponseParser._read_nothing

    def _until(
        self, terminator: bytes, data: memoryview, limit: int
    ) -> tuple[bytes | None, memoryview]:
        """Gather bytes up to and with `terminator`; the first item is None until it has come."""
        pending = self._pending
        text = pending + data[:_WINDOW]
        at = text.find(terminator, max(0, len(pending) - len(terminator) + 1))
        if at < 0:
            if _BARE_LF.search(text, max(0, len(pending) - 1)):
                raise ProtocolError("a line ends with LF alone")
            if len(text) > limit:
                raise ProtocolError(f"a head or line of more than {limit} bytes")
            self._pending = text
            return None, data[_WINDOW:]
        end = at + len(terminator)
        if end > limit:
            raise ProtocolError(f"a head or line of more than {limit} bytes")
        self._pending = b""
        return text[:end], data[end - len(pending) :]


def _excess(count: int) -> ProtocolError:
    return ProtocolError(f"{count} bytes after the end of the response")


class _Claimed:
    """A body's memory, which is filled from its beginning.

    `io.BytesIO` gives away what was written into it as `bytes`, without a copy. There is room for a
    byte more than the body has, so that what comes after its end is seen.

    Attributes:
        filled: how many bytes are there.
    """

    def __init__(self, start: bytes, remaining: int) -> None:
        self.filled = len(start)
        self._length = len(start) + remaining
        self._memory = BytesIO(bytes(self._length + 1))
        self._view = self._memory.getbuffer()
        self._view[: self.filled] = start
        self._room = self._view[:0]

    def room(self) -> memoryview:
        """Return what is free; what was returned before is of no further use."""
        self._room.release()
        self._room = self._view[self.filled :]
        return self._room

    def release(self) -> None:
        """Give up all views: Python 3.13 complains of memory that is collected with one."""
        self._room.release()
        self._view.release()

    def take(self) -> bytes:
        """Return the body, which is whole."""
        self.release()
        self._memory.truncate(self._length)
        return self._memory.getvalue()


_State = Callable[[ResponseParser, memoryview], memoryview]
