"""The tariff of a site.

It holds import and export price rules, capacity tariff, and the objective's weights.
"""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from luna.energy.clock_window import ClockEnd, ClockTime, ClockWindow
from luna.energy.part import MoneyBounds, Name, Part, PowerKw, Price
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.blocks import BlockComponent, Blocks, check_blocks
from luna.energy.tariffs.calendar import CalendarComponent, CalendarWindow
from luna.energy.tariffs.component import (
    OWN_EXPORT,
    OWN_IMPORT,
    MarketName,
    NamedTerm,
    Vat,
    check_apart,
)
from luna.energy.tariffs.components import AnyComponent, ComponentsPrice, SumOfComponents
from luna.energy.tariffs.device_price import DevicePrice
from luna.energy.tariffs.fixed import FixedComponent
from luna.energy.tariffs.series import SeriesComponent
from luna.energy.tariffs.spot import SpotComponent


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

    @property
    def counts_cost_alone(self) -> bool:
        """Whether neither carbon, self-sufficiency nor other wear counts beside money."""
        has_prices = self.carbon_price_per_kg or self.self_sufficiency_price
        return not has_prices and self.wear_factor == 1.0


class FixedPrice(SumOfComponents):
    """One price for every slot."""

    kind: Literal["fixed"] = "fixed"
    price: Price

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The one price."""
        return (FixedComponent(name=ENERGY, price=self.price),)


class PriceBand(ClockWindow):
    """A price that holds between two local clock times."""

    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockEnd
    price: Price


class TimeOfUsePrice(SumOfComponents):
    """Prices by local clock; the first band that fits decides, ``default`` holds elsewhere."""

    kind: Literal["time_of_use"]
    default: Price
    bands: Annotated[list[PriceBand], Field(min_length=1, max_length=96)]

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """One calendar with the bands as its windows."""
        windows = [CalendarWindow(**dict(band)) for band in self.bands]
        return (CalendarComponent(name=ENERGY, price=self.default, windows=tuple(windows)),)


class SpotPrice(SumOfComponents):
    """The day-ahead price of a market: (spot + markup) × (1 + vat), currency per kWh."""

    kind: Literal["spot"]
    market: MarketName
    markup: Price = 0.0
    vat: Vat = 0.0

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The market's price, and the markup where there is one."""
        spot = SpotComponent(kind="spot", name=SPOT, market=self.market, vat=self.vat)
        if not self.markup:
            return (spot,)
        return spot, FixedComponent(name=MARKUP, price=self.markup, vat=self.vat)


class SeriesPrice(SumOfComponents):
    """The site's own prices as they were loaded for it, all-in.

    They are ``import_price`` or ``export_price`` of ``luna data load --kind prices``, currency per
    kWh.
    """

    kind: Literal["series"]

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The loaded series."""
        return (SeriesComponent(kind="series", name=ENERGY),)


class BlockPrice(SumOfComponents):
    """Prices by what the local month has drawn so far.

    A block is at least as dear as the one before.
    """

    kind: Literal["blocks"]
    blocks: Blocks

    @property
    def price(self) -> float:
        """Price of the month's first kWh."""
        return self.blocks[0].price

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The blocks."""
        return (BlockComponent(kind="blocks", name=ENERGY, blocks=self.blocks),)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        check_blocks(self.blocks)
        return self


# Names of the components that a rule of one kind stands for.
ENERGY = "energy"
SPOT = "spot"
MARKUP = "markup"

PriceRule = Annotated[
    FixedPrice | TimeOfUsePrice | SpotPrice | SeriesPrice | ComponentsPrice,
    Field(discriminator="kind"),
]
ImportRule = Annotated[
    FixedPrice | TimeOfUsePrice | SpotPrice | SeriesPrice | BlockPrice | ComponentsPrice,
    Field(discriminator="kind"),
]


class BaseCharge(NamedTerm):
    """What is due whether or not energy is drawn, such as a base price or a meter's rent."""

    price: Annotated[float, MoneyBounds(10_000, signed=True), Field(description="currency")]
    per: Annotated[Literal["day", "month"], Field(description="local day or month")] = "month"


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
    base: Annotated[
        tuple[BaseCharge, ...],
        Field(max_length=16, description="charges that are due without energy as well"),
    ] = ()

    devices: Annotated[
        tuple[DevicePrice, ...],
        Field(
            max_length=8,
            description="what a kWh of cars or heat pumps costs beside the price of the house",
        ),
    ] = ()

    @model_validator(mode="after")
    def _terms_apart(self) -> Self:
        check_apart(self.base)
        check_apart(self.devices)
        return self

    @model_validator(mode="after")
    def _sold_by_the_kwh(self) -> Self:
        for part in self.export.components:
            if part.counts_drawn:
                raise invalid_part("drawn-not-sold", name=part.name)
        return self

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
        return sorted({*self.import_.markets, *self.export.markets})

    @property
    def billed_intervals(self) -> set[tuple[str, int]]:
        """The markets billed by longer intervals than a quarter-hour, with their minutes."""
        parts = [*self.import_.components, *self.export.components]
        spots = [part for part in parts if isinstance(part, SpotComponent)]
        return {(part.market, part.billing_minutes) for part in spots if part.is_averaged}

    @property
    def own_rules(self) -> dict[str, ImportRule]:
        """Import and export rule by the name of the site's own series for it."""
        return {OWN_IMPORT: self.import_, OWN_EXPORT: self.export}

    @property
    def own_series(self) -> list[str]:
        """The site's own series that the tariff needs: ``OWN_IMPORT``, ``OWN_EXPORT``."""
        return [name for name, rule in self.own_rules.items() if rule.reads_own_series]

    @property
    def price_series(self) -> list[str]:
        """Every price series that the tariff needs: markets, and the site's own."""
        return [*self.markets, *self.own_series]
