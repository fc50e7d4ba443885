"""The heads of a response, from the lines that libcurl hands over. Pure: needs no pycurl."""

from __future__ import annotations

from tornado_aws.transport.http1 import (
    MAX_HEAD,
    MAX_INTERIM,
    Head,
    ProtocolError,
    parse_head,
)


class Heads:
    """What has come of the heads of one response: interim ones, the final one, then trailers.

    Attributes:
        lines: the lines that have come, each with its end; whoever receives them appends them.
    """

    __slots__ = ("_interim", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._interim = 0

    def final(self, *, is_http2: bool) -> Head | None:
        """Return the final head; None while only interim ones have come, which are dropped.

        Args:
            is_http2: whether the heads must be those of HTTP/2, or else of HTTP/1.

        Raises:
            ProtocolError: a head is not acceptable, or there are too many.
        """
        text = b"".join(self.lines).decode("latin-1")
        start = 0
        while start < len(text):
            end = text.find("\r\n\r\n", start) + 4
            if end < 4:
                raise ProtocolError("a head does not end with CRLF and an empty line")
            if end - start > MAX_HEAD:
                raise ProtocolError(f"a head of more than {MAX_HEAD} bytes")
            block = text[start : end - 2]
            head = parse_head(_as_http1(block) if is_http2 else block)
            if head.status >= 200:
                return head
            self._count_interim(head.status)
            start = end
        self.lines.clear()
        return None

    def _count_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101:
            raise ProtocolError("the server switched to another protocol, unasked")
        if self._interim > MAX_INTERIM:
            raise ProtocolError(f"more than {MAX_INTERIM} interim responses")

    def clear(self) -> None:
        """Forget the response."""
        self.lines.clear()
        self._interim = 0


def _as_http1(text: str) -> str:
    """Return a head of HTTP/2, as libcurl writes it down, in the form of HTTP/1.1."""
    if not text.startswith("HTTP/2 "):
        raise ProtocolError("HTTP/1.1, where events in both directions need HTTP/2")
    return text.replace("HTTP/2", "HTTP/1.1", 1)
