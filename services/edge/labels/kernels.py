"""The compiled loops of the dynamic programme: plain arrays, because Numba knows nothing else.

A step's decision goes over the level ``y = stored − used``, below nothing where the step needs to charge: from there the battery is filled up to any level
within ``y`` and ``y + most``, at the step's price. So the best level is a minimum over a window that slides over value plus price, for all actions alike.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from luna.timeline import FloatArray
from services.edge.labels.problem import QUANTA, TIE_WH, IndexArray32

_INFINITE = np.inf


@njit(cache=True)
def solve_all(
    problem: tuple[IndexArray32, IndexArray32, IndexArray32, FloatArray, IndexArray32, FloatArray, FloatArray],
    model: IndexArray32,
    charge: NDArray[np.bool_],
    benefit_wh: FloatArray,
    objective_wh: FloatArray,
) -> None:
    """Solve problems one after the other; see ``LabelProblem`` for the fields and ``Labels`` for what is filled in."""
    stored, models, used, miss_wh, most, dirty_wh, end_wh = problem
    value, after = np.empty(QUANTA + 1), np.empty(QUANTA + 1)
    lowest, reached = np.empty(QUANTA + 1), np.empty(QUANTA + 1)
    for row in range(stored.size):
        actions = count_actions(models[row])
        for level in range(QUANTA + 1):
            after[level] = -end_wh[row] * level
        for step in range(dirty_wh.shape[1] - 1, 0, -1):
            step_back(after, (dirty_wh[row, step], most[row, step]), used[row, step], miss_wh[row], actions, (value, lowest, reached))
            value, after = after, value
        best = choose_first(after, (dirty_wh[row, 0], most[row, 0]), used[row, 0], miss_wh[row], actions, stored[row])
        waiting, waiting_action, buying, buying_action = best
        buys = buying < waiting - TIE_WH
        model[row] = models[row, buying_action if buys else waiting_action]
        charge[row] = buys
        benefit_wh[row] = waiting - buying if buying < _INFINITE else 0.0
        objective_wh[row] = min(waiting, buying)


@njit(cache=True)
def count_actions(models: IndexArray32) -> int:
    """Return how many actions there are: none is the last."""
    for place in range(models.size):
        if models[place] < 0:
            return place + 1
    return int(models.size)


@njit(cache=True)
def step_back(
    after: FloatArray, price: tuple[float, int], used: IndexArray32, miss_wh: FloatArray, actions: int, room: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    """Fill the first of ``room`` with the value of each level before a step, from the values after it."""
    value, lowest, reached = room
    dirty_wh, most = price
    slide(after, dirty_wh, most, lowest, reached)
    value[:] = _INFINITE
    for action in range(actions):
        taken, missed = used[action], miss_wh[action]
        for level in range(max(taken - most, 0), min(taken, QUANTA + 1)):
            bought = lowest[min(level - taken + most, QUANTA)] - dirty_wh * (level - taken) + missed
            value[level] = min(value[level], bought)
        for level in range(taken, QUANTA + 1):
            kept = reached[level - taken] + missed
            value[level] = min(kept, value[level])


@njit(cache=True)
def slide(after: FloatArray, dirty_wh: float, most: int, lowest: FloatArray, reached: FloatArray) -> None:
    """Fill ``lowest`` with minima of value plus price up to each level, ``reached`` with the value from each level on, at most ``most`` quanta up.

    Source: van Herk 1992, Gil & Werman 1993: with blocks as long as the window, it ends in the block in which it begins or the next.
    """
    running = _INFINITE
    for level in range(QUANTA + 1):
        running = min(running, after[level] + dirty_wh * level)
        lowest[level] = running
    block = most + 1
    running = _INFINITE
    for level in range(QUANTA, -1, -1):
        if level % block == block - 1:
            running = _INFINITE
        running = min(running, after[level] + dirty_wh * level)
        reached[level] = running - dirty_wh * level
    if most >= QUANTA:
        return
    running = _INFINITE
    for level in range(QUANTA + 1):
        if level % block == 0:
            running = _INFINITE
        running = min(running, after[level] + dirty_wh * level)
        begin = level - most
        if begin >= 0:
            reached[begin] = min(reached[begin], running - dirty_wh * begin)
    for begin in range(QUANTA - most + 1, QUANTA + 1):
        # The window is cut at the capacity; what lies beyond its block has no end but that.
        if begin // block != QUANTA // block:
            reached[begin] = min(reached[begin], running - dirty_wh * begin)


@njit(cache=True)
def choose_first(
    after: FloatArray, price: tuple[float, int], used: IndexArray32, miss_wh: FloatArray, actions: int, stored: int
) -> tuple[float, int, float, int]:
    """Return the best objective and action without buying in the first step, and with."""
    dirty_wh, most = price
    waiting, waiting_action, buying, buying_action = _INFINITE, 0, _INFINITE, 0
    for action in range(actions):
        level = stored - used[action]
        if level >= 0 and after[level] + miss_wh[action] < waiting - TIE_WH:
            waiting, waiting_action = after[level] + miss_wh[action], action
        for end in range(max(level + 1, 0), min(level + most, QUANTA) + 1):
            bought = after[end] + dirty_wh * (end - level) + miss_wh[action]
            if bought < buying - TIE_WH:
                buying, buying_action = bought, action
    return waiting, waiting_action, buying, buying_action
