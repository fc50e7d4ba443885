"""Reading XML from a stranger: expat with everything switched off that can be turned against us.

A document with a ``DOCTYPE`` is refused, which rules out entities of its own, external entities and
external DTDs at once; services never send one. Nesting is bounded by the callers, who keep a stack
anyway, with `MAX_DEPTH`.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["MAX_DEPTH", "XMLError", "feed"]

# Far above what any model describes, far below what makes Python's own recursive functions
# (``repr``, ``==``, ``copy.deepcopy``) fail on the result.
MAX_DEPTH = 250


class XMLError(ValueError):
    """A document is not well-formed, has a ``DOCTYPE`` or is nested too deeply."""


def feed(
    document: bytes | str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    *,
    namespaces: bool = False,
) -> None:
    """Read a whole document and report its parts in order.

    Args:
        document: bytes in any encoding that they declare, or text, whose declaration is ignored.
        start: called with an element's name and attributes.
        end: called with an element's name.
        text: called with character data, as much of it at once as there is.
        namespaces: give names as ``uri}local``; without it prefixes stay part of the names and
            are not checked.

    Raises:
        XMLError: the document is not well-formed or has a ``DOCTYPE``.
    """
    # 1 ms to import, and many processes never meet XML.
    from xml.parsers import expat  # noqa: PLC0415

    parser = expat.ParserCreate(namespace_separator="}" if namespaces else None)
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document, True)
    except XMLError:
        raise
    except expat.ExpatError as error:
        raise XMLError(f"not well-formed XML: {error}") from error
    except (LookupError, UnicodeError) as error:
        raise XMLError(f"XML in an encoding that cannot be read: {error}") from error


def _refuse_doctype(*_: object) -> None:
    raise XMLError("XML with a DOCTYPE is refused")
