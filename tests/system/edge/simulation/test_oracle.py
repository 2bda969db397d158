"""The oracle's programme against a solver's, and against everybody else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from services.edge.camera import LARGE_MISS_WH, NO_MODEL, SMALL_MISS_WH
from services.edge.simulation.controllers.oracle import OracleController
from services.edge.simulation.engine import RunSetting, Simulation
from services.edge.simulation.schedule import TaskSchedule
from tests.support.cameras.cameras import (
    MODELS,
    RandomController,
    Row,
    draw_rows,
    make_controllers,
    make_setting,
)
from tests.support.suite.depth import LONG, draws


def solve_programme(setting: RunSetting, camera: int) -> float:
    """Return the least objective of a camera as a linear programme: per slot what is charged, and
    tasks done rightly and wrongly.
    """
    table = setting.table
    dirty = 1 - setting.clean_share[setting.place[camera]]
    tasks = setting.schedule.tasks_of_slots()
    slots = setting.schedule.slots
    mean_dirty = setting.mean_dirty[camera]
    right = int(
        MODELS.smallest(setting.cameras.accuracy[[camera]], setting.cameras.latency_ms[[camera]])[0]
    )
    right_wh = table.task_wh[camera, right]
    wrong_wh = table.task_wh[camera, 0]
    capacity = table.capacity_wh[camera]
    begin = table.capacity_wh[camera] / 2
    # Columns: charged (slots), rightly (slots), wrongly (slots); what is stored behind slot t is
    # begin + the sums up to t.
    lower = np.tril(np.ones((slots, slots)))
    stored = np.hstack([lower, -right_wh * lower, -wrong_wh * lower])
    counted = np.hstack([np.zeros((slots, slots)), np.eye(slots), np.eye(slots)])
    cost = np.concatenate(
        [
            dirty - mean_dirty,
            np.full(slots, mean_dirty * right_wh - LARGE_MISS_WH),
            np.full(slots, mean_dirty * wrong_wh - LARGE_MISS_WH + SMALL_MISS_WH),
        ]
    )
    rightly = tasks if right != NO_MODEL else np.zeros(slots)
    bounds = [
        (0, most) for most in np.concatenate([tasks * table.charge_wh[camera], rightly, tasks])
    ]
    found = linprog(
        cost,
        np.vstack([stored, -stored, counted]),
        np.concatenate([np.full(slots, capacity - begin), np.full(slots, begin), tasks]),
        bounds=bounds,
    )
    return float(found.fun + LARGE_MISS_WH * tasks.sum())


ROW = st.tuples(
    st.floats(0.02, 3),
    st.floats(0.05, 50),
    st.just(0.95),
    st.floats(0.3, 1.0),
    st.floats(1.0, 15.0),
)


@settings(max_examples=draws(25), deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=2), interval_s=st.sampled_from([5, 20, 47]))
def test_its_least_objective_is_the_linear_programmes(rows: list[Row], interval_s: float) -> None:
    setting = make_setting(rows, TaskSchedule.of(days=0.2, interval_s=interval_s))
    expected = [solve_programme(setting, camera) for camera in range(len(rows))]
    assert OracleController.of(setting).least_objective_wh == pytest.approx(expected, abs=1e-6)


@settings(max_examples=draws(15), deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=3), charging=st.floats(0, 1))
def test_nobody_is_below_its_least_objective(rows: list[Row], charging: float) -> None:
    setting = make_setting(rows, TaskSchedule.of(days=0.2, interval_s=20))
    least = OracleController.of(setting).least_objective_wh
    for controller in [
        *make_controllers(setting),
        RandomController(len(rows), len(MODELS.names), charging),
    ]:
        reached = np.array(
            [row["objective_wh"] for row in Simulation(setting, controller).run().to_rows(MODELS)]
        )
        assert (reached >= least - 1e-9).all()


def test_it_comes_within_two_per_cent_of_the_least_objective_and_nobody_is_better() -> None:
    pairs, schedule = (
        (30, TaskSchedule.of(days=3, interval_s=5))
        if LONG
        else (10, TaskSchedule.of(days=1, interval_s=5))
    )
    setting = make_setting(
        draw_rows(np.random.default_rng(8), 2 * pairs),
        schedule,
        locations=("CA", "NY"),
        place=[0, 1] * pairs,
    )
    oracle = OracleController.of(setting)
    reached = {
        each.name: [row["objective_wh"] for row in Simulation(setting, each).run().to_rows(MODELS)]
        for each in make_controllers(setting)
    }
    own = np.array(reached.pop("oracle"))
    assert (own <= 1.02 * oracle.least_objective_wh).all()
    assert all((own < np.array(others)).all() for others in reached.values())


def test_where_the_charger_cannot_keep_up_it_has_no_more_large_misses_than_anybody() -> None:
    # 3 W bring 4.2 mWh a task where the model asked for takes 5 mWh: wrong pictures now and then
    # instead of none.
    setting = make_setting([(1.0, 3.0, 0.95, 0.93, 15.0)], TaskSchedule.of(days=1, interval_s=5))
    rows = {
        each.name: Simulation(setting, each).run().to_rows(MODELS)[0]
        for each in make_controllers(setting)
    }
    oracle = rows.pop("oracle")
    assert oracle["large_misses"] <= 1
    assert 0 < oracle["small_misses"] < oracle["tasks"] / 2
    assert all(oracle["objective_wh"] < row["objective_wh"] for row in rows.values())
    assert oracle["objective_wh"] == pytest.approx(
        OracleController.of(setting).least_objective_wh[0], rel=0.02
    )
