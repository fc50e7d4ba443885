"""The zoo: a model with one of everything, and its package, generated and imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from codegen.load import Source, find, load
from codegen.manifest import Wishes
from codegen.pipeline import generate

MODELS = Path(__file__).parent / "zoo"


def source() -> Source:
    """Return where the zoo's model lies."""
    (found,) = find(MODELS)
    return found


def files(wishes: Wishes | None = None) -> dict[str, str]:
    """Generate the zoo's package: text by file name."""
    return generate(load(source()), wishes or Wishes()).files


def write(folder: Path, wishes: Wishes | None = None) -> Path:
    """Write the zoo's package into a folder."""
    package = folder / "zoo"
    package.mkdir()
    for name, text in files(wishes).items():
        (package / name).write_text(text)
    return package


@contextmanager
def imported(folder: Path) -> Iterator[ModuleType]:
    """Import the zoo's package from the folder that it was written to."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module("zoo")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
            del sys.modules[name]
