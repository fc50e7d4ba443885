"""XML of parameters: elements, attributes, namespaces, escaping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny_model import list_of, map_of, operation, structure
from tornado_aws.protocols import xml_build

MOMENT = datetime(2014, 4, 29, 18, 30, 38, tzinfo=UTC)
XSI = {"prefix": "xsi", "uri": "urn:xsi"}
SHAPES: dict[str, Any] = {
    "Texts": list_of("string"),
    "Named": {"type": "list", "member": {"shape": "string", "locationName": "item"}},
    "Flat": list_of("string", flattened=True),
    "FlatPairs": {
        "type": "list",
        "member": {"shape": "Pair", "locationName": "x"},
        "flattened": True,
    },
    "Matrix": list_of("Texts"),
    "Map": map_of("integer"),
    "FlatMap": {
        "type": "map",
        "key": {"shape": "string", "locationName": "K"},
        "value": {"shape": "Pair", "locationName": "V"},
        "flattened": True,
    },
    "Pair": structure({"Left": "string", "Right": {"shape": "string", "locationName": "right"}}),
    "Node": structure({"Value": "string", "Next": "Node"}),
    "Grantee": structure(
        {
            "Type": {"shape": "string", "xmlAttribute": True, "locationName": "xsi:type"},
            "Name": "string",
        },
        xmlNamespace=XSI,
    ),
}
MEMBERS: dict[str, Any] = {
    "Text": "string",
    "Renamed": {"shape": "string", "locationName": "renamed"},
    "Number": "integer",
    "Double": "double",
    "Flag": "boolean",
    "Data": "blob",
    "At": "timestamp",
    "AtSeconds": {"shape": "timestamp", "timestampFormat": "unixTimestamp"},
    "AtDate": {"shape": "timestamp", "timestampFormat": "rfc822"},
    "InSpace": {"shape": "Pair", "xmlNamespace": {"uri": "urn:a&b"}},
    "InOldSpace": {"shape": "string", "xmlNamespace": "urn:old"},
    **{name: name for name in SHAPES},
}


def written(**params: Any) -> str:
    subject = operation(MEMBERS, shapes=SHAPES, input_traits={"locationName": "R"}).input
    assert subject is not None
    return xml_build.writer(subject)(params).decode()


@pytest.mark.parametrize(
    ("params", "inside"),
    [
        ({"Text": "a"}, "<Text>a</Text>"),
        ({"Text": ""}, "<Text />"),
        ({"Text": "<a & 'b' \"c\">"}, "<Text>&lt;a &amp; 'b' \"c\"&gt;</Text>"),
        ({"Text": "a\r\n\tb"}, "<Text>a&#xD;\n\tb</Text>"),
        ({"Text": "\x00\x1f"}, "<Text>&#x0;&#x1F;</Text>"),
        ({"Text": "grüße 🚀"}, "<Text>grüße 🚀</Text>"),
        ({"Renamed": "a"}, "<renamed>a</renamed>"),
        ({"Number": 0}, "<Number>0</Number>"),
        ({"Double": 1.5}, "<Double>1.5</Double>"),
        ({"Double": float("nan")}, "<Double>NaN</Double>"),
        ({"Double": float("-inf")}, "<Double>-Infinity</Double>"),
        ({"Flag": True}, "<Flag>true</Flag>"),
        ({"Flag": False}, "<Flag>false</Flag>"),
        ({"Data": b"\x00"}, "<Data>AA==</Data>"),
        ({"Data": "a"}, "<Data>YQ==</Data>"),
        ({"At": MOMENT}, "<At>2014-04-29T18:30:38Z</At>"),
        ({"AtSeconds": MOMENT}, "<AtSeconds>1398796238</AtSeconds>"),
        ({"AtDate": MOMENT}, "<AtDate>Tue, 29 Apr 2014 18:30:38 GMT</AtDate>"),
        ({"Texts": ["a", ""]}, "<Texts><member>a</member><member /></Texts>"),
        ({"Texts": []}, "<Texts />"),
        ({"Named": ["a"]}, "<Named><item>a</item></Named>"),
        ({"Flat": ["a", "b"]}, "<Flat>a</Flat><Flat>b</Flat>"),
        ({"FlatPairs": [{"Left": "a"}]}, "<FlatPairs><Left>a</Left></FlatPairs>"),
        ({"Matrix": [["a"], []]}, "<Matrix><member><member>a</member></member><member /></Matrix>"),
        (
            {"Map": {"a": 1}},
            "<Map><entry><key>a</key><value>1</value></entry></Map>",
        ),
        ({"Map": {}}, "<Map />"),
        (
            {"FlatMap": {"a": {"Left": "l"}}},
            "<FlatMap><K>a</K><V><Left>l</Left></V></FlatMap>",
        ),
        ({"Pair": {"Left": "l", "Right": "r"}}, "<Pair><Left>l</Left><right>r</right></Pair>"),
        ({"Pair": {}}, "<Pair />"),
        ({"Node": {"Next": {"Value": "1"}}}, "<Node><Next><Value>1</Value></Next></Node>"),
        ({"InSpace": {}}, '<InSpace xmlns="urn:a&amp;b" />'),
        ({"InOldSpace": "a"}, '<InOldSpace xmlns="urn:old">a</InOldSpace>'),
        (
            {"Grantee": {"Name": "n", "Type": 'a"<&\n'}},
            '<Grantee xmlns:xsi="urn:xsi" xsi:type="a&quot;&lt;&amp;&#xA;">'
            "<Name>n</Name></Grantee>",
        ),
        ({"Grantee": {"Type": "t"}}, '<Grantee xmlns:xsi="urn:xsi" xsi:type="t" />'),
    ],
)
def test_parameters_become_elements(params: dict[str, Any], inside: str) -> None:
    """Each type, each trait and each empty value has one spelling."""
    assert written(**params) == f"<R>{inside}</R>"


def test_members_keep_the_callers_order() -> None:
    """Elements come as the parameters were given."""
    assert written(Number=1, Text="a") == "<R><Number>1</Number><Text>a</Text></R>"
    assert written(Text="a", Number=1) == "<R><Text>a</Text><Number>1</Number></R>"


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text())
def test_text_comes_back_from_a_reader(text: str, attribute: str) -> None:
    """Whatever XML can carry is read back as it was given, line ends included."""
    document = written(Grantee={"Name": text, "Type": attribute})
    try:
        grantee = ElementTree.fromstring(document)[0]
    except ElementTree.ParseError:
        assert any(ord(char) < 32 or char in "\ufffe\uffff" for char in text + attribute)
        return
    assert (grantee[0].text or "") == text
    assert grantee.attrib["{urn:xsi}type"] == attribute
