"""Distil what the raw client needs to know of all services from botocore's data.

The raw client speaks to any service by its name alone. It needs to know where each is, which the
rule sets say, but not the rule sets themselves: their answers for all regions differ from
``https://{prefix}.{region}.{suffix}`` in little. The differences are written as data into
``tornado_aws/endpoints``: ``python -m codegen.distill``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import black
import botocore
from black.mode import Mode, TargetVersion

from tornado_aws.endpoints import Endpoint
from tornado_aws.exceptions import EndpointError
from tornado_aws.settings import snake_service_id

from .endpoints import rules_of
from .load import RULE_SET, Model, find, load
from .rules import compile_rules
from .source import WIDTH, literal

Resolve = Callable[[Mapping[str, Any]], Endpoint]

DATA = Path(botocore.__file__).parent / "data"
TARGET = Path(__file__).parent.parent / "tornado_aws" / "endpoints"
OUTPUTS = (
    "dnsSuffix",
    "dualStackDnsSuffix",
    "implicitGlobalRegion",
    "supportsFIPS",
    "supportsDualStack",
)

VARIANTS = {"": (False, False), "fips": (True, False), "dual": (False, True), "both": (True, True)}
DEFAULTS = {
    "": "{service}.{region}.{suffix}",
    "fips": "{service}-fips.{region}.{suffix}",
    "dual": "{service}.{region}.{dual}",
    "both": "{service}-fips.{region}.{dual}",
}

# What the rules of some services want to know besides; the raw client speaks to the first kind of
# host that they have.
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "acm": {"ServiceType": "ACM"},  # the other kind answers certificate orders by ACME
    "neptune-graph": {"ApiType": "ControlPlane"},  # the other kind has a host for each graph
}

# Services without a host that follows from the region.
WITHOUT_HOST: Mapping[str, str] = {
    "cloudfront-keyvaluestore": "each key value store has its own host: pass endpoint=",
}


@dataclass(frozen=True)
class Partition:
    """A partition of botocore's ``partitions.json``."""

    name: str
    outputs: Mapping[str, Any]
    regions: tuple[str, ...]
    regex: str

    def matches(self, region: str) -> bool:
        """Tell whether a region's name is of this partition."""
        return re.match(self.regex, region) is not None

    @property
    def unknown_region(self) -> str:
        """A region that matches the partition's pattern and does not exist."""
        first = next(region for region in self.regions if self.matches(region))
        return f"{first.rsplit('-', 2)[0]}-nowhere-9"


@dataclass(frozen=True)
class Service:
    """What is distilled of a service.

    Attributes:
        name: the folder of its model.
        prefix: its endpoint prefix.
        signing_name: the name that it is signed for.
        id: its id as variables and files of endpoints spell it, in lower case.
        hosts: where its hosts are not at the usual place: ``variant:where`` -> template and, if
            it is not the region, the signing region; where is a region, a partition or "".
    """

    name: str
    prefix: str
    signing_name: str
    id: str
    hosts: Mapping[str, str]


def distil(data: Path) -> dict[str, str]:
    """Return the texts of the modules, by file name.

    Args:
        data: botocore's data folder.
    """
    partitions = read_partitions(data)
    services = [service(load(source), partitions) for source in find(data)]
    return {
        "partition_data.py": partition_module(partitions),
        "service_data.py": service_module(services),
    }


def read_partitions(data: Path) -> list[Partition]:
    """Return the partitions of botocore's data folder."""
    return [
        Partition(each["id"], each["outputs"], tuple(each["regions"]), each["regionRegex"])
        for each in json.loads((data / "partitions.json").read_text())["partitions"]
    ]


def service(model: Model, partitions: Sequence[Partition]) -> Service:
    """Distil one service."""
    metadata = model.service["metadata"]
    name, prefix = model.source.service, metadata["endpointPrefix"]
    signing_name = metadata.get("signingName", prefix)
    own_id = snake_service_id(metadata["serviceId"]).lower()
    if name in WITHOUT_HOST:
        return Service(name, prefix, signing_name, own_id, {":": f"!{WITHOUT_HOST[name]}"})
    resolve = _resolver(model)
    hosts: dict[str, str] = {}
    for variant in VARIANTS:
        answers = _Answers(resolve, variant, prefix, signing_name, PARAMETERS.get(name, {}))
        hosts.update(_differences(answers, partitions))
    return Service(name, prefix, signing_name, own_id, hosts)


def _resolver(model: Model) -> Resolve:
    """Return a service's compiled rules as a function that leaves out what they do not ask for."""
    path = model.path(RULE_SET)
    text = compile_rules(rules_of(model), title=model.source.service, path=path).text
    names: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), names)  # noqa: S102 - our own text
    known = names["PARAMETERS"]
    return lambda params: names["resolve"](
        {name: value for name, value in params.items() if name in known}
    )


def _differences(answers: _Answers, partitions: Sequence[Partition]) -> Iterator[tuple[str, str]]:
    """Return where a service is not at the usual place, the general before the particular."""
    variant = answers.variant
    in_partition = {each.name: answers.host(each, each.unknown_region) for each in partitions}
    usual = Counter(in_partition.values()).most_common(1)[0][0]
    if usual != DEFAULTS[variant]:
        yield f"{variant}:", usual
    for partition in partitions:
        here = in_partition[partition.name]
        if here != usual:
            yield f"{variant}:{partition.name}", here
        for region in partition.regions:
            there = answers.host(partition, region)
            if _filled_in(there, partition, region) != _filled_in(here, partition, region):
                yield f"{variant}:{region}", there


def _filled_in(host: str, partition: Partition, region: str) -> tuple[str, str]:
    """Return host and signing region of a template, to tell whether two mean the same."""
    if host.startswith("!"):
        return host, ""
    template, signing_region, *_ = [*host.split(" "), "{region}"]
    names = {"region": region, "global": partition.outputs["implicitGlobalRegion"]}
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", value)
        signing_region = signing_region.replace(f"{{{name}}}", value)
    return template, signing_region


class _Answers:
    """A service's rules, asked for one variant of its hosts.

    Args:
        resolve: the rules.
        variant: one of `VARIANTS`.
        prefix: the service's endpoint prefix.
        signing_name: the name that it is signed for.
        params: what the rules want to know besides.
    """

    def __init__(
        self,
        resolve: Resolve,
        variant: str,
        prefix: str,
        signing_name: str,
        params: Mapping[str, Any],
    ) -> None:
        fips, dual = VARIANTS[variant]
        self._resolve = resolve
        self._prefix = prefix
        self._signing_name = signing_name
        self._params = {**params, "UseFIPS": fips, "UseDualStack": dual}
        self.variant = variant

    def host(self, partition: Partition, region: str) -> str:
        """Return the host in a region as a template, and how it is signed if not as usual."""
        try:
            endpoint = self._resolve({**self._params, "Region": region})
        except EndpointError as error:
            return f"!{error}"
        schemes = endpoint.properties.get("authSchemes") or [{}]
        signing_region = _region_template(
            schemes[0].get("signingRegion", region), partition, region
        )
        signing_name = schemes[0].get("signingName", self._signing_name)
        parts = [self._template(endpoint.url.removeprefix("https://"), partition, region)]
        if signing_region != "{region}" or signing_name != self._signing_name:
            parts.append(signing_region)
        if signing_name != self._signing_name:
            parts.append(signing_name)
        return " ".join(parts)

    def _template(self, host: str, partition: Partition, region: str) -> str:
        """Return a host with names in place of what depends on service, region and partition."""
        outputs = partition.outputs
        for name, suffix in (
            ("dual", outputs["dualStackDnsSuffix"]),
            ("suffix", outputs["dnsSuffix"]),
        ):
            if host.endswith(f".{suffix}"):
                host = f"{host.removesuffix(suffix)}{{{name}}}"
                break
        host = _with_name(host, self._prefix, "{service}", end="-fips")
        return _region_template(host, partition, region)


def _region_template(text: str, partition: Partition, region: str) -> str:
    text = _with_name(text, region, "{region}")
    return _with_name(text, partition.outputs["implicitGlobalRegion"], "{global}")


def _with_name(text: str, value: str, name: str, end: str = "") -> str:
    """Put a name in the place of whole labels of a host, which `end` may follow."""
    follows = rf"(?={end}|\.|$)" if end else r"(?=\.|$)"
    return re.sub(
        rf"(?<![\w.-]){re.escape(value)}{follows}|(?<=\.){re.escape(value)}{follows}",
        name,
        text,
        count=1,
    )


# Texts


def partition_module(partitions: Sequence[Partition]) -> str:
    """Return the text of the module of partitions."""
    rows = [
        (
            each.name,
            *(each.outputs[key] for key in OUTPUTS),
            each.regex,
        )
        for each in partitions
    ]
    regions = {region: each.name for each in partitions for region in each.regions}
    return _module(
        "Partitions and regions of AWS.",
        "# The values of a `tornado_aws.endpoints.partitions.Partition`, the default one first.",
        f"PARTITIONS = {_rows(rows)}",
        "",
        f"REGIONS = {_pairs(regions)}",
    )


def service_module(services: Sequence[Service]) -> str:
    """Return the text of the module of services."""
    folders = {each.name for each in services}
    prefixes: dict[str, str] = {}
    for each in sorted(services, key=lambda each: (len(each.name), each.name)):
        if each.prefix not in folders:
            prefixes.setdefault(each.prefix, each.name)
    names = {
        each.name: (each.prefix, each.signing_name)
        for each in services
        if {each.prefix, each.signing_name} != {each.name}
    }
    ids = {each.name: each.id for each in services if each.id != snake_service_id(each.name)}
    hosts = {each.name: each.hosts for each in services if each.hosts}
    return _module(
        "Hosts, signing names and ids of AWS's services, where they are not the usual ones.",
        "# Endpoint prefix -> the service, where they differ.",
        f"PREFIXES = {_pairs(dict(sorted(prefixes.items())))}",
        "",
        "# Service -> its endpoint prefix and the name it is signed for, where one differs.",
        f"NAMES = {_pairs(names)}",
        "",
        "# Service -> its id as variables of endpoints spell it, where it is another name.",
        f"IDS = {_pairs(ids)}",
        "",
        "# Service -> variant (fips, dual, both or none): region, partition or none for all ->",
        "# host and, if they differ, region and name to sign for; behind ! is why there is none.",
        f"HOSTS = {_pairs(hosts)}",
    )


def _module(title: str, *lines: str) -> str:
    head = [
        f'"""{title}',
        "",
        f"From botocore {botocore.__version__} by `python -m codegen.distill`; do not edit.",
        '"""',
    ]
    mode = Mode(line_length=WIDTH, target_versions={TargetVersion.PY311})
    return black.format_str("\n".join([*head, "", *lines, ""]), mode=mode)


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"    ({', '.join(_literal(each) for each in row)})," for row in rows]
    return "\n".join(["(", *lines, ")"])


def _pairs(values: Mapping[str, Any]) -> str:
    lines = [f"    {literal(key)}: {_literal(value)}," for key, value in values.items()]
    return "\n".join(["{", *lines, "}"])


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))})"
    if isinstance(value, Mapping):
        return (
            f"{{{', '.join(f'{literal(key)}: {_literal(each)}' for key, each in value.items())}}}"
        )
    return repr(value)


def main() -> None:
    """Write the modules."""
    for name, text in distil(DATA).items():
        (TARGET / name).write_text(text)


if __name__ == "__main__":
    main()
