"""The account of a site's energy and money over a period."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.account import Direction
from luna.energy.account_period import PeriodUnit
from luna.energy.timeline import Day, Instant

Kwh = Annotated[float | None, Field(description="kWh; null: it was not recorded")]
Money = Annotated[
    float | None,
    Field(description="in the site's currency; null: prices or meter values are missing"),
]


class FlowReply(Message):
    """The energy of one flow over a period."""

    name: Annotated[
        str,
        Field(
            description=(
                "pv, import, discharge; load, export, charge, or a kind of device with a meter "
                "of its own"
            )
        ),
    ]
    energy_kwh: Annotated[float, Field(description="the sum of what is known")]
    estimated_kwh: Annotated[float, Field(description="the part of it that was estimated")]
    known: Annotated[float, Field(description="share of the time for which it is known, 0 to 1")]


class CostLineReply(Message):
    """A line of the bill."""

    direction: Annotated[
        Direction, Field(description="import: bought; export: sold; base: due in any case")
    ]
    code: Annotated[
        str,
        Field(
            description=(
                "spot, markup, vat, energy: an all-in price; blocks: what later blocks of the "
                "tariff add; beyond: what energy beyond a component's allowance adds; component: "
                "a component of the tariff, by its name; device: what devices with a price of "
                "their own cost beside it; base: a charge without energy"
            )
        ),
    ]
    energy_kwh: Annotated[float, Field(description="the energy that the line is for")]
    cost: Annotated[float, Field(description="in the site's currency; below zero: earned")]
    price: Annotated[
        float | None, Field(description="per kWh, where one price holds for the whole line")
    ] = None
    name: Annotated[
        str | None, Field(description="of a component of the tariff, as the owner calls it")
    ] = None
    beyond_kwh: Annotated[
        float | None, Field(description="the allowance of each period that the line is not for")
    ] = None
    beyond_hours: Annotated[
        float | None,
        Field(description="the hours of drawing of each day that the line is not for"),
    ] = None
    first_day: Annotated[
        Day | None,
        Field(description="local; null unless the component begins or ends within the period"),
    ] = None
    last_day: Annotated[Day | None, Field(description="local, included; null as first_day")] = None


class UseShareReply(Message):
    """The sources of the energy of one use.

    They cover the time for which all meters are known.
    """

    name: Annotated[str, Field(description="as in uses")]
    energy_kwh: Annotated[float, Field(description="of the use")]
    solar_kwh: Annotated[float, Field(description="directly from the sun")]
    battery_kwh: Annotated[float, Field(description="out of batteries")]
    grid_kwh: Annotated[float, Field(description="from the grid")]
    cost: Annotated[
        float, Field(description="what the part from the grid cost, in the site's currency")
    ]


class AccountTotals(Message):
    """The totals of a period."""

    first_day: Annotated[Day, Field(description="first local day")]
    last_day: Annotated[Day, Field(description="last local day, included")]
    until: Annotated[
        Instant,
        Field(description="the end of what is counted: of the period, or of the last quarter-hour"),
    ]
    known: Annotated[
        float, Field(description="share of the time for which all recorded flows are known, 0 to 1")
    ]
    pv_kwh: Kwh
    import_kwh: Kwh
    export_kwh: Kwh
    charge_kwh: Kwh
    discharge_kwh: Kwh
    consumption_kwh: Annotated[
        float | None, Field(description="house and all metered devices, kWh; null: not recorded")
    ]
    energy_cost: Money
    cost: Annotated[
        float | None, Field(description="energy and the capacity tariff of whole months")
    ]
    self_sufficiency: Annotated[
        float | None, Field(description="share of the consumption that was not bought, 0 to 1")
    ]
    own_use: Annotated[
        float | None, Field(description="share of the production that was not sold, 0 to 1")
    ]


class AccountPart(Message):
    """An hour, day or month of the period."""

    start: Annotated[Instant, Field(description="its begin")]
    flows: Annotated[
        dict[str, float],
        Field(description="kWh by name of the flow; what was not recorded is left out"),
    ]
    cost: Money


class AccountReply(Message):
    """Energy and money of a period.

    The energies of sources equal those of uses and unexplained_kwh.
    """

    site_id: str
    period: Annotated[PeriodUnit, Field(description="day, week, month or year")]
    currency: str
    totals: AccountTotals
    sources: Annotated[list[FlowReply], Field(description="where the energy came from")]
    uses: Annotated[
        list[FlowReply],
        Field(
            description=(
                "where it went; load: the house without devices that have a meter of their own"
            )
        ),
    ]
    unexplained_kwh: Annotated[
        float, Field(description="what meters leave open: losses, and flows that were not recorded")
    ]
    lines: Annotated[list[CostLineReply], Field(description="the bill for energy, line by line")]
    demand_cost: Annotated[
        float | None,
        Field(
            description="the capacity tariff of a month or year; null: none, or a shorter period"
        ),
    ]
    use_shares: Annotated[
        list[UseShareReply], Field(description="where each use's energy came from")
    ]
    unmetered: Annotated[
        list[str],
        Field(description="devices without a meter of their own; their energy is part of load"),
    ]
    priced: Annotated[
        float, Field(description="share of the time for which the cost is known, 0 to 1")
    ]
    estimated_kwh: Annotated[float, Field(description="estimated energy among all flows")]
    parts: Annotated[
        list[AccountPart],
        Field(description="hours of a day, days of a week or month, months of a year"),
    ]
    previous: Annotated[
        AccountTotals | None,
        Field(
            description=(
                "the period before, as far as this one has gone; null: nothing is known of it"
            )
        ),
    ]
    year_before: Annotated[
        AccountTotals | None,
        Field(
            description=(
                "the same of the year before, as far as this one has gone; null: nothing is "
                "known of it"
            )
        ),
    ]
