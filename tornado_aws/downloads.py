"""How the result of an operation is received: its body as a stream, its checksum verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado_aws import checksums
from tornado_aws.model import Operation
from tornado_aws.streams import StreamingBody
from tornado_aws.transport import Response

__all__ = ["Download", "download", "streaming_body"]


def download(operation: Operation) -> Download | None:
    """Return how an operation's result is received, None if there is nothing to it."""
    member = _streaming_member(operation)
    rule = checksums.response_rule(operation)
    return Download(member, rule) if member or rule else None


class Download:
    """How the results of one operation are received.

    Args:
        member: the member of the result that is a stream, "" if there is none.
        rule: what the model says of the checksums of responses, None if nothing.

    Attributes:
        is_stream: whether the response's body is wanted as a stream.
    """

    def __init__(self, member: str, rule: checksums.ResponseRule | None) -> None:
        self.is_stream = bool(member)
        self._member = member
        self._rule = rule

    def ask(self, params: dict[str, Any], validation: str) -> dict[str, Any]:
        """Return the parameters to send.

        Args:
            params: the caller's.
            validation: the setting ``response_checksum_validation``.
        """
        return params if self._rule is None else self._rule.ask(params, validation)

    def verifier(self, response: Response, params: Mapping[str, Any]) -> checksums.Verifier | None:
        """Return what verifies the response's body, None if nothing can."""
        if self._rule is None or self._rule.member not in params:
            return None
        return checksums.verifier(self._rule, response.headers)

    def receive(
        self, response: Response, result: dict[str, Any], params: Mapping[str, Any]
    ) -> None:
        """Make the stream in a result one that callers can use, or verify the body that came.

        Raises:
            ReadError: the body is not what the response's checksum was computed of.
        """
        verifier = self.verifier(response, params)
        if response.stream is not None:
            result[self._member] = streaming_body(response, verifier)
        elif verifier is not None:
            verifier.update(response.body)
            verifier.verify()


def streaming_body(response: Response, check: checksums.Verifier | None = None) -> StreamingBody:
    """Return the stream of a response that has one."""
    assert response.stream is not None  # noqa: S101 - asked for by the caller
    stated = response.headers.get("content-length", "")
    length = int(stated) if stated.isascii() and stated.isdigit() else None
    return StreamingBody(response.stream, length, check)


def _streaming_member(operation: Operation) -> str:
    """Return the blob that is the whole body of a result, as botocore streams it."""
    shape = operation.output.shape if operation.output else None
    name = shape.traits.get("payload") if shape else None
    is_blob = bool(shape and name and shape.members[name].shape.type == "blob")
    return name if name and is_blob else ""
