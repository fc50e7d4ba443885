"""One comparison with botocore: of a request, of a result, or of an error's members."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from random import Random
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from tornado_aws.exceptions import AWSClientException
from tornado_aws.protocols import ErrorParser, HTTPParts, Parser, Protocol, Serializer, load
from tornado_aws.transport import Response

from . import models, oracle
from .random_params import STYLES, Maker, is_supported
from .responders import RESPONDERS

# How often a response has something that services add or change, by style.
ODDITIES = {"required": 0.0, "all": 0.0, "edge": 0.3}


class Case(NamedTuple):
    """What is compared; the same case always has the same parameters and the same response."""

    service: str
    operation: str
    style: str
    seed: int

    @property
    def random(self) -> Random:
        """A fresh source of randomness for this case."""
        return Random(f"{self.service}.{self.operation}.{self.style}.{self.seed}")


class Difference(NamedTuple):
    """Two answers to one question.

    Attributes:
        case: what was asked.
        part: what differs: ``request``, ``result`` or ``error``.
        given: the parameters, or the response.
        expected: botocore's answer.
        got: ours.
    """

    case: Case
    part: str
    given: object
    expected: object
    got: object

    def __str__(self) -> str:
        return (
            f"{self.part} of {' '.join(str(field) for field in self.case)}\n"
            f"  given    {self.given!r}\n"
            f"  botocore {self.expected!r}\n"
            f"  ours     {self.got!r}"
        )


class _Machinery(NamedTuple):
    serialize: Serializer
    parse: Parser


def operations(service: str) -> list[str]:
    """Names of the operations of a service that can be compared, in the model's order."""
    model = models.ours(service)
    return [name for name in model.operation_names if is_supported(model.operation(name))]


def some_operations(service: str, random: Random, count: int) -> list[str]:
    """Choose at most so many operations of a service that can be compared."""
    model = models.ours(service)
    names = list(model.operation_names)
    random.shuffle(names)
    supported = (name for name in names if is_supported(model.operation(name)))
    return list(islice(supported, count))


def cases(
    service: str, names: Sequence[str], seeds: Sequence[int], styles: Sequence[str] = tuple(STYLES)
) -> Iterator[Case]:
    """Return every case of these operations, each operation's one after the other."""
    for name in names:
        for style in styles:
            for seed in seeds:
                yield Case(service, name, style, seed)


def request_difference(case: Case) -> Difference | None:
    """Compare what both serialise, which is not all that their clients send."""
    operation = models.ours(case.service).operation(case.operation)
    params = Maker(case.random, STYLES[case.style]).parameters(operation)
    with mock.patch.object(uuid, "uuid4", partial(uuid.UUID, int=case.seed)):
        expected = oracle.serialized(case.service, case.operation, params)
        got = as_sent(_machinery(case.service, case.operation).serialize(params))
    comparable = request_in(models.protocols()[case.service])
    if comparable(expected) == comparable(got):
        return None
    return Difference(case, "request", params, expected, got)


def result_difference(case: Case) -> Difference | None:
    """Compare what both understand of a response."""
    operation = models.ours(case.service).operation(case.operation)
    random = case.random
    result = Maker(random, STYLES[case.style], wire=True).result(operation)
    responder = RESPONDERS[models.protocols()[case.service]]
    answer = responder.result(operation, result, random, ODDITIES[case.style])
    parse = _machinery(case.service, case.operation).parse
    expected = _outcome(lambda: oracle.understood(case.service, case.operation, *answer))
    got = _outcome(lambda: parse(_response(*answer)))
    return None if expected == got else Difference(case, "result", answer, expected, got)


def error_difference(case: Case) -> Difference | None:
    """Compare what both understand of one of the operation's errors, if it has any."""
    model = models.ours(case.service)
    names = model.operation(case.operation).errors
    if not names:
        return None
    random = case.random
    shape = model.shape(random.choice(names))
    members = Maker(random, STYLES[case.style], wire=True).structure(shape)
    responder = RESPONDERS[models.protocols()[case.service]]
    answer = responder.error(shape, members, random, ODDITIES[case.style])
    parse = _error_parser(case.service)
    expected = _outcome(lambda: oracle.understood_error(case.service, shape.name, *answer))
    got = _outcome(lambda: parse(_response(*answer), shape.name))
    return None if expected == got else Difference(case, "error", answer, expected, got)


def _response(status: int, headers: list[tuple[str, str]], body: bytes) -> Response:
    return Response(status, "", headers, body)


def _outcome(parse: Callable[[], Any]) -> object:
    """Return a result with NaN made comparable, or that there is none."""
    try:
        result = parse()
        result.pop("ResponseMetadata", None)
        return _comparable(result)
    except (AWSClientException, oracle.NotUnderstood):
        return "not understood"


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


@lru_cache(maxsize=2)
def _machinery(service: str, operation: str) -> _Machinery:
    protocol = _protocol(service)
    record = models.ours(service).operation(operation)
    return _Machinery(protocol.serializer(record), protocol.parser(record))


@lru_cache(maxsize=2)
def _error_parser(service: str) -> ErrorParser:
    return _protocol(service).error_parser(models.ours(service))


def _protocol(service: str) -> Protocol:
    return load(models.ours(service).metadata)


# --- requests in terms that can be compared -------------------------------------------------------


def as_sent(parts: HTTPParts) -> oracle.Sent:
    """Return the parts of a request as `oracle` gives those of botocore."""
    headers = oracle.own_headers(parts.headers)
    body = parts.body if parts.body is not None else b""
    assert not hasattr(body, "__aiter__"), "comparisons have no bodies that stream"
    return oracle.Sent(
        parts.method, parts.host_prefix, parts.path, parts.query, headers, bytes(body)
    )


def body_reader(protocol: str) -> Callable[[bytes], object]:
    """Return what makes a body of a protocol comparable with another."""
    return _BODIES[protocol]


def request_in(protocol: str) -> Callable[[oracle.Sent], object]:
    """Return what makes a request of a protocol comparable with another."""
    body = body_reader(protocol)
    return lambda sent: (
        *sent[:3],
        sorted(parse_qsl(sent.query, keep_blank_values=True)),
        sent.headers,
        body(sent.body),
    )


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _form(body: bytes) -> object:
    return sorted(parse_qsl(body.decode(), keep_blank_values=True))


def _xml(body: bytes) -> object:
    """Return XML in one spelling; a carriage return that botocore sends raw is meant as one."""
    try:
        return ElementTree.canonicalize(body.replace(b"\r", b"&#xD;"))
    except ElementTree.ParseError:
        return body


_BODIES: Mapping[str, Callable[[bytes], object]] = {
    "json": _json,
    "rest-json": _json,
    "rest-xml": _xml,
    "query": _form,
    "ec2": _form,
    "smithy-rpc-v2-cbor": bytes,
}
