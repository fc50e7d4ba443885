"""Directory buckets (S3 Express): each is spoken to within a session of its own."""

from __future__ import annotations

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.sessions import Call
from tornado_aws.customizations import Params

__all__ = ["open_session"]


async def open_session(call: Call, params: Params) -> Credentials:
    """Return the credentials of a new session with the bucket that a call is for."""
    result = await call("CreateSession", {"Bucket": params["Bucket"]})
    given = result["Credentials"]
    return Credentials(
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
        given["Expiration"],
        source="session",
    )
