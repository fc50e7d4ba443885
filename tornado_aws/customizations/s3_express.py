"""Directory buckets (S3 Express): each is spoken to within a session of its own."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from tornado_aws.clock_skew import ahead
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.sessions import Call
from tornado_aws.customizations import Params

__all__ = ["open_session"]

# Headers tell whole seconds, and the answer was on its way for some; the rest is the clock's.
_SMALLEST = 10.0


async def open_session(call: Call, params: Params) -> Credentials:
    """Return the credentials of a new session with the bucket that a call is for."""
    result = await call("CreateSession", {"Bucket": params["Bucket"]})
    given = result["Credentials"]
    date = result["ResponseMetadata"]["HTTPHeaders"].get("date")
    return Credentials(
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
        _on_this_clock(given["Expiration"], ahead(date, time.time()) or 0.0),
        source="session",
    )


def _on_this_clock(end: datetime, service_ahead: float) -> datetime:
    """Return when the machine's clock shows the end that a service told by its own.

    A session lives for five minutes: on a clock that is five minutes fast each would have ended
    before it began.
    """
    if abs(service_ahead) < _SMALLEST:
        return end
    return end - timedelta(seconds=service_ahead)
