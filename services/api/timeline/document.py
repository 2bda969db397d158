"""The timeline as it leaves: columns with a value per slot, null where nothing is known."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from luna.energy.devices import FLOW_KINDS
from luna.platform.database.observations import MEASURED
from luna.words import Language
from services.api.timeline.measured import power_column

Numbers = list[float | None]
Power = Annotated[Numbers, Field(description="mean power per slot, kW")]
Soc = Annotated[Numbers, Field(description="share of the capacity at the slot's end, 0 to 1")]
Price = Annotated[Numbers, Field(description="currency per kWh")]


class TimelinePlan(BaseModel):
    """The latest plan."""

    plan_id: str
    status: str
    issued_at: datetime
    prices_known_until: Annotated[
        datetime | None, Field(description="beyond it prices are predicted")
    ]
    covers_now: Annotated[bool, Field(description="false: it has run out, or begins later")]
    forecast_version: str | None
    soc_assumed: Annotated[
        bool, Field(description="the planned charge begins with one that nobody measured of late")
    ]


class Ages(BaseModel):
    """Ages of the timeline's sources, in seconds; null: the source is missing."""

    plan: int | None
    measured: Annotated[
        int | None, Field(description="since the end of the last slot whose load was measured")
    ]
    forecast: int | None


class TimelinePrices(BaseModel):
    """Prices of a slot, bought and sold.

    Of slots before ``known_slots`` the price is published, of later ones it is what the plan
    reckons with.
    """

    import_: Annotated[Price, Field(alias="import")]
    export: Price
    known_slots: int


# Beside the house's own columns those of the kinds of devices.
_MEASURED: dict[str, Any] = {
    "load_kw": Annotated[
        Power,
        Field(
            description=(
                "of the house without cars, water heater and heat pump that have meters of "
                "their own, kW"
            )
        ),
    ],
    **{power_column(name): Power for name in MEASURED if name not in ("load_kwh", "soc")},
    "soc": Soc,
}
_PLANNED: dict[str, Any] = {
    "load_kw": Power,
    "pv_kw": Annotated[Power, Field(description="what the roof could give, kW")],
    "curtailed_kw": Annotated[Power, Field(description="what of it is held back, kW")],
    **dict.fromkeys(
        (
            "import_kw",
            "export_kw",
            *(column for kind in FLOW_KINDS for column in kind.plan.flows.values()),
        ),
        Power,
    ),
    "soc": Soc,
    "target_soc": Annotated[
        Numbers,
        Field(
            description=(
                "share of the capacity to which batteries charge from the grid, or sell; null "
                "where they do neither"
            )
        ),
    ],
}
MeasuredFlows = create_model(
    "MeasuredFlows",
    __doc__="What was measured; null in slots to come and where nothing was recorded.",
    **_MEASURED,
)
TimelineFlows = create_model(
    "TimelineFlows",
    __doc__=(
        "What the latest plan has of the running slot and those to come; null in slots that "
        "are over."
    ),
    **_PLANNED,
)


class Bands(BaseModel):
    """Within which powers load and PV are expected: one day in ten below, one in ten above."""

    load_p10_kw: Power
    load_p90_kw: Power
    pv_p10_kw: Power
    pv_p90_kw: Power


class DeviceColumn(BaseModel):
    """Planned powers of one device; a battery or vehicle that gives has a negative power."""

    name: str
    kind: Annotated[str, Field(json_schema_extra={"enum": [kind.section for kind in FLOW_KINDS]})]
    capacity_kwh: float | None = None
    power_kw: Power
    soc: Soc | None = None


class Decisions(BaseModel):
    """Decisions on each slot, with reasons.

    Null where no plan says it. Sentences are in the language asked for.
    """

    plan_id: list[str | None]
    mode: list[str | None]
    code: list[str | None]
    text: list[str | None]
    short: list[str | None]
    energy_value: Annotated[
        Numbers, Field(description="what a stored kWh is worth, currency per kWh")
    ]
    keep_from_price: Annotated[
        Numbers,
        Field(description="below this price it pays to buy a kWh and store it, currency per kWh"),
    ]
    keep_to_price: Annotated[
        Numbers,
        Field(description="above this price it pays to use or sell a stored kWh, currency per kWh"),
    ]
    cost_of_opposite: Annotated[
        Numbers, Field(description="what the opposite would cost more, in currency")
    ]
    binding: Annotated[list[list[str] | None], Field(description="limits at work, in words")]
    price_rank: Annotated[
        list[int | None], Field(description="1: the cheapest to import of price_count slots")
    ]
    price_count: list[int | None]
    manual: Annotated[
        list[list[str] | None], Field(description="devices that do what their owner said")
    ]
    figures: Annotated[
        list[dict[str, Any] | None], Field(description="what the sentence was made from, by name")
    ]
    decided_by: Annotated[
        list[str | None], Field(description="planner, owner, rule, agent; null where nobody did")
    ]


class NextDay(BaseModel):
    """Costs of the next 24 hours, in currency.

    What either leaves more in the batteries counts at the value of stored energy.
    """

    cost: float
    cost_without_luna: float


class WithoutLunaGhost(BaseModel):
    """The same weather and habits with inverters alone.

    It begins at the first measured state of charge.
    """

    soc: Soc
    next_day: NextDay | None


class MidnightGhost(BaseModel):
    """Plan in force at the last local midnight."""

    plan_id: str | None
    issued_at: datetime | None
    soc: Soc


class ForecastGhost(BaseModel):
    """Forecasts of past slots, by the forecast in force as each began."""

    load_kw: Power
    pv_kw: Power


class Ghosts(BaseModel):
    """Courses drawn for comparison."""

    without_luna: WithoutLunaGhost
    midnight: MidnightGhost
    forecast_then: ForecastGhost


class TimelineSession(BaseModel):
    """A vehicle at its charger."""

    vehicle: str
    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    target_soc: float | None
    charge_kw: Annotated[float, Field(description="what the charger gives at most, kW")]


class TimelineOverride(BaseModel):
    """Owner's wish for a device, in place of the plan."""

    device: str
    mode: str
    power_kw: float | None
    target_soc: float | None
    until: datetime
    by: str


class TimelineBlock(BaseModel):
    """Owner's pin or ban."""

    block_id: int | None
    device: str
    action: str
    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    power_kw: float | None


class Timelines(BaseModel):
    """Past and coming quarter-hours of a site on one axis.

    Every column has ``slots`` values; slot ``i`` begins at ``start`` + ``i`` × ``slot_minutes``.
    """

    site: str
    timezone: str
    currency: str
    language: Language
    price_scale: Annotated[
        int, Field(description="what prices are multiplied by to be shown in price_unit")
    ]
    price_unit: str
    start: datetime
    slot_minutes: int
    slots: int
    past_slots: Annotated[
        int, Field(description="how many slots are over; the next one runs, or is still to come")
    ]
    now: datetime
    plan: TimelinePlan | None
    ages_s: Ages
    prices: TimelinePrices
    measured: MeasuredFlows
    estimated: Annotated[
        list[list[str] | None],
        Field(
            description=(
                "which of measured are filled to a meter's total: the sum is the meter's, the "
                "course an estimate; null: none"
            )
        ),
    ]
    planned: TimelineFlows
    bands: Bands
    devices: list[DeviceColumn]
    reserve_soc: Soc
    decisions: Decisions
    ghosts: Ghosts
    sessions: list[TimelineSession]
    overrides: list[TimelineOverride]
    blocks: list[TimelineBlock]
