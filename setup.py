"""Packaging: `codegen/` installs as `tornado_aws.codegen`, `generated/` as `tornado_aws.services`."""

from setuptools import find_packages, setup

PACKAGE_DIR = {
    "tornado_aws": "tornado_aws",
    "tornado_aws.codegen": "codegen",
    "tornado_aws.services": "generated",
}


def packages() -> list[str]:
    """Every package of the distribution under its installed name."""
    return [
        package
        for name, folder in PACKAGE_DIR.items()
        for package in [name, *(f"{name}.{sub}" for sub in find_packages(folder))]
    ]


setup(
    name="tornado-aws",
    version="3.0.0",
    description="A fast, typed, asynchronous AWS client for Tornado and asyncio",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    package_dir=PACKAGE_DIR,
    packages=packages(),
    package_data={"tornado_aws": ["py.typed"], "tornado_aws.codegen": ["templates/*.jinja"]},
    install_requires=[
        "tornado >= 6.4",  # the event loop, HTTPResponse and HTTPError of the public interface
        "msgspec >= 0.19",  # C JSON codec: typed decode is 4 to 20 times faster than json and a walk
    ],
    extras_require={
        "curl": ["pycurl >= 7.45.3"],  # the second transport engine
        "codegen": [
            "jinja2 >= 3.1",  # templates of the generated packages
            "black == 26.10.1",  # layout of the generated code, the same on every machine
            "click >= 8.1",  # command line
            "botocore >= 1.43",  # source of the service models for `import`, nothing else
        ],
    },
    entry_points={"console_scripts": ["tornado-aws-codegen=tornado_aws.codegen.cli:main"]},
)
