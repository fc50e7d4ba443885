"""What services answer in each protocol: the table that the comparisons use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.transport import Headers

from . import cbor_server, json_server, rest_server, xml_server


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: Headers
    body: bytes


class Responder(NamedTuple):
    """How a protocol's services answer.

    Attributes:
        result: from an operation, its result in terms of the model, a source of randomness and the
            chance of oddities to a response.
        error: from an error's shape, its members, a source of randomness and the chance of oddities
            to a response.
    """

    result: Callable[[Operation, Mapping[str, Any], Random, float], Answer]
    error: Callable[[Shape, Mapping[str, Any], Random, float], Answer]


def _json_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    if operation.output is None:
        return Answer(200, [], random.choice((b"", b"{}", b"not JSON")))
    body = json_server.JSONWriter(random, oddities).body(operation.output, result)
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], body)


def _json_error(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    body = json_server.error_body(shape, members, random, oddities)
    return Answer(400, [("Content-Type", "application/x-amz-json-1.1")], body)


def _rest_json_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    if operation.output is None:
        return Answer(204, [], b"")
    ref = operation.output
    status, headers, rest = rest_server.head(ref.shape, result, random)
    body = _rest_json_body(ref, rest, json_server.JSONWriter(random, oddities))
    return Answer(status, headers, body)


def _rest_json_body(ref: Ref, rest: Mapping[str, Any], writer: json_server.JSONWriter) -> bytes:
    payload = ref.traits.get("payload")
    if payload is None:
        return writer.body(ref, rest)
    if payload not in rest:
        return b""
    value = rest[payload]
    member = ref.shape.members[payload]
    if member.shape.type in ("blob", "string"):
        return value if isinstance(value, bytes) else str(value).encode()
    return writer.body(member, value)


def _rest_json_error(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    status, headers, rest = rest_server.head(shape, members, random, 400)
    if all(name.lower() != "x-amzn-errortype" for name, _ in headers):
        headers.append(("x-amzn-errortype", shape.name))
    body = json_server.JSONWriter(random, oddities).body(Ref("", shape, {}), rest)
    return Answer(status, headers, body)


def _cbor_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    if operation.output is None:
        return Answer(200, [], b"")
    writer = cbor_server.CBORWriter(random, oddities)
    return Answer(200, [("smithy-protocol", "rpc-v2-cbor")], writer.body(operation.output, result))


def _cbor_error(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    writer = cbor_server.CBORWriter(random, oddities)
    return Answer(
        400, [("smithy-protocol", "rpc-v2-cbor")], writer.body(Ref("", shape, {}), members)
    )


def _query_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    return Answer(200, _XML, xml_server.query_body(operation, result, random, oddities))


def _query_error(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    return Answer(400, _XML, xml_server.error_body(shape, members, random, oddities))


def _ec2_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    return Answer(200, _XML, xml_server.ec2_body(operation, result, random, oddities))


def _rest_xml_result(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    if operation.output is None:
        return Answer(204, [], b"")
    status, headers, rest = rest_server.head(operation.output.shape, result, random)
    body = xml_server.rest_body(operation.output, rest, random, oddities)
    return Answer(status, headers, body)


def _rest_xml_error(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> Answer:
    status, headers, rest = rest_server.head(shape, members, random, 400)
    write = random.choice((xml_server.error_body, xml_server.bare_error_body))
    return Answer(status, headers, write(shape, rest, random, oddities))


_XML = [("Content-Type", "text/xml")]

RESPONDERS: Mapping[str, Responder] = {
    "json": Responder(_json_result, _json_error),
    "rest-json": Responder(_rest_json_result, _rest_json_error),
    "rest-xml": Responder(_rest_xml_result, _rest_xml_error),
    "query": Responder(_query_result, _query_error),
    "ec2": Responder(_ec2_result, _query_error),
    "smithy-rpc-v2-cbor": Responder(_cbor_result, _cbor_error),
}
