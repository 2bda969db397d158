"""An issued plan."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from luna.contracts.manual import ManualReply
from luna.contracts.message import Message
from luna.contracts.plan.heat import HeatPumpFlow
from luna.contracts.plan.notes import NoteReply
from luna.contracts.plan.objective import ObjectiveReply
from luna.contracts.plan.outlook import ForecastSource
from luna.contracts.plan.session import SessionReply
from luna.contracts.setpoint import BatterySetpoints, BatteryThresholds, PvSetpoints
from luna.contracts.strategy import AppliedRule
from luna.control import Mode


class CostReply(Message):
    """Cost over the horizon; ``total`` is the sum of the parts that are money. Earnings are negative.

    ``self_sufficiency`` is the share of what is used that is not imported.
    """

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    carbon_g: float | None = None
    self_sufficiency: float | None = None


class CompromiseReply(Message):
    """A wish that could not be met in full: which, by how much, and what it cost. Words are in the language asked for, ``code`` is the same in all."""

    constraint: str
    shortfall: str
    cost: float
    code: str = ""


class ReasonReply(Message):
    """Why a slot is as it is: code, sentence, evidence. ``figures`` are what the sentence was made from, all of the slot's own.

    ``price_rank`` of ``price_count``: 1 is the cheapest to import of the slots of the local day, or of a car's stay, or of an appliance's day.
    ``used_at``: the slot from which on the battery's energy is next used.
    """

    code: str
    text: str
    short: Annotated[str, Field(description="the sentence for a small screen, at most 60 characters; empty in plans of older versions")] = ""
    energy_value: float | None = None
    cost_of_opposite: float | None = None
    binding: list[str] = []
    figures: dict[str, Any] = {}
    price_rank: int | None = None
    price_count: int | None = None
    used_at: datetime | None = None
    device: Annotated[str | None, Field(description="the battery that is told of, the one that moves most; null where there are not several")] = None


class BatteryFlow(Message):
    """What a battery does in a slot, at its terminals, and how full it ends."""

    charge_kwh: float
    discharge_kwh: float
    soc_end: float
    target_soc: float | None = None
    reason: Annotated[ReasonReply | None, Field(description="why this one does so; null where it is the only battery: the slot's reason says it")] = None


class VehicleFlow(Message):
    """What a vehicle charges in a slot and gives to the house, at its charger, and how full it ends; ``phases`` where its charger's are known."""

    charge_kwh: float
    soc_end: float
    discharge_kwh: float = 0.0
    phases: int | None = None
    reason: Annotated[ReasonReply | None, Field(description="why it charges or waits; null: it is away")] = None


class LoadFlow(Message):
    """What an appliance that may wait uses in a slot."""

    energy_kwh: float
    on: bool
    reason: Annotated[ReasonReply | None, Field(description="why it runs or waits")] = None


class SlotReply(Message):
    """One slot of a plan: what batteries do in one word, the flows expected, and the reason.

    ``mode`` and ``reason`` are those of the battery that moves most. What batteries are told is in the reply's ``setpoints``.
    """

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
    heat_pumps: dict[str, HeatPumpFlow] = {}
    reason: ReasonReply
    manual: Annotated[list[str], Field(description="devices that do, or leave, what their owner said")] = []
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


class FollowedReply(Message):
    """How a plan came about and what is followed of it.

    ``method`` is the step of the ladder that made it: the value of stored energy, the mixed-integer model, the best that had when time was over, or the
    inverter alone. ``policy`` is what set-points are read from: that value, the planned flows, or the house alone where nothing else gains.
    ``premium`` is what it costs more on the expected course than the optimum there, for forecasts err. ``disagreements``: what physics did not
    confirm on the way; each is a bug.
    """

    method: Literal["value", "model", "incumbent", "self_consumption"]
    policy: Literal["value", "flows", "house", "none"]
    premium: float = 0.0
    disagreements: list[str] = []


class PlanReply(Message):
    """An issued plan."""

    plan_id: str
    status: Literal["optimal", "feasible", "compromised"]
    gap: float
    cost: CostReply
    timing_ms: dict[str, float]
    compromises: list[CompromiseReply] = []
    notes: Annotated[list[NoteReply], Field(description="what the plan rests on; status says how good it is for what these assume")] = []
    slots: list[SlotReply]
    sessions: Annotated[list[SessionReply], Field(description="what vehicles' deadlines cost, where options.price_sessions asks for it")] = []
    setpoints: Annotated[dict[str, BatterySetpoints], Field(description="what each battery is told, slot by slot, for the flows above to come about")] = {}
    thresholds: Annotated[dict[str, BatteryThresholds], Field(description="what set-points are read from, however full batteries are")] = {}
    followed: FollowedReply | None = None
    pv: Annotated[PvSetpoints | None, Field(description="how PV is held back, slot by slot; null: never")] = None
    site: str
    timezone: str
    currency: str
    slot_minutes: int
    issued_at: datetime
    prices_known_until: datetime | None = None
    forecast: ForecastSource | None = None
    uncertainty: UncertaintyReply | None = None
    manual: ManualReply | None = None
    strategy: Annotated[list[AppliedRule], Field(description="rules of the site that set parameters of this plan")] = []
    objective: Annotated[ObjectiveReply | None, Field(description="what counted beside money; null where cost alone did")] = None
