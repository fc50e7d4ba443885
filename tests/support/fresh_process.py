"""A process with a table of descriptors as small as Linux makes it."""

from __future__ import annotations

# A process inherits a table large enough for the highest descriptor that its parent has open, of
# which a terminal's or a build's may have hundreds. A shell in between has three.
FRESH = ("sh", "-c", '"$@"; exit $?', "sh")
