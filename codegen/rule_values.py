"""Arguments and conditions of an endpoint rule set as Python expressions.

Each expression knows its type and whether it may be None; each condition knows what holds after it
was met, so that what follows need not ask again, and whether it is met at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import nearest
from .source import literal

Json = Any
Fact = bool | str

# What can be known of an expression besides that it is True or False.
SET = "set"
UNSET = "unset"

_WORD = re.compile(r"[A-Za-z_]\w*")
_TEMPLATE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_INDEX = re.compile(r"(\w*)\[(-?\d+)\]")
_HOST_END = re.compile(r"[/?#]")
# Attributes of a URL that begin with a slash, and so end the host.
_PATHS = ("#path", "#normalizedPath")


class BadRule(Exception):
    """A part of a rule set that cannot be compiled."""


@dataclass(frozen=True)
class Value:
    """An argument as an expression.

    Attributes:
        code: the expression.
        type: what it gives: ``str``, ``bool``, ``int``, ``list`` (of str) or a class of
            `tornado_aws.endpoints.rules`.
        optional: whether it may be None.
        constant: its value when that is known, else None.
        brackets: whether it needs brackets around it inside of another expression.
    """

    code: str
    type: str
    optional: bool = False
    constant: bool | int | str | None = None
    brackets: bool = False

    @property
    def operand(self) -> str:
        """The expression as a part of another one."""
        return f"({self.code})" if self.brackets else self.code


@dataclass(frozen=True)
class Test:
    """A condition.

    Attributes:
        code: an expression that is true when the condition is met.
        negated: one that is true when it is not.
        met: what is then known.
        unmet: what is known otherwise.
        known: whether it is met, if that is known beforehand.
    """

    code: str
    negated: str
    met: Mapping[str, Fact] = field(default_factory=dict)
    unmet: Mapping[str, Fact] = field(default_factory=dict)
    known: bool | None = None

    def __invert__(self) -> Test:
        known = None if self.known is None else not self.known
        return Test(self.negated, self.code, self.unmet, self.met, known)


ALWAYS = Test("True", "False", known=True)


@dataclass(frozen=True)
class Function:
    """A function of the rules engine that is one of `tornado_aws.endpoints.rules` too.

    Attributes:
        name: its name there.
        arguments: the types it takes.
        type: the type of its result.
        optional: whether the result may be None; None when it is if the first argument may be.
    """

    name: str
    arguments: Sequence[str]
    type: str
    optional: bool | None = False


FUNCTIONS: Mapping[str, Function] = {
    "aws.isVirtualHostableS3Bucket": Function(
        "aws_is_virtual_hostable_s3_bucket", ("str", "bool"), "bool"
    ),
    "aws.parseArn": Function("aws_parse_arn", ("str",), "ARN", True),
    "aws.partition": Function("aws_partition", ("str",), "Partition"),
    "isValidHostLabel": Function("is_valid_host_label", ("str", "bool"), "bool"),
    "parseURL": Function("parse_url", ("str",), "URL", True),
    "split": Function("split", ("str", "str", "int"), "list", None),
    "substring": Function("substring", ("str", "int", "int", "bool"), "str", True),
    "uriEncode": Function("uri_encode", ("str",), "str", None),
}
OPERATORS = ("booleanEquals", "coalesce", "getAttr", "isSet", "ite", "not", "stringEquals")

# A value that these were asked about and found right cannot end a host name.
_LABELS = ("aws.isVirtualHostableS3Bucket", "isValidHostLabel")

# Attributes of the rules engine's structures: their names in Python and their types.
ATTRIBUTES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Partition": {
        "name": ("name", "str"),
        "dnsSuffix": ("dns_suffix", "str"),
        "dualStackDnsSuffix": ("dual_stack_dns_suffix", "str"),
        "implicitGlobalRegion": ("implicit_global_region", "str"),
        "supportsFIPS": ("supports_fips", "bool"),
        "supportsDualStack": ("supports_dual_stack", "bool"),
    },
    "URL": {
        "scheme": ("scheme", "str"),
        "authority": ("authority", "str"),
        "path": ("path", "str"),
        "normalizedPath": ("normalized_path", "str"),
        "isIp": ("is_ip", "bool"),
    },
    "ARN": {
        "partition": ("partition", "str"),
        "service": ("service", "str"),
        "region": ("region", "str"),
        "accountId": ("account_id", "str"),
        "resourceId": ("resource_id", "list"),
    },
}


@dataclass
class Scope:
    """What is visible and known where a rule stands.

    Attributes:
        names: the rule set's names and what they stand for.
        facts: what is known of expressions.
    """

    names: dict[str, Value]
    facts: dict[str, Fact]

    def inner(self) -> Scope:
        """Return a scope that begins as this one."""
        return Scope(dict(self.names), dict(self.facts))

    def learn(self, facts: Mapping[str, Fact]) -> None:
        """Take over what a condition says that was met."""
        self.facts.update(facts)

    def bind(self, name: str, value: Value) -> None:
        """Let a name stand for a variable that was just assigned."""
        self.names[name] = value
        known = self.facts.items()
        self.facts = {
            code: fact for code, fact in known if value.code not in _WORD.findall(str(code))
        }

    def is_set(self, value: Value) -> bool:
        """Tell whether a value is known not to be None."""
        return not value.optional or self.facts.get(value.code) in (SET, True, False)


class Expressions:
    """Makes expressions of arguments and tests of conditions.

    Args:
        used: is called with each name of `tornado_aws.endpoints.rules` that an expression needs.
    """

    def __init__(self, used: Callable[[str], object]) -> None:
        self._used = used

    # Values

    def value(self, argument: Json, scope: Scope) -> Value:
        """Return an argument as an expression.

        Raises:
            BadRule: it refers to something that is not there, or is no argument.
        """
        if isinstance(argument, bool | int):
            return Value(repr(argument), type(argument).__name__, constant=argument)
        if isinstance(argument, str):
            return self.text(argument, scope)
        if isinstance(argument, dict) and "ref" in argument:
            return self._reference(argument["ref"], scope)
        if isinstance(argument, dict) and "fn" in argument:
            return self._call(argument, scope)
        raise BadRule(f"{argument!r} is neither a literal nor a reference nor a function")

    def _reference(self, name: str, scope: Scope) -> Value:
        if name not in scope.names:
            raise BadRule(
                f"{name!r} is neither a parameter nor assigned before{nearest(name, scope.names)}"
            )
        value = scope.names[name]
        return Value(value.code, value.type, not scope.is_set(value))

    def _call(self, call: Json, scope: Scope) -> Value:
        name, arguments = call["fn"], call.get("argv", [])
        if name in FUNCTIONS:
            return self._library_call(FUNCTIONS[name], name, arguments, scope)
        if name == "getAttr":
            return self._attribute_call(arguments, scope)
        if name == "coalesce":
            return self._coalesce(arguments, scope)
        if name == "ite":
            return self._conditional(arguments, scope)
        test = self.test(call, scope)
        return Value(test.code, "bool", brackets=" " in test.code)

    def _library_call(
        self, function: Function, name: str, arguments: Sequence[Json], scope: Scope
    ) -> Value:
        values = [self.value(argument, scope) for argument in arguments]
        if [value.type for value in values] != list(function.arguments):
            given = ", ".join(value.type for value in values)
            raise BadRule(f"{name} takes ({', '.join(function.arguments)}), not ({given})")
        self._used(function.name)
        optional = values[0].optional if function.optional is None else function.optional
        code = f"{function.name}({', '.join(value.code for value in values)})"
        return Value(code, function.type, optional)

    def _attribute_call(self, arguments: Sequence[Json], scope: Scope) -> Value:
        if len(arguments) != 2 or not isinstance(arguments[1], str):
            raise BadRule("getAttr takes a value and a path")
        value = self.value(arguments[0], scope)
        for part in arguments[1].split("."):
            value = self._attribute(value, part)
        return Value(value.code, value.type, value.optional and not scope.is_set(value))

    def _attribute(self, value: Value, part: str) -> Value:
        index = _INDEX.fullmatch(part)
        name = index[1] if index else part
        if name:
            attributes = ATTRIBUTES.get(value.type, {})
            if name not in attributes:
                raise BadRule(f"{value.type} has no attribute {name!r}{nearest(name, attributes)}")
            spelled, kind = attributes[name]
            value = Value(f"{value.operand}.{spelled}", kind)
        if index is None:
            return value
        if value.type != "list":
            raise BadRule(f"{part!r} takes an element of something that is no list")
        self._used("item")
        return Value(f"item({value.code}, {index[2]})", "str", True)

    def _coalesce(self, arguments: Sequence[Json], scope: Scope) -> Value:
        values = [self.value(argument, scope) for argument in arguments]
        if len(values) < 2 or len({value.type for value in values}) > 1:
            raise BadRule("coalesce takes two or more arguments of one type")
        first, *others = values
        if not others:
            return first
        self._used("coalesce")
        optional = all(value.optional for value in values)
        code = f"coalesce({', '.join(value.code for value in values)})"
        return Value(code, first.type, optional)

    def _conditional(self, arguments: Sequence[Json], scope: Scope) -> Value:
        if len(arguments) != 3:
            raise BadRule("ite takes a condition and two values")
        condition, yes, no = (self.value(argument, scope) for argument in arguments)
        if condition.type != "bool" or yes.type != no.type:
            raise BadRule("ite takes a bool and two values of one type")
        code = f"{yes.operand} if {condition.operand} else {no.operand}"
        return Value(code, yes.type, yes.optional or no.optional, brackets=True)

    # Texts

    def text(self, template: str, scope: Scope, *, is_url: bool = False) -> Value:
        """Return a text with its ``{name}`` and ``{name#attribute}`` filled in.

        Args:
            template: the text.
            scope: where it stands.
            is_url: whether it is a URL, in whose host no value may stand that could end it.

        Raises:
            BadRule: it refers to something that is not there.
        """
        only = _TEMPLATE.fullmatch(template)
        if only and only[1]:
            return self._reference_path(only[1], scope)
        texts, values, before = [""], [], ""
        for text, reference in _pieces(template):
            texts[-1] += text
            before += text
            if reference:
                values.append(self._filled_in(reference, scope, is_url and _ends_in_host(before)))
                texts.append("")
                before += "/" if reference.endswith(_PATHS) else "x"
        if not values:
            return Value(literal(texts[0]), "str", constant=texts[0])
        return Value(_f_string(texts, values), "str")

    def _reference_path(self, reference: str, scope: Scope) -> Value:
        name, *path = reference.split("#")
        value = self._reference(name, scope)
        for part in path:
            value = self._attribute(value, part)
        return value

    def _filled_in(self, reference: str, scope: Scope, in_host: bool) -> str:
        name, _, path = reference.partition("#")
        value = self._reference_path(reference, scope)
        trusted = path and self._reference(name, scope).type in ("Partition", "URL")
        if not in_host or trusted or scope.facts.get(_label(value)):
            return value.code
        self._used("label")
        return f"label({value.code})"

    # Conditions

    def test(self, call: Json, scope: Scope) -> Test:
        """Return a condition that assigns nothing.

        Raises:
            BadRule: there is no such function, or its arguments do not fit.
        """
        name, arguments = call["fn"], call.get("argv", [])
        if name == "not":
            return ~self.test(self._only(name, arguments), scope)
        if name == "isSet":
            return is_set(self.value(self._only(name, arguments), scope), scope)
        if name in ("booleanEquals", "stringEquals"):
            return self._equals(name, arguments, scope)
        if name not in FUNCTIONS and name not in OPERATORS:
            raise BadRule(f"there is no function {name!r}{nearest(name, (*FUNCTIONS, *OPERATORS))}")
        value = self.value(call, scope)
        if value.type != "bool":
            return is_set(value, scope)
        return self._truth(value, scope, self._label_fact(name, arguments, scope))

    @staticmethod
    def _only(name: str, arguments: Sequence[Json]) -> Json:
        if len(arguments) != 1 or not isinstance(arguments[0], dict):
            raise BadRule(f"{name} takes one argument, a reference or a function")
        return arguments[0]

    def _label_fact(self, name: str, arguments: Sequence[Json], scope: Scope) -> Mapping[str, Fact]:
        return {_label(self.value(arguments[0], scope)): True} if name in _LABELS else {}

    @staticmethod
    def _truth(value: Value, scope: Scope, more: Mapping[str, Fact] | None = None) -> Test:
        """Return the test for a value of which None counts as False."""
        fact = scope.facts.get(value.code)
        known = fact if isinstance(fact, bool) else None
        met = {value.code: True, **(more or {})}
        unmet: Mapping[str, Fact] = {} if value.optional else {value.code: False}
        return Test(value.code, f"not {value.operand}", met, unmet, known)

    def _equals(self, name: str, arguments: Sequence[Json], scope: Scope) -> Test:
        kind = "bool" if name == "booleanEquals" else "str"
        if len(arguments) != 2:
            raise BadRule(f"{name} takes two arguments")
        left, right = (self.value(argument, scope) for argument in arguments)
        if left.constant is not None:
            left, right = right, left
        if {left.type, right.type} != {kind}:
            raise BadRule(f"{name} takes two values of {kind}, not {left.type} and {right.type}")
        if right.constant is True:
            return self._truth(left, scope)
        if right.constant is False:
            return self._falsehood(left, scope)
        code = f"{left.operand} == {right.operand}"
        known = scope.facts.get(code)
        return Test(
            code,
            f"{left.operand} != {right.operand}",
            {code: True},
            {code: False},
            known if isinstance(known, bool) else None,
        )

    def _falsehood(self, value: Value, scope: Scope) -> Test:
        """Return the test for a value that must be False, not None."""
        if not value.optional:
            return ~self._truth(value, scope)
        unset = scope.facts.get(value.code) == UNSET
        code, negated = f"{value.operand} is False", f"{value.operand} is not False"
        return Test(code, negated, {value.code: False}, known=False if unset else None)


def is_set(value: Value, scope: Scope) -> Test:
    """Return the test for a value that must not be None."""
    unset = scope.facts.get(value.code) == UNSET
    return Test(
        f"{value.operand} is not None",
        f"{value.operand} is None",
        {value.code: SET},
        {value.code: UNSET},
        False if unset else None if value.optional else True,
    )


def _label(value: Value) -> str:
    return f"label({value.code})"


def _pieces(template: str) -> list[tuple[str, str]]:
    """Cut a template into texts and the reference behind each, "" behind the last."""
    pieces, text, end = [], "", 0
    for match in _TEMPLATE.finditer(template):
        text += template[end : match.start()]
        end = match.end()
        if match[1] is None:
            text += match[0][0]
        else:
            pieces.append((text, match[1]))
            text = ""
    return [*pieces, (text + template[end:], "")]


def _ends_in_host(url: str) -> bool:
    """Tell whether what follows this beginning of a URL is part of its host."""
    _, scheme_end, rest = url.partition("://")
    return bool(scheme_end) and not _HOST_END.search(rest)


def _f_string(texts: Sequence[str], values: Sequence[str]) -> str:
    """Return an f-string of texts with a value between each two, in the quotes that black likes."""
    whole = "".join(texts)
    quote = "'" if '"' in whole and "'" not in whole else '"'
    escaped = [
        repr(f'"{text}')[2:-1].replace("\\'", "'").replace(quote, f"\\{quote}") for text in texts
    ]
    doubled = [text.replace("{", "{{").replace("}", "}}") for text in escaped]
    filled = "".join(f"{text}{{{value}}}" for text, value in zip(doubled, values, strict=False))
    return f"f{quote}{filled}{doubled[-1]}{quote}"
