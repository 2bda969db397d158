"""What all components of a price share: name, dates, tax and unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, model_validator

from luna.energy.local_times import LocalTimes, mean_by_interval, slot_times
from luna.energy.part import DisplayName, MoneyBounds, Part
from luna.energy.refusals import invalid_part, refuse
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import FloatArray, Timeline

# Prefix of the site's own price series among market names; no market has such a name.
OWN = "own:"
OWN_IMPORT = f"{OWN}import_price"
OWN_EXPORT = f"{OWN}export_price"

_EPOCH = date(1970, 1, 1)

MarketName = Annotated[str, Field(min_length=1, max_length=32)]
Vat = Annotated[
    float, Field(ge=0, le=1, description="share, 0.19 for 19 %; 0 where the price includes it")
]
Unit = Annotated[
    Literal["per_kwh", "cents_per_kwh", "per_mwh"],
    Field(description="of the prices: currency per kWh, hundredths of it, or currency per MWh"),
]
# Currency per kWh in one of the unit.
UNIT_FACTOR: Mapping[Unit, float] = {"per_kwh": 1.0, "cents_per_kwh": 0.01, "per_mwh": 0.001}
# A price per MWh may be a thousand times one per kWh.
UnitPrice = Annotated[
    float, MoneyBounds(10_000, signed=True), Field(description="in the component's unit")
]


@dataclass(frozen=True, slots=True)
class PricedSlots:
    """The input of a price: slots, time zone and price series by name.

    ``spot`` holds markets and the site's own series on ``timeline``, and may hold a market's means
    by billing interval under ``billed_name``. ``own`` names the site's own series among them.
    """

    timeline: Timeline
    zone: ZoneInfo
    spot: Mapping[str, FloatArray]
    own: str

    @property
    def times(self) -> LocalTimes:
        """Local time at which each slot begins."""
        return slot_times(self.timeline, self.zone)

    def series(self, name: str) -> FloatArray:
        """Return a price series, currency/kWh, NaN where unknown.

        Raises:
            InvalidInputError: there is none of this name.
        """
        if name not in self.spot:
            raise refuse(
                "no-own-prices" if name.startswith(OWN) else "market-without-prices",
                field="tariff.market",
                value=name.removeprefix(OWN),
            )
        return self.spot[name]

    def billed(self, market: str, minutes: int) -> FloatArray:
        """Return a market's mean price by billing interval, currency/kWh."""
        name = billed_name(market, minutes)
        if name in self.spot:
            return self.spot[name]
        return mean_by_interval(self.series(market), self.timeline, self.zone, minutes=minutes)


def billed_name(market: str, minutes: int) -> str:
    """Return the name of a market's means by billing interval among price series."""
    return f"{market}/{minutes}"


class Dated(Part):
    """Something that holds between two local dates, ``valid_to`` excluded."""

    valid_from: Annotated[
        date | None, Field(description="first local day; null: always before")
    ] = None
    valid_to: Annotated[
        date | None, Field(description="local day from which it no longer holds; null: for good")
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise invalid_part("dates-reversed", first=self.valid_from, end=self.valid_to)
        return self

    def holds_at(self, times: LocalTimes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return at which local times it holds."""
        holds = np.ones(times.date.size, dtype=bool)
        if self.valid_from is not None:
            holds &= times.date >= (self.valid_from - _EPOCH).days
        if self.valid_to is not None:
            holds &= times.date < (self.valid_to - _EPOCH).days
        return holds

    def holds_on(self, day: date) -> bool:
        """Return whether it holds on a local day."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)

    def overlaps(self, other: "Dated") -> bool:
        """Return whether both hold on some day."""
        begins_in_time = other.valid_to is None or (self.valid_from or date.min) < other.valid_to
        ends_in_time = self.valid_to is None or (other.valid_from or date.min) < self.valid_to
        return begins_in_time and ends_in_time


class NamedTerm(Dated):
    """A line of the bill: its name and its tax."""

    name: Annotated[DisplayName, Field(description="as on the bill")]
    vat: Vat = 0.0


def check_apart(terms: Sequence[NamedTerm]) -> None:
    """Check that no two lines of one name hold at the same time.

    Raises:
        PydanticCustomError: two do.
    """
    for one, other in combinations(terms, 2):
        if one.name == other.name and one.overlaps(other):
            raise invalid_part("components-overlap", name=one.name)


class Component(NamedTerm):
    """A part of a price: a line of the bill.

    A kind of component says its price per slot; name, dates and tax are the same for all.
    """

    zero_below_spot: Annotated[
        MarketName | None,
        Field(description="market; counts nothing while its price is below zero"),
    ] = None

    @model_validator(mode="after")
    def _whole_surcharge(self) -> Self:
        # What later kWh cost more is counted without a market's prices.
        if self.counts_drawn and self.zero_below_spot is not None:
            raise invalid_part("zero-below-spot-counted")
        return self

    @property
    def counts_drawn(self) -> bool:
        """Whether the price depends on the energy drawn before, so that it has a charge."""
        return False

    def list_markets(self) -> list[str]:
        """Return the markets whose prices the component needs."""
        return [] if self.zero_below_spot is None else [self.zero_below_spot]

    @property
    def reads_own_series(self) -> bool:
        """Whether the price is the site's own series."""
        return False

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest net price, currency/kWh.

        None where a market or a loaded series sets it.
        """
        return None

    def net_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price per slot before tax, shape ``(slots,)``, currency/kWh.

        0 where the component does not hold.
        """
        price = np.where(self.holds_at(slots.times), self.undated_price(slots), 0.0)
        if self.zero_below_spot is not None:
            price = np.where(slots.series(self.zero_below_spot) < 0, 0.0, price)
        return price

    def gross_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price per slot with tax, shape ``(slots,)``, currency/kWh."""
        return self.net_price(slots) * (1.0 + self.vat)

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price per slot before tax as if it held always, currency/kWh."""
        raise NotImplementedError

    def describe_slot(self, slots: PricedSlots, slot: int) -> SlotDetail:
        """Return the part of the rule that sets the price of a slot."""
        return SlotDetail()


class UnitComponent(Component):
    """A component with prices in a unit of the bill."""

    unit: Unit = "per_kwh"

    def per_kwh(self, price: float) -> float:
        """Return a price of the component's unit in currency per kWh."""
        return price * UNIT_FACTOR[self.unit]
