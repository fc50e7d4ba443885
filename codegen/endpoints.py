"""What a package's module of endpoints says: the compiled rules, and what operations feed them."""

from __future__ import annotations

from collections.abc import Sequence

from .faults import Fault, FaultyModel
from .form import form_faults
from .load import RULE_SET, Json, Model
from .queries import compile_query
from .rules import compile_rules, default_rules
from .select import Selection
from .source import literal


def endpoints_text(model: Model, selection: Selection, header: str, title: str) -> str:
    """Return the module of endpoints.

    Args:
        model: the service's model.
        selection: the selected part of it.
        header: the comment at the top.
        title: the service's full name.

    Raises:
        FaultyModel: the rule set is wrong.
    """
    rules = rules_of(model)
    compiled = compile_rules(rules, title=title, path=model.path(RULE_SET), header=f"{header}\n")
    return _with_context(compiled.text, selection)


def rules_of(model: Model) -> Json:
    """Return the rule set of a model, the usual one when it has none."""
    if model.rule_set is not None:
        return model.rule_set
    rules: Json = default_rules(model.service["metadata"]["endpointPrefix"])
    return rules


def rule_faults(model: Model) -> Sequence[Fault]:
    """Return what is wrong with the rule set of a model that need not be valid."""
    if model.rule_set is None or any(form_faults(RULE_SET, model.rule_set)):
        return ()
    try:
        compile_rules(model.rule_set, title=model.source.service, path=model.path(RULE_SET))
    except FaultyModel as error:
        return error.faults
    return ()


def _with_context(text: str, selection: Selection) -> str:
    """Add the expressions that find parameters of the rules in those of operations."""
    entries = {
        operation.name: operation.traits["operationContextParams"]
        for operation in selection.service.operations.values()
        if "operationContextParams" in operation.traits
    }
    if not entries:
        return text
    lines = [
        f"    {literal(operation)}: {{"
        + ", ".join(
            f"{literal(name)}: {compile_query(entry['path'])}" for name, entry in params.items()
        )
        + "},\n"
        for operation, params in entries.items()
    ]
    rules = "from tornado_aws.endpoints.rules import"
    text = text.replace(rules, f"from tornado_aws import queries as q\n{rules}", 1)
    kind = "Mapping[str, Mapping[str, q.Query]]"
    return f"{text}\n\nOPERATION_CONTEXT: {kind} = {{\n{''.join(lines)}}}\n"
