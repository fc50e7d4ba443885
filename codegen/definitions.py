"""What the module of types says: a class for each structure, an alias for each enumeration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .annotate import Annotator
from .layout import annotated
from .methods import is_required
from .name import Names
from .presigned import presigned_methods
from .select import Selection
from .shapes import Shape
from .source import WIDTH, imports, is_field, literal, words


@dataclass(frozen=True)
class Class:
    """A ``TypedDict``.

    Attributes:
        name: of the class.
        base: of which it is a subclass.
        fields: annotation by name.
    """

    name: str
    base: str
    fields: Mapping[str, str]

    @property
    def lines(self) -> list[str]:
        """The fields as they stand in the class."""
        return [annotated("    ", name, text) for name, text in self.fields.items()]

    @property
    def has_plain_fields(self) -> bool:
        """Whether Python's syntax allows all fields to be written as such."""
        return all(is_field(name) for name in self.fields)

    @property
    def literals(self) -> list[tuple[str, str]]:
        """The fields as literals."""
        return [(literal(name), literal(text)) for name, text in self.fields.items()]


def types_context(selection: Selection, names: Names) -> Mapping[str, object]:
    """Return what the template of the module of types prints."""
    shapes = selection.service.shapes
    aliases = {
        name: _enumeration(name, shapes[shape])
        for shape, name in {**names.sent, **names.returned}.items()
        if shapes[shape].type != "structure"
    }
    methods = presigned_methods(selection, names)
    if methods:
        aliases["ClientMethod"] = _literals("ClientMethod", methods)
    classes = _classes(selection, names)
    used = words(text for each in classes.values() for text in (each.base, *each.fields.values()))
    if aliases:
        used |= {"Literal", "TypeAlias"}
    return {
        "aliases": [aliases[name] for name in sorted(aliases)],
        "classes": [classes[name] for name in sorted(classes)],
        "imports": imports(used),
    }


def _classes(selection: Selection, names: Names) -> dict[str, Class]:
    at = Annotator(selection, names)
    shapes = selection.service.shapes
    classes: dict[str, Class] = {}
    for shape, name in names.sent.items():
        if shapes[shape].type == "structure":
            classes[name] = Class(name, "TypedDict", _sent(at, shapes[shape]))
    for shape, name in names.returned.items():
        if shapes[shape].type == "structure":
            classes[name] = Class(name, "TypedDict", _returned(at, shapes[shape]))
    for name, shape in _results(selection, names).items():
        classes[name] = _whole(name, classes[names.returned[shape]])
    return classes


def _sent(at: Annotator, shape: Shape) -> dict[str, str]:
    return {
        member: at.sent(use) if is_required(use, shape) else f"NotRequired[{at.sent(use)}]"
        for member, use in shape.members.items()
    }


def _returned(at: Annotator, shape: Shape) -> dict[str, str]:
    """All members but one of a union or of an event are missing."""
    is_choice = shape.traits.get("union") or shape.traits.get("eventstream")
    around = "NotRequired" if is_choice else "Returned"
    types = {member: at.returned(use) for member, use in shape.members.items()}
    payload = shape.traits.get("payload")
    # A blob that is a whole body comes as a stream, whether the model says so or not.
    if payload and types[payload] == "bytes":
        types[payload] = "StreamingBody"
    return {
        member: text if member in shape.required else f"{around}[{text}]"
        for member, text in types.items()
    }


def _results(selection: Selection, names: Names) -> dict[str, str]:
    """Return the shape of each class of results."""
    return {
        names.results[operation.name]: operation.output.shape
        for operation in selection.service.operations.values()
        if operation.output is not None
    }


def _whole(name: str, base: Class) -> Class:
    """Add the metadata of the response to a result's class."""
    metadata = {"ResponseMetadata": "ResponseMetadata"}
    if base.name != name:
        return Class(name, base.name, metadata)
    return Class(name, base.base, {**base.fields, **metadata})


def _enumeration(name: str, shape: Shape) -> str:
    return _literals(name, shape.traits["enum"])


def _literals(name: str, texts: Sequence[str]) -> str:
    values = [literal(text) for text in texts]
    line = f"{name}: TypeAlias = Literal[{', '.join(values)}]"
    if len(line) <= WIDTH or len(values) == 1:
        return line
    lines = "".join(f"    {value},\n" for value in values)
    return f"{name}: TypeAlias = Literal[\n{lines}]"
