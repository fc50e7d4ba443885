"""What the two providers that ask STS for a role's credentials have in common."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.imds import instance_region
from tornado_aws.exceptions import AWSClientException, ClientClosedError, CredentialsError

__all__ = ["default_session_name", "role_credentials"]

# Where STS is asked when no region is known: every account can use it there.
_FALLBACK_REGION = "us-east-1"


def default_session_name() -> str:
    """Return a name for a role session whose configuration gives none."""
    return f"tornado-aws-{int(time.time())}"


async def role_credentials(
    context: Context,
    operation: str,
    params: Mapping[str, Any],
    credentials: Credentials | None,
    source: str,
) -> dict[str, Any]:
    """Ask STS for the credentials of a role.

    Args:
        context: has the way to call STS.
        operation: ``AssumeRole`` or ``AssumeRoleWithWebIdentity``.
        params: its parameters.
        credentials: what to sign with; None for an unsigned request.
        source: the provider's name.

    Returns:
        The operation's result.

    Raises:
        CredentialsError: STS refused or could not be reached.
    """
    if context.call is None:
        raise CredentialsError(
            source=source, reason=f"role {params['RoleArn']} needs a way to call STS"
        )
    try:
        return await context.call("sts", operation, await _region(context), params, credentials)
    except ClientClosedError:
        raise
    except AWSClientException as error:
        raise CredentialsError(
            source=source, reason=f"{operation} of {params['RoleArn']} failed: {error}"
        ) from error


async def _region(context: Context) -> str:
    """Return where to ask STS: in the client's region, which may be the machine's."""
    if context.settings.region is not None:
        return context.settings.region
    try:
        return await instance_region(context.settings, context.transport)
    except Absent:
        return _FALLBACK_REGION


def parse_result(result: Mapping[str, Any], source: str) -> Credentials:
    """Make credentials of the result of `role_credentials`.

    Raises:
        CredentialsError: something is missing in it.
    """
    found = result.get("Credentials")
    document = dict(found) if isinstance(found, Mapping) else {}
    user = result.get("AssumedRoleUser")
    arn = user.get("Arn") if isinstance(user, Mapping) else None
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) > 5 and parts[4]:
        document.setdefault("AccountId", parts[4])
    return parse_credentials(document, source, temporary=True)
