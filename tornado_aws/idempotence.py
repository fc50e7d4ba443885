"""Whether a request may be executed twice: asked when nobody knows if it was executed once.

An operation may if

* its model says so (``idempotent``, ``readonly``), or its HTTP method does;
* it sends an idempotency token, by which the service knows a repetition;
* its name begins with a verb that AWS uses for what reads, computes or deletes. The rules for
  service models require such operations to be readonly or idempotent; older models only lack the
  words for it.

Anything else is a write that could count, send, create or invoke twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from tornado_aws.model import Operation
from tornado_aws.transport import Headers

# RFC 9110, section 9.2.2.
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})

VERBS = frozenset(
    {
        "Assume",
        "Count",
        "Decrypt",
        "Delete",
        "Describe",
        "Encrypt",
        "Filter",
        "Get",
        "Head",
        "List",
        "Lookup",
        "Poll",
        "Query",
        "Receive",
        "Scan",
        "Search",
        "Select",
        "Simulate",
    }
)

# By the models' ``serviceId``: what computes only, or says of itself that it may be repeated.
OPERATIONS: Mapping[str, frozenset[str]] = {
    "KMS": frozenset(
        {
            "DeriveSharedSecret",
            "GenerateDataKey",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GenerateRandom",
            "ReEncrypt",
            "Sign",
            "Verify",
            "VerifyMac",
        }
    ),
    "S3": frozenset({"CompleteMultipartUpload"}),
}

_VERB = re.compile(r"(?:Admin|Batch|Transact)?([A-Z][a-z]*)")
_ACTION = re.compile(r"(?:^|&)Action=([^&]+)")


def is_idempotent(operation: Operation) -> bool:
    """Tell whether an operation may be executed twice, by its model."""
    service = operation.model.metadata.get("serviceId", "")
    return (
        operation.http_method in METHODS
        or bool(operation.traits.get("idempotent") or operation.traits.get("readonly"))
        or _has_token(operation)
        or _has_safe_verb(operation.name)
        or operation.name in OPERATIONS.get(service, ())
    )


def _has_token(operation: Operation) -> bool:
    members = operation.input.shape.members if operation.input is not None else {}
    return any(member.traits.get("idempotencyToken") for member in members.values())


def is_idempotent_request(method: str, query: str, headers: Headers, body: object) -> bool:
    """Tell whether a raw request may be executed twice, by its method or its operation's name.

    The name stands in the header ``X-Amz-Target`` or in the parameter ``Action`` of the query or
    of a form.
    """
    return method in METHODS or _has_safe_verb(_name_in(query, headers, body))


def _name_in(query: str, headers: Headers, body: object) -> str:
    for name, value in headers:
        if name.lower() == "x-amz-target":
            return value.rpartition(".")[2]
    form = body[:4096].decode("latin-1") if isinstance(body, bytes) else ""
    found = _ACTION.search(query) or _ACTION.search(form)
    return unquote_plus(found[1]) if found else ""


def _has_safe_verb(name: str) -> bool:
    found = _VERB.match(name)
    return found is not None and found[1] in VERBS
