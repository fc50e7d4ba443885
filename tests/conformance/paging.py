"""Paginators and waiters against botocore's: the same answers, the same requests and results.

``python -m tests.conformance.paging`` compares every paginator and waiter of every service of
botocore's data folder; ``--seeds`` and service names make it longer or shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

import botocore.exceptions
import botocore.model
import botocore.paginate
import botocore.waiter
import jmespath.exceptions

from codegen.load import find, load
from codegen.paging import constant_names, paginator_constants, waiter_constants
from codegen.select import Selection, select
from codegen.shapes import Shape
from tests.conformance import models
from tornado_aws import pagination, queries, waiting
from tornado_aws.exceptions import AWSError, PaginationError, WaiterError
from tornado_aws.pagination import Pages, PaginationConfig, Paginator
from tornado_aws.waiting import Waiter, wait

NAMESPACE = {
    "q": queries,
    "operator": operator,
    "Pages": pagination.Pages,
    "Waiter": waiting.Waiter,
    "Acceptor": waiting.Acceptor,
}
Entry = Mapping[str, Any]


def services() -> list[str]:
    """Return all services that have a model."""
    return sorted(source.service for source in find(models.DATA))


@cache
def selection(service: str) -> Selection:
    """Return the model of a service as the generator sees it."""
    return select(load(find(models.DATA, [service])[0]))


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

    async def page(self, params: Mapping[str, object]) -> Any:
        """Answer this library's paginators."""
        return self(**params)

    async def call(self, params: Mapping[str, object]) -> Any:
        """Answer this library's waiters."""
        answer = self(**params)
        if isinstance(answer, dict) and "Error" in answer:
            raise AWSError(answer["Error"]["Code"], "", 400, None, answer)
        return answer


# --- pages ----------------------------------------------------------------------------------------


class Paged(NamedTuple):
    """An operation that is paged, as both libraries know it.

    Attributes:
        name: service and operation.
        entry: its entry in the model.
        pages: this library's form of it.
        model: botocore's model of the operation.
        types: the type of the shape that each result key leads to.
    """

    name: str
    entry: Entry
    pages: Pages
    model: Any
    types: tuple[str, ...]


class Course(NamedTuple):
    """What came of going through the pages.

    Attributes:
        pages: the pages.
        asked: the parameters of each request.
        token: where to go on.
        items: the items, those of the first result key.
        found: what a search found.
        full: the full result.
        error: why it ended, "" at the end.
    """

    pages: list[Any]
    asked: list[dict[str, Any]]
    token: str | None
    items: list[Any] | None
    found: list[Any] | None
    full: dict[str, Any] | None
    error: str


def paginators(service: str) -> Iterator[Paged]:
    """Return the paged operations of a service."""
    chosen = selection(service)
    constants = compiled(paginator_constants(chosen))
    names = constant_names(chosen.paginators)
    for name, entry in chosen.paginators.items():
        pages = constants[names[name]]
        model = models.theirs(service).operation_model(name)
        output = chosen.service.operations[name].output
        shape = output.shape if output else ""
        types = tuple(_type_at(chosen.service.shapes, shape, path) for path in pages.result_keys)
        yield Paged(f"{service}.{name}", entry, pages, model, types)


def _type_at(shapes: Mapping[str, Shape], shape: str, path: Sequence[str]) -> str:
    for name in path:
        shape = shapes[shape].members[name].shape
    return shapes[shape].type


def random_page(rng: Random, paged: Paged, number: int) -> dict[str, Any]:
    """Make a page: results, tokens that mostly differ from page to page, and flags."""
    page: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200}}
    for path, kind in zip(paged.pages.result_keys, paged.types, strict=True):
        if rng.random() < 0.9:
            _put(page, path, _random_value(rng, kind, number))
    for path in paged.pages.other_keys:
        if rng.random() < 0.8:
            _put(page, path, rng.choice(["same", number, {"a": number}]))
    for expression in _listed(paged.entry["output_token"]):
        # Of `a || b` and of `a[-1].b` the first name is enough for a random token.
        name = expression.split(" ")[0]
        token = rng.choice([None, "", *[f"t{number}"] * 4, {"S": b"\x00"}, "t"])
        if "[" not in name:
            _put(page, name.split("."), token)
        else:
            _put(page, name.split("[")[0].split("."), [{name.split(".")[-1]: token}])
    if "more_results" in paged.entry:
        _put(page, paged.entry["more_results"].split("."), rng.random() < 0.8)
    return page


def _random_value(rng: Random, kind: str, number: int) -> Any:
    count = rng.randint(0, 4)
    if kind in ("integer", "long"):
        return rng.choice([None, rng.randint(0, 9)])
    if kind == "string":
        return "abcd"[:count]
    items = [{"Key": f"{number}-{each}", "Size": rng.randint(0, 9)} for each in range(count)]
    if kind == "list":
        return items
    return {f"{number}-{each}": item for each, item in enumerate(items)}


def _put(target: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        target = inner
    target.setdefault(path[-1], value)


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def random_config(rng: Random, paged: Paged, tokens: Sequence[str]) -> PaginationConfig:
    """Make a configuration; some begin at one of the tokens, or at one of the service's own."""
    config: PaginationConfig = {}
    # Of a map botocore can neither give a part nor go on behind one; here it can.
    if paged.types[0] in ("list", "string") and rng.random() < 0.5:
        config["MaxItems"] = rng.randint(0, 12)
    if paged.pages.limit_key and rng.random() < 0.5:
        config["PageSize"] = rng.randint(1, 9)
    if paged.types[0] in ("list", "string") and rng.random() < 0.5:
        own = "___".join(rng.choice(["own", "None"]) for _ in paged.pages.input_tokens)
        config["StartingToken"] = rng.choice([*tokens, own, f"{own}___2", f"{own}___x", "a___b"])
    return config


def expression_of(paged: Paged) -> str:
    """Return a JMESPath expression to search the pages with."""
    path = ".".join(paged.pages.result_keys[0])
    return f"{path}[?Size > `3`].Key" if paged.types[0] == "list" else path


def of_botocore(paged: Paged, answers: Sequence[Any], config: PaginationConfig) -> Course | None:
    """Return what botocore's paginator makes of the answers; None where it fails by itself.

    Beginning in the middle of a page, it empties the other results, and stumbles over one that is
    within what it has just cut, a text.
    """

    def begin() -> tuple[Script, Any]:
        script = Script(answers)
        paginator = botocore.paginate.Paginator(script, paged.entry, paged.model)
        return script, paginator.paginate(PaginationConfig=dict(config))

    script, iterator = begin()
    given: list[Any] = []
    try:
        given.extend(copy.deepcopy(page) for page in iterator)
    except (botocore.exceptions.PaginationError, ValueError):
        return Course(given, script.asked, None, None, None, None, "PaginationError")
    except TypeError:
        if "StartingToken" not in config:
            raise
        return None
    items = list(begin()[1].result_key_iters()[0])
    found = list(begin()[1].search(expression_of(paged)))
    full = begin()[1].build_full_result()
    for path in paged.pages.result_keys:
        _restore(full, path, given)
    return Course(given, script.asked, iterator.resume_token, items, found, full, "")


def _restore(full: dict[str, Any], path: Sequence[str], pages: Sequence[Any]) -> None:
    """Give back a list that was on some page, and that botocore has overwritten by null.

    That happens where a result key is within what is said to be the same in all pages, and the
    first page has nothing there.
    """
    found = [_at(page, path) for page in pages]
    lists = [each for each in found if isinstance(each, list)]
    *before, last = path
    target = _at(full, before)
    if lists and isinstance(target, dict) and target.get(last, lists) is None:
        target[last] = [item for each in lists for item in each]


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


async def of_ours(paged: Paged, answers: Sequence[Any], config: PaginationConfig) -> Course:
    """Return what our paginator makes of the answers."""
    script = Script(answers)

    def begin() -> Paginator[Any, Any]:
        return Paginator(paged.pages, Script(answers).page, {}, config)

    given: list[Any] = []
    try:
        paginator: Paginator[Any, Any] = Paginator(paged.pages, script.page, {}, config)
        async for page in paginator:
            given.append(copy.deepcopy(page))
    except PaginationError:
        return Course(given, script.asked, None, None, None, None, "PaginationError")
    items = [item async for item in begin().items()]
    found = [each async for each in begin().search(expression_of(paged))]
    full = await begin().build_full_result()
    return Course(given, script.asked, paginator.resume_token, items, found, full, "")


def pagination_differences(service: str, rng: Random, rounds: int = 6) -> tuple[int, list[str]]:
    """Compare the paginators of a service; return how many courses, and what differs."""

    async def main() -> tuple[int, list[str]]:
        count, differences = 0, []
        for paged in paginators(service):
            tokens: list[str] = []
            for _ in range(rounds):
                answers = [random_page(rng, paged, number) for number in range(8)]
                answers.append({})  # has no token, so that both end
                config = random_config(rng, paged, tokens)
                expected = of_botocore(paged, answers, config)
                if expected is None:
                    continue
                got = await of_ours(paged, answers, config)
                count += 1
                if got != expected:
                    differences.append(_difference(paged.name, config, got, expected))
                if expected.token:
                    tokens.append(expected.token)
        return count, differences

    return asyncio.run(main())


def _difference(name: str, config: object, got: Course, expected: Course) -> str:
    parts = [
        f"  {field}:\n    ours     {mine}\n    botocore {theirs}"
        for field, mine, theirs in zip(Course._fields, got, expected, strict=True)
        if mine != theirs
    ]
    return "\n".join([f"{name} {config}", *parts])


# --- waiters --------------------------------------------------------------------------------------

Waited = tuple[int, str, Any]


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


def waiting_of_botocore(name: str, entry: Entry, answers: Sequence[Any], most: int) -> Waited:
    """Return requests made, the end, and the last response of botocore's waiter."""
    script = Script(answers)
    config = botocore.waiter.SingleWaiterConfig(entry)
    waiter = botocore.waiter.Waiter(name, config, script)
    try:
        waiter.wait(WaiterConfig={"Delay": 0, "MaxAttempts": most})
    except botocore.exceptions.WaiterError as error:
        return len(script.asked), "failure", error.last_response
    return len(script.asked), "success", script.answers[len(script.asked) - 1]


async def waiting_of_ours(waiter: Waiter, answers: Sequence[Any], most: int) -> Waited:
    """Return the same of our waiter."""
    script = Script(answers)
    try:
        last = await wait(waiter, script.call, {}, {"Delay": 0, "MaxAttempts": most})
    except WaiterError as error:
        return error.attempts, "failure", error.last_response
    return len(script.asked), "success", last


def waiting_differences(service: str, rng: Random, rounds: int = 4) -> tuple[int, list[str]]:
    """Compare the waiters of a service; return how many waits, and what differs."""

    async def main() -> tuple[int, list[str]]:
        count, differences = 0, []
        chosen = selection(service)
        constants = compiled(waiter_constants(chosen))
        names = constant_names(chosen.waiters)
        for name, entry in chosen.waiters.items():
            waiter = constants[names[name]]
            for _ in range(rounds):
                answers = [random_answer(rng, waiter) for _ in range(5)]
                try:
                    expected = waiting_of_botocore(name, entry, answers, 5)
                except jmespath.exceptions.JMESPathTypeError:
                    continue  # length() of nothing: ours takes that for no match
                got = await waiting_of_ours(waiter, answers, 5)
                count += 1
                if got != expected:
                    differences.append(f"{service}.{name} {answers}: {got}, {expected}")
        return count, differences

    return asyncio.run(main())


COMPARISONS: Mapping[str, Callable[[str, Random], tuple[int, list[str]]]] = {
    "pages": pagination_differences,
    "waits": waiting_differences,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what the command line says and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", help="folders of services; all without any")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default: 1)")
    options = parser.parse_args(arguments)
    counts, differences = dict.fromkeys(COMPARISONS, 0), list[str]()
    for seed in range(options.seed, options.seed + options.seeds):
        for service in options.services or services():
            rng = Random(f"{service} {seed}")
            for kind, compare in COMPARISONS.items():
                count, found = compare(service, rng)
                counts[kind] += count
                differences += found
    sys.stdout.writelines(f"{text}\n" for text in differences[:10])
    sys.stdout.write(f"{counts}, {len(differences)} differences\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
