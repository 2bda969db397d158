"""The learning agent's policies: trained, described, replayed and evaluated.

Cards describe them; evaluations take days that none of them has seen. ``agent_control`` is what
they may decide.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast import SiteId
from luna.contracts.forecast_versions import CardReply
from luna.contracts.message import Message, Request
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.energy.timeline import Day, Instant

# value: the planner's value of stored energy, corrected by what was learned; the others choose
# modes without a solver.
AgentKind = Literal["value", "imitation", "network", "clone", "rl"]
# Name of each kind's policy in replays, shadow plans and scores.
AGENT_POLICIES: dict[str, AgentKind] = {
    "antares": "value",
    "imitation": "imitation",
    "network": "network",
    "clone": "clone",
    "rl": "rl",
}
# The planner that sells as an agent does, and leaves everything else as it was: the name of the
# agent's policy, and this.
EXPORT = "_export"
# Every policy of a replay for which something was learned.
AGENT_REPLAY_POLICIES: dict[str, AgentKind] = AGENT_POLICIES | {
    name + EXPORT: kind for name, kind in AGENT_POLICIES.items()
}
# Its name in the setting ``antares.shadow_policy_type``.
SHADOW_POLICIES: dict[str, str] = {
    "lightgbm": "antares",
    "rl": "rl",
    "imitation": "imitation",
    "network": "network",
    "clone": "clone",
}
RunId = Annotated[str, Field(min_length=1, max_length=256)]


def version_of(kind: AgentKind) -> str:
    """Return what the trainings of a kind are stored as: ``training_runs.version``."""
    return f"agent_{kind}_v1"


class TrainAgentReply(Message):
    """A finished training.

    ``accepted``: its model speaks from now on, for it was no worse than the one before on days that
    neither had seen.
    """

    run_id: str
    kind: AgentKind
    state_version: str
    data_from: datetime
    data_until: datetime
    accepted: bool
    verdict: str
    artefact_key: str
    train_seconds: float
    metrics: dict[str, Any]


class TrainAgentRequest(Request):
    """Train an agent on a site's own history up to ``until``."""

    task: ClassVar[str] = "agent.policy.train"
    reply: ClassVar[type[Message]] = TrainAgentReply
    public: ClassVar[bool] = True

    site_id: SiteId
    kind: AgentKind = "value"
    until: Annotated[
        Instant | None,
        Field(description="nothing known from then on is learned from; default: now"),
    ] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    steps: Annotated[
        int, Field(ge=1_000, le=100_000_000, description="of reinforcement learning")
    ] = 2_000_000


class AgentReplayRequest(ReplayRequest):
    """Replay a stored site under policies of which some were learned.

    Each by its latest accepted training on nothing from the window on.
    """

    task: ClassVar[str] = "agent.replay.run"
    reply: ClassVar[type[Message]] = ReplayReply


def choose_replay(request: ReplayRequest) -> ReplayRequest:
    """Return the same replay, asked of the service that knows its policies.

    It is the agent where one of them was learned, else the planner.
    """
    is_agent = not AGENT_REPLAY_POLICIES.keys().isdisjoint(request.policies)
    kind = AgentReplayRequest if is_agent else ReplayRequest
    return request if type(request) is kind else kind(**dict(request))


class Comparison(Message):
    """The gain of a policy over another, in points of the oracle's savings.

    The savings are those over idle, with stored energy counted in. ``low`` and ``high``: the 95 %
    interval of a paired bootstrap over blocks of days; ``p_value``: of a paired permutation of
    their signs.
    """

    points: float
    low: float
    high: float
    p_value: float


class PolicyComparison(Message):
    """The gain of a policy over another on the days on which both were scored.

    ``gain`` is currency, positive where it is cheaper, with stored energy counted in. ``points`` as
    in a ``Comparison``; null where the oracle's or idle's days were not stored beside.
    """

    site_id: str
    policy: str
    over: str
    from_day: date
    to_day: date
    days: int
    currency: str
    gain: float
    low: float
    high: float
    p_value: float
    days_ahead: Annotated[int, Field(description="days on which the policy was the cheaper one")]
    points: Comparison | None = None


class PolicyScore(Message):
    """The results of a policy on the compared days.

    ``unmet_kwh`` and ``violations`` are zero, or something is wrong.
    """

    cost: float
    score: float | None
    low: float | None = None
    high: float | None = None
    violations: int
    unmet_kwh: float
    mode_changes_per_day: float
    over_mpc: Comparison | None = None
    over_self_consumption: Comparison | None = None
    run_id: Annotated[str | None, Field(description="of the last week; weeks name the others")] = (
        None
    )


class UnseenWeek(Message):
    """A week of an evaluation, lived in one go.

    ``days`` of it count, and what was learned knows nothing from ``first`` on.
    """

    first: date
    days: int
    trained_until: Annotated[
        date,
        Field(
            description=(
                "the first day of its quarter: trainings know all that was recorded before it"
            )
        ),
    ]
    run_ids: Annotated[
        dict[str, str], Field(description="by policy, the training that decided")
    ] = {}


class EvaluateAgentReply(Message):
    """Every policy on the same unseen days.

    ``days`` names them; ``skipped`` says why a day was left out, ``missing`` which kinds were never
    trained.

    ``rule`` says how days are chosen; ``refused`` why a kind that was trained could not be measured
    on all of them.
    """

    site_id: str
    rule: str = ""
    days: list[date]
    weeks: list[UnseenWeek] = []
    skipped: dict[str, str] = {}
    missing: list[str] = []
    refused: dict[str, str] = {}
    currency: str
    policies: dict[str, PolicyScore]


class EvaluateAgentRequest(Request):
    """Measure the trained policies of a site on unseen days.

    They are compared with the planner, plain rules and the oracle.
    """

    task: ClassVar[str] = "agent.policy.evaluate"
    reply: ClassVar[type[Message]] = EvaluateAgentReply
    public: ClassVar[bool] = True

    site_id: SiteId
    days: Annotated[int, Field(ge=7, le=366)] = 100
    to_day: Annotated[
        Day | None,
        Field(description="last local day, included; default: the last one recorded whole"),
    ] = None
    policies: Annotated[
        list[str], Field(max_length=16, description="default: all that were trained")
    ] = []


class SlotTrace(Message):
    """A slot of a day as a policy lived it.

    Energies at the terminals of all batteries and at the meter, ``soc`` at its end, of all
    batteries together.
    """

    start: datetime
    mode: Annotated[str, Field(description="of each battery, in the site's order, with commas")]
    import_price: float
    export_price: float
    load_kwh: float
    pv_kwh: float
    charge_kwh: float
    discharge_kwh: float
    import_kwh: float
    export_kwh: float
    soc: float


class TradedSlots(Message):
    """Slots in which batteries charged, or discharged, and their prices.

    These are the number of slots, their mean import price, and how many were below the day's median
    price.
    """

    slots: int
    kwh: float
    mean_price: float | None
    cheap: int
    dear: int


class PolicyDayTrace(Message):
    """A policy's day slot by slot and in short.

    ``cost`` is as the replay counts it.
    """

    cost: float
    value_gain: float | None = None
    run_id: str | None = None
    charging: TradedSlots
    discharging: TradedSlots
    slots: list[SlotTrace]


class DayPictureReply(Message):
    """The picture of a day, SVG.

    ``traces`` hold by policy what it shows. ``from_day`` to ``to_day`` were lived in one go around
    the day.
    """

    svg: str
    policies: list[str]
    day: date | None = None
    from_day: date | None = None
    to_day: date | None = None
    currency: str = ""
    traces: dict[str, PolicyDayTrace] = {}


class DayPictureRequest(Request):
    """Draw a recorded day as the planner, the agent and the oracle lived it."""

    task: ClassVar[str] = "agent.day.draw"
    reply: ClassVar[type[Message]] = DayPictureReply
    # A day is replayed with its week, and learned forecasts that were not issued then are issued
    # first.
    patience: ClassVar[timedelta] = timedelta(minutes=2)

    site_id: SiteId
    day: Day
    policies: Annotated[list[str], Field(min_length=1, max_length=4)] = ["mpc", "antares", "oracle"]


class AgentCardRequest(Request):
    """Read the card of a training of the agent.

    Without ``run_id`` of the latest accepted one of ``kind``.
    """

    task: ClassVar[str] = "agent.policy.describe"
    reply: ClassVar[type[Message]] = CardReply

    site_id: SiteId
    kind: AgentKind = "value"
    run_id: RunId | None = None
