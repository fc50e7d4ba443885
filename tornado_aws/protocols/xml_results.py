"""What the protocols with XML answers share: where results and errors have their members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.expat import XMLError
from tornado_aws.model import ServiceModel, Shape
from tornado_aws.protocols import ErrorParser, xml_parse
from tornado_aws.protocols.xml_tables import Table, Tables
from tornado_aws.transport import Response

__all__ = ["METADATA", "body_reader", "error_parser"]

# Where the parsers put what a body says of the response itself, as botocore does.
METADATA = "ResponseMetadata"

# No member is called so.
_ERROR = "\0Error"
_ERRORS = "\0Errors"

Members = dict[str, Any]


def body_reader(decode: Callable[[bytes], Any]) -> Callable[[Response], Any]:
    """Return a function from a response to what `decode` makes of its body.

    The function raises `ResponseParserError` where `decode` raises `XMLError`.
    """

    def read(response: Response) -> Any:
        try:
            return decode(response.body)
        except XMLError as error:
            raise ResponseParserError(reason=str(error), response=response) from error

    return read


def error_parser(
    model: ServiceModel, outside_body: Callable[[Shape], Callable[[Response], Members]]
) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members.

    Args:
        model: the service.
        outside_body: makes of an error's shape what reads the members that are not in the body.
    """

    def parse(response: Response, code: str) -> Members:
        shape = model.error_shapes.get(code)
        if shape is None:
            return {}
        members = outside_body(shape)(response)
        if response.body:
            members.update(_body_members(shape, response))
        return members

    return parse


def _body_members(shape: Shape, response: Response) -> Members:
    read = body_reader(error_decoder(shape))
    try:
        members: Members = read(response)
    except ResponseParserError:
        return {}
    return members


def error_decoder(shape: Shape) -> Callable[[bytes], Members]:
    """Return a function from an error's body to the error's own members.

    They are looked for in ``<ErrorResponse><Error>``, ``<Response><Errors><Error>`` and a bare
    ``<Error>``. The function raises `XMLError`, as that of `xml_parse.decoder`.
    """
    tables = Tables()
    error, errors, root = tables.structure(shape), Table(), tables.copy_of_structure(shape)
    errors.add_member("Error", _ERROR, error)
    root.add_member("Errors", _ERRORS, errors)
    root.add_member("Error", _ERROR, error)
    decode = xml_parse.decoder(root)

    def read(body: bytes) -> Members:
        members: Members = decode(body)
        inner: Members | None = members.pop(_ERRORS, members).pop(_ERROR, None)
        return members if inner is None else inner

    return read
