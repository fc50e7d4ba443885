"""The commands: what they say, do and return."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codegen import __main__, cli
from codegen.cli import main
from tests.codegen import zoo

FILES = len(zoo.files())


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the zoo among its models."""
    shutil.copytree(zoo.MODELS, tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    """Run a command of the generator."""
    return CliRunner().invoke(main, arguments)


def program(
    command: str, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a command of the generator in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "codegen", command],
        stdout=stdout,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])},
        check=False,
    )


def test_generate_writes_and_then_finds_nothing_to_do(project: Path) -> None:
    """The second run changes no file."""
    first = run("generate")
    assert (first.exit_code, first.stdout) == (0, f"{FILES} files written in generated.\n")
    assert first.stderr == "zoo 2020-01-01\n"
    times = {path: path.stat().st_mtime_ns for path in project.glob("generated/zoo/*")}
    second = run("generate", "zoo")
    assert (second.exit_code, second.stdout) == (0, "Nothing has changed.\n")
    after = {path: path.stat().st_mtime_ns for path in project.glob("generated/zoo/*")}
    assert after == times


def test_check_is_silent_about_what_is_up_to_date() -> None:
    """Right after ``generate`` there is no difference."""
    run("generate")
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout == "The generated packages are up to date.\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("class Zoo", "class Farm"),
        lambda text: text + "\n",
        lambda text: text.replace("    ", "\t", 1),
    ],
)
def test_check_notices_an_edited_file(project: Path, edit: object) -> None:
    """The difference is shown as a unified diff, with the command that mends it."""
    run("generate")
    client = project / "generated" / "zoo" / "client.py"
    text = client.read_text()
    client.write_text(edit(text))  # type: ignore[operator]
    result = run("check", "zoo", "--output", "./generated")
    assert result.exit_code == 1
    assert "--- generated/zoo/client.py\n+++ generated/zoo/client.py\n@@" in result.stdout
    assert "1 files are not what would be generated" in result.stderr
    assert result.stderr.endswith("python -m codegen generate zoo\n")
    assert client.read_text() != text
    run("generate")
    assert client.read_text() == text


def test_check_notices_what_is_missing_and_what_is_too_much(project: Path) -> None:
    """Nothing generated, or a package without a model, is a difference."""
    assert run("check").exit_code == 1
    assert not (project / "generated").exists()
    run("generate")
    shutil.copytree(project / "generated" / "zoo", project / "generated" / "farm")
    result = run("check")
    assert result.exit_code == 1
    assert "+++ /dev/null" in result.stdout
    assert run("generate").stdout == f"{FILES} files deleted in generated.\n"
    assert not (project / "generated" / "farm").exists()


def test_the_command_that_mends_names_other_folders(project: Path) -> None:
    """Options that differ from their defaults are part of it."""
    (project / "models").rename("data")
    result = run("check", "--models", "data", "--output", "out")
    assert result.stderr.endswith("python -m codegen generate --models data --output out\n")


def test_the_manifest_chooses_operations(project: Path) -> None:
    """``generate`` and ``check`` read the same ``codegen.toml``."""
    (project / "models" / "codegen.toml").write_text('[zoo]\noperations = ["CloseGates"]\n')
    run("generate")
    client = (project / "generated" / "zoo" / "client.py").read_text()
    assert "1 of 6 operations" in client
    assert client.count("self._call(") == 1
    assert run("check").exit_code == 0
    (project / "models" / "codegen.toml").unlink()
    assert run("check").exit_code == 1


def test_import_copies_models_and_says_what_comes_next(project: Path) -> None:
    """A service of botocore can be generated after two commands."""
    result = run("import", "sqs", "iot-jobs-data")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        "Generate the clients with: python -m codegen generate sqs iot-jobs-data"
    )
    assert (project / "models" / "sqs" / "2012-11-05" / "service-2.json").is_file()
    assert run("generate", "sqs", "iot-jobs-data").exit_code == 0
    assert (project / "generated" / "iot_jobs_data" / "client.py").is_file()
    assert run("import", "sqss").exit_code == 1
    assert run("import").exit_code == 2


def test_list_shows_services_and_which_operations_need_more(project: Path) -> None:
    """A line for a service, and one for each operation that sends an event stream."""
    result = run("list")
    assert result.exit_code == 0
    assert result.stdout.split() == ["zoo", "2020-01-01", "json", "6", "operations"]
    model = project / "models" / "zoo" / "2020-01-01" / "service-2.json"
    text = model.read_text().replace('"DescribeAnimalRequest"}', '"WatchResponse"}')
    model.write_text(text)
    assert "DescribeAnimal needs HTTP/2 (use_curl=True)" in run("list").stdout


def test_explain_tells_what_is_decided_about_an_operation(project: Path) -> None:
    """Names, request, shapes, corrections and what is missing, a line for each."""
    (project / "models" / "codegen.toml").write_text('[zoo.methods]\nWatch = "watch_them"\n')
    result = run("explain", "zoo", "Watch")
    assert result.exit_code == 0
    told = topics(result)
    assert told["method"].startswith("zoo.Zoo.watch_them, ")
    assert told["result"] == "zoo.types.WatchResponse"
    assert told["request"] == "POST /"
    assert told["needs"] == "nothing special"
    assert told["sends"] == "nothing"
    assert told["gives"].split(", ")[0] == "WatchResponse"
    assert told["corrections"] == "of codegen.toml"
    assert told["generated"] == "yes"
    wrong = run("explain", "zoo", "Wach")
    assert wrong.exit_code == 1
    assert "there is no operation 'Wach'; did you mean Watch?" in wrong.stderr


def test_explain_tells_the_parameters_as_callers_write_them() -> None:
    """In the order of the signature, and by the names that corrections give them."""
    told = topics(run("explain", "logs", "CreateExportTask", *REAL))
    assert told["parameters"].split(", ")[:3] == ["logGroupName", "fromTime", "to"]


def topics(result: Result) -> dict[str, str]:
    """Return what ``explain`` said, by topic."""
    assert result.exit_code == 0, result.stderr
    return {line[:12].strip(): line[12:].strip() for line in result.stdout.splitlines()}


REAL = ("--models", str(Path(__file__).parents[2] / "models"))


@pytest.mark.parametrize(
    ("service", "operation", "name"),
    [
        ("dynamodb", "DescribeTable", "X-Amz-Target: DynamoDB_20120810.DescribeTable"),
        ("iam", "ListUsers", "Action=ListUsers&Version=2010-05-08"),
        ("ec2", "DescribeVpcs", "Action=DescribeVpcs&Version=2016-11-15"),
        ("s3", "GetObject", "GET /{Bucket}/{Key+}"),
    ],
)
def test_explain_tells_the_name_on_the_wire(service: str, operation: str, name: str) -> None:
    """It is what one looks for in a log of requests."""
    assert topics(run("explain", service, operation, *REAL))["wire name"] == name


def test_explain_tells_which_types_are_corrected() -> None:
    """Those of the shapes that the operation sends or gives."""
    for operation, told in (
        ("GetRole", "policies in results are decoded"),
        ("DeleteRole", "none"),
    ):
        assert topics(run("explain", "iam", operation, *REAL))["corrections"] == told


@pytest.mark.parametrize(
    ("options", "url", "signed"),
    [
        ([], "https://s3.us-east-1.amazonaws.com", "sigv4, for s3 in us-east-1"),
        (
            ["Region=eu-west-1", "Bucket=b-1", "UseDualStack=true"],
            "https://b-1.s3.dualstack.eu-west-1.amazonaws.com",
            "sigv4, for s3 in eu-west-1",
        ),
    ],
)
def test_explain_tells_the_endpoint_for_options(options: list[str], url: str, signed: str) -> None:
    """Parameters are those of the rules; `true` and `false` are no texts."""
    given = [each for option in options for each in ("--endpoint", option)]
    told = topics(run("explain", "s3", "GetObject", *given, *REAL))
    assert (told["endpoint"], told["signed"]) == (url, signed)


def test_explain_tells_how_an_operation_is_paged() -> None:
    """What its items are, where its tokens go, and what bounds a page."""
    assert topics(run("explain", "dynamodb", "Scan", *REAL))["paginator"] == (
        "items of Items, ExclusiveStartKey from LastEvaluatedKey, page size Limit"
    )
    assert topics(run("explain", "dynamodb", "GetItem", *REAL))["paginator"] == "none"


def test_explain_tells_where_endpoints_are_discovered() -> None:
    """It is not said of operations that are sent to the usual host anyway."""
    assert topics(run("explain", "dynamodb", "GetItem", *REAL))["discovery"] == "possible"
    assert "discovery" not in topics(run("explain", "s3", "GetObject", *REAL))


def test_explain_tells_why_there_is_no_endpoint() -> None:
    """The text is the rule's own, and a parameter that there is not is named."""
    fips = ("--endpoint", "Region=cn-north-1", "--endpoint", "UseFIPS=true")
    told = topics(run("explain", "s3", "GetObject", *fips, *REAL))
    assert told["endpoint"] == "none: Partition does not support FIPS"
    told = topics(run("explain", "s3", "GetObject", "--endpoint", "Bukket=b", *REAL))
    assert "no parameter Bukket" in told["endpoint"]
    wrong = run("explain", "s3", "GetObject", "--endpoint", "Bucket", *REAL)
    assert wrong.exit_code == 2
    assert "'Bucket' is not NAME=VALUE" in wrong.stderr


def test_explain_tells_what_goes_before_the_host_and_what_is_not_signed() -> None:
    """Both are the operation's own."""
    told = topics(run("explain", "stepfunctions", "StartSyncExecution", *REAL))
    assert told["endpoint"] == "https://states.us-east-1.amazonaws.com, 'sync-' before the host"
    told = topics(run("explain", "sts", "AssumeRoleWithSAML", *REAL))
    assert told["signed"] == "no"


def test_a_file_that_cannot_be_written_is_one_message(project: Path) -> None:
    """An error of the file system is no traceback."""
    (project / "generated").mkdir()
    (project / "generated" / "zoo").write_text("a file, not a folder")
    result = run("generate")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Cannot read or write a file: ")


def test_processes_end_with_the_program_that_is_killed() -> None:
    """Whoever reads its output, as a build does, sees the end of it when the program is gone."""
    killed = (
        "import os, pathlib, signal\n"
        "from codegen import load, manifest, pipeline\n"
        "(source,) = load.find(pathlib.Path('models'))\n"
        "outcomes = pipeline._outcomes([(source, manifest.Wishes(), pathlib.Path())] * 3)\n"
        "next(outcomes)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", killed],
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    "command", [[], ["generate"], ["check"], ["import"], ["list"], ["explain"]]
)
def test_every_command_explains_itself(command: list[str]) -> None:
    """``--help`` tells what a command does, its arguments and its defaults."""
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    if command:
        assert "--models" in result.stdout
        assert "[default: models]" in result.stdout


def test_a_terminal_sees_a_bar_and_a_log_sees_lines(project: Path) -> None:
    """The bar moves on standard error alone; elsewhere each service is a line."""
    reader, terminal = os.openpty()
    try:
        done = program("generate", stderr=terminal)
        shown = os.read(reader, 10_000).decode()
    finally:
        os.close(terminal)
        os.close(reader)
    assert (done.returncode, done.stdout) == (0, f"{FILES} files written in generated.\n")
    assert "Generating" in shown
    assert "100%" in shown
    assert program("generate").stderr == "zoo 2020-01-01\n"


def test_who_stops_reading_is_told_nothing(project: Path) -> None:
    """A pipe that is closed early (``list | head -1``) is no fault of a model or of a file."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program("list", stdout=writer)
    finally:
        os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize("missing", ["black", "click", "jinja2", "jmespath"])
def test_without_the_extra_it_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is installed with the library, what it needs is not, or not all of it."""
    monkeypatch.setattr(
        __main__, "find_spec", lambda name: None if name == missing else find_spec(name)
    )
    with pytest.raises(SystemExit, match=rf"'tornado-aws\[codegen\]' \(without {missing} here"):
        __main__.main()
