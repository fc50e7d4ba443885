"""The protocol of EC2: query with other names, and the result as the body's root element."""

from __future__ import annotations

from tornado_aws.model import Operation, Ref
from tornado_aws.protocols import Parser, Serializer, form, xml_parse
from tornado_aws.protocols.query import error_parser
from tornado_aws.protocols.xml_results import METADATA, body_reader
from tornado_aws.protocols.xml_tables import Leaf, Table, Tables

__all__ = ["error_parser", "parser", "serializer"]


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request."""
    return form.serializer(operation, _NAMING)


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result, the body's ``ResponseMetadata`` included."""
    table = Tables().copy_of_structure(operation.output.shape) if operation.output else Table()
    table.leaves["requestId"] = Leaf(METADATA, lambda text: {"RequestId": text})
    return body_reader(xml_parse.decoder(table))


def _own_name(ref: Ref, default: str) -> str:
    """Return the ``queryName``, else the ``locationName`` or the default with a capital."""
    name: str = ref.traits.get("queryName", "")
    if name:
        return name
    name = ref.traits.get("locationName", default)
    return name[:1].upper() + name[1:]


def _name_of_items(name: str, _ref: Ref) -> str:
    return name


_NAMING = form.Naming(_own_name, _name_of_items, writes_empty_lists=False)
