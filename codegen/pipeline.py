"""From models to packages: the list of passes, over many services at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from os import cpu_count

from .faults import Fault, FaultyModel
from .format import format_text
from .load import SERVICE, Source, load
from .name import name
from .override import override
from .overrides import OVERRIDES
from .render import render
from .resolve import resolve
from .select import select
from .validate import validate

# Long strings and nothing else.
UNFORMATTED = frozenset({"wire.py"})
# A pool of processes takes longer to start than this many services to generate.
FEW = 2


@dataclass(frozen=True)
class Package:
    """One generated package.

    Attributes:
        module: its name.
        files: text by file name.
    """

    module: str
    files: dict[str, str]


def generate(source: Source) -> Package:
    """Generate the package of one service.

    Raises:
        FaultyModel: something is wrong with its model.
    """
    model = load(source)
    faults = validate(model)
    if faults:
        raise FaultyModel(faults)
    model, decided = override(model, OVERRIDES)
    selection = select(model)
    names = name(selection, decided, model.path(SERVICE))
    texts = render(selection, names, resolve(selection))
    return Package(
        names.module,
        {file: text if file in UNFORMATTED else format_text(text) for file, text in texts.items()},
    )


def generate_all(
    sources: Sequence[Source], progress: Callable[[Source], object]
) -> dict[str, dict[str, str]]:
    """Generate the packages of many services, in processes side by side.

    Args:
        sources: the models.
        progress: is called with each service that is done.

    Returns:
        File texts by file name by module.

    Raises:
        FaultyModel: with everything that is wrong with any of the models.
    """
    faults: list[Fault] = []
    packages: dict[str, dict[str, str]] = {}
    for source, outcome in _outcomes(sources):
        if isinstance(outcome, Package) and outcome.module in packages:
            faults.append(
                Fault(source.folder, "", f"another service makes the package {outcome.module} too")
            )
        elif isinstance(outcome, Package):
            packages[outcome.module] = outcome.files
        else:
            faults.extend(outcome)
        progress(source)
    if faults:
        raise FaultyModel(faults)
    return packages


Outcome = Package | Sequence[Fault]


def _outcomes(sources: Sequence[Source]) -> Iterator[tuple[Source, Outcome]]:
    if len(sources) <= FEW:
        yield from _each(sources, map(_attempt, sources))
        return
    with ProcessPoolExecutor(min(cpu_count() or 1, len(sources))) as pool:
        yield from _each(sources, pool.map(_attempt, sources))


def _each(
    sources: Iterable[Source], outcomes: Iterable[Outcome]
) -> Iterator[tuple[Source, Outcome]]:
    yield from zip(sources, outcomes, strict=True)


def _attempt(source: Source) -> Outcome:
    """Faults come back as a value, which goes from process to process as an exception may not."""
    try:
        return generate(source)
    except FaultyModel as error:
        return error.faults
