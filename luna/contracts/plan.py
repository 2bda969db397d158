"""Ask for a plan, receive one. The JSON form is an outward interface: add fields, never rename them."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Instant, Message, Request
from luna.contracts.setpoint import BatterySetpoints
from luna.control import Mode
from luna.outlook import PROBABILITY_TOLERANCE
from luna.site import Site
from luna.timeline import STEPS

MAX_SLOTS = 12 * 24 * 14
MAX_COURSES = 100
Energies = Annotated[list[Annotated[float, Field(ge=0, le=100_000)]], Field(min_length=1, max_length=MAX_SLOTS)]
Prices = Annotated[list[Annotated[float, Field(ge=-100, le=100)]], Field(min_length=1, max_length=MAX_SLOTS)]
Language = Literal["en", "de"]


class ForecastSource(Message):
    """Which forecast load and PV are from; ``fallback_reason`` says why that is not a fresh one of the site's active version, null where it is."""

    version: ForecastVersion
    issued_at: Instant
    fallback_reason: Annotated[str, Field(max_length=512)] | None = None


class CoursesMessage(Message):
    """Courses that load and PV may take instead of the expected one; what the probabilities lack to one is the expected course's."""

    probability: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=MAX_COURSES)]
    load_kwh: Annotated[list[Energies], Field(max_length=MAX_COURSES)]
    pv_kwh: Annotated[list[Energies], Field(max_length=MAX_COURSES)]

    @model_validator(mode="after")
    def _fit(self) -> Self:
        courses = len(self.probability)
        for name in ("load_kwh", "pv_kwh"):
            if len(getattr(self, name)) != courses:
                raise ValueError(f"{name} has {len(getattr(self, name))} courses, probability has {courses}")
        if sum(self.probability) > 1 + PROBABILITY_TOLERANCE:
            raise ValueError(f"probabilities add up to {sum(self.probability):g}, one at most")
        return self


class OutlookMessage(Message):
    """Prices and forecasts ahead, one value per slot; energies in kWh per slot, prices in currency per kWh."""

    load_kwh: Energies
    pv_kwh: Energies
    import_price: Prices
    export_price: Prices
    carbon_g_per_kwh: Annotated[list[Annotated[float, Field(ge=0, le=10_000)]], Field(max_length=MAX_SLOTS)] | None = None
    load_p10_kwh: Energies | None = None
    load_p90_kwh: Energies | None = None
    pv_p10_kwh: Energies | None = None
    pv_p90_kwh: Energies | None = None
    prices_known_until: Instant | None = None
    load_includes: Annotated[list[str], Field(max_length=32, description="appliances that are part of load_kwh and therefore not placed")] = []
    forecast: ForecastSource | None = None
    scenarios: CoursesMessage | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        slots = len(self.load_kwh)
        for name in type(self).model_fields:
            series = getattr(self, name)
            if isinstance(series, list) and name != "load_includes" and len(series) != slots:
                raise ValueError(f"{name} has {len(series)} values, load_kwh has {slots}; every series needs one value per slot")
        for name in ("load_kwh", "pv_kwh") if self.scenarios else ():
            wrong = next((len(course) for course in getattr(self.scenarios, name) if len(course) != slots), None)
            if wrong is not None:
                raise ValueError(f"a course of scenarios.{name} has {wrong} values, load_kwh has {slots}; every course needs one value per slot")
        return self


class BatteryState(Message):
    """How full a battery is."""

    soc: Annotated[float, Field(ge=0, le=1, description="share of the capacity; a percentage is refused")]


class VehicleSession(Message):
    """A stay of a vehicle at its charger."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target_soc: Annotated[float, Field(ge=0, le=1)]


class VehicleState(Message):
    """How full a vehicle is and when it is plugged in."""

    soc: Annotated[float, Field(ge=0, le=1)]
    sessions: list[VehicleSession] = []


class LoadState(Message):
    """What an appliance did until now: energy used since local midnight (empty: as if it had run evenly), and for how long it has been off."""

    energy_today_kwh: Annotated[float, Field(ge=0, le=10_000)] | None = None
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0


class StateMessage(Message):
    """What persists from slot to slot."""

    batteries: dict[str, BatteryState] = {}
    vehicles: dict[str, VehicleState] = {}
    loads: dict[str, LoadState] = {}
    month_peaks_kw: list[Annotated[float, Field(ge=0, le=100_000)]] = []


class Terminal(Message):
    """What holds at the end of the horizon.

    ``minimum_soc``/``equal_soc``: the SoC ``soc`` (default: the SoC at the start) is reached at least / exactly;
    ``value``: a stored kWh is worth ``value``, for all batteries or by name; ``automatic``: 0.6 × the mean import price.
    """

    kind: Literal["minimum_soc", "equal_soc", "value", "automatic"] = "automatic"
    soc: Annotated[float, Field(ge=0, le=1)] | None = None
    value: Annotated[float, Field(ge=-100, le=100)] | dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None

    @model_validator(mode="after")
    def _value_given(self) -> Self:
        if self.kind == "value" and self.value is None:
            raise ValueError("terminal.value is needed: currency per stored kWh")
        return self


class PlanOptions(Message):
    """How to plan."""

    terminal: Terminal = Terminal()
    mip_gap: Annotated[
        float | None, Field(ge=0, le=1, description="proven distance from the optimum; empty: none, or 0.3 % where vehicles or appliances are placed")
    ] = None
    time_limit_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    language: Language = "en"
    uncertainty: Annotated[
        Literal["point", "scenarios"],
        Field(description="whether a battery is planned by what is expected, or by the mean value of stored energy over courses that load and PV may take"),
    ] = "point"
    risk: Annotated[float, Field(ge=0, le=1, description="which courses count: 0 all, 0.3 the dearest 70 %, 1 the dearest alone; scenarios only")] = 0.0

    @model_validator(mode="after")
    def _risk_of_scenarios(self) -> Self:
        if self.risk and self.uncertainty == "point":
            raise ValueError("options.risk weighs scenarios: it needs options.uncertainty: scenarios")
        return self


class PlanRequest(Request):
    """Plan a site: a stored one by ``site_id``, or the one in ``site`` with its ``outlook`` and ``state``."""

    task: ClassVar[str] = "planner.schedule.solve"

    site_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    site: Site | None = None
    start: Instant | None = None
    slot_minutes: Literal[5, 15, 30, 60] = 15
    first_slot_minutes: Annotated[float, Field(gt=0, le=60)] | None = None
    outlook: OutlookMessage | None = None
    state: StateMessage = StateMessage()
    options: PlanOptions = PlanOptions()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.site is None) == (self.site_id is None):
            raise ValueError("give either site (with start, outlook and state) or site_id")
        if self.site is not None and (self.outlook is None or self.start is None):
            raise ValueError("a site in the request needs start and outlook beside it")
        if self.outlook is not None and self.site is not None and self.options.uncertainty == "scenarios" and self.outlook.scenarios is None:
            raise ValueError("options.uncertainty: scenarios needs outlook.scenarios: probability, load_kwh, pv_kwh")
        if self.first_slot_minutes is not None and self.first_slot_minutes > self.slot_minutes:
            raise ValueError("first_slot_minutes is what remains of the first slot: at most slot_minutes")
        return self

    @property
    def step(self) -> timedelta:
        """The length of a slot."""
        return next(step for step in STEPS if step == timedelta(minutes=self.slot_minutes))


class CostReply(Message):
    """Cost over the horizon; ``total`` is the sum of the parts that are money. Earnings are negative."""

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    carbon_g: float | None = None


class CompromiseReply(Message):
    """A wish that could not be met in full: which, by how much, and what it cost."""

    constraint: str
    shortfall: str
    cost: float


class BatteryFlow(Message):
    """What a battery does in a slot, at its terminals, and how full it ends."""

    charge_kwh: float
    discharge_kwh: float
    soc_end: float
    target_soc: float | None = None


class VehicleFlow(Message):
    """What a vehicle charges in a slot, at its charger, and how full it ends."""

    charge_kwh: float
    soc_end: float


class LoadFlow(Message):
    """What an appliance that may wait uses in a slot."""

    energy_kwh: float
    on: bool


class ReasonReply(Message):
    """Why a slot is as it is: code, sentence, evidence. ``figures`` are what the sentence was made from."""

    code: str
    text: str
    energy_value: float | None = None
    cost_of_opposite: float | None = None
    binding: list[str] = []
    figures: dict[str, Any] = {}


class SlotReply(Message):
    """One slot of a plan: the mode, the flows expected under it, and the reason."""

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
    loads: dict[str, LoadFlow] = {}
    reason: ReasonReply
    load_p10_kwh: float | None = None
    load_p90_kwh: float | None = None
    pv_p10_kwh: float | None = None
    pv_p90_kwh: float | None = None


class UncertaintyReply(Message):
    """What a plan by scenarios weighed: ``courses`` counts the expected one, ``left_out`` those that have no value of their own.

    ``premium`` is what the plan costs more on the expected course than the best plan for that course alone. ``reasons`` say what could not be done:
    ``no_courses``, ``several_batteries``, ``no_value_function``, ``limits_on_the_expected_course`` (each: planned for the expected course alone),
    ``courses_beyond_limits`` (those left out).
    """

    courses: int
    left_out: int
    risk: float
    premium: float
    reasons: list[str] = []


class PlanReply(Message):
    """An issued plan."""

    plan_id: str
    status: Literal["optimal", "feasible", "compromised"]
    gap: float
    cost: CostReply
    timing_ms: dict[str, float]
    compromises: list[CompromiseReply] = []
    slots: list[SlotReply]
    setpoints: Annotated[dict[str, BatterySetpoints], Field(description="what each battery is told, slot by slot, for the flows above to come about")] = {}
    site: str
    timezone: str
    currency: str
    slot_minutes: int
    issued_at: datetime
    prices_known_until: datetime | None = None
    forecast: ForecastSource | None = None
    uncertainty: UncertaintyReply | None = None


PlanRequest.reply = PlanReply
