"""Requests, results and errors of some operations of every service, compared with botocore's.

``python -m tests.conformance`` compares all operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

from . import models
from .differential import (
    Difference,
    cases,
    error_difference,
    request_difference,
    result_difference,
    some_operations,
)
from .responders import RESPONDERS

SEED = 20260801
SERVICES = [service for protocol in RESPONDERS for service in models.services(protocol)]


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    """Each service in turn: all tests of one run together, because its model is kept meanwhile."""
    return str(request.param)


def sample(service: str, count: int = 2) -> list[str]:
    """Choose some operations of a service, always the same ones."""
    return some_operations(service, Random(f"{service}.{SEED}"), count)


def check(differences: Iterable[Difference | None]) -> None:
    """Fail with every difference."""
    found = [str(difference) for difference in differences if difference]
    assert not found, "\n".join(found)


def test_requests_are_those_of_botocore(service: str) -> None:
    """Random valid parameters become the request that botocore's serialiser makes of them."""
    check(request_difference(case) for case in cases(service, sample(service), [SEED]))


def test_results_are_those_of_botocore(service: str) -> None:
    """Random responses, strange ones included, become the result that botocore's parser gives."""
    check(result_difference(case) for case in cases(service, sample(service), [SEED]))


def test_members_of_errors_are_those_of_botocore(service: str) -> None:
    """The members of modelled errors are read as botocore reads them."""
    check(error_difference(case) for case in cases(service, sample(service), [SEED]))
