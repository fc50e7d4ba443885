"""What the client module says."""

from __future__ import annotations

from collections.abc import Mapping

from .methods import methods_of
from .name import Names
from .paging import conveniences
from .presigned import presigning
from .select import Selection
from .source import imports, literal, words


def client_context(selection: Selection, names: Names) -> Mapping[str, object]:
    """Return what the template of the client module prints."""
    methods = [
        *methods_of(selection, names),
        *conveniences(selection, names),
        *presigning(selection, names),
    ]
    used = words(annotation for method in methods for annotation in method.annotations)
    lines = imports(used)
    own = ["from . import types"] if "types" in used else []
    siblings = ["exceptions", *(["paginators"] if selection.paginators else [])]
    metadata = selection.service.metadata
    return {
        "service": literal(metadata["endpointPrefix"]),
        "service_id": literal(metadata["serviceId"]),
        "has_waiters": bool(selection.waiters),
        "methods": methods,
        "imports": [*lines, *([""] if lines and own else []), *own],
        "siblings": ", ".join(siblings),
    }


def companions(selection: Selection) -> list[str]:
    """Return the modules that a package has only if its service has what is in them."""
    found = {"paginators": selection.paginators, "waiters": selection.waiters}
    return [name for name, entries in found.items() if entries]
