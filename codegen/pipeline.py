"""From models to packages: the list of passes, over many services at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from .endpoints import endpoints_text, rule_faults
from .faults import Fault, FaultyModel
from .format import format_text
from .load import Model, Source, load
from .manifest import Wishes
from .name import name, refused_names
from .override import Names, decided_names, obsolete, override
from .overrides import corrections
from .publish import read_text
from .render import package_of, render
from .resolve import resolve
from .select import select, unknown_operations
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


def generate(loaded: Model, wishes: Wishes, output: Path | None = None) -> Package:
    """Generate the package of one service.

    Args:
        loaded: its model, as its files have it.
        wishes: what is wanted of it.
        output: the folder of packages, where texts that are there already are taken from.

    Raises:
        FaultyModel: something is wrong with its model or with what is wished.
    """
    model, decided = prepare(loaded, wishes)
    selection = select(model, wishes.operations)
    names = name(selection, decided)
    package = package_of(selection, names)
    texts = {
        **render(selection, names, resolve(selection)),
        "endpoints.py": endpoints_text(model, selection, package.header, package.title),
    }
    return Package(
        names.module,
        {
            file: text if file in UNFORMATTED else _formatted(text, output, names.module, file)
            for file, text in texts.items()
        },
    )


def prepare(model: Model, wishes: Wishes) -> tuple[Model, Names]:
    """Validate and correct the model of one service.

    Returns:
        The model, in which all is as it should be, and the names that corrections decide.

    Raises:
        FaultyModel: with all that is wrong with the model or with what is wished.
    """
    overrides = [*corrections(model.source.service), *wishes.overrides]
    decided = decided_names(overrides)
    faults = [
        *validate(model),
        *obsolete(model, overrides),
        *unknown_operations(model, wishes.operations),
        *refused_names(model, decided, wishes.operations),
    ]
    if faults:  # the rules are compiled later, or here for the sake of their faults
        raise FaultyModel([*faults, *rule_faults(model)])
    return override(model, overrides), decided


def _formatted(text: str, output: Path | None, module: str, file: str) -> str:
    path = output / module / file if output else None
    return format_text(text, read_text(path) if path and path.is_file() else "")


def generate_all(
    sources: Sequence[Source],
    manifest: Mapping[str, Wishes],
    output: Path,
    progress: Callable[[Source], object],
) -> dict[str, dict[str, str]]:
    """Generate the packages of many services, in processes side by side.

    Args:
        sources: the models.
        manifest: what is wished of the services, by service.
        output: the folder of packages; it is read, not written.
        progress: is called with each service that is done.

    Returns:
        File texts by file name by module.

    Raises:
        FaultyModel: with everything that is wrong with any of the models.
    """
    faults: list[Fault] = []
    packages: dict[str, dict[str, str]] = {}
    jobs = [(source, manifest.get(source.service, Wishes()), output) for source in sources]
    for source, outcome in zip(sources, _outcomes(jobs), strict=True):
        if isinstance(outcome, Package):
            if outcome.module in packages:
                message = f"another service makes the package {outcome.module} too"
                faults.append(Fault(source.folder, "", message))
            packages[outcome.module] = outcome.files
        else:
            faults.extend(outcome)
        progress(source)
    if faults:
        raise FaultyModel(faults)
    return packages


Job = tuple[Source, Wishes, Path]
Outcome = Package | Sequence[Fault]


def _outcomes(jobs: Sequence[Job]) -> Iterator[Outcome]:
    if len(jobs) <= FEW:
        yield from map(_attempt, jobs)
        return
    count = min(os.cpu_count() or 1, len(jobs))
    with ProcessPoolExecutor(count, initializer=_end_with_parent) as pool:
        yield from pool.map(_attempt, jobs)


def _end_with_parent() -> None:
    """Let a process of the pool end when the program is killed: it would wait for work for ever."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _attempt(job: Job) -> Outcome:
    """Faults come back as a value, which goes from process to process as an exception may not."""
    source, wishes, output = job
    try:
        return generate(load(source), wishes, output)
    except FaultyModel as error:
        return error.faults
