"""Credentials in environment variables."""

from __future__ import annotations

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_time
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.exceptions import CredentialsError

__all__ = ["Environment"]

# The older name counts first, as in botocore.
_TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")


class Environment:
    """``AWS_ACCESS_KEY_ID`` and its companions."""

    name = "env"
    recheck = None

    def __init__(self, context: Context) -> None:
        self._environ = context.key_environ

    async def load(self, rejected: Credentials | None) -> Credentials:
        access_key = self._value("AWS_ACCESS_KEY_ID")
        if access_key is None:
            raise Absent("AWS_ACCESS_KEY_ID is not set")
        secret_key = self._value("AWS_SECRET_ACCESS_KEY")
        if secret_key is None:
            raise CredentialsError(
                source=self.name,
                reason="AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
            )
        return Credentials(
            access_key,
            secret_key,
            next(filter(None, map(self._value, _TOKENS)), None),
            expiration=parse_time(self._value("AWS_CREDENTIAL_EXPIRATION"), self.name),
            account_id=self._value("AWS_ACCOUNT_ID"),
            source=self.name,
        )

    def _value(self, name: str) -> str | None:
        # Files of variables often leave a carriage return or a blank at the end.
        return self._environ.get(name, "").strip() or None
