"""The types of options against the settings that exist."""

from __future__ import annotations

from tornado_aws.options import CallOptions, ClientOptions
from tornado_aws.session import CALL_OPTIONS, settings_options
from tornado_aws.settings import CODE_TABLE, TABLE


def test_every_setting_is_an_option_that_type_checkers_know() -> None:
    """What is no setting is one of the options that exist in code only."""
    options = dict.fromkeys(ClientOptions.__annotations__)
    assert set(settings_options(options)) == {setting.name for setting in TABLE}
    assert set(options) == {setting.name for setting in (*TABLE, *CODE_TABLE)}


def test_the_options_of_single_calls_are_those_that_type_checkers_know() -> None:
    """The set that views of a client are checked against names the same ones."""
    assert CallOptions.__annotations__.keys() == CALL_OPTIONS
