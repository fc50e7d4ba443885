"""Names that generated code must not take, as data."""

from __future__ import annotations

import keyword
from collections.abc import Mapping

KEYWORDS = frozenset(keyword.kwlist)

# What the base class of the generated clients and the generated classes offer themselves.
CLIENT_NAMES = frozenset(
    {
        "close",
        "exceptions",
        "generate_presigned_post",
        "generate_presigned_url",
        "get_credentials",
        "pool_stats",
        "with_options",
    }
)
CLIENT_PREFIXES = ("_", "paginate_", "wait_until_")

# A generated method has this parameter already; those of paginators and waiters use the others.
METHOD_NAMES = frozenset({"self"})
PAGINATOR_NAMES = frozenset({"PaginationConfig", "paginators"})
WAITER_NAMES = frozenset({"WaiterConfig", "waiters"})

# Where the names that a module of types imports come from.
TYPE_IMPORTS: Mapping[str, str] = {
    "AsyncIterable": "collections.abc",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "datetime": "datetime",
    "Literal": "typing",
    "NotRequired": "typing",
    "TypeAlias": "typing",
    "TypedDict": "typing",
    "PaginationConfig": "tornado_aws.pagination",
    "Paginator": "tornado_aws.pagination",
    "AsyncEventStream": "tornado_aws.streams",
    "StreamingBody": "tornado_aws.streams",
    "Blob": "tornado_aws.types",
    "Document": "tornado_aws.types",
    "EmptyResult": "tornado_aws.types",
    "ResponseMetadata": "tornado_aws.types",
    "Returned": "tornado_aws.types",
    "StreamingBlob": "tornado_aws.types",
    "StringList": "tornado_aws.types",
    "Timestamp": "tornado_aws.types",
    "WaiterConfig": "tornado_aws.waiting",
    "Any": "typing",
}

BUILTIN_TYPES = frozenset(["bool", "bytes", "dict", "float", "int", "list", "str", "type"])

# Names that a generated client uses in its annotations; a method of this name would hide them.
CLIENT_ANNOTATIONS = (
    BUILTIN_TYPES | frozenset(TYPE_IMPORTS) | {"paginators", "types", "waiters", "wire"}
)
# Names that the module of a client has a meaning for already.
CLIENT_MODULE_NAMES = CLIENT_ANNOTATIONS | {
    "ServiceClient",
    "TYPE_CHECKING",
    "annotations",
    "exceptions",
}

# Names that a generated module of types, and one of exceptions, has a meaning for already.
TYPE_NAMES = KEYWORDS | BUILTIN_TYPES | frozenset(TYPE_IMPORTS) | {"ClientMethod", "annotations"}
ERROR_NAMES = (
    KEYWORDS | BUILTIN_TYPES | {"AWSError", "BY_CODE", "Exceptions", "Mapping", "annotations"}
)


def free(name: str, taken: frozenset[str] | set[str]) -> str:
    """Return `name`, with as many underscores behind it as it takes to be free."""
    while name in taken:
        name += "_"
    return name
