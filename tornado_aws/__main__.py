"""``python -m tornado_aws configure show``: which settings are in force, and where from."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tornado_aws import AsyncAWSClient
from tornado_aws._setting_kinds import PROXY, URL
from tornado_aws._settings_table import ROWS
from tornado_aws.config import ProfileFiles, file_paths
from tornado_aws.credentials import Credentials
from tornado_aws.endpoints.raw import service_id
from tornado_aws.exceptions import AWSClientException, ConfigNotFound
from tornado_aws.loading import settle
from tornado_aws.settings import TABLE, Settings, resolve

Row = tuple[str, str, str]

_NOT_SET = "-"
# Everything before the last "@", for a password may hold any character where a URL is malformed.
_USER_INFO = re.compile(r"\A(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?.*@", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        rows = list(_rows(options.profile, options.service))
    except AWSClientException as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(_table(rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tornado_aws")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    configure = commands.add_parser("configure", help="look at the configuration")
    actions = configure.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser(
        "show", help="print every setting with its source, and the credentials, masked"
    )
    show.add_argument("--profile", help="the profile, as if it were given in code")
    show.add_argument("--service", help="a service, to find its own endpoint (s3)")
    return parser


def _rows(profile: str | None, service: str | None) -> Iterator[Row]:
    files = ProfileFiles(file_paths(os.environ))
    profiles = files.load()
    own_id = service_id(service) if service else None
    options = {"profile": profile}
    try:
        settings = asyncio.run(settle(options, os.environ, profiles, own_id))
    except ConfigNotFound:
        settings = resolve(options, os.environ, profiles, own_id)
    credentials = asyncio.run(_ask(profile))
    yield "SETTING", "VALUE", "SOURCE"
    for setting in TABLE:
        if setting.name == "region" and settings.region is None:
            yield "region", _NOT_SET, "not found: pass region="
        else:
            yield _row(setting.name, settings, files)
    for name, value in settings.environ_proxies:
        yield name, _shown_url(value), "environment"
    yield from _credentials(credentials)


async def _ask(profile: str | None) -> Credentials | AWSClientException:
    """Return the credentials or the error."""
    async with AsyncAWSClient("sts", profile=profile) as client:
        try:
            return await client.get_credentials()
        except AWSClientException as error:
            return error


def _row(name: str, settings: Settings, files: ProfileFiles) -> Row:
    source = settings.sources[name]
    if name in {"config_file", "credentials_file"}:
        path = getattr(files.paths, name.removesuffix("_file"))
        # Path.exists raises where a folder may not be entered.
        is_there = os.path.exists(path)  # noqa: PTH110
        return name, path, source if is_there else f"{source}, not there"
    show = _shown_url if ROWS[name].kind in (URL, PROXY) else _shown
    return name, show(getattr(settings, name)), source


def _credentials(found: Credentials | AWSClientException) -> Iterator[Row]:
    if isinstance(found, AWSClientException):
        first, *rest = str(found).splitlines()
        yield "credentials", first, ""
        yield from (("", line.strip(), "") for line in rest)
        return
    yield "access_key", _masked(found.access_key), found.source
    yield "secret_key", _masked(found.secret_key), found.source
    if found.security_token:
        yield "security_token", _masked(found.security_token), found.source
    if found.expiration:
        yield "expiration", found.expiration.isoformat(), found.source
    if found.account_id:
        yield "account_id", found.account_id, found.source


def _shown(value: Any) -> str:
    if value is None:
        return _NOT_SET
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _shown_url(url: str | None) -> str:
    return _USER_INFO.sub(lambda found: f"{found['scheme'] or ''}***@", _shown(url))


def _masked(secret: str) -> str:
    """Return the end of a secret that is long enough to have one, as the AWS CLI shows it."""
    return "****************" + (secret[-4:] if len(secret) >= 16 else "")


def _table(rows: Sequence[Row]) -> str:
    widths = [max(len(row[column]) for row in rows if row[2]) for column in (0, 1)]
    lines = [
        f"{name:{widths[0]}}  {value:{widths[1]}}  {source}".rstrip()
        for name, value, source in rows
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
