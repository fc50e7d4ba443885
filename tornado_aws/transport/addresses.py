"""Connecting to a name: its addresses, tried beside each other ("happy eyeballs", RFC 8305).

`loop.create_connection` does this too, but asyncio's loses sockets when it is cancelled at the
wrong moment (seen with Python 3.11), and uvloop's tries one address after the other.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any

# RFC 8305 section 5 recommends 250 ms before the next address is tried beside the first.
ATTEMPT_DELAY = 0.25

# Family, type, protocol, canonical name, address: what getaddrinfo gives.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


async def connect(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Return a non-blocking socket connected to the first address of `host` that answers.

    Cancelling it closes every socket.

    Raises:
        OSError: the name cannot be resolved (`socket.gaierror`), or no address answers; the text
            then has each address's reason.
    """
    found = await _resolve(loop, host, port)
    if len(found) == 1:
        return await _connect(loop, found[0])
    return await _race(loop, alternate(found))


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Sequence[AddressInfo]:
    # An address needs no resolver and no thread; no name of AWS's ends as they do.
    if ":" in host or host[-1:].isdigit():
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        with suppress(socket.gaierror):
            # As bytes: for a text Python would load the tables of international names, here on
            # the loop.
            return socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM, flags=flags)
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "it has no address")
    return found


def alternate(found: Iterable[AddressInfo]) -> list[AddressInfo]:
    """Take the address families in turns, each in the resolver's order, as RFC 8305 section 4."""
    families: dict[int, list[AddressInfo]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [info for info in turns if info is not None]


async def _race(loop: asyncio.AbstractEventLoop, addresses: list[AddressInfo]) -> socket.socket:
    """Start an attempt at each address, a moment after the last or when one has failed."""
    waiting = addresses[::-1]
    attempts: list[asyncio.Task[socket.socket]] = []
    running: set[asyncio.Task[socket.socket]] = set()
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while winner is None and (waiting or running):
            if waiting:
                attempts.append(loop.create_task(_connect(loop, waiting.pop())))
                running.add(attempts[-1])
            done, running = await asyncio.wait(
                running,
                timeout=ATTEMPT_DELAY if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            winner = next((task for task in done if task.exception() is None), None)
    finally:
        _end(task for task in attempts if task is not winner)
    if winner is None:
        reasons = [str(task.exception()) for task in attempts]
        raise OSError("; ".join(reasons))
    return winner.result()


def _end(attempts: Iterable[asyncio.Task[socket.socket]]) -> None:
    for task in attempts:
        if not task.cancel() and not task.cancelled() and task.exception() is None:
            task.result().close()


async def _connect(loop: asyncio.AbstractEventLoop, info: AddressInfo) -> socket.socket:
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
    except OSError as error:
        sock.close()
        why = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"{address[0]}: {why}") from error
    except BaseException:
        sock.close()
        raise
    return sock
