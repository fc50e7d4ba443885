"""Credentials that a program of the user's prints."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import load_object, parse_credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.exceptions import CredentialsError

__all__ = ["Process"]

# A program may ask its user for a password or a browser's consent; the SDK for Java waits as long.
TIMEOUT = 60.0
# Twenty times the longest session token, in bytes.
OUTPUT_LIMIT = 1 << 18


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
            raise CredentialsError(
                source=self.name, reason="the answer's Version is missing or not 1"
            )
        credentials = parse_credentials(document, self.name)
        account_id = section.get("aws_account_id")
        if credentials.account_id is None and isinstance(account_id, str):
            return replace(credentials, account_id=account_id or None)
        return credentials

    async def _output(self, command: list[str]) -> bytes:
        run = _Run(command, self._timeout)
        try:
            # The thread ends by itself in time unless the program has handed its output to another
            # one that outlives it: then nobody waits for the thread.
            return await asyncio.wait_for(asyncio.to_thread(run.output), self._timeout + 1)
        except TimeoutError:
            raise _too_slow(self._timeout) from None
        finally:
            run.kill()


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if os.name == "nt":
        lexer.escape = ""  # there the backslash separates folders
    try:
        words = list(lexer)
    except ValueError as error:
        raise CredentialsError(
            source=Process.name, reason=f"credential_process cannot be split into words: {error}"
        ) from None
    if not words:
        raise CredentialsError(source=Process.name, reason="credential_process names no program")
    return words


class _Run:
    """One run of the program, in a thread: starting a process can block as long as a disk."""

    def __init__(self, command: list[str], timeout: float) -> None:
        self._command = command
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def output(self) -> bytes:
        process = self._start()
        alarm = threading.Timer(self._timeout, self.kill)
        alarm.daemon = True
        alarm.start()
        try:
            with process:
                output = process.stdout.read(OUTPUT_LIMIT + 1) if process.stdout else b""
                if len(output) > OUTPUT_LIMIT:
                    self.kill()
        finally:
            alarm.cancel()
        return self._checked(output, process.returncode)

    def _start(self) -> subprocess.Popen[bytes]:
        if self._killed:
            raise _too_slow(self._timeout)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # Nobody knows what it says there; it may be a secret, and it may be a flood.
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it holds a NUL"
            raise CredentialsError(
                source=Process.name, reason=f"{self._command[0]!r} cannot be run: {reason}"
            ) from error
        return self._process

    def _checked(self, output: bytes, status: int) -> bytes:
        if len(output) > OUTPUT_LIMIT:
            raise CredentialsError(
                source=Process.name, reason=f"the program printed more than {OUTPUT_LIMIT} bytes"
            )
        if self._killed:
            raise _too_slow(self._timeout)
        if status != 0:
            raise CredentialsError(
                source=Process.name,
                reason=f"the program ended with status {status}; run it by hand to see its errors",
            )
        return output

    def kill(self) -> None:
        """Kill the program and what it has started, if it runs; keep it from starting."""
        process = self._process
        if process is not None and process.poll() is not None:
            return
        self._killed = True
        if process is None:
            return
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def _too_slow(timeout: float) -> CredentialsError:
    return CredentialsError(
        source=Process.name, reason=f"the program did not end within {timeout:g} seconds"
    )
