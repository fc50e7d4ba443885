"""Events in both directions at once, through a client and over HTTP/2."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiny_model
from tests.support.tiny_client import client_class
from tests.support.tiny_model import structure
from tests.transport.certificates import Certificates, make_certificates
from tests.transport.server import Peer, ScriptedServer
from tornado_aws import exceptions
from tornado_aws.credentials import Credentials
from tornado_aws.event_signing import EventSigner
from tornado_aws.event_stream import Decoder, Message, encode, encode_headers
from tornado_aws.signing import SigV4

h2_events = pytest.importorskip("h2.events")
http2 = pytest.importorskip("tests.transport.http2", exc_type=ImportError)

KEYS: Any = {"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}
SHAPES = {
    "Sent": {
        "type": "structure",
        "eventstream": True,
        "members": {
            "Said": {"shape": "Said"},
            "Heard": {"shape": "Heard"},
            "Noted": {"shape": "Noted"},
            "Closed": {"shape": "Closed"},
        },
    },
    "Said": structure({"Text": "string"}, event=True, required=["Text"]),
    "Heard": structure(
        {
            "Kind": {"shape": "string", "eventheader": True},
            "Sound": {"shape": "blob", "eventpayload": True},
        },
        event=True,
    ),
    "Noted": structure({"Text": {"shape": "string", "eventpayload": True}}, event=True),
    "Closed": structure({}, event=True),
    "Returned": {
        "type": "structure",
        "eventstream": True,
        "members": {"Echo": {"shape": "Echo"}},
    },
    "Echo": structure({"Text": "string"}, event=True),
    "TalkInput": structure(
        {
            "Topic": {"shape": "string", "location": "header", "locationName": "x-topic"},
            "Events": {"shape": "Sent"},
        },
        payload="Events",
        required=["Events"],
    ),
    "TalkOutput": structure({"Events": {"shape": "Returned"}}, payload="Events"),
}
MODEL = tiny_model.service(
    SHAPES,
    {
        "Talk": {
            "http": {"method": "POST", "requestUri": "/talk"},
            "input": {"shape": "TalkInput"},
            "output": {"shape": "TalkOutput"},
        }
    },
    protocol="rest-json",
    endpointPrefix="tiny",
)
Tiny = client_class(MODEL)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The certificates of the servers."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


class Conversation:
    """The service's side: it verifies what it gets and answers each event with an echo.

    Attributes:
        head: the request's headers.
        events: the events that came; each was signed over the one before.
        ended: whether the stream's end came, signed as well.
    """

    def __init__(self) -> None:
        self.head: dict[str, str] = {}
        self.events: list[Message] = []
        self.ended = False
        self._frames = Decoder()
        self._signer: EventSigner | None = None

    def serve(self, peer: Peer) -> None:
        """Play the service on one connection."""
        connection = http2.Http2Peer(peer)
        for event in connection.events():
            if isinstance(event, h2_events.RequestReceived):
                self.head = {str(name): str(value) for name, value in event.headers}
                connection.connection.send_headers(event.stream_id, [(":status", "200")])
            elif isinstance(event, h2_events.DataReceived):
                for frame in self._frames.feed(event.data):
                    self._take(connection, event.stream_id, frame)

    def _take(self, connection: Any, stream: int, frame: Message) -> None:
        self._verify(frame)
        if not frame.payload:
            self.ended = True
            connection.connection.send_data(stream, b"", end_stream=True)
            return
        (message,) = Decoder().feed(frame.payload)
        self.events.append(message)
        text = json.dumps({"Text": f"{len(self.events)}"}).encode()
        echo = encode({":message-type": "event", ":event-type": "Echo"}, text)
        connection.connection.send_data(stream, echo)

    def _verify(self, frame: Message) -> None:
        date = frame.headers[":date"]
        second = int(date.timestamp())  # type: ignore[union-attr]
        if self._signer is None:
            signer = SigV4("tiny", "us-east-1")
            credentials = Credentials("AKID", "hush")
            self._signer = EventSigner(signer, credentials, self.head["authorization"], second)
        expected = self._signer.sign(encode_headers({":date": date}), frame.payload, second)
        assert frame.headers[":chunk-signature"] == expected


@pytest.fixture
def service(certificates: Certificates) -> Iterator[tuple[Conversation, Any]]:
    """A service over HTTP/2 and TLS, and the options of a client for it."""
    conversation = Conversation()
    context = http2.http2_context(certificates)
    with ScriptedServer(conversation.serve, tls=context) as server:
        place = f"https://127.0.0.1:{server.origin.port}"
        yield conversation, {
            **KEYS,
            "endpoint": place,
            "verify": str(certificates.ca),
            "use_curl": True,
        }


def test_events_go_both_ways_at_once(service: tuple[Conversation, Any]) -> None:
    """What is said next can depend on what was answered; everything is signed."""
    conversation, options = service
    answers: list[Any] = []

    async def main() -> None:
        heard: asyncio.Queue[None] = asyncio.Queue()

        async def events() -> AsyncIterator[Any]:
            yield {"Said": {"Text": "ü"}}
            await heard.get()
            yield {"Heard": {"Kind": "k", "Sound": b"\x00\x01"}}
            await heard.get()
            yield {"Noted": {"Text": "n"}}
            yield {"Closed": {}}

        async with Tiny(**options) as tiny:
            result = await tiny.call("Talk", Topic="t", Events=events())
            async for event in result["Events"]:
                answers.append(event)
                heard.put_nowait(None)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert answers == [{"Echo": {"Text": str(number)}} for number in (1, 2, 3, 4)]
    assert conversation.ended
    assert conversation.head["x-topic"] == "t"
    assert conversation.head["content-type"] == "application/vnd.amazon.eventstream"
    assert conversation.head["x-amz-content-sha256"] == "STREAMING-AWS4-HMAC-SHA256-EVENTS"
    assert "content-length" not in conversation.head
    event: dict[str, Any] = {":message-type": "event"}
    assert [(dict(each.headers), each.payload) for each in conversation.events] == [
        (
            {**event, ":event-type": "Said", ":content-type": "application/json"},
            '{"Text":"ü"}'.encode(),
        ),
        (
            {
                **event,
                ":event-type": "Heard",
                ":content-type": "application/octet-stream",
                "Kind": "k",
            },
            b"\x00\x01",
        ),
        ({**event, ":event-type": "Noted", ":content-type": "text/plain"}, b"n"),
        ({**event, ":event-type": "Closed", ":content-type": "application/json"}, b"{}"),
    ]


def test_the_head_of_the_request_is_signed_for_events(service: tuple[Conversation, Any]) -> None:
    """With the text that stands for the hash of a payload that is not there yet."""
    conversation, options = service

    async def main() -> None:
        async def events() -> AsyncIterator[Any]:
            yield {"Closed": {}}

        async with Tiny(**options) as tiny:
            result = await tiny.call("Talk", Events=events())
            async for _ in result["Events"]:
                pass

    asyncio.run(asyncio.wait_for(main(), 20))
    head = conversation.head
    signed = head["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert "x-amz-content-sha256" in signed
    again = SigV4("tiny", "us-east-1").sign(
        Credentials("AKID", "hush"),
        "POST",
        f"https://{head[':authority']}/talk",
        {name: head[name] for name in signed if name not in ("host", "x-amz-date")},
        b"",
        datetime.strptime(head["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
    )
    assert again["Authorization"] == head["authorization"]


def test_leaving_early_ends_the_callers_events(service: tuple[Conversation, Any]) -> None:
    """Closing the result's stream closes the generator that gives events, too."""
    _, options = service
    closed: list[str] = []

    async def main() -> None:
        done = asyncio.Event()

        async def events() -> AsyncIterator[Any]:
            try:
                yield {"Said": {"Text": "a"}}
                await asyncio.Event().wait()
            finally:
                closed.append("closed")
                done.set()

        async with Tiny(**options) as tiny:
            result = await tiny.call("Talk", Events=events())
            async with result["Events"] as answers:
                assert await anext(answers) == {"Echo": {"Text": "1"}}
            await done.wait()

    asyncio.run(asyncio.wait_for(main(), 20))
    assert closed == ["closed"]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"Said": {}}, "Said.Text: missing, and it is required"),
        ({"Said": {"Text": "a"}, "Closed": {}}, "expected exactly one of"),
        ({"Sayd": {}}, "Sayd: unknown"),
    ],
)
def test_a_wrong_event_ends_the_stream_with_its_fault(
    service: tuple[Conversation, Any], event: Any, fault: str
) -> None:
    """It is not sent; the reader of the answers is told what is wrong with it."""
    conversation, options = service

    async def main() -> BaseException | None:
        answered = asyncio.Event()

        async def events() -> AsyncIterator[Any]:
            yield {"Said": {"Text": "a"}}
            await answered.wait()
            yield event

        async with Tiny(**options) as tiny:
            result = await tiny.call("Talk", Events=events())
            assert await anext(result["Events"]) == {"Echo": {"Text": "1"}}
            answered.set()
            with pytest.raises(exceptions.RequestException) as caught:
                await anext(result["Events"])
            return caught.value.__cause__

    cause = asyncio.run(asyncio.wait_for(main(), 20))
    assert isinstance(cause, exceptions.ParamValidationError)
    assert fault in str(cause)
    assert len(conversation.events) == 1


def test_what_is_no_iterable_is_refused_before_anything_is_sent() -> None:
    """The name of the parameter is in the error."""

    async def main() -> None:
        async with Tiny(**KEYS, endpoint="http://127.0.0.1:9") as tiny:
            with pytest.raises(exceptions.ParamValidationError, match=r"Events: expected an async"):
                await tiny.call("Talk", Events=[{"Closed": {}}])

    asyncio.run(main())


def test_the_default_engine_says_what_is_needed() -> None:
    """It speaks HTTP/1.1, where a response follows its request."""

    async def main() -> None:
        async def events() -> AsyncIterator[Any]:
            yield {"Closed": {}}

        async with Tiny(**KEYS, endpoint="http://127.0.0.1:9") as tiny:
            with pytest.raises(exceptions.UnsupportedOperationError, match="use_curl=True"):
                await tiny.call("Talk", Events=events())

    asyncio.run(main())


def test_a_server_that_speaks_http_1_is_not_taken_for_a_duplex_one(
    certificates: Certificates, tmp_path: Path
) -> None:
    """Its answer is refused, since it can only be one to nothing."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def main(endpoint: str) -> None:
        async def events() -> AsyncIterator[Any]:
            yield {"Closed": {}}

        options = {**KEYS, "verify": str(certificates.ca), "use_curl": True, "max_attempts": 1}
        async with Tiny(**options, endpoint=endpoint) as tiny:
            with pytest.raises(exceptions.ReadError, match="need HTTP/2"):
                await tiny.call("Talk", Events=events())

    with ScriptedServer(script, tls=certificates.server_context()) as server:
        asyncio.run(asyncio.wait_for(main(f"https://127.0.0.1:{server.origin.port}"), 20))


def test_plain_http_2_is_spoken_to_a_plain_endpoint() -> None:
    """Where there is no TLS to agree on a version, HTTP/2 is taken for granted."""
    conversation = Conversation()

    async def main(endpoint: str) -> list[Any]:
        async def events() -> AsyncIterator[Any]:
            yield {"Said": {"Text": "a"}}

        async with Tiny(**KEYS, use_curl=True, endpoint=endpoint) as tiny:
            result = await tiny.call("Talk", Events=events())
            return [event async for event in result["Events"]]

    with ScriptedServer(conversation.serve) as server:
        answers = asyncio.run(asyncio.wait_for(main(f"http://127.0.0.1:{server.origin.port}"), 20))
    assert answers == [{"Echo": {"Text": "1"}}]
