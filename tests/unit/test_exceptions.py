"""The error tree: attributes, texts, pickling."""

from __future__ import annotations

import inspect
import pickle

import pytest

from tornado_aws import exceptions
from tornado_aws.exceptions import AWSClientException, AWSError

DETAILS = {
    "path": "/home/u/.aws/config",
    "profile": "work",
    "line": 3,
    "reason": "a section without a closing bracket",
    "source": "imds",
    "operation": "DescribeTable",
    "faults": ("TableName: missing",),
    "name": "table_exists",
    "error": "refused",
}
CLASSES = [
    cls
    for _, cls in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(cls, AWSClientException)
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_has_a_readable_text_and_survives_pickling(
    cls: type[AWSClientException],
) -> None:
    """Text, attributes and class are the same after a round trip through pickle."""
    error = cls() if cls is AWSError else cls(**DETAILS)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == str(error) == error.msg
    assert repr(copy) == repr(error) == f"{cls.__name__}({error.msg!r})"
    assert "{" not in str(error)
    assert copy.__dict__ == error.__dict__


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_in_the_tree_at_the_top_of_the_module(cls: type) -> None:
    """The drawing in the module's docstring names every class."""
    assert cls.__name__ in (exceptions.__doc__ or "")


def test_the_original_librarys_arguments_are_attributes() -> None:
    """`path`, `profile` and `error` are real attributes, as its documentation promised."""
    missing = exceptions.NoProfileError(path="/c", profile="p")
    assert (missing.path, missing.profile) == ("/c", "p")
    assert str(missing) == "Profile 'p' was not found in /c"
    cause = OSError("refused")
    assert exceptions.RequestException(error=cause).error is cause


def test_a_parser_error_names_file_and_line() -> None:
    """File and line stand in the text; without a line only the file does."""
    error = exceptions.ConfigParserError(path="/c", line=7, reason="no equals sign")
    assert str(error) == "Cannot read the configuration file /c, line 7: no equals sign"
    whole = exceptions.ConfigParserError(path="/c", reason="it is not UTF-8")
    assert str(whole) == "Cannot read the configuration file /c: it is not UTF-8"


def test_missing_credentials_list_every_source_with_its_reason() -> None:
    """Each source tried has a line of its own."""
    error = exceptions.NoCredentialsError(tried=[("env", "not set"), ("imds", "timed out")])
    assert str(error) == "No AWS credentials were found; tried:\n  env: not set\n  imds: timed out"


def test_validation_errors_list_every_fault() -> None:
    """Each fault has a line of its own, under the operation's name."""
    error = exceptions.ParamValidationError(operation="PutItem", faults=["A: missing", "B: 1 < 2"])
    assert str(error) == "Invalid parameters for PutItem:\n  A: missing\n  B: 1 < 2"


def test_a_service_error_tells_code_operation_attempts_and_message() -> None:
    """The text has all that is needed to find the call in a log."""
    error = AWSError("SlowDown", "Reduce", 503, "R1", {}, operation="PutObject", attempts=3)
    assert str(error) == "SlowDown when calling PutObject (after 3 attempts): Reduce"
    assert (error.status_code, error.request_id, error.attempts) == (503, "R1", 3)


@pytest.mark.parametrize("cls", [AWSError, exceptions.ReadTimeout, exceptions.ClientClosedError])
def test_a_located_error_tells_its_call_and_survives_pickling(
    cls: type[exceptions.CallError],
) -> None:
    """Service, operation, region, host, attempts and what was retried are attributes."""
    error = cls().locate(
        "dynamodb", "PutItem", "eu-west-1", "dynamodb.test", ("SlowDown", "ReadError")
    )
    copy = pickle.loads(pickle.dumps(error))
    for each in (error, copy):
        assert (each.service, each.operation, each.region) == ("dynamodb", "PutItem", "eu-west-1")
        assert (each.host, each.attempts) == ("dynamodb.test", 3)
        assert each.retried == ("SlowDown", "ReadError")
    if cls is not AWSError:
        assert str(error).endswith("(when calling PutItem, after 3 attempts)")


def test_an_error_that_was_made_without_a_call_has_the_attributes_too() -> None:
    """Code that looks at them needs no case for it."""
    for error in (AWSError("Code"), exceptions.ReadError()):
        assert (error.service, error.operation, error.region, error.host) == ("", None, "", "")
        assert (error.attempts, error.retried) == (1, ())
