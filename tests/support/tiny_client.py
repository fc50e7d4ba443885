"""Clients of tiny services, without a generated package: operations are called by name."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.support import tiny_endpoints, tiny_model, wire_modules
from tests.support.tiny_model import structure
from tornado_aws.exceptions import AWSError
from tornado_aws.model import ServiceModel
from tornado_aws.service import ServiceClient

CHECKSUMS = {f"Checksum{name}": f"x-amz-checksum-{name.lower()}" for name in ("CRC32", "SHA256")}


class TinyClient(ServiceClient):
    """A client whose one public method is `call`."""

    _errors: ClassVar[dict[str, type[AWSError]]] = {}
    _endpoints = tiny_endpoints.__name__

    async def call(self, operation: str, **params: Any) -> Any:
        """Call an operation by its model's name."""
        return await self._call(operation, params)


def client_class(model: ServiceModel, **errors: type[AWSError]) -> type[TinyClient]:
    """Return a client class of a service."""
    return type("Tiny", (TinyClient,), {**wire_modules.parts(model), "_errors": errors})


def _header(name: str, shape: str = "string") -> dict[str, str]:
    return {"shape": shape, "location": "header", "locationName": name}


_KEY = {
    "Bucket": {"shape": "string", "location": "uri", "locationName": "Bucket"},
    "Key": {"shape": "string", "location": "uri", "locationName": "Key"},
}
_CHECKSUM_HEADERS = {name: _header(header) for name, header in CHECKSUMS.items()}

# The part of S3 that moves bodies, with its model's traits.
S3_MODEL = tiny_model.service(
    {
        "Stream": {"type": "blob", "streaming": True},
        "PutInput": structure(
            {
                **_KEY,
                **_CHECKSUM_HEADERS,
                "Body": {"shape": "Stream", "streaming": True},
                "ContentLength": _header("Content-Length", "long"),
                "ContentEncoding": _header("Content-Encoding"),
                "ContentMD5": _header("Content-MD5"),
                "ChecksumAlgorithm": _header("x-amz-sdk-checksum-algorithm"),
            },
            payload="Body",
        ),
        "PutOutput": structure({"ETag": _header("ETag")}),
        "GetInput": structure({**_KEY, "ChecksumMode": _header("x-amz-checksum-mode")}),
        "GetOutput": structure(
            {
                "Body": {"shape": "Stream", "streaming": True},
                "ContentLength": _header("Content-Length", "long"),
                **_CHECKSUM_HEADERS,
            },
            payload="Body",
        ),
        "BucketInput": structure({"Bucket": _KEY["Bucket"]}),
        "DeleteInput": structure(
            {
                "Bucket": _KEY["Bucket"],
                "Delete": "Delete",
                "ChecksumAlgorithm": _header("x-amz-sdk-checksum-algorithm"),
            },
            payload="Delete",
        ),
        "Delete": structure({"Quiet": "boolean"}),
    },
    {
        "CreateBucket": {
            "http": {"method": "PUT", "requestUri": "/{Bucket}"},
            "input": {"shape": "BucketInput"},
        },
        "PutObject": {
            "http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"},
            "input": {"shape": "PutInput"},
            "output": {"shape": "PutOutput"},
            "httpChecksum": {
                "requestAlgorithmMember": "ChecksumAlgorithm",
                "requestChecksumRequired": False,
            },
        },
        "GetObject": {
            "http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"},
            "input": {"shape": "GetInput"},
            "output": {"shape": "GetOutput"},
            "httpChecksum": {
                "requestValidationModeMember": "ChecksumMode",
                "responseAlgorithms": ["CRC64NVME", "CRC32", "SHA256"],
            },
        },
        "DeleteObjects": {
            "http": {"method": "POST", "requestUri": "/{Bucket}?delete"},
            "input": {"shape": "DeleteInput"},
            "httpChecksum": {
                "requestAlgorithmMember": "ChecksumAlgorithm",
                "requestChecksumRequired": True,
            },
        },
    },
    protocol="rest-xml",
    endpointPrefix="s3",
    serviceId="S3",
    signatureVersion="s3",
)
S3 = client_class(S3_MODEL)
