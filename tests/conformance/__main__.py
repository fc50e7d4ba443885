"""Compare every operation of every service with botocore: ``python -m tests.conformance``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random
from typing import TextIO

from . import models
from .differential import (
    Case,
    Difference,
    cases,
    error_difference,
    operations,
    request_difference,
    result_difference,
)
from .random_params import Unbounded
from .responders import RESPONDERS
from .wire import Pair

Compare = Callable[[Case], Difference | None]

PARTS: Mapping[str, Compare] = {
    "request": request_difference,
    "result": result_difference,
    "error": error_difference,
}
COLUMNS = ("services", "operations", *PARTS, "sent", "different")


class Tally:
    """What was compared, and what differed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.differences: list[str] = []

    def add(self, other: Tally) -> None:
        """Add what was compared elsewhere."""
        self.counts += other.counts
        self.differences += other.differences

    def compare(self, case: Case, parts: Mapping[str, Compare]) -> None:
        """Compare every part of a case."""
        for part, difference_of in parts.items():
            try:
                difference = difference_of(case)
            except Unbounded:
                continue
            except Exception as error:
                self._differs(f"{part} of {case} cannot be compared: {error!r}")
            else:
                if difference:
                    self._differs(str(difference))
            self.counts[part] += 1

    def _differs(self, text: str) -> None:
        self.counts["different"] += 1
        self.differences.append(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; return the exit status."""
    options = _options(arguments)
    tallies: dict[str, Tally] = {}
    chosen = _chosen(options)
    with ProcessPoolExecutor() as pool:
        found = pool.map(partial(_compare_service, options=options), chosen)
        for (protocol, _), tally in zip(_progress(chosen, sys.stderr), found, strict=True):
            tallies.setdefault(protocol, Tally()).add(tally)
    differences = [text for tally in tallies.values() for text in tally.differences]
    sys.stdout.write("\n\n".join([_table(tallies), *differences[: options.show]]) + "\n")
    return 1 if differences else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("service", nargs="*", help="only these services (default: all)")
    parser.add_argument("--protocol", action="append", choices=RESPONDERS, help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default: 1)")
    parser.add_argument("--operations", type=int, help="at most so many operations of a service")
    parser.add_argument("--show", type=int, default=10, help="differences to print (default: 10)")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[tuple[str, str]]:
    protocols = options.protocol or list(RESPONDERS)
    return [
        (protocol, service)
        for protocol in protocols
        for service in models.services(protocol)
        if not options.service or service in options.service
    ]


def _compare_service(chosen: tuple[str, str], options: argparse.Namespace) -> Tally:
    _, service = chosen
    tally = Tally()
    supported = frozenset(operations(service))
    names = models.ours(service).operation_names
    tally.counts["services"] += 1
    if options.operations is not None and len(names) > options.operations:
        names = Random(f"{service}.{options.seed}").sample(names, options.operations)
    tally.counts["operations"] += len(names)
    seeds = range(options.seed, options.seed + options.seeds)
    with Pair(service) as pair:
        sent: Mapping[str, Compare] = {"sent": pair.difference}
        for case in cases(service, names, seeds):
            tally.compare(case, {**PARTS, **sent} if case.operation in supported else sent)
    return tally


def _progress(items: list[tuple[str, str]], file: TextIO) -> Iterator[tuple[str, str]]:
    """Yield the items, on a terminal with a bar."""
    started = time.monotonic()
    for index, item in enumerate(items):
        if file.isatty():
            done = 30 * index // len(items)
            bar = "#" * done + "." * (30 - done)
            file.write(f"\r[{bar}] {index}/{len(items)} {item[1]:<40.40}")
            file.flush()
        yield item
    clear = "\r" + " " * 90 + "\r" if file.isatty() else ""
    file.write(f"{clear}{len(items)} services in {time.monotonic() - started:.0f} s\n")


def _table(tallies: dict[str, Tally]) -> str:
    rows = [f"{'protocol':<20}" + "".join(f"{column:>12}" for column in COLUMNS)]
    for protocol, tally in tallies.items():
        rows.append(f"{protocol:<20}" + "".join(f"{tally.counts[name]:>12}" for name in COLUMNS))
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
