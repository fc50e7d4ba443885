"""Seeing what blocks: calls that wait for a disk, a process, a resolver or the time."""

from __future__ import annotations

import concurrent.futures.thread
import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Names of audit events. Modules that are imported are read from disk, too.
BLOCKING = frozenset(
    {
        "import",
        "open",
        "os.chmod",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.scandir",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "tempfile.mkstemp",
        "time.sleep",
    }
)
_watched: dict[int, list[str]] = {}


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    seen = _watched.get(threading.get_ident()) if _watched else None
    if seen is not None and event in BLOCKING and not _is_harmless(event, arguments):
        seen.append(f"{event} {arguments[:1]}")


def _is_harmless(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "import":
        # asyncio's own, when a loop first uses a thread.
        return bool(arguments[0] == concurrent.futures.thread.__name__)
    if event == "socket.getaddrinfo":
        host = arguments[0]
        return _is_address(host.decode() if isinstance(host, bytes) else host)
    return False


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


sys.addaudithook(_note)


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """Note what blocks this thread; give the list that it is noted in."""
    seen: list[str] = []
    _watched[threading.get_ident()] = seen
    try:
        yield seen
    finally:
        del _watched[threading.get_ident()]
