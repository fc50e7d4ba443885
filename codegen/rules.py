"""Compile an endpoint rule set into the text of a module.

A rule set (``endpoint-rule-set-1.json``) is a tree: rules are tried in order, a rule applies when
all its conditions hold, and then gives an endpoint, an error or a list of further rules. When none
of those applies, the rules behind it are tried. In Python that is ``if`` and ``return``::

    if region is not None:
        partition_result = aws_partition(region)
        if use_fips:
            return Endpoint(f"https://sts-fips.{label(region)}.{partition_result.dns_suffix}")
    raise EndpointError("Invalid Configuration: Missing Region")

Steps, each a part of this module: names and types of the parameters; expressions; conditions, with
what is known to hold where they stand (so that nothing is asked twice and what can never apply is
found); rules. Lists of rules that are long or occur several times become functions of their own.
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
from .rule_values import (
    BadRule,
    Expressions,
    Scope,
    Test,
    Value,
    is_set,
)
from .source import escaped, literal

Json = Any

# From so many endpoints and errors on, a list of rules is a function of its own.
LONG = 24
# From so many on, it is one when it occurs again.
WORTH_SHARING = 3
INDENT = "    "

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\W")
_TYPES = {"string": "str", "boolean": "bool", "stringarray": "list"}
_ANNOTATIONS = {"list": "Sequence[str]"}
_READERS = {"str": "string", "bool": "boolean", "list": "strings"}


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
    """

    name: str
    variable: str
    type: str
    required: bool
    default: Any

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
