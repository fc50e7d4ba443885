"""The public helper that turns XML into dicts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws import txml

DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("<a/>", {"a": None}),
    ("<a></a>", {"a": None}),
    ("<a> </a>", {"a": ""}),
    ("<a> text\n</a>", {"a": "text"}),
    ("<a x='1'/>", {"a": {"@x": "1"}}),
    ("<a x='1'>text</a>", {"a": {"@x": "1", "#text": "text"}}),
    ("<a><b/><b>2</b><b><c>3</c></b></a>", {"a": {"b": [None, "2", {"c": "3"}]}}),
    ("<a x='1'>one<b>2</b>three</a>", {"a": {"@x": "1", "#text": "one", "b": "2"}}),
    ("<a>\n  <b>1</b>\n  <c>2</c>\n</a>", {"a": {"b": "1", "c": "2"}}),
    ("<a xmlns='urn:x'><b>1</b></a>", {"{urn:x}a": {"{urn:x}b": "1"}}),
    ("<a xmlns:p='urn:x' p:k='1'/>", {"a": {"@{urn:x}k": "1"}}),
    ("<a><![CDATA[<&>]]><!-- no --></a>", {"a": "<&>"}),
    ("<a>&lt;&#65;&amp;</a>", {"a": "<A&"}),
    ('<?xml version="1.0" encoding="UTF-8"?>\n<a>ü</a>', {"a": "ü"}),
]


@pytest.mark.parametrize(("document", "expected"), DOCUMENTS)
def test_document_becomes_dict(document: str, expected: dict[str, Any]) -> None:
    """Attributes, text, repeated elements and namespaces have one place each in the dict."""
    assert txml.loads(document) == expected
    assert txml.loads(document.encode()) == expected


def test_bytes_are_decoded_as_declared() -> None:
    """The declaration's encoding counts for bytes and is ignored for text, already decoded."""
    document = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'
    assert txml.loads(document.encode("latin-1")) == {"a": "ü"}
    assert txml.loads(document) == {"a": "ü"}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "foo",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a>&nbsp;</a>",
        "<p:a/>",
        "<a>\x00</a>",
        "<a>\ud800</a>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a>\xff</a>",
    ],
)
def test_what_is_not_xml_is_an_error(document: str | bytes) -> None:
    """Anything that is not a well-formed document raises ValueError."""
    with pytest.raises(ValueError, match="XML"):
        txml.loads(document)


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY e "boom">]><a>&e;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        "<!DOCTYPE a><a/>",
    ],
)
def test_doctype_is_refused(document: str) -> None:
    """No document can define entities or name files, because a DOCTYPE is never accepted."""
    with pytest.raises(ValueError, match="DOCTYPE"):
        txml.loads(document)


def test_deep_nesting_is_an_error() -> None:
    """A document of any depth gives a result or ValueError, and never exhausts the stack."""
    assert txml.loads("<a>" * 200 + "</a>" * 200)["a"]
    with pytest.raises(ValueError, match="nested"):
        txml.loads("<a>" * 100_000)


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text())
def test_text_survives(text: str, attribute: str) -> None:
    """Text and attributes that XML can carry come back as they were, white space trimmed."""
    document = f"<a k={quoteattr(attribute)}>{escape(text)}</a>"
    try:
        element = txml.loads(document)["a"]
    except ValueError:
        assert any(not char.isprintable() for char in text + attribute)
        return
    assert element.get("#text", "") == text.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert element["@k"] == attribute


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="<a/>&;!?-[]='\"x ", max_size=40))
def test_any_input_gives_a_dict_or_a_value_error(document: bytes | str) -> None:
    """No input escapes as any other error."""
    with suppress(ValueError):
        assert isinstance(txml.loads(document), dict)
