"""Credentials given in code."""

from __future__ import annotations

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import CredentialsError

__all__ = ["explicit_credentials"]


def explicit_credentials(
    access_key: str | None, secret_key: str | None, security_token: str | None = None
) -> Credentials | None:
    """Make credentials of the arguments of a client.

    The environment is never looked at: a session token that it holds belongs to other keys.

    Returns:
        The credentials, or None when no argument was given.

    Raises:
        CredentialsError: a part is missing; names it.
    """
    if not (access_key or secret_key or security_token):
        return None
    if access_key and secret_key:
        return Credentials(access_key, secret_key, security_token or None)
    given = {"access_key": access_key, "secret_key": secret_key}
    missing = " and ".join(name for name, value in given.items() if not value)
    raise CredentialsError(source="explicit", reason=f"{missing} must be given too")
