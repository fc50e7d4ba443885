"""A name's addresses, and connecting to them beside each other ("happy eyeballs", RFC 8305).

`loop.create_connection` does this too, but asyncio's loses sockets when it is cancelled at the
wrong moment (seen with Python 3.11), and uvloop's tries one address after the other.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, zip_longest
from typing import Any

from tornado_aws.transport.descriptors import DescriptorTable

# RFC 8305 section 5 recommends 250 ms before the next address is tried beside the first.
ATTEMPT_DELAY = 0.25

# Family, type, protocol, canonical name, address: what getaddrinfo gives.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class Resolver:
    """Finds names' addresses in threads, and remembers none.

    A name is looked up once for all who ask meanwhile: a hundred connections must not queue up for
    the few threads that a loop has, nor one name that hangs take them all.

    Args:
        loop: the loop on which it is asked.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lookups: dict[tuple[str, int], asyncio.Future[Sequence[AddressInfo]]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[AddressInfo]:
        """Return the addresses of `host`, at least one.

        Raises:
            OSError: the name cannot be resolved (`socket.gaierror`).
            UnicodeError: it is none.
        """
        # An address needs no resolver and no thread; no name of AWS's ends as they do.
        if ":" in host or host[-1:].isdigit():
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            with suppress(socket.gaierror):
                # As bytes: for a text Python would load the tables of international names, here on
                # the loop.
                return socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM, flags=flags)
        found = await asyncio.shield(self._lookup(host, port))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "it has no address")
        return found

    def _lookup(self, host: str, port: int) -> asyncio.Future[Sequence[AddressInfo]]:
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = self._loop.run_in_executor(None, _look_up, host, port)
            self._lookups[host, port] = lookup
            lookup.add_done_callback(partial(self._forget, (host, port)))
        return lookup

    def _forget(self, name: tuple[str, int], lookup: asyncio.Future[Sequence[AddressInfo]]) -> None:
        del self._lookups[name]
        if not lookup.cancelled():
            lookup.exception()  # perhaps nobody waits for it any more


def _look_up(host: str, port: int) -> Sequence[AddressInfo]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def connect(table: DescriptorTable, found: Sequence[AddressInfo]) -> socket.socket:
    """Return a non-blocking socket connected to the first of some addresses that answers.

    Cancelling it closes every socket.

    Args:
        table: where room is made for the sockets, on the loop that is to connect them.
        found: the addresses.

    Raises:
        OSError: no address answers; the text has each one's reason.
    """
    if len(found) == 1:
        return await _connect(table, found[0])
    return await _race(table, alternate(found))


def alternate(found: Iterable[AddressInfo]) -> list[AddressInfo]:
    """Take the address families in turns, each in the resolver's order, as RFC 8305 section 4."""
    families: dict[int, list[AddressInfo]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [info for info in turns if info is not None]


async def _race(table: DescriptorTable, addresses: list[AddressInfo]) -> socket.socket:
    """Start an attempt at each address, a moment after the last or when one has failed."""
    waiting = addresses[::-1]
    attempts: list[asyncio.Task[socket.socket]] = []
    running: set[asyncio.Task[socket.socket]] = set()
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while winner is None and (waiting or running):
            if waiting:
                attempts.append(table.loop.create_task(_connect(table, waiting.pop())))
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


async def _connect(table: DescriptorTable, info: AddressInfo) -> socket.socket:
    family, kind, protocol, _, address = info
    if table.is_short():
        await table.grow()
    sock = socket.socket(family, kind, protocol)
    try:
        table.opened(sock.fileno())
        sock.setblocking(False)
        await table.loop.sock_connect(sock, address)
    except OSError as error:
        sock.close()
        why = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"{address[0]}: {why}") from error
    except BaseException:
        sock.close()
        raise
    return sock
