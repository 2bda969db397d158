"""An issued plan."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from luna.contracts.control import BatterySetpoints, PvSetpoints
from luna.contracts.forecast import ForecastSource
from luna.contracts.message import Message
from luna.contracts.owner import AppliedRule, ManualReply
from luna.energy.devices import DEVICE_KINDS, FLOW_KINDS
from luna.energy.devices.battery import BATTERY, Mode
from luna.energy.devices.kind import DeviceFlow, by_name
from luna.energy.market_publication import PriceVersion
from luna.energy.part import with_sections
from luna.energy.policy import BatteryThresholds
from luna.energy.reason import ReasonReply
from luna.energy.timeline import SLOT, Instant, floor_to

# Who a plan's price is from: its source, or Luna, which expects it.
PriceOrigin = Literal["published", "typical", "repeated"]
PlanId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


class Assumption(Message):
    """An assumption in the place of a fact that a stored site lacks.

    It may also be what the site knows and the plan leaves unused: a code and its figures, instants
    as ISO 8601.
    """

    code: str
    figures: dict[str, Any] = {}


class PriceSpan(Message):
    """A stretch of a plan in which a market's prices have one version and one origin."""

    market: Annotated[
        str, Field(description="as the tariff names it; the site's own prices as own:SERIES")
    ]
    from_: Annotated[Instant, Field(alias="from", description="start of its first slot")]
    to: Annotated[Instant, Field(description="end of its last slot")]
    version: Annotated[
        PriceVersion,
        Field(
            description=(
                "day_ahead: fixed before delivery; forecast: may still change; settled: what is "
                "paid, of slots that were over"
            )
        ),
    ]
    origin: Annotated[
        PriceOrigin,
        Field(
            description=(
                "published: the source's; typical: usual of month and hour; repeated: those of "
                "the last known day"
            )
        ),
    ]


class NoteReply(Message):
    """A note to a plan: a code, a sentence and its figures.

    The sentence is in the language asked for. ``assumed`` says that the plan would be another one
    if this turns out otherwise: ``status`` says how good the plan is for what is assumed.

    - ``soc_assumed``: no state of charge was recorded in the day before the start; ``soc`` stands
      for it.
    - ``soc_earlier``: the last one recorded, ``soc``, is that ``at`` an instant more than an hour
      before the start.
    - ``soc_doubted``: the last one recorded, ``doubted_soc`` of ``doubted_at``, is further from
      ``soc`` of ``at`` than the batteries' power brings it; ``soc`` is planned with until the other
      one is confirmed.
    - ``soc_stands_still``: the batteries' sensor says ``sensor_soc`` ``since`` an instant, while
      ``metered_kwh`` went in and ``given_kwh`` out; the plan begins with ``soc``.
    - ``vehicle_soc_read``, ``vehicle_soc_said``, ``vehicle_soc_expected``, ``vehicle_soc_assumed``:
      the charge ``soc`` with which a ``vehicle`` begins its first session, or goes on, is by its
      sensor's reading of ``at``, what was said with its session, what the plan before left, or its
      ``min_soc``.
    - ``vehicle_soc_ranged``: ``soc`` follows from the range that the ``vehicle`` reported ``at``.
    - ``vehicle_usual``: no session of a ``vehicle`` is known, but what it drives; it is planned at
      home between the clock times ``comes`` and ``leaves``, with ``need_kwh`` a day from
      its charger.
    - ``vehicle_soc_doubted``: the same as ``soc_doubted`` of a ``vehicle``.
    - ``vehicle_soc_counted``: the ``vehicle`` came ``since`` an instant with ``arrival_soc``, by
      its session, and its charger counted ``metered_kwh``.
    - ``vehicle_soc_stated``: the owner said ``stated_soc`` of the ``vehicle`` at ``stated_at``;
      ``vehicle_soc_estimated``: its charger counted ``metered_kwh`` since, which makes ``soc``.
    - ``vehicle_soc_stands_still``, ``vehicle_soc_against_meter``: the ``vehicle`` begins with
      ``soc``, by what its charger counted (``metered_kwh``) while its sensor, ``since`` an instant,
      says ``sensor_soc``, or says more than was counted.
    - ``vehicle_soc_too_fast``: the sensor's ``sensor_soc`` of ``since`` is more than the charger's
      power brings; the ``vehicle`` begins with ``soc``.
    - ``vehicle_soc_stale``, ``vehicle_soc_out_of_range``: the ``vehicle`` begins with ``soc``, by a
      reading of ``at``: nothing that can be came since.
    - ``vehicle_soc_jumps``: the sensor changed to ``sensor_soc`` at ``since``, more than the
      ``vehicle`` can do, and stays there.
    - ``vehicle_soc_unusable``: no reading of the sensor of a ``vehicle`` can be used; ``verdict``
      says whether it is ``stale`` or ``out_of_range``.
    - ``vehicle_takes_nothing``: the ``vehicle`` is plugged in ``since`` an instant, ``planned_kwh``
      were planned for two hours or more, and its charger counted none of it.
    - ``vehicle_left_out``: the ``vehicle`` is planned without charging, for ``since`` an instant it
      has drawn nothing although its charger was told to charge it.
    - ``vehicle_draws_less``: the ``vehicle`` is planned with ``kw``, the most that it has drawn
      since it was plugged in.
    - ``vehicle_soc_full``: the ``vehicle`` counts as full (``soc``), for it draws nothing more.
    - ``vehicle_not_connected``: the session of a ``vehicle`` has begun, and ``since`` an instant
    its
      sensor says that it is not there.
    - ``soc_outside_limits``: a ``battery`` starts at ``start_soc``, outside ``min_soc`` to
      ``max_soc``.
    - ``bias_corrected``: forecasts of the last days erred to one side; load and PV ahead are
      multiplied by ``load_factor`` and ``pv_factor``.
    - ``load_beyond_site``, ``pv_beyond_arrays``: the load or PV of the slot ``at`` is ``kw``,
      ``times`` the ``limit_kw`` of what supplies the site, or of its arrays; ``load_beyond_homes``:
      the same of a site that names no limit of its connection. It is planned as it is.
    - ``price_beyond_markets``: a price of ``series`` is ``price`` ``at`` a slot, beyond
      ``known_price``, which nobody ever paid or was paid for a kWh.
    - ``prices_beyond_last_week``: prices ahead reach ``price``, ``times`` the ``known_price`` that
      a stored site's last week stayed within.
    - ``inverter_alone``: no plan was found within ``options.time_limit_s``; batteries follow the
      house.
    - ``plan_improved``: the plan took the place of ``plan_id`` while its first slot ran: a longer
      search found it to be ``saved`` cheaper; ``plan_found``: the same of one that missed more, or
      was none.
    - ``not_confirmed``: what the optimisation ``found`` physics did not confirm; the plan is what
      its set-points come to.
    - ``heat_assumed``: no temperature of the stores of ``heat_pumps`` is known; the middle of their
      band stands for it.
    - ``tariff_default``: the tariff is that of a site that names none: ``import_price`` at any
      time, ``export_price``.
    - ``prices_unused``: prices that were loaded for the site (``series``) are not what its tariff,
      of these ``kinds``, says.
    - ``prices_carried_on``: beyond ``since`` prices are those of the last known day.
    - ``prices_typical``: nobody published prices of these ``markets`` from ``since`` on; typical
      ones of the month and hour, of the market ``like``, stand for them until they come.
    - ``prices_stale``: the sources of these ``markets`` published nothing new ``since`` an instant;
      the plan uses their last forecast.
    - ``prices_outdone``: forecasts of these ``markets`` erred by ``source_error`` on average in the
      last days, Luna's own prices (``own``: ``repeated`` or ``typical``) by ``own_error``; the
      latter are planned with from so many ``hours`` ahead on.
    - ``prices_proven``: as ``prices_outdone``, but the forecasts were better, so far as ``hours``
      ahead; they are planned with, and plans over scenarios also weigh Luna's own prices.
    - ``loads_not_placed``: these ``loads`` are part of the forecast load; when they run is not
      planned.
    - ``no_session``: of these ``vehicles`` no session at a charger is known, so nothing is planned
    for
      them.
    - ``forecast_fallback``: the ``active`` version has no fresh forecast; ``version`` of
      ``issued_at`` stands for it.
    - ``forecast_old``: the forecast of the ``version`` that drives the planner is that of
      ``issued_at``: a newer one did not come.
    - ``forecast_awaits_proof``: ``version`` drives the planner; a trained ``candidate`` was scored
      on ``days`` of ``needed`` days, may take over from the day ``earliest`` on (null: not known),
      and ``command`` uses it now.
    - ``forecast_not_better``: the same, but the ``candidate`` was scored on enough ``days``, and
      was not found better.
    - What is the matter with what the forecast rests on: ``no_history``, ``sun_from_time_zone`` and
      others.
    """

    code: str
    text: str
    assumed: Annotated[
        bool, Field(description="the plan would be another one if this turns out otherwise")
    ] = False
    figures: dict[str, Any] = {}


ObjectiveReason = Literal["no_carbon_intensity", "switching_not_heeded"]


class CheapestReply(Message):
    """The effect of the weights on the plan, compared with the cheapest one.

    It costs ``cost`` more, with ``carbon_g`` and ``import_kwh`` less. ``cost`` is money, less what
    is left in the batteries at the terminal value.
    """

    cost: float
    carbon_g: float | None
    import_kwh: float


class ObjectiveReply(Message):
    """The prices that a plan was made by beside what is paid.

    ``beside_cheapest`` is null where it was not asked for and takes long.

    ``reasons`` say what could not be weighed: ``no_carbon_intensity``, ``switching_not_heeded``
    (the ways of slots are fixed, by the model or by hand).
    """

    carbon_price_per_kg: float
    self_sufficiency_price: float
    wear_factor: float
    switching_price: float
    beside_cheapest: CheapestReply | None = None
    reasons: list[ObjectiveReason] = []


class SessionReply(Message):
    """The cost of a session's deadline, everything else planned anew each time.

    Null: an hour sooner or later is no session of its own.
    """

    vehicle: str
    to: datetime
    target_soc: float
    soc_end: Annotated[float, Field(description="as planned")]
    target_cost: Annotated[
        float,
        Field(
            description=(
                "what it costs to leave with the target instead of what the vehicle came with"
            )
        ),
    ]
    hour_earlier_cost: Annotated[
        float | None, Field(description="what it costs more to be ready an hour earlier")
    ]
    hour_earlier_missing_kwh: Annotated[
        float | None,
        Field(description="what the vehicle would then lack, beside what it lacks anyway"),
    ]
    hour_later_saving: Annotated[
        float | None, Field(description="what leaving an hour later saves")
    ]


class CostReply(Message):
    """Cost over the horizon.

    ``total`` is the sum of the parts that are money. Earnings are negative.

    ``self_sufficiency`` is the share of what is used that is not imported.
    """

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    devices: Annotated[
        float, Field(description="what devices with a price of their own cost beside the house's")
    ] = 0.0
    carbon_g: float | None = None
    self_sufficiency: float | None = None


class CompromiseReply(Message):
    """A constraint that could not be met in full, with the shortfall and its cost.

    Words are in the language asked for, ``code`` is the same in all.

    ``figures`` are what the words were made from, days and instants as ISO 8601.
    """

    constraint: str
    shortfall: str
    cost: float
    code: str = ""
    figures: dict[str, Any] = {}
    unproven: Annotated[
        bool, Field(description="whether time was up before it was known that it cannot be met")
    ] = False


class BatteryFlow(Message):
    """A battery's energies in a slot, at its terminals, and its final level."""

    charge_kwh: float
    discharge_kwh: float
    soc_end: float
    target_soc: float | None = None
    reason: Annotated[
        ReasonReply | None,
        Field(
            description=(
                "why this one does so; null where it is the only battery: the slot's reason says it"
            )
        ),
    ] = None


class VehicleFlow(Message):
    """A vehicle's energies in a slot, at its charger.

    It also says how full the vehicle ends, and ``phases``, from which it draws, where its charger's
    are known.
    """

    charge_kwh: float
    soc_end: float
    discharge_kwh: float = 0.0
    phases: int | None = None
    reason: Annotated[
        ReasonReply | None, Field(description="why it charges or waits; null: it is away")
    ] = None

    @property
    def used_kwh(self) -> float:
        """Energy drawn from the site; negative: fed into it."""
        return self.charge_kwh - self.discharge_kwh

    @property
    def mode(self) -> str:
        """The vehicle's mode."""
        if self.charge_kwh > 0:
            return "charge"
        return "give" if self.discharge_kwh > 0 else "hold"


# Kinds of devices to schedule beside batteries.
PLACED_KINDS = tuple(kind for kind in FLOW_KINDS if kind is not BATTERY)


@with_sections({kind.section: by_name(kind.plan.flow) for kind in DEVICE_KINDS if kind.plan.flow})
class SlotDevices(Message):
    """The flows of a slot, those of devices by their sections."""

    start: datetime
    mode: Mode
    load_kwh: float
    pv_kwh: float
    curtailed_kwh: float
    import_kwh: float
    export_kwh: float
    import_price: float
    export_price: float
    batteries: dict[str, BatteryFlow]
    vehicles: dict[str, VehicleFlow] = {}


class SlotReply(SlotDevices):
    """One slot of a plan: the batteries' mode, the expected flows, and the reason.

    ``mode`` and ``reason`` are those of the battery that moves most. What batteries are told is in
    the reply's ``setpoints``.
    """

    reason: ReasonReply
    manual: Annotated[
        list[str], Field(description="devices that do, or leave, what their owner said")
    ] = []
    load_p10_kwh: float | None = None
    load_p90_kwh: float | None = None
    pv_p10_kwh: float | None = None
    pv_p90_kwh: float | None = None

    @property
    def scheduled(self) -> list[tuple[str, DeviceFlow]]:
        """The flows of the devices beside batteries, with their names, kind by kind."""
        flows: list[tuple[str, DeviceFlow]] = []
        for kind in PLACED_KINDS:
            flows += getattr(self, kind.section).items()
        return flows


class UncertaintyReply(Message):
    """The figures that a plan by scenarios weighed.

    ``scenarios`` counts the expected one, ``left_out`` those that have no value of their own.
    ``premium`` is what the plan costs more on the expected scenario than the best plan for that
    scenario alone. ``reasons`` say what could not be done: ``no_scenarios``, ``several_batteries``,
    ``no_value_function``, ``limits_on_the_expected_scenario`` (each: planned for the expected
    scenario alone), ``scenarios_beyond_limits`` (those left out).
    """

    scenarios: int
    left_out: int
    risk: float
    premium: float
    reasons: list[str] = []


class FollowedReply(Message):
    """The way that a plan came about, and its part that is followed.

    ``method`` is the step of the ladder that made it: the value of stored energy, the mixed-integer
    model, the best that had when time was over, or the inverter alone. ``policy`` is what
    set-points are read from: that value, the planned flows, the house alone where nothing else
    gains, or what the agent has learned. ``premium`` is what it costs more on the expected scenario
    than the optimum there, for forecasts err. ``disagreements``: what physics did not confirm on
    the way; each is a bug.
    """

    method: Literal["value", "model", "incumbent", "self_consumption"]
    policy: Literal["value", "flows", "house", "none", "learned"]
    premium: float = 0.0
    disagreements: list[str] = []


class PlanReply(Message):
    """An issued plan."""

    plan_id: str
    status: Literal["optimal", "feasible", "compromised"]
    gap: Annotated[
        float | None,
        Field(
            description=(
                "proven distance from the optimum, a share of the cost; null: nothing is proven"
            )
        ),
    ]
    gap_cost: Annotated[
        float | None,
        Field(description="the same in the site's currency: at most so much above the optimum"),
    ] = None
    objective_value: Annotated[
        float | None,
        Field(
            description=(
                "what the search minimised, in the site's currency: the cost, less the worth of "
                "energy left, plus the price of what is missed; null: no search made the plan"
            )
        ),
    ] = None
    cost: CostReply
    timing_ms: Annotated[
        dict[str, float],
        Field(
            description=(
                "build: the problem's parts; solve: the plan, checked and as it is followed; "
                "explain: its slots and their reasons"
            )
        ),
    ]
    compromises: list[CompromiseReply] = []
    notes: Annotated[
        list[NoteReply],
        Field(
            description="what the plan rests on; status says how good it is for what these assume"
        ),
    ] = []
    slots: list[SlotReply]
    sessions: Annotated[
        list[SessionReply],
        Field(
            description="what vehicles' deadlines cost, where options.price_sessions asks for it"
        ),
    ] = []
    setpoints: Annotated[
        dict[str, BatterySetpoints],
        Field(
            description="what each battery is told, slot by slot, for the flows above to come about"
        ),
    ] = {}
    thresholds: Annotated[
        dict[str, BatteryThresholds],
        Field(description="what set-points are read from, however full batteries are"),
    ] = {}
    followed: FollowedReply | None = None
    pv: Annotated[
        PvSetpoints | None, Field(description="how PV is held back, slot by slot; null: never")
    ] = None
    site: str
    timezone: str
    currency: str
    slot_minutes: int
    issued_at: datetime
    prices_known_until: datetime | None = None
    price_spans: Annotated[
        list[PriceSpan],
        Field(
            description=(
                "which version of each market's prices the plan uses when, market by market; "
                "empty where the tariff follows no market, or the prices came with the request"
            )
        ),
    ] = []
    forecast: ForecastSource | None = None
    uncertainty: UncertaintyReply | None = None
    manual: ManualReply | None = None
    strategy: Annotated[
        list[AppliedRule], Field(description="rules of the site that set parameters of this plan")
    ] = []
    objective: Annotated[
        ObjectiveReply | None,
        Field(description="what counted beside money; null where cost alone did"),
    ] = None

    def age(self, now: datetime) -> timedelta:
        """Return the time from the plan's first slot to the current one.

        This is what ``plan_max_age`` bounds, for a plan may be issued long before it begins.
        """
        return floor_to(now, SLOT) - floor_to(self.slots[0].start, SLOT)
