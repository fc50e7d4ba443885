"""Validation, compared with botocore's on right and on wrong parameters of every service."""

from __future__ import annotations

from random import Random

import pytest
from botocore.validate import ParamValidator

from tests.support.acceptance import accepts
from tornado_aws.validation import faults

from . import models
from .differential import operations
from .mutations import mutate
from .random_params import STYLES, Maker

SERVICES = sorted(models.protocols())
# Refused here and let pass by botocore: the request would go to another path.
STRICTER = "part of the URL"


@pytest.mark.parametrize("service", Random(20260801).sample(SERVICES, 60))
def test_the_same_parameters_are_right(service: str) -> None:
    """What botocore's validation lets pass has no faults, anything else has; yes is never wrong."""
    ours, theirs = models.ours(service), models.theirs(service)
    random = Random(service)
    names = [name for name in operations(service) if ours.operation(name).input]
    for name in random.sample(names, min(len(names), 4)):
        root = ours.operation(name).input
        assert root is not None
        shape = theirs.operation_model(name).input_shape
        for style in STYLES.values():
            right = Maker(random, style).parameters(ours.operation(name))
            for params in (right, *(mutate(random, right) for _ in range(3))):
                found = faults(root, params)
                assert accepts(root, params) == (not found)
                wrong = ParamValidator().validate(params, shape).has_errors()
                if not any(STRICTER in fault for fault in found):
                    assert bool(found) == wrong, (name, params, found)
