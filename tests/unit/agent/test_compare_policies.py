"""Policies beside each other on the same days: figures that can be worked out by hand."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from luna.contracts.replay import DayCost, PolicyReply, ReplayReply
from luna.energy.errors import NotFoundError
from services.agent.evaluation.compare import (
    PolicyCosts,
    collect_costs,
    compare,
    compare_stored,
    score_policies,
)
from services.agent.evaluation.days import EvaluationWeek

MONDAY = date(2023, 10, 2)


def score_days(
    costs: Sequence[float],
    *,
    first: date = MONDAY,
    value_gain: float | None = 0.0,
    stored_gain: float = 0.0,
) -> list[DayCost]:
    return [
        DayCost(
            day=first + timedelta(days=number),
            cost=cost,
            value_gain=value_gain,
            stored_gain=stored_gain,
        )
        for number, cost in enumerate(costs)
    ]


def reply_with(policies: Mapping[str, Sequence[DayCost]]) -> ReplayReply:
    told = {
        name: PolicyReply(
            cost=sum(day.cost for day in days),
            import_kwh=0,
            export_kwh=0,
            cycles=0,
            score=None,
            violations=1,
            unserved_kwh=0.5,
            mode_changes_per_day=3.0,
            terminal_value=0.1,
            days=list(days),
            run_id=f"{name}_run",
        )
        for name, days in policies.items()
    }
    return ReplayReply(policies=told, slots=96, currency="EUR", initial_soc={})


def test_a_score_is_the_share_of_the_oracles_savings_and_stored_energy_counts() -> None:
    # Idle costs 2 a day, the oracle 1; the planner 1.4 and leaves energy worth 0.2 in its battery:
    # 2 - 1.2 of 1 saved.
    scored = {
        "idle": score_days([2.0] * 14),
        "oracle": score_days([1.0] * 14),
        "mpc": score_days([1.4] * 14, value_gain=0.2),
    }
    costs = PolicyCosts.of(scored)
    found = score_policies(costs, [reply_with(scored)])
    assert {name: score.score for name, score in found.items()} == pytest.approx(
        {"idle": 0.0, "oracle": 1.0, "mpc": 0.8}
    )
    assert (found["mpc"].low, found["mpc"].high) == pytest.approx((0.8, 0.8))
    assert found["mpc"].cost == pytest.approx(14 * 1.2)


def test_where_the_oracles_value_is_not_known_stored_energy_counts_as_at_the_end() -> None:
    costs = PolicyCosts.of({"mpc": score_days([1.0], value_gain=None, stored_gain=0.3)})
    assert costs.cost["mpc"].tolist() == pytest.approx([0.7])


def test_a_gain_is_in_points_of_what_can_be_saved_and_paired_by_day() -> None:
    rng = np.random.default_rng(1)
    weather = rng.normal(0.0, 5.0, 105)  # days differ by far more than policies do
    better = rng.normal(0.05, 0.02, 105)
    scored = {
        "idle": score_days([*(weather + 2.0)]),
        "oracle": score_days([*weather]),
        "mpc": score_days([*(weather + 0.4)]),
        "antares": score_days([*(weather + 0.4 - better)]),
    }
    found = compare(PolicyCosts.of(scored), "antares", over="mpc")
    assert found is not None
    # 105 days of two can be saved.
    assert found.points == pytest.approx(100 * better.sum() / 210)
    assert 0 < found.low < found.points < found.high
    assert found.p_value < 0.001
    scores = score_policies(PolicyCosts.of(scored), [reply_with(scored)])
    assert scores["antares"].over_mpc == found
    assert scores["mpc"].over_mpc is None


def test_who_gains_the_other_loses() -> None:
    rng = np.random.default_rng(2)
    days = {
        name: score_days([*rng.normal(mean, 0.3, 70)])
        for name, mean in (("idle", 3.0), ("oracle", 1.0), ("a", 1.5), ("b", 1.6))
    }
    costs = PolicyCosts.of(days)
    one = compare(costs, "a", over="b")
    other = compare(costs, "b", over="a")
    assert one is not None
    assert other is not None
    assert (one.points, one.low, one.high, one.p_value) == pytest.approx(
        (-other.points, -other.high, -other.low, other.p_value)
    )


def test_where_nothing_can_be_saved_nobody_has_a_score() -> None:
    scored = {name: score_days([1.0] * 7) for name in ("idle", "oracle", "mpc")}
    found = score_policies(PolicyCosts.of(scored), [reply_with(scored)])
    assert {(score.score, score.low, score.over_mpc) for score in found.values()} == {
        (None, None, None)
    }


def test_only_days_that_count_are_scored_and_breaches_of_whole_weeks() -> None:
    weeks = [
        EvaluationWeek(MONDAY, 7, MONDAY),
        EvaluationWeek(MONDAY + timedelta(days=7), 2, MONDAY),
    ]
    replies = [
        reply_with(
            {
                "idle": score_days([1.0] * 7, first=week.first),
                "mpc": score_days([0.5] * 7, first=week.first),
            }
        )
        for week in weeks
    ]
    costs = collect_costs(weeks, replies)
    assert len(costs.days) == 9
    found = score_policies(costs, replies)["mpc"]
    assert (
        found.cost,
        found.violations,
        found.unmet_kwh,
        found.mode_changes_per_day,
        found.run_id,
    ) == (4.5, 2, 1.0, 3.0, "mpc_run")


def test_stored_days_are_compared_where_both_were_scored() -> None:
    scored = {
        "mpc": score_days([1.0] * 20),
        "antares": score_days([0.9] * 10 + [1.1] * 4, first=MONDAY + timedelta(days=2)),
    }
    found = compare_stored("home", scored, ("antares", "mpc"), currency="EUR")
    assert (found.days, found.from_day, found.to_day) == (
        14,
        MONDAY + timedelta(days=2),
        MONDAY + timedelta(days=15),
    )
    assert found.gain == pytest.approx(10 * 0.1 - 4 * 0.1)
    assert found.days_ahead == 10
    assert found.points is None


def test_points_are_told_where_the_oracle_and_idle_were_scored_beside() -> None:
    scored = {
        name: score_days([cost] * 14)
        for name, cost in (("idle", 2.0), ("oracle", 1.0), ("mpc", 1.3), ("rl", 1.2))
    }
    found = compare_stored("home", scored, ("rl", "mpc"), currency="EUR")
    assert found.points is not None
    assert found.points.points == pytest.approx(10.0)


def test_what_was_not_scored_says_which_command_does() -> None:
    with pytest.raises(NotFoundError) as raised:
        compare_stored("home", {"mpc": score_days([1.0])}, ("antares", "mpc"), currency="EUR")
    assert (raised.value.reason, raised.value.parameters) == (
        "no-day-scored-for-both",
        {"site_id": "home", "policy": "antares", "over": "mpc"},
    )
    assert "luna replay --site home" in (raised.value.remedy or "")
