"""The parser of the shared files, and the reading of them."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.config import (
    FilePaths,
    ProfileFiles,
    Profiles,
    expand_home,
    file_paths,
    parse_profiles,
    profile_files,
)
from tornado_aws.exceptions import ConfigParserError

# What a configuration file says -> its profiles.
CONFIG = {
    "an empty file": ("", {}),
    "an empty profile": ("[profile a]", {"a": {}}),
    "a property": ("[profile a]\nregion = x", {"a": {"region": "x"}}),
    "Windows line ends": ("[profile a]\r\nb = 1\r\nc = 2\r\n", {"a": {"b": "1", "c": "2"}}),
    "old Macintosh line ends": ("[profile a]\rb = 1", {"a": {"b": "1"}}),
    "a byte order mark": ("\ufeff[profile a]\nb = 1", {"a": {"b": "1"}}),
    "an equals sign in a value": ("[profile a]\nb = c=d=", {"a": {"b": "c=d="}}),
    "no white space around the equals sign": ("[profile a]\nb=c", {"a": {"b": "c"}}),
    "white space around everything": ("[ profile \t a ]\nb \t=\t c \t", {"a": {"b": "c"}}),
    "a tab after the section's kind": ("[profile\ta]\nb = c", {"a": {"b": "c"}}),
    "text beyond ASCII in a value": ("[profile a]\nb = ü\u2028x", {"a": {"b": "ü\u2028x"}}),
    "an empty value": ("[profile a]\nb =", {"a": {"b": ""}}),
    "keys in capitals": ("[profile a]\nReGion = Us", {"a": {"region": "Us"}}),
    "every character that names may have": (
        "[profile aZ09_-/.%@:+]\naZ09_-/.%@:+ = x",
        {"aZ09_-/.%@:+": {"az09_-/.%@:+": "x"}},
    ),
    "blank lines": (
        "\n \t\n[profile a]\n\t\n\nb = 1\n \n[profile c]\n ",
        {"a": {"b": "1"}, "c": {}},
    ),
    "comment lines": ("# x\n; y\n[profile a]\n#b = 2\n;\nc = 3", {"a": {"c": "3"}}),
    "comments behind": ("[profile a] # x\nb = c # d # e\nf = g ; h", {"a": {"b": "c", "f": "g"}}),
    "comments behind a bracket": ("[profile a];x\n[profile b]#y", {"a": {}, "b": {}}),
    "no comment without white space": ("[profile a]\nb = c#d;e", {"a": {"b": "c#d;e"}}),
    "a value that is a comment": ("[profile a]\nb = # c", {"a": {"b": ""}}),
    "a line that continues": ("[profile a]\nb = c\n  d ", {"a": {"b": "c\nd"}}),
    "lines that continue": ("[profile a]\nb = c\n d\n\te = f", {"a": {"b": "c\nd\ne = f"}}),
    "no comments in them": ("[profile a]\nb = c\n d # e\n f ; g", {"a": {"b": "c\nd # e\nf ; g"}}),
    "sub-properties": (
        "[profile a]\ns3 =\n  x = 1\n \n  Y = 2 # z\n  e =\nb = c",
        {"a": {"s3": {"x": "1", "y": "2 # z", "e": ""}, "b": "c"}},
    ),
    "sub-properties with impossible names": (
        "[profile a]\ns3 =\n  x y = 1\n  z = 2",
        {"a": {"s3": {"x y": "1", "z": "2"}}},
    ),
    "sections of one name": (
        "[profile a]\nb = 1\nc = 2\n[profile a]\nb = 3",
        {"a": {"b": "3", "c": "2"}},
    ),
    "properties of one name": ("[profile a]\nb = 1\nB = 2", {"a": {"b": "2"}}),
    "the default profile": ("[default]\nb = 1", {"default": {"b": "1"}}),
    "the default profile, said in full": ("[profile default]\nb = 1", {"default": {"b": "1"}}),
    "both default profiles": (
        "[profile default]\nb = 1\n[default]\nc = 2\n[profile default]\nd = 3",
        {"default": {"b": "1", "d": "3"}},
    ),
    "sections without a kind": ("[a]\nb = 1\n[preview]\nc = true", {}),
    "sections whose kind is glued to the name": ("[profilea]\nb = 1\n[profile c]", {"c": {}}),
    "sections with impossible names": (
        "[profile a b]\nc = 1\n[profile d!]\n[profile e]",
        {"e": {}},
    ),
    "properties with impossible names": (
        "[profile a]\nb = 1\nc d = 2\n  e\nf g = 3\n  h\ni = 4",
        {"a": {"b": "1", "i": "4"}},
    ),
    "an impossible name first": ("[profile a]\nb c = 1\n  d\ne = 2", {"a": {"e": "2"}}),
    "quoted names": (
        '[profile "a b"]\nc = 1\n[profile \'d\']\n[profile "e]',
        {"a b": {"c": "1"}, "d": {}},
    ),
    "a file that is indented throughout": (
        "  [default]\n  region = x\n  s3 =\n    y = 1\n  [profile b]\n    c = 2\n    d = 3",
        {"default": {"region": "x", "s3": {"y": "1"}}, "b": {"c": "2", "d": "3"}},
    ),
    "an indented comment": ("[profile a]\nb = c\n  # d\ne = f", {"a": {"b": "c", "e": "f"}}),
}

# A configuration file -> line and part of the reason.
MALFORMED = {
    "an open bracket": ("[profile a]\n[profile b", 2, "must end with ']'"),
    "a property before a section": ("b = 1", 1, "Expected a section definition"),
    "a continuation before a section": ("\n  b", 2, "Expected a section definition"),
    "a continuation before a property": ("[profile a]\n b", 2, "Expected a property definition"),
    "a continuation behind a section": (
        "[profile a]\nb = 1\n[profile a]\n c",
        4,
        "Expected a property definition",
    ),
    "no equals sign": ("[profile a]\nb : 1", 2, "Expected a property definition"),
    "an equals sign in a comment only": ("[profile a]\nb # = 1", 2, "Expected an '=' sign"),
    "no name": ("[profile a]\n= 1", 2, "no name"),
    "no equals sign in a sub-property": ("[profile a]\nb =\n c", 3, "Expected an '=' sign"),
    "no name of a sub-property": ("[profile a]\nb =\n = c", 3, "no name"),
}


@pytest.mark.parametrize(("text", "profiles"), CONFIG.values(), ids=CONFIG)
def test_the_configuration_file_is_read_as_the_sdks_do(text: str, profiles: dict[str, Any]) -> None:
    """Each rule of the dialect holds."""
    assert parse_profiles(text).profiles == profiles


@pytest.mark.parametrize(("text", "line", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_is_named_by_its_number(text: str, line: int, reason: str) -> None:
    """Errors name file, line and reason."""
    with pytest.raises(ConfigParserError) as caught:
        parse_profiles(text, paths=FilePaths("/x/config", "/x/credentials"))
    assert (caught.value.path, caught.value.line) == ("/x/config", line)
    assert reason in caught.value.reason
    assert f"/x/config, line {line}" in str(caught.value)


def test_a_malformed_line_is_never_quoted() -> None:
    """The line may hold a secret: neither text nor repr nor the chain of causes shows it."""
    with pytest.raises(ConfigParserError) as caught:
        parse_profiles("", "[a]\naws_secret_access_key: hush hush")
    error = caught.value
    assert "hush" not in f"{error}{error!r}{error.__dict__}{error.__cause__}{error.__context__}"


def test_the_credentials_file_has_plain_names() -> None:
    """There every section is a profile, whatever its name begins with, unless it has a kind."""
    parsed = parse_profiles(
        "", "[a]\nb = 1\n[ c ]\n[sso-sessionx]\n[profile d]\ne = 1\n[sso-session f]\n[g h]\n['i j']"
    )
    assert parsed.profiles == {"a": {"b": "1"}, "c": {}, "sso-sessionx": {}, "i j": {}}
    assert parsed.sso_sessions == {}


def test_the_credentials_file_counts_where_both_say_something() -> None:
    """Properties are merged key by key, and stay apart in the views of the single files."""
    parsed = parse_profiles(
        "[profile a]\nb = 1\nc = 2\n[default]\nd = 3", "[a]\nc = 4\n[e]\nf = 5\n[default]\ng = 6"
    )
    assert parsed.profiles == {
        "a": {"b": "1", "c": "4"},
        "default": {"d": "3", "g": "6"},
        "e": {"f": "5"},
    }
    assert parsed.config_file["a"] == {"b": "1", "c": "2"}
    assert parsed.credentials_file["a"] == {"c": "4"}


def test_sso_sessions_and_services_stand_beside_the_profiles() -> None:
    """They are found by their kind, and may have the names of profiles."""
    parsed = parse_profiles(
        "[sso-session a]\nsso_region = x\n[services a]\ns3 =\n endpoint_url = http://y\n"
        "[profile a]\nb = 1\n[sso-session]\n[servicesb]\n[sso-session c d]"
    )
    assert parsed.sso_sessions == {"a": {"sso_region": "x"}}
    assert parsed.services == {"a": {"s3": {"endpoint_url": "http://y"}}}
    assert parsed.profiles == {"a": {"b": "1"}}


def test_nothing_shows_what_the_files_say() -> None:
    """The repr of the result holds no property."""
    assert "hush" not in repr(parse_profiles("", "[a]\naws_secret_access_key = hush"))


LINES = st.one_of(
    st.sampled_from(
        ["[profile a]", "[default]", "b = 1", "b =", " c = d", "  e", "# f", "", "[", "= g", "h"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_result_or_our_error(lines: list[str], end: str) -> None:
    """No text makes the parser fail in another way, and results have the promised shape."""
    text = end.join(lines)
    try:
        parsed = parse_profiles(text, text)
    except ConfigParserError:
        return
    for section in parsed.profiles.values():
        for key, value in section.items():
            assert key == key.lower()
            values = value.values() if isinstance(value, dict) else [value]
            assert all(isinstance(item, str) for item in values)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True)
VALUES = st.from_regex(
    r"[A-Za-z0-9/+=:.]([A-Za-z0-9/+=:. ]{0,10}[A-Za-z0-9/+=:.])?", fullmatch=True
)
SECTIONS = st.dictionaries(NAMES, st.one_of(VALUES, st.dictionaries(NAMES, VALUES, min_size=1)))


@given(st.dictionaries(NAMES, SECTIONS, max_size=4))
@settings(max_examples=25, deadline=None)
def test_ordinary_files_mean_what_they_mean_to_botocore(profiles: dict[str, Any]) -> None:
    """A file that configparser reads too has the same profiles there."""
    text = "".join(_written(f"profile {name}", section) for name, section in profiles.items())
    path = Path(os.environ["HOME"]) / "config"
    path.write_text(text, encoding="utf-8")
    try:
        assert parse_profiles(text).profiles == load_config(str(path))["profiles"] == profiles
    finally:
        path.unlink()


def _written(header: str, section: dict[str, Any]) -> str:
    lines = [f"[{header}]"]
    for key, value in section.items():
        if isinstance(value, dict):
            lines += [f"{key} =", *(f"    {name} = {text}" for name, text in value.items())]
        else:
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def test_the_files_are_where_arguments_then_variables_say() -> None:
    """Arguments count before variables, variables before the home folder."""
    environ = {"HOME": "/h", "AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": ""}
    usual = "/h/.aws/credentials"
    assert file_paths(environ) == FilePaths("/h/c", usual, frozenset({usual}))
    assert file_paths(environ, "/a", "~/b") == FilePaths("/a", "/h/b")
    assert file_paths({"HOME": "/h"}).unnamed == {"/h/.aws/config", usual}
    environ = {"A": "/a", "AWS_CONFIG_FILE": "$A/${A}b/$B/${B}"}
    assert file_paths(environ, None, "/$").config == "/a//ab/$B/${B}"
    assert file_paths(environ, None, "/$").credentials == "/$"


def test_the_home_folder_is_the_users_when_the_variable_is_missing() -> None:
    """Without HOME the system knows the home folder; other tildes are left alone."""
    assert expand_home("~/x", {}) == os.path.expanduser("~/x")  # noqa: PTH111
    assert expand_home("~", {"HOME": "/h"}) == "/h"
    assert expand_home("/a/~/b", {"HOME": "/h"}) == "/a/~/b"


@pytest.fixture
def files(tmp_path: Path) -> ProfileFiles:
    return ProfileFiles(FilePaths(str(tmp_path / "config"), str(tmp_path / "credentials")))


def test_files_that_do_not_exist_count_as_empty(files: ProfileFiles) -> None:
    """Then there are no profiles, and the absence of the configuration file is told."""
    loaded = files.load()
    assert (loaded.profiles, loaded.config_exists) == ({}, False)
    assert loaded.config_path == files.paths.config


def test_a_folder_in_the_path_that_is_a_file_counts_as_no_file(tmp_path: Path) -> None:
    """``~/.aws`` may be a file."""
    (tmp_path / "x").write_text("")
    below = str(tmp_path / "x" / "config")
    assert ProfileFiles(FilePaths(below, below)).load().profiles == {}


def test_an_impossible_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    """A path with NUL is no reason for another kind of exception."""
    with pytest.raises(ConfigParserError, match="cannot be read"):
        ProfileFiles(FilePaths(str(tmp_path / "none"), "a\0b")).load()


def test_what_is_empty_in_a_file_is_not_set(files: ProfileFiles) -> None:
    """It hides nothing of the other file, and whether a property is there is no riddle."""
    Path(files.paths.config).write_text(
        "[default]\nregion = x\nsso_role_name =\ns3 =\n  y =\n[sso-session s]\nsso_region =\n"
        "[services v]\nsqs =\n[profile a]\nrole_arn =\n"
    )
    Path(files.paths.credentials).write_text("[default]\nregion =\naws_access_key_id = AKID\n")
    found = files.load()
    expected = {"region": "x", "s3": {"y": ""}, "aws_access_key_id": "AKID"}
    assert found.profiles == {"default": expected, "a": {}}
    assert (found.sso_sessions, found.services) == ({"s": {}}, {"v": {}})
    assert found.credentials_file == {"default": {"aws_access_key_id": "AKID"}}


def test_an_unchanged_file_is_not_read_again(files: ProfileFiles) -> None:
    """Old files are parsed once."""
    path = Path(files.paths.config)
    path.write_text("[default]\na = 1")
    _make_old(path)
    assert files.load() is files.load()


@pytest.mark.parametrize("which", ["config", "credentials"])
def test_a_changed_file_is_read_again(files: ProfileFiles, which: str) -> None:
    """A change is seen by time, size or inode, and removal is a change."""
    path = Path(getattr(files.paths, which))
    path.write_text("[default]\na = 1")
    _make_old(path)
    assert files.load().profiles["default"] == {"a": "1"}
    other = path.with_name("new")
    other.write_text("[default]\na = 2")
    _make_old(other)
    other.replace(path)
    assert files.load().profiles["default"] == {"a": "2"}
    path.unlink()
    assert files.load().profiles == {}


def test_files_at_one_place_are_shared_and_few_are_kept(tmp_path: Path) -> None:
    """Clients of one configuration read it once; a program that goes through many keeps few."""
    paths = FilePaths(str(tmp_path / "config"), str(tmp_path / "credentials"))
    shared = weakref.ref(profile_files(paths))
    assert profile_files(FilePaths(*paths)) is shared()
    assert profile_files(paths._replace(config="other")) is not shared()
    for number in range(100):
        profile_files(paths._replace(config=str(number)))
    gc.collect()
    assert shared() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_reads_by_itself(files: ProfileFiles) -> None:
    """A thread that reads is its parent's, and so is the lock that it holds."""
    path = Path(files.paths.config)
    path.write_text("[default]\na = 1")
    with files._lock:
        child = os.fork()
        if child == 0:
            found: list[Profiles] = []
            thread = threading.Thread(target=lambda: found.append(files.load()), daemon=True)
            thread.start()
            thread.join(5)
            os._exit(0 if found and found[0].profiles == {"default": {"a": "1"}} else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_second_change_within_the_clocks_granularity_is_seen(files: ProfileFiles) -> None:
    """A young file is read each time: its time stamp may not move with the next change."""
    path = Path(files.paths.config)
    path.write_text("[default]\na = 1")
    stamp = path.stat()
    assert files.load().profiles["default"] == {"a": "1"}
    path.write_text("[default]\na = 2")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert files.load().profiles["default"] == {"a": "2"}


def _make_old(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))


def _folder(path: Path) -> None:
    path.mkdir()


def _latin(path: Path) -> None:
    path.write_bytes(b"[default]\naws_secret_access_key = hush\xfc")


def _malformed(path: Path) -> None:
    path.write_text("[default]\nhush")


@pytest.mark.parametrize(
    ("make", "reason"),
    [(_folder, "it is a folder"), (_latin, "not UTF-8"), (_malformed, "property definition")],
)
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(
    files: ProfileFiles, make: Callable[[Path], None], reason: str
) -> None:
    """A folder, other encodings and malformed lines are told apart; contents are never shown."""
    make(Path(files.paths.credentials))
    with pytest.raises(ConfigParserError, match=reason) as caught:
        files.load()
    assert caught.value.path == files.paths.credentials
    assert "hush" not in f"{caught.value} {caught.value.__cause__!r}"


@contextmanager
def _as_ordinary_user() -> Iterator[None]:
    """Be somebody who may not read everything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a home folder that any user may enter, with a configuration file that none may read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / ".aws").mkdir()
        (path / ".aws").chmod(0o755)  # whatever the umask
        (path / ".aws" / "config").touch(mode=0)
        yield path
        path.chmod(0o755)


def test_a_file_without_permission_is_an_error(home: Path) -> None:
    """An unreadable file is not the same as none."""
    files = ProfileFiles(file_paths({"HOME": str(home)}))
    with _as_ordinary_user(), pytest.raises(ConfigParserError, match="Permission denied"):
        files.load()


def test_a_home_folder_that_may_not_be_entered_has_no_files(home: Path) -> None:
    """In a container HOME may be root's while the user is another; the AWS CLI goes on."""
    files = ProfileFiles(file_paths({"HOME": str(home)}))
    home.chmod(0)
    with _as_ordinary_user():
        loaded = files.load()
    assert (loaded.profiles, loaded.config_exists) == ({}, False)


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_file_that_was_named_must_be_within_reach(home: Path, variable: str) -> None:
    """Somebody wants it read, even if it stands where it usually does."""
    path = "~/.aws/config" if variable == "AWS_CONFIG_FILE" else "~/.aws/credentials"
    files = ProfileFiles(file_paths({"HOME": str(home), variable: path}))
    home.chmod(0)
    with _as_ordinary_user(), pytest.raises(ConfigParserError, match="Permission denied"):
        files.load()


# A configuration file, a credentials file, a profile -> what the error says of it.
NOT_FOUND = {
    "nothing like it": ("[profile b]", "[c]", "a", ""),
    "white space in the credentials file": (
        "",
        "[my prod]",
        "my prod",
        "; the section [my prod] of /x/credentials is ignored, because such a name must be quoted,"
        ' and the AWS CLI knows no quotes there: move it to [profile "my prod"] of /x/config',
    ),
    "other letters in the credentials file": (
        "",
        "[caf\xe9]",
        "caf\xe9",
        "; the section [caf\xe9] of /x/credentials is ignored, because such a name must be quoted,"
        ' and the AWS CLI knows no quotes there: move it to [profile "caf\xe9"] of /x/config',
    ),
    "a kind in the credentials file": (
        "",
        "[profile a]",
        "a",
        "; the section [profile a] of /x/credentials is ignored, because a name stands there"
        " without a kind: move it to [profile a] of /x/config",
    ),
    "white space in the configuration file": (
        "[profile my prod]",
        "",
        "my prod",
        "; the section [profile my prod] of /x/config is ignored, because such a name must be"
        ' quoted: write [profile "my prod"]',
    ),
    "no kind in the configuration file": (
        "[a]",
        "",
        "a",
        "; the section [a] of /x/config is ignored, because profiles are named [profile NAME]"
        " there: write [profile a]",
    ),
    "white space and no kind in the configuration file": (
        "['my \"prod\"']\n[my prod]\n[]\n[sso-session x y]\n[default]",
        "",
        "my prod",
        "; the section [my prod] of /x/config is ignored, because profiles are named"
        ' [profile NAME] there: write [profile "my prod"]',
    ),
}


@pytest.mark.parametrize(
    ("config", "credentials", "profile", "hint"), NOT_FOUND.values(), ids=NOT_FOUND
)
def test_a_profile_that_is_not_found_is_looked_for_among_what_is_ignored(
    config: str, credentials: str, profile: str, hint: str
) -> None:
    """The error names both files, and what to write if a section was meant to be the profile."""
    parsed = parse_profiles(config, credentials, paths=FilePaths("/x/config", "/x/credentials"))
    text = parsed.not_found(profile)
    assert text == f"Profile {profile!r} was not found in /x/config or /x/credentials{hint}"


@pytest.mark.parametrize("name", ["my prod", "caf\xe9", "a"])
def test_what_an_error_says_to_write_is_a_profile_here_and_to_botocore(name: str) -> None:
    """The AWS CLI finds it, too."""
    header = parse_profiles("", f"[profile {name}]").hint(name).partition(": move it to ")[2]
    text = f"{header.partition(' of ')[0]}\nb = 1\n"
    path = Path(os.environ["HOME"]) / "config"
    path.write_text(text, encoding="utf-8")
    try:
        assert parse_profiles(text).profiles == load_config(str(path))["profiles"]
    finally:
        path.unlink()
    assert parse_profiles(text).profiles == {name: {"b": "1"}}


def test_an_error_is_not_kept(files: ProfileFiles) -> None:
    """A file that is mended is read."""
    path = Path(files.paths.config)
    path.write_text("[default")
    with pytest.raises(ConfigParserError):
        files.load()
    path.write_text("[default]")
    assert files.load().profiles == {"default": {}}


def test_loading_from_several_threads_gives_whole_results(files: ProfileFiles) -> None:
    """Readers see one version or the other while a writer replaces the file."""
    path = Path(files.paths.config)
    versions = [f"[default]\na = {'x' * size}\nb = {size}" for size in (10, 20_000)]
    seen: list[Profiles] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(files.load())

    path.write_text(versions[0])
    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(40):
        new = path.with_name("new")
        new.write_text(versions[number % 2])
        new.replace(path)
    stop.set()
    for thread in threads:
        thread.join()
    sections = [profiles.profiles["default"] for profiles in seen]
    assert sections
    assert all(str(len(section["a"])) == section["b"] for section in sections)


def test_what_stands_behind_a_profile_is_what_its_credentials_depend_on() -> None:
    """Its own section, its source profiles' however they go round, and their SSO sessions."""
    profiles = parse_profiles(
        "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\nsso_session = s\n"
        "[profile c]\nsource_profile = nowhere\n[sso-session s]\nsso_region = r\n"
    )
    a, b = profiles.profiles["a"], profiles.profiles["b"]
    assert profiles.behind("a") == [a, b, profiles.sso_sessions["s"]]
    assert profiles.behind("c") == [profiles.profiles["c"]]
    assert profiles.behind("nowhere") == []
