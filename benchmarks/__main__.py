"""Command line of the benchmarks: see benchmarks/README.rst."""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks.record import record
from benchmarks.rounds import Effort
from benchmarks.tables import Table, as_text

BENCHMARKS = ("calls", "transport", "protocols", "signing", "pieces", "startup")


def main() -> None:
    """Measure what the command line names, everything by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each candidate")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a turn, about")
    parser.add_argument("--record", action="store_true", help="write into docs/performance.rst")
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    found: list[Table] = []
    for name in options.names or BENCHMARKS:
        for table in import_module(f"benchmarks.{name}").tables(
            Effort(options.rounds, options.seconds)
        ):
            print(f"\n{as_text(table)}", flush=True)
            found.append(table)
            if options.record:
                record([table])


if __name__ == "__main__":
    main()
