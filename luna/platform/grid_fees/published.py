"""Published grid fees, levies and VAT: one file per operator, each figure with its source.

The files stand in ``data/<country>/<operator>.yaml``; CONTRIBUTING.md says how to add one.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from luna.energy.part import Fraction, Part
from luna.energy.site.tariff import PeakPrice
from luna.energy.tariffs.component import Component
from luna.energy.tariffs.components import COMPONENT

PACKAGED = Path(__file__).parent / "data"

# The operator under whose name a country's taxes and levies stand.
LEVIES = "levies"

Role = Literal["grid_fee", "levy", "vat", "supply"]
Text = Annotated[str, Field(min_length=1, max_length=300)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166")]


class PublishedTariffError(ValueError):
    """A file of published tariffs is not valid.

    Args:
        path: the file.
        why: what is wrong in it.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class FigureSource(Part):
    """The source of figures.

    ``published`` is the day of the document; where it names none, the first day for which the
    figures hold. ``read`` is the day on which somebody read it.
    """

    title: Text
    publisher: Text
    published: date
    read: date

    @model_validator(mode="after")
    def _read_after_published(self) -> Self:
        if self.read < self.published:
            raise ValueError(f"read on {self.read}, before it was published on {self.published}")
        return self


class VatRate(Part):
    """A rate of VAT between two local dates, ``valid_to`` excluded."""

    rate: Fraction
    valid_from: date
    valid_to: date | None = None


class PublishedPeak(PeakPrice):
    """A price per kW of peak import as published, before ``vat``."""

    vat: Fraction = 0.0


class PublishedProduct(Part):
    """A price that a household can have: the components of a grid fee, levy, VAT or supply."""

    name: Text
    role: Role
    source: FigureSource
    components: tuple[Annotated[Component, BeforeValidator(COMPONENT.validate_python)], ...] = ()
    peaks: tuple[PublishedPeak, ...] = ()
    rates: tuple[VatRate, ...] = ()

    @property
    def lasting_components(self) -> list[Component]:
        """The components, the last of each name without an end.

        Until newer figures are published, the last ones are the nearest.
        """
        last: dict[str, Component] = {}
        for part in self.components:
            latest = last.setdefault(part.name, part)
            if (part.valid_from or date.min) >= (latest.valid_from or date.min):
                last[part.name] = part
        lasting = []
        for part in self.components:
            ends = part.valid_to is not None and part is last[part.name]
            lasting.append(part.model_copy(update={"valid_to": None}) if ends else part)
        return lasting

    @model_validator(mode="after")
    def _has_figures_of_its_role(self) -> Self:
        prices = (*self.components, *self.peaks)
        if self.role == "vat" and (prices or not self.rates):
            raise ValueError("VAT has rates, and nothing else")
        if self.role != "vat" and (self.rates or not prices):
            raise ValueError("a product has components or peaks; rates are of VAT alone")
        return self


class PublishedTariff(Part):
    """What an operator publishes, or a country levies: the content of a file."""

    operator: Text
    country: CountryCode
    area: Annotated[Text, Field(description="as people know it")]
    products: Annotated[tuple[PublishedProduct, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _pass_source_on(cls, document: Any) -> Any:
        """Give the file's source to every product without one of its own."""
        if not isinstance(document, dict) or "source" not in document:
            return document
        passed_on = dict(document)
        source = passed_on.pop("source")
        products = passed_on.get("products")
        if isinstance(products, list):
            passed_on["products"] = [_with_source(product, source) for product in products]
        return passed_on


def _with_source(product: Any, source: Any) -> Any:
    if not isinstance(product, dict):
        return product
    return {"source": source, **product}


class SourceAge(NamedTuple):
    """How old the source of a product is: ``days`` since it was published."""

    country: str
    operator: str
    product: str
    title: str
    published: date
    days: int


def read_published(path: Path) -> PublishedTariff:
    """Return the tariffs of a file.

    Raises:
        PublishedTariffError: the file is not valid, or not in the folder of its country.
    """
    try:
        # As safe as ``safe_load``, which takes ten times as long.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        tariff = PublishedTariff.model_validate(document)
    except (ValidationError, yaml.YAMLError) as exc:
        raise PublishedTariffError(path, str(exc)) from exc
    if path.parent.name != tariff.country.lower():
        raise PublishedTariffError(path, f"does not stand in the folder of {tariff.country}")
    return tariff


def list_files(folder: Path = PACKAGED) -> list[Path]:
    """Return the files of published tariffs by country and name."""
    return sorted(folder.glob("*/*.yaml"))


@cache
def list_published() -> tuple[PublishedTariff, ...]:
    """Return all packaged tariffs by country and operator.

    Raises:
        PublishedTariffError: a file is not valid.
    """
    return tuple(read_published(path) for path in list_files())


def find_published(country: str, operator: str) -> PublishedTariff | None:
    """Return an operator's tariffs, or None if there are none; case does not matter."""
    wanted = (country.casefold(), operator.casefold())
    for tariff in list_published():
        if (tariff.country.casefold(), tariff.operator.casefold()) == wanted:
            return tariff
    return None


def report_ages(today: date, tariffs: tuple[PublishedTariff, ...] | None = None) -> list[SourceAge]:
    """Return the age of every product's source on a day, the oldest first.

    Args:
        today: the day on which the age counts.
        tariffs: those to report; without them the packaged ones.
    """
    ages = _ages(today, list_published() if tariffs is None else tariffs)
    return sorted(ages, key=lambda age: (-age.days, age.country, age.operator, age.product))


def _ages(today: date, tariffs: tuple[PublishedTariff, ...]) -> Iterator[SourceAge]:
    for tariff in tariffs:
        for product in tariff.products:
            yield SourceAge(
                country=tariff.country,
                operator=tariff.operator,
                product=product.name,
                title=product.source.title,
                published=product.source.published,
                days=(today - product.source.published).days,
            )
