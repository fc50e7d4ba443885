"""Credentials of a role that an identity provider's token gives access to (EKS, CI systems)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tornado_aws.config import Section, expand_home
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.sts import (
    default_session_name,
    parse_result,
    role_credentials,
)
from tornado_aws.exceptions import CredentialsError

__all__ = ["WebIdentity"]

_VARIABLES = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_arn": "AWS_ROLE_ARN",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
}


class WebIdentity:
    """``AWS_WEB_IDENTITY_TOKEN_FILE`` and ``AWS_ROLE_ARN``, or the profile's properties."""

    name = "web-identity"
    recheck = None

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load(self, rejected: Credentials | None) -> Credentials:
        section = await self._context.section()
        path = self._value(section, "web_identity_token_file")
        if path is None:
            raise Absent(
                f"neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file of profile"
                f" {self._context.profile!r} is set"
            )
        role_arn = self._value(section, "role_arn")
        if role_arn is None:
            raise CredentialsError(
                source=self.name, reason="there is a token file, but no AWS_ROLE_ARN or role_arn"
            )
        params = {
            "RoleArn": role_arn,
            "RoleSessionName": self._value(section, "role_session_name") or default_session_name(),
            # Read each time: EKS replaces it.
            "WebIdentityToken": await self._token(path),
        }
        result = await role_credentials(
            self._context, "AssumeRoleWithWebIdentity", params, None, self.name
        )
        return parse_result(result, self.name)

    def _value(self, section: Section, key: str) -> str | None:
        if self._context.use_environ and (value := self._context.environ.get(_VARIABLES[key])):
            return value
        found = section.get(key)
        return found if isinstance(found, str) and found else None

    async def _token(self, path: str) -> str:
        try:
            file = Path(expand_home(path, self._context.environ))
            token = await asyncio.to_thread(file.read_text, "utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise CredentialsError(
                source=self.name, reason=f"the token file {path} cannot be read: {reason}"
            ) from None
        if not token.strip():
            raise CredentialsError(source=self.name, reason=f"the token file {path} is empty")
        return token.strip()
