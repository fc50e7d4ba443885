"""What do the shared configuration and credentials files say?

`parse_profiles` is the pure parser of the two files' dialect of INI; `ProfileFiles` reads them from
disk. The rules are those that the SDKs share, and beyond them what the AWS CLI accepts too:

* a line that begins further right than the property above it continues that property;
* a property with an empty value followed by such lines is a table of sub-properties;
* ``#`` and ``;`` begin a comment at the start of a line, after a section's bracket, and after white
  space in the value of a property; the lines that continue it have no comments;
* sections of one name are merged; ``[profile default]`` puts ``[default]`` out of force;
* sections and properties (not sub-properties) with impossible names are ignored, lines of no
  known form are errors.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tornado_aws.exceptions import ConfigParserError

__all__ = [
    "FilePaths",
    "ProfileFiles",
    "Profiles",
    "Section",
    "expand_home",
    "file_paths",
    "parse_profiles",
    "profile_files",
]

Section: TypeAlias = dict[str, "str | dict[str, str]"]
Sections: TypeAlias = dict[str, Section]

_IDENTIFIER = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")
_KINDS = frozenset({"profile", "sso-session", "services"})
_QUOTED = re.compile(r"""(["'])(?P<name>[^"']+)\1""")
_COMMENT = re.compile(r"\s[#;]")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})")
# Only these end a line: str.splitlines would also break values at U+2028, form feeds and others.
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, eq=False)
class Profiles:
    """What the two files say together.

    Attributes:
        profiles: properties by profile; where both files set one, the credentials file's counts.
        sso_sessions: the ``[sso-session x]`` sections of the configuration file.
        services: the ``[services x]`` sections of the configuration file.
        config_file: the configuration file's profiles alone.
        credentials_file: the credentials file's profiles alone.
        ignored: why a section does not count that a profile may be meant by, by that name.
        config_path: the configuration file, for error texts.
        credentials_path: the credentials file, for error texts.
        config_exists: whether there is a configuration file.
    """

    profiles: Mapping[str, Section] = field(default_factory=dict, repr=False)
    sso_sessions: Mapping[str, Section] = field(default_factory=dict, repr=False)
    services: Mapping[str, Section] = field(default_factory=dict, repr=False)
    config_file: Mapping[str, Section] = field(default_factory=dict, repr=False)
    credentials_file: Mapping[str, Section] = field(default_factory=dict, repr=False)
    ignored: Mapping[str, str] = field(default_factory=dict, repr=False)
    config_path: str = "~/.aws/config"
    credentials_path: str = "~/.aws/credentials"
    config_exists: bool = False

    def behind(self, profile: str) -> list[Section]:
        """Return the sections that a profile's credentials depend on.

        They are its own, those of its source profiles and of their SSO sessions.
        """
        found: list[Section] = []
        seen: set[str] = set()
        name: object = profile
        while isinstance(name, str) and name in self.profiles and name not in seen:
            seen.add(name)
            section = self.profiles[name]
            found.append(section)
            session = section.get("sso_session")
            if isinstance(session, str) and session in self.sso_sessions:
                found.append(self.sso_sessions[session])
            name = section.get("source_profile")
        return found

    def hint(self, profile: str) -> str:
        """Return the end of an error text about a missing profile; "" if nothing is like it."""
        reason = self.ignored.get(profile)
        return f"; {reason}" if reason else ""

    def not_found(self, profile: str) -> str:
        """Return the error text about a profile that is in neither file."""
        files = f"{self.config_path} or {self.credentials_path}"
        return f"Profile {profile!r} was not found in {files}{self.hint(profile)}"


class FilePaths(NamedTuple):
    """Where the two files are.

    Attributes:
        config: path of the configuration file.
        credentials: path of the credentials file.
        unnamed: those of them that nobody has named, and that are where they usually are.
    """

    config: str
    credentials: str
    unnamed: frozenset[str] = frozenset()


def parse_profiles(
    config_text: str = "",
    credentials_text: str = "",
    *,
    paths: FilePaths | None = None,
    config_exists: bool = True,
) -> Profiles:
    """Parse the texts of the configuration file and the credentials file.

    Args:
        config_text: the configuration file's text.
        credentials_text: the credentials file's text.
        paths: the files that the texts come from, for error texts.
        config_exists: whether there is a configuration file.

    Returns:
        The profiles, SSO sessions and services by name: keys in lower case, values as text or, for
        nested properties, as a dict of texts.

    Raises:
        ConfigParserError: a line is malformed; names file and line, never the line's text.
    """
    where = paths or FilePaths("the configuration text", "the credentials text")
    config = _parse(config_text, where.config)
    own = _named(config, "profile")
    if "default" in config and "default" not in own:
        own["default"] = config["default"]
    credentials_sections = _parse(credentials_text, where.credentials)
    credentials = _plainly_named(credentials_sections)
    return Profiles(
        profiles=_merged(own, credentials),
        sso_sessions=_named(config, "sso-session"),
        services=_named(config, "services"),
        config_file=own,
        credentials_file=credentials,
        ignored={
            **_ignored_of_config(config, where.config),
            **_ignored_of_credentials(credentials_sections, where),
        },
        config_path=where.config,
        credentials_path=where.credentials,
        config_exists=config_exists,
    )


def _parts(header: str) -> tuple[str, str]:
    """Return a section's kind, "" if it has none, and the text of its name."""
    words = header.split(maxsplit=1)
    return (words[0], words[1]) if len(words) == 2 else ("", header)


def _named(sections: Sections, kind: str) -> Sections:
    """Pick the sections ``[kind name]``, by name."""
    found: Sections = {}
    for header, section in sections.items():
        found_kind, text = _parts(header)
        name = _name(text) if found_kind == kind else None
        if name is not None:
            found.setdefault(name, {}).update(section)
    return found


def _plainly_named(sections: Sections) -> Sections:
    """Pick the sections of the credentials file, whose headers are names and nothing else."""
    found: Sections = {}
    for header, section in sections.items():
        name = _name(header)
        if name is not None:
            found.setdefault(name, {}).update(section)
    return found


def _ignored_of_config(sections: Sections, path: str) -> dict[str, str]:
    """Say, by name, why sections of the configuration file are no profiles."""
    found = {}
    for header in sections:
        kind, text = _parts(header)
        if kind == "profile" and _name(text) is None:
            name, reason = text, "such a name must be quoted"
        elif kind not in _KINDS and header != "default":
            name, reason = _name(header) or header, "profiles are named [profile NAME] there"
        else:
            continue
        found[name] = (
            f"the section [{header}] of {path} is ignored, because {reason}:"
            f" write {_config_header(name)}"
        )
    return found


def _ignored_of_credentials(sections: Sections, paths: FilePaths) -> dict[str, str]:
    """Say, by name, why sections of the credentials file are no profiles."""
    found = {}
    for header in sections:
        if _name(header) is not None:
            continue
        kind, text = _parts(header)
        if kind == "profile":
            name, reason = _name(text) or text, "a name stands there without a kind"
        else:
            name = header
            reason = "such a name must be quoted, and the AWS CLI knows no quotes there"
        found[name] = (
            f"the section [{header}] of {paths.credentials} is ignored, because {reason}:"
            f" move it to {_config_header(name)} of {paths.config}"
        )
    return found


def _config_header(name: str) -> str:
    """Return the header that the configuration file must have for a profile."""
    return f"[profile {name}]" if _IDENTIFIER.fullmatch(name) else f'[profile "{name}"]'


def _name(text: str) -> str | None:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted["name"].strip()
    return text if _IDENTIFIER.fullmatch(text) else None


def _merged(config: Sections, credentials: Sections) -> Sections:
    return {
        name: {**config.get(name, {}), **credentials.get(name, {})}
        for name in (*config, *(name for name in credentials if name not in config))
    }


def _parse(text: str, path: str) -> Sections:
    """Parse one file into its sections by the text between their brackets."""
    reader = _Reader(path)
    for number, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff")), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", ";")):
            reader.line(number, len(line) - len(line.lstrip()), stripped)
    return reader.sections


class _Reader:
    """The state between two lines of a file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sections: Sections = {}
        self.section: Section | None = None
        self.key: str | None = None  # of the property that an indented line would continue
        self.ignoring = False  # that property has an impossible name
        self.indent = 0

    def line(self, number: int, indent: int, text: str) -> None:
        if self.section is not None and self._continues(indent):
            self._continuation(self.section, number, text)
        elif text.startswith("["):
            self._header(number, text)
        elif self.section is not None:
            self._property(self.section, number, indent, text)
        else:
            raise self._error(number, "Expected a section definition, found something else")

    def _continues(self, indent: int) -> bool:
        return indent > self.indent and (self.key is not None or self.ignoring)

    def _header(self, number: int, text: str) -> None:
        inside, bracket, _ = text[1:].partition("]")
        if not bracket:
            raise self._error(number, "Section definition must end with ']'")
        self.section = self.sections.setdefault(inside.strip(), {})
        self.key, self.ignoring, self.indent = None, False, 0

    def _property(self, section: Section, number: int, indent: int, text: str) -> None:
        if "=" not in text:
            found = ", found continuation" if indent else ", an '=' sign is missing"
            raise self._error(number, f"Expected a property definition{found}")
        name, value = self._pair(number, _COMMENT.split(text, maxsplit=1)[0])
        self.ignoring = not _IDENTIFIER.fullmatch(name)
        self.key = None if self.ignoring else name.lower()
        self.indent = indent
        if self.key is not None:
            section[self.key] = value

    def _continuation(self, section: Section, number: int, text: str) -> None:
        if self.key is None:
            return
        value = section[self.key]
        if isinstance(value, str) and value:
            section[self.key] = f"{value}\n{text}"
            return
        table = value if isinstance(value, dict) else {}
        section[self.key] = table
        name, sub_value = self._pair(number, text, "sub-property")
        table[name.lower()] = sub_value

    def _pair(self, number: int, text: str, kind: str = "property") -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals:
            raise self._error(number, f"Expected an '=' sign defining a {kind}")
        if not name.strip():
            raise self._error(number, f"The {kind} has no name before its '=' sign")
        return name.strip(), value.strip()

    def _error(self, number: int, reason: str) -> ConfigParserError:
        return ConfigParserError(path=self.path, line=number, reason=reason)


def file_paths(
    environ: Mapping[str, str], config: str | None = None, credentials: str | None = None
) -> FilePaths:
    """Say where the two files are: argument, environment variable, default.

    ``~``, ``$NAME`` and ``${NAME}`` are expanded, as the AWS CLI does.

    Args:
        environ: the environment variables.
        config: the configuration file when it is given in code.
        credentials: the credentials file when it is given in code.
    """
    named = {
        "~/.aws/config": config or environ.get("AWS_CONFIG_FILE"),
        "~/.aws/credentials": credentials or environ.get("AWS_SHARED_CREDENTIALS_FILE"),
    }
    first, second = (_expanded(path or usual, environ) for usual, path in named.items())
    unnamed = (expand_home(usual, environ) for usual, path in named.items() if not path)
    return FilePaths(first, second, frozenset(unnamed))


def _expanded(path: str, environ: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return environ.get(found[1] or found[2], found[0])

    return expand_home(_VARIABLE.sub(value, path), environ)


def expand_home(path: str, environ: Mapping[str, str]) -> str:
    """Replace a leading ``~`` by the home folder, which HOME names if it is set."""
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith(("~/", f"~{os.sep}"))):
        return home + path[1:]
    return os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises for an unknown user


class ProfileFiles:
    """The two files at their places on disk, parsed again only when one of them changes.

    `load` reads from disk: call it off the event loop. It may be called from several threads, and
    in a forked process.
    """

    def __init__(self, paths: FilePaths) -> None:
        self.paths = paths
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stamps: tuple[_Stamp | None, _Stamp | None] | None = None
        self._profiles = Profiles()

    def load(self) -> Profiles:
        """Return what the files say now; files that do not exist count as empty.

        Properties that are empty are left out.

        Raises:
            ConfigParserError: a file is malformed, is not UTF-8, or cannot be read.
        """
        if self._pid != os.getpid():
            self._begin_anew()  # a thread of the parent may have held its lock
        with self._lock:
            stamps = self._look()
            if self._stamps is None or stamps != self._stamps:
                self._profiles, stamps = self._read(stamps)
                self._stamps = None if any(map(_may_still_change, stamps)) else stamps
            return self._profiles

    def _look(self) -> tuple[_Stamp | None, _Stamp | None]:
        return _stamp(self.paths.config), _stamp(self.paths.credentials)

    def _read(
        self, before: tuple[_Stamp | None, _Stamp | None]
    ) -> tuple[Profiles, tuple[_Stamp | None, _Stamp | None]]:
        """Read both files, again (at most twice) when one is being written meanwhile."""
        attempts = 0
        while True:
            config, credentials = self._text(self.paths.config), self._text(self.paths.credentials)
            after = self._look()
            attempts += 1
            if after == before or attempts == 3:
                break
            before = after
        profiles = parse_profiles(
            config or "", credentials or "", paths=self.paths, config_exists=config is not None
        )
        return _set_ones(profiles), after

    def _text(self, path: str) -> str | None:
        """Read a file; None when there is none."""
        # The home folder of a container's user may be root's; the AWS CLI finds no file there.
        if path in self.paths.unnamed and _is_behind_a_closed_folder(path):
            return None
        return _text(path)


# More than one place of configuration is rare; a program that goes through many keeps the last.
@lru_cache(maxsize=8)
def profile_files(paths: FilePaths) -> ProfileFiles:
    """Return the files at these places that all clients of the process share.

    They are parsed once for all, and again once for all when they change.
    """
    return ProfileFiles(paths)


def _set_ones(profiles: Profiles) -> Profiles:
    """Leave out what is empty: it counts as not set, and must not hide the other file's."""
    config, credentials, sessions, services = (
        {
            name: {key: value for key, value in section.items() if value}
            for name, section in sections.items()
        }
        for sections in (
            profiles.config_file,
            profiles.credentials_file,
            profiles.sso_sessions,
            profiles.services,
        )
    )
    return replace(
        profiles,
        profiles=_merged(config, credentials),
        sso_sessions=sessions,
        services=services,
        config_file=config,
        credentials_file=credentials,
    )


class _Stamp(NamedTuple):
    modified: int
    size: int
    inode: int


# A second change within the granularity of a file system's clock (2 s on FAT) leaves the stamp as
# it was: what is younger than that is read again.
_CLOCK_GRANULARITY = 2_000_000_000


def _may_still_change(stamp: _Stamp | None) -> bool:
    return stamp is not None and time.time_ns() - stamp.modified < _CLOCK_GRANULARITY


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the cost of Path.stat, every 5 seconds
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def _is_behind_a_closed_folder(path: str) -> bool:
    try:
        Path(path).stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _text(path: str) -> str | None:
    """Read a file; None when there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        # "from None": the decoder's own error holds the file's bytes.
        raise ConfigParserError(path=path, reason="it is not UTF-8 text") from None
    except IsADirectoryError:
        raise ConfigParserError(path=path, reason="it is a folder, not a file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigParserError(path=path, reason=f"it cannot be read: {reason}") from error
