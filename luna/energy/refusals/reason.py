"""The declaration of a refusal reason.

It holds English message and remedy, error class, and kinds of its parameters.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from luna.energy.errors import InvalidInputError, LunaError

# Kind of a parameter that a page formats as more than a number or text; of a list, the kind of its
# members. A thing is an English noun, which the catalogue's topic ``things`` names.
ParameterKind: TypeAlias = Literal[
    "share", "unit", "device", "day", "instant", "row", "bytes", "thing", "field"
]


class RefusalReason(NamedTuple):
    """A reason of refusal. The sentences of pages are in the catalogue, topic ``refusals``.

    Args:
        message: English message of API and command line; None: pydantic's own.
        remedy: what to do, in English.
        error: the class that is raised.
        kinds: of the parameters that are more than numbers and texts.
        quotes: its message holds another's text, which a page does not show and the log keeps.
    """

    message: str | None
    remedy: str | None
    error: type[LunaError] = InvalidInputError
    kinds: Mapping[str, ParameterKind] = MappingProxyType({})
    quotes: bool = False
