"""Pieces of Python source text that the generated modules are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .reserved import KEYWORDS, TYPE_IMPORTS

# Columns of a generated line.
WIDTH = 100
# Of the imports of a client, which stand below a condition.
INDENT = "    "

_WORD = re.compile(r"\w+")
_LINE_BREAK = re.compile(r"[^\S ]+|[\x00-\x1f\x7f-\x9f]+")


def literal(text: str) -> str:
    """Return a text as a literal, in the quotes that black likes: double, or what escapes less."""
    inside = repr(f'"{text}')[2:-1]  # the quote makes sure that it is in single quotes
    if text.count('"') > text.count("'"):
        return f"'{inside}'"
    return '"' + inside.replace("\\'", "'").replace('"', '\\"') + '"'


def one_line(text: str) -> str:
    """Return a text as it can stand in a comment, which a line break would end."""
    return _LINE_BREAK.sub(" ", text)


def escaped(text: str) -> str:
    """Return a text as it stands between the quotes of a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"""')


def is_field(name: str) -> bool:
    """Tell whether a member can be a field of a class.

    A name with two underscores before it would be changed by the class around it.
    """
    return name.isidentifier() and name not in KEYWORDS and not name.startswith("__")


def words(texts: Iterable[str]) -> set[str]:
    """Return the names that occur in annotations."""
    return {word for text in texts for word in _WORD.findall(text)}


def imports(used: set[str]) -> list[str]:
    """Return the lines that import what is used of what annotations are made of."""
    modules: dict[str, list[str]] = {}
    for name in sorted(used.intersection(TYPE_IMPORTS)):
        modules.setdefault(TYPE_IMPORTS[name], []).append(name)
    own = [module for module in sorted(modules) if module.startswith("tornado_aws")]
    others = [module for module in sorted(modules) if module not in own]
    gap = [""] if own and others else []
    return [
        *(line for module in others for line in _import(module, modules[module])),
        *gap,
        *(line for module in own for line in _import(module, modules[module])),
    ]


def _import(module: str, names: Sequence[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(INDENT + line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]
