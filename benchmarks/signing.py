"""What signing costs, against botocore's ``SigV4Auth.add_auth`` on the same request.

What botocore needs to make its request object is left out of its cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from benchmarks.rounds import Effort, cpu_us, interleaved_functions
from benchmarks.tables import Column, Table, Value
from tornado_aws.credentials import Credentials
from tornado_aws.signing import SigV4

HOST = "dynamodb.us-east-1.amazonaws.com"
URL = f"https://{HOST}/"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
    "User-Agent": "benchmark/1",
}
REQUEST = "botocore's request object"
COLUMNS = [Column("CPU µs", "{:,.1f}"), Column("times faster", "{:.1f}")]


def tables(effort: Effort) -> Iterator[Table]:
    """Measure a small and a large body."""
    for name, length, size in (("200b", "200 bytes", 200), ("1mb", "1 MB", 1_000_000)):
        costs = interleaved_functions(candidates(b"x" * size), effort)
        making = [cost.cpu for cost in costs.pop(REQUEST)]
        rows: dict[str, list[Value]] = {}
        for call, found in costs.items():
            base = costs["botocore presign" if "presign" in call else "botocore sign"]
            ratios = [
                (theirs.cpu - object_) / ours.cpu
                for theirs, object_, ours in zip(base, making, found, strict=True)
            ]
            own = median(making) * 1e6 if call.startswith("botocore") else 0.0
            rows[call] = [cpu_us(found) - own, 1.0 if own else median(ratios)]
        title = f"Signing a request with a body of {length}"
        yield Table(f"signing-{name}", title, COLUMNS, rows, drawn=0)


def candidates(body: bytes) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signer, pairs = SigV4("dynamodb", "us-east-1"), list(HEADERS.items())
    botocore_keys = BotocoreCredentials(keys.access_key, keys.secret_key)
    auth = SigV4Auth(botocore_keys, "dynamodb", "us-east-1")
    query_auth = SigV4QueryAuth(botocore_keys, "dynamodb", "us-east-1")
    number = iter(range(10**9))

    def request() -> AWSRequest:
        return AWSRequest("POST", URL, headers=HEADERS, data=body)

    return {
        REQUEST: request,
        "botocore sign": lambda: auth.add_auth(request()),
        "botocore presign": lambda: query_auth.add_auth(AWSRequest("GET", URL)),
        "tornado-aws sign": lambda: signer.sign(keys, "POST", URL, HEADERS, body),
        "the same, another path each time": lambda: signer.sign(
            keys, "POST", f"{URL}{next(number)}", HEADERS, body
        ),
        "tornado-aws sign, way of a call": lambda: signer.authorize(
            keys, "POST", HOST, "/", "", pairs, body, time.time()
        ),
        "tornado-aws presign": lambda: signer.presign(keys, "GET", URL),
    }
