"""What a stub may not say or be asked: everything that the service's model does not allow."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from tornado_aws.customizations import hooks
from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.retries import AUTH_CODES, THROTTLING_CODES, TRANSIENT_CODES
from tornado_aws.validation import result_faults, validator

# Errors that any service may give, whatever its model says.
COMMON_CODES = THROTTLING_CODES | TRANSIENT_CODES | AUTH_CODES

Params: TypeAlias = Mapping[str, Any]
Result: TypeAlias = Mapping[str, Any]


class StubError(AssertionError):
    """The program and the test disagree: about a call, or about what the model allows."""


def differences(expected: Any, given: Any, path: str) -> Iterator[str]:
    """Yield a line for each value that differs, as deep within the parameters as it is."""
    if expected == given:
        return
    if isinstance(expected, Mapping) and isinstance(given, Mapping):
        for name in sorted({*expected, *given}):
            inner = f"{path}.{name}" if path else str(name)
            if name not in given:
                yield f"{inner}: missing; expected {expected[name]!r}"
            elif name not in expected:
                yield f"{inner}: not expected; is {given[name]!r}"
            else:
                yield from differences(expected[name], given[name], inner)
    elif isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        for index, (wanted, found) in enumerate(zip(expected, given, strict=True)):
            yield from differences(wanted, found, f"{path}[{index}]")
    else:
        yield f"{path}: expected {expected!r}; is {given!r}"


def check_names(operation: Operation, params: Params) -> None:
    """Raise `StubError` for parameters that the operation does not have."""
    known = operation.input.shape.members if operation.input is not None else {}
    unknown = [f"\n  {name}{hint(name, known)}" for name in params if name not in known]
    if unknown:
        raise StubError(f"{operation.name} has no such parameters:{''.join(unknown)}")


def check_members(code: str, shape: Shape, members: Mapping[str, Any]) -> None:
    """Raise `StubError` for members that an error cannot have."""
    found = [f"{name}: unknown" for name in sorted(members.keys() - shape.members.keys())]
    for name in members.keys() & shape.members.keys():
        found += [f"{name}: {fault}" for fault in result_faults(shape.members[name], members[name])]
    if found:
        raise StubError(f"{code} has no such members:" + "".join(f"\n  {line}" for line in found))


def check_spelling(code: str, modelled: Iterable[str]) -> None:
    """Raise `StubError` for what is nearly an error of the model; services have others, too."""
    if near := difflib.get_close_matches(code, list(modelled), 1, 0.8):
        raise StubError(f"There is no error {code!r}; did you mean {near[0]}?")


def hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 3, 0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""


def check_params(operation: Operation, params: Params) -> None:
    prepare = hooks(operation).before_serialize
    validator(operation)(params if prepare is None else prepare(params))


def check_result(operation: Operation, result: Result) -> None:
    """Raise `StubError` for a result that the service cannot give."""
    if not isinstance(result, Mapping):
        raise StubError(f"{operation.name} cannot return this: a {type(result).__name__}, no dict")
    body = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    if operation.output is None:
        found = [f"{name}: there is no such member" for name in body]
    else:
        members = operation.output.shape.members
        streams = {name for name, ref in members.items() if ref.traits.get("streaming")}
        body.update((name, b"") for name in streams & body.keys())
        found = result_faults(operation.output, body)
        found = found or list(_unlike_results(operation.output, body, ""))
    if found:
        lines = "".join(f"\n  {fault}" for fault in found)
        raise StubError(f"{operation.name} cannot return this:{lines}")


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


# By type of shape: what of the values that parameters may have occurs in results.
_IN_RESULTS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "timestamp": (_is_aware, "aware datetimes"),
    "blob": (_is_bytes, "bytes"),
}


def _unlike_results(ref: Ref, value: Any, path: str) -> Iterator[str]:
    """Yield what is right in parameters, but what a result never holds."""
    shape = ref.shape
    if ref.traits.get("document") or ref.traits.get("eventstream"):
        return
    if shape.type in _IN_RESULTS:
        fits, wanted = _IN_RESULTS[shape.type]
        if not fits(value):
            yield f"{path}: results have {wanted} here, not {type(value).__name__}"
    elif shape.type == "structure":
        for name, item in value.items():
            yield from _unlike_results(shape.members[name], item, f"{path}.{name}".lstrip("."))
    elif shape.type == "map":
        for key, item in value.items():
            yield from _unlike_results(shape.value, item, f"{path}.{key}")
    elif shape.type == "list":
        for index, item in enumerate(value):
            yield from _unlike_results(shape.member, item, f"{path}[{index}]")
