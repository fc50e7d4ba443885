"""What signing costs, against botocore: ``python -m benchmarks.signing``.

CPU microseconds a call, medians of interleaved rounds in one process, and how many times cheaper
than botocore's ``SigV4Auth.add_auth`` (making its request object left out) on the same request.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tornado_aws.credentials import Credentials
from tornado_aws.signing import SigV4

ROUNDS = 15
SECONDS = 0.02  # of one candidate in one round
HOST = "dynamodb.us-east-1.amazonaws.com"
URL = f"https://{HOST}/"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
    "User-Agent": "benchmark/1",
}


def candidates(body: bytes) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name; the first two are botocore's."""
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signer, pairs = SigV4("dynamodb", "us-east-1"), list(HEADERS.items())
    botocore_keys = BotocoreCredentials(keys.access_key, keys.secret_key)
    auth = SigV4Auth(botocore_keys, "dynamodb", "us-east-1")
    query_auth = SigV4QueryAuth(botocore_keys, "dynamodb", "us-east-1")
    number = iter(range(10**9))

    def request() -> AWSRequest:
        return AWSRequest("POST", URL, headers=HEADERS, data=body)

    return {
        "botocore, request object alone": request,
        "botocore SigV4Auth": lambda: auth.add_auth(request()),
        "botocore SigV4QueryAuth": lambda: query_auth.add_auth(AWSRequest("GET", URL)),
        "sign": lambda: signer.sign(keys, "POST", URL, HEADERS, body),
        "sign, another path each time": lambda: signer.sign(
            keys, "POST", f"{URL}{next(number)}", HEADERS, body
        ),
        "authorize (send path)": lambda: signer.authorize(
            keys, "POST", HOST, "/", "", pairs, body, time.time()
        ),
        "presign": lambda: signer.presign(keys, "GET", URL),
    }


def measure(call: Callable[[], object]) -> float:
    """Return CPU microseconds a call, over at least `SECONDS`."""
    calls, started = 0, time.process_time()
    while (spent := time.process_time() - started) < SECONDS:
        for _ in range(50):
            call()
        calls += 50
    return spent / calls * 1e6


def main() -> None:
    """Measure a small and a large body and print a table of each."""
    for size in (200, 1_000_000):
        calls = candidates(b"x" * size)
        rounds = [{name: measure(call) for name, call in calls.items()} for _ in range(ROUNDS)]
        cost = {name: statistics.median(one[name] for one in rounds) for name in calls}
        making = cost["botocore, request object alone"]
        print(f"\nbody of {size} bytes {'us/call':>26}  times cheaper")
        for name, spent in cost.items():
            base = cost["botocore SigV4QueryAuth" if name == "presign" else "botocore SigV4Auth"]
            print(f"  {name:<34}{spent:>9.2f}{(base - making) / spent:>10.1f}")


if __name__ == "__main__":
    main()
