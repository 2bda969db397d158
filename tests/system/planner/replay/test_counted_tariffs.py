"""Months replayed under blocks and allowances cost what a clerk of their own bills, to the cent."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import ForecastArchive, SitePrices
from services.planner.problem.problem import Problem
from services.planner.replay import DayLog, DayResult, ReplayData, ReplaySpec, run
from services.planner.replay.policies import plan_by_planner
from tests.support.planning.counted_month import CountedMonth
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

BLOCKS = {
    "kind": "blocks",
    "name": "energy",
    "vat": 0.1,
    "blocks": [{"up_to_kwh": 150, "price": 0.2}, {"up_to_kwh": 300, "price": 0.3}, {"price": 0.4}],
}
NEW_BLOCKS = [
    BLOCKS | {"valid_to": "2026-10-12"},
    BLOCKS
    | {
        "valid_from": "2026-10-12",
        "blocks": [{"up_to_kwh": 220, "price": 0.25}, {"price": 0.5}],
    },
]
NOON = {
    "kind": "allowance",
    "name": "from noon",
    "kwh_per_day": 9.5,
    "price": 0.05,
    "price_beyond": 0.15,
    "day_begins": "12:00",
}
FEE = {
    "kind": "calendar",
    "name": "grid fee",
    "price": 0.1,
    "windows": [{"from": "00:00", "to": "05:00", "price": 0.03}],
}
FORWARD = (2026, 3)
BACK = (2026, 10)
# Half a cent would be another amount on the bill; rounding in the last bits is far below.
SAME = 1e-6


def pay(*components: dict[str, Any]) -> dict[str, Any]:
    bought = {"kind": "components", "components": [*components, FEE]}
    return {"import": bought, "export": {"kind": "fixed", "price": 0.05}}


def replay_days(scene: ReplayData, *policies: str, log: DayLog | None = None) -> list[DayResult]:
    """Return the simulated days of these policies, of the oracle and of idle batteries."""
    days: list[DayResult] = []
    stored = () if log is None else log.stored
    spec = ReplaySpec(policies, 48, explain_loss=False)
    run(scene, spec, book=DayLog(stored, days.append))
    return days


def sum_cost(days: list[DayResult], policy: str) -> float:
    return sum(day.records[policy].cost for day in days)


COUNTED = {
    "blocks and noon, clock forward": (FORWARD, [BLOCKS, NOON]),
    "new blocks and noon, clock back": (BACK, [*NEW_BLOCKS, NOON]),
}
# Each of the two alone, beside both together.
ALONE = {"blocks": (BACK, [BLOCKS]), "noon": (FORWARD, [NOON])}
MONTHS = COUNTED | ALONE if LONG else COUNTED


@each_row(("month", "components"), MONTHS.values(), ids=list(MONTHS))
def test_a_replayed_month_costs_what_the_clerk_bills(
    month: tuple[int, int], components: list[dict[str, Any]]
) -> None:
    counted = CountedMonth(pay(*components), month)
    days = replay_days(counted.scene(), "rule")
    costs = {}
    bills = {}
    for policy in ("idle", "self_consumption", "rule", "oracle"):
        flows = [day.trajectories[policy].flows for day in days]
        bought = np.concatenate([flow.import_kwh[0] for flow in flows])
        sold = np.concatenate([flow.export_kwh[0] for flow in flows])
        costs[policy] = sum_cost(days, policy)
        bills[policy] = float(counted.bill(bought, sold))
    assert costs == pytest.approx(bills, abs=SAME)
    assert costs["oracle"] < costs["self_consumption"]


def first_days(count: int, *components: dict[str, Any]) -> ReplayData:
    scene = CountedMonth(pay(*components), BACK).scene()
    return replace(scene, timeline=scene.timeline.window(0, count * 96))


SMALL_BLOCKS = BLOCKS | {"blocks": [{"up_to_kwh": 30, "price": 0.2}, {"price": 0.4}]}


@cache
def three_days() -> list[DayResult]:
    return replay_days(first_days(3, SMALL_BLOCKS, NOON), "mpc_perfect")


def test_a_planner_that_knows_everything_loses_nothing_by_planning_again() -> None:
    # Plans begin within the month and within the allowance's day: each has to know what was drawn.
    days = three_days()
    assert sum_cost(days, "mpc_perfect") == pytest.approx(sum_cost(days, "oracle"), abs=1e-4)


def know_all(scene: ReplayData) -> ReplayData:
    """Return the scene with a forecast of exactly what comes."""
    known = scene.foresight
    first = known.timeline.index_of(scene.timeline.start)
    ahead = known.timeline.window(first, known.timeline.count - first)
    load = Quantiles.exact(known.load_kwh[first:])
    pv = Quantiles.exact(known.pv_kwh[first:])
    forecast = Forecast(ahead, ahead.start, "exact", load, pv)
    return replace(scene, forecasts=ForecastArchive([forecast]))


def test_every_plan_begins_with_what_the_meter_has_counted() -> None:
    scene = know_all(first_days(2, BLOCKS, NOON))
    drawn: dict[int, list[float]] = {}

    def record(problem: Problem, prices: SitePrices) -> Plan:
        slot = (problem.outlook.timeline.start - scene.timeline.start) // SLOT
        drawn[slot] = [charge.drawn_kwh for charge in problem.tariff.charges]
        return plan_by_planner(problem, prices)

    days: list[DayResult] = []
    spec = ReplaySpec(["recorder"], 30, agents={"recorder": record}, explain_loss=False)
    run(scene, spec, book=DayLog(keep=days.append))
    bought = [day.trajectories["recorder"].flows.import_kwh[0] for day in days]
    # The 48 quarter-hours before midnight of the first day had 0.3 kWh each.
    counted = np.concatenate([np.full(48, 0.3), *bought])
    expected = {}
    for slot in drawn:
        from_noon = counted[(slot + 48) // 96 * 96 : slot + 48]
        expected[slot] = [counted[48 : slot + 48].sum(), from_noon.sum()]
    assert len(drawn) > 6
    assert drawn == {slot: pytest.approx(kwh) for slot, kwh in expected.items()}


def test_a_resumed_replay_counts_on_from_its_last_whole_day() -> None:
    whole = three_days()
    first = DayLog([day.records for day in whole[:2]])
    rest = replay_days(first_days(3, SMALL_BLOCKS, NOON), "mpc_perfect", log=first)
    assert [day.records for day in rest] == [whole[2].records]


def test_what_was_drawn_before_the_window_is_gone() -> None:
    scene = first_days(1, NOON)
    # From noon until midnight the meter had counted 48 times 0.3 kWh, more than the allowance.
    spent = replay_days(scene, "idle")[0]
    unspent = replay_days(replace(scene, drawn_kwh={}), "idle")[0]
    morning_kwh = spent.trajectories["idle"].flows.import_kwh[0, :48].sum()
    within_kwh = min(morning_kwh, 9.5)
    more = spent.records["idle"].cost - unspent.records["idle"].cost
    assert more == pytest.approx(within_kwh * 0.1)
