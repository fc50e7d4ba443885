"""Compile an endpoint rule set into the text of a module.

A rule set (``endpoint-rule-set-1.json``) is a tree: rules are tried in order, a rule applies when
all its conditions hold, and then gives an endpoint, an error or a list of further rules. When none
of those applies, the rules behind it are tried. In Python that is ``if`` and ``return``::

    if region is not None:
        partition_result = aws_partition(region)
        if use_fips:
            return Endpoint(f"https://sts-fips.{label(region)}.{partition_result.dns_suffix}")
    raise EndpointError("Invalid Configuration: Missing Region")

Steps: names and types of the parameters; expressions and conditions (`codegen.rule_values`), with
what is known to hold where they stand, so that nothing is asked twice and what can never apply is
found; rules; lines (`codegen.rule_layout`). Lists of rules that are long or occur several times
become functions of their own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import Fault, FaultyModel
from .reserved import KEYWORDS, free
from .rule_layout import (
    INDENT,
    Tree,
    function_head,
    import_lines,
    import_order,
    indented,
    laid_out,
    levels,
    nested,
)
from .rule_values import FUNCTIONS, SET, BadRule, Expressions, Scope, Test, Value
from .source import escaped, literal

Json = Any

# From so many endpoints and errors on, a list of rules is a function of its own.
LONG = 24
# From so many on, it is one when it occurs again.
WORTH_SHARING = 3

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\W")
_REFERENCE = re.compile(r"\{([^{}]+)\}")
_EMPTY: Mapping[str, Any] = {"str": "", "bool": False, "list": []}
_TYPES = {"string": "str", "boolean": "bool", "stringarray": "list"}
_READERS = {"str": "string", "bool": "boolean", "list": "strings"}
# Names that a variable of the generated functions must not take.
_TAKEN = frozenset(
    {
        *KEYWORDS,
        *_READERS.values(),
        *(function.name for function in FUNCTIONS.values()),
        *("Any", "Endpoint", "EndpointError", "Mapping", "PARAMETERS", "Sequence", "bool", "str"),
        *("coalesce", "found", "item", "known", "label", "no_endpoint", "params", "required"),
        "resolve",
    }
)


@dataclass(frozen=True)
class CompiledRules:
    """A module made of a rule set.

    Attributes:
        text: the module.
        warnings: rules that can never apply, and conditions that never hold.
    """

    text: str
    warnings: Sequence[Fault]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a rule set.

    Attributes:
        name: its name there.
        variable: the variable that holds it.
        type: ``str``, ``bool`` or ``list``.
        required: whether it must be given.
        default: what counts when it is not given; None for nothing.
        built_in: what a client sets it to by itself (``AWS::Region``), "" for nothing.
    """

    name: str
    variable: str
    type: str
    required: bool
    default: Any
    built_in: str

    @property
    def is_needed(self) -> bool:
        """Whether there is no endpoint without it, even if no rule looks at it."""
        return self.required and self.default is None

    @property
    def value(self) -> Value:
        """The variable as an expression."""
        return Value(self.variable, self.type, not self.required and self.default is None)


def compile_rules(rule_set: Json, *, title: str, path: Path, header: str = "") -> CompiledRules:
    """Compile a rule set into the module ``endpoints`` of a generated package.

    The module has one public function, ``resolve(params) -> Endpoint``.

    Args:
        rule_set: the content of ``endpoint-rule-set-1.json``.
        title: the service's name, for the docstring.
        path: the file, for messages.
        header: lines to begin the module with, each with its line feed.

    Raises:
        FaultyModel: naming every place that refers to a function, a parameter or an attribute that
            is not there, or is otherwise no rule.
    """
    compiler = _Compiler(path)
    body = compiler.module(rule_set, title)
    if compiler.faults:
        raise FaultyModel(compiler.faults)
    return CompiledRules(header + body, sorted(set(compiler.warnings)))


def default_rules(endpoint_prefix: str) -> Json:
    """Return the rule set of a service that has none: its own endpoint, else the usual host."""
    return {
        "version": "1.0",
        "parameters": {
            "Region": {"type": "string", "builtIn": "AWS::Region", "required": False},
            "Endpoint": {"type": "string", "builtIn": "SDK::Endpoint", "required": False},
        },
        "rules": [
            _rule("endpoint", [_is_set("Endpoint")], {"url": {"ref": "Endpoint"}}),
            _rule(
                "endpoint",
                [
                    _is_set("Region"),
                    {
                        "fn": "aws.partition",
                        "argv": [{"ref": "Region"}],
                        "assign": "PartitionResult",
                    },
                ],
                {"url": f"https://{endpoint_prefix}.{{Region}}.{{PartitionResult#dnsSuffix}}"},
            ),
            _rule("error", [], "Invalid Configuration: Missing Region"),
        ],
    }


def _is_set(name: str) -> Json:
    return {"fn": "isSet", "argv": [{"ref": name}]}


def _rule(kind: str, conditions: Sequence[Json], result: Json) -> Json:
    return {"type": kind, "conditions": conditions, kind: result}


class _Compiler:
    """One run over one rule set."""

    def __init__(self, path: Path) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._path = path
        self._used: set[str] = {"Endpoint", "known"}
        self._expressions = Expressions(self._used.add)
        self._variables: dict[tuple[str, str], str] = {}
        self._repeated: Counter[str] = Counter()
        self._functions: list[list[str]] = []
        self._made: dict[tuple[str, ...], tuple[str, bool]] = {}

    # The module

    def module(self, rule_set: Json, title: str) -> str:
        """Return the module's text; it is of no use when there are faults."""
        parameters = [
            parameter
            for name, spec in rule_set.get("parameters", {}).items()
            if (parameter := self._parameter(name, spec)) is not None
        ]
        rules = rule_set.get("rules")
        if not isinstance(rules, list):
            self._fault("", "has no rules; the form with a decision diagram is not understood")
            return ""
        self._repeated.update(_text(each) for each in _lists(rules))
        scope = Scope({each.name: each.value for each in parameters}, {})
        body, ends = self._rules(rules, scope, "", 1)
        if not ends:
            self._used.add("no_endpoint")
            body.append("raise no_endpoint(params)")
        referenced = _references(rules)
        resolve = self._resolve(parameters, referenced, body)
        functions = "\n\n\n".join("\n".join(lines) for lines in [resolve, *self._functions])
        used = [each for each in parameters if each.name in referenced or each.is_needed]
        return f"{self._preamble(title, parameters, used, functions)}\n\n\n{functions}\n"

    def _preamble(
        self,
        title: str,
        parameters: Sequence[Parameter],
        used: Sequence[Parameter],
        functions: str,
    ) -> str:
        types = ["Mapping", *(["Sequence"] if "Sequence[" in functions else [])]
        self._used.update(re.findall(r"(?<=: )(?:ARN|Partition|URL)\b", functions))
        names: Tree = {literal(each.name): "" for each in parameters}
        built_ins: list[tuple[str, Tree]] = [
            (f"{literal(each.name)}: ", literal(each.built_in)) for each in used
        ]
        return "\n".join(
            [
                f'"""Endpoints of {escaped(title)}, compiled from its endpoint rule set."""',
                "",
                "from __future__ import annotations",
                "",
                f"from collections.abc import {', '.join(types)}",
                "from typing import Any",
                "",
                *import_lines("tornado_aws.endpoints.rules", sorted(self._used, key=import_order)),
                *(
                    ["from tornado_aws.exceptions import EndpointError"]
                    * ("EndpointError(" in functions)
                ),
                "",
                *laid_out("PARAMETERS = frozenset", "(", [("", names)], ")", 0),
                "",
                "# Those that the rules look at, each with what a client sets it to by itself.",
                *laid_out("USED: Mapping[str, str] = ", "{", built_ins, "}", 0),
            ]
        )

    def _resolve(
        self, parameters: Sequence[Parameter], referenced: set[str], body: Sequence[str]
    ) -> list[str]:
        lines = [
            "def resolve(params: Mapping[str, Any]) -> Endpoint:",
            '    """Return the endpoint for these parameters.',
            "",
            "    Args:",
            "        params: values by the names in `PARAMETERS`; None counts as not given.",
            "",
            "    Raises:",
            "        EndpointError: there is no endpoint for them; the text is the rule's own.",
            '    """',
            "    known(params, PARAMETERS)",
        ]
        for parameter in parameters:
            read = self._read(parameter)
            if parameter.name in referenced:
                lines.append(f"    {parameter.variable} = {read}")
            elif parameter.is_needed:
                lines.append(f"    {read}")
        return [*lines, *indented(body)]

    def _parameter(self, name: str, spec: Json) -> Parameter | None:
        kind = _TYPES.get(str(spec.get("type")).lower())
        if kind is None:
            self._fault(f"parameter {name}", f"there is no parameter type {spec.get('type')!r}")
            return None
        variable = self._variable(name, kind)
        if not variable.isidentifier():
            self._fault(f"parameter {name}", "this is no name that Python could have")
        if not isinstance(spec.get("default", _EMPTY[kind]), type(_EMPTY[kind])):
            self._fault(f"parameter {name}", f"its default should be a {spec['type']}")
        return Parameter(
            name,
            variable,
            kind,
            bool(spec.get("required")),
            spec.get("default"),
            spec.get("builtIn", ""),
        )

    def _read(self, parameter: Parameter) -> str:
        reader = _READERS[parameter.type]
        arguments = ["params", literal(parameter.name)]
        if parameter.default is not None:
            arguments.append(self._literal(parameter.default))
        self._used.add(reader)
        read = f"{reader}({', '.join(arguments)})"
        if parameter.is_needed:
            self._used.add("required")
            return f"required({literal(parameter.name)}, {read})"
        return read

    @staticmethod
    def _literal(value: Json) -> str:
        return literal(value) if isinstance(value, str) else repr(value)

    def _variable(self, name: str, kind: str) -> str:
        if (name, kind) not in self._variables:
            spelled = _BORDER.sub("_", name).lower()
            taken = _TAKEN | set(self._variables.values())
            self._variables[name, kind] = free(spelled, taken)
        return self._variables[name, kind]

    def _fault(self, place: str, message: str) -> None:
        self.faults.append(Fault(self._path, place, message))

    # Rules

    def _rules(
        self, rules: Sequence[Json], scope: Scope, place: str, level: int
    ) -> tuple[list[str], bool]:
        """Return the lines of a list of rules, and whether one of them always applies."""
        scope = scope.inner()
        lines: list[str] = []
        ends = False
        for at, rule in enumerate(rules):
            here = f"{place}{'.' if place else ''}rules[{at}]"
            if ends:
                self.warnings.append(
                    Fault(self._path, here, "can never apply: a rule before it always does")
                )
                continue
            more, ends, unmet = self._rule(rule, scope, here, level)
            lines += more
            scope.learn(unmet)
        return lines, ends

    def _rule(
        self, rule: Json, scope: Scope, place: str, level: int
    ) -> tuple[list[str], bool, Mapping[str, Any]]:
        """Return a rule's lines, whether it always applies, and what is known if it did not."""
        scope = scope.inner()
        conditions = list(rule.get("conditions", []))
        while rule.get("type") == "tree" and len(rule.get("rules", [])) == 1:
            rule, place = rule["rules"][0], f"{place}.rules[0]"
            conditions += rule.get("conditions", [])
        steps: list[Test | str] = []
        for at, condition in enumerate(conditions):
            rest = [conditions[at + 1 :], {**rule, "conditions": []}]
            try:
                step = self._condition(condition, scope, rest)
            except BadRule as error:
                self._fault(f"{place}.conditions[{at}]", str(error))
                return [], False, {}
            if isinstance(step, Test) and step.known is False:
                self.warnings.append(
                    Fault(self._path, place, f"can never apply: {step.code} is never true there")
                )
                return [], False, {}
            if isinstance(step, str) or step.known is None:
                steps.append(step)
        tests = [step for step in steps if isinstance(step, Test)]
        body, body_ends = self._result(rule, scope, place, level + levels(steps))
        if not body:
            self.warnings.append(Fault(self._path, place, "can never give anything"))
            return [], False, {}
        unmet = tests[0].unmet if body_ends and len(tests) == 1 else {}
        return nested(steps, body, level), body_ends and not tests, unmet

    def _condition(self, condition: Json, scope: Scope, rest: Json) -> Test | str:
        """Return a condition as a test, or as an assignment that is always met.

        Args:
            condition: the condition.
            scope: where it stands.
            rest: what comes behind it, which may refer to what it assigns.
        """
        name = condition.get("assign")
        if "fn" not in condition:
            raise BadRule(f"{condition!r} is no function")
        if name is None or name not in _references(rest):
            test = self._expressions.test(condition, scope)
            scope.learn(test.met)
            return test
        if name in scope.names:
            raise BadRule(f"{name!r} is assigned already")
        value = self._expressions.value(condition, scope)
        variable = self._variable(name, value.type)
        scope.bind(name, Value(variable, value.type, value.optional))
        if value.type == "bool":
            scope.facts[variable] = True
            return Test(f"({variable} := {value.code})", "")
        if not value.optional:
            return f"{variable} = {value.code}"
        scope.facts[variable] = SET
        return Test(f"({variable} := {value.code}) is not None", "")

    def _result(self, rule: Json, scope: Scope, place: str, level: int) -> tuple[list[str], bool]:
        """Return the lines of what a rule gives, and whether it always gives something."""
        kind = rule.get("type")
        if kind == "tree":
            return self._list(rule.get("rules", []), scope, place, level)
        try:
            if kind == "error":
                text = self._expressions.value(rule["error"], scope).code
                return laid_out("raise EndpointError", "(", [("", text)], ")", level), True
            if kind == "endpoint":
                return self._endpoint(rule["endpoint"], scope, level), True
            raise BadRule(f"there is no rule of type {kind!r}")
        except BadRule as error:
            self._fault(place, str(error))
            return ["raise"], True

    def _endpoint(self, endpoint: Json, scope: Scope, level: int) -> list[str]:
        url = endpoint["url"]
        if isinstance(url, str):
            address = self._expressions.text(url, scope, is_url=True)
        else:
            address = self._expressions.value(url, scope)
        arguments: list[tuple[str, Tree]] = [("", address.code)]
        properties = self._tree(endpoint.get("properties"), scope)
        headers = self._tree(endpoint.get("headers"), scope)
        if properties:
            arguments.append(("", properties))
        if headers:
            arguments.append(("" if properties else "headers=", headers))
        return laid_out("return Endpoint", "(", arguments, ")", level)

    def _tree(self, value: Json, scope: Scope) -> Tree:
        """Return properties or headers with an expression for each text and number."""
        if isinstance(value, dict) and not value.keys() & {"ref", "fn"}:
            return {literal(key): self._tree(each, scope) for key, each in value.items()}
        if isinstance(value, list):
            return [self._tree(each, scope) for each in value]
        return self._expressions.value(value, scope).code if value is not None else ""

    def _list(
        self, rules: Sequence[Json], scope: Scope, place: str, level: int
    ) -> tuple[list[str], bool]:
        """Return the lines of a list of rules, as the call of a function if it is worth one."""
        size = sum(1 for _ in _leaves(rules))
        shared = size >= WORTH_SHARING and self._repeated[_text(rules)] > 1
        if not shared and (size < LONG or level <= 2):
            return self._rules(rules, scope, place, level)
        name, arguments, ends = self._function(rules, scope, place)
        if ends:
            return laid_out(f"return {name}", "(", arguments, ")", level), True
        call = laid_out(f"found = {name}", "(", arguments, ")", level)
        return [*call, "if found is not None:", f"{INDENT}return found"], False

    def _function(
        self, rules: Sequence[Json], scope: Scope, place: str
    ) -> tuple[str, list[tuple[str, Tree]], bool]:
        """Return the function for a list of rules, its arguments, and whether it always ends."""
        referenced = _references(rules)
        names = {
            name: Value(value.code, value.type, not scope.is_set(value))
            for name, value in scope.names.items()
            if name in referenced
        }
        labels = {f"label({value.code})" for value in names.values()}
        facts = {code: fact for code, fact in scope.facts.items() if code in labels}
        key = (_text(rules), repr(names), repr(sorted(facts)))
        if key not in self._made:
            name = f"_rules_{len(self._functions) + 1}"
            lines: list[str] = []
            self._functions.append(lines)
            body, ends = self._rules(rules, Scope(names, facts), place, 1)
            lines += function_head(name, names.values(), ends)
            lines += indented(body if ends else [*body, "return None"])
            self._made[key] = (name, ends)
        name, ends = self._made[key]
        return name, [("", value.code) for value in names.values()], ends


# What a rule set refers to


def _lists(rules: Sequence[Json]) -> Iterator[Sequence[Json]]:
    """Return every list of rules in a list of rules."""
    for rule in rules:
        if rule.get("type") == "tree":
            yield rule.get("rules", [])
            yield from _lists(rule.get("rules", []))


def _leaves(rules: Sequence[Json]) -> Iterator[Json]:
    """Return the endpoints and errors of a list of rules."""
    for rule in rules:
        if rule.get("type") == "tree":
            yield from _leaves(rule.get("rules", []))
        else:
            yield rule


def _text(rules: Sequence[Json]) -> str:
    return json.dumps(rules, sort_keys=True)


def _references(value: Json) -> set[str]:
    """Return the names that a part of a rule set refers to."""
    if isinstance(value, str):
        return {name.split("#")[0] for name in _REFERENCE.findall(value)}
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if isinstance(value, dict):
        own = {value["ref"]} if isinstance(value.get("ref"), str) else set()
        parts = [each for key, each in value.items() if key != "documentation"]
        return own.union(*map(_references, parts))
    return set()
