"""Copy models from an installed botocore into a folder of models, without documentation texts.

What is copied says of each service what its operations and shapes are; AWS's prose about them is
left out. ``origin.json`` gets the version of botocore and the names of the files that are from it:
a later import replaces or removes those, and leaves others, such as extras of one's own, alone.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .faults import Fault, FaultyModel
from .load import NAMES, ORIGIN, Source, find, read_json
from .wellformed import texts

# Texts for readers, wherever the models have them; and the examples of old models.
TEXTS = frozenset(
    {"deprecatedMessage", "deprecatedSince", "description", "documentation", "documentationUrl"}
)
SECTIONS = frozenset({"examples"})
# Objects whose keys are names, which may be spelled like one of the above.
NAMED = frozenset({"members", "operations", "shapes", "parameters", "pagination", "waiters"})

Json = dict[str, Any]


def data_folder() -> Path:
    """Return botocore's folder of models.

    Raises:
        FaultyModel: botocore is not installed.
    """
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise FaultyModel(
            [Fault(Path("botocore"), "", "is not installed: pip install 'tornado-aws[codegen]'")]
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def import_services(services: Iterable[str], models: Path) -> list[Source]:
    """Copy the newest models of services.

    Args:
        services: names of folders in botocore's data.
        models: the folder to copy into; other versions and other files there are left alone.

    Returns:
        Where each was copied to.

    Raises:
        FaultyModel: botocore or a service is not there, or a file of it cannot be read.
    """
    sources = find(data_folder(), services)
    copies = [(_copy_of(source, models), _stripped_files(source)) for source in sources]
    earlier = [_imported(copy) for copy, _ in copies]
    for (copy, files), names in zip(copies, earlier, strict=True):
        _write(copy.folder, files)
        for name in names - files.keys():
            (copy.folder / name).unlink(missing_ok=True)
    return [copy for copy, _ in copies]


def _copy_of(source: Source, models: Path) -> Source:
    folder = models / source.service / source.api_version
    return Source(source.service, source.api_version, folder)


def _imported(copy: Source) -> set[str]:
    """Return the names of the files that an earlier import wrote, and no others."""
    origin = copy.folder / ORIGIN
    files = read_json(origin).get("files") if origin.exists() else None
    return set(NAMES).intersection(texts(files))


def _stripped_files(source: Source) -> dict[str, Json]:
    files = {path.name.removesuffix(".gz"): path for path in source.files}
    return {name: strip(read_json(path)) for name, path in files.items() if name != ORIGIN}


def _write(folder: Path, files: Mapping[str, Json]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    origin = {"botocore": version("botocore"), "files": list(files)}
    for name, data in {**files, ORIGIN: origin}.items():
        text = json.dumps(data, indent=1, ensure_ascii=False)
        (folder / name).write_text(f"{text}\n", encoding="utf-8", newline="\n")


def strip(data: Json) -> Json:
    """Return a model without its texts for readers."""
    return {
        key: _stripped(value, key)
        for key, value in data.items()
        if not (key in TEXTS and isinstance(value, str)) and key not in SECTIONS
    }


def _stripped(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return [_stripped(item, "") for item in value]
    if not isinstance(value, dict):
        return value
    if key in NAMED:
        return {name: _stripped(item, "") for name, item in value.items()}
    return strip(value)
