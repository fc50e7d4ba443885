"""STS, SSO and SSO OIDC as providers of credentials see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSClientException, AWSError, ConnectTimeout

SIGN_IN = "https://eu-west-1.signin.aws.amazon.com/v1/token"


class Refusal(Enum):
    """Ways in which a call fails."""

    AccessDenied = 403
    Throttling = 400
    UnauthorizedException = 401
    ConnectTimeout = 0

    def error(self) -> AWSClientException:
        if self is Refusal.ConnectTimeout:
            return ConnectTimeout(error="ConnectTimeout after 10 seconds")
        return AWSError(self.name, "no", self.value)


class Call(NamedTuple):
    """One call of an operation."""

    service: str
    operation: str
    region: str
    params: Mapping[str, Any]
    credentials: Credentials | None


class FakeServices:
    """Answers every call with new credentials, after the refusals that are queued."""

    def __init__(self, lifetime: float = 3600) -> None:
        self.calls: list[Call] = []
        self.refusals: list[Refusal | None] = []
        self.lifetime = timedelta(seconds=lifetime)
        self.role = 0
        self.headers: Mapping[str, str] = {}

    async def __call__(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        self.headers = headers(SIGN_IN) if headers is not None else {}
        self.calls.append(Call(service, operation, region, dict(params), credentials))
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal.error()
        answers = {
            "GetRoleCredentials": self._role_credentials,
            "CreateToken": self._token,
            "CreateOAuth2Token": self._login,
        }
        return answers.get(operation, self._assumed_role)(params)

    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def _assumed_role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self.role += 1
        account = params["RoleArn"].split(":")[4]
        return {
            "Credentials": {
                "AccessKeyId": f"AKID{self.role}",
                "SecretAccessKey": f"hush{self.role}",
                "SessionToken": f"hushtoken{self.role}",
                "Expiration": datetime.now(UTC) + self.lifetime,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": "AROA:me",
                "Arn": f"arn:aws:sts::{account}:assumed-role/r/me",
            },
            "ResponseMetadata": {},
        }

    def _role_credentials(self, params: Mapping[str, Any]) -> dict[str, Any]:
        end = datetime.now(UTC) + self.lifetime
        return {
            "roleCredentials": {
                "accessKeyId": "AKIDSSO",
                "secretAccessKey": "hushsso",
                "sessionToken": "hushssotoken",
                "expiration": int(end.timestamp() * 1000),
            }
        }

    def _token(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"accessToken": "hushnew", "expiresIn": 3600, "refreshToken": "hushrefresh2"}

    def _login(self, params: Mapping[str, Any]) -> dict[str, Any]:
        token = {
            "accessKeyId": "AKIDNEW",
            "secretAccessKey": "hushnew",
            "sessionToken": "hushnewtoken",
        }
        return {
            "tokenOutput": {
                "accessToken": token,
                "tokenType": "aws_sigv4",
                "expiresIn": 900,
                "refreshToken": "hushrefresh2",
            }
        }
