"""The two decoders of XML: what they make of documents, and that they agree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conformance.models import wire_model
from tornado_aws.expat import MAX_DEPTH, XMLError
from tornado_aws.protocols import xml_parse
from tornado_aws.protocols.xml_tables import Table, Tables

MODEL = wire_model(
    {
        "metadata": {},
        "shapes": {
            "String": {"type": "string"},
            "Integer": {"type": "integer"},
            "Double": {"type": "double"},
            "Boolean": {"type": "boolean"},
            "Blob": {"type": "blob"},
            "Timestamp": {"type": "timestamp"},
            "Strings": {"type": "list", "member": {"shape": "String"}},
            "Named": {"type": "list", "member": {"shape": "String", "locationName": "item"}},
            "Flat": {"type": "list", "member": {"shape": "String"}, "flattened": True},
            "FlatNamed": {
                "type": "list",
                "member": {"shape": "Pair", "locationName": "p"},
                "flattened": True,
            },
            "Pairs": {"type": "list", "member": {"shape": "Pair"}},
            "Matrix": {"type": "list", "member": {"shape": "Strings"}},
            "Pair": {
                "type": "structure",
                "members": {
                    "Left": {"shape": "String", "locationName": "l"},
                    "Right": {"shape": "Integer", "locationName": "r"},
                    "Kind": {"shape": "String", "xmlAttribute": True, "locationName": "xsi:kind"},
                    "Plain": {"shape": "String", "xmlAttribute": True, "locationName": "plain"},
                },
            },
            "Map": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Integer"}},
            "FlatMap": {
                "type": "map",
                "key": {"shape": "String", "locationName": "K"},
                "value": {"shape": "Pair", "locationName": "V"},
                "flattened": True,
            },
            "Choice": {
                "type": "structure",
                "union": True,
                "members": {"One": {"shape": "String"}, "Two": {"shape": "Strings"}},
            },
            "Node": {
                "type": "structure",
                "members": {"Value": {"shape": "String"}, "Next": {"shape": "Node"}},
            },
            "All": {
                "type": "structure",
                "members": {
                    "String": {"shape": "String"},
                    "Integer": {"shape": "Integer"},
                    "Double": {"shape": "Double"},
                    "Boolean": {"shape": "Boolean"},
                    "Blob": {"shape": "Blob"},
                    "Timestamp": {"shape": "Timestamp"},
                    "Strings": {"shape": "Strings"},
                    "Named": {"shape": "Named", "locationName": "named"},
                    "Flat": {"shape": "Flat"},
                    "FlatNamed": {"shape": "FlatNamed"},
                    "FlatHere": {"shape": "Named", "flattened": True},
                    "Pairs": {"shape": "Pairs"},
                    "Matrix": {"shape": "Matrix"},
                    "Pair": {"shape": "Pair"},
                    "Map": {"shape": "Map"},
                    "FlatMap": {"shape": "FlatMap"},
                    "Choice": {"shape": "Choice"},
                    "Node": {"shape": "Node"},
                    "Header": {"shape": "String", "location": "header"},
                },
            },
        },
    }
)


def table() -> Table:
    return Tables().structure(MODEL.shape("All"))


MOMENT = datetime(2014, 4, 29, 18, 30, 38, tzinfo=UTC)

# Documents of the usual kind: both decoders read them.
USUAL: list[tuple[str, dict[str, Any]]] = [
    ("<R/>", {}),
    ("<R />", {}),
    ("<R></R>", {}),
    ("\n<R>\n</R>\n", {}),
    ('<?xml version="1.0"?><R/>', {}),
    ("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<R/>", {}),
    ("<R><String>text</String></R>", {"String": "text"}),
    ("<R><String> text\n</String></R>", {"String": " text\n"}),
    ("<R><String></String></R>", {"String": ""}),
    ("<R><String/></R>", {"String": ""}),
    ("<R><String x='1' /></R>", {"String": ""}),
    ("<R><String x='1'>a</String ></R >", {"String": "a"}),
    (
        "<R><String>&quot;&lt;&amp;lt;&gt;&apos;&amp;quot;</String></R>",
        {"String": "\"<&lt;>'&quot;"},
    ),
    ("<R><String>a\r\nb\rc\n</String></R>", {"String": "a\nb\nc\n"}),
    ("<R><String>grüße 東京 🚀\x7f\x85</String></R>", {"String": "grüße 東京 🚀\x7f\x85"}),
    ("<R><Integer> -12\n</Integer></R>", {"Integer": -12}),
    ("<R><Double>1.5</Double></R>", {"Double": 1.5}),
    ("<R><Double>Infinity</Double></R>", {"Double": float("inf")}),
    ("<R><Boolean>true</Boolean></R>", {"Boolean": True}),
    ("<R><Boolean>True</Boolean></R>", {"Boolean": False}),
    ("<R><Boolean/></R>", {"Boolean": False}),
    ("<R><Blob>YQ==\n</Blob></R>", {"Blob": b"a"}),
    ("<R><Timestamp>2014-04-29T18:30:38Z</Timestamp></R>", {"Timestamp": MOMENT}),
    ("<R><Timestamp>2014-04-29T20:30:38+02:00</Timestamp></R>", {"Timestamp": MOMENT}),
    ("<R><Timestamp>1398796238</Timestamp></R>", {"Timestamp": MOMENT}),
    ("<R><Timestamp>Tue, 29 Apr 2014 18:30:38 GMT</Timestamp></R>", {"Timestamp": MOMENT}),
    ("<R><Strings/></R>", {"Strings": []}),
    ("<R><Strings></Strings></R>", {"Strings": []}),
    (
        "<R><Strings><member>a</member><other/><n:member>&lt;</n:member></Strings></R>",
        {"Strings": ["a", "", "<"]},
    ),
    ("<R><named><item>a</item></named></R>", {"Named": ["a"]}),
    ("<R><Named><item>a</item></Named></R>", {}),
    ("<R><Flat>a</Flat><String>s</String><Flat/></R>", {"Flat": ["a", ""], "String": "s"}),
    ("<R><p><l>a</l></p><p/></R>", {"FlatNamed": [{"Left": "a"}, {}]}),
    ("<R><FlatHere>a</FlatHere><item>b</item></R>", {"FlatHere": ["a"]}),
    ("<R><Pairs><x><r>1</r></x><y/></Pairs></R>", {"Pairs": [{"Right": 1}, {}]}),
    ("<R><Matrix><m><a>1</a></m><m/></Matrix></R>", {"Matrix": [["1"], []]}),
    (
        "<R><Pair xmlns:xsi='urn:x' xsi:kind='A' plain='B'><l>1</l></Pair></R>",
        {"Pair": {"Kind": "A", "Plain": "B", "Left": "1"}},
    ),
    ("<R><Pair q:kind='A' q:plain='B'/></R>", {"Pair": {"Kind": "A"}}),
    ("<R><Pair kind='A' xmlns:kind='B'/></R>", {"Pair": {}}),
    ("<R><Pair xsi:kind='A'><xsi:kind>B</xsi:kind></Pair></R>", {"Pair": {"Kind": "A"}}),
    ("<R><Map/></R>", {"Map": {}}),
    (
        "<R><Map><entry><key>a</key><value>1</value></entry><e><value>2</value><key>b</key></e></Map></R>",
        {"Map": {"a": 1, "b": 2}},
    ),
    (
        "<R><FlatMap><K>a</K><V><l>x</l></V></FlatMap><FlatMap><K>b</K><V/></FlatMap></R>",
        {"FlatMap": {"a": {"Left": "x"}, "b": {}}},
    ),
    ("<R><Choice><One>a</One></Choice></R>", {"Choice": {"One": "a"}}),
    ("<R><Choice><Two/></Choice></R>", {"Choice": {"Two": []}}),
    (
        "<R><Choice><New><deep>1</deep></New></Choice></R>",
        {"Choice": {"SDK_UNKNOWN_MEMBER": {"name": "New"}}},
    ),
    ("<R><Choice><New/></Choice></R>", {"Choice": {"SDK_UNKNOWN_MEMBER": {"name": "New"}}}),
    (
        "<R><Node><Value>1</Value><Next><Value>2</Value><Next/></Next></Node></R>",
        {"Node": {"Value": "1", "Next": {"Value": "2", "Next": {}}}},
    ),
    ("<n:R xmlns:n='urn:x'><n:String>a</n:String></n:R>", {"String": "a"}),
    ("<R><Unknown a='1'>\n<String>no &amp;</String><x/></Unknown></R>", {}),
    ("<R><Header>x-header is not the body</Header></R>", {}),
    ("<R>\n  <String>a</String>\n  <Integer>1</Integer>\n</R>\n", {"String": "a", "Integer": 1}),
]

# Well-formed documents that the plain decoder leaves to expat.
STRANGE: list[tuple[str | bytes, dict[str, Any]]] = [
    ("<R><!-- no --><String>a<!-- no -->b</String></R>", {"String": "ab"}),
    ("<R><String><![CDATA[<&>]]></String></R>", {"String": "<&>"}),
    ("<R><?pi data?><String>a</String></R>", {"String": "a"}),
    ("<R><String>&#65;&#x42;</String></R>", {"String": "AB"}),
    ("<R><String>a>b</String></R>", {"String": "a>b"}),
    ("<R>mixed<String>a</String>text</R>", {"String": "a"}),
    ("<R><String>a<b>c</b>d</String></R>", {"String": "a"}),
    ("<R><Pair plain='&lt;&#9;>'/></R>", {"Pair": {"Plain": "<\t>"}}),
    ("<R><Pair plain='a\tb'/></R>", {"Pair": {"Plain": "a b"}}),
    ("<R xmlns='urn:x'><Größe/><String>a</String></R>", {"String": "a"}),
    (b"\xef\xbb\xbf<R><String>a</String></R>", {"String": "a"}),
    (
        '<?xml version="1.0" encoding="iso-8859-1"?><R><String>ü</String></R>'.encode("latin-1"),
        {"String": "ü"},
    ),
    (
        '<?xml version="1.0" encoding="utf-16"?><R><String>ü</String></R>'.encode("utf-16"),
        {"String": "ü"},
    ),
]

NOT_XML: list[str | bytes] = [
    "",
    " ",
    "text",
    "{}",
    "<",
    "<R",
    "<R>",
    "<R></S>",
    "<R></R></R>",
    "<R/><R/>",
    "<R/></R>",
    "<R></R></<R>",
    "</R>",
    "</>",
    "<></>",
    "<R><String>a</R>",
    "<R><String>a<b</String></R>",
    "<R><String</String></R>",
    "<R><String>a</string></R>",
    "<R><String>&</String></R>",
    "<R><String>&nbsp;</String></R>",
    "<R><String>&quot</String></R>",
    "<R><String>a]]>b</String></R>",
    "<R><String>\x01</String></R>",
    "<R><String>\x00</String></R>",
    "<R><String>\ufffe</String></R>",
    "<R a='1' a='2'/>",
    "<R a=1/>",
    "<R a/>",
    "<R a='<'/>",
    "<R a='&'/>",
    "<1/>",
    "<R><Unknown>&bad;</Unknown></R>",
    "<R><Unknown><a></b></Unknown></R>",
    "<R></R>text",
    "<R></R>\xa0",
    " <?xml version='1.0'?><R/>",
    "<?xml version='1.0'?><?xml version='1.0'?><R/>",
    "<!DOCTYPE R><R/>",
    "<!DOCTYPE R [<!ENTITY e 'x'>]><R><String>&e;</String></R>",
    "<!DOCTYPE R [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><R><String>&e;</String></R>",
    b"<R><String>\xff</String></R>",
    b"<R><String>\xed\xa0\x80</String></R>",
    "<html><head><meta></head></html>",
]

NOT_OF_THE_MODEL: list[tuple[str, str]] = [
    ("<R><Integer>one</Integer></R>", r"^R/Integer: the text is not of the member's type"),
    ("<R><Integer/></R>", "R/Integer"),
    ("<R><Pairs><a><r>secret</r></a></Pairs></R>", "^R/Pairs/a/r: the text is not"),
    ("<R><Double>x</Double></R>", "R/Double"),
    ("<R><Timestamp>yesterday</Timestamp></R>", "R/Timestamp"),
    ("<R><Timestamp>1e300</Timestamp></R>", "R/Timestamp"),
    ("<R><Blob>YQ=</Blob></R>", "R/Blob"),
    ("<R><Map><entry><key>a</key></entry></Map></R>", "R/Map/entry: a map entry without"),
    ("<R><Map><entry/></Map></R>", "R/Map/entry: a map entry without"),
    ("<R><Choice/></R>", "R/Choice: the union Choice has 0 members"),
    ("<R><Choice><One>a</One><Two/></Choice></R>", "R/Choice: the union Choice has 2 members"),
    ("<R><Choice><One>a</One><New/></Choice></R>", "R/Choice: the union Choice has 2 members"),
]


def as_bytes(document: str | bytes) -> bytes:
    return document.encode() if isinstance(document, str) else document


@pytest.mark.parametrize(("document", "expected"), USUAL)
def test_usual_documents_are_read_by_both_decoders(document: str, expected: dict[str, Any]) -> None:
    """What services send is read by the fast decoder, which gives what expat gives."""
    plain = xml_parse.plain_decoder(table())
    assert plain(document.encode()) == expected
    assert plain(document.encode()) == expected, "the second time with learned steps"
    assert xml_parse.expat_decoder(table())(document.encode()) == expected
    assert xml_parse.decoder(table())(document.encode()) == expected


@pytest.mark.parametrize(("document", "expected"), STRANGE)
def test_strange_documents_are_left_to_expat(
    document: str | bytes, expected: dict[str, Any]
) -> None:
    """Anything else that XML allows is not guessed at but read by expat."""
    with pytest.raises(ValueError):  # noqa: PT011 - it carries no text
        xml_parse.plain_decoder(table())(as_bytes(document))
    assert xml_parse.decoder(table())(as_bytes(document)) == expected


@pytest.mark.parametrize("document", NOT_XML)
def test_what_is_not_xml_is_an_error(document: str | bytes) -> None:
    """A document that is not well-formed or has a DOCTYPE is refused by both decoders."""
    with pytest.raises((ValueError, OverflowError)):
        xml_parse.plain_decoder(table())(as_bytes(document))
    with pytest.raises(XMLError):
        xml_parse.decoder(table())(as_bytes(document))


@pytest.mark.parametrize(("document", "reason"), NOT_OF_THE_MODEL)
def test_values_that_do_not_fit_the_model_are_errors(document: str, reason: str) -> None:
    """The error names the element's path and does not show its text."""
    with pytest.raises(XMLError, match=reason) as caught:
        xml_parse.decoder(table())(document.encode())
    assert "secret" not in str(caught.value)


def nested(levels: int) -> bytes:
    """Return a document of so many levels, the root included."""
    inner = levels - 2
    return b"<R><Node>" + b"<Next>" * inner + b"</Next>" * inner + b"</Node></R>"


@pytest.mark.parametrize("decoder", [xml_parse.plain_decoder, xml_parse.expat_decoder])
def test_depth_is_bounded(decoder: Any) -> None:
    """Both decoders allow the same depth, of known elements and of unknown ones."""
    unknown = b"<x>" * MAX_DEPTH + b"</x>" * MAX_DEPTH
    for right in (nested(MAX_DEPTH), unknown):
        assert isinstance(decoder(table())(right), dict)
    for wrong in (nested(MAX_DEPTH + 1), b"<x>" + unknown + b"</x>", nested(100_000)):
        with pytest.raises(ValueError):  # noqa: PT011 - the plain decoder's carries no text
            decoder(table())(wrong)


def test_deep_document_names_the_reason() -> None:
    """Who sends a document of absurd depth is told so."""
    with pytest.raises(XMLError, match="nested more than"):
        xml_parse.decoder(table())(nested(100_000))


def test_what_is_learned_is_bounded() -> None:
    """Documents that never repeat themselves do not fill the memory, and spoil nothing."""
    decode = xml_parse._PlainDecoder(table())
    document = b"<R><String>a</String>%s<Flat>b</Flat></R>"
    longest = 0
    for number in range(60):
        unknown = b"".join(
            b"<u%d>x</u%d>" % (number * 1000 + i, number * 1000 + i) for i in range(400)
        )
        try:
            assert decode.decode(document % unknown) == {"String": "a", "Flat": ["b"]}
        except xml_parse._Unusual:
            assert decode._learned == 0
        longest = max(longest, decode._learned)
    assert 0 < longest <= xml_parse._MAX_LEARNED
    assert decode.decode(document % b"") == {"String": "a", "Flat": ["b"]}


# fmt: off
NAMES = st.sampled_from([
    "String", "Integer", "Boolean", "Strings", "member", "Flat", "p", "l", "r", "Pair", "Pairs",
    "Map", "entry", "key", "value", "FlatMap", "K", "V", "Choice", "One", "Two", "Node", "Next",
    "n:String", "Other", "Größe", "_-.", "a:b:c", "",
])
TEXTS = st.sampled_from([
    "", "", " ", "\n  ", "text", "1", "true", "&lt;", "&amp;amp;", "&#65;", "&", "&x;", "a>b",
    "]]>", "\r\n", "\t", "ü", "\xa0", "\x00", "\x1f", "\ufffe", "<!-- x -->", "<![CDATA[x]]>",
    "<?x?>", "<",
])
# fmt: on
ATTRIBUTES = st.sampled_from(
    [
        "",
        "",
        "",
        " ",
        " xsi:kind='A'",
        ' plain="B"',
        " a='1' a='2'",
        " a",
        " xmlns:x='u'",
        " a='>'",
        " a='&lt;'",
        "\n",
    ]
)


def element(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = st.tuples(NAMES, ATTRIBUTES, TEXTS, st.lists(inside, max_size=4), TEXTS).map(
        lambda parts: f"<{parts[0]}{parts[1]}>{parts[2]}{''.join(parts[3])}</{parts[0]}>{parts[4]}"
    )
    empty = st.tuples(NAMES, ATTRIBUTES).map(lambda parts: f"<{parts[0]}{parts[1]}/>")
    return whole | empty


DOCUMENTS = st.recursive(TEXTS, element, max_leaves=12).map(lambda inside: f"<R>{inside}</R>")
FRAGMENTS = st.sampled_from(
    ["<R>", "</R>", "<", ">", "</", "/>", "<R/>", "<String>", "</String>", "'", " "]
)


def outcome(decode: Any, document: bytes) -> Any:
    try:
        return decode(document)
    except XMLError:
        return "refused"


def check_agreement(document: bytes) -> None:
    expected = outcome(xml_parse.expat_decoder(table()), document)
    plain = xml_parse.plain_decoder(table())
    for _ in ("learning", "learned"):
        try:
            assert plain(document) == expected
        except (ValueError, OverflowError):
            assert outcome(xml_parse.decoder(table()), document) == expected


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_decoders_agree_on_documents(document: str) -> None:
    """Where the plain decoder gives a result, expat gives the same, whatever is in the document."""
    check_agreement(document.encode())


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.data())
def test_decoders_agree_on_damaged_documents(document: str, data: st.DataObject) -> None:
    """The plain decoder accepts no damaged document that expat refuses."""
    position = data.draw(st.integers(0, len(document)))
    cut = data.draw(st.integers(0, 4))
    damage = data.draw(FRAGMENTS | TEXTS)
    check_agreement((document[:position] + damage + document[position + cut :]).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100))
@example(b"<R>\xff</R>")
def test_any_bytes_give_a_result_or_our_error(document: bytes) -> None:
    """No body escapes as another error than XMLError."""
    result = outcome(xml_parse.decoder(table()), document)
    assert result == "refused" or isinstance(result, dict)
    check_agreement(document)
