"""The learning agent: trained, measured, run in shadow, scored, and given control step by step."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast import SiteId
from luna.contracts.forecast_versions import CardReply
from luna.contracts.message import Day, Instant, Message, Request, Schedule
from luna.contracts.replay import ReplayReply, ReplayRequest

# value: the planner's value of stored energy, corrected by what was learned; the others choose modes without a solver.
AgentKind = Literal["value", "imitation", "network", "clone", "rl"]
# What a replay, a shadow plan and a score call the policy of each kind.
AGENT_POLICIES: dict[str, AgentKind] = {"antares": "value", "imitation": "imitation", "network": "network", "clone": "clone", "rl": "rl"}
# The planner that sells as an agent does, and leaves everything else as it was: the name of the agent's policy, and this.
EXPORT = "_export"
# Every policy of a replay for which something was learned.
LEARNED_POLICIES: dict[str, AgentKind] = AGENT_POLICIES | {name + EXPORT: kind for name, kind in AGENT_POLICIES.items()}
# What the setting ``antares.shadow_policy_type`` calls it.
SHADOW_POLICIES: dict[str, str] = {"lightgbm": "antares", "rl": "rl", "imitation": "imitation", "network": "network", "clone": "clone"}
ControlMode = Literal["shadow", "export_only", "full_control"]
RunId = Annotated[str, Field(min_length=1, max_length=256)]


class TrainAgentReply(Message):
    """A finished training. ``accepted``: its model speaks from now on, for it was no worse than the one before on days that neither had seen."""

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
    until: Annotated[Instant | None, Field(description="nothing known from then on is learned from; default: now")] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    steps: Annotated[int, Field(ge=1_000, le=100_000_000, description="of reinforcement learning")] = 2_000_000


class AgentReplayRequest(ReplayRequest):
    """Replay a stored site under policies of which some were learned; each by its latest accepted training on nothing from the window on."""

    task: ClassVar[str] = "agent.replay.run"
    reply: ClassVar[type[Message]] = ReplayReply


def choose_replay(request: ReplayRequest) -> ReplayRequest:
    """Return the same replay as asked of the service that knows its policies: the agent where one of them was learned, else the planner."""
    kind = ReplayRequest if LEARNED_POLICIES.keys().isdisjoint(request.policies) else AgentReplayRequest
    return request if type(request) is kind else kind(**dict(request))


class Comparison(Message):
    """What a policy gains over another, stored energy counted in, in points of the oracle's savings over idle.

    ``low`` and ``high``: the 95 % interval of a paired bootstrap over blocks of days; ``p_value``: of a paired permutation of their signs.
    """

    points: float
    low: float
    high: float
    p_value: float


class PolicyComparison(Message):
    """What a policy gains over another on the days on which both were scored, stored energy counted in; ``gain`` is currency, positive where it is cheaper.

    ``points`` as in a ``Comparison``; null where the oracle's or idle's days were not stored beside.
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
    """What a policy did on the days that were compared. ``unmet_kwh`` and ``violations`` are zero, or something is wrong."""

    cost: float
    score: float | None
    low: float | None = None
    high: float | None = None
    violations: int
    unmet_kwh: float
    mode_changes_per_day: float
    over_mpc: Comparison | None = None
    over_self_consumption: Comparison | None = None
    run_id: Annotated[str | None, Field(description="of the last week; weeks name the others")] = None


class UnseenWeek(Message):
    """A week of an evaluation, lived in one go: ``days`` of it count, and what was learned knows nothing from ``first`` on."""

    first: date
    days: int
    trained_until: Annotated[date, Field(description="the first day of its quarter: trainings know all that was recorded before it")]
    run_ids: Annotated[dict[str, str], Field(description="by policy, the training that decided")] = {}


class EvaluateAgentReply(Message):
    """Every policy on the same unseen days. ``days`` names them; ``skipped`` says why a day was left out, ``missing`` which kinds were never trained.

    ``rule`` says how days are chosen; ``refused`` why a kind that was trained could not be measured on all of them.
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
    """Measure the trained policies of a site on days that none of them has seen, beside the planner, plain rules and the oracle."""

    task: ClassVar[str] = "agent.policy.evaluate"
    reply: ClassVar[type[Message]] = EvaluateAgentReply
    public: ClassVar[bool] = True

    site_id: SiteId
    days: Annotated[int, Field(ge=7, le=366)] = 100
    to_day: Annotated[Day | None, Field(description="last local day; default: the last one recorded whole")] = None
    policies: Annotated[list[str], Field(max_length=16, description="default: all that were trained")] = []


class SlotTrace(Message):
    """A slot of a day as a policy lived it; energies at the terminals of all batteries and at the meter, ``soc`` at its end, of all batteries together."""

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
    """Slots in which batteries charged, or discharged: how many, at which mean import price, and how many of them were below the day's median price."""

    slots: int
    kwh: float
    mean_price: float | None
    cheap: int
    dear: int


class PolicyDayTrace(Message):
    """What a policy made of a day, slot by slot and in short; ``cost`` as the replay counts it."""

    cost: float
    value_gain: float | None = None
    run_id: str | None = None
    charging: TradedSlots
    discharging: TradedSlots
    slots: list[SlotTrace]


class DayPictureReply(Message):
    """The picture of a day, PNG, base64; ``traces`` hold by policy what it shows. ``from_day`` to ``to_day`` were lived in one go around the day."""

    png: str
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

    site_id: SiteId
    day: Day
    policies: Annotated[list[str], Field(min_length=1, max_length=4)] = ["mpc", "antares", "oracle"]


class AgentCardRequest(Request):
    """Read the card of a training of the agent; without ``run_id`` of the latest accepted one of ``kind``."""

    task: ClassVar[str] = "agent.policy.describe"
    reply: ClassVar[type[Message]] = CardReply

    site_id: SiteId
    kind: AgentKind = "value"
    run_id: RunId | None = None


# Why the agent's plan is, or is not, what devices follow.
GateCode = Literal[
    "agent_cheaper",  # followed: safe, and expected to cost less than the planner's
    "mode_is_shadow",  # nobody asked for more than shadow
    "mode_not_offered",  # the evidence for what was asked for is not there
    "mode_withdrawn",  # it was there, and the agent lost since
    "not_cheaper",  # the planner's plan is expected to cost no more
    "not_safe",  # it misses a limit or a wish that the planner's plan keeps
    "no_artefact",  # nothing was trained, or it cannot be used for this site
    "plan_failed",  # the agent failed or took too long
]


class GateVerdict(Message):
    """What the gatekeeper made of a shadow plan: ``follow`` says which part of it devices follow."""

    code: Annotated[GateCode, Field(description="why devices follow the agent's plan, or not")]
    follow: Annotated[Literal["nothing", "export", "all"], Field(description="which part of it they follow")]
    expected_gain: Annotated[float | None, Field(description="expected cost of the planner's plan less that of the agent's, over the same courses")] = None
    interventions: Annotated[int, Field(description="slots in which the safety layer or a limit changed what the agent asked for")] = 0


class ShadowPlanReply(Message):
    """A shadow plan as it was stored; ``plan_id`` is null where none was made, and ``verdict.code`` says why."""

    plan_id: str | None
    based_on: str
    policy: str
    run_id: str | None = None
    verdict: GateVerdict
    milliseconds: float


class ShadowPlanRequest(Request):
    """Let the agent plan from what a plan of the planner was made from. Nothing of it reaches a device but by the gatekeeper's word."""

    task: ClassVar[str] = "agent.shadow.plan"
    reply: ClassVar[type[Message]] = ShadowPlanReply

    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


class NightReply(Message):
    """What the nightly chain did, site by site: days scored and replayed, trainings asked for, how each mode stands, and what failed."""

    sites: dict[str, list[str]]
    faults: dict[str, str] = {}


class NightRequest(Request):
    """Score yesterday's plans, replay what is due, judge the modes, train where that is due; each site in its night."""

    task: ClassVar[str] = "agent.night.run"
    reply: ClassVar[type[Message]] = NightReply
    schedule: ClassVar[Schedule | None] = Schedule(timedelta(hours=1), "nights", "time between two looks for what the agent's nights have to do")
    public: ClassVar[bool] = True

    site_id: Annotated[SiteId | None, Field(description="default: every site whose night it is")] = None


class ShadowPlanSummary(Message):
    """A shadow plan without its slots; ``plan_id`` is null where the agent made none, and ``verdict.code`` says why.

    ``metrics``: ``planner_cost`` and ``agent_cost`` over the same courses, ``courses``, ``milliseconds``, ``interventions`` and ``breach_kwh``.
    """

    plan_id: Annotated[str | None, Field(description="null: the agent made no plan")]
    based_on: Annotated[str, Field(description="the planner's plan that was made from the same inputs")]
    policy: Annotated[str, Field(description="whose plan it is")]
    run_id: Annotated[str | None, Field(description="the training it rests on; null: there was none")]
    issued_at: Annotated[datetime, Field(description="when it was made")]
    starts_at: Annotated[datetime, Field(description="begin of its first slot")]
    ends_at: Annotated[datetime, Field(description="end of its last slot")]
    verdict: Annotated[GateVerdict, Field(description="what the gatekeeper made of it")]
    metrics: Annotated[dict[str, float], Field(description="expected costs of both plans and what they rest on")]


class GateEvidence(Message):
    """Days of one kind of evidence, and what they say: points of the oracle's savings by which the agent is ahead, with the 95 % interval.

    both: recorded days that were replayed and days in shadow together, a day that is both as it was in shadow.
    """

    kind: Annotated[Literal["replay", "shadow", "both"], Field(description="replayed days, days in shadow, or both together")]
    days: Annotated[int, Field(description="how many there are")]
    needed: Annotated[int, Field(description="how many it takes")]
    gain: Annotated[float | None, Field(description="currency over these days")] = None
    points: Annotated[float | None, Field(description="of the oracle's savings by which the agent is ahead; null: nothing to save")] = None
    low: Annotated[float | None, Field(description="lower end of the 95 % interval")] = None
    high: Annotated[float | None, Field(description="upper end of the 95 % interval")] = None
    violations: Annotated[int, Field(description="slots of these days in which the safety layer changed what the agent asked for")] = 0


GateState = Literal["not_ready", "offered", "active", "withdrawn"]
# judged: by the gatekeeper, each night; the others by somebody who may manage the site, or, withdrawn, by the gatekeeper as well.
GateKind = Literal["judged", "asked", "withdrawn", "restored"]
GATEKEEPER = "gatekeeper"
# Days of evidence from which on a mode is offered: recorded ones that were replayed first, then days in shadow.
REPLAY_DAYS, SHADOW_DAYS = 180, 30
# From less to more.
CONTROL_MODES: tuple[ControlMode, ...] = ("shadow", "export_only", "full_control")


class GateEntry(Message):
    """A decision about a mode of control: rows are only added. ``state`` is null where somebody asked for a mode, which is no evidence."""

    at: Annotated[datetime, Field(description="when it was decided")]
    kind: Annotated[GateKind, Field(description="judged by the gatekeeper, or asked, withdrawn or restored")]
    policy: Annotated[str, Field(description="whose evidence it rests on: what another policy proved says nothing of this one")]
    mode: Annotated[ControlMode, Field(description="of control")]
    state: Annotated[Literal["not_ready", "offered", "withdrawn"] | None, Field(description="what the mode is from then on; null where somebody asked for it")]
    reason: Annotated[str, Field(description="a code of luna.wording.agent")]
    better: Annotated[bool, Field(description="whether the agent was surely cheaper, not only no dearer")] = False
    evidence: Annotated[list[GateEvidence], Field(description="what it rests on")] = []
    decided_by: Annotated[str, Field(description="gatekeeper, or the name of who decided")]


class ModeStanding(Message):
    """How a mode of control stands. ``better``: the agent is surely cheaper than the planner, not only no dearer."""

    mode: Annotated[ControlMode, Field(description="of control")]
    state: Annotated[GateState, Field(description="active: it holds now")]
    reason: Annotated[str, Field(description="as a sentence")]
    reason_code: Annotated[str, Field(description="the same as a code of luna.wording.agent")]
    better: Annotated[bool, Field(description="whether the agent is surely cheaper than the planner")] = False
    decided_by: Annotated[str, Field(description="gatekeeper, or who decided")] = GATEKEEPER
    decided_at: Annotated[datetime | None, Field(description="when; null: never")] = None
    evidence: Annotated[list[GateEvidence], Field(description="what it was last judged by, with as much of the agent's plan as it takes")] = []


class AgentStatus(Message):
    """Where the agent of a site stands on the road to control."""

    site_id: Annotated[str, Field(description="the site's name")]
    policy: Annotated[str, Field(description="the policy that plans in shadow, by its name in replays")]
    shadow_policy_type: Annotated[str, Field(description="what the site's setting calls it")]
    wanted: Annotated[ControlMode, Field(description="what the owner asked for: antares.control_mode of the site")]
    mode: Annotated[ControlMode, Field(description="what holds")]
    run_id: Annotated[str | None, Field(description="the training that speaks; null: none does")]
    trained_at: Annotated[datetime | None, Field(description="until when the data went that it learned from")]
    last_shadow_plan: Annotated[datetime | None, Field(description="when it planned last; null: never")]
    shadow_plans: Annotated[int, Field(description="how many plans it made")]
    evidence: Annotated[list[GateEvidence], Field(description="what days have said so far, by kind")]
    modes: Annotated[list[ModeStanding], Field(description="from less to more")]
    next_step: Annotated[str, Field(description="what has to happen next, as a sentence")]
    next_step_code: Annotated[str, Field(description="the same as a code of luna.wording.agent")]
    judged_at: Annotated[datetime | None, Field(description="when the gatekeeper judged last; null: never")]
