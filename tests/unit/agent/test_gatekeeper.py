"""What the gatekeeper makes of days: a mode is offered by evidence alone, and given back by new
evidence or its owner.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.agent_control import GATEKEEPER, ControlMode, GateEntry
from luna.contracts.plan import Terminal
from luna.energy.policy import PlanPolicy
from luna.platform.database.agent_gates import EffectiveMode, find_effective_mode
from services.agent.gatekeeper import (
    DailyGain,
    DaysOfEvidence,
    ModeHistory,
    judge_modes,
    judge_plan,
    weigh_days,
)
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import hold_reserve
from services.planner.problem.problem import Problem
from tests.support.planning.problems import describe_site, make_problem
from tests.support.suite.tables import each_row

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
LAST = date(2026, 5, 31)
MODE: ControlMode = "full_control"


def days(count: int, gain: float, *, spread: float = 0.02, last: date = LAST) -> list[DailyGain]:
    """Days of which each could save one euro; the agent gains so much of it, give or take."""
    noise = np.random.default_rng(count).normal(0.0, spread, count)
    return [
        DailyGain(last - timedelta(days=count - 1 - place), gain + float(each), 1.0)
        for place, each in enumerate(noise)
    ]


def entry(
    state: str, *, at: datetime = NOW - timedelta(days=40), by: str = GATEKEEPER
) -> GateEntry:
    kind = {"offered": "judged", "withdrawn": "withdrawn", "not_ready": "judged"}[state]
    about = {"kind": kind, "policy": "antares", "mode": MODE, "reason": "losing_streak"}
    return GateEntry.model_validate(about | {"at": at, "state": state, "decided_by": by})


def judge(
    found: DaysOfEvidence, last: GateEntry | None = None, *, zone: str = "Europe/Berlin"
) -> GateEntry | None:
    known = {} if last is None else {MODE: last}
    turns = known if last is not None and last.kind == "withdrawn" else {}
    judged = judge_modes(
        {MODE: found},
        ModeHistory("antares", known, turns, ZoneInfo(zone)),
        now=NOW,
        rng=np.random.default_rng(1),
    )
    return judged[0] if judged else None


def told(found: DaysOfEvidence, last: GateEntry | None = None) -> tuple[str | None, str, bool]:
    judged = judge(found, last)
    assert judged is not None
    return judged.state, judged.reason, judged.better


@each_row(
    ("replay", "shadow", "says"),
    [
        pytest.param(
            days(179, 0.05),
            days(60, 0.05),
            ("not_ready", "replay_days", False),
            id="too few recorded days",
        ),
        pytest.param(
            days(180, 0.05),
            days(29, 0.05),
            ("not_ready", "shadow_days", False),
            id="too few days in shadow",
        ),
        pytest.param(
            days(180, -0.1, spread=0.3),
            days(30, -0.1, spread=0.3),
            ("not_ready", "behind", False),
            id="ten points behind",
        ),
        pytest.param(
            days(180, 0.05), days(30, 0.05), ("offered", "cheaper", True), id="five points ahead"
        ),
        pytest.param(
            days(180, 0.0),
            days(30, 0.0),
            ("offered", "no_dearer", False),
            id="as dear as the planner",
        ),
    ],
)
def test_a_mode_is_offered_by_days_of_both_kinds_and_an_interval(
    replay: Sequence[DailyGain], shadow: Sequence[DailyGain], says: tuple[str | None, str, bool]
) -> None:
    assert told(DaysOfEvidence(replay, shadow)) == says


def test_wide_intervals_offer_nothing() -> None:
    """Two points ahead, but a day's deviation is as much as a day could save: over 210 days the
    mean is known to seven points.
    """
    assert (
        told(DaysOfEvidence(days(180, 0.02, spread=1.0), days(30, 0.02, spread=1.0)))[1] == "behind"
    )


def test_what_days_say_is_in_points_of_what_could_be_saved() -> None:
    found = weigh_days(
        "shadow",
        [DailyGain(LAST - timedelta(days=place), 0.03, 1.5) for place in range(30)],
        rng=np.random.default_rng(1),
    )
    # 30 × 0.03 of 30 × 1.5, every day alike.
    assert (found.points, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert found.gain == pytest.approx(0.9)


def test_days_on_which_nothing_could_be_saved_say_nothing() -> None:
    found = weigh_days("shadow", [DailyGain(LAST, 0.0, 0.0)], rng=np.random.default_rng(1))
    assert (found.points, found.low) == (None, None)


def test_a_losing_streak_withdraws_what_was_offered() -> None:
    lost = [*days(60, 0.02, last=LAST - timedelta(days=7)), *days(7, -0.9)]
    judged = judge(DaysOfEvidence(days(180, 0.05), lost), entry("offered"))
    assert judged is not None
    assert (judged.kind, judged.state, judged.reason) == ("withdrawn", "withdrawn", "losing_streak")
    assert {each.kind for each in judged.evidence} == {"replay", "shadow", "both"}


@pytest.mark.parametrize(("corrected", "state"), [(20, "offered"), (21, "withdrawn")])
def test_the_safety_layer_may_correct_two_slots_of_a_hundred(corrected: int, state: str) -> None:
    found = replace(
        DaysOfEvidence(days(180, 0.05), days(30, 0.05)), slots=1000, corrected=corrected
    )
    assert told(found, entry("offered"))[0] == state


@pytest.mark.parametrize(
    ("corrected", "says"), [(1, ("offered", "cheaper")), (2, ("not_ready", "interventions"))]
)
def test_on_its_days_of_evidence_the_safety_layer_may_correct_no_more(
    corrected: int, says: tuple[str, str]
) -> None:
    """Of 96 slots a day two are more than two of a hundred."""
    replay, shadow = (
        [replace(day, corrected=corrected) for day in each]
        for each in (days(180, 0.05), days(30, 0.05))
    )
    judged = judge(DaysOfEvidence(replay, shadow))
    assert judged is not None
    assert (judged.state, judged.reason) == says
    # The thirty days in shadow are the last ones of those that were replayed.
    assert {each.kind: each.violations for each in judged.evidence} == {
        "replay": 180 * corrected,
        "shadow": 30 * corrected,
        "both": 180 * corrected,
    }


def test_what_was_given_back_is_judged_by_corrections_since() -> None:
    replay = [replace(day, corrected=50) for day in days(180, 0.05)]
    restored = GateEntry.model_validate(
        entry("withdrawn", at=NOW - timedelta(days=20)).model_dump()
        | {"kind": "restored", "state": "offered"}
    )
    history = ModeHistory("antares", {MODE: restored}, {MODE: restored}, ZoneInfo("Europe/Berlin"))
    for corrected, state in ((0, "offered"), (50, "withdrawn")):
        shadow = [replace(day, corrected=corrected) for day in days(30, 0.05)]
        assert (
            judge_modes(
                {MODE: DaysOfEvidence(replay, shadow)},
                history,
                now=NOW,
                rng=np.random.default_rng(1),
            )[0].state
            == state
        )


def test_what_was_withdrawn_comes_back_by_days_after_that_alone() -> None:
    replay = days(180, 0.05)
    withdrawn = entry("withdrawn", at=NOW - timedelta(days=25))
    assert told(DaysOfEvidence(replay, days(200, 0.05)), withdrawn)[:2] == (
        "withdrawn",
        "losing_streak",
    )
    judged = judge(
        DaysOfEvidence(replay, days(200, 0.05)), entry("withdrawn", at=NOW - timedelta(days=32))
    )
    assert judged is not None
    assert (judged.kind, judged.state, judged.reason) == ("restored", "offered", "new_evidence")


@each_row(
    ("zone", "at"),
    [
        pytest.param(
            "Australia/Sydney",
            datetime(2026, 4, 30, 18, tzinfo=UTC),
            id="at 04:00, the day before in UTC",
        ),
        pytest.param(
            "America/Los_Angeles",
            datetime(2026, 5, 2, 4, tzinfo=UTC),
            id="at 21:00, the day after in UTC",
        ),
    ],
)
def test_the_day_after_a_withdrawal_is_that_of_the_house(zone: str, at: datetime) -> None:
    """In both houses it is 1 May: of May's days in shadow thirty come after it."""
    judged = judge(
        DaysOfEvidence(days(180, 0.05), days(31, 0.05)), entry("withdrawn", at=at), zone=zone
    )
    assert judged is not None
    assert [each.days for each in judged.evidence] == [30]
    assert judged.state == "offered"


def test_what_its_owner_withdrew_the_gatekeeper_does_not_touch() -> None:
    assert (
        judge(DaysOfEvidence(days(180, 0.05), days(200, 0.05)), entry("withdrawn", by="anna"))
        is None
    )


def test_what_holds_is_the_lesser_of_wanted_and_offered() -> None:
    offered = {
        mode: entry("offered").model_copy(update={"mode": mode})
        for mode in ("export_only", "full_control")
    }
    assert find_effective_mode("shadow", offered) == EffectiveMode("shadow", "mode_is_shadow")
    assert find_effective_mode("export_only", offered) == EffectiveMode("export_only")
    assert find_effective_mode("full_control", offered) == EffectiveMode("full_control")
    assert find_effective_mode(
        "full_control", {"export_only": offered["export_only"]}
    ) == EffectiveMode("export_only", "mode_not_offered")
    assert find_effective_mode("full_control", {}) == EffectiveMode("shadow", "mode_not_offered")
    assert find_effective_mode("full_control", {MODE: entry("withdrawn")}) == EffectiveMode(
        "shadow", "mode_withdrawn"
    )


def evening(price: float) -> Problem:
    """A full battery, a house without sun, and power at one price."""
    series = {"load_kwh": [0.1] * 16, "pv_kwh": 0.0, "import_price": price, "export_price": 0.0}
    return make_problem(
        describe_site({"min_soc": 0.1}), series, soc=0.9, terminal=Terminal(kind="value", value=0.2)
    )


def decided(problem: Problem) -> PlanPolicy:
    policy = decide(problem, Solver()).policy
    assert policy is not None
    return policy


def test_a_plan_that_uses_up_a_reserve_is_not_followed_however_cheap_it_is() -> None:
    problem = evening(0.4)
    reserved = hold_reserve(problem, np.full((1, 16), 8.5))
    verdict = judge_plan(
        reserved, decided(reserved), decided(problem), EffectiveMode("full_control")
    ).verdict
    assert verdict.expected_gain is not None
    assert (verdict.code, verdict.follow, verdict.expected_gain > 0) == (
        "not_safe",
        "nothing",
        True,
    )


def test_a_plan_that_is_dearer_is_not_followed() -> None:
    # At 0.05 it pays to keep what is worth 0.2 at the end; at 0.4 it pays to use it.
    problem = evening(0.4)
    misled = evening(0.05)
    verdict = judge_plan(
        problem, decided(problem), decided(misled), EffectiveMode("full_control")
    ).verdict
    assert verdict.expected_gain is not None
    # By less than a euro: what is dearer is refused, however little.
    assert (verdict.code, verdict.follow, -1 < verdict.expected_gain < 0) == (
        "not_cheaper",
        "nothing",
        True,
    )
    cheaper = judge_plan(
        problem, decided(misled), decided(problem), EffectiveMode("full_control")
    ).verdict
    assert (cheaper.code, cheaper.follow) == ("agent_cheaper", "all")
