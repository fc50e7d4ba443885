"""Modules of wire data as generated packages have them, for models that no package is made of."""

from __future__ import annotations

import sys
from itertools import count
from types import ModuleType
from typing import Any

from tornado_aws.model import ServiceModel

_NUMBERS = count()


def parts(model: ServiceModel) -> dict[str, Any]:
    """Return what a client class says of its service, the model being importable by its name."""
    module = ModuleType(f"wire_data_of_a_test_{next(_NUMBERS)}")
    vars(module)["MODEL"] = model
    sys.modules[module.__name__] = module
    return {
        "_service": model.metadata["endpointPrefix"],
        "_service_id": model.metadata["serviceId"],
        "_wire": module.__name__,
    }
