"""What a refusal is declared with: the English of the API and of the command line, and what its parameters are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from luna.energy.errors import InvalidInputError, LunaError

# What a parameter is, where a page writes it as more than a number or text; of a list, what each of its members is.
ParameterKind: TypeAlias = Literal["share", "unit", "device", "day", "instant", "row"]


class RefusalReason(NamedTuple):
    """Why something is refused. What pages say of it is in the catalogue, topic ``refusals``.

    Args:
        message: in English, as API and command line say it; None: pydantic words it.
        remedy: what to do, in English.
        error: the class that is raised.
        kinds: of the parameters that are more than numbers and texts, what they are.
        quotes: the error itself stands beside it on a page, for it says more than can be declared.
    """

    message: str | None
    remedy: str | None
    error: type[LunaError] = InvalidInputError
    kinds: Mapping[str, ParameterKind] = MappingProxyType({})
    quotes: bool = False
