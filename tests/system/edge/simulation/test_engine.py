"""Events in the order of time, energy that is never lost, and the same figures whoever runs
beside.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.edge.camera import NO_MODEL
from services.edge.simulation.cameras import CameraState
from services.edge.simulation.controllers.learned import LearnedController
from services.edge.simulation.controllers.leveled import NaiveController
from services.edge.simulation.engine import EventKind, EventQueue, RunSetting, Simulation
from services.edge.simulation.metrics import RunFigures, Tally
from services.edge.simulation.protocol import Controller, Decision, Observation
from services.edge.simulation.schedule import HOUR_US, TaskSchedule
from tests.support.cameras.cameras import (
    MODELS,
    RandomController,
    Row,
    draw_rows,
    make_controllers,
    make_network,
    make_setting,
)
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

HOURS = TaskSchedule.of(days=0.5 if LONG else 0.1, interval_s=5)
# Long enough for a battery to run empty and to be filled several times.
SEVERAL_CHARGES = TaskSchedule.of(days=1 if LONG else 0.25, interval_s=5)
NAMES = ["naive_weak", "naive_strong", "rule", "oracle", "custom", "networks"]
WIDE_ROW = st.tuples(
    st.floats(0.001, 50),
    st.floats(0.001, 500),
    st.floats(0.3, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.5, 30.0),
)


class StoredEnergy:
    """Keeps what is stored: hour by hour, and behind each task where each is asked for."""

    def __init__(self) -> None:
        self.hourly: list[np.ndarray] = []
        self.stored: list[np.ndarray] = []

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        self.hourly.append(state.stored_wh.copy())

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        self.stored.append(state.stored_wh.copy())


class SeenShares:
    """Charges always, with no model; keeps what it saw."""

    name = "seen"
    expected_steps = 3
    step_minutes = 5

    def __init__(self) -> None:
        self.seen: list[tuple[int, float, list[float]]] = []

    def decide(self, seen: Observation) -> Decision:
        self.seen.append((int(seen.slot[0]), float(seen.clean_share[0]), seen.expected[0].tolist()))
        return Decision(np.array([NO_MODEL]), np.array([True]), np.array([False]))


def check_balance(figures: RunFigures, capacity_wh: np.ndarray) -> None:
    charged = figures.tally.total().charged_wh
    assert np.array_equal(
        figures.stored_begin_wh + charged - figures.taken_wh, figures.stored_end_wh
    )
    assert (figures.stored_end_wh >= 0).all()
    assert (figures.stored_end_wh <= capacity_wh).all()


def test_events_come_in_the_order_of_time_and_of_what_is_known_first() -> None:
    queue = EventQueue()
    for at_us, kind in (
        (5, EventKind.TASK),
        (0, EventKind.TASK),
        (5, EventKind.END),
        (5, EventKind.LOG),
        (5, EventKind.CLEAN_SHARE),
    ):
        queue.push(at_us, kind)
    assert queue.next_us == 0
    order = [queue.pop() for _ in range(5)]
    assert order == [
        (0, EventKind.TASK),
        (5, EventKind.CLEAN_SHARE),
        (5, EventKind.LOG),
        (5, EventKind.END),
        (5, EventKind.TASK),
    ]


@settings(max_examples=draws(30), deadline=None)
@given(
    rows=st.lists(WIDE_ROW, min_size=1, max_size=4),
    interval_s=st.sampled_from([5, 7.3, 60, 400, 3600]),
    weight=st.integers(1, 7),
    days=st.floats(0.01, 1.1),
)
def test_energy_is_neither_lost_nor_made_under_any_controller(
    rows: list[Row], interval_s: float, weight: int, days: float
) -> None:
    setting = make_setting(
        rows, TaskSchedule.of(days=days, interval_s=interval_s, acceleration=weight)
    )
    for controller in make_controllers(setting):
        check_balance(Simulation(setting, controller).run(), setting.table.capacity_wh)


@settings(max_examples=draws(10), deadline=None)
@given(rows=st.lists(WIDE_ROW, min_size=1, max_size=3), charging=st.floats(0, 1))
def test_no_battery_is_ever_in_arrears_or_fuller_than_full(
    rows: list[Row], charging: float
) -> None:
    setting = make_setting(rows, TaskSchedule.of(days=0.1, interval_s=60))
    levels = StoredEnergy()
    figures = Simulation(
        setting, RandomController(len(rows), len(MODELS.names), charging), listeners=[levels]
    ).run()
    stored = np.array(levels.stored)
    assert (stored >= 0).all()
    assert (stored <= setting.table.capacity_wh).all()
    check_balance(figures, setting.table.capacity_wh)
    total = figures.tally.total()
    assert (total.inferences.sum(axis=-1) + total.large_misses == setting.schedule.tasks).all()


@each_row("place", range(6), ids=NAMES)
def test_a_camera_alone_gives_the_digits_that_it_gives_among_others(place: int) -> None:
    rows = draw_rows(np.random.default_rng(5), 40)
    places = [camera % 2 for camera in range(40)]
    many = make_setting(rows, HOURS, locations=("CA", "NW"), place=places)
    together = Simulation(many, make_controllers(many)[place]).run().to_rows(MODELS)
    for camera in (0, 17, 39):
        one = make_setting([rows[camera]], HOURS, locations=("NW",) if places[camera] else ("CA",))
        assert Simulation(one, make_controllers(one)[place]).run().to_rows(MODELS) == [
            together[camera]
        ]


@each_row("place", range(6), ids=NAMES)
def test_tasks_done_at_once_give_the_digits_of_tasks_done_one_by_one(place: int) -> None:
    # An interval that divides no five minutes; a battery that runs empty, one whose charger cannot
    # keep up.
    rows = [
        *draw_rows(np.random.default_rng(6), 3),
        (0.01, 0.2, 0.9, 0.8, 10.0),
        (1.0, 0.7, 0.9, 0.69, 10.0),
    ]
    setting = make_setting(rows, TaskSchedule.of(days=0.3 if LONG else 0.05, interval_s=7))
    at_once, by_one = (
        Simulation(setting, make_controllers(setting)[place], each_task=each).run()
        for each in (False, True)
    )
    assert at_once.to_rows(MODELS) == by_one.to_rows(MODELS)


def test_the_newest_clean_share_is_that_of_the_running_slot_and_nothing_of_the_future_is_seen() -> (
    None
):
    setting = make_setting([(5, 100, 0.95, 0.5, 10)], TaskSchedule.of(days=1 / 96, interval_s=100))
    controller = SeenShares()
    period = setting.periods[0]
    figures = Simulation(setting, controller).run()
    # A quarter of an hour: nine tasks in three slots.
    assert [slot - period.begin for slot, _, _ in controller.seen] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [share for _, share, _ in controller.seen] == np.repeat(period.running, 3).tolist()
    # 2.5 Wh find room at 100 W in the first 100 s: 2.78 Wh, so all is charged in the first slot.
    assert figures.tally.clean_wh.sum() == pytest.approx(2.5 * period.running[0])
    changed = period.share.copy()
    changed[period.past + 1 :] = 0.5
    other = RunSetting(
        setting.cameras, MODELS, (replace(period, share=changed),), setting.place, setting.schedule
    )
    again = SeenShares()
    Simulation(other, again).run()
    assert again.seen[:3] == controller.seen[:3]


def test_the_naive_ones_charge_below_a_fifth_until_the_battery_is_full() -> None:
    setting = make_setting([(5, 100, 0.95, 0.5, 10)], SEVERAL_CHARGES)
    levels = StoredEnergy()
    Simulation(setting, NaiveController.strong(setting), listeners=[levels], each_task=True).run()
    stored = np.array(levels.stored)[:, 0]
    # The largest model takes 6.055 mWh / 0.95, so that charging begins at most two tasks below 1
    # Wh.
    assert 1 - 2 * 0.006375 < stored.min() < 1
    assert stored.max() == 5
    turns = np.flatnonzero(np.diff(np.sign(np.diff(stored))))
    # It turns at the bottom and at the top only.
    assert all(min(abs(stored[turn + 1] - 1), abs(stored[turn + 1] - 5)) < 0.02 for turn in turns)


def test_a_task_that_stands_for_several_takes_and_counts_as_much() -> None:
    rows = draw_rows(np.random.default_rng(3), 5)
    one, ten = (
        make_setting(rows, TaskSchedule.of(days=1, interval_s=5, acceleration=n)) for n in (1, 10)
    )
    figures = [Simulation(each, NaiveController.weak(each)).run() for each in (one, ten)]
    assert [int(each.to_rows(MODELS)[0]["tasks"]) for each in figures] == [17280, 17280]
    assert figures[1].taken_wh == pytest.approx(figures[0].taken_wh)
    # Within a large charge: ten intervals at 200 W.
    assert figures[1].tally.total().charged_wh == pytest.approx(
        figures[0].tally.total().charged_wh, abs=13
    )


def test_too_slow_models_are_small_misses_and_empty_batteries_large_ones() -> None:
    # Nothing is fast enough for 1 ms; half of 0.01 Wh are four inferences of 1.073 mWh, and the
    # charger brings next to nothing.
    setting = make_setting(
        [(0.01, 1e-9, 0.95, 0.5, 1.0)], TaskSchedule.of(days=0.01, interval_s=60)
    )
    (row,) = Simulation(setting, NaiveController.weak(setting)).run().to_rows(MODELS)
    assert (row["tasks"], row["small_misses"], row["large_misses"]) == (15, 4, 11)
    assert row["used_wh"] == pytest.approx(4 * 1.0193704678595066e-3)
    assert row["objective_wh"] == pytest.approx(4 * 0.1 + 11 * 1.0 + row["dirty_settled_wh"])


class Unguarded:
    """What networks say, without the guard."""

    def __init__(self, guarded: LearnedController) -> None:
        self.name = "unguarded"
        self.expected_steps = 0
        self.step_minutes = 5
        self._guarded = guarded

    def decide(self, seen: Observation) -> Decision:
        said = self._guarded.trained.decide(
            seen.stored_wh / seen.capacity_wh,
            seen.accuracy,
            seen.latency_ms,
            seen.clean_share,
            seen.expected,
            self._guarded.table.fulfilled,
        )
        return Decision(*said, np.zeros(said[0].size, bool))


def test_a_network_that_never_charges_is_kept_from_running_empty() -> None:
    setting = make_setting(draw_rows(np.random.default_rng(2), 4), SEVERAL_CHARGES)
    controller = LearnedController.of(make_network(charge_bias=-50), setting)
    safe, bare = (
        Simulation(setting, each).run().to_rows(MODELS)
        for each in (controller, Unguarded(controller))
    )
    assert sum(row["large_misses"] for row in bare) > 0
    assert sum(row["large_misses"] for row in safe) == 0
    assert all(row["guard_interventions"] > 0 and row["small_misses"] == 0 for row in safe)


def test_logs_come_every_hour_from_the_beginning_on() -> None:
    setting = make_setting([(5, 100, 0.95, 0.5, 10)], HOURS)
    levels = StoredEnergy()
    controller: Controller = NaiveController.weak(setting)
    Simulation(setting, controller, listeners=[levels]).run()
    # The last at the end itself: what is to be logged comes before the end.
    assert len(levels.hourly) == HOURS.end_us // HOUR_US + 1
