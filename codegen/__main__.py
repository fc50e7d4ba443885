"""``python -m codegen`` (``python -m tornado_aws.codegen`` where it is installed)."""

import sys
from importlib.util import find_spec

# What the extra brings, by the names that are imported; `import` alone needs botocore, and says so.
_EXTRA = ("black", "click", "jinja2", "jmespath")


def main() -> None:
    """Run the command line, or say what it needs."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        needed = "The generator needs the extra codegen: pip install 'tornado-aws[codegen]'"
        sys.exit(f"{needed} (without {', '.join(missing)} here)")
    from .cli import main as run  # noqa: PLC0415 - what it imports may be missing

    run()


if __name__ == "__main__":
    main()
