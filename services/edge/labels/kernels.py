"""The compiled loops of the dynamic programme: plain arrays, because Numba knows nothing else.

A step's decision goes over the level ``y = stored − used``, below nothing where the step needs to charge: from there the battery is filled up to any level
within ``y`` and ``y + most``, at the step's price. So the best level is a minimum over a window that slides over value plus price, for all actions alike.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.edge.labels.problem import QUANTA, TIE_WH, IndexArray32

_LEVELS = QUANTA + 1
_INFINITE = np.inf


@njit(cache=True)
def solve_all(
    problem: tuple[IndexArray32, IndexArray32, IndexArray32, FloatArray, IndexArray32, FloatArray, FloatArray],
    model: IndexArray32,
    charge: NDArray[np.bool_],
    benefit_wh: FloatArray,
    objective_wh: FloatArray,
    quantum_value_wh: FloatArray,
) -> None:
    """Solve problems one after the other; see ``LabelProblem`` for the fields and ``Labels`` for what is filled in."""
    stored, models, used, miss_wh, most, dirty_wh, end_wh = problem
    after, total = np.empty(_LEVELS), np.empty(_LEVELS)
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
                missed, from_here = miss_wh[row, step, action], filled[highest - used_quanta[action] :]
                for level in range(_LEVELS):
                    after[level] = min(after[level], from_here[level] + missed)
        best = choose_first(after, (dirty_wh[row, 0], most[row, 0]), used[row, 0], miss_wh[row, 0], actions, stored[row])
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
def fill_up(total: FloatArray, dirty_wh: float, most: int, highest: int, filled: FloatArray) -> None:
    """Fill ``filled[highest + y]`` with the value of the best level from ``y`` on, at most ``most`` quanta up, for ``y`` from ``-highest`` to the capacity.

    ``total`` is the value of each level plus what it costs to fill the battery up to there. Source: van Herk 1992, Gil & Werman 1993: of blocks as long
    as the window, it ends in the one in which it begins or in the next.
    """
    above, below = filled[highest:], filled[:highest]
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
    running, reached = _INFINITE, 0
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
    """Fill ``lowest`` with the minimum from each level on; four stretches side by side, as each level waits for the one before."""
    size = _LEVELS // 4
    last = lowest[QUANTA] = total[QUANTA]
    first = second = third = _INFINITE
    for place in range(size - 1, -1, -1):
        first, second = min(first, total[place]), min(second, total[size + place])
        third, last = min(third, total[2 * size + place]), min(last, total[3 * size + place])
        lowest[place], lowest[size + place], lowest[2 * size + place], lowest[3 * size + place] = first, second, third, last
    third = min(third, last)
    second = min(second, third)
    for place in range(size):
        lowest[place] = min(lowest[place], second)
        lowest[size + place] = min(lowest[size + place], third)
        lowest[2 * size + place] = min(lowest[2 * size + place], last)


@njit(cache=True)
def wait_first(after: FloatArray, used: IndexArray32, miss_wh: FloatArray, actions: int, stored: int) -> tuple[float, int]:
    """Return the best objective and action without buying in the first step."""
    waiting, waiting_action = _INFINITE, 0
    for action in range(actions):
        level = stored - used[action]
        if level >= 0 and after[level] + miss_wh[action] < waiting - TIE_WH:
            waiting, waiting_action = after[level] + miss_wh[action], action
    return waiting, waiting_action


@njit(cache=True)
def choose_first(
    after: FloatArray, price: tuple[float, int], used: IndexArray32, miss_wh: FloatArray, actions: int, stored: int
) -> tuple[float, int, float, int]:
    """Return the best objective and action without buying in the first step, and with."""
    dirty_wh, most = price
    waiting, waiting_action = wait_first(after, used, miss_wh, actions, stored)
    buying, buying_action = _INFINITE, 0
    for action in range(actions):
        level = stored - used[action]
        for end in range(max(level + 1, 0), min(level + most, QUANTA) + 1):
            bought = after[end] + dirty_wh * (end - level) + miss_wh[action]
            if bought < buying - TIE_WH:
                buying, buying_action = bought, action
    return waiting, waiting_action, buying, buying_action
