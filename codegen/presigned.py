"""The method that makes presigned URLs: a client takes the names of its own methods only."""

from __future__ import annotations

from collections.abc import Sequence

from .methods import Method
from .name import Names
from .select import Selection
from .spelling import method_name

_NAME = "generate_presigned_url"

_SIGNATURE = f"""\
    async def {_NAME}(
        self,
        ClientMethod: types.ClientMethod,
        Params: Mapping[str, Any] | None = None,
        ExpiresIn: int = 3600,
        HttpMethod: str | None = None,
    ) -> str:"""

_DOCSTRING = """Return a URL that makes a request for whoever holds it, for a while.

        Args:
            ClientMethod: the name of the method that would make it.
            Params: its parameters. What becomes a header must be sent with the URL.
            ExpiresIn: 1 to 604800 seconds; temporary credentials end it sooner.
            HttpMethod: the HTTP method to use instead of the operation's own.
        """

_CALL = "        return await self._presigned_url(ClientMethod, Params, ExpiresIn, HttpMethod)"


def presigned_methods(selection: Selection, names: Names) -> Sequence[str]:
    """Return what the method can be asked for, as boto3 names it; nothing if there is none."""
    if _NAME in names.methods.values():
        return []
    return sorted(map(method_name, selection.service.operations))


def presigning(selection: Selection, names: Names) -> list[Method]:
    """Return the method, unless there is nothing to presign or an operation has its name."""
    if not presigned_methods(selection, names):
        return []
    annotations = ["types.ClientMethod", "Mapping[str, Any]"]
    return [Method(_SIGNATURE, _DOCSTRING, _CALL, annotations)]
