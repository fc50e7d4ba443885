"""What `codegen explain` says of where an operation goes: its name on the wire, its endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tornado_aws.endpoints import Endpoint
from tornado_aws.exceptions import EndpointError
from tornado_aws.protocols import choose

from .endpoints import rules_of
from .load import RULE_SET, Model
from .rules import compile_rules
from .shapes import Operation

# Used when nothing is asked for, as in AWS's own examples.
REGION = "us-east-1"

# Protocols that name the operation beside method and path.
_WIRE_NAMES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "json": lambda metadata, name: f"X-Amz-Target: {metadata['targetPrefix']}.{name}",
    "query": lambda metadata, name: f"Action={name}&Version={metadata['apiVersion']}",
    "ec2": lambda metadata, name: f"Action={name}&Version={metadata['apiVersion']}",
    "smithy-rpc-v2-cbor": lambda metadata, name: (
        f"POST /service/{metadata['targetPrefix']}/operation/{name}"
    ),
}


def wire_name(metadata: Mapping[str, Any], operation: Operation) -> str:
    """Return what tells the service which operation is meant."""
    write = _WIRE_NAMES.get(choose(metadata))
    if write is not None:
        return write(metadata, operation.name)
    http = operation.traits["http"]
    return f"{http['method']} {http['requestUri']}"


def endpoint(
    model: Model, operation: Operation, params: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield where an operation goes, and what that is signed for.

    Args:
        model: the service's model.
        operation: the operation, whose static parameters count.
        params: other parameters of the endpoint rules by name; ``true`` and ``false`` are no texts.
    """
    metadata = model.service["metadata"]
    static = operation.traits.get("staticContextParams", {})
    given = {
        "Region": REGION,
        **{name: {"true": True, "false": False}.get(text, text) for name, text in params.items()},
        **{name: entry["value"] for name, entry in static.items()},
    }
    try:
        found = _resolve(model, given)
    except EndpointError as error:
        yield "endpoint", f"none: {error}"
        return
    prefix = operation.traits.get("endpoint", {}).get("hostPrefix")
    yield "endpoint", found.url + (f", {prefix!r} before the host" if prefix else "")
    scheme: Mapping[str, Any] = next(iter(found.properties.get("authSchemes", ())), {})
    usual = metadata.get("signingName", metadata["endpointPrefix"])
    name, region = scheme.get("signingName", usual), scheme.get("signingRegion", given["Region"])
    kind = operation.traits.get("authtype") or scheme.get("name", "sigv4")
    yield "signed", "no" if kind == "none" else f"{kind}, for {name} in {region}"
    discovery = operation.traits.get("endpointdiscovery")
    if discovery is not None:
        yield "discovery", "needed" if discovery.get("required") else "possible"
    for header, values in found.headers.items():
        yield "header", f"{header}: {', '.join(values)}"


def _resolve(model: Model, params: Mapping[str, Any]) -> Endpoint:
    compiled = compile_rules(rules_of(model), title=model.source.service, path=model.path(RULE_SET))
    names: dict[str, Any] = {}
    exec(compiled.text, names)  # noqa: S102 - the text is what `generate` would write
    found: Endpoint = names["resolve"](params)
    return found
