"""Faults of a model as values: found by the passes, collected, shown together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

# Where in a file, from the outside in, and what is wrong there.
Finding = tuple[str, str]


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with a model.

    Attributes:
        file: the file that holds it.
        place: where in the file, from the outside in (``shape Pet, member name``), "" for all.
        message: what is wrong and what would be right.
    """

    file: Path
    place: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.file), self.place, self.message) if part)


class FaultyModel(Exception):
    """Models that cannot be generated.

    Attributes:
        faults: everything that is wrong, in order of file and place, each once.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = sorted(set(faults))
        super().__init__(tuple(self.faults))

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``; did you mean A or B?`` for the names most like `name`, "" when none is alike."""
    by_lower = {other.lower(): other for other in names}
    found = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.7)
    return f"; did you mean {' or '.join(by_lower[key] for key in found)}?" if found else ""
