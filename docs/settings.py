"""Write settings.rst, the reference of every option, from the table that resolves them."""

from pathlib import Path

from tornado_aws.settings import CODE_TABLE, TABLE, Setting

PAGE = Path(__file__).with_name("settings.rst")

HEAD = """\
.. Written by docs/settings.py from the table of tornado_aws.settings; do not edit.

Options
=======

Each option is taken from the first of these that sets it: the argument, the environment variables,
the keys of the profile, the default.
"""

CODE_HEAD = """\
Options of code alone
---------------------

These have neither a variable nor a key.
"""


def render() -> str:
    """Return the text of the page."""
    return "\n".join([HEAD, *map(_entry, TABLE), CODE_HEAD, *map(_entry, CODE_TABLE)])


def _entry(setting: Setting) -> str:
    facts = {
        "allowed": setting.kind.allowed,
        "environment": _codes(setting.environment + setting.late_environment),
        "profile": _codes(setting.file_keys),
        "default": "" if setting.default is None else _codes((str(setting.default),)),
    }
    fields = [f"    :{name}: {text}" for name, text in facts.items() if text]
    return "\n".join([f"``{setting.name}``", f"    {setting.help}", "", *fields, ""])


def _codes(texts: tuple[str, ...]) -> str:
    return ", ".join(f"``{text}``" for text in texts)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
