"""An operation made ready at its first call: everything that follows from its model alone.

Imported off the event loop (`tornado_aws.loading`), with all that calls need.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from tornado_aws.compression import takes_gzip
from tornado_aws.customizations import Hooks, hooks
from tornado_aws.downloads import Download, download
from tornado_aws.event_uploads import EventUpload
from tornado_aws.model import ServiceModel
from tornado_aws.protocols import ErrorParser, Parser, Serializer, load
from tornado_aws.retries import Facts, facts_of
from tornado_aws.routes import Context, context_of
from tornado_aws.uploads import Upload, upload
from tornado_aws.validation import validator


class Prepared(NamedTuple):
    """An operation made ready at its first call, for all clients of its class.

    Attributes:
        name: the operation's name.
        validate: raises `ParamValidationError` for parameters that do not fit.
        serialize: from parameters to the parts of a request.
        parse: from a response to a result.
        parse_error: from an error response and its code to the error's own members.
        upload: how its bodies are sent, None if there is nothing to it.
        download: how its results are received, None if there is nothing to it.
        context: from parameters to what they contribute to the endpoint's, None for nothing.
        is_signed: whether the service wants a signature.
        hooks: what is peculiar to the operation.
        facts: what bears on repeating the operation.
        is_compressible: whether the service takes its bodies compressed.
    """

    name: str
    validate: Callable[[Mapping[str, Any]], None]
    serialize: Serializer
    parse: Parser
    parse_error: ErrorParser
    upload: Upload | EventUpload | None
    download: Download | None
    context: Context | None
    is_signed: bool
    hooks: Hooks
    facts: Facts
    is_compressible: bool


def prepare(model: ServiceModel, name: str, rules: ModuleType | None) -> Prepared:
    """Make an operation ready.

    Args:
        model: the service's wire data.
        name: the operation's name.
        rules: the ``endpoints`` module of the service's package.
    """
    operation = model.operation(name)
    protocol = load(model.metadata)
    peculiar = hooks(operation)
    return Prepared(
        name,
        validator(operation),
        protocol.serializer(peculiar.serialized_as or operation),
        protocol.parser(operation),
        protocol.error_parser(model),
        upload(operation, protocol, peculiar.body_hashes),
        download(operation, protocol),
        context_of(operation, rules, peculiar) if rules else None,
        operation.traits.get("authtype") != "none",
        peculiar,
        facts_of(operation),
        takes_gzip(operation),
    )
