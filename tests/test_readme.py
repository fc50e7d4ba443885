"""What the README and the pages of the documentation show is run, against the local AWS.

The Python blocks of a page are run in order, as typed into ``python -m asyncio``: they share their
names and may await. A ``text`` block that follows is what the block before it must have printed.
Console lines that call the code generator are run as well.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest

from examples.local_aws import LocalAWS
from tornado_aws import AWSClient

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.rst", ROOT / "CONTRIBUTING.rst", *sorted((ROOT / "docs").glob("*.rst"))]

BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:(?:\1    .*)?\n)+)", re.MULTILINE)
GENERATOR = "$ tornado-aws-codegen "

TABLE = """{
    "TableName": "songs", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "title", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "title", "KeyType": "HASH"}]
}"""


Table = dict[str, list[float]]


class Block(NamedTuple):
    """A block of code.

    Attributes:
        language: what it is written in.
        text: the code, without its indentation.
        line: the line of the page on which it begins, counted from 1.
    """

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Find the blocks of code of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found[2],
            dedent(found[3]).strip("\n") + "\n",
            text.count("\n", 0, found.start(3)) + 1,
        )
        for found in BLOCK.finditer(text)
    ]


@pytest.fixture(scope="module")
def songs(aws: LocalAWS) -> LocalAWS:
    """Make the table that the examples look at."""
    with AWSClient(
        "dynamodb", None, aws.region, aws.access_key, aws.secret_key, None, aws.endpoint
    ) as client:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.CreateTable",
        }
        assert client.fetch("POST", "/", headers=headers, body=TABLE).code == 200
    return aws


@pytest.fixture
def place(songs: LocalAWS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Send what names no endpoint to the local AWS; work in a folder of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", songs.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", songs.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", songs.secret_key)
    monkeypatch.setenv("AWS_REGION", songs.region)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:  # what an example generated is this example's only
        if getattr(sys.modules[name], "__file__", None) and name.partition(".")[0] == "mine":
            del sys.modules[name]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name
)
def test_the_examples_run(page: Path, place: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Every example of the page runs and prints what the page says."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    with asyncio.Runner() as runner:
        for block in blocks(page):
            if block.language == "python":
                run_python(block, page, names, runner)
                printed = capsys.readouterr().out
            elif block.language == "console":
                run_console(block)
            elif block.language == "text":
                assert printed == block.text, f"{page.name}:{block.line}"


def run_python(block: Block, page: Path, names: dict[str, Any], runner: asyncio.Runner) -> None:
    """Run a block; an error's traceback names the line of the page."""
    text = "\n" * (block.line - 1) + block.text
    code = compile(text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(code, names)
    if inspect.iscoroutine(running):
        runner.run(running)


def run_console(block: Block) -> None:
    """Run the lines that call the code generator, and nothing else."""
    for line in block.text.splitlines():
        if line.startswith(GENERATOR):
            arguments = shlex.split(line.removeprefix(GENERATOR))
            command = [sys.executable, "-m", "tornado_aws.codegen", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_every_make_target_that_is_named_exists() -> None:
    """A page names no target that the Makefile does not list, and the Makefile describes each."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    listed = set(re.findall(r"^([a-z-]+):.*  # ", makefile, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:\$ |``)make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert listed == phony
    assert named <= listed


def test_the_page_of_options_is_up_to_date() -> None:
    """The page is what the table of the settings gives; `make docs` writes it anew."""
    page = runpy.run_path(str(ROOT / "docs" / "settings.py"))
    assert page["PAGE"].read_text(encoding="utf-8") == page["render"]()


# What the README says of performance, how many times less it is: the recorded tables, the rows of
# each that it is about, and how the table tells it: as a ratio, a factor, or against another row.
CLAIMS: list[tuple[int, str, list[str], Callable[[Table, str], float]]] = [
    (12, "calls", ["tornado-aws"], lambda table, row: 1 / table[row][1]),
    (12, "calls-50", ["tornado-aws"], lambda table, row: 1 / table[row][1]),
    (10, "calls-tls", ["tornado-aws"], lambda table, row: 1 / table[row][1]),
    (18, "calls-100kb", ["tornado-aws"], lambda table, row: 1 / table[row][1]),
    (
        15,
        "signing-200b",
        ["tornado-aws sign", "tornado-aws sign, way of a call"],
        lambda table, row: table[row][1],
    ),
    (
        10,
        "results",
        ["DynamoDB Query, 100 KB", "S3 ListObjectsV2, 1,000 keys", "EC2 DescribeInstances, 100"],
        lambda table, row: table[row][3],
    ),
    (
        20,
        "startup",
        ["tornado-aws DynamoDB", "tornado-aws S3", "tornado-aws EC2"],
        lambda table, row: table[row.replace("tornado-aws", "boto3")][3] / table[row][3],
    ),
]


def measured(name: str) -> Table:
    """Return a recorded table of the page of performance: the numbers of each row by its name."""
    text = (ROOT / "docs" / "performance.rst").read_text(encoding="utf-8")
    found = re.search(rf"^\.\. begin {name}\n(.*?)^\.\. end", text, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    lines = found[1].splitlines()
    first, second, last = (at for at, line in enumerate(lines) if line.startswith("="))
    columns = [match.span() for match in re.finditer("=+", lines[first])]
    rows = [
        [line[start:end].strip() for start, end in columns] for line in lines[second + 1 : last]
    ]
    return {row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in rows}


def test_the_readme_claims_no_more_than_was_measured() -> None:
    """Each number of the first screen holds for every row that it is about."""
    text = (ROOT / "README.rst").read_text(encoding="utf-8")
    said = {int(each) for each in re.findall(r"(\d+) times\s+less", text)}
    assert said == {times for times, *_ in CLAIMS}
    for times, name, rows, factor in CLAIMS:
        table = measured(name)
        for row in rows:
            assert factor(table, row) >= times, (name, row)


def test_the_services_that_are_checked_in_are_listed() -> None:
    """README and changelog name each folder of models, and no other."""
    checked_in = {folder.name for folder in (ROOT / "models").iterdir() if folder.is_dir()}
    for page, row in [
        ("README.rst", r"^Services checked in (.*(?:\n   .*)*)"),
        ("CHANGELOG.rst", r"The services here:\s([^;]*);"),
    ]:
        found = re.search(row, (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert found is not None, page
        assert set(re.findall(r"[a-z0-9-]+", found[1])) == checked_in, page
