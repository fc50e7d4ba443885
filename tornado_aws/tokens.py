"""Passwords made of a signature: for databases and Kubernetes clusters that check AWS identities.

Each is a presigned URL, made without a network from credentials that a client gives, and ends with
them at the latest::

    token = tokens.rds(await client.get_credentials(), "eu-west-1", "db.example.com", 5432, "app")
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from urllib.parse import quote

from tornado_aws.credentials import Credentials
from tornado_aws.endpoints import aws_partition
from tornado_aws.signature import bounded_expires
from tornado_aws.signing import SigV4

__all__ = ["dsql", "eks", "rds"]

_SCHEME = "https://"
_EKS_PREFIX = "k8s-aws-v1."

# What the services allow at most, and SDKs ask for, in seconds; a connection made lives on.
_DATABASE_SECONDS = 900
_EKS_SECONDS = 60


def rds(
    credentials: Credentials,
    region: str,
    host: str,
    port: int,
    user: str,
    timestamp: float | None = None,
) -> str:
    """Return the password of a user of RDS or Aurora with IAM authentication, for 15 minutes.

    Args:
        credentials: whose policy allows ``rds-db:connect``.
        region: the database's region.
        host: the name that the connection is made to.
        port: its port.
        user: the database's user.
        timestamp: when it is made, in seconds since 1970; None for now.

    Raises:
        ParamValidationError: host or region cannot be signed.
    """
    query = f"Action=connect&DBUser={quote(user, safe='~')}"
    url = f"{_SCHEME}{host}:{port}/?{query}"
    return _token(credentials, "rds-db", region, url, _DATABASE_SECONDS, timestamp)


def dsql(
    credentials: Credentials,
    region: str,
    host: str,
    *,
    admin: bool = False,
    expires: int = _DATABASE_SECONDS,
    timestamp: float | None = None,
) -> str:
    """Return the password of a user of Aurora DSQL.

    Args:
        credentials: whose policy allows ``dsql:DbConnect``, or ``dsql:DbConnectAdmin``.
        region: the cluster's region.
        host: the cluster's host name.
        admin: whether the user is ``admin``.
        expires: how long it is valid, in seconds.
        timestamp: when it is made, in seconds since 1970; None for now.

    Raises:
        ParamValidationError: host or region cannot be signed, or `expires` is out of range.
    """
    url = f"{_SCHEME}{host}/?Action={'DbConnectAdmin' if admin else 'DbConnect'}"
    return _token(credentials, "dsql", region, url, expires, timestamp)


def eks(credentials: Credentials, region: str, cluster: str, timestamp: float | None = None) -> str:
    """Return the bearer token of a Kubernetes cluster of EKS, valid for about 15 minutes.

    Args:
        credentials: of a principal that the cluster knows.
        region: whose STS the cluster asks; that of the cluster.
        cluster: the cluster's name.
        timestamp: when it is made, in seconds since 1970; None for now.

    Raises:
        ParamValidationError: the cluster's name or the region cannot be signed.
    """
    suffix = aws_partition(region).dns_suffix
    url = _presigned(
        credentials,
        "sts",
        region,
        f"{_SCHEME}sts.{region}.{suffix}/?Action=GetCallerIdentity&Version=2011-06-15",
        {"x-k8s-aws-id": cluster},
        _EKS_SECONDS,
        timestamp,
    )
    return _EKS_PREFIX + urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _token(
    credentials: Credentials,
    service: str,
    region: str,
    url: str,
    expires: int,
    timestamp: float | None,
) -> str:
    return _presigned(credentials, service, region, url, None, expires, timestamp).removeprefix(
        _SCHEME
    )


def _presigned(
    credentials: Credentials,
    service: str,
    region: str,
    url: str,
    headers: dict[str, str] | None,
    expires: int,
    timestamp: float | None,
) -> str:
    now = time.time() if timestamp is None else timestamp
    bound = bounded_expires(expires, credentials, now)
    return SigV4(service, region).presign(credentials, "GET", url, headers, bound, now)
