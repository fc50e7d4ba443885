"""Pass 8, format: lay text out as black does, with black itself only where that is needed.

The templates write what black leaves alone, but for some lines that are too long; black formats
2,000 lines a second and all services have a million. So only the definitions that hold a long line
are given to it, and those of a file that is on disk already not again: a file that black had a hand
in says in a comment what it was made of and what came out. A change of either is noticed; a text
that is the same gives the same comment, so that nothing changes in a file but what has to.

That the whole comes out as if black had seen all of it is checked by the tests.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import black

WIDTH = 100
# A long line that black might break. It cannot break a docstring, a link in one, a text in a list,
# and a key with a single word as its value.
_UNBREAKABLE = r' +See http| +"""| +f?"[^"]*",?$| +"[^"]*": (?:\w+|"[^"]*"),$'
_LONG = re.compile(rf"^(?!{_UNBREAKABLE}).{{{WIDTH + 1},}}$", re.MULTILINE)
# A definition begins behind an empty line, at the margin or as a method of the class around it.
_BORDER = re.compile(r"(?<=\n\n)(?=\S|    (?:async )?def )")
_CLASS = "class _:\n"
# The comment stands below those at the top of the file.
_TOP = re.compile(r"(?:#.*\n)*")
_STAMP = re.compile(r"^# Laid out by black: ([0-9a-f]{16}) became ([0-9a-f]{16})\.\n", re.MULTILINE)


def format_text(text: str, previous: str = "") -> str:
    """Return a module's text as black lays it out.

    Args:
        text: what was rendered.
        previous: what is on disk, "" for nothing.
    """
    if not _LONG.search(text):
        return text
    source = _digest(f"{_black_version()}\n{text}")
    if _is_of(previous, source):
        return previous
    parts = _BORDER.split(text)
    laid_out = "".join(_formatted(part) if _LONG.search(part) else part for part in parts)
    stamp = f"# Laid out by black: {source} became {_digest(laid_out)}.\n"
    return _TOP.sub(lambda top: top[0] + stamp, laid_out, count=1)


def _is_of(previous: str, source: str) -> bool:
    """Tell whether a file is what an earlier run made of the text with the digest `source`."""
    stamp = _STAMP.search(previous)
    return bool(
        stamp and stamp[1] == source and stamp[2] == _digest(_STAMP.sub("", previous, count=1))
    )


@cache
def _black_version() -> str:
    return version("black")


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


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
