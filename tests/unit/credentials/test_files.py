"""Keys in the two files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ConfigProvider, SharedCredentialProvider
from botocore.exceptions import PartialCredentialsError

from tests.support.credential_sources import keys, make_context, with_files
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.files import ConfigFile, CredentialsFile
from tornado_aws.credentials.refresh import Clock, Refreshing
from tornado_aws.exceptions import ConfigParserError, CredentialsError

PAIR = "aws_access_key_id = AKID\naws_secret_access_key = hush\n"

SECTIONS = {
    "a pair": PAIR,
    "a token": PAIR + "aws_session_token = t",
    "a token's older name": PAIR + "aws_security_token = s",
    "both names": PAIR + "aws_session_token = t\naws_security_token = s",
    "an account": PAIR + "aws_account_id = 123456789012",
    "half a pair": "aws_access_key_id = AKID",
    "the other half": "aws_secret_access_key = hush",
    "nothing": "region = x",
}


@pytest.mark.parametrize("text", SECTIONS.values(), ids=SECTIONS)
@pytest.mark.parametrize("kind", [CredentialsFile, ConfigFile])
def test_files_mean_what_they_mean_to_botocore(tmp_path: Path, kind: Any, text: str) -> None:
    """The same credentials, the same absence, the same complaint about half a pair."""
    section = f"[default]\nregion = y\n[p]\n{text}"
    if kind is ConfigFile:
        section = section.replace("[p]", "[profile p]")
        context = make_context(section, options={"profile": "p"})
        oracle = ConfigProvider(str(tmp_path / "file"), "p")
    else:
        context = make_context("[profile p]", section, options={"profile": "p"})
        oracle = SharedCredentialProvider(str(tmp_path / "file"), "p")
    (tmp_path / "file").write_text(section)
    provider = kind(context)
    try:
        expected = oracle.load()
    except PartialCredentialsError:
        with pytest.raises(CredentialsError, match="no aws_secret_access_key"):
            asyncio.run(provider.load(None))
        return
    if expected is None:
        with pytest.raises(Absent, match="aws_access_key_id"):
            asyncio.run(provider.load(None))
        return
    found = asyncio.run(provider.load(None))
    assert keys(found) == (expected.access_key, expected.secret_key, expected.token)
    assert found.account_id == expected.account_id
    assert found.source == provider.name


def test_a_pair_is_never_made_of_two_files() -> None:
    """A key id in one file and a secret in the other are two halves, not a pair."""
    context = make_context(
        "[default]\naws_secret_access_key = hush", "[default]\naws_access_key_id = AKID"
    )
    with pytest.raises(CredentialsError, match="no aws_secret_access_key"):
        asyncio.run(CredentialsFile(context).load(None))


def test_nothing_of_the_default_profile_leaks_into_another() -> None:
    """Neither its keys nor its session token complete another profile."""
    default = f"[default]\n{PAIR}aws_session_token = t\n"
    own = "[p]\naws_access_key_id = P\naws_secret_access_key = hush2\n[q]\n"
    context = make_context("", default + own, options={"profile": "p"})
    assert keys(asyncio.run(CredentialsFile(context).load(None))) == ("P", "hush2", None)
    context = make_context("", default + own, options={"profile": "q"})
    with pytest.raises(Absent):
        asyncio.run(CredentialsFile(context).load(None))


def test_a_section_that_the_cli_wrote_and_that_is_ignored_is_named() -> None:
    """``aws configure`` writes settings with quotes, and keys without."""
    context = make_context(
        '[profile "my prod"]\nregion = x', f"[my prod]\n{PAIR}", options={"profile": "my prod"}
    )
    with pytest.raises(Absent, match=r"the section \[my prod\] of .* is ignored"):
        asyncio.run(CredentialsFile(context).load(None))


class Files:
    """The two files in a folder, written so that no change can be missed."""

    def __init__(self, folder: Path) -> None:
        self.credentials = folder / "credentials"
        self.now = 1_000_000_000

    def write(self, text: str) -> None:
        new = self.credentials.with_name("new")
        new.write_text(text)
        self.now += 1
        os.utime(new, (self.now, self.now))
        new.replace(self.credentials)


def pair(name: str) -> str:
    return f"[default]\naws_access_key_id = {name}\naws_secret_access_key = hush"


def test_a_file_that_is_gone_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not at every look; but again when it was there meanwhile."""
    files = Files(tmp_path)
    files.write(pair("OLD"))
    steady = [100.0]

    async def look(source: Refreshing) -> str:
        steady[0] += 5.0
        return (await source.get()).access_key

    async def main() -> None:
        provider = CredentialsFile(with_files(make_context(), tmp_path))
        source = Refreshing(provider, clock=Clock(steady=lambda: steady[0]))
        assert await look(source) == "OLD"
        for round_number, name in enumerate(("OLD", "NEW"), start=1):
            files.credentials.unlink()
            assert [await look(source) for _ in range(3)] == [name] * 3
            assert caplog.text.count("Refreshing credentials from") == round_number
            files.write(pair("NEW"))
            assert await look(source) == "NEW"

    asyncio.run(main())


def test_a_changed_file_is_seen_within_five_seconds(tmp_path: Path) -> None:
    """Keys that an agent replaces are used by the first call five seconds later."""
    files = Files(tmp_path)
    files.write(pair("OLD"))
    steady = [100.0]

    async def main() -> None:
        provider = CredentialsFile(with_files(make_context(), tmp_path))
        source = Refreshing(provider, clock=Clock(steady=lambda: steady[0]))
        assert (await source.get()).access_key == "OLD"
        files.write(pair("NEW"))
        steady[0] += 4.9
        assert (await source.get()).access_key == "OLD"
        steady[0] += 0.1
        assert (await source.get()).access_key == "NEW"

    asyncio.run(main())


def test_a_rejection_makes_the_file_be_read_at_once(tmp_path: Path) -> None:
    """Keys that have been replaced are taken; unchanged ones fail without another try."""
    files = Files(tmp_path)
    files.write(pair("OLD"))

    async def main() -> None:
        source = Refreshing(CredentialsFile(with_files(make_context(), tmp_path)))
        old = await source.get()
        files.write(pair("NEW"))
        new = await source.renew(old)
        assert new == Credentials("NEW", "hush")
        assert await source.renew(new) is None

    asyncio.run(main())


@pytest.mark.parametrize("text", [None, "", "[default", "[default]\naws_access_key_id = X"])
def test_a_file_that_is_gone_or_half_written_takes_no_keys_away(
    tmp_path: Path, text: str | None
) -> None:
    """What was read last is used on until the file is whole again."""
    files = Files(tmp_path)
    files.write(pair("OLD"))
    steady = [100.0]

    async def main() -> None:
        provider = CredentialsFile(with_files(make_context(), tmp_path))
        source = Refreshing(provider, clock=Clock(steady=lambda: steady[0]))
        await source.get()
        if text is None:
            files.credentials.unlink()
        else:
            files.write(text)
        steady[0] += 5.1
        assert (await source.get()).access_key == "OLD"
        files.write(pair("NEW"))
        steady[0] += 5.1
        assert (await source.get()).access_key == "NEW"

    asyncio.run(main())


def test_a_malformed_file_is_an_error_at_first(tmp_path: Path) -> None:
    """With nothing to use on, the caller is told what is wrong with the file."""
    Files(tmp_path).write("[default]\nhush")
    context = with_files(make_context(), tmp_path)
    with pytest.raises(ConfigParserError, match="line 2") as caught:
        asyncio.run(CredentialsFile(context).load(None))
    assert "hush" not in str(caught.value)
