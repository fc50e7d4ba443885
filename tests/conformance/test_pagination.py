"""Paginators and waiters against botocore's, over a random choice of all services.

Both sides get the same random responses; the requests they make and what they give must be equal.
"""

from __future__ import annotations

import asyncio
import copy
import operator
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import botocore.exceptions
import botocore.paginate
import botocore.session
import botocore.waiter
import jmespath.exceptions
import pytest

from codegen.load import find, load
from codegen.paging import constant, paginator_constants, waiter_constants
from codegen.select import Selection, select
from tests.conformance.models import DATA
from tornado_aws import pagination, queries, waiting
from tornado_aws.exceptions import AWSError, PaginationError, WaiterError
from tornado_aws.pagination import Pages, PaginationConfig, Paginator
from tornado_aws.waiting import Waiter, wait

SEED = 20261122
CHOSEN = 25
NAMESPACE = {
    "q": queries,
    "operator": operator,
    "Pages": pagination.Pages,
    "Waiter": waiting.Waiter,
    "Acceptor": waiting.Acceptor,
}
Outcome = tuple[Any, ...]


def services() -> list[str]:
    """A random choice of the services with paginators or waiters, dynamodb and s3 always."""
    names = sorted(source.service for source in find(DATA))
    return sorted({"dynamodb", "s3", *Random(SEED).sample(names, CHOSEN)})


def selection(service: str) -> Selection:
    """Return the model of a service as the generator sees it."""
    return select(load(find(DATA, [service])[0]))


def compiled(constants: Sequence[Any]) -> dict[str, Any]:
    """Return the values of generated constants by name."""
    return {each.name: eval(each.value, NAMESPACE) for each in constants}


class Script:
    """Answers from a list and keeps what was asked."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers = [copy.deepcopy(answer) for answer in answers]
        self.asked: list[dict[str, Any]] = []

    def __call__(self, **params: Any) -> Any:
        self.asked.append(copy.deepcopy(params))
        return self.answers[len(self.asked) - 1]

    async def call(self, params: Mapping[str, object]) -> Any:
        answer = self(**params)
        if isinstance(answer, dict) and "Error" in answer:
            raise AWSError(answer["Error"]["Code"], "", 400, None, answer)
        return answer


def put(page: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        page = page.setdefault(name, {})
    page[path[-1]] = value


def random_page(rng: Random, pages: Pages, entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Make a page: results, tokens that differ from page to page, and flags."""
    page: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200}}
    for position, path in enumerate(pages.result_keys):
        items = [{"Key": f"{number}-{each}"} for each in range(rng.randint(0, 4))]
        # Every second key behind the first holds numbers, as Count of DynamoDB does.
        value = items if position % 2 == 0 else rng.choice([None, rng.randint(0, 9)])
        if rng.random() < 0.9:
            put(page, path, value)
    for path in pages.other_keys:
        put(page, path, rng.choice(["same", {"a": 1}]))
    tokens = entry["output_token"]
    for expression in [tokens] if isinstance(tokens, str) else tokens:
        name = expression.split(" ")[0]
        token = rng.choice([None, "", f"t{number}", f"t{number}", {"S": b"\x00"}, f"t{number}"])
        put(page, name.split("."), token)
    if "more_results" in entry:
        put(page, entry["more_results"].split("."), rng.random() < 0.8)
    return page


def random_config(rng: Random, pages: Pages, tokens: Sequence[str]) -> PaginationConfig:
    config: PaginationConfig = {}
    if rng.random() < 0.5:
        config["MaxItems"] = rng.randint(0, 12)
    if pages.limit_key and rng.random() < 0.5:
        config["PageSize"] = rng.randint(1, 9)
    if tokens and rng.random() < 0.5:
        config["StartingToken"] = rng.choice(list(tokens))
    return config


def of_botocore(
    entry: Mapping[str, Any], model: Any, answers: Sequence[Any], config: Mapping[str, Any]
) -> Outcome:
    """Return pages, requests, token, full result and error of botocore's paginator."""
    script, again = Script(answers), Script(answers)
    make = botocore.paginate.Paginator
    iterator = make(script, entry, model).paginate(PaginationConfig=dict(config))
    given: list[Any] = []
    error = ""
    try:
        given.extend(copy.deepcopy(page) for page in iterator)
    except botocore.exceptions.PaginationError:
        error = "PaginationError"
    full = None
    if not error:
        full = make(again, entry, model).paginate(PaginationConfig=dict(config)).build_full_result()
    return given, script.asked, iterator.resume_token, full, error


async def of_ours(pages: Pages, answers: Sequence[Any], config: PaginationConfig) -> Outcome:
    """Return the same of our paginator."""
    script, again = Script(answers), Script(answers)
    paginator: Paginator[Any, Any] = Paginator(pages, script.call, {}, config)
    given: list[Any] = []
    error = ""
    try:
        async for page in paginator:
            given.append(copy.deepcopy(page))
    except PaginationError:
        error = "PaginationError"
    full = None
    if not error:
        full = await Paginator(pages, again.call, {}, config).build_full_result()
    return given, script.asked, paginator.resume_token, full, error


def paginators() -> Iterator[tuple[str, Mapping[str, Any], Pages, Any]]:
    session = botocore.session.Session()
    for service in services():
        chosen = selection(service)
        constants = compiled(paginator_constants(chosen))
        model = session.get_service_model(service)
        for name, entry in chosen.paginators.items():
            pages = constants[constant(name)]
            yield f"{service}.{name}", entry, pages, model.operation_model(name)


def test_pages_requests_and_tokens_are_botocores() -> None:
    """Whatever the pages hold and wherever the iteration starts and ends, both do the same."""
    rng = Random(SEED)
    compared = resumed = 0

    async def main() -> None:
        nonlocal compared, resumed
        for name, entry, pages, model in paginators():
            tokens: list[str] = []
            for _ in range(6):
                answers = [random_page(rng, pages, entry, number) for number in range(8)]
                answers.append({})  # has no token, so that both end
                config = random_config(rng, pages, tokens)
                expected = of_botocore(entry, model, answers, config)
                found = await of_ours(pages, answers, config)
                assert found == expected, (name, config, answers)
                compared += 1
                if expected[2]:
                    resumed += 1
                    tokens.append(expected[2])

    asyncio.run(main())
    assert compared > 300
    assert resumed > 30


def random_answer(rng: Random, waiter: Waiter) -> dict[str, Any]:
    """Make a response or an error that some acceptor may know."""
    known = [acceptor.expected for acceptor in waiter.acceptors]
    expected = rng.choice([*known, "other", True])
    if rng.random() < 0.3:
        code = expected if isinstance(expected, str) else "Other"
        status = {"HTTPStatusCode": rng.choice([400, 404])}
        return {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": status}
    answer: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": rng.choice([200, 404, 301])}}
    for acceptor in waiter.acceptors:
        _fill(rng, answer, acceptor.argument, rng.choice([*known, "other"]))
    return answer


def _fill(rng: Random, answer: dict[str, Any], argument: str, value: Any) -> None:
    """Put `value` where a query of plain names and flattened lists looks for it."""
    target: Any = answer
    parts = argument.split(".") if argument and "(" not in argument else []
    for position, part in enumerate(parts):
        name = part.removesuffix("[]").removesuffix("[*]")
        if not name.isidentifier() or not isinstance(target, dict):
            return
        is_last = position == len(parts) - 1
        if name != part:
            elements = [{} if not is_last else value for _ in range(rng.randint(0, 2))]
            elements = target.setdefault(name, elements)
            if is_last or not isinstance(elements, list) or not elements:
                return
            target = elements[-1]
        elif is_last:
            target[name] = value
        else:
            target = target.setdefault(name, {})


def waiting_of_botocore(service: str, name: str, answers: Sequence[Any], most: int) -> Outcome:
    """Return requests made, the end, and the last response of botocore's waiter."""
    model = botocore.session.Session().get_waiter_model(service)
    script = Script(answers)
    waiter = botocore.waiter.Waiter(name, model.get_waiter(name), script)
    try:
        waiter.wait(WaiterConfig={"Delay": 0, "MaxAttempts": most})
    except botocore.exceptions.WaiterError as error:
        return len(script.asked), "failure", error.last_response
    return len(script.asked), "success", script.answers[len(script.asked) - 1]


async def waiting_of_ours(waiter: Waiter, answers: Sequence[Any], most: int) -> Outcome:
    """Return the same of our waiter."""
    script = Script(answers)
    try:
        last = await wait(waiter, script.call, {}, {"Delay": 0, "MaxAttempts": most})
    except WaiterError as error:
        return error.attempts, "failure", error.last_response
    return len(script.asked), "success", last


def test_waiters_decide_as_botocores() -> None:
    """On any sequence of responses both stop at the same one, for the same reason."""
    rng = Random(SEED)
    ends = {"success": 0, "failure": 0}

    async def main() -> None:
        for service in ("dynamodb", "ec2", "ecs", "rds", "s3", "iam", "lambda", "cloudformation"):
            for waiter in compiled(waiter_constants(selection(service))).values():
                for _ in range(4):
                    answers = [random_answer(rng, waiter) for _ in range(5)]
                    try:
                        expected = waiting_of_botocore(service, waiter.name, answers, 5)
                    except jmespath.exceptions.JMESPathTypeError:
                        continue  # length() of nothing: ours takes that for no match
                    found = await waiting_of_ours(waiter, answers, 5)
                    assert found == expected, (service, waiter.name, answers)
                    ends[expected[1]] += 1

    asyncio.run(main())
    assert ends["success"] > 50
    assert ends["failure"] > 50


@pytest.mark.parametrize("service", ["dynamodb", "ec2", "s3"])
def test_every_waiter_and_paginator_of_a_model_is_generated(service: str) -> None:
    """The constants are named after them, one for each."""
    chosen = selection(service)
    assert len(compiled(paginator_constants(chosen))) == len(chosen.paginators) > 0
    assert len(compiled(waiter_constants(chosen))) == len(chosen.waiters) > 0
