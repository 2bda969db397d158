"""Variants: another site, tariff or device, compared on recorded days or in a plan."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Message, Request
from luna.contracts.plan import CompromiseReply, CostReply, NoteReply, PlanId
from luna.contracts.slot_changes import CostChange, SlotChange
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day
from luna.words import read_policy
from luna.words.language import Language

BASELINE = "baseline"
MAX_VARIANTS = 8
WhatIfId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
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

    what_if_id: WhatIfId
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
