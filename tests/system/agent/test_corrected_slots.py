"""What the safety layer changes of what an agent asks for is counted in replays, and takes its
modes from it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from luna.contracts.agent import EXPORT
from luna.contracts.agent_control import GateEntry
from luna.contracts.replay import DayCost
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp, find_corrected
from luna.energy.policy import SocThresholds
from luna.energy.schedule import whole_range
from services.agent.evaluation.replay import sell_by
from services.agent.gatekeeper import DaysOfEvidence, ModeHistory, judge_modes
from services.agent.night import pair_days
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem
from services.planner.replay import ReplayData, ReplaySpec, run
from services.planner.replay.policies import MakePlan, plan_by_planner
from tests.support.agent.agents import Bent, sell_always
from tests.support.planning.replay import DAYS, WINDOW, ZONE, make_scene
from tests.support.suite.tables import each_row

NAMES = ["idle", "self_consumption", "rule", "mpc", "oracle"]


def live(scene: ReplayData, agents: Mapping[str, MakePlan]) -> dict[str, list[DayCost]]:
    reply = run(scene, ReplaySpec([*NAMES, *agents], 4, agents=agents, explain_loss=False)).reply
    assert {policy.violations for policy in reply.policies.values()} == {0}
    return {name: policy.days for name, policy in reply.policies.items()}


@pytest.fixture(scope="module")
def lived() -> dict[str, list[DayCost]]:
    greedy = Bent(sell_always, power_kw=50.0).plan
    return live(make_scene(past_days=4), {"antares": greedy, "antares" + EXPORT: sell_by(greedy)})


def test_who_asks_for_what_a_battery_can_do_is_never_corrected(
    lived: dict[str, list[DayCost]],
) -> None:
    assert {
        name: sum(day.corrected or 0 for day in lived[name]) for name in NAMES
    } == dict.fromkeys(NAMES, 0)


def test_every_slot_is_counted_in_which_more_is_asked_for_than_there_is(
    lived: dict[str, list[DayCost]],
) -> None:
    assert sum(day.corrected or 0 for day in lived["antares"]) == WINDOW.count


@pytest.mark.parametrize("policy", ["antares", "antares" + EXPORT])
def test_an_agent_that_always_asks_for_the_impossible_loses_what_it_was_offered(
    lived: dict[str, list[DayCost]], policy: str
) -> None:
    replayed = pair_days(lived, policy)
    offered = GateEntry(
        at=datetime(2023, 9, 1, tzinfo=UTC),
        kind="judged",
        policy="antares",
        mode="full_control",
        state="offered",
        reason="",
        decided_by="x",
    )
    found = {"full_control": DaysOfEvidence(replayed, [])}
    rng = np.random.default_rng(0)
    now = datetime(2023, 11, 1, tzinfo=UTC)
    withdrawn = judge_modes(
        found, ModeHistory("antares", {"full_control": offered}, {}, ZONE), now=now, rng=rng
    )[0]
    assert (withdrawn.state, withdrawn.kind, withdrawn.reason) == (
        "withdrawn",
        "withdrawn",
        "interventions",
    )
    never_offered = judge_modes(found, ModeHistory("antares", {}, {}, ZONE), now=now, rng=rng)[0]
    assert (never_offered.state, never_offered.reason) == ("not_ready", "interventions")
    evidence = {each.kind: each.violations for each in never_offered.evidence}
    assert (evidence["replay"], evidence["shadow"]) == (sum(day.corrected for day in replayed), 0)
    assert evidence["replay"] > 0.02 * 96 * DAYS


def test_who_sells_as_the_planner_does_lives_as_the_planner_does() -> None:
    lived = live(make_scene(past_days=4), {"antares" + EXPORT: sell_by(plan_by_planner)})
    assert lived["antares" + EXPORT] == lived["mpc"]


def buy_always(level: SocThresholds) -> SocThresholds:
    """Fill the battery at any price, and sell nothing of it."""
    return replace(level, buy=np.full_like(level.buy, 2.0), sell=np.full_like(level.sell, 2.0))


def test_of_an_agent_that_may_sell_nothing_else_is_followed() -> None:
    """It fills the battery and keeps it full.

    Where only its selling counts the battery works for the house, and nothing of it is sold.
    """
    buys = Bent(buy_always, power_kw=4.0).plan
    scene = make_scene(past_days=4)
    agents = {"antares": buys, "antares" + EXPORT: sell_by(buys)}
    told = run(
        scene, ReplaySpec(["mpc", *agents], 4, agents=agents, explain_loss=False)
    ).reply.policies
    assert told["antares"].cycles == 0.0
    assert told["antares" + EXPORT].cycles > 0.0
    assert told["antares" + EXPORT].export_kwh < told["mpc"].export_kwh


def plan_without_thresholds(problem: Problem, prices: SitePrices) -> Plan:
    return replace(plan_by_planner(problem, prices), policy=None)


def test_without_thresholds_of_its_own_the_agent_sells_nothing() -> None:
    lived = live(make_scene(past_days=4), {"antares" + EXPORT: sell_by(plan_without_thresholds)})
    assert lived["antares" + EXPORT] == lived["mpc"]


@each_row(
    ("changes", "corrected"),
    [
        pytest.param({}, False, id="without a limit of its own"),
        pytest.param({"power_kw": np.array([[4.0]])}, False, id="what it can do"),
        pytest.param({"power_kw": np.array([[4.1]])}, True, id="more than it can do"),
        pytest.param({"floor_soc": np.array([[np.nan]])}, True, id="no number"),
        pytest.param({"mode": np.array([[9]], dtype=np.int8)}, True, id="no mode"),
    ],
)
def test_what_was_asked_is_held_against_what_is_left_of_it(
    changes: dict[str, np.ndarray], corrected: bool
) -> None:
    limits = SiteLimits.of(make_scene().site)
    stored = np.array([[4.0]])
    asked = whole_range(np.full((1, 1), Mode.CHARGE, dtype=np.int8), np.zeros(1, dtype=np.int8))
    asked = SetPoint(
        **{name: changes.get(name, getattr(asked, name)) for name in SetPoint.__slots__}
    )
    assert find_corrected(asked, clamp(asked, stored, limits)).tolist() == [[corrected]]
