"""Paginators: items, tokens, prefetching, ends."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest

from tornado_aws import pagination
from tornado_aws import queries as q
from tornado_aws.exceptions import AWSError, PaginationError, UnsupportedOperationError
from tornado_aws.pagination import Pages, PaginationConfig, Paginator

PAGES = Pages(
    "ListThings",
    ("NextToken",),
    (lambda r: q.field(r, "NextToken"),),
    (("Things",), ("Count",)),
    limit_key="Limit",
)


class Service:
    """Answers pages by token and keeps what was asked."""

    def __init__(self, pages: Sequence[Sequence[int]]) -> None:
        self.pages = pages
        self.asked: list[dict[str, object]] = []
        self.cancelled = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self, params: Mapping[str, object]) -> dict[str, Any]:
        self.asked.append(dict(params))
        if self.hold is not None and len(self.asked) > 1:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        number = int(str(params.get("NextToken", 0)))
        page: dict[str, Any] = {"Things": list(self.pages[number]), "Count": 1}
        if number + 1 < len(self.pages):
            page["NextToken"] = str(number + 1)
        return page


def paginate(service: Service, **config: Any) -> Paginator[dict[str, Any], int]:
    return Paginator(PAGES, service, {"A": 1, "B": None}, cast(PaginationConfig, config))


def test_items_of_all_pages_come_in_order_and_none_is_not_sent() -> None:
    """Parameters go with every request, the token with all but the first."""
    service = Service([[1, 2], [], [3]])

    async def main() -> list[int]:
        pages = paginate(service)
        assert repr(pages) == "<Paginator of ListThings>"
        return [item async for item in pages.items()]

    assert asyncio.run(main()) == [1, 2, 3]
    assert service.asked == [
        {"A": 1},
        {"A": 1, "NextToken": "1"},
        {"A": 1, "NextToken": "2"},
    ]


def test_a_cut_iteration_is_resumed_where_it_ended() -> None:
    """Walking in steps of any size gives every item once."""
    service = Service([[1, 2, 3], [4], [5, 6]])

    async def main(step: int) -> list[int]:
        found: list[int] = []
        token: str | None = None
        while True:
            paginator = paginate(service, MaxItems=step, StartingToken=token)
            found += [item async for item in paginator.items()]
            token = paginator.resume_token
            if token is None:
                return found

    for step in range(1, 8):
        assert asyncio.run(main(step)) == [1, 2, 3, 4, 5, 6]


def test_the_full_result_joins_lists_and_adds_numbers() -> None:
    """NextToken is there when MaxItems ended the iteration; pages are not changed by it."""
    service = Service([[1, 2], [3, 4]])

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        full = await paginate(service).build_full_result()
        return full, await paginate(service, MaxItems=3).build_full_result()

    whole, cut = asyncio.run(main())
    assert whole == {"Things": [1, 2, 3, 4], "Count": 2}
    assert cut["Things"] == [1, 2, 3]
    token = json.loads(base64.b64decode(cut["NextToken"]))
    assert token == {"NextToken": "1", "boto_truncate_amount": 1}


def test_items_of_other_result_keys_are_reached_by_name() -> None:
    """Nested ones with dots; a name that is none of them is refused at once."""
    keys = (("Contents",), ("More", "Prefixes"), ("Count",))
    pages = PAGES._replace(result_keys=keys)
    answers = [
        {"Contents": [1], "More": {"Prefixes": ["a"]}, "Count": 1, "NextToken": "1"},
        {"Contents": [2], "More": {}, "NextToken": "2"},
        {"More": {"Prefixes": ["b", "c"]}},
    ]

    async def call(params: Mapping[str, object]) -> Any:
        return answers[int(str(params.get("NextToken", 0)))]

    async def found(*key: str) -> list[Any]:
        return [each async for each in Paginator[Any, int](pages, call, {}).items(*key)]

    assert asyncio.run(found()) == asyncio.run(found("Contents")) == [1, 2]
    assert asyncio.run(found("More.Prefixes")) == ["a", "b", "c"]
    assert asyncio.run(found("Count")) == []
    with pytest.raises(PaginationError, match=r"'Prefixes'; it has Contents, More.Prefixes, Count"):
        Paginator[Any, int](pages, call, {}).items("Prefixes")


def test_search_applies_jmespath_to_each_page() -> None:
    """Elements of lists come one by one, other values as they are."""
    service = Service([[1, 2], [3]])

    async def main() -> tuple[list[Any], list[Any]]:
        things = [each async for each in paginate(service).search("Things")]
        return things, [each async for each in paginate(service).search("length(Things)")]

    assert asyncio.run(main()) == ([1, 2, 3], [2, 1])


def test_search_refuses_what_it_cannot_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked then."""
    service = Service([[1]])

    async def main(expression: str) -> None:
        async for _ in paginate(service).search(expression):
            pytest.fail("nothing can be found")

    with pytest.raises(PaginationError, match=r"'Things\[' is not JMESPath"):
        asyncio.run(main("Things["))
    monkeypatch.setattr(pagination, "find_spec", lambda _: None)
    with pytest.raises(UnsupportedOperationError, match="pip install"):
        asyncio.run(main("Things"))
    assert service.asked == []


def test_closing_the_items_cancels_what_is_under_way() -> None:
    """At once, not when somebody collects what was left behind."""
    service = Service([[1], [2]])

    async def main() -> list[int]:
        service.hold = asyncio.Event()
        found = []
        async with aclosing(paginate(service, Prefetch=True).items()) as items:
            async for item in items:
                found.append(item)
                await asyncio.sleep(0)
                break
        assert len(asyncio.all_tasks()) == 1
        return found

    assert asyncio.run(main()) == [1]
    assert (len(service.asked), service.cancelled) == (2, 1)


def test_a_failure_ahead_is_nobodys_when_the_loop_is_left() -> None:
    """Neither raised nor logged; whoever goes on gets it in its turn."""
    complaints: list[Any] = []

    async def call(params: Mapping[str, object]) -> dict[str, Any]:
        if "NextToken" in params:
            raise AWSError("Throttling", "slow down", 400, None, {})
        return {"Things": [1], "NextToken": "1"}

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        pages: Paginator[Any, int] = Paginator(PAGES, call, {}, {"Prefetch": True})
        async with aclosing(pages.items()) as items:
            assert await anext(items) == 1
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        gc.collect()
        with pytest.raises(AWSError, match="slow down"):
            await pages.build_full_result()

    asyncio.run(main())
    assert complaints == []


@pytest.mark.parametrize("what", ["pages", "items"])
def test_leaving_the_loop_leaves_nothing_running(what: str) -> None:
    """Without any closing: the loop does it at its next turns."""
    service = Service([[1], [2]])

    async def main() -> None:
        service.hold = asyncio.Event()
        paginator = paginate(service, Prefetch=True)
        async for _ in paginator if what == "pages" else paginator.items():
            await asyncio.sleep(0)
            break
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert (len(service.asked), service.cancelled) == (2, 1)


def test_prefetching_asks_one_page_ahead_and_no_more() -> None:
    """While a page is used the next one is under way; leaving early cancels it."""
    service = Service([[1], [2], [3]])

    async def main() -> None:
        service.hold = asyncio.Event()
        pages = paginate(service, Prefetch=True).__aiter__()
        await pages.__anext__()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(service.asked) == 2
        await pages.aclose()
        assert service.cancelled == 1

    asyncio.run(main())
    assert len(service.asked) == 2


def test_without_prefetching_nothing_is_asked_ahead() -> None:
    """One page used is one page asked for."""
    service = Service([[1], [2]])

    async def main() -> None:
        async for _ in paginate(service):
            break

    asyncio.run(main())
    assert len(service.asked) == 1


def test_each_iteration_begins_anew() -> None:
    """A paginator can be iterated twice."""
    service = Service([[1], [2]])

    async def main() -> list[int]:
        paginator = paginate(service)
        return [item for _ in range(2) async for item in paginator.items()]

    assert asyncio.run(main()) == [1, 2, 1, 2]


def test_a_token_that_repeats_is_an_error_after_its_page() -> None:
    """Pagination never goes round in circles."""

    async def same(params: Mapping[str, object]) -> dict[str, Any]:
        return {"Things": [1], "NextToken": "again"}

    async def main() -> list[Any]:
        pages: AsyncIterator[Any] = Paginator(PAGES, same, {}).__aiter__()
        found = [await anext(pages), await anext(pages)]
        with pytest.raises(PaginationError, match="ListThings gave the same next token twice"):
            await anext(pages)
        return found

    assert len(asyncio.run(main())) == 2


@pytest.mark.parametrize(
    ("token", "asked", "items"),
    [
        *(("1", "1", [4]), ("1___0", "1", [4]), ("0___2", "0", [3, 4])),
        ("None___1", None, [2, 3, 4]),
    ],
)
def test_a_services_own_token_is_taken_too(token: str, asked: str | None, items: list[int]) -> None:
    """Plain tokens, with a count of items to skip or without, are those of older boto versions."""
    service = Service([[1, 2, 3], [4]])

    async def main() -> list[int]:
        return [item async for item in paginate(service, StartingToken=token).items()]

    assert asyncio.run(main()) == items
    assert service.asked[0].get("NextToken") == asked


@pytest.mark.parametrize(
    ("names", "text", "tokens", "items"),
    [
        (["A"], "a___b", {"A": "a___b"}, "1234"),
        (["A"], "a___b___c", {"A": "a___b___c"}, "1234"),
        (["A"], "a___b___2", {"A": "a___b___2"}, "1234"),
        (["A", "B"], "a___b", {"A": "a", "B": "b"}, "1234"),
        (["A", "B"], "a___b___3", {"A": "a", "B": "b"}, "4"),
        (["A", "B"], "a___None", {"A": "a"}, "1234"),
        (["A", "B"], "a", {"A": "a"}, "1234"),
        (["A", "B"], "a___b___c", {"A": "a___b___c"}, "1234"),
    ],
)
def test_several_tokens_are_joined_and_a_single_one_is_never_cut(
    names: Sequence[str], text: str, tokens: dict[str, str], items: str
) -> None:
    """What could be one token with underscores in it is one."""
    asked: list[Any] = []
    outputs = tuple(lambda page, name=name: q.field(page, name) for name in names)
    pages = PAGES._replace(input_tokens=tuple(names), output_tokens=outputs)

    async def call(params: Mapping[str, object]) -> dict[str, Any]:
        asked.append(params)
        return {"Things": ["1", "2", "3", "4"]}

    async def main() -> str:
        paginator: Paginator[Any, str] = Paginator(pages, call, {}, {"StartingToken": text})
        return "".join([item async for item in paginator.items()])

    assert asyncio.run(main()) == items
    assert asked == [tokens]


def test_too_many_tokens_are_refused() -> None:
    """The error tells how many the operation takes."""
    pages = PAGES._replace(input_tokens=("A", "B"), output_tokens=PAGES.output_tokens * 2)
    with pytest.raises(PaginationError, match="has 4 tokens, the operation takes 2"):
        Paginator(pages, Service([[1]]), {}, {"StartingToken": "a___b___c___d"})


async def of_maps(params: Mapping[str, object]) -> dict[str, Any]:
    """Answer two pages whose things are in a map."""
    if "NextToken" in params:
        return {"Things": {"d": 4}}
    return {"Things": {"a": 1, "b": 2, "c": 3}, "NextToken": "n"}


def test_a_map_is_cut_and_resumed_as_a_list_is() -> None:
    """Its entries count, in the order in which they come."""

    async def main() -> list[list[str]]:
        given: list[list[str]] = []
        token: str | None = None
        while not given or token is not None:
            config: PaginationConfig = {"MaxItems": 2, "StartingToken": token}
            paginator: Paginator[Any, str] = Paginator(PAGES, of_maps, {}, config)
            given.append([item async for item in paginator.items()])
            token = paginator.resume_token
        return given

    assert asyncio.run(main()) == [["a", "b"], ["c", "d"]]


def test_what_is_accumulated_counts_more_than_what_the_first_page_says() -> None:
    """Where a result key is within something that is said to be the same in all pages."""
    pages = PAGES._replace(result_keys=(("All", "Things"),), other_keys=(("All",),))

    async def call(params: Mapping[str, object]) -> dict[str, Any]:
        token = {} if "NextToken" in params else {"NextToken": "n"}
        return {"All": {"Things": [len(params)], "Name": "x"}, **token}

    full = asyncio.run(Paginator[Any, Any](pages, call, {}).build_full_result())
    assert full == {"All": {"Things": [0, 1], "Name": "x"}}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"MaxItems": "many"}, "MaxItems"),
        ({"MaxItems": -1}, "must not be negative, and it is -1"),
        ({"Pagesize": 2, "Max": 1}, "has no Max, Pagesize; it has PageSize, MaxItems"),
        ({"PageSize": "large"}, "PageSize"),
    ],
)
def test_impossible_configurations_are_refused_before_anything_is_asked(
    config: dict[str, Any], message: str
) -> None:
    """The error names what is wrong."""
    service = Service([[1]])
    with pytest.raises(PaginationError, match=message):
        paginate(service, **config)
    with pytest.raises(PaginationError, match="no parameter for PageSize"):
        Paginator(PAGES._replace(limit_key=None), service, {}, {"PageSize": 1})
    assert service.asked == []


def test_a_page_size_is_sent_as_the_operation_wants_it() -> None:
    """Most take a number, some a text."""
    service = Service([[1]])

    async def main() -> None:
        await paginate(service, PageSize="7").build_full_result()
        text = PAGES._replace(limit_is_text=True)
        await Paginator(text, service, {}, {"PageSize": 7}).build_full_result()

    asyncio.run(main())
    assert [asked["Limit"] for asked in service.asked] == [7, "7"]


def test_bytes_in_tokens_survive() -> None:
    """DynamoDB's keys can be binary."""
    keys = [{"K": {"B": b"\x00\xff"}}, {"K": {"B": b"\x01"}}]

    async def call(params: Mapping[str, object]) -> dict[str, Any]:
        place = keys.index(params["NextToken"]) + 1 if "NextToken" in params else 0  # type: ignore[arg-type]
        page: dict[str, Any] = {"Things": [place]}
        return page | ({"NextToken": keys[place]} if place < len(keys) else {})

    async def main() -> list[int]:
        first: Paginator[Any, int] = Paginator(PAGES, call, {}, {"MaxItems": 1})
        found = [item async for item in first.items()]
        rest: Paginator[Any, int] = Paginator(
            PAGES, call, {}, {"StartingToken": first.resume_token}
        )
        return found + [item async for item in rest.items()]

    assert asyncio.run(main()) == [0, 1, 2]
