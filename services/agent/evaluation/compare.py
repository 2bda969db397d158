"""Compares policies on the same days: cost, score, and the confidence of their difference."""

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
# The agent's policies are compared with the planner as it is executed, and with inverters alone.
PLANNER = "mpc"
INVERTER = "self_consumption"
# Less than this is nothing to save.
_LITTLE_MONEY = 1e-6


@dataclass(frozen=True, slots=True)
class PolicyCosts:
    """The costs of each policy on the same days, ``(days,)``, in currency.

    The gain of its batteries, by the oracle's value of stored energy, is subtracted.
    """

    days: Sequence[date]
    cost: Mapping[str, FloatArray]

    @classmethod
    def of(cls, scored: Mapping[str, Sequence[DayCost]]) -> "PolicyCosts":
        """Return the costs of policies on the days on which all of them were scored."""
        by_day = {name: {day.day: day.settled for day in days} for name, days in scored.items()}
        shared: list[date] = []
        if by_day:
            shared = sorted(set.intersection(*map(set, by_day.values())))
        costs = {}
        for name, settled in by_day.items():
            costs[name] = np.array([settled[day] for day in shared])
        return cls(shared, costs)

    @property
    def possible(self) -> FloatArray | None:
        """The oracle's savings over idle by day; None if unknown or zero."""
        if WORST not in self.cost or BEST not in self.cost:
            return None
        possible: FloatArray = self.cost[WORST] - self.cost[BEST]
        return possible if possible.sum() > _LITTLE_MONEY else None

    def gain(self, name: str, *, over: str) -> FloatArray:
        """Return a policy's savings over another by day."""
        return np.asarray(self.cost[over] - self.cost[name])


def compare(costs: PolicyCosts, name: str, *, over: str, seed: int = 0) -> Comparison | None:
    """Return a policy's gain over another in points of the oracle's savings; None if unknown.

    The bootstrap draws blocks of a week, since days in a row resemble each other, and the same ones
    for both policies.
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
    """Return each policy's score on the days of ``costs``, and its gains over planner and inverter.

    Args:
        costs: of the days that count.
        replies: the replays of those days, whole; a breach on any of their days counts.
        seed: of all draws.
    """
    scores = {}
    possible = costs.possible
    for name in costs.cost:
        # The policy's share of the oracle's savings over idle, with its interval.
        share = None
        low = None
        high = None
        if possible is not None:
            saved = costs.gain(name, over=WORST)
            share = float(saved.sum() / possible.sum())
            low, high = bound_ratio(saved, possible, rng=np.random.default_rng(seed))
        policies = [reply.policies[name] for reply in replies]
        days = sum(len(policy.days) for policy in policies)
        changes = sum(policy.mode_changes_per_day * len(policy.days) for policy in policies)
        gains = {}
        for other in (PLANNER, INVERTER):
            if other in costs.cost and other != name:
                gains[f"over_{other}"] = compare(costs, name, over=other, seed=seed)
        scores[name] = PolicyScore(
            cost=float(costs.cost[name].sum()),
            score=share,
            low=low,
            high=high,
            violations=sum(policy.violations for policy in policies),
            unmet_kwh=sum(policy.unserved_kwh for policy in policies),
            mode_changes_per_day=changes / days,
            run_id=policies[-1].run_id,
            **gains,
        )
    return scores


def collect_costs(weeks: Sequence[EvaluationWeek], replies: Sequence[ReplayReply]) -> PolicyCosts:
    """Return the costs of policies on the counted days of weeks, each replayed in one go."""
    counted: set[date] = set()
    for week in weeks:
        counted.update(week.counted)
    scored: dict[str, list[DayCost]] = {}
    for name in replies[0].policies:
        if not all(name in reply.policies for reply in replies):
            continue
        scored[name] = []
        for reply in replies:
            scored[name] += [day for day in reply.policies[name].days if day.day in counted]
    return PolicyCosts.of(scored)


def compare_stored(
    site_id: str,
    scored: Mapping[str, Sequence[DayCost]],
    pair: tuple[str, str],
    *,
    currency: str,
    seed: int = 0,
) -> PolicyComparison:
    """Return the comparison of two policies on the days that replays scored for both.

    Raises:
        NotFoundError: there is no such day.
    """
    policy, over = pair
    costs = PolicyCosts([], {})
    if policy in scored and over in scored:
        costs = PolicyCosts.of({name: scored[name] for name in pair})
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
        if list(whole.days) == list(costs.days):
            points = compare(whole, policy, over=over, seed=seed)
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
