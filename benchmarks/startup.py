"""CPU of importing a client and making it, in fresh interpreters, above Tornado's own import.

The smallest of several runs is given: whatever else the machine does only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

from benchmarks.rounds import Effort
from benchmarks.tables import Column, Table, Value

OURS = """
import time
import tornado.httpclient
begun = time.process_time()
from tornado_aws.services.{module} import {name}
imported = time.process_time()
make = lambda: {name}(region="us-east-1", access_key="A", secret_key="S")
first = make()
made = time.process_time()
second = make()
print(imported - begun, made - imported, time.process_time() - made)
"""
BOTO3 = """
import time
import tornado.httpclient
begun = time.process_time()
import boto3
imported = time.process_time()
make = lambda: boto3.client("{module}", region_name="us-east-1",
    aws_access_key_id="A", aws_secret_access_key="S")
first = make()
made = time.process_time()
second = make()
print(imported - begun, made - imported, time.process_time() - made)
"""
AIOBOTOCORE = """
import asyncio
import time
import tornado.httpclient
begun = time.process_time()
import aiobotocore.session
imported = time.process_time()
session = aiobotocore.session.get_session()

async def make():
    async with session.create_client("{module}", region_name="us-east-1",
            aws_access_key_id="A", aws_secret_access_key="S"):
        return time.process_time()

async def twice():
    begun = time.process_time()
    first = await make()
    between = time.process_time()
    return first - begun, await make() - between

print(imported - begun, *asyncio.run(twice()))
"""
CASES = {
    "tornado-aws DynamoDB": OURS.format(module="dynamodb", name="DynamoDB"),
    "tornado-aws S3": OURS.format(module="s3", name="S3"),
    "tornado-aws EC2": OURS.format(module="ec2", name="EC2"),
    "boto3 DynamoDB": BOTO3.format(module="dynamodb"),
    "boto3 S3": BOTO3.format(module="s3"),
    "boto3 EC2": BOTO3.format(module="ec2"),
    "aiobotocore DynamoDB": AIOBOTOCORE.format(module="dynamodb"),
    "aiobotocore EC2": AIOBOTOCORE.format(module="ec2"),
}
COLUMNS = [
    Column("import ms", "{:,.1f}"),
    Column("first client ms", "{:,.2f}"),
    Column("second client ms", "{:,.2f}"),
    Column("together ms", "{:,.1f}"),
]


def tables(effort: Effort) -> Iterator[Table]:
    """Measure each case in turns."""
    found: dict[str, list[list[float]]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(effort.rounds + 1):
            for name, program in CASES.items():
                with suppress(ImportError):
                    times = run(program, cache)
                    if number:  # the first one compiles
                        found[name].append(times)
    rows: dict[str, list[Value]] = {}
    for name, runs in found.items():
        if runs:
            times = [min(column) for column in zip(*runs, strict=True)]
            rows[name] = [*times, sum(times)]
    title = "CPU time of a start, above ``import tornado.httpclient``"
    yield Table("startup", title, COLUMNS, rows, drawn=3)


def run(program: str, cache: str) -> list[float]:
    """Return the program's three times in milliseconds, compiled modules being kept in `cache`.

    Raises:
        ImportError: it needs what is not installed.
    """
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if "ModuleNotFoundError" in done.stderr:
        raise ImportError(done.stderr)
    done.check_returncode()
    return [float(part) * 1e3 for part in done.stdout.split()]
