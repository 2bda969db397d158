"""Closed loops: one day of a few scenarios, and what the bench makes of many."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench.closed_loop.forecasts import AHEAD, issue_forecasts
from bench.closed_loop.grid import (
    BATTERIES,
    FORECASTS,
    METERS,
    TARIFFS,
    Case,
    list_grid,
    list_short_grid,
)
from bench.closed_loop.loop import IDLE, SELF, Failure, run_loops
from bench.closed_loop.meters import Meter, MeterKind
from bench.closed_loop.summary import Row, read_rows, summarise
from bench.closed_loop.weeks import WEEKS, recorded_energy, week_timeline
from bench.suite import choose_benches
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.schedule import PlainPolicy
from luna.energy.timeline import SLOT, FloatArray
from services.planner.problem.knowledge import DAY, PerfectForesight
from tests.support.control.closed_loop_days import QUARTERS, column, one_day
from tests.support.suite.tables import each_row


def plain(mode: Mode) -> Callable[[Case], PlainPolicy]:
    return lambda case: PlainPolicy(mode, np.zeros(case.timeline.count, dtype=np.int8))


def follow_house(case: Case) -> PlainPolicy:
    """Plain self-consumption, with PV held back as prices say."""
    return PlainPolicy(
        Mode.SELF_CONSUMPTION, site_curtailment(case.site, *case.prices.actual(case.timeline))
    )


class Broken:
    """A planner that fails whenever it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        self.asked.append(slot)
        raise ValueError(f"no plan for slot {slot}")


def test_the_bench_is_known_by_its_name_with_a_dash() -> None:
    assert choose_benches(["closed-loop", "closed_loop"]) == ["closed_loop"]


def test_every_kind_is_in_the_grid_and_in_its_short_form() -> None:
    grid = list_grid()
    few = list_short_grid()
    assert (
        len({scenario.name for scenario in grid})
        == len(grid)
        == len(BATTERIES) * len(TARIFFS) * len(METERS) * len(FORECASTS)
    )
    for name, kinds in (
        ("battery", BATTERIES),
        ("tariff", TARIFFS),
        ("meter", METERS),
        ("forecast", FORECASTS),
        ("week", WEEKS),
    ):
        assert {getattr(scenario, name) for scenario in few} == set(kinds)
    assert len({scenario.name for scenario in few}) == len(few)


def test_any_two_kinds_meet_in_every_week() -> None:
    met = {(scenario.battery, scenario.tariff, scenario.week) for scenario in list_grid()}
    assert len(met) == len(BATTERIES) * len(TARIFFS) * len(WEEKS)


def test_forecasts_err_as_they_are_declared() -> None:
    happened = recorded_energy("spring")
    inside = week_timeline("spring")
    load, pv = happened.ahead(inside.start, inside)
    said = {
        name: issue_forecasts(kind, "spring").ahead(inside.start, inside.window(0, AHEAD))
        for name, kind in FORECASTS.items()
    }
    ratio = {
        name: [
            float(expected.sum() / seen[:AHEAD].sum())
            for expected, seen in zip(both, (load, pv), strict=True)
        ]
        for name, both in said.items()
    }
    # Errors of 3 % from hour to hour leave a sum over 48 of them within a percent or two.
    assert ratio["good"] == pytest.approx([1, 1], rel=0.03)
    assert ratio["dark"] == pytest.approx([1, 0.3], rel=0.03)
    assert ratio["rosy"] == pytest.approx([1, 2.5], rel=0.03)
    assert ratio["steady_bias"] == pytest.approx([0.6, 1], rel=0.03)


def test_forecasts_of_sixteen_days_before_the_week_are_known_and_every_hour_of_it() -> None:
    issued = [
        forecast.issued_at for forecast in issue_forecasts(FORECASTS["good"], "autumn").forecasts
    ]
    inside = week_timeline("autumn")
    # The clock is put back in that week: it has 169 hours.
    assert (issued[0], len(issued)) == (inside.start - 16 * DAY, 16 * 24 + 169)
    assert issued[-1] == inside.end - 4 * SLOT


@each_row(
    ("kind", "told"),
    [
        # Of 10 kWh, 0.3 and 9.9 are stored.
        (MeterKind(), [0.3, 9.9]),
        (MeterKind(offset_soc=0.03), [0.6, 10.0]),
        (MeterKind(step_soc=0.05), [0.5, 10.0]),
        (MeterKind(step_soc=0.01), [0.3, 9.9]),
        (MeterKind(standby_kw=0.02), [0.3, 9.9]),
    ],
    ids=["exact", "offset", "coarse_5", "coarse_1", "drift"],
)
def test_a_meter_says_what_its_kind_makes_of_the_truth(kind: MeterKind, told: list[float]) -> None:
    meter = Meter(kind, np.array([[10.0]]), np.zeros((1, 1)))
    np.testing.assert_allclose(meter.read(np.array([[0.3, 9.9]]), 0), [told], rtol=1e-12)


def test_standing_by_takes_its_power_until_nothing_is_left() -> None:
    meter = Meter(MeterKind(standby_kw=0.02), np.array([[10.0]]), np.zeros((1, 1)))
    # 20 W for a quarter of an hour are 5 Wh.
    np.testing.assert_allclose(
        meter.lose_standby(np.array([[1.0, 0.003]]), 0.25), [[0.995, 0.0]], rtol=1e-12
    )


@pytest.mark.parametrize(
    "name",
    ["two/flat/noise/dark", "hybrid/negative/coarse_5/good", "wear_by_depth/spot_both/drift/noisy"],
)
def test_who_follows_self_consumption_pays_what_it_pays_and_every_slot_adds_up(name: str) -> None:
    results = run_loops([one_day(name)], {"followed": follow_house})
    assert column(results, "followed") == pytest.approx(column(results, SELF), abs=1e-9)
    assert results.residual_kwh < 1e-9
    assert not results.breached.any()


def test_no_control_pays_for_what_the_meter_says() -> None:
    case = one_day("one/flat/exact/good")
    load, pv = case.foresight.ahead(case.timeline.start, case.timeline)
    # The battery rests: 0.30 for what is missing, 0.08 for what is left over.
    expected = 0.3 * np.maximum(load - pv, 0).sum() - 0.08 * np.maximum(pv - load, 0).sum()
    assert column(run_loops([case], {}), IDLE) == pytest.approx(float(expected), abs=1e-9)


def test_energy_left_in_the_battery_counts_for_everyone_alike() -> None:
    case = one_day("one/flat/exact/good")
    results = run_loops(
        [
            replace(
                case,
                foresight=PerfectForesight(case.timeline, np.zeros(QUARTERS), np.zeros(QUARTERS)),
            )
        ],
        {"full": plain(Mode.CHARGE)},
    )
    # From 4.2 kWh to 7.6: 3.4 / 0.95 kWh are bought at 0.30 with wear of 0.005, and each stored kWh
    # is worth 0.6 × 0.30.
    np.testing.assert_allclose(results.end_kwh, [[4.2, 4.2, 7.6]])
    np.testing.assert_allclose(
        results.costs, [[0.0, 0.0, 0.305 * 3.4 / 0.95 - 0.18 * 3.4]], atol=1e-12
    )


def test_a_battery_that_drifts_below_its_reserve_breaches_nothing() -> None:
    case = one_day("one/flat/drift/good", week="winter")
    results = run_loops([case], {"empty": plain(Mode.SUPPLY)})
    # The reserve is 0.8 kWh; a day of standing by takes 0.48 kWh.
    assert float(results.end_kwh[0, 2]) < 0.8
    assert not results.breached.any()


def test_power_beyond_the_connection_is_a_breach_where_self_consumption_leaves_none() -> None:
    # An hour of 6 kW that may not be held back, on a connection of 4 kW: a battery that follows the
    # house takes 4 kW of it, one that was filled nothing.
    case = one_day("not_curtailable/flat/exact/good")
    surge = np.where(np.arange(QUARTERS) // 4 == 12, 1.5, 0.0)
    results = run_loops(
        [replace(case, foresight=PerfectForesight(case.timeline, np.zeros(QUARTERS), surge))],
        {"full": plain(Mode.CHARGE)},
    )
    np.testing.assert_allclose(
        results.flows.excess_kwh[:, 48:52], [[0.0] * 4, [0.0] * 4, [0.5] * 4]
    )
    assert results.breached[0].sum(axis=-1).tolist() == [0, 0, 4]


def test_power_beyond_the_connection_earns_nothing_and_costs_the_dearest_price() -> None:
    case = one_day("not_curtailable/flat/exact/good")
    surge = np.where(np.arange(QUARTERS) // 4 == 12, 1.5, 0.0)
    results = run_loops(
        [replace(case, foresight=PerfectForesight(case.timeline, np.zeros(QUARTERS), surge))],
        {"full": plain(Mode.CHARGE)},
    )
    # Filled from the grid with 3.4 / 0.95 kWh; of 6 kWh, 4 are sold at 0.08 and 2 lie beyond the
    # limit, at 0.30. The last 3.4 kWh are worth 0.18 each.
    expected = 0.305 * 3.4 / 0.95 - 0.08 * 4 + 0.3 * 2 - 0.18 * 3.4
    assert column(results, "full") == pytest.approx(expected, abs=1e-9)


def test_cases_side_by_side_are_what_they_are_alone() -> None:
    cases = [one_day("two/flat/noise/dark"), one_day("two/negative/drift/good", week="winter")]
    together = run_loops(cases, {"save": plain(Mode.SAVE)})
    for place, case in enumerate(cases):
        np.testing.assert_array_equal(
            together.costs[place], run_loops([case], {"save": plain(Mode.SAVE)}).costs[0]
        )


def test_a_policy_that_fails_is_counted_by_the_hour_and_leaves_the_inverter_to_itself() -> None:
    broken = Broken()
    (scenario,) = list_grid("one/spot/exact/good", week="spring")
    results = run_loops(
        [one_day(scenario.name)],
        {"followed": lambda _: broken, "replayed": plain(Mode.SELF_CONSUMPTION)},
    )
    (row,) = read_rows([scenario], results)
    assert broken.asked == list(range(0, QUARTERS, 4))
    assert row.failures == {
        "followed": [
            Failure(slot, f"ValueError: no plan for slot {slot}") for slot in range(0, QUARTERS, 4)
        ]
    }
    assert row.costs["followed"] == row.costs[SELF]
    assert row.fails


def describe(name: str, *, over: float, replayed: float | None = None) -> Row:
    """A row in which self-consumption costs 10 and no control 20."""
    (scenario,) = list_grid(name)
    costs = {
        IDLE: 20.0,
        SELF: 10.0,
        "replayed": 10.0 + (over if replayed is None else replayed),
        "followed": 10.0 + over,
    }
    return Row(scenario, costs, dict.fromkeys(costs, 0), {}, dict.fromkeys(costs, 0.0), 0.0)


@each_row(
    ("name", "over", "loses"),
    [
        ("one/flat/exact/dark", 2e-6, True),
        ("one/flat_unpaid/exact/good", 5e-7, False),
        # Of the ten that can be saved, half a percent are five cents.
        ("one/spot/exact/good", 0.049, False),
        ("one/spot/exact/noisy", 0.051, True),
        ("one/spot/exact/rosy", 3.0, False),
    ],
)
def test_following_may_lose_rounding_on_flat_tariffs_and_a_little_where_forecasts_are_fair(
    name: str, over: float, loses: bool
) -> None:
    assert describe(name, over=over).loses is loses


def test_figures_say_what_is_worst_in_each_kind_and_where() -> None:
    rows = [
        describe("one/flat/exact/good", over=0.5),
        describe("two/flat/exact/good", over=1.5),
        describe("one/spot/exact/good", over=0.2, replayed=0.1),
    ]
    figures = summarise([*rows, describe("one/spot/exact/rosy", over=4.0)])
    assert (
        figures["scenarios"],
        figures["exceptions"],
        figures["breaches"],
        figures["failing"],
    ) == (4, 0, 0, 3)
    assert figures["flat"] == {
        "scenarios": 2,
        "losing": 2,
        "worst_over_self": 1.5,
        "worst_share": pytest.approx(0.15),
    }
    assert figures["elsewhere"]["worst_share"] == pytest.approx(0.2 / 10)
    assert figures["biased"]["losing"] == 0
    assert list(figures["worst"]) == [
        "two/flat/exact/good",
        "one/flat/exact/good",
        "one/spot/exact/good",
    ]
    assert figures["largest_from_replayed"] == pytest.approx(0.1)


def test_messages_that_differ_in_their_numbers_are_one() -> None:
    row = describe("one/flat/exact/good", over=0.0)
    failing = replace(
        row,
        failures={
            "followed": [
                Failure(8, "Wrong: 1.5e-05 kWh off"),
                Failure(12, "Wrong: 2 kWh off"),
                Failure(16, "No time left"),
            ]
        },
    )
    assert summarise([row, failing])["messages"] == {
        "followed: Wrong: # kWh off": 2,
        "followed: No time left": 1,
    }
