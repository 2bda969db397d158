"""The problem behind a label, and its exact solution.

It is in whole quanta of energy, so that every solver solves the same one.

Over the horizon's steps, choose for each step a model for all its tasks (or none) and how many
quanta are charged, such that stored energy stays between nothing and the capacity. Least wins:
dirty energy from the grid, plus misses in Wh, minus what is stored at the end at the mean dirty
share.

Within a step energy is used and charged in turns every few seconds, so that what is charged in a
step also serves it.

The solution is a dynamic programme over all levels of stored energy, backwards from the horizon's
end. A step's decision goes over the level ``y = stored − used``, below nothing where the step needs
to charge: from there the battery is filled up to any level within ``y`` and ``y + most``, at the
step's price. So the best level is a minimum over a window that slides over value plus price, for
all actions alike.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.edge.camera import LARGE_MISS_WH, NO_MODEL, SMALL_MISS_WH
from services.edge.clean_share import STEP_MINUTES
from services.edge.lab import Lab
from services.edge.scenarios import CameraScenarios

# A battery holds so many quanta: 421 states.
QUANTA = 420
# Objectives that are this close are equal: then the first action counts, and nothing is bought.
TIE_WH = 1e-9
# An irrational step between the places at which energies are rounded: steps' roundings cancel out,
# and a smaller model never takes more than a larger one.
_GOLDEN = (5**0.5 - 1) / 2
_LEVELS = QUANTA + 1
_INFINITE = np.inf

IndexArray32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """Problems of ``(scenarios, steps, actions)``.

    An action is a model or none; of equal ones the first counts.

    Args:
        stored: quanta at the beginning, shape ``(scenarios,)``.
        model: place of each action's model, ``NO_MODEL`` from the last on, shape
            ``(scenarios, actions)``.
        used: quanta that an action takes in a step, shape ``(scenarios, steps, actions)``.
        miss_wh: an action's misses in a step, in Wh.
        most_charge: quanta at most, shape ``(scenarios, steps)``.
        dirty_wh: dirty energy of a quantum from the grid, shape ``(scenarios, steps)``.
        end_wh: what a quantum that is stored at the end is worth, shape ``(scenarios,)``.
    """

    stored: IndexArray32
    model: IndexArray32
    used: IndexArray32
    miss_wh: FloatArray
    most_charge: IndexArray32
    dirty_wh: FloatArray
    end_wh: FloatArray


@dataclass(frozen=True, slots=True)
class Labels:
    """Optimal courses' first decisions and objectives, shape ``(scenarios,)``.

    Args:
        model: of the first step; ``NO_MODEL`` where there is energy for none.
        charge: whether the first step buys energy; only where that is better than not to.
        benefit_wh: objective of the best course that buys nothing in the first step minus that of
            the best that does; 0 where one of them is impossible.
        objective_wh: of the optimal course.
        quantum_value_wh: what one more quantum in the battery saves where nothing is bought in the
            first step; of a full one, what the last saves.
    """

    model: IndexArray32
    charge: NDArray[np.bool_]
    benefit_wh: FloatArray
    objective_wh: FloatArray
    quantum_value_wh: FloatArray


def build_problem(
    lab: Lab, scenarios: CameraScenarios, *, every_model: bool = False
) -> LabelProblem:
    """Return scenarios' problems.

    Args:
        lab: its configuration says steps, task interval and efficiency.
        scenarios: what is known of each, and what followed.
        every_model: also models that cannot be right: beside the smallest that fulfils the request
            and the smallest of all.
    """
    config = lab.config
    models = lab.models
    battery = config.simulation.battery
    horizon = config.training_data.optimization
    steps = horizon.horizon_steps
    slots = horizon.step_minutes // STEP_MINUTES
    quantum_wh = scenarios.capacity_wh / QUANTA
    fulfilled = models.fulfil(scenarios.accuracy, scenarios.latency_ms)
    smallest = models.smallest(scenarios.accuracy, scenarios.latency_ms)
    none = np.full_like(smallest, NO_MODEL)
    # The smallest model that fulfils the request, the smallest of all: whatever another does, one
    # of these, or none, does with less energy.
    undominated = (np.maximum(smallest, 0), np.where(smallest > 0, 0, none))
    ordered = np.argsort(~fulfilled, axis=1, kind="stable").T if every_model else undominated
    model = np.stack([*ordered, none], axis=1).astype(np.int32)
    chosen = model != NO_MODEL
    task_wh = np.where(chosen, models.energy_wh[model], 0.0) / battery.discharge_efficiency
    missed_wh = np.where(
        chosen,
        np.where(np.take_along_axis(fulfilled, model, axis=1), 0.0, SMALL_MISS_WH),
        LARGE_MISS_WH,
    )
    tasks = horizon.step_minutes * 60 / config.simulation.task_interval_seconds
    used = tasks * np.repeat((task_wh / quantum_wh[:, None])[:, None, :], steps, axis=1)
    charged = np.repeat(
        (scenarios.charge_rate_w * horizon.step_minutes / 60 / quantum_wh)[:, None], steps, axis=1
    )
    dirty = 1 - scenarios.ahead
    return LabelProblem(
        stored=np.floor(scenarios.battery_percent / 100 * QUANTA).astype(np.int32),
        model=model,
        used=_to_quanta(used, _roundings(steps)[:, None]),
        miss_wh=np.repeat(tasks * missed_wh[:, None, :], steps, axis=1),
        most_charge=_to_quanta(charged, _roundings(steps)),
        dirty_wh=dirty.reshape(len(dirty), steps, slots).mean(axis=2) * quantum_wh[:, None],
        end_wh=dirty.mean(axis=1) * quantum_wh,
    )


def _roundings(steps: int) -> FloatArray:
    """Return what is added to each step's quanta before they are cut to whole ones.

    A half in the first, which is the nearest.
    """
    return np.asarray((0.5 + _GOLDEN * np.arange(steps)) % 1, float)


def _to_quanta(quanta: FloatArray, rounding: FloatArray) -> IndexArray32:
    # More than a battery holds many times over is as good as any such number.
    return np.floor(np.minimum(quanta, 1e6) + rounding).astype(np.int32)


def solve_problems(problem: LabelProblem) -> Labels:
    """Return the labels of problems."""
    count = len(problem.stored)
    model = np.empty(count, np.int32)
    charge = np.empty(count, np.bool_)
    benefit_wh = np.empty(count)
    objective_wh = np.empty(count)
    quantum_value_wh = np.empty(count)
    fields = (
        problem.stored,
        problem.model,
        problem.used,
        problem.miss_wh,
        problem.most_charge,
        problem.dirty_wh,
        problem.end_wh,
    )
    solve_all(fields, model, charge, benefit_wh, objective_wh, quantum_value_wh)
    return Labels(model, charge, benefit_wh, objective_wh, quantum_value_wh)


def load_kernels() -> None:
    """Compile the kernels, or load them from the cache.

    This happens once, before processes are forked that share them.
    """
    none = np.empty(0, np.int32)
    energy = np.empty((0, 1))
    rows = np.empty((0, 1), np.int32)
    steps = (0, 1, 1)
    solve_problems(
        LabelProblem(
            none, rows, np.empty(steps, np.int32), np.empty(steps), rows, energy, np.empty(0)
        )
    )


@njit(cache=True)
def solve_all(
    problem: tuple[
        IndexArray32, IndexArray32, IndexArray32, FloatArray, IndexArray32, FloatArray, FloatArray
    ],
    model: IndexArray32,
    charge: NDArray[np.bool_],
    benefit_wh: FloatArray,
    objective_wh: FloatArray,
    quantum_value_wh: FloatArray,
) -> None:
    """Solve problems one after the other.

    See ``LabelProblem`` for the fields and ``Labels`` for what is filled in.
    """
    stored, models, used, miss_wh, most, dirty_wh, end_wh = problem
    after = np.empty(_LEVELS)
    total = np.empty(_LEVELS)
    filled = np.empty(_LEVELS + (used.max() if used.size else 0))
    for row in range(stored.size):
        actions = count_actions(models[row])
        for level in range(_LEVELS):
            after[level] = -end_wh[row] * level
        for step in range(dirty_wh.shape[1] - 1, 0, -1):
            used_quanta = used[row, step, :actions]
            highest = used_quanta.max()
            for level in range(_LEVELS):
                total[level] = after[level] + dirty_wh[row, step] * level
            fill_up(total, dirty_wh[row, step], most[row, step], highest, filled)
            after[:] = _INFINITE
            for action in range(actions):
                missed = miss_wh[row, step, action]
                from_here = filled[highest - used_quanta[action] :]
                for level in range(_LEVELS):
                    after[level] = min(after[level], from_here[level] + missed)
        best = choose_first(
            after,
            (dirty_wh[row, 0], most[row, 0]),
            used[row, 0],
            miss_wh[row, 0],
            actions,
            stored[row],
        )
        waiting, waiting_action, buying, buying_action = best
        buys = buying < waiting - TIE_WH
        model[row] = models[row, buying_action if buys else waiting_action]
        charge[row] = buys
        benefit_wh[row] = waiting - buying if buying < _INFINITE else 0.0
        objective_wh[row] = min(waiting, buying)
        level = min(stored[row], QUANTA - 1)
        less, _ = wait_first(after, used[row, 0], miss_wh[row, 0], actions, level)
        more, _ = wait_first(after, used[row, 0], miss_wh[row, 0], actions, level + 1)
        quantum_value_wh[row] = less - more


@njit(cache=True)
def count_actions(models: IndexArray32) -> int:
    """Return how many actions there are: none is the last."""
    for place in range(models.size):
        if models[place] < 0:
            return place + 1
    return int(models.size)


@njit(cache=True)
def fill_up(
    total: FloatArray, dirty_wh: float, most: int, highest: int, filled: FloatArray
) -> None:
    """Fill ``filled[highest + y]`` with the best value from level ``y`` on.

    It reaches at most ``most`` quanta up, for ``y`` from ``-highest`` to the capacity.

    ``total`` is the value of each level plus what it costs to fill the battery up to there. Source:
    van Herk 1992, Gil & Werman 1993: of blocks as long as the window, it ends in the one in which
    it begins or in the next.
    """
    above = filled[highest:]
    below = filled[:highest]
    block = min(most + 1, _LEVELS)
    if block == _LEVELS:
        sweep_down(total, above)
    else:
        for begin in range(0, _LEVELS, block):
            running = _INFINITE
            for level in range(min(begin + block, _LEVELS) - 1, begin - 1, -1):
                running = min(running, total[level])
                above[level] = running
        for begin in range(block, _LEVELS, block):
            running = _INFINITE
            for level in range(begin, min(begin + block, _LEVELS)):
                running = min(running, total[level])
                above[level - most] = min(above[level - most], running)
            # Windows that the capacity cuts off end there.
            for level in range(_LEVELS - most, begin):
                above[level] = min(above[level], running)
    # From below nothing: up to y + most, which is nowhere at first and everywhere at last.
    somewhere = min(max(highest - most, 0), highest)
    everywhere = min(max(highest - most + QUANTA, somewhere), highest)
    below[:somewhere] = _INFINITE
    running = _INFINITE
    reached = 0
    for place in range(somewhere, everywhere):
        while reached <= place - highest + most:
            running = min(running, total[reached])
            reached += 1
        below[place] = running
    below[everywhere:] = above[0] if block == _LEVELS else total.min()
    for place in range(highest + _LEVELS):
        filled[place] -= dirty_wh * (place - highest)


@njit(cache=True)
def sweep_down(total: FloatArray, lowest: FloatArray) -> None:
    """Fill ``lowest`` with the minimum from each level on.

    Four stretches side by side, as each level waits for the one before.
    """
    size = _LEVELS // 4
    last = lowest[QUANTA] = total[QUANTA]
    first = second = third = _INFINITE
    for place in range(size - 1, -1, -1):
        first = min(first, total[place])
        second = min(second, total[size + place])
        third = min(third, total[2 * size + place])
        last = min(last, total[3 * size + place])
        lowest[place] = first
        lowest[size + place] = second
        lowest[2 * size + place] = third
        lowest[3 * size + place] = last
    third = min(third, last)
    second = min(second, third)
    for place in range(size):
        lowest[place] = min(lowest[place], second)
        lowest[size + place] = min(lowest[size + place], third)
        lowest[2 * size + place] = min(lowest[2 * size + place], last)


@njit(cache=True)
def wait_first(
    after: FloatArray, used: IndexArray32, miss_wh: FloatArray, actions: int, stored: int
) -> tuple[float, int]:
    """Return the best objective and action without buying in the first step."""
    waiting = _INFINITE
    waiting_action = 0
    for action in range(actions):
        level = stored - used[action]
        if level >= 0 and after[level] + miss_wh[action] < waiting - TIE_WH:
            waiting = after[level] + miss_wh[action]
            waiting_action = action
    return waiting, waiting_action


@njit(cache=True)
def choose_first(
    after: FloatArray,
    price: tuple[float, int],
    used: IndexArray32,
    miss_wh: FloatArray,
    actions: int,
    stored: int,
) -> tuple[float, int, float, int]:
    """Return the best objective and action without buying in the first step, and with."""
    dirty_wh, most = price
    waiting, waiting_action = wait_first(after, used, miss_wh, actions, stored)
    buying = _INFINITE
    buying_action = 0
    for action in range(actions):
        level = stored - used[action]
        for end in range(max(level + 1, 0), min(level + most, QUANTA) + 1):
            bought = after[end] + dirty_wh * (end - level) + miss_wh[action]
            if bought < buying - TIE_WH:
                buying = bought
                buying_action = action
    return waiting, waiting_action, buying, buying_action
