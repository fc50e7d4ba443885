"""Credentials that a program of the user's prints.

It stays in our session and process group, so that it may ask its user on the terminal, as it does
under the AWS CLI: a program in another session has no terminal, and one in another group is stopped
when it reads from it. So what it has started is not a group of its own, and is looked for when the
program must end.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import load_object, parse_credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.exceptions import CredentialsError

__all__ = ["Process"]

# A program may ask its user for a password or a browser's consent; the SDK for Java waits as long.
TIMEOUT = 60.0
# Twenty times the longest session token, in bytes.
OUTPUT_LIMIT = 1 << 18
# How long a program that was killed may take to end, seconds.
_GRACE = 1.0


class Process:
    """``credential_process`` of the profile: a command, run without a shell."""

    name = "process"
    recheck = None

    def __init__(self, context: Context, *, timeout: float = TIMEOUT) -> None:
        self._context = context
        self._timeout = timeout

    async def load(self, rejected: Credentials | None) -> Credentials:
        section = await self._context.section()
        command = section.get("credential_process")
        if not isinstance(command, str) or not command:
            raise Absent(f"profile {self._context.profile!r} has no credential_process")
        document = load_object(await self._output(_words(command)), self.name)
        version = document.get("Version")
        if version != 1:
            raise _fault("the answer's Version is missing or not 1")
        credentials = parse_credentials(document, self.name)
        account_id = section.get("aws_account_id")
        if credentials.account_id is None and isinstance(account_id, str):
            return replace(credentials, account_id=account_id or None)
        return credentials

    async def _output(self, command: list[str]) -> bytes:
        run = _Run(command, self._timeout)
        try:
            return await asyncio.to_thread(run.output)
        except asyncio.CancelledError:
            # Not one of the loop's own threads: they may all be waiting for programs.
            threading.Thread(target=run.kill).start()
            raise


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if os.name == "nt":
        lexer.escape = ""  # there the backslash separates folders
    try:
        words = list(lexer)
    except ValueError as error:
        raise _fault(f"credential_process cannot be split into words: {error}") from None
    if not words:
        raise _fault("credential_process names no program")
    return words


class _Run:
    """One run of the program, in a thread: starting a process can block as long as a disk."""

    def __init__(self, command: list[str], timeout: float) -> None:
        self._command = command
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = threading.Lock()  # held while it starts and while it is killed

    def output(self) -> bytes:
        """Return what the program prints; blocks no longer than the timeout."""
        deadline = time.monotonic() + self._timeout
        process = self._start()
        try:
            output = _read(process, deadline)
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise _too_slow(self._timeout) from None
        finally:
            self.kill()
            _leave(process)
        if status != 0:
            raise _fault(f"the program ended with status {status}; {_where_it_says_why()}")
        return output

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._killed:
                raise _fault("nobody waits for the program any more")
            self._process = _started(self._command)
            return self._process

    def kill(self) -> None:
        """Kill the program and what it has started, if it runs; keep it from starting; blocks."""
        with self._lock:
            self._killed = True
            if self._process is None or self._process.poll() is not None:
                return
            if os.name == "nt":
                self._process.kill()
            else:
                _kill(self._process.pid)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own command, no shell
            command,
            stdin=_stdin(),
            stdout=subprocess.PIPE,
            stderr=_stderr(),
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        raise _fault(f"{command[0]!r} cannot be run: {reason}") from error


def _stdin() -> int | None:
    """Return what the program reads: our terminal; but nothing that is input for us alone."""
    return None if os.isatty(0) else subprocess.DEVNULL


def _stderr() -> int | None:
    """Return where the program complains and asks: to its user on our terminal, or to nobody.

    Nobody knows what it says there; a secret must not get into a log.
    """
    return None if os.isatty(2) else subprocess.DEVNULL


def _where_it_says_why() -> str:
    if os.isatty(2):
        return "see what it has written to the terminal"
    return (
        "what it says of that is not shown, for it may hold secrets: run credential_process by hand"
        " to see it"
    )


def _kill(pid: int) -> None:
    """Kill a process and its descendants."""
    # One that is stopped starts no other ones while they are looked for. Nor does it take note of
    # their ends, so that their ids stay theirs.
    _signal(pid, signal.SIGSTOP)
    for child in _children(pid):
        _kill(child)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # ended; or run by another user, by sudo
        os.kill(pid, number)


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started; none where the system has no /proc."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == pid]


def _parent(process: Path) -> int | None:
    try:
        # The program's name stands in parentheses and may hold others; state and parent follow.
        return int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:  # it has ended
        return None


def _leave(process: subprocess.Popen[bytes]) -> None:
    """Be done with a program that has ended or was killed, and wait for no other one."""
    if process.stdout is not None:
        process.stdout.close()
    with suppress(subprocess.TimeoutExpired):  # run by another user, and not ours to kill
        process.wait(_GRACE)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read the program's output to its end, which may come later than the program's.

    Raises:
        subprocess.TimeoutExpired: the end has not come in time: the program runs on, or another one
            that it has started holds its output open.
        CredentialsError: there is too much of it.
    """
    if os.name == "nt":  # pipes cannot be waited for there, so another thread reads
        output, _ = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
        return _limited(output)
    output = b""
    with selectors.DefaultSelector() as selector:
        key = selector.register(process.stdout or -1, selectors.EVENT_READ)
        while True:
            patience = deadline - time.monotonic()
            if patience <= 0 or not selector.select(patience):
                raise subprocess.TimeoutExpired(process.args, patience)
            chunk = os.read(key.fd, 1 << 16)
            if not chunk:
                return output
            output = _limited(output + chunk)


def _limited(output: bytes) -> bytes:
    if len(output) > OUTPUT_LIMIT:
        raise _fault(f"the program printed more than {OUTPUT_LIMIT} bytes")
    return output


def _too_slow(timeout: float) -> CredentialsError:
    return _fault(f"the program did not end within {timeout:g} seconds")


def _fault(reason: str) -> CredentialsError:
    return CredentialsError(source=Process.name, reason=reason)
