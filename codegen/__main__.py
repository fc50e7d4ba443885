"""``python -m codegen`` (``python -m tornado_aws.codegen`` where it is installed)."""

import sys

# What the extra brings, by the names that are imported.
_EXTRA = ("black", "click", "jinja2")


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        from .cli import main as run  # noqa: PLC0415 - what it imports may be missing
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        needed = "The generator needs the extra codegen: pip install 'tornado-aws[codegen]'"
        sys.exit(f"{needed} ({error.name} is not installed)")
    run()


if __name__ == "__main__":
    main()
