"""Packaging: `codegen/` is installed as `tornado_aws.codegen`, `generated/` as its `services`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

PACKAGE_DIR = {
    "tornado_aws": "tornado_aws",
    "tornado_aws.codegen": "codegen",
    "tornado_aws.services": "generated",
}

CODEGEN = [
    "jinja2 >= 3.1",  # templates of the generated packages
    "black == 26.10.1",  # lays the generated code out: another version would lay it out differently
    "click >= 8.1",  # command line
    "jmespath >= 1.0",  # reads the expressions of paginators and waiters
    "botocore >= 1.43",  # where `import` takes service models from, nothing else
]

# What decides whether a check passes is pinned: a commit that passed goes on passing.
TEST = [
    "pytest >= 9",  # runs the tests
    "hypothesis >= 6.150",  # tests of properties on generated input
    "botocore == 1.43.117",  # says what requests, results and signatures must be
    "boto3 == 1.43.117",  # the interface whose names and results the generated clients keep
    "awscrt >= 0.31.2",  # lets botocore compute the checksums that only it has
    "jmespath >= 1.0",  # what `search` of a paginator must agree with
    "moto[server] >= 5.2",  # local AWS that speaks every protocol
    "uvloop >= 0.22",  # the other event loop that the transport must run on
    "h11 >= 0.16",  # what the parser of HTTP/1.1 must agree with
    "h2 >= 4.3",  # HTTP/2 side of the servers that curl is tested with
    "cryptography >= 42",  # certificates of the servers that TLS is tested with
    "ruff == 0.17.6",  # lint
    "mypy == 2.4.1",  # types
    "pyright[nodejs] == 1.1.414",  # types, as editors see them; nodejs: it runs on node
    "types-pycurl == 7.49.0.20261030",  # pycurl's types for both
    "setuptools >= 77",  # builds the wheel that the packaging tests look at, without a network
]


def version() -> str:
    """Read the version from the one place where it stands, without importing the package."""
    text = (HERE / "tornado_aws" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit('tornado_aws/__init__.py has no line __version__ = "..."')
    return found[1]


def packages() -> list[str]:
    """Every package of the distribution under its installed name."""
    return [
        package
        for name, folder in PACKAGE_DIR.items()
        for package in [name, *(f"{name}.{sub}" for sub in find_packages(folder))]
    ]


setup(
    name="tornado-aws",
    version=version(),
    description="A fast, typed, asynchronous AWS client for Tornado and asyncio",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license_expression="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP",
        "Typing :: Typed",
    ],
    package_dir=PACKAGE_DIR,
    packages=packages(),
    package_data={"tornado_aws": ["py.typed"], "tornado_aws.codegen": ["templates/*"]},
    install_requires=[
        "tornado >= 6.4",  # the event loop, HTTPResponse and HTTPError of the public interface
        "msgspec >= 0.19",  # C JSON codec: its typed decode is 4 to 20 times json and a walk
    ],
    extras_require={
        "curl": ["pycurl >= 7.45.6"],  # the second transport engine; earlier ones lack counters
        "codegen": CODEGEN,
        "crt": ["awscrt >= 0.31.2"],  # CRC32C, CRC64NVME and XXHASH checksums, computed in C
        "login": ["cryptography >= 42"],  # keys of `aws login`, which bind its tokens
        "sigv4a": ["cryptography >= 42"],  # signatures for several regions (ECDSA)
        "search": ["jmespath >= 1.0"],  # expressions of paginators' `search`
        "test": [*CODEGEN, *TEST],
        "docs": ["sphinx >= 8"],  # builds docs/, the reference from the docstrings
        "bench": [
            "uvloop >= 0.22",  # the other event loop that is measured
            "boto3 >= 1.43",  # what calls are compared with: the synchronous client
            "aiobotocore >= 3.10",  # what calls are compared with: the asynchronous one
            "aiohttp >= 3.14",  # what the transport is compared with
        ],
    },
    entry_points={"console_scripts": ["tornado-aws-codegen=tornado_aws.codegen.__main__:main"]},
)
