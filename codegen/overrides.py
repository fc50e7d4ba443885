"""The corrections of AWS's models; see `codegen.override` for what each kind does."""

from __future__ import annotations

from collections.abc import Sequence

from .override import Method, Optional, Override, Parameter, Type

# Operations of S3 whose customer's key is sent in base64, with its MD5.
_ENCODING_KEYS = (
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "GetObject",
    "HeadObject",
    "PutObject",
    "SelectObjectContent",
    "UploadPart",
    "UploadPartCopy",
)

OVERRIDES: Sequence[Override] = (
    Parameter(
        "logs",
        "CreateExportTask",
        member="from",
        name="fromTime",
        reason="from is a Python keyword; fromTime is the name that boto users know",
    ),
    Parameter(
        "cloudsearchdomain",
        "Search",
        member="return",
        name="returnFields",
        reason="return is a Python keyword; returnFields is the name that boto users know",
    ),
    Method(
        "redshift-serverless",
        "GetCredentials",
        name="get_credentials",
        reason="boto users know it so; a client's own credentials are those of the client it uses",
    ),
    Optional(
        "glacier",
        member="accountId",
        reason='"-", the account of the credentials, is sent when it is left out',
    ),
    Type(
        "iam",
        "policyDocumentType",
        "",
        returned="dict[str, Any]",
        reason="policies in results are decoded",
    ),
    Type(
        "cloudformation",
        "GetTemplateOutput",
        "TemplateBody",
        returned="dict[str, Any] | str",
        reason="a template in JSON is decoded",
    ),
    Type(
        "s3",
        "GetBucketLocationOutput",
        "LocationConstraint",
        returned="BucketLocationConstraint | str | None",
        reason="it is None in us-east-1",
    ),
    *(
        Type(
            "s3",
            f"{operation}Request",
            "CopySource",
            sent="str | Mapping[str, str]",
            reason="bucket, key and version are put together and quoted",
        )
        for operation in ("CopyObject", "UploadPartCopy")
    ),
    *(
        Type(
            "s3",
            f"{operation}Request",
            "SSECustomerKey",
            sent="str | bytes",
            reason="keys are sent in base64",
        )
        for operation in _ENCODING_KEYS
    ),
    *(
        Type(
            "s3",
            f"{operation}Request",
            "CopySourceSSECustomerKey",
            sent="str | bytes",
            reason="keys are sent in base64",
        )
        for operation in ("CopyObject", "UploadPartCopy")
    ),
    Type(
        "ec2",
        "RunInstancesRequest",
        "UserData",
        sent="str | bytes",
        reason="it is sent in base64",
    ),
    Type(
        "autoscaling",
        "CreateLaunchConfigurationType",
        "UserData",
        sent="str | bytes",
        reason="it is sent in base64",
    ),
)


def corrections(service: str) -> list[Override]:
    """Return the corrections of one service."""
    return [each for each in OVERRIDES if each.service == service]
