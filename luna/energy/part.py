"""What every part of a site is made of: frozen, strict about names, with bounds on every number."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, PydanticCustomError

from luna.energy.refusals import invalid_part

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
        raise invalid_part("display-name")
    return plain


DisplayName = Annotated[str, Field(min_length=1, max_length=MOST_CALLED), AfterValidator(_as_written)]


Fraction = Annotated[float, Field(ge=0, le=1)]


# Battery systems that recalibrate, and gateways that round, show 101 % or −1 % for a while.
SOC_ROUNDING = 0.02


def _round_soc(value: Any) -> Any:
    """Return a state of charge just beyond 0 or 1 as that bound; anything else as it is."""
    if isinstance(value, int | float) and -SOC_ROUNDING <= value <= 1 + SOC_ROUNDING:
        return min(max(value, 0.0), 1.0)
    return value


MeasuredSoc = Annotated[float, Field(ge=0, le=1), BeforeValidator(_round_soc)]


Efficiency = Annotated[float, Field(gt=0, le=1, description="share of the energy that arrives; a percentage such as 95 is refused")]


PowerKw = Annotated[float, Field(ge=0, le=10_000)]


EnergyKwh = Annotated[float, Field(gt=0, le=100_000)]


# What a currency is to a euro, to its order of magnitude: bounds of money are factors away from anything that was ever paid.
PER_EURO = {
    **dict.fromkeys(("EUR", "USD", "GBP", "CHF"), 1.0),
    **dict.fromkeys(("AUD", "CAD", "NZD", "BGN"), 2.0),
    **dict.fromkeys(("PLN", "RON"), 5.0),
    **dict.fromkeys(("SEK", "NOK", "DKK"), 10.0),
    **dict.fromkeys(("CZK", "TRY", "UAH"), 25.0),
    **dict.fromkeys(("RSD", "ISK", "JPY"), 100.0),
    "HUF": 400.0,
}


def in_currency(most_eur: float, currency: str | None = None) -> float:
    """Return a bound of so many euros in a currency; of one without an order of magnitude here, and of any one, that of the smallest."""
    widest = max(PER_EURO.values())
    return most_eur * (widest if currency is None else PER_EURO.get(currency, widest))


@dataclass(frozen=True, slots=True)
class MoneyBounds:
    """Bounds of a field in the site's currency, in euros. By itself the field takes what is within them in any currency; the site knows its own."""

    most_eur: float
    signed: bool = False

    def bounds(self, currency: str | None = None) -> tuple[float, float]:
        """Return the least and the most in a currency; without one, of any."""
        most = in_currency(self.most_eur, currency)
        return (-most if self.signed else 0.0), most

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of a number within the bounds."""
        least, most = self.bounds()
        return handler(Annotated[source, Field(ge=least, le=most)])


# What a kWh may cost or earn.
PRICE = MoneyBounds(100, signed=True)
Price = Annotated[float, PRICE, Field(description="currency per kWh")]


# Through its descriptors a model is filled in half the time that setting its attributes takes.
_FILL_FIELDS, _FILL_SET, _FILL_EXTRA, _FILL_PRIVATE = (
    vars(BaseModel)[name].__set__ for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


class StrictModel(BaseModel):
    """A value: frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    @classmethod
    def trust(cls, rows: Iterable[dict[str, Any]]) -> list[Self]:
        """Return models of rows that hold every field as it is declared: what Luna made itself, hundreds at a time, is not validated once more."""
        filled, models, create = set(cls.model_fields), [], cls.__new__
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


def with_sections(sections: Mapping[str, tuple[Any, Any]]) -> Callable[[type[ModelT]], type[ModelT]]:
    """Give a model a field more for each section, behind its own: the type and the default; whoever reads one does so by its name (``DeviceKind``).

    What stands behind them belongs into a model that extends this one.
    """
    fields: dict[str, Any] = dict(sections)

    def extend(begun: type[ModelT]) -> type[ModelT]:
        return create_model(begun.__name__, __base__=begun, __module__=begun.__module__, __doc__=begun.__doc__, **fields)

    return extend


class Amount(NamedTuple):
    """An amount in a site's currency, and where it stands."""

    place: tuple[str | int, ...]
    value: float
    money: MoneyBounds


def list_amounts(part: Part, place: tuple[str | int, ...] = ()) -> Iterator[Amount]:
    """Yield the amounts in the site's currency that a part and those within it have."""
    of_money = _find_money(type(part))
    for name, field in type(part).model_fields.items():
        value, there = getattr(part, name), (*place, field.alias or name)
        if name in of_money:
            yield from () if value is None else (Amount(there, value, of_money[name]),)
        elif isinstance(value, Part):
            yield from list_amounts(value, there)
        elif isinstance(value, list | tuple):
            for number, each in enumerate(value):
                yield from list_amounts(each, (*there, number)) if isinstance(each, Part) else ()


def require_in_currency(amounts: Iterable[Amount], currency: str) -> None:
    """Accept amounts within their bounds in a currency; for validators, which a fault leaves with its own place.

    Raises:
        PydanticCustomError: one is beyond them.
    """
    for amount in amounts:
        least, most = amount.money.bounds(currency)
        if not least <= amount.value <= most:
            bound = f"at least {least:g}" if amount.value < least else f"at most {most:g}"
            context = {"bound": bound, "currency": currency, "remedy": f"Give {bound}. Prices are per kWh.", "place": amount.place, "value": amount.value}
            context |= {"reason": "beyond-currency", "parameters": {"bound": bound, "currency": currency, "least": least, "most": most}}
            raise PydanticCustomError("beyond_currency", "in {currency} it is {bound}", context)


@cache
def _find_money(kind: type[Part]) -> dict[str, MoneyBounds]:
    amounts = {
        name: next((each for each in (*field.metadata, *_within(field.annotation)) if isinstance(each, MoneyBounds)), None)
        for name, field in kind.model_fields.items()
    }
    return {name: money for name, money in amounts.items() if money is not None}


def _within(annotation: Any) -> Iterator[Any]:
    """Yield what is annotated of the members of an optional field."""
    for member in get_args(annotation):
        yield from getattr(member, "__metadata__", ())
