"""State the problem behind a label in whole quanta of energy, and solve it exactly.

For each step of the horizon, choose one model for all its tasks (or none) and the number of quanta
to charge, such that stored energy stays between zero and the capacity. Minimise dirty energy from
the grid, plus misses in Wh, minus the energy stored at the end at the mean dirty share. Whole
quanta give every solver the same problem.

Within a step energy is used and charged in turns every few seconds, so the energy charged in a step
also serves that step.

The solution is a dynamic programme over all levels of stored energy, backwards from the horizon's
end. A step first takes the action's energy: ``y = stored − used``, negative where the step needs to
charge. Then the battery is filled to any level from ``y`` to ``y + most`` at the step's price.
The best level is therefore the minimum of value plus price over a sliding window, the same window
for all actions.
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

# Quanta in a full battery; with the empty one, 421 levels.
QUANTA = 420
# Objectives this close are equal: the first action wins, and nothing is bought.
TIE_WH = 1e-9
# Irrational shift of the rounding threshold from step to step: the steps' rounding errors cancel
# out, and a smaller model never takes more than a larger one.
_GOLDEN = (5**0.5 - 1) / 2
_LEVELS = QUANTA + 1
_INFINITE = np.inf

IndexArray32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """Problems of many scenarios as arrays over scenarios, steps and actions.

    An action is a model or none; among equal ones the first wins.

    Args:
        stored: quanta at the beginning, shape ``(scenarios,)``.
        model: place of each action's model, ``NO_MODEL`` from the last on, shape
            ``(scenarios, actions)``.
        used: quanta that an action takes in a step, shape ``(scenarios, steps, actions)``.
        miss_wh: an action's misses in a step in Wh, shape ``(scenarios, steps, actions)``.
        most_charge: highest number of quanta to charge, shape ``(scenarios, steps)``.
        dirty_wh: dirty energy of a quantum from the grid, shape ``(scenarios, steps)``.
        end_wh: value of a quantum stored at the end, shape ``(scenarios,)``.
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
    """First decisions and objectives of the optimal solutions, shape ``(scenarios,)``.

    Args:
        model: of the first step; ``NO_MODEL`` where the energy suffices for none.
        charge: whether the first step buys energy; only where buying is better than waiting.
        benefit_wh: best objective without buying in the first step minus the best with buying; 0
            where one of them is impossible.
        objective_wh: of the optimal solution.
        quantum_value_wh: saving by one more quantum in the battery if nothing is bought in the
            first step; for a full battery, the saving by its last quantum.
    """

    model: IndexArray32
    charge: NDArray[np.bool_]
    benefit_wh: FloatArray
    objective_wh: FloatArray
    quantum_value_wh: FloatArray


def build_problem(
    lab: Lab, scenarios: CameraScenarios, *, every_model: bool = False
) -> LabelProblem:
    """Return the problems of scenarios.

    Args:
        lab: its configuration sets steps, task interval and efficiency.
        scenarios: requests, batteries and actual clean shares.
        every_model: also offer models that are never optimal, beyond the smallest that fulfils the
            request and the smallest of all.
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
    if every_model:
        ordered = [*np.argsort(~fulfilled, axis=1, kind="stable").T]
    else:
        # The smallest model that fulfils the request and the smallest of all: one of these, or
        # none, achieves the same as any other model with less energy.
        ordered = [np.maximum(smallest, 0), np.where(smallest > 0, 0, none)]
    model = np.stack([*ordered, none], axis=1).astype(np.int32)
    is_model = model != NO_MODEL
    task_wh = np.where(is_model, models.energy_wh[model], 0.0) / battery.discharge_efficiency
    fulfils = np.take_along_axis(fulfilled, model, axis=1)
    inference_miss_wh = np.where(fulfils, 0.0, SMALL_MISS_WH)
    missed_wh = np.where(is_model, inference_miss_wh, LARGE_MISS_WH)
    tasks = horizon.step_minutes * 60 / config.simulation.task_interval_seconds
    task_quanta = task_wh / quantum_wh[:, None]
    used = tasks * np.repeat(task_quanta[:, None, :], steps, axis=1)
    step_charge = scenarios.charge_rate_w * horizon.step_minutes / 60 / quantum_wh
    charged = np.repeat(step_charge[:, None], steps, axis=1)
    dirty = 1 - scenarios.ahead
    step_dirty = dirty.reshape(len(dirty), steps, slots).mean(axis=2)
    return LabelProblem(
        stored=np.floor(scenarios.battery_percent / 100 * QUANTA).astype(np.int32),
        model=model,
        used=_to_quanta(used, _roundings(steps)[:, None]),
        miss_wh=np.repeat(tasks * missed_wh[:, None, :], steps, axis=1),
        most_charge=_to_quanta(charged, _roundings(steps)),
        dirty_wh=step_dirty * quantum_wh[:, None],
        end_wh=dirty.mean(axis=1) * quantum_wh,
    )


def _roundings(steps: int) -> FloatArray:
    """Return each step's offset to add before rounding down to whole quanta.

    The first is a half, which rounds to the nearest.
    """
    return np.asarray((0.5 + _GOLDEN * np.arange(steps)) % 1, float)


def _to_quanta(quanta: FloatArray, rounding: FloatArray) -> IndexArray32:
    # Many times a battery's capacity: any higher number has the same effect, and int32 holds this.
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
    return Labels(
        model=model,
        charge=charge,
        benefit_wh=benefit_wh,
        objective_wh=objective_wh,
        quantum_value_wh=quantum_value_wh,
    )


def load_kernels() -> None:
    """Compile the kernels or load them from the cache.

    Called once before processes are forked, which then share them.
    """
    none = np.empty(0, np.int32)
    energy = np.empty((0, 1))
    rows = np.empty((0, 1), np.int32)
    steps = (0, 1, 1)
    solve_problems(
        LabelProblem(
            stored=none,
            model=rows,
            used=np.empty(steps, np.int32),
            miss_wh=np.empty(steps),
            most_charge=rows,
            dirty_wh=energy,
            end_wh=np.empty(0),
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

    ``problem`` holds the fields of ``LabelProblem``; the other arguments are filled, as in
    ``Labels``.
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
    """Return the number of actions; the last is to use no model."""
    for place in range(models.size):
        if models[place] < 0:
            return place + 1
    return int(models.size)


@njit(cache=True)
def fill_up(
    total: FloatArray, dirty_wh: float, most: int, highest: int, filled: FloatArray
) -> None:
    """Fill ``filled[highest + y]`` with the least objective of charging up from level ``y``.

    ``y`` runs from ``-highest`` to the capacity; at most ``most`` quanta are charged. ``total`` is
    the objective of each level plus the cost of filling an empty battery up to it.

    Source: van Herk 1992, Gil & Werman 1993: with blocks as long as the window, a window ends in
    the block in which it begins or in the next.
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
            # The last windows are cut off at the capacity.
            for level in range(_LEVELS - most, begin):
                above[level] = min(above[level], running)
    # Levels below zero reach 0 to y + most: at first no level at all, in the end all levels.
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
    """Fill ``lowest`` with the minimum of ``total`` from each level to the capacity.

    Four stretches run side by side, because each level depends on the one above it.
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
    """Return the best objective and action without buying in the first step, then with buying."""
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
