"""Questions about plans: trade-offs, and changes since the plan before."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.forecast import SiteId
from luna.contracts.message import Message, Request
from luna.contracts.plan import PlanId, PlanRequest
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Instant
from luna.words.language import Language

Figure = Literal["cost", "carbon", "self_sufficiency", "wear"]


class ParetoRequest(Request):
    """Plan along the trade-off of two figures.

    ``plan`` says for which site, from when and what is known. Each plan ends at least as full as it
    starts, unless ``plan`` says what holds at the horizon; its own weights do not count.
    """

    task: ClassVar[str] = "planner.schedule.pareto"
    public: ClassVar[bool] = True

    plan: PlanRequest
    figures: tuple[Figure, Figure] = ("cost", "carbon")
    points: Annotated[
        int, Field(ge=2, le=25, description="at most so many plans; fewer where no more differ")
    ] = 9

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.figures[0] == self.figures[1]:
            raise invalid_part("figures-alike")
        return self


class ParetoWeights(Message):
    """The weights that give a point, in the words of a site's ``objective``."""

    carbon_price_per_kg: float
    self_sufficiency_price: float
    wear_factor: float


class ParetoPoint(Message):
    """A plan that no other beats in both figures; ``weights`` give it.

    ``cost`` is money, less what is left in the batteries at the terminal value where the request
    gives one.
    """

    cost: float
    carbon_g: float | None
    import_kwh: float
    self_sufficiency: float | None
    wear: float
    weights: ParetoWeights


class ParetoReply(Message):
    """The points from the best in the first figure to the best in the second.

    ``knee`` is the place of the point from which either way costs most (null for fewer than three
    points); ``complete`` says that no weights give another.
    """

    site: str
    currency: str
    figures: tuple[Figure, Figure]
    points: list[ParetoPoint]
    knee: int | None
    complete: bool


ParetoRequest.reply = ParetoReply


# scenarios: what load and sun may do; horizon: time has passed, the plan looks further ahead.
CauseCode = Literal[
    "site",
    "options",
    "strategy",
    "prices",
    "load",
    "pv",
    "scenarios",
    "soc",
    "vehicles",
    "loads",
    "peaks",
    "manual",
    "horizon",
]


class ModeChange(Message):
    """A device's changed mode in a slot, compared with the plan before.

    ``cause`` is the input that did it.
    """

    start: datetime
    device: str
    before: str
    after: str
    cause: CauseCode


class ChangeCause(Message):
    """One input that is other than before, and its effect on the plan.

    It says in words what changed, how many modes it changed, and what the plan costs more because
    of it (negative: less).
    """

    code: CauseCode
    text: str
    modes: int
    cost: float
    figures: dict[str, float] = {}


class PlanChangesReply(Message):
    """Differences from the plan before.

    ``slots`` counts the slots that both cover.

    Inputs are put back one after the other in the order of ``causes``, each time everything is
    planned anew: a mode that is as before from then on was changed by that input. What remains is
    the horizon's. An input that changed no mode and no cost is left out.
    """

    plan_id: str
    before_id: str
    site: str
    timezone: str
    currency: str
    slots: int
    slot_minutes: int
    causes: list[ChangeCause]
    changes: list[ModeChange]


class PlanChangesRequest(Request):
    """Compare a stored plan with the one issued before it for the same site.

    ``before_id`` names another one.
    """

    task: ClassVar[str] = "planner.plan.compare"
    reply: ClassVar[type[Message]] = PlanChangesReply

    plan_id: PlanId
    before_id: PlanId | None = None
    language: Annotated[
        Language | None, Field(description="of the sentences; empty: that of the plan")
    ] = None


class PlanFinding(Message):
    """A claim that does not hold of a plan."""

    plan_id: Annotated[str, Field(description="the plan")]
    what: Annotated[str, Field(description="what does not hold: balance, cost, …")]
    off: Annotated[float, Field(description="by how much: kWh, or money in the plan's currency")]
    start: Annotated[
        Instant | None, Field(description="in which slot; null: over the whole plan")
    ] = None


class CheckPlansReply(Message):
    """Whether issued plans hold.

    Every slot closes its balance, batteries go on where they were, and the cost is what the flows
    cost.
    """

    site_id: Annotated[str, Field(description="the site's name")]
    plans: Annotated[int, Field(description="plans that were checked")]
    broken: Annotated[int, Field(description="plans of which something does not hold")]
    findings: Annotated[list[PlanFinding], Field(description="what does not hold; empty: all does")]


class CheckPlansRequest(Request):
    """Check the plans issued for a site from ``first`` on, before ``end``."""

    task: ClassVar[str] = "planner.plans.check"
    reply: ClassVar[type[Message]] = CheckPlansReply
    public: ClassVar[bool] = True

    site_id: SiteId
    first: Annotated[Instant, Field(description="plans issued from here on")]
    end: Annotated[Instant, Field(description="and before this instant")]


class PlanSummary(Message):
    """An issued plan in a list."""

    plan_id: Annotated[str, Field(description="its id")]
    system_id: Annotated[str, Field(description="prod drives devices; others are for comparison")]
    issued_at: Annotated[Instant, Field(description="when it was issued")]
    from_: Annotated[Instant, Field(alias="from", description="start of its first slot")]
    to: Annotated[Instant, Field(description="end of its last slot")]
    status: Annotated[
        str, Field(description="optimal, feasible, or compromised where a wish could not be had")
    ]
    cost: Annotated[float, Field(description="what it costs over its slots, in its currency")]
    currency: Annotated[str, Field(description="ISO 4217")]


class PlanReason(Message):
    """The reason of a device's action over slots in a row."""

    from_: Annotated[Instant, Field(alias="from", description="start of the first slot")]
    to: Annotated[Instant, Field(description="end of the last slot")]
    device: Annotated[str, Field(description="a device by its name; batteries: all of them")]
    mode: Annotated[str | None, Field(description="what batteries do; null for other devices")] = (
        None
    )
    code: Annotated[str, Field(description="names the reason, the same in every language")]
    text: Annotated[str, Field(description="the reason in the plan's language")]


class PlanReasonsReply(Message):
    """The reasons of a plan, those of each device in the order of time."""

    plan_id: Annotated[str, Field(description="the plan")]
    site: Annotated[str, Field(description="the site's name")]
    timezone: Annotated[str, Field(description="where the site's clock stands")]
    reasons: Annotated[
        list[PlanReason], Field(description="a row for each run of slots with one reason")
    ]
