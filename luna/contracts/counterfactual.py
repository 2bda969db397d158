"""Effects of another decision, or of another site."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Message, Request
from luna.contracts.plan import CompromiseReply, CostReply, NoteReply
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day, Instant
from luna.words import read_mode, read_policy
from luna.words.language import Language

AlternativeMode = Literal[
    "self_consumption", "save", "supply", "hold", "charge", "export", "on", "off"
]
PlanId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


class Alternative(Message):
    """Another action of one device than the planned one.

    It holds in the slot that covers ``slot``, or in all up to ``until``. A battery knows its modes,
    a vehicle ``charge`` and ``hold``, a load ``on`` and ``off``. ``power_kw`` bounds exchange with
    the grid (default: all the battery can), ``target_soc`` is where that exchange ends (default:
    where the battery is full, or at its reserve).
    """

    slot: Instant
    until: Instant | None = None
    mode: Annotated[AlternativeMode, BeforeValidator(read_mode)]
    device: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description="battery, vehicle or load by its name; empty: the only battery",
        ),
    ] = None
    power_kw: Annotated[float | None, Field(gt=0, le=10_000)] = None
    target_soc: Annotated[float | None, Field(ge=0, le=1)] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.slot:
            raise invalid_part("until-before-slot")
        if self.mode not in ("charge", "export") and (
            self.power_kw is not None or self.target_soc is not None
        ):
            raise invalid_part("figures-without-charge", mode=self.mode)
        return self


class CostChange(Message):
    """The extra cost over the plan, negative: less.

    ``stored`` is what the energy is worth that is missing at the end.
    """

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    stored: float


class SlotAction(Message):
    """A device's mode and energy in a slot.

    Energy is into it (negative: out of it), at its terminals.
    """

    mode: str
    energy_kwh: float


class SlotChange(Message):
    """A slot in which a device does something else than planned."""

    start: datetime
    device: str
    before: SlotAction
    after: SlotAction


# Energies are shown to a tenth.
LEAST_SHOWN_KWH = 0.05


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """Slots in a row in which a device changes from one action to another.

    The energies are those of all of them.
    """

    first: datetime
    end: datetime
    device: str
    before: SlotAction
    after: SlotAction

    @property
    def shows(self) -> bool:
        """Whether a table tells the two apart."""
        return (
            self.before.mode != self.after.mode
            or abs(self.before.energy_kwh - self.after.energy_kwh) >= LEAST_SHOWN_KWH
        )

    def joins(self, change: SlotChange) -> bool:
        """Return whether a change goes on with this run."""
        same = (self.device, self.before.mode, self.after.mode) == (
            change.device,
            change.before.mode,
            change.after.mode,
        )
        return same and self.end == change.start


def list_runs(changes: Sequence[SlotChange], step: timedelta) -> list[ChangedRun]:
    """Return the changes as runs, in order of their beginning."""
    runs: list[ChangedRun] = []
    for change in changes:
        place = next((place for place, run in enumerate(runs) if run.joins(change)), None)
        if place is None:
            runs.append(
                ChangedRun(
                    change.start, change.start + step, change.device, change.before, change.after
                )
            )
            continue
        run = runs[place]
        runs[place] = replace(
            run,
            end=change.start + step,
            before=_add(run.before, change.before),
            after=_add(run.after, change.after),
        )
    return runs


def _add(one: SlotAction, other: SlotAction) -> SlotAction:
    return SlotAction(mode=one.mode, energy_kwh=one.energy_kwh + other.energy_kwh)


class WhyNotReply(Message):
    """The extra cost of the alternative, and the slots that change.

    The cost is that of the whole horizon, with everything after the alternative planned anew.
    ``cost`` is money on the expected scenario. ``cost_by_value`` is read from the value of stored
    energy, as a slot's ``cost_of_opposite`` is: the same where the plan counts money alone and one
    scenario; else all that it weighs, and the mean over its scenarios. ``binding`` are limits at
    work in the alternative's slots, ``compromises`` what is missed beside what the plan misses.
    """

    plan_id: str
    alternative: Alternative
    cost: CostChange
    cost_by_value: float | None = None
    changes: list[SlotChange]
    binding: list[str] = []
    compromises: list[CompromiseReply] = []
    text: str
    currency: str
    timezone: str
    slot_minutes: int = 15


class WhyNotRequest(Request):
    """Ask what an alternative to a stored plan would cost."""

    task: ClassVar[str] = "planner.plan.why_not"
    reply: ClassVar[type[Message]] = WhyNotReply

    plan_id: PlanId
    alternative: Alternative
    language: Annotated[Language | None, Field(description="default: the plan's")] = None


BASELINE = "baseline"
MAX_VARIANTS = 8
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00:;]+$")]


class Habit(Message):
    """The usual session of a new vehicle at its charger, and its daily need.

    Times are by the site's clock.

    ``to`` at or before ``from`` is on the next day.
    """

    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    energy_kwh_per_day: Annotated[float, Field(gt=0, le=1_000, description="stored in the vehicle")]
    days: Literal["all", "weekday", "weekend"] = "all"


class Variant(Message):
    """A variant of a site.

    ``site`` holds the site's fields that change, as in its file.

    Devices that a site may have several of are named:
    ``{"batteries": {"battery": {"capacity_kwh": 15}, "second": {…}, "old": null}}`` changes one,
    adds one and takes one away. A vehicle that is added needs one of ``habits``. ``investment`` is
    what it costs once, for the payback. ``margin`` replaces the planner's margin per stored kWh in
    favour of the house.
    """

    name: Name
    site: dict[str, Any] = {}
    habits: Annotated[
        dict[str, Habit],
        Field(max_length=16, description="of vehicles that the variant adds, by name"),
    ] = {}
    margin: Annotated[
        float | None, Field(ge=0, le=1, description="currency per stored kWh; windows only")
    ] = None
    investment: Annotated[float | None, Field(gt=0, le=10_000_000)] = None


class MonthFlow(Message):
    """Money (earnings negative) and energy of a local month.

    ``wear`` is no payment: ``bill`` is the rest.
    """

    month: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
    import_: Annotated[float, Field(alias="import")]
    export: float
    peak: float
    bill: float
    wear: float
    import_kwh: float
    export_kwh: float


class Estimate(Message):
    """A figure with the 95 % interval of a bootstrap over blocks of a week.

    Null where it is beyond any bound.
    """

    value: float | None
    low: float | None
    high: float | None


class VariantReply(Message):
    """The results of a variant.

    ``total`` is the bill less ``stored_gain``, what the energy gained in the batteries is worth;
    ``cost`` is that plus wear.

    ``savings`` is by how much the total is lower than the baseline's, ``savings_per_year`` the same
    for a year of days like those replayed, ``payback_years`` the investment divided by it: null
    where none is asked for, and where fewer than four weeks were replayed, which say nothing of
    years.
    """

    name: str
    bill: float
    wear: float
    stored_gain: float
    total: float = 0.0
    cost: float
    import_kwh: float
    export_kwh: float
    cycles: float
    months: list[MonthFlow]
    savings: float = 0.0
    savings_per_year: Estimate | None = None
    investment: float | None = None
    payback_years: Estimate | None = None
    text: str = ""


class WhatIfReply(Message):
    """A baseline and its variants over the same days.

    They share forecasts, prices, initial state and terminal rule; ``outlook`` says what was planned
    from.
    """

    what_if_id: str
    site: str
    from_day: Day
    to_day: Day
    days: int
    currency: str
    policy: str
    outlook: str
    baseline: VariantReply
    variants: list[VariantReply]
    notes: Annotated[
        list[NoteReply],
        Field(
            description=(
                "what the site as it is pays where it names no tariff, and loaded prices that "
                "it leaves unused"
            )
        ),
    ] = []


class WhatIfRequest(Request):
    """Replay a stored site as it is and as it would be.

    The days are those from ``from_day`` to ``to_day``, both included. ``outlook``: load and PV as
    ``issued`` forecasts had them then, or the ``usual`` mean of the seven days before;
    ``automatic``: as issued, where there is a forecast of each day.
    """

    task: ClassVar[str] = "planner.what_if.compare"
    reply: ClassVar[type[Message]] = WhatIfReply

    site_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    from_day: Day
    to_day: Day
    variants: Annotated[list[Variant], Field(min_length=1, max_length=MAX_VARIANTS)]
    policy: Annotated[
        Literal["mpc", "self_consumption", "rule", "idle"], BeforeValidator(read_policy)
    ] = "mpc"
    every_minutes: Annotated[int, Field(ge=15, le=1440, multiple_of=15)] = 60
    outlook: Literal["automatic", "issued", "usual"] = "automatic"
    forecast_version: Annotated[
        ForecastVersion | None, Field(description="default: the site's active version")
    ] = None
    language: Language = "en"

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        counts = Counter([BASELINE, *(variant.name for variant in self.variants)])
        doubled = [name for name, count in counts.items() if count > 1]
        if doubled:
            raise invalid_part("variant-names", baseline=BASELINE, name=doubled[0])
        return self


class WhatIfVariantReply(Message):
    """The number of a question's replays that are done."""

    variant: str
    replayed: int
    total: int


class WhatIfVariantRequest(Request):
    """Replay one variant of a stored question.

    The last one to be done concludes it.
    """

    task: ClassVar[str] = "planner.what_if.replay"
    reply: ClassVar[type[Message]] = WhatIfVariantReply

    what_if_id: PlanId
    variant: Name


class VariantState(Message):
    """The state of a variant's replay.

    ``job_id`` is null where it ran without a job.
    """

    name: str
    done: bool
    status: str
    job_id: str | None = None
    error: dict[str, Any] | None = None


class WhatIfState(Message):
    """The state of a question; ``reply`` once all replays are done."""

    what_if_id: str
    asked_at: datetime
    status: Literal["open", "done", "failed"]
    variants: list[VariantState]
    reply: WhatIfReply | None = None


class PlanVariantReply(Message):
    """A plan and its change under a variant.

    Both are from the same forecasts, prices and state.
    """

    plan_id: str
    variant: str
    before: CostReply
    after: CostReply
    cost: CostChange
    changes: list[SlotChange]
    compromises: list[CompromiseReply] = []
    text: str
    currency: str
    timezone: str
    slot_minutes: int = 15


class PlanVariantRequest(Request):
    """Plan a stored plan again with something different.

    ``export_kwh`` is to be sold from the batteries when selling pays most.
    """

    task: ClassVar[str] = "planner.plan.what_if"
    reply: ClassVar[type[Message]] = PlanVariantReply

    plan_id: PlanId
    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Annotated[Language | None, Field(description="default: the plan's")] = None
