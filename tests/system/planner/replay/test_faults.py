from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from luna.contracts.replay import Fault, ReplayReply
from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.schedule import PlainPolicy, pick_slot, whole_range
from luna.energy.simulator import Actuals, simulate
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.planner.dp.plan import balance_residual_kwh
from services.planner.problem.knowledge import ForecastArchive
from services.planner.replay import ReplaySpec, run
from services.planner.replay.faults import FaultEffects, FaultyPolicy, draw_faults
from tests.support.planning.replay import NOW, WINDOW, describe_on_spot, make_scene

ALL = (
    "forecasts_missing",
    "forecasts_late",
    "prices_missing",
    "prices_late",
    "sensor_frozen",
    "command_lost",
    "planner_down",
    "grid_outage",
    "clock_behind",
)
NOON = WINDOW.start + timedelta(hours=12)


def fault(kind: str, **changes: Any) -> Fault:
    return Fault.model_validate({"kind": kind} | changes)


@cache
def replay_all(seed: int) -> ReplayReply:
    faults = [fault(kind, hours=8, late_hours=3, times=2) for kind in ALL]
    return run(
        make_scene(0), ReplaySpec(["self_consumption", "mpc_perfect"], 32, faults, seed)
    ).reply


def test_each_fault_is_accounted_for_and_all_of_them_together() -> None:
    found = replay_all(1).faults
    assert [each.fault.kind if each.fault else "all" for each in found] == [*ALL, "all"]
    assert {name for each in found for name in each.cost} == {"self_consumption", "mpc_perfect"}


def test_no_fault_makes_anyone_leave_the_limits() -> None:
    assert {each.violations for each in replay_all(1).faults} == {0}


def test_without_its_faults_a_policy_costs_what_it_costs_alone() -> None:
    assert (
        replay_all(1).policies["mpc_perfect"]
        == run(make_scene(0), ReplaySpec(["mpc_perfect"], 32)).reply.policies["mpc_perfect"]
    )


def test_what_self_consumption_never_asks_for_cannot_hurt_it() -> None:
    harmless = {
        "forecasts_missing",
        "forecasts_late",
        "prices_missing",
        "prices_late",
        "sensor_frozen",
        "command_lost",
        "planner_down",
    }
    costs = {
        str(each.fault.kind): each.cost["self_consumption"]
        for each in replay_all(1).faults
        if each.fault
    }
    assert {costs[kind] for kind in harmless} == {0.0}


def test_the_seed_alone_says_when_faults_strike() -> None:
    spans = [each.spans for each in replay_all(1).faults]
    assert spans == [
        each.spans
        for each in run(
            make_scene(0),
            ReplaySpec(["idle"], 96, [fault(kind, hours=8, times=2) for kind in ALL], 1),
        ).reply.faults
    ]
    assert spans != [
        each.spans
        for each in run(
            make_scene(0),
            ReplaySpec(["idle"], 96, [fault(kind, hours=8, times=2) for kind in ALL], 2),
        ).reply.faults
    ]


def test_where_nobody_plans_all_the_time_the_inverter_consumes_its_own() -> None:
    reply = run(
        make_scene(0),
        ReplaySpec(
            ["mpc_perfect", "self_consumption"],
            32,
            [fault("planner_down", **{"from": WINDOW.start}, hours=80)],
        ),
    ).reply
    other = reply.policies["self_consumption"].cost - reply.policies["mpc_perfect"].cost
    assert reply.faults[0].cost["mpc_perfect"] == pytest.approx(other)


def test_a_grid_that_is_away_leaves_load_unserved_that_the_battery_cannot_carry() -> None:
    night = fault("grid_outage", **{"from": WINDOW.start}, hours=6)
    scenes = (make_scene(0), make_scene(0, batteries=[]))
    unserved = [
        run(scene, ReplaySpec(["self_consumption"], 96, [night])).reply.faults[0].unserved_kwh
        for scene in scenes
    ]
    load = make_scene(0).actuals.load_kwh[:24].sum()
    assert unserved[0]["self_consumption"] == 0.0
    assert unserved[1]["self_consumption"] == pytest.approx(load)


def test_without_the_grid_energy_balances_on_what_is_served() -> None:
    rng = np.random.default_rng(0)
    load = rng.uniform(0, 1.5, (2, 48))
    pv = rng.uniform(0, 1.5, (2, 48))
    off_grid = rng.random((2, 48)) < 0.5
    policy = PlainPolicy(Mode.CHARGE, np.zeros(48, dtype=np.int8))
    actuals = Actuals(Timeline(WINDOW.start, SLOT, 48), load, pv, off_grid)
    lived = simulate(
        policy, actuals, limits=SiteLimits.of(describe_on_spot()), stored_kwh=np.full((1, 2), 4.0)
    )
    assert balance_residual_kwh(lived.flows, load - lived.unserved_kwh, pv).max() < 1e-9
    assert (lived.flows.import_kwh[off_grid] + lived.flows.export_kwh[off_grid]).max() == 0.0
    assert lived.unserved_kwh[~off_grid].max() == 0.0
    assert (lived.unserved_kwh <= load).all()


def fault_effects(*faults: Fault) -> FaultEffects:
    scene = make_scene(0)
    return FaultEffects.of(scene, draw_faults(faults, scene.timeline, seed=0))


def issued(book: ForecastArchive, now: datetime) -> datetime:
    return book.latest(now).issued_at


def test_forecasts_that_never_come_leave_the_one_before() -> None:
    known = fault_effects(fault("forecasts_missing", **{"from": NOON}, hours=6)).scene.forecasts
    assert issued(known, NOON + timedelta(hours=5)) == NOON - timedelta(hours=6)
    assert issued(known, NOON + timedelta(hours=6)) == NOON + timedelta(hours=6)


def test_forecasts_that_come_late_are_known_when_they_come() -> None:
    known = fault_effects(
        fault("forecasts_late", **{"from": NOON}, hours=1, late_hours=2)
    ).scene.forecasts
    assert issued(known, NOON + timedelta(hours=1)) == NOON - timedelta(hours=6)
    assert issued(known, NOON + timedelta(hours=2)) == NOON + timedelta(hours=2)


@pytest.mark.parametrize(("kind", "later"), [("prices_late", 5), ("prices_missing", None)])
def test_prices_are_settled_as_published_whenever_the_planner_learns_them(
    kind: str, later: int | None
) -> None:
    published = WINDOW.start + timedelta(hours=13)
    hurt = fault_effects(fault(kind, **{"from": published}, hours=1, late_hours=5)).scene.prices
    true = make_scene(0).prices
    ahead = Timeline(NOW + timedelta(hours=6), SLOT, 96)
    assert (hurt.actual(WINDOW)[0] == true.actual(WINDOW)[0]).all()
    known_until = [
        hurt.ahead(NOW + timedelta(hours=hours), ahead).known_until
        > WINDOW.start + timedelta(days=1)
        for hours in (6, 8, 9)
    ]
    assert known_until == [False, False, later is not None]


class Listener:
    """A policy that notes what it is told of the stored energy."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        self.heard.append(float(stored_kwh[0, 0]))
        return pick_slot(
            whole_range(np.zeros((1, slot + 1), dtype=np.int8), np.zeros(slot + 1, dtype=np.int8)),
            slot,
        )


def test_a_frozen_sensor_stays_so_over_midnight() -> None:
    night = fault_effects(
        fault("sensor_frozen", **{"from": WINDOW.start + timedelta(hours=20)}, hours=8)
    )
    listener = Listener()
    before_midnight = FaultyPolicy(listener, night, np.array([[4.0]]))
    for slot, stored in ((79, 3.0), (80, 2.0), (95, 1.0)):
        before_midnight.decide(slot, np.array([[stored]]))
    after_midnight = FaultyPolicy(listener, night, before_midnight.sensor_kwh)
    for slot, stored in ((96, 0.9), (111, 0.8), (112, 0.7)):
        after_midnight.decide(slot, np.array([[stored]]))
    assert listener.heard == [3.0, 3.0, 3.0, 3.0, 3.0, 0.7]


def test_a_fault_says_when_it_strikes_or_how_often_not_both() -> None:
    with pytest.raises(ValueError, match="only happen once"):
        fault("command_lost", **{"from": NOON}, times=2)


def test_a_planner_without_any_forecast_leaves_the_inverter_to_itself() -> None:
    scene = make_scene(0)
    silent = replace(scene, forecasts=ForecastArchive(scene.forecasts.forecasts[4:]))
    with pytest.raises(InvalidInputError, match="no forecast"):
        run(silent, ReplaySpec(["mpc_scenarios"], 32))
    reply = run(
        make_scene(0),
        ReplaySpec(
            ["mpc_scenarios"], 32, [fault("forecasts_missing", **{"from": WINDOW.start}, hours=24)]
        ),
    ).reply
    assert reply.faults[0].cost["mpc_scenarios"] != 0.0
