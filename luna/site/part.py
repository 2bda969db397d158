"""What every part of a site is made of: frozen, strict about names, with bounds on every number."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

# Of a site, as its owner writes it.
MOST_CALLED = 64
# A site's stands in addresses, topics and the names of files.
SiteName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]


# What an owner calls a device; letters of every script.
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\W_][\w .-]*$")]


# They join letters of Persian and of Indian scripts, and are no character of their own.
_JOINERS = "\u200c\u200d"


def is_written(text: str) -> bool:
    """Return whether every character of a text can be seen: no control characters, none that turns the direction."""
    return all(character.isprintable() or character in _JOINERS for character in text)


def _as_written(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain or not is_written(plain):
        raise PydanticCustomError("display_name", "has characters that cannot be seen")
    return plain


DisplayName = Annotated[str, Field(min_length=1, max_length=MOST_CALLED), AfterValidator(_as_written)]


Fraction = Annotated[float, Field(ge=0, le=1)]


Efficiency = Annotated[float, Field(gt=0, le=1, description="share of the energy that arrives; a percentage such as 95 is refused")]


PowerKw = Annotated[float, Field(ge=0, le=10_000)]


EnergyKwh = Annotated[float, Field(gt=0, le=100_000)]


Price = Annotated[float, Field(ge=-100, le=100, description="currency per kWh")]


class Part(BaseModel):
    """A part of a site: frozen, and strict about names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)
