"""Control by the agent: plans in shadow, verdicts and modes of control.

The gatekeeper judges each plan; evidence is kept for each mode, and how the modes stand.
"""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.forecast import SiteId
from luna.contracts.message import Message, Request, Schedule

ControlMode = Literal["shadow", "export_only", "full_control"]
# From less to more.
CONTROL_MODES: tuple[ControlMode, ...] = ("shadow", "export_only", "full_control")
# Which part of the agent's plan devices follow.
FollowedPart = Literal["nothing", "export", "all"]
# The most that each mode allows.
FOLLOWED: dict[ControlMode, FollowedPart] = {
    "shadow": "nothing",
    "export_only": "export",
    "full_control": "all",
}
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
    """The gatekeeper's verdict on a shadow plan.

    ``follow`` says which part of it devices follow.
    """

    code: Annotated[GateCode, Field(description="why devices follow the agent's plan, or not")]
    follow: Annotated[FollowedPart, Field(description="which part of it they follow")]
    expected_gain: Annotated[
        float | None,
        Field(
            description=(
                "expected cost of the planner's plan less that of the agent's, over the same "
                "scenarios"
            )
        ),
    ] = None
    interventions: Annotated[
        int,
        Field(
            description=(
                "slots in which the safety layer or a limit changed what the agent asked for"
            )
        ),
    ] = 0


class ShadowPlanReply(Message):
    """A shadow plan as it was stored.

    ``plan_id`` is null where none was made, and ``verdict.code`` says why.
    """

    plan_id: str | None
    based_on: str
    policy: str
    run_id: str | None = None
    verdict: GateVerdict
    milliseconds: float


class ShadowPlanRequest(Request):
    """Let the agent plan from what a plan of the planner was made from.

    Nothing of it reaches a device but by the gatekeeper's word.
    """

    task: ClassVar[str] = "agent.shadow.plan"
    reply: ClassVar[type[Message]] = ShadowPlanReply

    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


class NightReply(Message):
    """Results of the nightly chain, site by site.

    It names days scored and replayed, trainings asked for, how each mode stands, and what failed.
    """

    sites: dict[str, list[str]]
    faults: dict[str, str] = {}


class NightRequest(Request):
    """Run the agent's nightly chain.

    It scores yesterday's plans, replays the days that are due, judges the modes, and trains.

    Each site in its night.
    """

    task: ClassVar[str] = "agent.night.run"
    reply: ClassVar[type[Message]] = NightReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1),
        "nights",
        "time between two looks for what the agent's nights have to do",
    )
    public: ClassVar[bool] = True

    site_id: Annotated[
        SiteId | None, Field(description="default: every site whose night it is")
    ] = None


class ShadowPlanSummary(Message):
    """A shadow plan without its slots.

    ``plan_id`` is null where the agent made none, and ``verdict.code`` says why.

    ``metrics``: ``planner_cost`` and ``agent_cost`` over the same scenarios, ``scenarios``,
    ``milliseconds``, ``interventions`` and ``breach_kwh``.
    """

    plan_id: Annotated[str | None, Field(description="null: the agent made no plan")]
    based_on: Annotated[
        str, Field(description="the planner's plan that was made from the same inputs")
    ]
    policy: Annotated[str, Field(description="whose plan it is")]
    run_id: Annotated[
        str | None, Field(description="the training it rests on; null: there was none")
    ]
    issued_at: Annotated[datetime, Field(description="when it was made")]
    starts_at: Annotated[datetime, Field(description="begin of its first slot")]
    ends_at: Annotated[datetime, Field(description="end of its last slot")]
    verdict: Annotated[GateVerdict, Field(description="what the gatekeeper made of it")]
    metrics: Annotated[
        dict[str, float], Field(description="expected costs of both plans and what they rest on")
    ]


class GateEvidence(Message):
    """Days of one kind of evidence, and the agent's lead on them.

    The lead is in points of the oracle's savings, with the 95 % interval. both: recorded days that
    were replayed and days in shadow together, a day that is both as it was in shadow.
    """

    kind: Annotated[
        Literal["replay", "shadow", "both"],
        Field(description="replayed days, days in shadow, or both together"),
    ]
    days: Annotated[int, Field(description="how many there are")]
    needed: Annotated[int, Field(description="how many it takes")]
    gain: Annotated[float | None, Field(description="currency over these days")] = None
    points: Annotated[
        float | None,
        Field(
            description="of the oracle's savings by which the agent is ahead; null: nothing to save"
        ),
    ] = None
    low: Annotated[float | None, Field(description="lower end of the 95 % interval")] = None
    high: Annotated[float | None, Field(description="upper end of the 95 % interval")] = None
    violations: Annotated[
        int,
        Field(
            description=(
                "slots of these days in which the safety layer changed what the agent asked for"
            )
        ),
    ] = 0


GateState = Literal["not_ready", "offered", "active", "withdrawn"]
# judged: by the gatekeeper, each night; the others by somebody who may manage the site, or,
# withdrawn, by the gatekeeper as well.
GateKind = Literal["judged", "asked", "withdrawn", "restored"]
GATEKEEPER = "gatekeeper"
# Days of evidence from which on a mode is offered: recorded ones that were replayed first, then
# days in shadow.
REPLAY_DAYS = 180
SHADOW_DAYS = 30


class GateEntry(Message):
    """A decision about a mode of control: rows are only added.

    ``state`` is null where somebody asked for a mode, which is no evidence.
    """

    at: Annotated[datetime, Field(description="when it was decided")]
    kind: Annotated[
        GateKind, Field(description="judged by the gatekeeper, or asked, withdrawn or restored")
    ]
    policy: Annotated[
        str,
        Field(
            description=(
                "whose evidence it rests on: what another policy proved says nothing of this one"
            )
        ),
    ]
    mode: Annotated[ControlMode, Field(description="of control")]
    state: Annotated[
        Literal["not_ready", "offered", "withdrawn"] | None,
        Field(description="what the mode is from then on; null where somebody asked for it"),
    ]
    reason: Annotated[str, Field(description="a code of luna.words.agent")]
    better: Annotated[
        bool, Field(description="whether the agent was surely cheaper, not only no dearer")
    ] = False
    evidence: Annotated[list[GateEvidence], Field(description="what it rests on")] = []
    decided_by: Annotated[str, Field(description="gatekeeper, or the name of who decided")]


class ModeStanding(Message):
    """The state of a mode of control.

    ``better``: the agent is surely cheaper than the planner, not only no dearer.
    """

    mode: Annotated[ControlMode, Field(description="of control")]
    state: Annotated[GateState, Field(description="active: it holds now")]
    reason: Annotated[str, Field(description="as a sentence")]
    reason_code: Annotated[str, Field(description="the same as a code of luna.words.agent")]
    better: Annotated[
        bool, Field(description="whether the agent is surely cheaper than the planner")
    ] = False
    decided_by: Annotated[str, Field(description="gatekeeper, or who decided")] = GATEKEEPER
    decided_at: Annotated[datetime | None, Field(description="when; null: never")] = None
    evidence: Annotated[
        list[GateEvidence],
        Field(
            description="what it was last judged by, with as much of the agent's plan as it takes"
        ),
    ] = []


class AgentStatus(Message):
    """The state of a site's agent on the way to control."""

    site_id: Annotated[str, Field(description="the site's name")]
    policy: Annotated[
        str, Field(description="the policy that plans in shadow, by its name in replays")
    ]
    shadow_policy_type: Annotated[str, Field(description="what the site's setting calls it")]
    wanted: Annotated[
        ControlMode, Field(description="what the owner asked for: antares.control_mode of the site")
    ]
    mode: Annotated[ControlMode, Field(description="what holds")]
    run_id: Annotated[str | None, Field(description="the training that speaks; null: none does")]
    trained_at: Annotated[
        datetime | None, Field(description="until when the data went that it learned from")
    ]
    last_shadow_plan: Annotated[
        datetime | None, Field(description="when it planned last; null: never")
    ]
    shadow_plans: Annotated[int, Field(description="how many plans it made")]
    evidence: Annotated[
        list[GateEvidence], Field(description="what days have said so far, by kind")
    ]
    modes: Annotated[list[ModeStanding], Field(description="from less to more")]
    next_step: Annotated[str, Field(description="what has to happen next, as a sentence")]
    next_step_code: Annotated[str, Field(description="the same as a code of luna.words.agent")]
    judged_at: Annotated[
        datetime | None, Field(description="when the gatekeeper judged last; null: never")
    ]
