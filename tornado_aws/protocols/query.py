"""The protocol query: parameters as a form, the result as XML inside ``<OperationResult>``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado_aws.expat import XMLError
from tornado_aws.model import Operation, Ref, ServiceModel
from tornado_aws.protocols import (
    ErrorParser,
    Parser,
    Serializer,
    form,
    xml_parse,
    xml_results,
)
from tornado_aws.protocols.xml_results import METADATA, body_reader
from tornado_aws.protocols.xml_tables import Table, Tables

__all__ = ["error_parser", "parser", "serializer"]

_RESULT = "\0result"  # no member is called so


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request."""
    return form.serializer(operation, _NAMING)


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result, the body's ``ResponseMetadata`` included."""
    return body_reader(_decoder(operation.output))


def error_parser(model: ServiceModel) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members."""
    return xml_results.error_parser(model, lambda _shape: lambda _response: {})


def _own_name(ref: Ref, default: str) -> str:
    name: str = ref.traits.get("locationName", default)
    return name


def _name_of_items(name: str, ref: Ref) -> str:
    """Return ``List.member``; of a flattened list its own name.

    Where not the list's use but its shape says that it is flattened, this is the item's name.
    """
    item: str | None = ref.shape.member.traits.get("locationName")
    if not ref.traits.get("flattened"):
        return f"{name}.{item or 'member'}"
    if item is None or not ref.shape.traits.get("flattened"):
        return name
    around, dot, _ = name.rpartition(".")
    return f"{around}{dot}{item}"


_NAMING = form.Naming(_own_name, _name_of_items, writes_empty_lists=True)


def _decoder(output: Ref | None) -> Callable[[bytes], dict[str, Any]]:
    wrapper: str | None = output.traits.get("resultWrapper") if output else None
    decode = xml_parse.decoder(_root(output, wrapper))

    def read(body: bytes) -> dict[str, Any]:
        result: dict[str, Any] = decode(body)
        if wrapper is None:
            return result
        if _RESULT not in result:
            raise XMLError(f"there is no {wrapper} in it")
        inner: dict[str, Any] = result.pop(_RESULT)
        return {**inner, **result}

    return read


def _root(output: Ref | None, wrapper: str | None) -> Table:
    tables, metadata = Tables(), Table()
    metadata.add_text("RequestId", "RequestId")
    metadata.add_text("BoxUsage", "BoxUsage")  # SimpleDB's measure of what the call cost
    root = Table()
    if output is not None and wrapper is not None:
        root.add_member(wrapper, _RESULT, tables.structure(output.shape))
    elif output is not None:
        root = tables.copy_of_structure(output.shape)
    root.add_member(METADATA, METADATA, metadata)
    return root
