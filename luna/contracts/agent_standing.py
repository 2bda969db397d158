"""Messages of the gateway about a site's agent beside its standing.

These are settings, scores by period, who decided each slot and why, and trainings.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from luna.contracts.agent import AgentKind
from luna.contracts.agent_control import ControlMode, GateVerdict
from luna.contracts.message import Message

ScorePeriod = Literal["yesterday", "week", "month"]
ShadowPolicyType = Literal["lightgbm", "rl", "imitation", "network", "clone"]


class AgentSettings(Message):
    """The owner's settings of the agent: the site's section ``antares``."""

    shadow_policy_type: Annotated[
        ShadowPolicyType, Field(description="which trained policy plans beside the planner")
    ]
    control_mode: Annotated[
        ControlMode, Field(description="what it may decide once it has proven itself")
    ]


class AgentSettingsChange(Message):
    """A change of the agent's settings; what is left out stays."""

    shadow_policy_type: Annotated[
        ShadowPolicyType | None, Field(description="which trained policy plans beside the planner")
    ] = None
    control_mode: Annotated[
        ControlMode | None,
        Field(description="what it may decide; naming a mode that was withdrawn gives it back"),
    ] = None


class PolicyTotal(Message):
    """Costs of a policy over the compared days, stored energy included."""

    cost: Annotated[
        float, Field(description="over the days, less what the batteries' energy gained in worth")
    ]
    saved: Annotated[float, Field(description="beside the inverter alone (self_consumption)")]
    share: Annotated[
        float | None,
        Field(
            description=(
                "of what perfect foresight saved beside the inverter alone; null where that "
                "was next to nothing"
            )
        ),
    ]


class AgentGain(Message):
    """By how much the agent was cheaper than the planner.

    The interval, 95 % by blocks of a week, only where there are enough days for one.
    """

    gain: Annotated[float, Field(description="currency, positive where the agent was cheaper")]
    low: Annotated[
        float | None, Field(description="lower end of the interval; null: too few days")
    ] = None
    high: Annotated[
        float | None, Field(description="upper end of the interval; null: too few days")
    ] = None
    days_ahead: Annotated[int, Field(description="days on which the agent was the cheaper one")]


class ScoredAgentDay(Message):
    """Costs of a local day that every policy was scored on, stored energy included.

    ``source``: shadow is what both stored chains of plans would have cost; replay, where there was
    none, what a replay of the day cost.
    """

    day: Annotated[date, Field(description="local")]
    source: Annotated[
        Literal["shadow", "replay"],
        Field(description="stored plans, or a replay where there were none"),
    ]
    cost: Annotated[dict[str, float], Field(description="by policy")]


class AgentScores(Message):
    """Planner, agent and oracle beside the idle battery and the inverter alone.

    The days are those of a period on which all of them were scored.
    """

    site_id: Annotated[str, Field(description="the site's name")]
    policy: Annotated[str, Field(description="the agent's, by its name in replays")]
    period: Annotated[ScorePeriod, Field(description="as it was asked for")]
    from_day: Annotated[date, Field(description="the first local day of the period")]
    to_day: Annotated[date, Field(description="the last local day of the period: yesterday")]
    currency: Annotated[str, Field(description="of all costs, ISO 4217")]
    days: Annotated[
        list[ScoredAgentDay], Field(description="the days that all were scored on, in order")
    ]
    policies: Annotated[dict[str, PolicyTotal], Field(description="empty where no day was scored")]
    over_mpc: Annotated[AgentGain | None, Field(description="null where no day was scored")]


class SlotDecision(Message):
    """The decider of the batteries' action in a slot.

    Beside it stands what both plans in force would have had them do.
    """

    start: Annotated[datetime, Field(description="begin of the quarter-hour")]
    decided_by: Annotated[
        Literal["planner", "agent", "owner", "rule"] | None,
        Field(description="null: nothing was decided, as where the site is not armed"),
    ]
    reason: Annotated[
        str | None, Field(description="the executor's code; luna.contracts.control.ReasonCode")
    ]
    plan_id: Annotated[
        str | None, Field(description="the planner's plan in force; null: there was none")
    ]
    planner_mode: Annotated[str | None, Field(description="what that plan has the batteries do")]
    agent_plan_id: Annotated[
        str | None, Field(description="the agent's plan beside it; null: it made none")
    ]
    agent_mode: Annotated[str | None, Field(description="what that plan has the batteries do")]
    verdict: Annotated[
        GateVerdict | None,
        Field(description="what the gatekeeper made of the agent's plan; null: none was made"),
    ]


class AgentRun(Message):
    """A training of the agent. ``speaks``: its model is the one in use of its kind."""

    run_id: Annotated[str, Field(description="its name")]
    kind: Annotated[AgentKind, Field(description="of agent")]
    data_from: Annotated[datetime, Field(description="begin of the data that it learned from")]
    data_until: Annotated[datetime, Field(description="end of the data that it learned from")]
    trigger: Annotated[str, Field(description="hand, schedule, drift or force")]
    accepted: Annotated[bool, Field(description="whether its model may speak")]
    speaks: Annotated[bool, Field(description="whether its model is the one in use of its kind")]
    verdict: Annotated[str, Field(description="why it was accepted or not")]
    seed: Annotated[int, Field(description="of all chance in it")]
    train_seconds: Annotated[float, Field(description="how long it took")]
    code_version: Annotated[str, Field(description="of Luna")]
    metrics: Annotated[dict[str, Any], Field(description="how it did on days that it had not seen")]
