"""Events in every protocol, with botocore's parsers as judges, and streams through a client."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from unittest import mock

import botocore.eventstream
import botocore.model
import botocore.parsers
import pytest

from tests.conformance import models
from tests.support import tiny_model
from tests.support.tiny_client import client_class
from tests.support.tiny_model import structure
from tests.transport.server import Peer, ScriptedServer
from tornado_aws import exceptions
from tornado_aws.event_stream import Decoder, Message, encode
from tornado_aws.protocols import cbor, event_streams, rest_json, rest_xml
from tornado_aws.protocols import json as json_protocol
from tornado_aws.streams import AsyncEventStream

KEYS: Any = {"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}


def event(name: str, payload: bytes = b"", **headers: Any) -> bytes:
    """Return an event as bytes."""
    return encode({":message-type": "event", ":event-type": name, **headers}, payload)


def exception(name: str, payload: bytes = b"") -> bytes:
    """Return a modelled error as bytes."""
    return encode({":message-type": "exception", ":exception-type": name}, payload)


STATS = b"<Stats><BytesScanned>5</BytesScanned><New>1</New></Stats>"
CASES: list[tuple[str, str, ModuleType, bytes]] = [
    ("bedrock-runtime", "ConverseStream", rest_json, event("messageStart", b'{"role":"user"}')),
    (
        "bedrock-runtime",
        "ConverseStream",
        rest_json,
        event("contentBlockDelta", b'{"delta":{"text":"\xc3\xbc"},"contentBlockIndex":0,"new":1}'),
    ),
    ("bedrock-runtime", "ConverseStream", rest_json, event("metadata", b"{}")),
    ("bedrock-runtime", "ConverseStream", rest_json, event("metadata")),
    (
        "bedrock-runtime",
        "InvokeModelWithResponseStream",
        rest_json,
        event("chunk", b'{"bytes":"aGVsbG8="}'),
    ),
    ("lambda", "InvokeWithResponseStream", rest_json, event("PayloadChunk", b"raw")),
    ("lambda", "InvokeWithResponseStream", rest_json, event("InvokeComplete", b"{}")),
    ("s3", "SelectObjectContent", rest_xml, event("Records", b"a,b\n")),
    ("s3", "SelectObjectContent", rest_xml, event("Records")),
    ("s3", "SelectObjectContent", rest_xml, event("Stats", STATS)),
    ("s3", "SelectObjectContent", rest_xml, event("Cont")),
    ("s3", "SelectObjectContent", rest_xml, event("End")),
    (
        "kinesis",
        "SubscribeToShard",
        json_protocol,
        event(
            "SubscribeToShardEvent",
            b'{"Records":[{"Data":"aGk=","PartitionKey":"p","SequenceNumber":"1",'
            b'"ApproximateArrivalTimestamp":1.5e9}],"MillisBehindLatest":0}',
        ),
    ),
    ("logs", "StartLiveTail", json_protocol, event("sessionStart", b'{"requestId":"r"}')),
]


@pytest.mark.parametrize(("service", "name", "protocol", "data"), CASES)
def test_events_are_what_botocore_makes_of_them(
    service: str, name: str, protocol: ModuleType, data: bytes
) -> None:
    """With JSON, XML and raw payloads."""
    operation = models.ours(service).operation(name)
    stream = event_streams.output_stream(operation)
    assert stream is not None
    read = event_streams.reader(stream, protocol.event_reader)
    (message,) = Decoder().feed(data)
    parser = botocore.parsers.create_parser(models.protocols()[service])
    shape = models.theirs(service).shape_for(stream.shape.name)
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(data)
    expected = parser._event_stream_parser.parse(next(buffer).to_response_dict(), shape)
    expected.pop("ResponseMetadata", None)
    assert read(message) == expected


STREAM = {
    "type": "structure",
    "eventstream": True,
    "members": {
        "Said": {"shape": "Said"},
        "Marked": {"shape": "Marked"},
        "Noted": {"shape": "Noted"},
        "tooMuch": {"shape": "TooMuch"},
    },
}
SHAPES = {
    "Stream": STREAM,
    "Said": structure({"Text": "string", "At": "timestamp"}, event=True),
    "Marked": structure(
        {
            "Kind": {"shape": "string", "eventheader": True},
            "When": {"shape": "timestamp", "eventheader": True},
            "Data": {"shape": "blob", "eventpayload": True},
        },
        event=True,
    ),
    "Noted": structure({"Text": {"shape": "string", "eventpayload": True}}, event=True),
    "TooMuch": structure({"message": "string", "Limit": "integer"}, exception=True),
    "RestOutput": structure(
        {
            "Name": {"shape": "string", "location": "header", "locationName": "x-name"},
            "Events": {"shape": "Stream"},
        },
        payload="Events",
    ),
    "Output": structure({"Name": "string", "Events": {"shape": "Stream"}}),
}


class TooMuch(exceptions.AWSError):
    """The modelled error."""


def client(protocol: str) -> type[Any]:
    """Return a client whose operation answers with a stream."""
    output = "RestOutput" if protocol.startswith("rest") else "Output"
    model = tiny_model.service(
        SHAPES,
        {
            "Watch": {
                "http": {"method": "POST", "requestUri": "/"},
                "output": {"shape": output},
            },
            "Rest": {"http": {"method": "POST", "requestUri": "/rest"}},
        },
        protocol=protocol,
        endpointPrefix="tiny",
    )
    return client_class(model, TooMuch=TooMuch)


def reader(protocol: ModuleType = rest_json) -> event_streams.Reader:
    """Return what reads messages of the tiny stream."""
    operation = client("rest-json")._model().operation("Watch")
    stream = event_streams.output_stream(operation)
    assert stream is not None
    return event_streams.reader(stream, protocol.event_reader)


def test_members_in_headers_and_payloads() -> None:
    """A timestamp in a header is a datetime, and text may be the whole payload."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    marked, noted = Decoder().feed(
        event("Marked", b"\x00", Kind="k", When=when) + event("Noted", "ü".encode())
    )
    read = reader()
    assert read(marked) == {"Marked": {"Kind": "k", "When": when, "Data": b"\x00"}}
    assert read(noted) == {"Noted": {"Text": "ü"}}


def test_what_the_model_does_not_know_is_passed_over_but_errors_are_not() -> None:
    """Events are added to services; an error of any name ends the call."""
    read = reader()
    assert read(Message({":message-type": "event", ":event-type": "New"}, b"{}")) is None
    unknown = read(Message({":message-type": "exception", ":exception-type": "new"}, b"why"))
    assert unknown == event_streams.Fault("new", {"Code": "new", "Message": "why"}, {})
    headers = {":message-type": "error", ":error-code": "Broken", ":error-message": "so"}
    fault = event_streams.Fault("Broken", {"Code": "Broken", "Message": "so"}, {})
    assert read(Message(headers, b"")) == fault


def test_no_event_has_to_wait_for_its_reader() -> None:
    """Readers are made with the operation, off the loop, and none when an event comes."""
    stream = event_streams.output_stream(client("rest-json")._model().operation("Watch"))
    assert stream is not None
    make = mock.Mock(side_effect=rest_json.event_reader)
    read = event_streams.reader(stream, make)
    made = make.call_count
    read(Message({":message-type": "exception", ":exception-type": "tooMuch"}, b'{"Limit":1}'))
    assert make.call_count == made


def test_a_payload_that_is_not_of_the_protocol_is_a_parser_error() -> None:
    """In text as well as in JSON."""
    read = reader()
    for data in (event("Said", b"<"), event("Noted", b"\xff")):
        (message,) = Decoder().feed(data)
        with pytest.raises(exceptions.ResponseParserError):
            read(message)


# --- through a client -----------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nx-name: n\r\nx-amzn-RequestId: R1\r\n"
SAID = [event("Said", json.dumps({"Text": text, "At": 0}).encode()) for text in "abc"]
INITIAL = event("initial-response", b'{"Name":"n"}')


def answer(*frames: bytes, cut: int | None = None) -> Callable[[Peer], None]:
    """Answer the first request with these frames, cut off somewhere; others with nothing."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        while request is not None:
            if request.target == "/rest":
                peer.answer(b"{}")
            else:
                body = b"".join(frames)
                peer.send(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:cut])
                if cut is not None:
                    return
            request = peer.read_request()

    return script


async def watch(server: ScriptedServer, use: Any, protocol: str = "rest-json") -> None:
    """Call the operation and use its result; one connection must do for another call."""
    url = f"http://127.0.0.1:{server.origin.port}"
    kind = client(protocol)
    options = {"max_clients": 1, "pool_timeout": 5, "max_attempts": 1}
    async with kind(endpoint=url, **KEYS, **options) as tiny:
        await use(await tiny.call("Watch"))
        gc.collect()
        await tiny.call("Rest")


@pytest.mark.parametrize("protocol", ["rest-json", "json", "smithy-rpc-v2-cbor"])
def test_events_and_the_other_members_of_a_result(protocol: str) -> None:
    """The others come in headers or as the first event; the connection is used again."""
    said, initial = SAID, INITIAL
    if protocol == "smithy-rpc-v2-cbor":
        said = [event("Said", _cbor({"Text": text})) for text in "abc"]
        initial = event("initial-response", _cbor({"Name": "n"}))

    async def use(result: Any) -> None:
        assert (result["Name"], result["ResponseMetadata"]["RequestId"]) == ("n", "R1")
        assert isinstance(result["Events"], AsyncEventStream)
        assert [each["Said"]["Text"] async for each in result["Events"]] == list("abc")
        assert [each async for each in result["Events"]] == []

    frames = said if protocol == "rest-json" else [initial, *said]
    with ScriptedServer(answer(*frames)) as server:
        asyncio.run(watch(server, use, protocol))
    assert server.connections == 1


def _cbor(members: dict[str, str]) -> bytes:
    out = bytearray()
    cbor.write_map_head(out, len(members))
    for name, value in members.items():
        cbor.write_text(out, name)
        cbor.write_text(out, value)
    return bytes(out)


@pytest.mark.parametrize("way", ["break", "close", "drop"])
def test_a_stream_that_is_given_up_frees_its_connection(way: str) -> None:
    """The next call gets through."""

    async def use(result: Any) -> None:
        if way == "break":
            async with result["Events"] as events:
                async for _ in events:
                    break
        elif way == "close":
            result["Events"].close()
            result["Events"].close()

    def script(peer: Peer) -> None:
        request = peer.read_request()
        if request is not None and request.target == "/rest":
            peer.answer(b"{}")
        else:
            peer.send(HEAD + b"Content-Length: 100000\r\n\r\n" + SAID[0])
        peer.wait_closed()

    with ScriptedServer(script) as server:
        asyncio.run(watch(server, use))
    assert server.connections == 2


def test_a_modelled_error_in_the_stream_is_raised_as_its_class() -> None:
    """With its members and the request id; what came before has been given."""

    async def use(result: Any) -> None:
        assert await anext(result["Events"])
        with pytest.raises(TooMuch, match="slower") as caught:
            await anext(result["Events"])
        error = caught.value
        assert (error.code, error.request_id, error.operation) == ("TooMuch", "R1", "Watch")
        assert error.response["Error"] == {"Code": "tooMuch", "Message": "slower"}
        assert error.response["Limit"] == 5
        assert [each async for each in result["Events"]] == []

    fault = exception("tooMuch", b'{"message":"slower","Limit":5}')
    with ScriptedServer(answer(SAID[0], fault, SAID[1])) as server:
        asyncio.run(watch(server, use))


def test_an_error_instead_of_the_first_event_is_the_calls() -> None:
    """So is a stream that begins with something else."""

    async def use(_: Any) -> None:
        raise AssertionError("there is no result")

    for first, error in (
        (exception("tooMuch", b"{}"), TooMuch),
        (SAID[0], exceptions.ResponseParserError),
        (b"", exceptions.ResponseParserError),
    ):
        with ScriptedServer(answer(first)) as server, pytest.raises(error):
            asyncio.run(watch(server, use, "json"))


@pytest.mark.parametrize("cut", [1, 20, len(SAID[0]), len(SAID[0]) + 5])
def test_a_stream_that_breaks_is_an_error_wherever_it_does(cut: int) -> None:
    """Whole events that came before are given."""

    async def use(result: Any) -> None:
        for _ in range(cut // len(SAID[0])):
            assert "Said" in await anext(result["Events"])
        with pytest.raises(exceptions.ReadError):
            await anext(result["Events"])

    with ScriptedServer(answer(*SAID, cut=cut)) as server:
        asyncio.run(watch(server, use))


def test_garbage_is_an_error_and_frees_the_connection() -> None:
    """Nothing behind a frame that does not fit its checksum can be trusted."""

    async def use(result: Any) -> None:
        with pytest.raises(exceptions.ReadError, match="CRC32"):
            await anext(result["Events"])

    with ScriptedServer(answer(b"x" * 500)) as server:
        asyncio.run(watch(server, use))


def test_events_before_garbage_are_given() -> None:
    """Also when they came with it in one piece."""

    class Stream:
        """All of it at once, and then nothing for ever."""

        def __init__(self) -> None:
            self.pieces = [b"".join(SAID[:2]) + b"x" * 500]
            self.is_closed = False

        async def read_chunk(self) -> bytes:
            if not self.pieces:
                await asyncio.Event().wait()
            return self.pieces.pop()

        def close(self) -> None:
            self.is_closed = True

    async def main() -> None:
        stream = Stream()
        messages = AsyncEventStream(stream, lambda message: message)
        given = [await anext(messages) for _ in range(2)]
        assert given == Decoder().feed(b"".join(SAID[:2]))
        with pytest.raises(exceptions.ReadError, match="CRC32"):
            await anext(messages)
        assert stream.is_closed

    asyncio.run(main())
