"""Compile an endpoint rule set into the text of a module.

A rule set (``endpoint-rule-set-1.json``) is a tree: rules are tried in order, a rule applies when
all its conditions hold, and then gives an endpoint, an error or a list of further rules. When none
of those applies, the rules behind it are tried. In Python that is ``if`` and ``return``::

    if region is not None:
        partition_result = aws_partition(region)
        if use_fips:
            return Endpoint(f"https://sts-fips.{label(region)}.{partition_result.dns_suffix}")
    raise EndpointError("Invalid Configuration: Missing Region")

Steps, each a part of this module: names and types of the parameters; expressions; conditions, with
what is known to hold where they stand (so that nothing is asked twice and what can never apply is
found); rules. Lists of rules that are long or occur several times become functions of their own.
"""
