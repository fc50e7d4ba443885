"""Pass 8, format: lay text out as black does, with black itself only where that is needed.

The templates write what black leaves alone, but for lines that are too long; black formats 2,000
lines a second and all services have a million. So only the definitions that hold a long line are
given to it. That the whole comes out as if black had seen all of it is checked by the tests, and by
``black --check`` on what is checked in.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import black

WIDTH = 100
# A long line that black might break. It cannot break a link in a docstring, a text in a list, and a
# key with a single word as its value.
_UNBREAKABLE = r' +See http| +"[^"]*",$| +"[^"]*": (?:\w+|"[^"]*"),$'
_LONG = re.compile(rf"^(?!{_UNBREAKABLE}).{{{WIDTH + 1},}}$", re.MULTILINE)
# A definition begins behind an empty line, at the margin or as a method of the class around it.
_BORDER = re.compile(r"(?<=\n\n)(?=\S|    async def )")
_CLASS = "class _:\n"


def format_text(text: str) -> str:
    """Return a module's text as black lays it out."""
    if not _LONG.search(text):
        return text
    return "".join(_formatted(part) if _LONG.search(part) else part for part in _BORDER.split(text))


def _formatted(part: str) -> str:
    import black  # noqa: PLC0415 - 0.1 s that most runs need not spend

    code = part.rstrip("\n")
    is_method = code.startswith("    ")
    whole = black.format_str((_CLASS if is_method else "") + code + "\n", mode=_mode())
    laid_out = whole.removeprefix(_CLASS) if is_method else whole
    return laid_out.rstrip("\n") + part[len(code) :]


@cache
def _mode() -> black.Mode:
    from black.mode import Mode, TargetVersion  # noqa: PLC0415 - as above

    return Mode(line_length=WIDTH, target_versions={TargetVersion.PY311})
