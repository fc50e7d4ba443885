"""What is peculiar to single services and no model says: one module for each, found by a table.

A module has one function, `hooks`, that says for an operation what happens beside the protocol.
Hooks are functions of their arguments and change none of them, but for a result, which is new and
belongs to nobody yet. Most operations have none.
docs/service-peculiarities.rst lists what is here, what is elsewhere, and what is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts
from tornado_aws.transport import Response

if TYPE_CHECKING:
    from tornado_aws.checksums import Checksum
    from tornado_aws.credentials.sessions import Opening
    from tornado_aws.discovery import Discovered
    from tornado_aws.errors import ErrorDetails

__all__ = ["MODULES", "Hooks", "Moved", "Params", "Permission", "Result", "hooks", "module_of"]

Params = Mapping[str, Any]
Result = dict[str, Any]

# The models' ``serviceId`` -> the module in this package.
MODULES: Mapping[str, str] = {
    "API Gateway": "api_gateway",
    "Auto Scaling": "user_data",
    "CloudFormation": "cloudformation",
    "CloudSearch Domain": "cloudsearch_domain",
    "DocDB": "cross_region",
    "DynamoDB": "endpoint_discovery",
    "EC2": "ec2",
    "Glacier": "glacier",
    "IAM": "iam",
    "Machine Learning": "machine_learning",
    "Neptune": "cross_region",
    "RDS": "cross_region",
    "Route 53": "route53",
    "S3": "s3",
    "S3 Control": "s3_control",
    "Timestream Query": "endpoint_discovery",
    "Timestream Write": "endpoint_discovery",
}


class Moved(NamedTuple):
    """What an error says of a resource that is in another region than was asked.

    Attributes:
        region: where it is, None when the error does not say.
        lookup: the operation to ask then.
        params: its parameters.
        header: where its response, an error perhaps, names the region.
    """

    region: str | None
    lookup: str
    params: Params
    header: str


class Permission(NamedTuple):
    """What an operation that copies from another region wants to have signed there.

    Attributes:
        operation: the operation's name.
        member: the parameter that carries the presigned URL.
        is_destination_sent: whether the request says where the copy goes, as the URL does.
    """

    operation: str
    member: str
    is_destination_sent: bool


class Hooks(NamedTuple):
    """What happens to a call of one operation beside the protocol; None for nothing.

    Attributes:
        before_serialize: from the caller's parameters to those that are validated and serialised;
            raises `ParamValidationError`.
        after_serialize: from the parts of the request to those that are sent.
        body_hashes: what begins a hash of the body, by the header that carries it in hexadecimal;
            for bodies that are read, those in memory are in the hands of `after_serialize`.
        serialized_as: the operation as it is serialised, where that is not what the model says.
        endpoint: from the caller's parameters to the URL that the request goes to instead of the
            service's endpoint, or None; an endpoint that the caller set for the client wins.
        endpoint_params: from the caller's parameters to parameters of the endpoint's rules, which
            count more than the client's settings.
        resource: the parameter that names what may be in another region than the client's.
        moved_to: from the caller's parameters, a response and the error in it to what this says of
            the resource's region, None if nothing.
        session: opens a session with the resource, where the endpoint wants one.
        discovery: how the service itself tells the endpoint.
        permission: what a copy from another region wants to have signed there.
        find_error: finds the error in a response that reports success.
        before_parse: from the response to the one that is parsed.
        after_parse: from the result, the response as it came and the caller's parameters to the
            result that the caller gets.
    """

    before_serialize: Callable[[Params], Params] | None = None
    after_serialize: Callable[[HTTPParts], HTTPParts] | None = None
    body_hashes: Mapping[str, Callable[[], Checksum]] = {}
    serialized_as: Operation | None = None
    endpoint: Callable[[Params], str | None] | None = None
    endpoint_params: Callable[[Params], Params] | None = None
    resource: str | None = None
    moved_to: Callable[[Params, Response, ErrorDetails], Moved | None] | None = None
    session: Opening | None = None
    discovery: Discovered | None = None
    permission: Permission | None = None
    find_error: Callable[[Response], ErrorDetails | None] | None = None
    before_parse: Callable[[Response], Response] | None = None
    after_parse: Callable[[Result, Response, Params], Result] | None = None


NONE = Hooks()


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    for module in module_of(operation.model.metadata):
        found: Hooks = import_module(module).hooks(operation)
        return found
    return NONE


def module_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the full name of the module of a service with this metadata, if there is one."""
    module = MODULES.get(metadata.get("serviceId", ""))
    return (f"{__name__}.{module}",) if module is not None else ()
