"""What the gateway tells of a site's agent beside its standing: settings, scores by period, who decided each slot and why, trainings."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from luna.contracts.agent import AgentKind, ControlMode, GateVerdict
from luna.contracts.message import Message

ScorePeriod = Literal["yesterday", "week", "month"]
ShadowPolicyType = Literal["lightgbm", "rl", "imitation", "network", "clone"]


class AgentSettings(Message):
    """What the owner wants of the agent: the site's section ``antares``."""

    shadow_policy_type: Annotated[ShadowPolicyType, Field(description="which trained policy plans beside the planner")]
    control_mode: Annotated[ControlMode, Field(description="what it may decide once it has proven itself")]


class AgentWish(Message):
    """A change of the agent's settings; what is left out stays."""

    shadow_policy_type: Annotated[ShadowPolicyType | None, Field(description="which trained policy plans beside the planner")] = None
    control_mode: Annotated[ControlMode | None, Field(description="what it may decide; naming a mode that was withdrawn gives it back")] = None


class PolicyTotal(Message):
    """What a policy cost over the days that are compared, stored energy counted in."""

    cost: float
    saved: Annotated[float, Field(description="beside the inverter alone (self_consumption)")]
    share: Annotated[float | None, Field(description="of what perfect foresight saved beside the inverter alone; null where that was next to nothing")]


class AgentGain(Message):
    """By how much the agent was cheaper than the planner; the interval, 95 % by blocks of a week, only where there are enough days for one."""

    gain: float
    low: float | None = None
    high: float | None = None
    days_ahead: Annotated[int, Field(description="days on which the agent was the cheaper one")]


class ScoredAgentDay(Message):
    """A local day that every policy was scored on: its costs, stored energy counted in.

    ``source``: shadow is what both stored chains of plans would have cost; replay, where there was none, what a replay of the day cost.
    """

    day: date
    source: Literal["shadow", "replay"]
    cost: dict[str, float]


class AgentScores(Message):
    """Planner, agent and oracle beside the idle battery and the inverter alone, on the days of a period that all of them were scored on."""

    site_id: str
    policy: str
    period: ScorePeriod
    from_day: date
    to_day: date
    currency: str
    days: list[ScoredAgentDay]
    policies: Annotated[dict[str, PolicyTotal], Field(description="empty where no day was scored")]
    over_mpc: Annotated[AgentGain | None, Field(description="null where no day was scored")]


class SlotDecision(Message):
    """Who decided what the batteries did in a slot, and what both plans that were in force would have had them do."""

    start: datetime
    decided_by: Annotated[Literal["planner", "agent", "owner", "rule"] | None, Field(description="null: nothing was decided, as where the site is not armed")]
    reason: Annotated[str | None, Field(description="the executor's code; luna.contracts.control.ReasonCode")]
    plan_id: str | None
    planner_mode: str | None
    agent_plan_id: str | None
    agent_mode: str | None
    verdict: Annotated[GateVerdict | None, Field(description="what the gatekeeper made of the agent's plan; null: none was made")]


class AgentRun(Message):
    """A training of the agent. ``speaks``: its model is the one in use of its kind."""

    run_id: str
    kind: AgentKind
    data_from: datetime
    data_until: datetime
    trigger: str
    accepted: bool
    speaks: bool
    verdict: str
    seed: int
    train_seconds: float
    code_version: str
    metrics: dict[str, Any]
