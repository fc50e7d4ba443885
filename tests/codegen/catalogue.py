"""The whole catalogue: every service that botocore has, generated, imported and type-checked.

Run ``make catalogue`` (``python -m tests.codegen.catalogue --help``). The packages stay in
``.cache/catalogue``, so that a second run only does what has changed. It takes some minutes the
first time; `tests.codegen.test_catalogue` does a sample of it with the other tests.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.utils import get_service_module_name

from codegen.importer import data_folder
from codegen.load import find
from codegen.pipeline import generate_all
from codegen.publish import compare, publish
from codegen.spelling import module_name

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / ".cache" / "catalogue"

# Packages that mypy checks at once: more want more memory (EC2 has 4,000 types), fewer more time.
BATCH = 20


def generate(services: Sequence[str], output: Path) -> str:
    """Generate the packages of services, of all when none is named; say what was written."""
    sources = find(data_folder(), services)
    packages = generate_all(sources, {}, output, lambda source: None)
    changes = compare(packages, output, complete=not services)
    publish(changes)
    return f"{len(packages)} packages, {len(changes.write)} files written"


def names(services: Sequence[str]) -> list[str]:
    """Return the names of services, of all when none is named."""
    return [source.service for source in find(data_folder(), services)]


def faults(service: str, output: Path, loader: Loader) -> Iterator[str]:
    """Import a package and tell what botocore's client has under another name, or not at all."""
    module_path = f"{output.name}.{module_name(service)}"
    model = ServiceModel(loader.load_service_model(service, "service-2"), service)
    client_name = get_service_module_name(model)
    try:
        client: Any = getattr(importlib.import_module(module_path), client_name)
        for path in sorted((output / module_name(service)).glob("[!_]*.py")):
            importlib.import_module(f"{module_path}.{path.stem}")
        client(region="us-east-1", access_key="AKID", secret_key="SECRET")
    except Exception as error:
        yield f"{service}: {error!r}"
        return
    for operation in model.operation_names:
        if not callable(getattr(client, xform_name(operation), None)):
            yield f"{service}: {client_name} has no {xform_name(operation)}"


def check_types(modules: Sequence[str], output: Path) -> Iterator[str]:
    """Run mypy over batches of packages, strictly; give what it complains about."""
    path = os.pathsep.join([str(ROOT), str(output.parent)])
    for start in range(0, len(modules), BATCH):
        batch = [str(output / module) for module in modules[start : start + BATCH]]
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", *batch],
            cwd=ROOT,
            env={**os.environ, "MYPYPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        progress(f"types: {min(start + BATCH, len(modules))} of {len(modules)} packages")
        if done.returncode:
            yield done.stdout + done.stderr


def progress(text: str) -> None:
    """Show where the work is, on one line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")


def main() -> None:
    """Do what the command line says; exit with 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="all by default")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the packages")
    parser.add_argument("--no-types", action="store_true", help="leave mypy out")
    options = parser.parse_args()
    output = options.output.resolve()
    began = perf_counter()
    done = generate(options.services, output)
    sys.stdout.write(f"generated: {done}, {perf_counter() - began:.0f} s\n")
    services, loader = names(options.services), Loader()
    sys.path.insert(0, str(output.parent))
    found = [fault for service in services for fault in faults(service, output, loader)]
    sys.stdout.write(f"imported: {len(services)}, {perf_counter() - began:.0f} s\n")
    if not options.no_types:
        found += check_types(sorted(map(module_name, services)), output)
        sys.stdout.write(f"types checked: {perf_counter() - began:.0f} s\n")
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
