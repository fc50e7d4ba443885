"""CPU of importing a client and making it, in fresh interpreters, above Tornado's own import.

Run ``python -m benchmarks.startup --help``. The smallest of several runs is printed: whatever else
the machine does only adds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

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
BOTO = """
import time
import tornado.httpclient
begun = time.process_time()
import botocore.session
imported = time.process_time()
session = botocore.session.get_session()
make = lambda: session.create_client("{module}", region_name="us-east-1",
    aws_access_key_id="A", aws_secret_access_key="S")
first = make()
made = time.process_time()
second = make()
print(imported - begun, made - imported, time.process_time() - made)
"""
CASES = {
    "dynamodb": OURS.format(module="dynamodb", name="DynamoDB"),
    "s3": OURS.format(module="s3", name="S3"),
    "ec2": OURS.format(module="ec2", name="EC2"),
    "botocore dynamodb": BOTO.format(module="dynamodb"),
    "botocore ec2": BOTO.format(module="ec2"),
}


def run(program: str, cache: str) -> list[float]:
    """Return the program's three times in milliseconds, compiled modules being kept in `cache`."""
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    return [float(part) * 1e3 for part in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=10, help="interpreters for each case")
    runs = parser.parse_args().runs
    print(f"{'CPU ms':20}{'import':>9}{'client 1':>10}{'client 2':>10}{'total':>9}")
    with tempfile.TemporaryDirectory() as cache:
        for name, program in CASES.items():
            run(program, cache)  # compiles
            found = [run(program, cache) for _ in range(runs)]
            times = [min(column) for column in zip(*found, strict=True)]
            print(f"{name:20}{times[0]:9.1f}{times[1]:10.2f}{times[2]:10.2f}{sum(times):9.1f}")


if __name__ == "__main__":
    main()
