"""``python -m codegen`` (``python -m tornado_aws.codegen`` where it is installed)."""

from .cli import main

if __name__ == "__main__":
    main()
