"""HTTP/1.1 as bytes: what is sent, what is accepted, and that h11 agrees."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Headers, Origin, Request
from tornado_aws.transport.http1 import (
    MAX_CHUNK_LINE,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_INTERIM,
    ProtocolError,
    ResponseParser,
    keeps_alive,
    parse_opening,
    request_head,
)

ORIGIN = Origin("http", "localhost", 80)


async def no_chunks() -> AsyncIterator[bytes]:
    """Yield nothing."""
    for chunk in list[bytes]():
        yield chunk


def make(
    method: str = "POST", target: str = "/", headers: Headers | None = None, **options: Any
) -> Request:
    """Make a request."""
    return Request(
        ORIGIN, method, target, [("Host", "localhost")] if headers is None else headers, **options
    )


# --- requests ---------------------------------------------------------------------------------


def test_a_head_is_the_request_as_given_and_its_length() -> None:
    """Method, target and headers stand as given, in order; the engine adds the length only."""
    request = make(target="/a/../b//c?x=%2F", headers=[("Host", "h"), ("x-b", " 1 ")], body=b"12")
    expected = b"POST /a/../b//c?x=%2F HTTP/1.1\r\nHost: h\r\nx-b:  1 \r\nContent-Length: 2\r\n\r\n"
    assert request_head(request) == expected


@pytest.mark.parametrize(
    ("method", "body", "framing"),
    [
        ("GET", None, b""),
        ("DELETE", None, b""),
        ("HEAD", None, b""),
        ("GET", b"x", b"Content-Length: 1\r\n"),
        ("DELETE", b"x", b"Content-Length: 1\r\n"),
        ("POST", None, b"Content-Length: 0\r\n"),
        ("PUT", b"", b"Content-Length: 0\r\n"),
        ("PUT", no_chunks(), b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_framing_says_what_follows(method: str, body: Any, framing: bytes) -> None:
    """A body has a length or is chunked; where none is expected, silence says there is none."""
    assert request_head(make(method, headers=[], body=body)) == (
        method.encode() + b" / HTTP/1.1\r\n" + framing + b"\r\n"
    )


def test_an_iterable_of_known_length_is_sent_with_it() -> None:
    """content_length becomes the header."""
    request = make(headers=[], body=no_chunks(), content_length=7)
    assert request_head(request) == b"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n"


def test_a_length_that_the_caller_gives_stays_where_it_is() -> None:
    """A right Content-Length is not repeated."""
    request = make(headers=[("content-length", "2"), ("a", "b")], body=b"12")
    assert request_head(request) == b"POST / HTTP/1.1\r\ncontent-length: 2\r\na: b\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        make(headers=[("Content-Length", "3")], body=b"12"),
        make(headers=[("Content-Length", "2"), ("content-length", "3")], body=b"12"),
        make(headers=[("Content-Length", "3")], body=no_chunks()),
        make(headers=[("Transfer-Encoding", "chunked")], body=b"12"),
    ],
)
def test_framing_that_contradicts_the_body_is_refused(request_: Request) -> None:
    """A length that is wrong, or a coding of the caller's, never goes on the wire."""
    with pytest.raises(RequestException) as caught:
        request_head(request_)
    assert not caught.value.sent


def test_waiting_for_continue_is_announced() -> None:
    """A request that waits for 100 Continue asks for it, once, and only if it has a body."""
    asks = request_head(make(body=b"x", expect_continue=True))
    assert asks.count(b"Expect: 100-continue\r\n") == 1
    own = make(headers=[("expect", "100-continue")], body=b"x", expect_continue=True)
    assert request_head(own).lower().count(b"expect:") == 1
    assert b"Expect" not in request_head(make(expect_continue=True))


def test_a_request_for_a_proxy_has_the_absolute_form() -> None:
    """Prefix and extra headers are for the proxy."""
    head = request_head(make("GET", headers=[]), "http://h:80", "Proxy-Authorization: Basic x\r\n")
    assert head == b"GET http://h:80/ HTTP/1.1\r\nProxy-Authorization: Basic x\r\n\r\n"


@pytest.mark.parametrize("sign", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("place", ["method", "target", "name", "value"])
def test_line_ends_and_nul_are_refused(sign: str, place: str) -> None:
    """Nothing that a method, target or header holds can begin another line."""
    parts = {"method": "GET", "target": "/", "name": "x-a", "value": "secret"}
    parts[place] = f"{parts[place]}{sign}X-Injected: 1"
    with pytest.raises(RequestException, match="not sent") as caught:
        request_head(make(parts["method"], parts["target"], [(parts["name"], parts["value"])]))
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("target", ["", "/a b", "/é", "/\x7f"])
def test_a_target_must_be_encoded(target: str) -> None:
    """White space and what is not ASCII must have been percent-encoded before signing."""
    with pytest.raises(RequestException, match="target"):
        request_head(make(target=target))


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "(a)"])
def test_a_header_name_must_be_a_token(name: str) -> None:
    """A name that is no token is refused."""
    with pytest.raises(RequestException, match="header name"):
        request_head(make(headers=[(name, "1")]))


def test_header_values_are_sent_in_utf_8() -> None:
    """Signature Version 4 signs values as UTF-8, so that is what is sent."""
    assert "x: é\r\n".encode() in request_head(make(headers=[("x", "é")]))


text = st.text(st.characters(min_codepoint=0, max_codepoint=0x17F), max_size=8)
tokens = st.text("abcXYZ-_09", min_size=1, max_size=6)


@given(st.lists(st.tuples(st.one_of(tokens, text), text), max_size=5), st.one_of(tokens, text))
@settings(max_examples=200, deadline=None)
def test_what_is_sent_is_one_request_to_h11(headers: Headers, target: str) -> None:
    """Whatever headers hold, h11 sees one request with those headers, or nothing is sent."""
    try:
        head = request_head(make("GET", f"/{target}", [("Host", "h"), *headers]))
    except RequestException:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(head)
    try:
        request = server.next_event()
    except h11.RemoteProtocolError:
        # h11 refuses control characters in values; they cannot begin another header.
        assert re.search(rb"[\x01-\x08\x0b-\x1f\x7f]", head.replace(b"\r\n", b""))
        return
    assert isinstance(request, h11.Request)
    assert len(request.headers) == 1 + len(headers)
    assert isinstance(server.next_event(), h11.EndOfMessage)
    assert server.trailing_data == (b"", False)


# --- responses --------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What came of some bytes; all empty when they are refused."""

    status: int | None = None
    reason: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    reusable: bool = False


REFUSED = Outcome()


def parse(pieces: Iterable[bytes], method: str = "GET", *, ends: bool = True) -> Outcome:
    """Feed the pieces, then the end of the connection, to the parser."""
    parser = ResponseParser(method)
    body = b""
    try:
        for piece in pieces:
            parser.feed(memoryview(piece))
            body += parser.take_body()
        if ends:
            parser.feed_eof()
    except ProtocolError:
        return REFUSED
    head = parser.head
    assert parser.complete
    assert head is not None
    return Outcome(head.status, head.reason, head.pairs, body, parser.reusable)


def parse_with_h11(data: bytes, method: str) -> Outcome:
    """Say what h11 makes of the same bytes."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    client.receive_data(b"")
    body = b""
    final: h11.Response | None = None
    try:
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                final = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return REFUSED
    except h11.RemoteProtocolError:
        return REFUSED
    assert final is not None
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in final.headers]
    return Outcome(final.status_code, final.reason.decode("latin-1"), pairs, body)


def lowered(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lower the case of names and codings, as h11 does."""
    codings = ("transfer-encoding", "connection")
    lower = [(name.lower(), value) for name, value in pairs]
    return [(name, value.lower() if name in codings else value) for name, value in lower]


LINES = [
    b"Content-Length: 5",
    b"Content-Length: 0",
    b"content-length:5",
    b"Content-Length: 5, 5",
    b"Content-Length: 05",
    b"Content-Length: +5",
    b"Content-Length: 5,6",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: CHUNKED",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Connection: close",
    b"Connection: Keep-Alive",
    b"X-Folded: a\r\n b",
    b"X-Space : a",
    b" X-Leading: a",
    b"X-Trailing: a \t",
    b"X-Bytes: \xe9\xff",
    b"X-Control: \x01",
    b"X-Empty:",
    b"X-CR: a\rb",
    b"X-LF: a\nb",
    b"no colon",
    b": no name",
]
STARTS = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 ",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    b"HTTP/1.1 101 Switching",
    b"HTTP/2 200 OK",
    b"HTTP/1.1 99 Low",
    b"HTTP/1.1 2000 Long",
    b"http/1.1 200 OK",
]
BODIES = [
    b"",
    b"hello",
    b"hello!",
    b"hell",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;x=y\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n",
    b"005\r\nhello\r\n000\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello!\r\n0\r\n\r\n",
    b"5\nhello\n0\n\n",
    b"5\r\nhello\r\n0\r\n",
    b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
]
responses = st.builds(
    lambda start, lines, body: b"\r\n".join([start, *lines, b"", body]),
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(LINES), max_size=3),
    st.sampled_from(BODIES),
)
mutated = st.builds(
    lambda data, at, cut, new: data[: at % (len(data) + 1)]
    + new
    + data[at % (len(data) + 1) + cut :],
    responses,
    st.integers(0, 200),
    st.integers(0, 3),
    st.binary(max_size=3),
)
methods = st.sampled_from(["GET", "POST", "HEAD"])


@given(st.one_of(responses, mutated, st.binary(max_size=40)), methods)
@settings(max_examples=600, deadline=None)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "GET")
def test_what_is_accepted_is_what_h11_sees(data: bytes, method: str) -> None:
    """Any bytes give a result or our error, and a result is the one that h11 gives."""
    ours = parse([data], method)
    if ours is REFUSED:
        return
    theirs = parse_with_h11(data, method)
    assert (ours.status, ours.reason.rstrip(), ours.body) == (
        theirs.status,
        theirs.reason.rstrip(),
        theirs.body,
    )
    ours_headers, theirs_headers = lowered(ours.headers), lowered(theirs.headers)
    if any("," in value for name, value in ours_headers if name == "content-length"):
        return  # h11 makes one of "5, 5" and of two equal headers
    if len({name for name, _ in ours_headers}) == len(ours_headers):
        assert ours_headers == theirs_headers


@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    st.lists(st.tuples(tokens.map(lambda name: f"x-{name}"), tokens), max_size=5),
    st.lists(st.binary(max_size=20), max_size=4),
    st.booleans(),
    st.integers(1, 9),
)
@settings(max_examples=200, deadline=None)
def test_what_h11_writes_is_read_as_it_was(
    status: int, headers: Headers, chunks: list[bytes], is_chunked: bool, step: int
) -> None:
    """A response that h11 serves, cut anywhere, has its status, headers and body."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    while server.next_event() is not h11.NEED_DATA and server.their_state is not h11.DONE:
        pass
    body = b"".join(chunks)
    framing = ("transfer-encoding", "chunked") if is_chunked else ("content-length", str(len(body)))
    data = server.send(h11.Response(status_code=status, headers=[*headers, framing])) or b""
    for chunk in chunks:
        data += server.send(h11.Data(data=chunk)) or b""
    data += server.send(h11.EndOfMessage()) or b""
    got = parse([data[at : at + step] for at in range(0, len(data), step)])
    assert (got.status, got.body, got.reusable) == (status, body, True)
    assert [pair for pair in lowered(got.headers) if pair != framing] == [
        (name.lower(), value) for name, value in headers
    ]


@given(st.one_of(responses, mutated), methods, st.lists(st.integers(0, 200), max_size=4))
@settings(max_examples=600, deadline=None)
def test_any_split_gives_the_same_result(data: bytes, method: str, cuts: list[int]) -> None:
    """However the bytes are cut, the result is the same."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert parse(pieces, method) == parse([data], method)
    assert parse([data[at : at + 1] for at in range(len(data))], method) == parse([data], method)


@given(st.one_of(responses, mutated), methods)
@settings(max_examples=600, deadline=None)
def test_the_fast_way_gives_the_same_result(data: bytes, method: str) -> None:
    """What `parse_opening` takes for a head is one to the parser, and what follows is the same."""
    plain = ResponseParser(method)
    fast = ResponseParser(method)
    start = 0
    try:
        opening = parse_opening(method, memoryview(data))
        if opening is not None:
            start = opening[2]
            fast = ResponseParser(method, opening)
        fast.feed(memoryview(data)[start:])
    except ProtocolError:
        with pytest.raises(ProtocolError):
            plain.feed(memoryview(data))
        return
    plain.feed(memoryview(data))
    assert state(fast) == state(plain)
    if opening is not None and opening[1] == len(data) - start:
        assert plain.complete
        assert plain.take_body() == data[start:]


@given(
    length=st.integers(100_000, 400_000),
    cuts=st.lists(st.integers(1, 150_000), max_size=20),
    first=st.integers(0, 60_000),
)
@settings(max_examples=50, deadline=None)
def test_a_long_body_may_be_received_into_its_own_memory(
    length: int, cuts: list[int], first: int
) -> None:
    """It is the same body, whatever the reads, and everything else is as with `feed`."""
    body = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
    parser, plain = ResponseParser("GET"), ResponseParser("GET")
    plain.feed(memoryview(head + body))
    parser.feed(memoryview(head + body[:first]))
    at = first
    while at < length:
        assert not parser.complete
        rest = length - at
        room = parser.claim()
        size = min(rest, cuts.pop() if cuts else rest)
        if room is None:
            assert rest < 65536
            parser.feed(memoryview(body)[at : at + size])
        else:
            room[:size] = body[at : at + size]
            parser.fill(size)
        at += size
        assert parser.buffered == at
    assert state(parser) == state(plain)
    assert parser.claim() is None
    assert parser.take_body() == body


def test_a_byte_too_many_is_seen_in_claimed_memory_too() -> None:
    """There is room for it, so that it is not left for the next response."""
    parser = ResponseParser("GET")
    parser.feed(memoryview(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
    room = parser.claim()
    assert room is not None
    with pytest.raises(ProtocolError, match="1 bytes after the end"):
        parser.fill(len(room))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ],
)
def test_nothing_is_claimed_for_other_bodies(data: bytes) -> None:
    """Short ones, those without a length, and lengths that nobody should take on trust."""
    parser = ResponseParser("GET")
    parser.feed(memoryview(data))
    assert parser.claim() is None
    with pytest.raises(ValueError, match="claimed"):
        parser.fill(1)


def state(parser: ResponseParser) -> tuple[Any, ...]:
    """Return all that a parser tells, but the body."""
    return (
        parser.head,
        parser.length,
        parser.received,
        parser.buffered,
        parser.complete,
        parser.reusable,
    )


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\n",
        b"HTTP/1.1 200 OK\r\nA: b\nC",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\n",
    ],
)
def test_a_line_without_cr_is_refused_before_more_comes(data: bytes) -> None:
    """A server that ends lines with LF alone is told at once, not when the read timeout ends."""
    for step in (1, len(data)):
        pieces = [data[at : at + step] for at in range(0, len(data), step)]
        assert parse(pieces, ends=False) is REFUSED


def test_the_fast_way_takes_the_usual_response() -> None:
    """A whole response with a length does not need the parser."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
    opening = parse_opening("GET", memoryview(data))
    assert opening is not None
    head, length, start = opening
    assert (head.status, length, data[start:], keeps_alive(head)) == (200, 5, b"hello", True)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (OK + b"Content-Length: 0\r\n\r\n", True),
        (OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n", False),
        (OK + b"Content-Length: 0\r\nConnection: x, Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (OK + b"\r\nuntil the end", False),
        (CHUNKED + b"0\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_when_both_sides_may(data: bytes, reusable: bool) -> None:
    """HTTP/1.1 keeps connections unless told, HTTP/1.0 when told, and never one without framing."""
    assert parse([data]).reusable is reusable


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: 5\r\n\r\nhello, world",
        OK + b"Content-Length: 5\r\n\r\nhello" + OK + b"\r\n",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: 1_0\r\n\r\n0123456789",
        OK + "Content-Length: \u0665\r\n\r\nhello".encode(),
        OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        OK + b"Content-Length : 5\r\n\r\nhello",
        OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        OK + b"A: b\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        CHUNKED + b"fffffffffffffffff\r\nhello",
        CHUNKED + b"5\r\nhello0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nhello",
    ],
)
def test_smuggling_is_refused(data: bytes) -> None:
    """What two readers could read in two ways is refused."""
    assert parse([data]) is REFUSED


LIMITS = {
    "head": OK + b"X: " + b"a" * MAX_HEAD,
    "headers": OK + b"X: a\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    "chunk line": CHUNKED + b"5;" + b"a" * MAX_CHUNK_LINE,
    "trailers": CHUNKED + b"0\r\n" + b"X: aaaaaaaaaaaaaaaa\r\n" * 4000,
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_INTERIM + 1),
}


@pytest.mark.parametrize("case", LIMITS)
def test_nothing_grows_without_end(case: str) -> None:
    """Heads, lines, trailers and interim responses have limits, and the error comes at once."""
    parser = ResponseParser("GET")
    with pytest.raises(ProtocolError, match="more than"):
        parser.feed(memoryview(LIMITS[case]))


def test_garbage_is_noticed_before_its_end() -> None:
    """What does not begin like HTTP is refused at its first bytes."""
    with pytest.raises(ProtocolError, match="SSH"):
        ResponseParser("GET").feed(memoryview(b"SSH-2.0-OpenSSH"))


def test_a_streamed_body_is_taken_piece_by_piece() -> None:
    """What has been taken is not given again, and not held."""
    parser = ResponseParser("GET")
    parser.feed(memoryview(OK + b"Content-Length: 6\r\n\r\nab"))
    assert (parser.take_body(), parser.buffered) == (b"ab", 0)
    parser.feed(memoryview(b"cd"))
    parser.feed(memoryview(b"ef"))
    assert (parser.buffered, parser.take_body(), parser.complete) == (4, b"cdef", True)


def test_a_tunnel_has_no_body() -> None:
    """After CONNECT, 2xx ends with its head; other answers have a body."""
    assert parse([b"HTTP/1.1 200 Connection established\r\n\r\n"], "CONNECT").body == b""
    refusal = b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno"
    assert parse([refusal], "CONNECT").body == b"no"


def test_hostile_input_takes_linear_time() -> None:
    """Long runs of any sign are refused or read without going back and forth over them."""
    for sign in (b" ", b"a", b":", b"\t", b"\n", b"1"):
        for start in (b"", OK, OK + b"X:", CHUNKED + b"5;"):
            parse([start + sign * (MAX_HEAD - 100) + b"\x01\r\n\r\n"])
