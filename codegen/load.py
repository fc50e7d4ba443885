"""Pass 1, load: find a service's newest model, read its files, merge their extras.

The folder is laid out as botocore's: ``<service>/<api-version>/service-2.json`` with, optionally,
``paginators-1.json``, ``waiters-2.json`` and ``endpoint-rule-set-1.json``, each plain or ``.gz``.
``<kind>.sdk-extras.json`` beside a file is merged into it (its ``merge`` key, deeply).
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from .faults import Fault, FaultyModel, nearest
from .wellformed import objects

SERVICE = "service-2"
PAGINATORS = "paginators-1"
WAITERS = "waiters-2"
RULE_SET = "endpoint-rule-set-1"
KINDS = (SERVICE, PAGINATORS, WAITERS, RULE_SET)
# The files that a model is read from.
NAMES = tuple(f"{kind}{extra}.json" for kind in KINDS for extra in ("", ".sdk-extras"))
ORIGIN = "origin.json"

Json = dict[str, Any]

# A character that is written as two halves, or as one of them.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Source:
    """Where a service's model lies.

    Attributes:
        service: the name of the service's folder (``cognito-idp``).
        api_version: the name of the folder below it.
        folder: the path of both.
    """

    service: str
    api_version: str
    folder: Path

    def file(self, kind: str) -> Path | None:
        """Return the file of a kind (``service-2``), plain before zipped; None without one."""
        return _existing(self.folder, f"{kind}.json")

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that `load` reads, in order."""
        found = [_existing(self.folder, name) for name in (*NAMES, ORIGIN)]
        return tuple(path for path in found if path is not None)


@dataclass(frozen=True)
class Model:
    """A service's model as its files have it, extras merged.

    Attributes:
        source: where it lies.
        contents: the content of each file that it has, by kind (``service-2``).
        origin: the botocore version it was imported from, "" when that is not recorded.
    """

    source: Source
    contents: Mapping[str, Json]
    origin: str

    @property
    def service(self) -> Json:
        """The content of ``service-2.json``."""
        return self.contents[SERVICE]

    @property
    def paginators(self) -> dict[str, Json]:
        """The entries of ``paginators-1.json`` by operation."""
        return objects(self.contents.get(PAGINATORS, {}).get("pagination"))

    @property
    def waiters(self) -> dict[str, Json]:
        """The entries of ``waiters-2.json`` by name."""
        return objects(self.contents.get(WAITERS, {}).get("waiters"))

    @property
    def rule_set(self) -> Json | None:
        """The content of ``endpoint-rule-set-1.json``, None without one."""
        return self.contents.get(RULE_SET)

    def path(self, kind: str) -> Path:
        """Return the file that holds what is said of `kind`, for messages."""
        return self.source.file(kind) or self.source.folder / f"{kind}.json"


def find(root: Path, services: Iterable[str] = ()) -> list[Source]:
    """Find the newest model of each service below `root`.

    Args:
        root: the folder of models.
        services: names of services' folders; without any all of them.

    Raises:
        FaultyModel: `root` is no folder or holds no model, or a service is not there.
    """
    found = {source.service: source for source in _sources(root)}
    if not found:
        what = "holds no models" if root.is_dir() else "is no folder"
        layout = "<service>/<api-version>/service-2.json"
        raise FaultyModel([Fault(root, "", f"{what}; there should be {layout} in it")])
    wanted = list(dict.fromkeys(services)) or sorted(found)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise FaultyModel(
            Fault(root, "", f"there is no model of {name!r}{nearest(name, found)}")
            for name in missing
        )
    return [found[name] for name in wanted]


def _sources(root: Path) -> Iterable[Source]:
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.is_dir():
            versions = [path for path in folder.iterdir() if _existing(path, f"{SERVICE}.json")]
            if versions:
                newest = max(versions, key=lambda path: path.name)
                yield Source(folder.name, newest.name, newest)


def load(source: Source) -> Model:
    """Read the files of one service.

    Raises:
        FaultyModel: a file cannot be read, is not JSON or is no JSON object.
    """
    faults: list[Fault] = []
    contents = {kind: _read_merged(source, kind, faults) for kind in KINDS}
    origin = _read(source.folder / ORIGIN, faults) if (source.folder / ORIGIN).exists() else {}
    if faults:
        raise FaultyModel(faults)
    return Model(
        source,
        {kind: data for kind, data in contents.items() if data is not None},
        origin=str((origin or {}).get("botocore", "")),
    )


def _read_merged(source: Source, kind: str, faults: list[Fault]) -> Json | None:
    path = source.file(kind)
    if path is None:
        return None
    data = _read(path, faults)
    extras_path = _existing(source.folder, f"{kind}.sdk-extras.json")
    extras = _read(extras_path, faults) if extras_path else None
    if data is not None and extras_path and extras is not None:
        addition = extras.get("merge", {})
        if isinstance(addition, dict):
            merge(data, addition)
        else:
            faults.append(Fault(extras_path, "merge", f"should be an object, not {addition!r}"))
    return data


def _read(path: Path, faults: list[Fault]) -> Json | None:
    try:
        return read_json(path)
    except FaultyModel as error:
        faults.extend(error.faults)
        return None


def read_json(path: Path) -> Json:
    """Read a JSON object from a file, plain or ``.gz``.

    Raises:
        FaultyModel: the file cannot be read, is not JSON, is no JSON object, names two members of
            one object alike, or holds a number or a text that no other file could.
    """
    doubled: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        members = dict(pairs)
        if len(members) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            doubled.extend(name for name, count in counts.items() if count > 1)
        return members

    data = _parsed(path, unique)
    if not isinstance(data, dict):
        raise FaultyModel([Fault(path, "", f"should hold a JSON object, not {_kind(data)}")])
    if doubled:
        raise FaultyModel(
            Fault(path, "", f"there are two {name!r} in one object") for name in doubled
        )
    return data


def _parsed(path: Path, make: Callable[[list[tuple[str, Any]]], Json]) -> object:
    try:
        text = _text(path)
        data: object = json.loads(
            text, object_pairs_hook=make, parse_constant=_number, parse_float=_number
        )
        if _HALF.search(text):
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        cut = "" if error.doc.rstrip().endswith("}") else "; the file seems to be cut off"
        raise FaultyModel([Fault(path, place, f"this is not JSON: {error.msg}{cut}")]) from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FaultyModel([Fault(path, "", f"cannot be read: {error}")]) from error
    except UnicodeEncodeError as error:  # "\ud83d" without its other half
        half = error.object[error.start]
        raise FaultyModel([Fault(path, "", f"there is half a character, {half!r}")]) from error
    except ValueError as error:  # of a number
        raise FaultyModel([Fault(path, "", f"this is not JSON: {error}")]) from error
    except RecursionError as error:
        raise FaultyModel([Fault(path, "", "its objects are nested too deeply")]) from error


def _number(text: str) -> float:
    """Read a number; what Python reads as none, such as ``NaN``, or cannot hold is refused."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", type(None): "null"}.get(type(value), "a scalar")


def merge(base: Json, extra: Mapping[str, Any]) -> None:
    """Merge `extra` into `base`, objects member by member, everything else by replacement."""
    for key, value in extra.items():
        if isinstance(base.get(key), dict) and isinstance(value, dict):
            merge(base[key], value)
        else:
            base[key] = value


def _existing(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
