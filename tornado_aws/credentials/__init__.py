"""Credentials and where they come from.

`Credentials` is the value; the chain of providers and their refreshing live in this package's
modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn, Self

__all__ = ["Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, as AWS calls the pair (and a session token with temporary ones).

    They cannot be pickled, so that no secret gets into a cache or onto a wire unnoticed; copies are
    the object itself.

    Attributes:
        access_key: the access key id.
        secret_key: the secret access key; not in ``repr``.
        security_token: the session token of temporary credentials; not in ``repr``.
        expiration: when they stop working, an aware datetime; None for never.
        account_id: the account they belong to, when the source says so.
        source: short name of the provider (``explicit``, ``env``, ``imds``, ...).
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = field(default=None, compare=False)
    account_id: str | None = field(default=None, compare=False)
    source: str = field(default="explicit", compare=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "Credentials are not pickled: hand over access_key, secret_key and security_token"
            " themselves where that is safe"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
