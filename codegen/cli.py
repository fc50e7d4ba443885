"""Command line of the generator."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from .explain import explain
from .faults import FaultyModel
from .importer import import_services
from .load import Source, find
from .manifest import Wishes, read_manifest
from .pipeline import generate_all
from .publish import Changes, compare, diff, publish
from .report import Row, rows

MODELS = click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("models"),
    show_default=True,
    help="Folder of models: <service>/<api-version>/service-2.json, plain or .gz, and what belongs"
    " to it. botocore's data folder can be given as it is.",
)
OUTPUT = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("generated"),
    show_default=True,
    help="Folder of the generated packages.",
)
SERVICES = click.argument("services", nargs=-1, metavar="[SERVICE]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Generate typed asynchronous AWS clients from service models.

    \b
    A service of your own in two steps:
      import SERVICE      copy its model from the installed botocore into models/
      generate SERVICE    write its package into generated/

    Every command exits with 0 when all is well, 1 when something is wrong with a model or what is
    on disk is out of date, and 2 when it is called wrongly.
    """


@main.command(short_help="Write the packages of services.")
@SERVICES
@MODELS
@OUTPUT
def generate(services: tuple[str, ...], models: Path, output: Path) -> None:
    """Write the packages of services, of all in the folder of models when none is named.

    Files that would not change are not touched. Files that are no longer generated are deleted;
    files without the generator's first line are never touched. When anything is wrong with any of
    the models, everything that is wrong is listed and nothing is written.

    \b
    A file codegen.toml in the folder of models chooses operations and gives names:
      [dynamodb]
      operations = ["GetItem", "PutItem"]
      [my-service.methods]
      Import = "import_data"
      [my-service.parameters.CreateReport]
      from = "from_time"
    """
    with _faults_end_the_program():
        changes = _changes(services, models, output)
        publish(changes)
    click.echo(_summary(changes))


@main.command(short_help="Tell whether the packages on disk are up to date.")
@SERVICES
@MODELS
@OUTPUT
def check(services: tuple[str, ...], models: Path, output: Path) -> None:
    """Tell whether the packages on disk are what would be generated; write nothing.

    When they are not, show the difference as a unified diff and exit with 1.
    """
    with _faults_end_the_program():
        changes = _changes(services, models, output)
    if not changes:
        click.echo("The generated packages are up to date.")
        return
    for line in diff(changes):
        click.echo(line, nl=not line.endswith("\n"))
    command = " ".join([_program(), "generate", *services, *_options(models, output)])
    click.echo(
        f"{len(changes.write) + len(changes.delete)} files are not what would be generated: either"
        " a model or the generator has changed, or somebody edited a generated file.\n"
        f"Bring them up to date with: {command}",
        err=True,
    )
    sys.exit(1)


@main.command(name="import", short_help="Copy models from the installed botocore.")
@click.argument("services", nargs=-1, required=True, metavar="SERVICE...")
@MODELS
def import_(services: tuple[str, ...], models: Path) -> None:
    """Copy models from the installed botocore, without AWS's documentation texts."""
    with _faults_end_the_program():
        copies = import_services(services, models)
    for source in copies:
        click.echo(f"{source.folder}: {', '.join(path.name for path in source.files)}")
    command = " ".join([_program(), "generate", *services, *_options(models)])
    click.echo(f"Generate the clients with: {command}")


@main.command(
    name="list", short_help="List services, and operations that need more than the default."
)
@SERVICES
@MODELS
def list_(services: tuple[str, ...], models: Path) -> None:
    """List services with API version, protocol, number of operations, and what some need."""
    with _faults_end_the_program():
        for row in rows(find(models, services)):
            _show(row)


@main.command(name="explain", short_help="Tell what is decided about an operation.")
@click.argument("service")
@click.argument("operation")
@MODELS
@click.option(
    "--endpoint",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the endpoint rules, such as Region=eu-west-1, UseFIPS=true or Bucket=b.",
)
def explain_(service: str, operation: str, models: Path, endpoint: tuple[str, ...]) -> None:
    """Tell what is decided about an OPERATION of a SERVICE.

    Its names, request, endpoint, shapes, errors, paginator, waiters and corrections.
    """
    params = dict(_pair(text) for text in endpoint)
    with _faults_end_the_program():
        (source,) = find(models, [service])
        wishes = read_manifest(models, [source.service for source in find(models)])
        for topic, text in explain(source, operation, wishes.get(service, Wishes()), params):
            click.echo(f"{topic:12} {text}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--endpoint")
    return name, value


def _show(row: Row) -> None:
    click.echo(
        f"{row.service:36} {row.api_version:12} {row.protocol:20} {row.operations:5d} operations"
    )
    for operation, what in row.demanding:
        click.echo(f"    {operation} needs {what}")


def _changes(services: Sequence[str], models: Path, output: Path) -> Changes:
    """Do everything but writing."""
    sources = find(models, services)
    manifest = read_manifest(models, [source.service for source in find(models)])
    with _progress(len(sources)) as advance:
        packages = generate_all(sources, manifest, output, advance)
    return compare(packages, output, complete=not services)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Source], None]]:
    """Show a bar on a terminal, a line for each service elsewhere."""
    if not sys.stderr.isatty():
        yield lambda source: click.echo(f"{source.service} {source.api_version}", err=True)
        return
    with click.progressbar(
        length=total, label="Generating", file=sys.stderr, item_show_func=_service
    ) as bar:
        yield lambda source: bar.update(1, source)


def _service(source: Source | None) -> str:
    return source.service if source else ""


@contextmanager
def _faults_end_the_program() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever read the output has seen enough; click ends the program
        raise
    except OSError as error:
        click.echo(f"Cannot read or write a file: {error}", err=True)
        sys.exit(1)
    except FaultyModel as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        count = len(error.faults)
        click.echo(f"{count} {'fault' if count == 1 else 'faults'}; nothing was written.", err=True)
        sys.exit(1)


def _summary(changes: Changes) -> str:
    if not changes:
        return "Nothing has changed."
    parts = [f"{len(changes.write)} files written"] if changes.write else []
    parts += [f"{len(changes.delete)} files deleted"] if changes.delete else []
    return f"{', '.join(parts)} in {changes.output}."


def _program() -> str:
    return f"python -m {__package__}"


def _options(models: Path, output: Path = Path("generated")) -> Iterator[str]:
    """Yield the options of a command that differ from their defaults."""
    if models != Path("models"):
        yield f"--models {models}"
    if output != Path("generated"):
        yield f"--output {output}"
