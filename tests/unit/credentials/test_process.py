"""Credentials that a program prints."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ProcessProvider

from tests.support.credential_sources import keys, make_context
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.process import Process
from tornado_aws.exceptions import CredentialsError

WHOLE = {"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "hush"}


def command(program: str) -> str:
    return f"{shlex.quote(sys.executable)} -S -c {shlex.quote(program)}"


def printing(text: str) -> str:
    return command(f"print({text!r})")


def load(line: str, more: str = "", timeout: float = 30.0) -> Credentials:
    context = make_context(f"[default]\ncredential_process = {line}\n{more}")
    return asyncio.run(Process(context, timeout=timeout).load(None))


@pytest.mark.parametrize(
    "document",
    [
        WHOLE,
        {**WHOLE, "SessionToken": "t"},
        {**WHOLE, "AccountId": "123456789012"},
        {**WHOLE, "AccountId": ""},
        {**WHOLE, "SessionToken": "t", "Expiration": "2030-01-02T03:04:05Z"},
    ],
)
@pytest.mark.parametrize("more", ["", "aws_account_id = 999999999999"])
def test_documents_mean_what_they_mean_to_botocore(document: dict[str, Any], more: str) -> None:
    """The same keys, token and account."""
    line = printing(json.dumps(document))
    profile = {"credential_process": line}
    if more:
        profile["aws_account_id"] = more.rpartition(" ")[2]
    expected = ProcessProvider("default", lambda: {"profiles": {"default": profile}}).load()
    found = load(line, more)
    assert keys(found) == (
        expected.get_frozen_credentials().access_key,
        expected.get_frozen_credentials().secret_key,
        expected.get_frozen_credentials().token,
    )
    assert found.account_id == expected.account_id
    assert (found.source, found.expiration is not None) == ("process", "Expiration" in document)


def test_no_command_is_no_source() -> None:
    """A profile without the property is passed over."""
    with pytest.raises(Absent, match="no credential_process"):
        asyncio.run(Process(make_context("[default]")).load(None))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (printing("hush"), "not JSON"),
        (printing("[]"), "not a JSON object"),
        (printing("{}"), "Version"),
        (printing(json.dumps({**WHOLE, "Version": 2})), "Version"),
        (printing(json.dumps({"Version": 1, "AccessKeyId": "A"})), "no SecretAccessKey"),
        (printing(json.dumps({**WHOLE, "Expiration": "soon"})), "ISO 8601"),
        (command("raise SystemExit(3)"), "status 3.* run credential_process by hand"),
        (command("import sys; sys.exit('hush')"), "status 1"),
        (command("print('hush' * 100_000)"), "more than 262144 bytes"),
        ("/nowhere/program --x", "'/nowhere/program' cannot be run: No such file"),
        ("'open", "cannot be split into words"),
        ('""', "cannot be run"),
    ],
)
def test_a_program_that_fails_is_an_error_without_its_output(line: str, reason: str) -> None:
    """The error says what is wrong; what the program printed may be a secret."""
    with pytest.raises(CredentialsError, match=reason) as caught:
        load(line)
    assert caught.value.source == "process"
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"


def test_no_shell_runs_the_command(tmp_path: Path) -> None:
    """What a shell would act upon is an argument like any other."""
    file = tmp_path / "made"
    program = "import json, sys; print(json.dumps({'Version': 1, 'AccessKeyId': repr(sys.argv[1:]),"
    program += "'SecretAccessKey': 'x'}))"
    found = load(
        f"{command(program)} && touch {file} > {file} '$HOME' \"a b\" c\\ d `touch {file}`"
    )
    words = ["&&", "touch", file, ">", file, "$HOME", "a b", "c d", "`touch", f"{file}`"]
    assert found.access_key == repr(list(map(str, words)))
    assert not file.exists()


finds_children = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="without /proc the program alone is killed"
)


@finds_children
def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """The bound holds, and nothing is left running."""
    file = tmp_path / "pid"
    program = (
        "import subprocess, sys, time;"
        " child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)']);"
        f" open({str(file)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    begin = time.monotonic()
    with pytest.raises(CredentialsError, match="did not end within 1 seconds"):
        load(command(program), timeout=1.0)
    assert time.monotonic() - begin < 20
    assert _has_ended(int(file.read_text()))


def _has_ended(pid: int) -> bool:
    for _ in range(500):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@finds_children
def test_what_left_the_session_is_killed_too(tmp_path: Path) -> None:
    """It counts who started it; here a child's child, in a session of its own."""
    file = tmp_path / "pid"
    python = [sys.executable, "-S", "-c"]
    inner = f"import os, time; open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    middle = f"import subprocess; subprocess.run({[*python, inner]!r}, start_new_session=True)"
    outer = f"import subprocess; subprocess.run({[*python, middle]!r})"

    async def main() -> None:
        context = make_context(f"[default]\ncredential_process = {command(outer)}")
        task = asyncio.create_task(Process(context).load(None))
        await _until_written(file)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert _has_ended(int(file.read_text()))


async def _until_written(file: Path) -> None:
    while not _is_written(file):  # noqa: ASYNC110 - set by a process
        await asyncio.sleep(0.01)


def _is_written(file: Path) -> bool:
    return file.exists() and file.read_text() != ""


def test_a_program_that_leaves_its_output_to_another_has_the_bound_too(tmp_path: Path) -> None:
    """Nobody waits for what a daemon may still print, a thread of ours neither."""
    file = tmp_path / "pid"
    program = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-S', '-c',"
        " 'import time; time.sleep(60)'], start_new_session=True);"
        f" open({str(file)!r}, 'w').write(str(child.pid))"
    )
    begin = time.monotonic()
    with pytest.raises(CredentialsError, match="did not end within 1 seconds"):
        load(command(program), timeout=1.0)
    assert time.monotonic() - begin < 20
    os.kill(int(file.read_text()), signal.SIGKILL)


def test_a_program_that_closes_its_output_and_runs_on_has_the_bound_too() -> None:
    """The end of the output is not the end of the program."""
    program = "import os, time; os.close(1); time.sleep(60)"
    with pytest.raises(CredentialsError, match=r"did not end within 0\.5 seconds"):
        load(command(program), timeout=0.5)


def test_a_flood_of_errors_neither_blocks_nor_shows(caplog: pytest.LogCaptureFixture) -> None:
    """Standard error is not read, so a program can write there what it likes."""
    caplog.set_level(logging.DEBUG)
    program = f"import sys; sys.stderr.write('hush' * 1_000_000); print({json.dumps(WHOLE)!r})"
    assert load(command(program)).access_key == "AKID"
    assert "hush" not in caplog.text


def test_cancelling_kills_the_program(tmp_path: Path) -> None:
    """A caller that gives up leaves no program behind."""
    file = tmp_path / "pid"
    program = f"import os, time; open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    async def main() -> None:
        context = make_context(f"[default]\ncredential_process = {command(program)}")
        task = asyncio.create_task(Process(context).load(None))
        await _until_written(file)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert _has_ended(int(file.read_text()))


# Asks on the terminal, and prints the answer as the access key.
ASKING_THE_TERMINAL = """
import json
with open("/dev/tty", "r+b", buffering=0) as terminal:
    terminal.write(b"Code: ")
    code = terminal.readline().decode().strip()
print(json.dumps({"Version": 1, "AccessKeyId": code, "SecretAccessKey": "hush"}))
"""
ASKING_BY_INPUT = """
import json, sys
print("Code: ", end="", file=sys.stderr, flush=True)
print(json.dumps({"Version": 1, "AccessKeyId": input(), "SecretAccessKey": "hush"}))
"""
# What a user runs in a terminal: its session's first process, which makes that its terminal.
PROGRAM = """
import asyncio, fcntl, sys, termios
from tests.support.credential_sources import make_context
from tornado_aws.credentials.providers.process import Process
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
context = make_context(f"[default]\\ncredential_process = {sys.argv[1]}")
print(asyncio.run(Process(context).load(None)).access_key)
"""


@pytest.mark.parametrize("program", [ASKING_THE_TERMINAL, ASKING_BY_INPUT])
def test_a_program_may_ask_its_user_on_the_terminal(program: str, tmp_path: Path) -> None:
    """As it does under the AWS CLI; what it prints there is for the user."""
    file = tmp_path / "ask.py"
    file.write_text(program)
    ours, theirs = pty.openpty()
    line = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(file))}"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, line],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        text=True,
    ) as user:
        os.close(theirs)
        seen = b""
        while b"Code: " not in seen:
            seen += os.read(ours, 1000)  # fails when the last one closes the terminal
        os.write(ours, b"AKIDTYPED\n")
        output, _ = user.communicate()
    os.close(ours)
    assert output == "AKIDTYPED\n"


def test_a_program_that_fails_says_why_to_the_user_alone() -> None:
    """On the terminal, and neither in the error nor where errors are kept."""
    ours, theirs = pty.openpty()
    program = PROGRAM.replace("fcntl.ioctl(0, termios.TIOCSCTTY, 0)", "")
    program = program.replace("print(", "try: print(") + "except Exception as error: print(error)"
    line = command("import sys; sys.exit('hush')")
    texts = []
    for stderr in (theirs, subprocess.PIPE):
        arguments = [sys.executable, "-c", program, line]
        done = subprocess.run(
            arguments, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True
        )
        assert "hush" not in f"{done.stdout}{done.stderr or ''}"
        texts.append(done.stdout)
    assert os.read(ours, 1000) == b"hush\r\n"
    for descriptor in (ours, theirs):
        os.close(descriptor)
    assert "status 1; see what it has written to the terminal" in texts[0]
    assert "status 1; what it says of that is not shown" in texts[1]


def test_a_program_takes_nothing_of_what_is_piped_to_ours() -> None:
    """Input that is no terminal's is for the program that uses this library."""
    answer = json.dumps({**WHOLE, "AccessKeyId": "x"})
    line = command(f"import sys; print({answer!r}.replace('x', 'A' + sys.stdin.read()))")
    ours = PROGRAM.replace("fcntl.ioctl(0, termios.TIOCSCTTY, 0)", "")
    done = subprocess.run(
        [sys.executable, "-c", f"{ours}print(sys.stdin.read())", line],
        input="for us",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "A\nfor us\n"


def test_the_loop_goes_on_while_the_program_runs() -> None:
    """Starting it and waiting for it happen in a thread."""

    async def main() -> None:
        context = make_context(
            f"[default]\ncredential_process = {command('import time; time.sleep(0.2); print(1)')}"
        )
        task = asyncio.create_task(Process(context).load(None))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 20
        with pytest.raises(CredentialsError):
            await task

    asyncio.run(main())
