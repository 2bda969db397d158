"""Labels: exact, by every way the same, ties by a fixed rule."""

import sys
from dataclasses import fields
from importlib import import_module

import numpy as np
import pytest

from services.edge.camera import NO_MODEL
from services.edge.labels import reference
from services.edge.labels.problem import QUANTA, LabelProblem, Labels, build_problem, solve_problems
from services.edge.scenarios import draw_batch
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row
from tests.unit.edge.conftest import MakeLab

# Charging slower than the larger models use energy; batteries that are nearly empty.
SCARCE = {
    "batch_simulation": {
        "variations": {
            "charge_rate_range": {"min": 0.3, "max": 3},
            "battery_capacity_range": {"min": 2, "max": 4},
        }
    }
}
# Problems of each kind that the solver solves as well: up to a second each.
SOLVED = 12 if LONG else 3
HORIZONS = [
    pytest.param({}, 48, 30, id="a day"),
    pytest.param({}, 48, 5, id="four hours"),
    pytest.param(SCARCE, 48, 30, id="scarce"),
    pytest.param(SCARCE, 24, 5, id="scarce, short steps"),
]


def draw_problem(
    make_lab: MakeLab,
    sections: dict[str, object],
    steps: int,
    minutes: int,
    *,
    count: int,
    every_model: bool = False,
) -> LabelProblem:
    data = {
        "num_scenarios": count,
        "batch_size": count,
        "optimization": {"horizon_steps": steps, "step_minutes": minutes},
    }
    lab = make_lab(training_data=data, **sections)
    return build_problem(lab, draw_batch(lab, 0), every_model=every_model)


def assert_same(labels: Labels, others: Labels, *, within: float) -> None:
    assert np.abs(labels.objective_wh - others.objective_wh).max() <= within
    assert np.abs(labels.benefit_wh - others.benefit_wh).max() <= within
    assert np.abs(labels.quantum_value_wh - others.quantum_value_wh).max() <= within
    assert np.array_equal(labels.charge, others.charge)
    assert np.array_equal(labels.model, others.model)


@pytest.mark.parametrize(("sections", "steps", "minutes"), HORIZONS)
def test_models_that_are_dominated_change_nothing(
    make_lab: MakeLab, sections: dict[str, object], steps: int, minutes: int
) -> None:
    few, all_ = (
        solve_problems(
            draw_problem(make_lab, sections, steps, minutes, count=draws(400), every_model=every)
        )
        for every in (False, True)
    )
    assert_same(few, all_, within=0)


SHORTER = pytest.param(SCARCE, 12, 30, id="scarce")


@pytest.mark.parametrize(
    ("sections", "steps", "minutes"),
    [*HORIZONS[:2], SHORTER, HORIZONS[3]] if LONG else [HORIZONS[0], SHORTER],
)
def test_the_mixed_integer_model_says_the_same(
    make_lab: MakeLab, sections: dict[str, object], steps: int, minutes: int
) -> None:
    exact = solve_problems(draw_problem(make_lab, sections, steps, minutes, count=SOLVED))
    solver = reference.solve_problems(
        draw_problem(make_lab, sections, steps, minutes, count=SOLVED, every_model=True)
    )
    assert_same(exact, solver, within=1e-9)


def enumerate_levels(problem: LabelProblem, row: int) -> float:
    """Return the optimal objective, level by level and choice by choice, as the definition says
    it.
    """
    after = -problem.end_wh[row] * np.arange(QUANTA + 1)
    for step in range(problem.used.shape[1] - 1, -1, -1):
        value = np.full(QUANTA + 1, np.inf)
        for level in range(QUANTA + 1):
            for used, missed in zip(
                problem.used[row, step], problem.miss_wh[row, step], strict=True
            ):
                least = level - used
                ends = np.arange(
                    max(least, 0), min(least + problem.most_charge[row, step], QUANTA) + 1
                )
                costs = after[ends] + problem.dirty_wh[row, step] * (ends - least) + missed
                value[level] = min([value[level], *costs])
        after = value
    return float(after[problem.stored[row]])


@pytest.mark.parametrize(
    ("sections", "steps", "minutes"),
    [pytest.param({}, 6, 5, id="slides"), pytest.param(SCARCE, 6, 30, id="scarce")],
)
def test_the_sliding_minimum_is_the_minimum(
    make_lab: MakeLab, sections: dict[str, object], steps: int, minutes: int
) -> None:
    problem = draw_problem(make_lab, sections, steps, minutes, count=3, every_model=True)
    assert [enumerate_levels(problem, row) for row in range(3)] == pytest.approx(
        solve_problems(problem).objective_wh.tolist(), abs=1e-9
    )


def two_models(
    stored: int, dirty: list[float], *, most: int = 500, end: float = 0.0
) -> LabelProblem:
    """A model that takes 10 quanta and fulfils, one that takes 4 and misses, none."""
    steps = len(dirty)
    return LabelProblem(
        stored=np.array([stored], np.int32),
        model=np.array([[3, 0, NO_MODEL]], np.int32),
        used=np.tile(np.array([10, 4, 0], np.int32), (1, steps, 1)),
        miss_wh=np.tile([0.0, 36.0, 360.0], (1, steps, 1)),
        most_charge=np.full((1, steps), most, np.int32),
        dirty_wh=np.array([dirty]),
        end_wh=np.array([end]),
    )


BY_HAND = [
    # Later is cleaner, and what is stored lasts until then: 10 quanta at 0.1 in the second step;
    # one bought now costs 0.4 more than then.
    pytest.param(two_models(10, [0.5, 0.1]), 3, False, -0.4, 1.0, 0.1, id="cleaner later"),
    # Now is cleaner: both steps' 20 quanta less the 10 that are there are bought now at 0.1;
    # waiting buys them at 0.5.
    pytest.param(two_models(10, [0.1, 0.5]), 3, True, 4.0, 1.0, 0.5, id="cleaner now"),
    # Equally clean: nothing is bought that can wait.
    pytest.param(two_models(10, [0.2, 0.2]), 3, False, 0.0, 2.0, 0.2, id="a tie waits"),
    # Empty, and later is cleaner: what this step takes is bought, or 360 tasks get nothing now, and
    # 10 quanta are bought anyway then.
    pytest.param(two_models(0, [0.5, 0.1]), 3, True, 360 - 5.0, 6.0, 0.1, id="empty"),
    # No charger, energy for one step with the larger model and none for the rest of the other: the
    # model that fulfils comes first.
    pytest.param(
        two_models(14, [0.5, 0.5], most=0),
        3,
        False,
        0.0,
        36.0,
        0.0,
        id="a tie takes the model that fulfils",
    ),
    # No charger and nothing stored.
    pytest.param(
        two_models(0, [0.5, 0.5], most=0), NO_MODEL, False, 0.0, 720.0, 0.0, id="nothing there"
    ),
    # Stored energy is worth 0.3 at the end: worth buying now up to the capacity, of which this step
    # frees 10 quanta and the next 10 more.
    pytest.param(
        two_models(420, [0.2, 0.4], end=0.3),
        3,
        True,
        10 * (0.3 - 0.2),
        10 * 0.2 - 410 * 0.3,
        0.3,
        id="worth storing",
    ),
]


@each_row(("problem", "model", "charge", "benefit", "objective", "value"), BY_HAND)
def test_small_problems_by_hand(
    problem: LabelProblem, model: int, charge: bool, benefit: float, objective: float, value: float
) -> None:
    labels = solve_problems(problem)
    assert labels.model[0] == model
    assert labels.charge[0] == charge
    assert labels.benefit_wh[0] == pytest.approx(benefit, abs=1e-9)
    assert labels.objective_wh[0] == pytest.approx(objective, abs=1e-9)
    assert labels.quantum_value_wh[0] == pytest.approx(value, abs=1e-9)


def test_the_mixed_integer_model_says_the_same_of_small_problems() -> None:
    problems = [row.values[0] for row in BY_HAND]
    columns = {
        field.name: np.concatenate([getattr(each, field.name) for each in problems])
        for field in fields(LabelProblem)
    }
    # All at once: the solver's program takes a second to begin.
    together = LabelProblem(**columns)
    assert_same(solve_problems(together), reference.solve_problems(together), within=1e-9)


def test_or_tools_and_the_planners_solver_do_not_meet(make_lab: MakeLab) -> None:
    reference.solve_problems(draw_problem(make_lab, {}, 12, 5, count=1))
    assert import_module("highspy").Highs().version()
    assert not [name for name in sys.modules if name.partition(".")[0] == "ortools"]
