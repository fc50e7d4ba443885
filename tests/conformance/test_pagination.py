"""Paginators and waiters against botocore's, over a random choice of all services."""

from __future__ import annotations

from random import Random

import pytest

from codegen.paging import paginator_constants, waiter_constants
from tests.conformance import paging
from tests.conformance.paging import compiled, selection

SEED = 20261122
CHOSEN = sorted({"dynamodb", "s3", *Random(SEED).sample(paging.services(), 25)})
# Those with result keys or tokens of their own kind.
PECULIAR = ["apigateway", "budgets", "devicefarm", "devops-guru", "logs", "rds", "route53", "iam"]
WAITED = ["dynamodb", "ec2", "ecs", "rds", "s3", "iam", "lambda", "cloudformation"]


def test_pages_requests_and_tokens_are_botocores() -> None:
    """Whatever the pages hold and wherever the iteration starts and ends, both do the same."""
    compared = 0
    for service in sorted({*CHOSEN, *PECULIAR}):
        count, different = paging.pagination_differences(service, Random(f"{service} {SEED}"))
        assert different == []
        compared += count
    assert compared > 800


def test_waiters_decide_as_botocores() -> None:
    """On any sequence of responses both stop at the same one, for the same reason."""
    compared = 0
    for service in WAITED:
        count, different = paging.waiting_differences(service, Random(f"{service} {SEED}"))
        assert different == []
        compared += count
    assert compared > 200


@pytest.mark.parametrize("service", ["dynamodb", "ec2", "s3"])
def test_every_waiter_and_paginator_of_a_model_is_generated(service: str) -> None:
    """The constants are named after them, one for each."""
    chosen = selection(service)
    assert len(compiled(paginator_constants(chosen))) == len(chosen.paginators) > 0
    assert len(compiled(waiter_constants(chosen))) == len(chosen.waiters) > 0
