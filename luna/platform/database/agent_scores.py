"""Read the costs of planner, agent and oracle on commonly scored days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_standing import (
    AgentGain,
    AgentScores,
    PolicyTotal,
    ScoredAgentDay,
    ScorePeriod,
)
from luna.contracts.replay import DayCost
from luna.energy.bootstrap import BLOCK_DAYS, bound_sum
from luna.energy.savings import LUNA, POSSIBLE, WITHOUT, share_of_possible
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import scores
from luna.platform.database.agent_plans import SHADOW
from luna.platform.database.savings import SYSTEM

PERIOD_DAYS: dict[ScorePeriod, int] = {"yesterday": 1, "week": 7, "month": 30}
IDLE = "idle"
# Blocks of a week say nothing about less than two of them.
LEAST_DAYS = 2 * BLOCK_DAYS


def read_agent_scores(
    connection: Connection, site: Site, period: ScorePeriod, *, now: datetime
) -> AgentScores:
    """Return what a period until yesterday cost.

    A day that was lived in shadow is scored by the stored plans, any other by a replay.

    Raises:
        NotFoundError: no such site.
    """
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    last = now.astimezone(parse_zone(site.timezone)).date() - timedelta(days=1)
    first = last - timedelta(days=PERIOD_DAYS[period] - 1)
    named = {"replay": SYSTEM, "shadow": SHADOW + policy}
    costs_by_source = {
        source: scores.read_daily(connection, site.name, system_id=system, first=first, last=last)
        for source, system in named.items()
    }
    days = list(choose_days(costs_by_source, policy).values())
    frame = {
        "site_id": site.name,
        "policy": policy,
        "period": period,
        "from_day": first,
        "to_day": last,
        "currency": site.currency,
    }
    return AgentScores(**frame, days=days, policies=add_up(days), over_mpc=weigh_gain(days, policy))


def choose_days(
    costs_by_source: Mapping[str, Mapping[str, Sequence[DayCost]]], policy: str
) -> dict[date, ScoredAgentDay]:
    """Return the days on which agent, planner, inverter and oracle were all scored.

    Where two sources have a day, the later one in ``costs_by_source`` counts.

    Args:
        costs_by_source: by source, what each policy cost day by day.
        policy: the agent's.
    """
    needed = {policy, LUNA, WITHOUT, POSSIBLE}
    chosen: dict[date, ScoredAgentDay] = {}
    for source, policies in costs_by_source.items():
        by_day: dict[date, dict[str, float]] = {}
        for name in needed | {IDLE}:
            for cost in policies.get(name, ()):
                by_day.setdefault(cost.day, {})[name] = cost.settled
        for day, costs in by_day.items():
            if needed <= costs.keys():
                chosen[day] = ScoredAgentDay(day=day, source=source, cost=costs)
    return dict(sorted(chosen.items()))


def add_up(days: Sequence[ScoredAgentDay]) -> dict[str, PolicyTotal]:
    """Return the total cost of each policy that is known on all days."""
    if not days:
        return {}
    names = set.intersection(*(set(day.cost) for day in days))
    sums = {name: sum(day.cost[name] for day in days) for name in sorted(names)}
    totals = {}
    for name, cost in sums.items():
        share = share_of_possible(sums, policy=name)
        totals[name] = PolicyTotal(cost=cost, saved=sums[WITHOUT] - cost, share=share)
    return totals


def weigh_gain(days: Sequence[ScoredAgentDay], policy: str) -> AgentGain | None:
    """Return the agent's saving beside the planner, None without days.

    It has an interval where there are enough days.
    """
    if not days:
        return None
    daily = np.array([day.cost[LUNA] - day.cost[policy] for day in days])
    agent_gain = AgentGain(gain=float(daily.sum()), days_ahead=int((daily > 0).sum()))
    if daily.size < LEAST_DAYS:
        return agent_gain
    low, high = bound_sum(daily, rng=np.random.default_rng(days[-1].day.toordinal()))
    return agent_gain.model_copy(update={"low": low, "high": high})
