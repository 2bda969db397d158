"""Base models and bounded field types of a site's parts.

The types are names, fractions, powers, energies, and amounts of money in the site's currency.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    create_model,
)
from pydantic_core import CoreSchema, PydanticCustomError

from luna.energy.refusals import invalid_part

# Longest display name, characters.
MOST_CALLED = 64
# A site's name becomes part of URLs, topics and file names.
SiteName = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")
]


# A device's name; letters of every script.
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\W_][\w .-]*$")]


# Zero-width joiners, which Persian and Indian scripts need; Python counts them as not printable.
_JOINERS = "\u200c\u200d"


def is_written(text: str) -> bool:
    """Return whether every character is visible.

    Control characters are not, nor are those that change the direction of writing.
    """
    return all(character.isprintable() or character in _JOINERS for character in text)


def _as_written(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain or not is_written(plain):
        raise invalid_part("display-name")
    return plain


DisplayName = Annotated[
    str, Field(min_length=1, max_length=MOST_CALLED), AfterValidator(_as_written)
]


Fraction = Annotated[float, Field(ge=0, le=1)]


# Battery systems that recalibrate, and gateways that round, report 101 % or −1 % for a while.
SOC_ROUNDING = 0.02


def _round_soc(value: Any) -> Any:
    """Clip a state of charge just outside 0 to 1; leave others unchanged."""
    if isinstance(value, int | float) and -SOC_ROUNDING <= value <= 1 + SOC_ROUNDING:
        return min(max(value, 0.0), 1.0)
    return value


MeasuredSoc = Annotated[float, Field(ge=0, le=1), BeforeValidator(_round_soc)]


Efficiency = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="share of the energy that arrives; a percentage such as 95 is refused",
    ),
]


PowerKw = Annotated[float, Field(ge=0, le=10_000)]


EnergyKwh = Annotated[float, Field(gt=0, le=100_000)]


# Units of a currency per euro, by order of magnitude: enough for bounds that lie far from any
# amount ever paid.
PER_EURO = {
    **dict.fromkeys(("EUR", "USD", "GBP", "CHF"), 1.0),
    **dict.fromkeys(("AUD", "CAD", "NZD", "BGN"), 2.0),
    **dict.fromkeys(("PLN", "RON"), 5.0),
    **dict.fromkeys(("SEK", "NOK", "DKK"), 10.0),
    "ZAR": 20.0,
    **dict.fromkeys(("CZK", "TRY", "UAH"), 25.0),
    **dict.fromkeys(("RSD", "ISK", "JPY"), 100.0),
    "HUF": 400.0,
}


def in_currency(most_eur: float, currency: str | None = None) -> float:
    """Convert a bound from euros.

    For a currency that ``PER_EURO`` lacks, and without one, into the currency of the least value.
    """
    widest = max(PER_EURO.values())
    return most_eur * (widest if currency is None else PER_EURO.get(currency, widest))


@dataclass(frozen=True, slots=True)
class MoneyBounds:
    """Bounds in euros of an amount in the site's currency.

    The field accepts the widest bounds of any currency; the site then checks those of its own.
    """

    most_eur: float
    signed: bool = False

    def bounds(self, currency: str | None = None) -> tuple[float, float]:
        """Return the lower and the upper bound in a currency; without one, the widest of any."""
        most = in_currency(self.most_eur, currency)
        return (-most if self.signed else 0.0), most

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the schema of a number within the widest bounds."""
        least, most = self.bounds()
        return handler(Annotated[source, Field(ge=least, le=most)])


# Bounds of the price of a kWh.
PRICE = MoneyBounds(100, signed=True)
Price = Annotated[float, PRICE, Field(description="currency per kWh")]


# Filling a model through its descriptors takes half the time of setting its attributes.
_DESCRIPTORS = vars(BaseModel)
_FILL_FIELDS = _DESCRIPTORS["__dict__"].__set__
_FILL_SET = _DESCRIPTORS["__pydantic_fields_set__"].__set__
_FILL_EXTRA = _DESCRIPTORS["__pydantic_extra__"].__set__
_FILL_PRIVATE = _DESCRIPTORS["__pydantic_private__"].__set__


class StrictModel(BaseModel):
    """A value: frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )

    @classmethod
    def trust(cls, rows: Iterable[dict[str, Any]]) -> list[Self]:
        """Build models without validation, hundreds at a time.

        The rows are Luna's own, with every field in its declared type.
        """
        filled = set(cls.model_fields)
        models = []
        create = cls.__new__
        for row in rows:
            model = create(cls)
            _FILL_FIELDS(model, row)
            _FILL_SET(model, filled)
            _FILL_EXTRA(model, None)
            _FILL_PRIVATE(model, None)
            models.append(model)
        return models


class Part(StrictModel):
    """A part of a site, or of what is said of its devices."""


ModelT = TypeVar("ModelT", bound=BaseModel)


def with_sections(
    sections: Mapping[str, tuple[Any, Any]],
) -> Callable[[type[ModelT]], type[ModelT]]:
    """Append a field to a model for each section: type and default.

    Code reads such a field by its name (``DeviceKind``).

    Fields that must come after the sections go into a subclass.
    """
    fields: dict[str, Any] = dict(sections)

    def extend(begun: type[ModelT]) -> type[ModelT]:
        return create_model(
            begun.__name__,
            __base__=begun,
            __module__=begun.__module__,
            __doc__=begun.__doc__,
            **fields,
        )

    return extend


class Amount(NamedTuple):
    """An amount in a site's currency, its path and its bounds."""

    place: tuple[str | int, ...]
    value: float
    money: MoneyBounds


def list_amounts(part: Part, place: tuple[str | int, ...] = ()) -> Iterator[Amount]:
    """Yield the amounts in the site's currency of a part and of the parts inside it."""
    of_money = _find_money(type(part))
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        there = (*place, field.alias or name)
        if name in of_money:
            if value is not None:
                yield Amount(there, value, of_money[name])
        elif isinstance(value, Part):
            yield from list_amounts(value, there)
        elif isinstance(value, list | tuple):
            for number, member in enumerate(value):
                if isinstance(member, Part):
                    yield from list_amounts(member, (*there, number))


def require_in_currency(amounts: Iterable[Amount], currency: str) -> None:
    """Check in a validator that amounts are within their bounds in a currency.

    Raises:
        PydanticCustomError: one is not; its context holds the path.
    """
    for amount in amounts:
        least, most = amount.money.bounds(currency)
        if not least <= amount.value <= most:
            bound = f"at least {least:g}" if amount.value < least else f"at most {most:g}"
            context = {
                "bound": bound,
                "currency": currency,
                "remedy": f"Give {bound}. Prices are per kWh.",
                "place": amount.place,
                "value": amount.value,
            }
            context |= {
                "reason": "beyond-currency",
                "parameters": {"bound": bound, "currency": currency, "least": least, "most": most},
            }
            raise PydanticCustomError("beyond_currency", "in {currency} it is {bound}", context)


@cache
def _find_money(kind: type[Part]) -> dict[str, MoneyBounds]:
    bounds_by_field: dict[str, MoneyBounds] = {}
    for name, field in kind.model_fields.items():
        for metadata in (*field.metadata, *_within(field.annotation)):
            if isinstance(metadata, MoneyBounds):
                bounds_by_field.setdefault(name, metadata)
    return bounds_by_field


def _within(annotation: Any) -> Iterator[Any]:
    """Yield the metadata of the annotated members of an optional field."""
    for member in get_args(annotation):
        yield from getattr(member, "__metadata__", ())
