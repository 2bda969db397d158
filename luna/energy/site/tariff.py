"""The tariff of a site.

It holds import and export price rules, capacity tariff, and the objective's weights.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from luna.energy.clock_window import ClockEnd, ClockTime, ClockWindow
from luna.energy.part import MoneyBounds, Name, Part, PowerKw, Price
from luna.energy.refusals import invalid_part


class Objective(Part):
    """Prices of aims beside money; without them a plan costs as little as possible.

    Reported costs stay what is really paid: these prices only decide.
    """

    carbon_price_per_kg: Annotated[
        float,
        MoneyBounds(100),
        Field(description="currency per kg of carbon that imported energy carries"),
    ] = 0.0
    self_sufficiency_price: Annotated[
        float,
        MoneyBounds(100),
        Field(description="currency per imported kWh, beside what it costs"),
    ] = 0.0
    wear_factor: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="how often a battery's wear counts: 0 not at all, 1 as it costs",
        ),
    ] = 1.0
    switching_price: Annotated[
        float,
        MoneyBounds(10),
        Field(
            description=(
                "currency per stored kWh that another mode of a battery has to gain; without "
                "it what follows from prices"
            )
        ),
    ] = 0.0


class FixedPrice(Part):
    """One price for every slot."""

    kind: Literal["fixed"] = "fixed"
    price: Price


class PriceBand(ClockWindow):
    """A price that holds between two local clock times."""

    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockEnd
    price: Price


class TimeOfUsePrice(Part):
    """Prices by local clock; the first band that fits decides, ``default`` holds elsewhere."""

    kind: Literal["time_of_use"]
    default: Price
    bands: Annotated[list[PriceBand], Field(min_length=1, max_length=96)]


class SpotPrice(Part):
    """The day-ahead price of a market: (spot + markup) × (1 + vat), currency per kWh."""

    kind: Literal["spot"]
    market: Annotated[str, Field(min_length=1, max_length=32)]
    markup: Price = 0.0
    vat: Annotated[float, Field(ge=0, le=1, description="share, 0.19 for 19 %")] = 0.0


class SeriesPrice(Part):
    """The site's own prices as they were loaded for it, all-in.

    They are ``import_price`` or ``export_price`` of ``luna data load --kind prices``, currency per
    kWh.
    """

    kind: Literal["series"]


class PriceBlock(Part):
    """Price of a kWh while the month has drawn no more than ``up_to_kwh``.

    The last block has no end.
    """

    up_to_kwh: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    price: Price


class BlockPrice(Part):
    """Prices by what the local month has drawn so far.

    A block is at least as dear as the one before.
    """

    kind: Literal["blocks"]
    blocks: Annotated[tuple[PriceBlock, ...], Field(min_length=1, max_length=12)]

    @property
    def price(self) -> float:
        """Price of the month's first kWh."""
        return self.blocks[0].price

    @model_validator(mode="after")
    def _rising(self) -> Self:
        ends = [block.up_to_kwh for block in self.blocks]
        if None in ends[:-1] or ends[-1] is not None:
            raise invalid_part("blocks-open")
        for number, (one, other) in enumerate(pairwise(self.blocks), start=2):
            if (
                one.up_to_kwh is not None
                and other.up_to_kwh is not None
                and one.up_to_kwh >= other.up_to_kwh
            ):
                raise invalid_part(
                    "blocks-fall", number=number, up_to_kwh=other.up_to_kwh, before=one.up_to_kwh
                )
            if one.price > other.price:
                raise invalid_part(
                    "blocks-cheaper", number=number, price=other.price, before=one.price
                )
        return self


PriceRule = Annotated[
    FixedPrice | TimeOfUsePrice | SpotPrice | SeriesPrice, Field(discriminator="kind")
]
ImportRule = Annotated[
    FixedPrice | TimeOfUsePrice | SpotPrice | SeriesPrice | BlockPrice, Field(discriminator="kind")
]

# Prefix of the site's own price series among market names; no market has such a name.
OWN = "own:"
OWN_IMPORT = f"{OWN}import_price"
OWN_EXPORT = f"{OWN}export_price"


class PeakPrice(ClockWindow):
    """A component of a capacity tariff: a price per kW of peak import.

    The mean of the ``highest`` import intervals of a month is billed. Only intervals within the
    window of clock and days count; with ``one_per_day`` only the highest of each local day.
    """

    name: Name = "peak"
    price_per_kw_month: Annotated[float, MoneyBounds(1_000)]
    highest: Annotated[int, Field(ge=1, le=10)] = 1
    interval_minutes: Literal[15, 30, 60] = 15
    one_per_day: bool = False
    least_kw: Annotated[PowerKw, Field(description="billed at least")] = 0.0

    @model_validator(mode="after")
    def _whole_intervals(self) -> Self:
        for clock in (self.from_, self.to):
            if int(clock[3:]) % self.interval_minutes:
                raise invalid_part(
                    "window-within-interval", clock=clock, interval_minutes=self.interval_minutes
                )
        return self


def _how_many(peak: object) -> str:
    return "several" if isinstance(peak, list | tuple) else "one"


OnePeak = Annotated[PeakPrice, Tag("one")]
SeveralPeaks = Annotated[tuple[PeakPrice, ...], Field(max_length=8), Tag("several")]


class Tariff(Part):
    """Prices of bought and sold energy."""

    import_: Annotated[ImportRule, Field(alias="import")]
    export: PriceRule = FixedPrice(price=0.0)
    peak: Annotated[OnePeak | SeveralPeaks, Discriminator(_how_many)] | None = None

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [peak.name for peak in self.peaks]
        if len(set(names)) < len(names):
            raise invalid_part("peak-names")
        return self

    @property
    def peaks(self) -> tuple[PeakPrice, ...]:
        """The components of the capacity tariff; empty without one."""
        if self.peak is None:
            return ()
        return (self.peak,) if isinstance(self.peak, PeakPrice) else self.peak

    @property
    def markets(self) -> list[str]:
        """The markets whose prices the tariff needs."""
        return sorted(
            {rule.market for rule in (self.import_, self.export) if isinstance(rule, SpotPrice)}
        )

    @property
    def own_rules(self) -> dict[str, ImportRule]:
        """Import and export rule by the name of the site's own series for it."""
        return {OWN_IMPORT: self.import_, OWN_EXPORT: self.export}

    @property
    def own_series(self) -> list[str]:
        """The site's own series that the tariff needs: ``OWN_IMPORT``, ``OWN_EXPORT``."""
        return [name for name, rule in self.own_rules.items() if isinstance(rule, SeriesPrice)]

    @property
    def price_series(self) -> list[str]:
        """Every price series that the tariff needs: markets, and the site's own."""
        return [*self.markets, *self.own_series]
