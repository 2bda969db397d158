"""Policies beside each other on the same days: cost, score, and how sure the difference between two
of them is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from luna.contracts.agent import Comparison, PolicyComparison, PolicyScore
from luna.contracts.replay import DayCost, ReplayReply
from luna.energy.bootstrap import bound_ratio, bound_sum, permute_signs
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from services.agent.evaluation.days import EvaluationWeek

WORST = "idle"
BEST = "oracle"
# What learned policies are held against: the planner as it is executed, and what inverters do by
# themselves.
PLANNER = "mpc"
INVERTER = "self_consumption"
# Less than this is nothing to save.
_LITTLE_MONEY = 1e-6


@dataclass(frozen=True, slots=True)
class PolicyCosts:
    """What each policy cost on the same days, ``(days,)``, in currency.

    What its batteries gained by the oracle's value of stored energy is taken off.
    """

    days: Sequence[date]
    cost: Mapping[str, FloatArray]

    @classmethod
    def of(cls, scored: Mapping[str, Sequence[DayCost]]) -> "PolicyCosts":
        """Return what policies cost on the days on which all of them were scored."""
        by_day = {name: {day.day: day.settled for day in days} for name, days in scored.items()}
        shared = (
            sorted(set.intersection(*(set(days) for days in by_day.values()))) if by_day else []
        )
        return cls(
            shared, {name: np.array([days[day] for day in shared]) for name, days in by_day.items()}
        )

    @property
    def possible(self) -> FloatArray | None:
        """What the oracle saves over idle, by day.

        None where one of both is not known, or there is nothing to save.
        """
        if WORST not in self.cost or BEST not in self.cost:
            return None
        possible: FloatArray = self.cost[WORST] - self.cost[BEST]
        return possible if possible.sum() > _LITTLE_MONEY else None

    def gain(self, name: str, *, over: str) -> FloatArray:
        """Return by day what a policy costs less than another."""
        return np.asarray(self.cost[over] - self.cost[name])


def compare(costs: PolicyCosts, name: str, *, over: str, seed: int = 0) -> Comparison | None:
    """Return what a policy gains over another in points of the oracle's savings.

    None where those are not known.

    Blocks of a week are drawn, the same for both: days in a row resemble each other, and both lived
    the same ones.
    """
    possible = costs.possible
    if possible is None:
        return None
    daily = costs.gain(name, over=over) * 100 / possible.sum()
    rng = np.random.default_rng(seed)
    low, high = bound_sum(daily, rng=rng)
    return Comparison(
        points=float(daily.sum()), low=low, high=high, p_value=permute_signs(daily, rng=rng)
    )


def score_policies(
    costs: PolicyCosts, replies: Sequence[ReplayReply], *, seed: int = 0
) -> dict[str, PolicyScore]:
    """Return every policy's score on the days of ``costs``, and its gain over the planner and over
    the inverter alone.

    Args:
        costs: of the days that count.
        replies: the replays that lived them, whole; a breach on any of their days counts.
        seed: of all draws.
    """
    scores = {}
    possible = costs.possible
    for name in costs.cost:
        # The share of the oracle's savings over idle that the policy reaches, with its interval.
        share: tuple[float | None, float | None, float | None] = (None, None, None)
        if possible is not None:
            saved = costs.gain(name, over=WORST)
            share = (
                float(saved.sum() / possible.sum()),
                *bound_ratio(saved, possible, rng=np.random.default_rng(seed)),
            )
        policies = [reply.policies[name] for reply in replies]
        days = sum(len(policy.days) for policy in policies)
        others = {
            f"over_{other}": compare(costs, name, over=other, seed=seed)
            for other in (PLANNER, INVERTER)
            if other in costs.cost and other != name
        }
        scores[name] = PolicyScore(
            cost=float(costs.cost[name].sum()),
            score=share[0],
            low=share[1],
            high=share[2],
            violations=sum(policy.violations for policy in policies),
            unmet_kwh=sum(policy.unserved_kwh for policy in policies),
            mode_changes_per_day=sum(
                policy.mode_changes_per_day * len(policy.days) for policy in policies
            )
            / days,
            run_id=policies[-1].run_id,
            **others,
        )
    return scores


def collect_costs(weeks: Sequence[EvaluationWeek], replies: Sequence[ReplayReply]) -> PolicyCosts:
    """Return what policies cost on the days that count of weeks that were each lived in one go."""
    counted = {day for week in weeks for day in week.counted}
    names = [
        name for name in replies[0].policies if all(name in reply.policies for reply in replies)
    ]
    return PolicyCosts.of(
        {
            name: [
                day for reply in replies for day in reply.policies[name].days if day.day in counted
            ]
            for name in names
        }
    )


def compare_stored(
    site_id: str,
    scored: Mapping[str, Sequence[DayCost]],
    pair: tuple[str, str],
    *,
    currency: str,
    seed: int = 0,
) -> PolicyComparison:
    """Return how two policies stand on the days that replays scored for both.

    Raises:
        NotFoundError: there is no such day.
    """
    policy, over = pair
    named = {name: scored[name] for name in (policy, over) if name in scored}
    costs = PolicyCosts.of(named) if len(named) == len(set(pair)) else PolicyCosts([], {})
    if not costs.days:
        raise refuse(
            "no-day-scored-for-both",
            field="policies",
            value=f"{policy},{over}",
            site_id=site_id,
            policy=policy,
            over=over,
        )
    gain = costs.gain(policy, over=over)
    rng = np.random.default_rng(seed)
    low, high = bound_sum(gain, rng=rng)
    # The same in points, where the oracle and idle were scored on every one of the days.
    points: Comparison | None = None
    names = {*pair, WORST, BEST}
    if names <= scored.keys():
        whole = PolicyCosts.of({name: scored[name] for name in names})
        points = (
            compare(whole, policy, over=over, seed=seed)
            if list(whole.days) == list(costs.days)
            else None
        )
    return PolicyComparison(
        site_id=site_id,
        policy=policy,
        over=over,
        from_day=costs.days[0],
        to_day=costs.days[-1],
        days=len(costs.days),
        currency=currency,
        gain=float(gain.sum()),
        low=low,
        high=high,
        p_value=permute_signs(gain, rng=rng),
        days_ahead=int((gain > _LITTLE_MONEY).sum()),
        points=points,
    )
