"""Wire data read at first use."""

from __future__ import annotations

import pytest

from tornado_aws.model import ServiceModel

MODEL = ServiceModel(
    '{"serviceId":"Tree","protocol":"json"}',
    'Plant {"http":{"method":"PUT","requestUri":"/t"},"input":{"shape":"Node"},'
    '"errors":[{"shape":"Rot"}]}\nFell {"name":"Fell"}\n',
    'Node {"type":"structure","required":["Name"],"members":{"Name":{"shape":"Text",'
    '"locationName":"n"},"Kids":{"shape":"Nodes"}}}\n'
    'Nodes {"type":"list","member":{"shape":"Node"}}\n'
    'Text {"type":"string","min":1}\n',
)


def test_operations_are_parsed_with_their_defaults() -> None:
    """What a model leaves out is POST, /, no input, no output, no errors."""
    plant, fell = MODEL.operation("Plant"), MODEL.operation("Fell")
    assert (plant.http_method, plant.request_uri, plant.errors) == ("PUT", "/t", ("Rot",))
    assert (fell.http_method, fell.request_uri, fell.errors) == ("POST", "/", ())
    assert plant.output is fell.input is None
    assert MODEL.operation_names == ["Plant", "Fell"]
    with pytest.raises(KeyError):
        MODEL.operation("Water")


def test_a_use_of_a_shape_overlays_the_shapes_traits() -> None:
    """The member's own traits and the shape's are seen together, references are not traits."""
    node = MODEL.shape("Node")
    name = node.members["Name"]
    assert name.traits == {"type": "string", "min": 1, "locationName": "n"}
    assert node.required == ("Name",)
    assert node.traits == {"type": "structure"}


def test_the_payload_is_named_by_the_structure_or_by_its_use() -> None:
    """Either can say which member is the whole body."""
    use = {"shape": "Node", "payload": "Name"}
    payload = MODEL.ref("input", use).payload
    assert payload is not None
    assert (payload.name, payload.shape.name) == ("Name", "Text")
    assert MODEL.ref("input", {"shape": "Node"}).payload is None


def test_recursive_shapes_are_one_object() -> None:
    """A shape that holds itself resolves to itself."""
    node = MODEL.shape("Node")
    assert node.members["Kids"].shape.member.shape is node
    assert MODEL.has_shape("Nodes")
    assert not MODEL.has_shape("Leaf")
