"""How a long annotation is broken into lines: as black would, at a hundredth of its time.

Annotations are unions, subscripts and names. A union goes into parentheses and then, when it is
still too long, has an operand on each line; a subscript is broken behind its bracket.
"""

from __future__ import annotations

from .source import WIDTH

STEP = "    "


def annotated(indent: str, name: str, annotation: str, tail: str = "") -> str:
    """Return ``name: annotation`` and what follows it in as many lines as it takes.

    Args:
        indent: what the lines begin with.
        name: of a parameter or a field.
        annotation: its type.
        tail: a default and a comma, as they are.
    """
    line = f"{indent}{name}: {annotation}{tail}"
    if len(line) <= WIDTH:
        return line
    if len(_parts(annotation, " | ")) > 1:
        return f"{indent}{name}: (\n{_inside(indent + STEP, annotation)}\n{indent}){tail}"
    return f"{indent}{name}: {_broken(indent, annotation)}{tail}"


def _inside(indent: str, text: str, tail: str = "") -> str:
    """Lay out what stands between brackets: items, operands or a single subscript."""
    if len(indent + text + tail) <= WIDTH:
        return indent + text + tail
    items = _parts(text, ", ")
    if len(items) > 1:
        return "\n".join(_inside(indent, item, ",") for item in items)
    first, *others = _parts(text, " | ")
    if not others:
        return indent + _broken(indent, text) + tail
    lines = [_inside(indent, first), *(_operand(indent, other) for other in others)]
    return "\n".join(lines) + tail


def _operand(indent: str, text: str) -> str:
    line = f"{indent}| {text}"
    return line if len(line) <= WIDTH else f"{indent}| {_broken(indent, text)}"


def _broken(indent: str, text: str) -> str:
    """Break a subscript behind its bracket; a name is left as it is."""
    if not text.endswith("]"):
        return text
    name, inner = text[:-1].split("[", 1)
    return f"{name}[\n{_inside(indent + STEP, inner)}\n{indent}]"


def _parts(text: str, separator: str) -> list[str]:
    """Split at the separators that are not inside brackets."""
    parts = [""]
    for piece in text.split(separator):
        whole = parts[-1].count("[") == parts[-1].count("]")
        if parts[-1] and whole:
            parts.append(piece)
        else:
            parts[-1] += (separator if parts[-1] else "") + piece
    return parts
