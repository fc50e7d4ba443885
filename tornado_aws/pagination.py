"""Pages of list operations, one after the other.

Resume tokens are those of boto3 in both directions: base64 of a JSON object with the operation's
own tokens and, when a page was cut, ``boto_truncate_amount``: how many of its items were given.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from itertools import islice
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar, overload

from tornado_aws.exceptions import PaginationError, UnsupportedOperationError
from tornado_aws.queries import Query

__all__ = ["Pages", "PaginationConfig", "Paginator"]

Page = TypeVar("Page")
Item = TypeVar("Item")
Path = tuple[str, ...]
Token = dict[str, Any]
Call = Callable[[Mapping[str, object]], Awaitable[Any]]

_CUT = "boto_truncate_amount"
_ENCODED = "boto_encoded_keys"


class PaginationConfig(TypedDict, total=False):
    """How to page.

    Attributes:
        PageSize: how many items to ask for in a page; the service may give fewer.
        MaxItems: how many items to give in all; None for no limit.
        StartingToken: ``resume_token`` of an earlier iteration (or ``NextToken`` of boto3's
            ``build_full_result``), or the service's own token.
        Prefetch: whether the next page is asked for while the current one is used.
    """

    PageSize: int | None
    MaxItems: int | None
    StartingToken: str | None
    Prefetch: bool


class Pages(NamedTuple):
    """How an operation is paged, from its model.

    Attributes:
        operation: the operation's name.
        input_tokens: parameters that take the tokens.
        output_tokens: find the tokens in a page, in the order of `input_tokens`.
        result_keys: paths to what is accumulated; the first one's elements are the items.
        limit_key: parameter that takes the page size, None when there is none.
        limit_is_text: whether that parameter is a string.
        more_results: tells whether there are more pages, None when the tokens do.
        other_keys: paths to what is the same in all pages.
    """

    operation: str
    input_tokens: tuple[str, ...]
    output_tokens: tuple[Query, ...]
    result_keys: tuple[Path, ...]
    limit_key: str | None = None
    limit_is_text: bool = False
    more_results: Query | None = None
    other_keys: tuple[Path, ...] = ()


class Paginator(Generic[Page, Item]):
    """The pages of one list operation with one set of parameters; iterate with ``async for``.

    Each iteration begins anew. Leaving it early leaves nothing running.

    Args:
        pages: how the operation is paged.
        call: calls the operation with parameters.
        params: the parameters of each call.
        config: how to page.

    Raises:
        PaginationError: the configuration is impossible for this operation.

    Attributes:
        resume_token: where the latest iteration stopped because of ``MaxItems``, to be given as
            ``StartingToken``; None when it went to the end.
    """

    def __init__(
        self,
        pages: Pages,
        call: Call,
        params: Mapping[str, object],
        config: PaginationConfig | None = None,
    ) -> None:
        config = config or {}
        _check_names(config)
        self._pages = pages
        self._call = call
        self._params = {name: value for name, value in params.items() if value is not None}
        self._most = _whole("MaxItems", config.get("MaxItems"))
        if self._most is not None and self._most < 0:
            raise PaginationError(f"MaxItems must not be negative, and it is {self._most}")
        self._start = _parse_start(config.get("StartingToken"), pages.input_tokens)
        self._prefetch = bool(config.get("Prefetch"))
        self._other: dict[str, Any] = {}
        self.resume_token: str | None = None
        self._set_page_size(config.get("PageSize"))

    def __repr__(self) -> str:
        return f"<Paginator of {self._pages.operation}>"

    def _set_page_size(self, size: int | str | None) -> None:
        if size is None:
            return
        key = self._pages.limit_key
        if key is None:
            raise PaginationError(f"{self._pages.operation} has no parameter for PageSize")
        number = _whole("PageSize", size)
        self._params[key] = str(number) if self._pages.limit_is_text else number

    def __aiter__(self) -> AsyncGenerator[Page, None]:
        return self._iterate()

    @overload
    def items(self) -> AsyncGenerator[Item, None]: ...
    @overload
    def items(self, key: str) -> AsyncGenerator[Any, None]: ...
    def items(self, key: str | None = None) -> AsyncGenerator[Any, None]:
        """Iterate over the items of all pages: the elements of a result key.

        Args:
            key: another result key than the first (``"CommonPrefixes"``), to which ``MaxItems``
                does not apply; names of one that is nested are joined by dots.

        Raises:
            PaginationError: the operation has no such result key.
        """
        paths = {".".join(path): path for path in self._pages.result_keys}
        if key is not None and key not in paths:
            raise PaginationError(
                f"{self._pages.operation} has no result key {key!r}; it has {', '.join(paths)}"
            )
        return self._items(self._pages.result_keys[0] if key is None else paths[key])

    async def _items(self, path: Path) -> AsyncGenerator[Any, None]:
        async with aclosing(self._iterate()) as pages:
            async for page in pages:
                found = _find(page, path)
                for item in found if isinstance(found, Iterable) else ():
                    yield item

    async def search(self, expression: str) -> AsyncGenerator[Any, None]:
        """Iterate over what a JMESPath expression finds in each page.

        Elements of a list come one by one. Needs the ``jmespath`` package:
        ``pip install 'tornado-aws[search]'``.

        Raises:
            UnsupportedOperationError: the package is missing.
            PaginationError: it is no JMESPath expression.
        """
        search = _searcher(expression)
        async with aclosing(self._iterate()) as pages:
            async for page in pages:
                found = search(page)
                for each in found if isinstance(found, list) else (found,):
                    yield each

    async def build_full_result(self) -> dict[str, Any]:
        """Return the result keys of all pages as one result, as boto3 does.

        Lists are joined, numbers and texts added. ``NextToken`` is there when ``MaxItems`` ended
        the iteration.
        """
        result: dict[str, Any] = {}
        async for page in self:
            for path in self._pages.result_keys:
                _accumulate(result, path, _find(page, path))
        _merge(result, self._other)
        if self.resume_token is not None:
            result["NextToken"] = self.resume_token
        return result

    async def _iterate(self) -> AsyncGenerator[Page, None]:
        token, skip = self._start if self._start else (dict.fromkeys(self._pages.input_tokens), 0)
        self.resume_token = None
        params = _with_token(self._params, token) if self._start else dict(self._params)
        page = await self._call(params)
        self._begin(page, skip)
        given = 0
        # The token that a page named, not the one that the caller began with: as boto3 has it, a
        # service may name that one once again.
        named_token: Token | None = None
        while True:
            found = _find(page, self._pages.result_keys[0]) or ()
            given += len(found)
            if self._most is not None and given > self._most:
                self._cut(page, len(found) - (given - self._most), skip, token)
                yield page
                return
            skip = 0
            previous, token = named_token, self._next_token(page)
            named_token = token
            is_last = all(value is None for value in token.values())
            if not is_last and given == self._most:
                self.resume_token = _encode(token)
                is_last = True
            if is_last:
                yield page
                return
            if token == previous:
                # The page is a good one: its caller gets it before the error.
                yield page
                raise PaginationError(
                    f"{self._pages.operation} gave the same next token twice: {token}"
                )
            following = self._fetch(_with_token(params, token))
            try:
                yield page
                page = await following
            finally:
                await following.cancel()

    def _fetch(self, params: Mapping[str, object]) -> "_Fetch":
        return _Fetch(self._call, params, at_once=self._prefetch)

    def _begin(self, page: Any, skip: int) -> None:
        """Drop from the first page what an earlier iteration gave, note what all pages share."""
        self._other = {}
        if self._start:
            _skip(page, self._pages.result_keys, skip)
        for path in self._pages.other_keys:
            _put(self._other, path, _find(page, path))

    def _cut(self, page: Any, keep: int, skip: int, token: Token) -> None:
        path = self._pages.result_keys[0]
        _put(page, path, _part(_find(page, path), 0, keep))
        self.resume_token = _encode({**token, _CUT: keep + skip})

    def _next_token(self, page: Any) -> Token:
        more = self._pages.more_results
        if more is not None and not more(page):
            return {}
        names = zip(self._pages.input_tokens, self._pages.output_tokens, strict=True)
        return {name: query(page) or None for name, query in names}


def _searcher(expression: str) -> Callable[[Any], Any]:
    """Return a function that applies a JMESPath expression."""
    if find_spec("jmespath") is None:
        raise UnsupportedOperationError(
            "search() needs the package jmespath: pip install 'tornado-aws[search]'"
        )
    import jmespath  # noqa: PLC0415 - an extra
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415 - as above

    try:
        search: Callable[[Any], Any] = jmespath.compile(expression).search
    except JMESPathError as error:
        raise PaginationError(f"{expression!r} is not JMESPath: {error}") from None
    return search


class _Fetch:
    """The next page, asked for now or when it is awaited."""

    def __init__(self, call: Call, params: Mapping[str, object], *, at_once: bool) -> None:
        self._call = call
        self._params = params
        self._task = asyncio.ensure_future(call(params)) if at_once else None

    def __await__(self) -> Any:
        return (self._task or self._call(self._params)).__await__()

    async def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            # A failure that came before anybody awaited it is nobody's any more.
            await asyncio.gather(self._task, return_exceptions=True)


def _check_names(config: PaginationConfig) -> None:
    unknown = sorted(set(config) - PaginationConfig.__annotations__.keys())
    if unknown:
        raise PaginationError(
            f"PaginationConfig has no {', '.join(unknown)}; it has"
            f" {', '.join(PaginationConfig.__annotations__)}"
        )


def _whole(name: str, value: int | str | None) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise PaginationError(f"{name} must be a whole number, not {value!r}") from None


def _find(value: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _put(target: dict[str, Any], path: Path, value: Any) -> None:
    *before, last = path
    for name in before:
        target = target.setdefault(name, {})
    target[last] = value


def _part(found: Any, start: int, stop: int | None) -> Any:
    """Return part of a list, a text or a map; None of anything else, which has no parts."""
    if isinstance(found, dict):
        return dict(islice(found.items(), start, stop))
    return found[start:stop] if isinstance(found, list | str) else None


def _skip(page: Any, paths: Sequence[Path], count: int) -> None:
    first, *others = paths
    found = _find(page, first)
    _put(page, first, _part(found, count, None))
    for path in others:
        found = _find(page, path)
        if isinstance(found, list | str):
            _put(page, path, type(found)())
        elif not isinstance(found, int | float):
            _put(page, path, None)


def _accumulate(result: dict[str, Any], path: Path, value: Any) -> None:
    existing = _find(result, path)
    if value is None:
        return
    if existing is None:
        _put(result, path, list(value) if isinstance(value, list) else value)
    elif isinstance(value, list):
        existing.extend(value)
    elif isinstance(value, int | float | str):
        _put(result, path, existing + value)


def _merge(target: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Add what `target` does not have: what was accumulated counts more than the first page's."""
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target.setdefault(name, value)


def _with_token(params: Mapping[str, object], token: Token) -> dict[str, object]:
    names = {name: value for name, value in params.items() if name not in token}
    return names | {n: value for n, value in token.items() if value is not None and value != "None"}


def _encode(token: Token) -> str:
    try:
        text = json.dumps(token)
    except TypeError:
        encoded, paths = _without_bytes(token, [])
        text = json.dumps({**encoded, _ENCODED: paths})
    return base64.b64encode(text.encode()).decode()


def _without_bytes(value: Any, path: list[Any]) -> tuple[Any, list[list[Any]]]:
    """Return `value` with bytes as base64, and the paths where they stood."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode(), [path]
    if not isinstance(value, dict | list):
        return value, []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    encoded = {key: _without_bytes(each, [*path, key]) for key, each in pairs}
    paths = [found for _, part in encoded.values() for found in part]
    plain = {key: each for key, (each, _) in encoded.items()}
    return (plain if isinstance(value, dict) else list(plain.values())), paths


def _parse_start(text: str | None, names: Sequence[str]) -> tuple[Token, int] | None:
    """Return the service's tokens and how many items of the first page to skip."""
    if text is None:
        return None
    token = _decode(text)
    if token is None:
        return _parse_plain(text, names)
    skip = token.pop(_CUT, 0)
    return token, skip if isinstance(skip, int) else 0


def _decode(text: str) -> Token | None:
    """Return what is in a resume token, None when it is none: a service's own token."""
    try:
        token = json.loads(base64.b64decode(text).decode())
        if not isinstance(token, dict):
            return None
        for path in token.pop(_ENCODED, ()):
            _restore_bytes(token, path)
    except (ValueError, TypeError, KeyError, IndexError, binascii.Error):
        return None
    return token


def _restore_bytes(token: Any, path: Sequence[Any]) -> None:
    *before, last = path
    for key in before:
        token = token[key]
    token[last] = base64.b64decode(token[last])


def _parse_plain(text: str, names: Sequence[str]) -> tuple[Token, int]:
    """Read a service's own token, or several joined by ``___``.

    The count of items to skip may be behind them. Tokens that are missing at the end are not sent.
    """
    parts = text.split("___")
    skip = 0
    if len(parts) == len(names) + 1 and parts[-1].isdecimal():
        skip = int(parts.pop())
    elif len(parts) > len(names) and (len(names) == 1 or len(parts) == len(names) + 1):
        parts = [text]  # a single token that has underscores itself
    if len(parts) > len(names):
        raise PaginationError(
            f"StartingToken {text!r} has {len(parts)} tokens, the operation takes {len(names)}"
        )
    tokens = dict.fromkeys(names) | dict(zip(names, parts, strict=False))
    return {name: None if part == "None" else part for name, part in tokens.items()}, skip
