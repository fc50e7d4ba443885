"""Damaged answers of every protocol: read as far as they make sense, or clearly refused."""

from __future__ import annotations

from random import Random

import pytest

from tornado_aws import errors
from tornado_aws.exceptions import ResponseParserError
from tornado_aws.protocols import load
from tornado_aws.transport import Response

from . import models
from .differential import some_operations
from .mutations import mangle
from .random_params import EDGE, Maker, Unbounded
from .responders import RESPONDERS

SEED = 20260801
SERVICES = [
    service
    for protocol in RESPONDERS
    for service in Random(SEED).sample(
        models.services(protocol), min(6, len(models.services(protocol)))
    )
]


@pytest.mark.parametrize("service", SERVICES)
def test_no_damage_lets_errors_of_pythons_own_through(service: str) -> None:
    """There is a result or `ResponseParserError`; what an error says is always found out."""
    model, random = models.ours(service), Random(f"{service}.{SEED}")
    protocol, responder = load(model.metadata), RESPONDERS[models.protocols()[service]]
    parse_error, refused = protocol.error_parser(model), 0
    for name in some_operations(service, random, 4):
        operation = model.operation(name)
        parse = protocol.parser(operation)
        try:
            result = Maker(random, EDGE, wire=True).result(operation)
        except Unbounded:
            continue
        status, headers, body = responder.result(operation, result, random, 0.3)
        for _ in range(25):
            damaged = Response(status, "", headers, mangle(random, body))
            try:
                assert isinstance(parse(damaged), dict)
            except ResponseParserError:
                refused += 1
            assert errors.parse(damaged).code
            for error in operation.errors[:1]:
                assert isinstance(parse_error(damaged, error), dict)
    assert refused or not any(model.operation(name).output for name in model.operation_names)
