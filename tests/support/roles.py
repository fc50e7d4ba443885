"""What STS answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.recording_server import Answer

ROLE = "arn:aws:iam::123456789012:role/reader"


def assumed(number: int, seconds: float = 3600) -> Answer:
    """Return STS's answer."""
    end = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Answer(
        200,
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE{number}</AccessKeyId>"
        f"<SecretAccessKey>hush</SecretAccessKey><SessionToken>hushtoken</SessionToken>"
        f"<Expiration>{end}</Expiration></Credentials><AssumedRoleUser>"
        "<Arn>arn:aws:sts::123456789012:assumed-role/reader/x</Arn><AssumedRoleId>A:x"
        "</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>".encode(),
        (("Content-Type", "text/xml"),),
    )
