"""The value itself."""

from __future__ import annotations

import copy
import pickle

import pytest

from tornado_aws.credentials import Credentials

CREDENTIALS = Credentials("AKID", "hush", "hushtoken", account_id="123456789012", source="env")


def test_secrets_are_not_shown() -> None:
    """What is no secret is enough to recognise credentials."""
    assert repr(CREDENTIALS) == (
        "Credentials(access_key='AKID', expiration=None, account_id='123456789012', source='env')"
    )


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secrets_are_not_pickled(protocol: int) -> None:
    """Nor is anything that holds credentials; the error says what to do."""
    with pytest.raises(TypeError, match="hand over access_key"):
        pickle.dumps({"in": [CREDENTIALS]}, protocol)


def test_copies_are_the_object_itself() -> None:
    """It cannot change, so one is enough."""
    assert copy.copy(CREDENTIALS) is CREDENTIALS
    assert copy.deepcopy([CREDENTIALS])[0] is CREDENTIALS
