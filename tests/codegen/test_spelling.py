"""Names in Python, compared with botocore's for everything that botocore has."""

from __future__ import annotations

import botocore
import pytest
from botocore.model import ServiceModel
from botocore.utils import get_service_module_name

from codegen.importer import data_folder
from codegen.load import find, load
from codegen.spelling import client_name, method_name, module_name


def test_every_name_of_botocores_services_is_spelled_as_botocore_spells_it() -> None:
    """Methods are named by xform_name and classes by get_service_module_name."""
    wrong = []
    for source in find(data_folder()):
        model = load(source).service
        expected = get_service_module_name(ServiceModel(model, source.service))
        if client_name(model["metadata"], source.service) != expected:
            wrong.append((source.service, expected))
        wrong += [
            (source.service, operation)
            for operation in model["operations"]
            if method_name(operation) != botocore.xform_name(operation)
        ]
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        "DescribeTable",
        "GetURL",
        "ListWebACLs",
        "GetS3Bucket",
        "PutACL",
        "A",
        "already_snake",
        "IPv6",
        "ListARNs",
        "XMLHttp2Do",
        "lowerFirst",
    ],
)
def test_names_that_no_service_has_are_spelled_as_botocore_would(name: str) -> None:
    """The rule agrees beyond the names that exist."""
    assert method_name(name) == botocore.xform_name(name)


@pytest.mark.parametrize(
    ("folder", "module"),
    [
        ("dynamodb", "dynamodb"),
        ("cognito-idp", "cognito_idp"),
        ("lambda", "lambda_"),
        ("runtime.sagemaker", "runtime_sagemaker"),
    ],
)
def test_modules_are_named_by_their_folders(folder: str, module: str) -> None:
    """Hyphens become underscores and a keyword gets one behind it."""
    assert module_name(folder) == module
