"""What a service that answers in XML may say, for results in terms of the model."""

from __future__ import annotations

import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.protocols import timestamps

UNKNOWN = (
    "<MemberOfTheFuture a='1'>text<deep><x/></deep></MemberOfTheFuture>",
    "<MemberOfTheFuture/>",
    "<!-- a comment -->",
    "<?instruction?>",
    "\n    ",
    "text beside elements",
)


class XMLWriter:
    """Writes results as a service would, with what services and emulators are known to vary.

    Args:
        random: chooses the variations.
        oddities: the chance, for each element, of something unknown inside; of a timestamp in a
            format that is not the model's; of text written as CDATA or as character references.
    """

    def __init__(self, random: Random, oddities: float = 0.0) -> None:
        self._random = random
        self._oddities = oddities
        # Each document is printed in one way.
        self._gap = random.choice(("", "\n  "))
        self._empty = random.choice(("<{0}{1}/>", "<{0}{1} />", "<{0}{1}></{0}>"))

    def document(self, name: str, inside: str, namespace: str = "urn:example") -> bytes:
        """Return a body with this root element."""
        declaration = self._random.choice(("", '<?xml version="1.0" encoding="UTF-8"?>\n'))
        start = f"<{name} xmlns={quoteattr(namespace)}>"
        return f"{declaration}{start}{inside}{self._gap}</{name}>".encode()

    def element(self, name: str, inside: str, attributes: str = "") -> str:
        """Return an element."""
        if not inside:
            return self._gap + self._empty.format(name, attributes)
        return f"{self._gap}<{name}{attributes}>{inside}</{name}>"

    def members(self, shape: Shape, value: Mapping[str, Any]) -> str:
        """Return the elements of a structure's members."""
        # Where one element is two members, a scalar and a list, botocore understands only one.
        once = _repeated(_element_name(ref, name) for name, ref in shape.members.items())
        written: dict[str, str] = {}
        for name, item in value.items():
            ref = shape.members[name]
            element = _element_name(ref, name)
            if not ref.traits.get("xmlAttribute") and element not in written:
                is_cut = element in once and ref.shape.type == "list"
                written[element] = self._member(ref, element, item[:1] if is_cut else item)
        parts = list(written.values())
        if self._odd() and not shape.traits.get("union"):
            parts.insert(self._random.randrange(len(parts) + 1), self._random.choice(UNKNOWN))
        return "".join(parts)

    def _member(self, ref: Ref, element: str, value: Any) -> str:
        shape = ref.shape
        if shape.type == "list" and ref.traits.get("flattened"):
            return "".join(self._value(shape.member, element, item) for item in value)
        if shape.type == "map" and ref.traits.get("flattened"):
            return "".join(self._entries(shape, element, value))
        return self._value(ref, element, value)

    def _value(self, ref: Ref, element: str, value: Any) -> str:
        shape = ref.shape
        if shape.type == "structure":
            attributes = _attributes(shape, value)
            return self.element(element, self.members(shape, value), attributes)
        if shape.type == "list":
            item = shape.member.traits.get("locationName", "member")
            return self.element(
                element, "".join(self._value(shape.member, item, one) for one in value)
            )
        if shape.type == "map":
            return self.element(element, "".join(self._entries(shape, "entry", value)))
        return self.element(element, self._text(self._scalar(ref, value)))

    def _entries(self, shape: Shape, element: str, value: Mapping[str, Any]) -> Iterable[str]:
        key = shape.key.traits.get("locationName", "key")
        item = shape.value.traits.get("locationName", "value")
        for entry_key, entry_value in value.items():
            yield self.element(
                element,
                self._value(shape.key, key, entry_key)
                + self._value(shape.value, item, entry_value),
            )

    def _scalar(self, ref: Ref, value: Any) -> str:
        kind = ref.shape.type
        if kind == "boolean":
            return "true" if value else "false"
        if kind == "blob":
            return b64encode(value).decode()
        if kind == "timestamp":
            name = ref.traits.get("timestampFormat", "iso8601")
            if self._odd():
                name = self._random.choice(("unixTimestamp", "iso8601", "rfc822"))
            return str(timestamps.FORMATS[name.lower()](value))
        if isinstance(value, float) and not math.isfinite(value):
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        return str(value)

    def _text(self, text: str) -> str:
        escaped = escape(text, {'"': "&quot;", "\r": "&#13;"})
        if not text or not self._odd():
            return escaped
        references = "".join(f"&#x{ord(char):x};" for char in text)
        return self._random.choice((f"<![CDATA[{text}]]>" if _fits(text) else escaped, references))

    def _odd(self) -> bool:
        return self._random.random() < self._oddities


def _element_name(ref: Ref, name: str) -> str:
    element: str = ref.traits.get("locationName", name)
    if ref.shape.type == "list" and ref.traits.get("flattened"):
        element = ref.shape.member.traits.get("locationName", element)
    return element


def _repeated(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _fits(text: str) -> bool:
    return "]]>" not in text and "\r" not in text


def _attributes(shape: Shape, value: Mapping[str, Any]) -> str:
    names = {
        name: ref.traits["locationName"]
        for name, ref in shape.members.items()
        if ref.traits.get("xmlAttribute") and name in value
    }
    prefixes = {name.partition(":")[0] for name in names.values() if ":" in name}
    spaces = "".join(f' xmlns:{prefix}="urn:{prefix}"' for prefix in sorted(prefixes))
    return spaces + "".join(f" {name}={quoteattr(value[member])}" for member, name in names.items())


def query_body(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> bytes:
    """Return a result as services that speak query write it."""
    writer = XMLWriter(random, oddities)
    request = writer.element("ResponseMetadata", writer.element("RequestId", "id"))
    inside = ""
    if operation.output is not None:
        wrapper = operation.output.traits.get("resultWrapper")
        inside = writer.members(operation.output.shape, result)
        inside = writer.element(wrapper, inside) if wrapper else inside
    parts = [inside, request]
    random.shuffle(parts)
    return writer.document(f"{operation.name}Response", "".join(parts))


def ec2_body(
    operation: Operation, result: Mapping[str, Any], random: Random, oddities: float
) -> bytes:
    """Return a result as EC2 writes it."""
    writer = XMLWriter(random, oddities)
    inside = writer.members(operation.output.shape, result) if operation.output else ""
    request = writer.element("requestId", "id")
    return writer.document(f"{operation.name}Response", request + inside)


def rest_body(ref: Ref, rest: Mapping[str, Any], random: Random, oddities: float) -> bytes:
    """Return the body of a result whose other members are in the status and the headers."""
    payload = ref.traits.get("payload")
    writer = XMLWriter(random, oddities)
    if payload is None:
        return writer.document("Result", writer.members(ref.shape, rest)) if rest else b""
    if payload not in rest:
        return b""
    value = rest[payload]
    if isinstance(value, (bytes, str)):
        return value if isinstance(value, bytes) else value.encode()
    return writer.document("Payload", writer.members(ref.shape.members[payload].shape, value))


def error_body(shape: Shape, members: Mapping[str, Any], random: Random, oddities: float) -> bytes:
    """Return an error inside ``ErrorResponse``."""
    writer = XMLWriter(random, oddities)
    code = shape.traits.get("error", {}).get("code", shape.name)
    inside = _known(writer, members, Type="Sender", Code=code) + writer.members(shape, members)
    inside = writer.element("Error", inside)
    return writer.document("ErrorResponse", inside + writer.element("RequestId", "id"))


def bare_error_body(
    shape: Shape, members: Mapping[str, Any], random: Random, oddities: float
) -> bytes:
    """Return an error as S3 writes it, an element of its own and in no namespace."""
    writer = XMLWriter(random, oddities)
    head = _known(writer, members, Code=shape.name, Message="text", RequestId="id", HostId="id")
    return f"<Error>{head}{writer.members(shape, members)}</Error>".encode()


def _known(writer: XMLWriter, members: Mapping[str, Any], **texts: str) -> str:
    """Return the elements that errors always have, without those that are modelled."""
    return "".join(
        writer.element(name, text) for name, text in texts.items() if name not in members
    )
