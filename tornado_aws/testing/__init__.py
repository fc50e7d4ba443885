"""Testing programs that use this library, without a network and without credentials.

* `Stubber` answers the calls of a generated client. Parameters are checked against the model as
  they are in production, and so are the answers, so that a test cannot rest on a result that the
  service would never give.
* `CannedTransport` answers raw requests; `RecordingTransport` remembers what passed. Both are given
  to a client as its option ``transport``.
"""

from __future__ import annotations

from tornado_aws.testing.checks import StubError
from tornado_aws.testing.stubber import Made, Stubber
from tornado_aws.testing.transports import (
    CannedTransport,
    Exchange,
    RecordingTransport,
    response,
)

__all__ = [
    "CannedTransport",
    "Exchange",
    "Made",
    "RecordingTransport",
    "StubError",
    "Stubber",
    "response",
]
