"""Which region a resource is in when it is not the client's, as far as errors have told."""

from __future__ import annotations

from tornado_aws.endpoints.rules import is_valid_host_label

__all__ = ["KnownRegions"]

# More than most programs touch; one that touches more starts anew.
_MOST = 1024


class KnownRegions:
    """The regions of resources, by service and name."""

    def __init__(self) -> None:
        self._regions: dict[tuple[str, object], str] = {}

    def get(self, service: str, resource: object) -> str | None:
        """Return the region of a resource, None while it is not known to be elsewhere."""
        return self._regions.get((service, resource)) if self._regions else None

    def learn(self, service: str, resource: object, region: str | None) -> bool:
        """Keep the region that a response names; tell whether that is any news.

        What cannot be a region is no news: it would become part of a host name.
        """
        if region is None or not is_valid_host_label(region, False):
            return False
        if region == self.get(service, resource):
            return False
        if len(self._regions) >= _MOST:
            self._regions.clear()
        self._regions[service, resource] = region
        return True
