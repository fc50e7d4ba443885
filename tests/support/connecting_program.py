"""A program: many connections at once, of a process that has a thread.

    python -m tests.support.connecting_program ENGINE PORT COUNT

ENGINE is ``pool`` or ``curl``. What it prints is for how many descriptors the process's table is
made, before and after.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.transport.simple import PATIENT, get
from tornado_aws.transport import Origin, TransportOptions
from tornado_aws.transport.engines import engine_class


def table_size() -> int:
    """Return for how many descriptors this process's table is made."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("FDSize:")[2].split()[0])


async def connect(engine: str, port: int, count: int) -> None:
    """Have as many answers at once from a server on this machine."""
    origin = Origin("http", "127.0.0.1", port)
    transport = engine_class(engine == "curl")(TransportOptions())
    try:
        await asyncio.gather(*(transport.send(get(origin), PATIENT) for _ in range(count)))
    finally:
        transport.close()


def main(engine: str, port: str, count: str) -> None:
    """Connect, and tell of the table."""
    before = table_size()
    asyncio.run(connect(engine, int(port), int(count)))
    json.dump([before, table_size()], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
