"""Host prefixes, idempotency tokens, the collector, reachability and event streams."""

from __future__ import annotations

import gc
import uuid
from typing import Any
from unittest import mock

import pytest

from tests.support.tiny_model import list_of, map_of, operation, service, structure
from tornado_aws.exceptions import ParamValidationError, UnsupportedOperationError
from tornado_aws.model import Operation
from tornado_aws.protocols import event_streams, garbage, host_prefix, idempotency, reach

ACCOUNT = {"AccountId": {"shape": "string", "hostLabel": True}}


def expanded(subject: Operation, params: dict[str, Any]) -> str:
    """Return the host prefix of a call."""
    expand = host_prefix.expander(subject)
    assert expand is not None
    return expand(params)


def test_the_host_prefix_is_expanded() -> None:
    """Labels become part of the host; a prefix without labels stays, none is none."""
    labelled = operation(ACCOUNT, endpoint={"hostPrefix": "{AccountId}.control-"})
    assert expanded(labelled, {"AccountId": "123.a-b"}) == "123.a-b.control-"
    fixed = operation(endpoint={"hostPrefix": "data."})
    assert expanded(fixed, {}) == "data."
    assert host_prefix.expander(operation()) is None


@pytest.mark.parametrize(
    "value", ["", "a/b", "a b", "evil.example/", "a\n", "-a", "a-", ".a", "a.", "ü", "a@b", 5]
)
def test_a_host_label_cannot_change_the_host(value: Any) -> None:
    """Anything but letters, digits, inner hyphens and dots is refused."""
    subject = operation(ACCOUNT, endpoint={"hostPrefix": "{AccountId}."})
    with pytest.raises(ParamValidationError, match="AccountId: it is part of the host name"):
        expanded(subject, {"AccountId": value})


def test_a_missing_host_label_is_named() -> None:
    """Without validation, too, a missing label is a clear error."""
    subject = operation(ACCOUNT, endpoint={"hostPrefix": "{AccountId}."})
    with pytest.raises(ParamValidationError, match="AccountId: missing"):
        expanded(subject, {})


def test_tokens_are_made_up_when_missing() -> None:
    """A given token stays, a missing one is made anew; the caller's dict stays as it is."""
    subject = operation({"Token": {"shape": "string", "idempotencyToken": True}, "Name": "string"})
    fill = idempotency.filler(subject)
    assert fill is not None
    given = {"Name": "x"}
    first, second = fill(given)["Token"], fill(given)["Token"]
    assert given == {"Name": "x"}
    assert first != second
    assert uuid.UUID(first).version == 4
    assert fill({"Token": "mine"}) == {"Token": "mine"}
    assert idempotency.filler(operation({"Name": "string"})) is None
    assert idempotency.filler(operation()) is None


def test_tokens_come_from_uuid4() -> None:
    """A patched uuid.uuid4 is what makes the tokens."""
    subject = operation({"Token": {"shape": "string", "idempotencyToken": True}})
    fill = idempotency.filler(subject)
    assert fill is not None
    with mock.patch("uuid.uuid4", return_value="patched"):
        assert fill({}) == {"Token": "patched"}


def test_the_collector_is_off_during_the_work_only() -> None:
    """It is on again afterwards, after an error too."""
    assert garbage.without_collecting(lambda _: gc.isenabled(), None) is False
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        garbage.without_collecting(lambda body: body / 0, 1)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    """Somebody who has switched it off finds it so."""
    gc.disable()
    try:
        garbage.without_collecting(lambda body: body, None)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_shapes_that_lead_to_something_are_found() -> None:
    """Every way down counts, through lists, maps and structures that hold themselves."""
    model = service(
        {
            "Root": structure({"Tree": "Tree", "Plain": "Plain", "Times": "Times"}),
            "Tree": structure({"Kids": "Trees", "At": "timestamp"}),
            "Trees": list_of("Tree"),
            "Plain": structure({"Name": "string", "Again": "Plain"}),
            "Times": map_of("timestamp"),
        },
        {},
    )
    found = reach.shapes_leading_to(model.shape("Root"), lambda shape: shape.type == "timestamp")
    assert {shape.name for shape in found} == {"Root", "Tree", "Trees", "Times", "timestamp"}


def test_sending_event_streams_is_refused_clearly() -> None:
    """In a protocol in which no service takes any, when the operation is prepared."""
    shapes = {"Events": {"type": "structure", "members": {}, "eventstream": True}}
    with pytest.raises(UnsupportedOperationError, match=r"Try sends events in a protocol"):
        event_streams.refuse(operation({"In": "Events"}, shapes=shapes))
    event_streams.refuse(operation({"Name": "string"}, {"Out": "Events"}, shapes=shapes))
    event_streams.refuse(operation({"Name": "string"}, {"Name": "string"}))
