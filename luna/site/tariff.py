"""What a kWh costs and earns, as the contract says it."""

from typing import Annotated, Literal

from pydantic import Field

from luna.site.part import Part, Price


class FixedPrice(Part):
    """One price for every slot."""

    kind: Literal["fixed"] = "fixed"
    price: Price


class PriceBand(Part):
    """A price that holds between two local clock times; ``to`` at or before ``from`` runs over midnight."""

    from_: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    to: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    price: Price
    days: Literal["all", "weekday", "weekend"] = "all"


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


PriceRule = Annotated[FixedPrice | TimeOfUsePrice | SpotPrice, Field(discriminator="kind")]


class PeakPrice(Part):
    """A capacity tariff: the mean of the ``highest`` import intervals of a month is billed per kW."""

    price_per_kw_month: Annotated[float, Field(ge=0, le=1_000)]
    highest: Annotated[int, Field(ge=1, le=10)] = 1
    interval_minutes: Literal[15, 30, 60] = 15


class Tariff(Part):
    """What a kWh costs and earns."""

    import_: Annotated[PriceRule, Field(alias="import")]
    export: PriceRule = FixedPrice(price=0.0)
    peak: PeakPrice | None = None

    @property
    def markets(self) -> list[str]:
        """The markets whose prices the tariff needs."""
        return sorted({rule.market for rule in (self.import_, self.export) if isinstance(rule, SpotPrice)})
