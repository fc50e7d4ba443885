"""What is JSON of which type in the files of a model: tables, and a reader that applies them.

A form describes what is read by later passes or by the runtime; what it does not name may be
anything, since models get new traits. Whether names lead somewhere is for `codegen.validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .faults import nearest
from .load import PAGINATORS, RULE_SET, SERVICE, WAITERS
from .shapes import SYNONYMS

# Where in a value, from the outside in, and what is wrong there.
Deviation = tuple[tuple[str, ...], str]
Inside = Callable[[Any], Iterator[Deviation]]


def _nothing(_: object) -> Iterator[Deviation]:
    return iter(())


@dataclass(frozen=True)
class Form:
    """What a value should be.

    Attributes:
        what: its name in messages.
        types: those of JSON as Python reads it.
        inside: yields what is wrong within a value of these types.
        label: what each of its parts is (``shape``), for messages that name the part only.
    """

    what: str
    types: tuple[type, ...]
    inside: Inside = _nothing
    label: str = ""


def deviations(form: Form, value: object) -> Iterator[Deviation]:
    """Yield every place where a value is not as its form says."""
    if type(value) in form.types:
        yield from form.inside(value)
    else:
        yield (), f"should be {form.what}, not {_NAMES[type(value)]}"


_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def _record(required: Mapping[str, Form], optional: Mapping[str, Form]) -> Form:
    """Return the form of an object with members of these names."""
    fields = {**optional, **required}

    def inside(value: Mapping[str, Any]) -> Iterator[Deviation]:
        for name in required:
            if name not in value:
                near = nearest(name, (key for key in value if key not in fields))
                yield (), f"there should be {name!r}, {required[name].what}{near}"
        for name, part in value.items():
            form = fields.get(name)
            if form is not None:
                for steps, message in deviations(form, part):
                    yield (steps if form.label and steps else (name, *steps)), message

    return Form("an object", (dict,), inside)


def _named(each: Form, label: str) -> Form:
    """Return the form of an object whose members are of one form, whatever they are called."""

    def inside(value: Mapping[str, Any]) -> Iterator[Deviation]:
        for name, part in value.items():
            for steps, message in deviations(each, part):
                yield (f"{label} {name}", *steps), message

    return Form("an object", (dict,), inside, label)


def _array(each: Form, what: str = "an array", label: str = "", *, filled: bool = False) -> Form:
    """Return the form of an array whose elements are of one form."""

    def inside(value: list[Any]) -> Iterator[Deviation]:
        if filled and not value:
            yield (), "should not be empty"
        for at, part in enumerate(value):
            for steps, message in deviations(each, part):
                yield (f"{label} {at}" if label else f"[{at}]", *steps), message

    return Form(what, (list,), inside, label)


def _choice(*values: str) -> Form:
    """Return the form of a text that is one of a few."""

    def inside(value: str) -> Iterator[Deviation]:
        if value not in values:
            yield (), f"{value!r} is not one of {', '.join(values)}{nearest(value, values)}"

    return Form("a text", (str,), inside)


def _either(what: str, *forms: Form) -> Form:
    """Return the form of a value that is of one of several, which its type tells apart."""
    of_type = {kind: form for form in forms for kind in form.types}
    return Form(what, tuple(of_type), lambda value: of_type[type(value)].inside(value))


TEXT = Form("a text", (str,))
FLAG = Form("true or false", (bool,))
WHOLE = Form("a whole number", (int,))
NUMBER = Form("a number", (int, float))
OBJECT = Form("an object", (dict,))
SCALAR = Form("a text, a number, true or false", (str, int, float, bool))
NAMES = _array(TEXT, "an array of texts")
TEXTS = _either("a text or an array of texts", TEXT, _array(TEXT, filled=True))

TYPES = (
    "structure",
    "list",
    "map",
    "string",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "blob",
    "timestamp",
)

# What may stand beside a shape and beside a use of it.
_TRAITS: Mapping[str, Form] = {
    "contextParam": _record({"name": TEXT}, {}),
    "enum": NAMES,
    "error": _record({}, {"code": TEXT, "httpStatusCode": WHOLE, "senderFault": FLAG}),
    "location": _choice("header", "headers", "querystring", "statusCode", "uri"),
    "locationName": TEXT,
    "max": NUMBER,
    "min": NUMBER,
    "queryName": TEXT,
    "resultWrapper": TEXT,
    "retryable": _record({}, {"throttling": FLAG}),
    "timestampFormat": _choice("iso8601", "rfc822", "unixTimestamp"),
    "xmlNamespace": _either("a text or an object", TEXT, _record({"uri": TEXT}, {"prefix": TEXT})),
    **dict.fromkeys(
        (
            "box",
            "deprecated",
            "document",
            "event",
            "eventheader",
            "eventpayload",
            "eventstream",
            "exception",
            "fault",
            "flattened",
            "hostLabel",
            "idempotencyToken",
            "jsonvalue",
            "requiresLength",
            "sensitive",
            "sparse",
            "streaming",
            "union",
            "wrapper",
            "xmlAttribute",
        ),
        FLAG,
    ),
}
_USE = replace(_record({"shape": TEXT}, _TRAITS), what='a reference to a shape, {"shape": "Name"}')
_SHAPE = _record(
    {"type": _choice(*TYPES, *SYNONYMS)},
    {**_TRAITS, "members": _named(_USE, "member"), "payload": TEXT, "required": NAMES},
)
# What a shape of a type must have besides.
_PARTS: Mapping[str, Form] = {
    "list": _record({"member": _USE}, {}),
    "map": _record({"key": _USE, "value": _USE}, {}),
}


def _inside_shape(value: Mapping[str, Any]) -> Iterator[Deviation]:
    yield from _SHAPE.inside(value)
    kind = value.get("type")
    if isinstance(kind, str) and kind in _PARTS:
        yield from _PARTS[kind].inside(value)


_OPERATION = _record(
    {},
    {
        "auth": NAMES,
        "authtype": TEXT,
        "deprecated": FLAG,
        "endpoint": _record({}, {"hostPrefix": TEXT}),
        "endpointdiscovery": _record({}, {"required": FLAG}),
        "endpointoperation": FLAG,
        "errors": _array(_USE),
        "http": _record({}, {"method": TEXT, "requestUri": TEXT, "responseCode": WHOLE}),
        "httpChecksum": _record(
            {},
            {
                "requestAlgorithmMember": TEXT,
                "requestChecksumRequired": FLAG,
                "requestValidationModeMember": TEXT,
                "responseAlgorithms": NAMES,
            },
        ),
        "httpChecksumRequired": FLAG,
        "idempotent": FLAG,
        "input": _USE,
        "name": TEXT,
        "operationContextParams": _named(_record({"path": TEXT}, {}), "operationContextParams"),
        "output": _USE,
        "readonly": FLAG,
        "requestcompression": _record({"encodings": NAMES}, {}),
        "staticContextParams": _named(
            _record({"value": _either("a text, true or false or an array", TEXT, FLAG, NAMES)}, {}),
            "staticContextParams",
        ),
        "unsignedPayload": FLAG,
    },
)
_METADATA = _record(
    {"apiVersion": TEXT, "endpointPrefix": TEXT, "protocol": TEXT, "serviceId": TEXT},
    {
        "auth": NAMES,
        "awsQueryCompatible": OBJECT,
        "checksumFormat": TEXT,
        "globalEndpoint": TEXT,
        "jsonVersion": TEXT,
        "protocolSettings": OBJECT,
        "protocols": NAMES,
        "serviceAbbreviation": TEXT,
        "serviceFullName": TEXT,
        "signatureVersion": TEXT,
        "signingName": TEXT,
        "targetPrefix": TEXT,
        "uid": TEXT,
        "xmlNamespace": TEXT,
    },
)
_SERVICE = _record(
    {
        "metadata": _METADATA,
        "operations": _named(_OPERATION, "operation"),
        "shapes": _named(Form("an object", (dict,), _inside_shape), "shape"),
    },
    {"clientContextParams": _named(_record({"type": TEXT}, {}), "clientContextParams")},
)

_PAGINATORS = _record(
    {
        "pagination": _named(
            _record(
                {"input_token": TEXTS, "output_token": TEXTS, "result_key": TEXTS},
                {"limit_key": TEXT, "more_results": TEXT, "non_aggregate_keys": TEXTS},
            ),
            "paginator",
        )
    },
    {},
)

_ACCEPTOR = _record(
    {
        "expected": SCALAR,
        "matcher": _choice("path", "pathAll", "pathAny", "status", "error"),
        "state": _choice("success", "failure", "retry"),
    },
    {"argument": TEXT},
)
_WAITERS = _record(
    {
        "waiters": _named(
            _record(
                {
                    "acceptors": _array(_ACCEPTOR, label="acceptor", filled=True),
                    "delay": NUMBER,
                    "maxAttempts": WHOLE,
                    "operation": TEXT,
                },
                {},
            ),
            "waiter",
        )
    },
    {},
)


def _inside_argument(value: Mapping[str, Any]) -> Iterator[Deviation]:
    yield from (_REFERENCE if "ref" in value else _FUNCTION).inside(value)


def _inside_rule(value: Mapping[str, Any]) -> Iterator[Deviation]:
    yield from _RULE.inside(value)
    kind = value.get("type")
    if isinstance(kind, str) and kind in _RESULTS:
        yield from _RESULTS[kind].inside(value)


def _inside_tree(value: Mapping[str, Any]) -> Iterator[Deviation]:
    yield from (_inside_argument(value) if _is_argument(value) else _TREES.inside(value))


def _is_argument(value: Mapping[str, Any]) -> bool:
    return not value.keys().isdisjoint(("ref", "fn"))


def _inside_headers(value: Mapping[str, Any]) -> Iterator[Deviation]:
    if _is_argument(value):
        yield (), "should be names with arrays of values"
    else:
        yield from _named(_array(_ARGUMENT), "header").inside(value)


_ARGUMENT = _either(
    "a literal, a reference or a function",
    Form("", (str, int, bool)),
    Form("", (dict,), _inside_argument),
)
_REFERENCE = _record({"ref": TEXT}, {})
_FUNCTION = _record({"fn": TEXT}, {"argv": _array(_ARGUMENT), "assign": TEXT})
_RULE = _record({"type": _choice("tree", "endpoint", "error")}, {"conditions": _array(_FUNCTION)})
_TREE: Form = _either(
    "a literal, a reference, a function, an array or an object",
    Form("", (str, int, bool)),
    Form("", (list,), lambda value: _array(_TREE).inside(value)),
    Form("", (dict,), _inside_tree),
)
_TREES = _named(_TREE, "property")
_PROPERTIES = Form("an object", (dict,), _inside_tree, "property")
_HEADERS = Form("an object", (dict,), _inside_headers, "header")
_RESULTS: Mapping[str, Form] = {
    "tree": _record({"rules": _array(Form("an object", (dict,), _inside_rule))}, {}),
    "endpoint": _record(
        {"endpoint": _record({"url": _ARGUMENT}, {"properties": _PROPERTIES, "headers": _HEADERS})},
        {},
    ),
    "error": _record({"error": _ARGUMENT}, {}),
}
_RULE_SET = _record(
    {
        "parameters": _named(
            _record(
                {"type": TEXT},
                {
                    "builtIn": TEXT,
                    "default": _either("a text, true or false or an array", TEXT, FLAG, NAMES),
                    "required": FLAG,
                },
            ),
            "parameter",
        )
    },
    {"rules": _array(Form("an object", (dict,), _inside_rule))},
)

FORMS: Mapping[str, Form] = {
    SERVICE: _SERVICE,
    PAGINATORS: _PAGINATORS,
    WAITERS: _WAITERS,
    RULE_SET: _RULE_SET,
}


def form_faults(kind: str, data: object) -> Iterator[tuple[str, str]]:
    """Yield place and message of everything in a file that is not of the right form.

    Args:
        kind: the kind of file (``service-2``).
        data: its content.
    """
    for steps, message in deviations(FORMS[kind], data):
        yield _place(steps, "." if kind == RULE_SET else ", "), message


def _place(steps: tuple[str, ...], between: str) -> str:
    place = ""
    for step in steps:
        place += step if not place or step.startswith("[") else between + step
    return place
