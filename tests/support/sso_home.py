"""Home folders of users who have logged in with IAM Identity Center."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

URL = "https://x.awsapps.com/start"


def written(seconds: float) -> str:
    """Return the time so many seconds from now, as the AWS CLI writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Home:
    """A home folder with a token as ``aws sso login`` leaves it.

    Args:
        folder: the folder.
        key: what names the token: the session, or the portal's URL.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / ".aws" / "sso" / "cache"
        self.folder.mkdir(parents=True)
        self.file = self.folder / f"{hashlib.sha1(key.encode()).hexdigest()}.json"
        self.environ = {"HOME": str(folder)}

    def login(self, remaining: float = 3600, **more: Any) -> None:
        """Write a token that ends in so many seconds; None leaves a key out."""
        document = {
            "startUrl": URL,
            "region": "eu-west-1",
            "accessToken": "hushold",
            "expiresAt": written(remaining),
            "clientId": "client",
            "clientSecret": "hushclient",
            "registrationExpiresAt": written(86400),
            "refreshToken": "hushrefresh",
            **more,
        }
        self.file.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))

    def token(self) -> dict[str, Any]:
        """Return the token's document."""
        document: dict[str, Any] = json.loads(self.file.read_text())
        return document
