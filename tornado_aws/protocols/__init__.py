"""From parameters to an HTTP request and from an HTTP response to a result, by protocol.

A protocol is a module with the three functions of `Protocol`. They are given the model of an
operation once, at its first call, and return plain functions that are kept and called for every
call. `PROTOCOLS` is the only place that knows the protocols' names.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast
from typing import Protocol as Interface

from tornado_aws.model import Operation, Ref, ServiceModel
from tornado_aws.transport import Headers, Response

PROTOCOLS: Mapping[str, str] = {
    "json": "tornado_aws.protocols.json",
    "rest-json": "tornado_aws.protocols.rest_json",
    "rest-xml": "tornado_aws.protocols.rest_xml",
    "query": "tornado_aws.protocols.query",
    "ec2": "tornado_aws.protocols.ec2",
    "smithy-rpc-v2-cbor": "tornado_aws.protocols.rpc_v2_cbor",
}

# botocore's order of preference for a service that speaks several (botocore/utils.py).
PREFERENCE: Sequence[str] = (
    "json",
    "rest-json",
    "rest-xml",
    "smithy-rpc-v2-cbor",
    "query",
    "ec2",
)


class HTTPParts(NamedTuple):
    """What a serialiser makes of parameters.

    Attributes:
        method: the HTTP method.
        path: percent-encoded path, beginning with a slash.
        query: percent-encoded query without the question mark, "" for none.
        headers: (name, value) pairs; neither ``Host`` nor anything of signing or framing.
        body: all bytes, or an asynchronous iterable of chunks; None for no body.
        host_prefix: expanded ``endpoint.hostPrefix`` of the operation, "" for none.
        content_length: length of an iterable body in bytes, None when it is unknown.
        payload_hash: what is signed for the body: its hash or a text that stands for one; "" to
            hash the bytes of it.
        expect_continue: whether the body waits for the service's consent.
        is_duplex: whether the response begins while the body is being sent.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes | AsyncIterable[bytes | memoryview] | None
    host_prefix: str = ""
    content_length: int | None = None
    payload_hash: str = ""
    expect_continue: bool = False
    is_duplex: bool = False


Serializer = Callable[[Mapping[str, Any]], HTTPParts]
Parser = Callable[[Response], dict[str, Any]]
ErrorParser = Callable[[Response, str], dict[str, Any]]
EventReader = Callable[[bytes], Any]
EventWriter = Callable[[Any], bytes]


class Protocol(Interface):
    """What a protocol's module offers."""

    def serializer(self, operation: Operation) -> Serializer:
        """Return a function from valid parameters (without None) to the parts of a request."""
        ...

    def parser(self, operation: Operation) -> Parser:
        """Return a function from a response with status < 300 to the result.

        The result is what botocore's parser gives. ``ResponseMetadata`` is in it only as far as it
        is in the body (query, ec2); the caller adds what the response's head says. The function
        raises `ResponseParserError` when the body is not of this protocol.
        """
        ...

    def error_parser(self, model: ServiceModel) -> ErrorParser:
        """Return a function from an error response and its code to the error's own members.

        The dict is empty when the code is not modelled or the body is not of this protocol: an
        error in a strange format is still an error. Code, message and request id are found by
        `tornado_aws.errors`, which knows every format of the services.
        """
        ...

    def event_reader(self, ref: Ref) -> EventReader:
        """Return a function from an event's payload to a value of `ref`.

        query and ec2 have no event streams, and so no such function.
        """
        ...

    def event_writer(self, ref: Ref) -> EventWriter:
        """Return a function from a value of `ref` to an event's payload.

        rest-json alone has it: services take events in no other protocol.
        """
        ...


def load(metadata: Mapping[str, Any]) -> Protocol:
    """Import the module of the protocol that a service with this metadata is spoken to in."""
    return cast(Protocol, import_module(PROTOCOLS[choose(metadata)]))


def choose(metadata: Mapping[str, Any]) -> str:
    """Return the name of the protocol to use, as botocore chooses it."""
    offered = metadata.get("protocols") or [metadata["protocol"]]
    return next((name for name in PREFERENCE if name in offered), metadata["protocol"])
