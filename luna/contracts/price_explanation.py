"""What a kWh costs in a quarter-hour, part by part."""

from typing import Annotated, Literal

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.economics.price_explanation import Standing
from luna.energy.tariffs.device_price import PricedDevices
from luna.energy.timeline import Instant

Side = Literal["import", "export"]
PriceOrUnknown = Annotated[float | None, Field(description="currency/kWh; null: not known")]
InForce = Annotated[str | None, Field(description="local clock time; null: no window holds")]


class ComponentPrice(Message):
    """A part of the price that is in force."""

    code: Annotated[str, Field(description="energy, spot, markup; component: one with a name")]
    name: Annotated[str | None, Field(description="as the owner calls it; null: the code says it")]
    kind: Annotated[str, Field(description="of the component, such as calendar")]
    net_price: Annotated[PriceOrUnknown, Field(description="without tax, currency/kWh")]
    tax: Annotated[PriceOrUnknown, Field(description="on it, currency/kWh")]
    price: PriceOrUnknown
    day_mean: Annotated[PriceOrUnknown, Field(description="mean of the local day, currency/kWh")]
    standing: Annotated[
        Standing,
        Field(description="of the price in its day; constant: the same all day"),
    ]
    window_from: InForce = None
    window_to: InForce = None
    days: Annotated[
        list[int], Field(description="weekdays of the window, 0: Monday; empty: all")
    ] = []
    months: Annotated[list[int], Field(description="months of the window; empty: all")] = []
    market: Annotated[str | None, Field(description="whose price it is; null: none")] = None
    billed_from: Annotated[
        Instant | None, Field(description="start of the market's billing interval")
    ] = None
    billed_to: Annotated[Instant | None, Field(description="end of that interval")] = None
    up_to_kwh: Annotated[
        float | None,
        Field(
            description="what the month may have drawn for this block, or the day for this "
            "allowance; null: neither"
        ),
    ] = None
    below_spot: Annotated[
        str | None,
        Field(description="market whose price below zero makes this part nothing; null: none"),
    ] = None


class AllowanceState(Message):
    """An allowance of a day for one kind of devices."""

    name: Annotated[str, Field(description="of the price, as the owner calls it")]
    unit: Annotated[Literal["kwh", "hours"], Field(description="hours: of drawing")]
    limit: Annotated[float, Field(description="of each day")]
    left: Annotated[float | None, Field(description="of it; null: the devices have no meter")]
    until: Annotated[Instant, Field(description="when a new one begins")]
    rise: Annotated[float, Field(description="of the price beyond it, currency/kWh")]


class DeviceKwhPrice(Message):
    """What the next kWh costs devices with a price of their own."""

    devices: Annotated[PricedDevices, Field(description="whose kWh it is")]
    names: Annotated[list[str], Field(description="of their prices, as the owner calls them")]
    price: Annotated[PriceOrUnknown, Field(description="with the house's price, currency/kWh")]
    difference: Annotated[float, Field(description="from the house's price, currency/kWh")]
    allowances: Annotated[list[AllowanceState], Field(description="those that count then")] = []


class PriceExplanationReply(Message):
    """The price of a kWh in a quarter-hour, its parts, and the part that moves it most."""

    currency: Annotated[str, Field(description="ISO 4217")]
    timezone: Annotated[str, Field(description="the site's time zone")]
    side: Annotated[Side, Field(description="import: bought; export: sold")]
    start: Annotated[Instant, Field(description="start of the quarter-hour")]
    end: Annotated[Instant, Field(description="its end")]
    price: Annotated[
        PriceOrUnknown,
        Field(description="of the first kWh, the sum of the parts, currency/kWh"),
    ]
    known_until: Annotated[
        Instant | None,
        Field(description="end of the known prices, for an unknown price; null: none is known"),
    ] = None
    day_mean: Annotated[PriceOrUnknown, Field(description="mean of the local day, currency/kWh")]
    rank: Annotated[int | None, Field(description="in the local day; 1: the cheapest")] = None
    rank_from_dearest: Annotated[int | None, Field(description="1: the dearest")] = None
    rank_count: Annotated[int | None, Field(description="known quarter-hours of the day")] = None
    main: Annotated[
        int | None,
        Field(description="place of the main cause in the components, from 0; null: none"),
    ] = None
    components: Annotated[list[ComponentPrice], Field(description="in the tariff's order")]
    devices: Annotated[
        list[DeviceKwhPrice],
        Field(description="cars and heat pumps with a price of their own"),
    ] = []
    sentences: Annotated[
        list[str], Field(description="the same in words; the first two are the answer")
    ]
