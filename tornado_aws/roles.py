"""Roles assumed in code, with what a profile cannot say: session policies, tags, and the like."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tornado_aws.config import Profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Context
from tornado_aws.credentials.providers.assume_role import AssumeRole
from tornado_aws.credentials.source import ProviderFunction
from tornado_aws.exceptions import CredentialsError
from tornado_aws.options import ClientOptions
from tornado_aws.service_calls import service_call
from tornado_aws.session import Session, Target
from tornado_aws.settings import Settings
from tornado_aws.transport import Transport

__all__ = ["assume_role"]

_STS = Target("sts", "STS")

# What each call of STS is given by itself: the region and the credentials that assume the role.
_OWN = frozenset({"access_key", "credentials", "region", "secret_key", "security_token"})


def assume_role(
    role_arn: str, options: ClientOptions | None = None, **params: Any
) -> Callable[[], Awaitable[Credentials]]:
    """Return what gives a client the credentials of a role, for its option ``credentials``.

    STS is asked at the first call and again whenever the credentials come to their end, once for
    all clients that are given the same of these functions.

    Args:
        role_arn: the role.
        options: of the client that asks STS. The credentials that these options amount to assume
            the role; ``mfa_code`` gives the code of the device ``SerialNumber``, and ``role_cache``
            is the folder where the credentials are shared with the AWS CLI.
        **params: other parameters of ``AssumeRole``, spelled as the API spells them:
            ``RoleSessionName``, ``DurationSeconds``, ``ExternalId``, ``Policy``, ``PolicyArns``,
            ``Tags``, ``TransitiveTagKeys``, ``SourceIdentity``, ``SerialNumber``.

    Raises:
        ConfigurationError: an option is unknown or has an impossible value. What the returned
            function raises is a `CredentialsError`.
    """
    given = options or {}
    Session(_STS, given)  # checks the options, and reads nothing
    return _Role({"RoleArn": role_arn, **params}, given)


class _Role(ProviderFunction):
    name = AssumeRole.name

    def __init__(self, params: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        super().__init__()
        self._params = params
        self._options = options

    def __repr__(self) -> str:
        return f"<assume_role {self._params['RoleArn']}>"

    async def load(self, rejected: Credentials | None) -> Credentials:
        # A session for each call: a refresh is rare, and leaves nothing open.
        session = Session(_STS, self._options)
        try:
            settings = (await session.ready()).settings

            async def get_source(rejected: Credentials | None) -> Credentials:  # noqa: ARG001
                return await session.get_credentials()

            role = AssumeRole(self._context(settings), self._params, get_source)
            return await role.load(rejected)
        finally:
            session.close()

    def _context(self, settings: Settings) -> Context:
        options = self._options
        return Context(
            settings=settings,
            profile=settings.profile,
            read_profiles=Profiles,
            environ=os.environ,
            key_environ={},
            use_environ=False,
            transport=_no_transport,
            call=service_call(options, options.keys() - _OWN),
            mfa_code=options.get("mfa_code"),
            role_cache=options.get("role_cache"),
        )


def _no_transport() -> Transport:
    raise CredentialsError(source=AssumeRole.name, reason="a role needs no local endpoint")
