"""The controller that knows the whole run: the exact dynamic programme over five-minute slots,
carried out by levels.

What stored energy saves from a slot on is concave in how much is stored, so its derivative is a
list of segments, worth the most first. A slot adds what its
tasks are worth and what its charger offers, both segments too, and cuts the list to the battery;
nothing is rounded to a grid. Within a slot it is a fluid: that a camera's charger brings whole
intervals costs what ``values`` bounds. Source: base-stock policies of inventory control.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit

from luna.energy.timeline import FloatArray
from services.edge.camera import LARGE_MISS_WH, SMALL_MISS_WH
from services.edge.clean_share import IntArray
from services.edge.simulation.cameras import CameraState, TaskTable
from services.edge.simulation.controllers.leveled import LevelController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Levels, Observation

# Of an interval's charge: finer than a millionth.
_HALVINGS = 20


@dataclass(frozen=True, slots=True)
class OracleController(LevelController):
    """Charges while stored energy is worth more, over the rest of the run, than it is dirty now.

    Args:
        least_objective_wh: what no controller can be below, shape ``(cameras,)``.
    """

    name: str
    least_objective_wh: FloatArray
    _model: IntArray
    _lean_model: IntArray
    _start_wh: FloatArray
    _lean_wh: FloatArray

    @classmethod
    def of(cls, setting: RunSetting) -> Self:
        """Return the oracle for cameras on a grid that it knows to the end."""
        table = setting.table
        schedule = setting.schedule
        course = GridCourse(
            1 - setting.clean_share, setting.place, schedule.tasks_of_slots(), setting.mean_dirty
        )
        start_wh, lean_wh = np.empty((2, schedule.slots, setting.cameras.count))
        least = walk_back(
            tuple(course),
            tuple(_weigh_tasks(table, CameraState.at_begin(table).stored_wh)),
            start_wh,
            lean_wh,
        )
        return cls(
            "oracle", least, table.smallest, np.zeros_like(table.smallest), start_wh, lean_wh
        )

    def levels(self, observation: Observation) -> Levels:
        start_wh = self._start_wh[observation.step]
        return Levels(
            self._model, self._lean_model, self._lean_wh[observation.step], start_wh, start_wh
        )


class GridCourse(NamedTuple):
    """What runs' slots are.

    Args:
        dirty: the dirty share, shape ``(periods, slots)``.
        place: each camera's period, shape ``(cameras,)``.
        tasks: how many come in each slot, shape ``(slots,)``.
        end_value: of a Wh that is stored in the end, shape ``(cameras,)``.
    """

    dirty: FloatArray
    place: IntArray
    tasks: IntArray
    end_value: FloatArray


class TaskWorth(NamedTuple):
    """What tasks are worth, per camera.

    Args:
        capacity_wh, charge_wh, begin_wh: of the battery, of the charger in an interval, and what is
        stored at first; shape ``(cameras,)``.
        length_wh: what a task takes at most, first for any inference at all, then for one that
            fulfils the request; shape ``(cameras, 2)``.
        value: what a Wh of it saves, the first more than the second; shape ``(cameras, 2)``.
        missed_wh: what a task without an inference costs.
        task_wh: of the model that looks mostly, shape ``(cameras,)``.
    """

    capacity_wh: FloatArray
    charge_wh: FloatArray
    begin_wh: FloatArray
    length_wh: FloatArray
    value: FloatArray
    missed_wh: float
    task_wh: FloatArray


def _weigh_tasks(table: TaskTable, begin_wh: FloatArray) -> TaskWorth:
    """Return what tasks of each camera are worth with the smallest model of all, and with the
    smallest that fulfils the request.
    """
    cameras = np.arange(table.smallest.size)
    lean_wh = table.task_wh[:, 0]
    needed_wh = table.needed_wh
    fulfilled = table.fulfilled[cameras, table.smallest]
    # The smallest model that fulfils is the smallest of all, or none fulfils: one segment, whose
    # second half is worth no less than its first.
    any_worth = (
        np.where(fulfilled & (table.smallest == 0), LARGE_MISS_WH, LARGE_MISS_WH - SMALL_MISS_WH)
        / lean_wh
    )
    more_wh = needed_wh - lean_wh
    more_worth = np.divide(SMALL_MISS_WH, more_wh, out=np.zeros_like(more_wh), where=more_wh > 0)
    # A wrong picture saves less of each Wh than a right one: then it is either a right one or none.
    steep = (table.smallest > 0) & (more_worth >= any_worth)
    any_worth = np.where(steep, LARGE_MISS_WH / needed_wh, any_worth)
    more_worth = np.where(steep, any_worth, more_worth)
    worth = np.stack([any_worth, more_worth], axis=1) * table.weight
    return TaskWorth(
        table.capacity_wh,
        table.charge_wh,
        begin_wh,
        np.stack([lean_wh, more_wh], axis=1),
        worth,
        LARGE_MISS_WH * table.weight,
        needed_wh,
    )


@njit(cache=True, nogil=True)
def walk_back(
    course: tuple[Any, ...], worth: tuple[Any, ...], start_wh: FloatArray, lean_wh: FloatArray
) -> FloatArray:
    """Write, per slot and camera, below what stored energy to charge and below what to look with
    the lean model; return the least objectives.

    ``course`` and ``worth`` are plain tuples. ``value`` and ``length`` are segments of what one
    more stored Wh saves from a slot on, by how much is stored: worth the most first, together as
    long as the battery is large.
    """
    dirty_shares, place, tasks_of, end_values = course
    capacity_wh, charge_wh, begin_wh, length_wh, worth_of, missed_wh, task_wh = worth
    slots = tasks_of.size
    cameras = capacity_wh.size
    least = np.empty(cameras)
    # A slot adds three segments at most.
    length = np.empty(3 * slots + 4)
    value = np.empty(3 * slots + 4)
    next_length = np.empty(3 * slots + 4)
    next_value = np.empty(3 * slots + 4)
    for camera in range(cameras):
        capacity = capacity_wh[camera]
        charge = charge_wh[camera]
        task = task_wh[camera]
        end_value = end_values[camera]
        length[0] = capacity
        value[0] = end_value
        count = 1
        empty_wh = 0.0
        for slot in range(slots - 1, -1, -1):
            dirty = dirty_shares[place[camera], slot]
            tasks = tasks_of[slot]
            level = _stop_level(length, value, count, dirty, charge)
            # Energy for the next task is there before the charger brings more.
            start_wh[slot, camera] = np.inf if level >= capacity else max(level, task) + task
            lean_wh[slot, camera] = _stored_above(length, value, count, worth_of[camera, 1]) + task
            offer = np.empty((3, 2))
            for part in range(2):
                offer[part, 0], offer[part, 1] = (
                    length_wh[camera, part] * tasks,
                    worth_of[camera, part],
                )
            offer[2, 0] = charge * tasks
            offer[2, 1] = dirty
            _sort_by_value(offer)
            count, served_wh = _merge(
                length, value, count, offer, charge * tasks, capacity, next_length, next_value
            )
            length, value, next_length, next_value = next_length, next_value, length, value
            empty_wh += dirty * charge * tasks + missed_wh * tasks - served_wh
        least[camera] = (
            empty_wh
            - _gain(length, value, count, 0.0, 0.0, begin_wh[camera])
            + end_value * begin_wh[camera]
        )
    return least


@njit(cache=True, nogil=True)
def _stored_above(length: FloatArray, value: FloatArray, count: int, price: float) -> float:
    """Return how much is stored where one more Wh is still worth more than a price."""
    stored = 0.0
    place = 0
    while place < count and value[place] > price:
        stored += length[place]
        place += 1
    return stored


@njit(cache=True, nogil=True)
def _stop_level(
    length: FloatArray, value: FloatArray, count: int, price: float, lump: float
) -> float:
    """Return up to where an interval's charge, or what finds room of it, is worth more than its
    price.
    """
    high = _stored_above(length, value, count, price)
    if count == 0 or value[count - 1] > price:
        return high
    # A whole interval's charge reaches beyond that: it pays while what it gains below makes up for
    # what it loses above.
    low = max(high - lump, 0.0)
    if _gain(length, value, count, price, low, low + lump) <= 0:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _gain(length, value, count, price, middle, middle + lump) > 0:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _gain(
    length: FloatArray, value: FloatArray, count: int, price: float, low: float, high: float
) -> float:
    """Return what energy between two levels saves over its price (at no price: beside an empty
    battery); beyond the battery there is none.
    """
    gain = 0.0
    begin = 0.0
    for place in range(count):
        end = begin + length[place]
        covered = min(end, high) - max(begin, low)
        if covered > 0:
            gain += covered * (value[place] - price)
        elif begin >= high:
            break
        begin = end
    return gain


@njit(cache=True, nogil=True)
def _sort_by_value(offer: FloatArray) -> None:
    """Sort the few segments of a slot, worth the most first."""
    for place in range(1, offer.shape[0]):
        for at in range(place, 0, -1):
            if offer[at, 1] <= offer[at - 1, 1]:
                break
            for column in range(2):
                offer[at, column], offer[at - 1, column] = offer[at - 1, column], offer[at, column]


@njit(cache=True, nogil=True)
def _merge(
    length: FloatArray,
    value: FloatArray,
    count: int,
    offer: FloatArray,
    drop_wh: float,
    capacity: float,
    out_length: FloatArray,
    out_value: FloatArray,
) -> tuple[int, float]:
    """Merge what is stored with what a slot offers, drop what its charger serves from the front and
    cut at the capacity.

    Returns:
        How many segments there are then, and what those that were dropped save.
    """
    old = 0
    new = 0
    written = 0
    total = 0.0
    served = 0.0
    while total < capacity and (old < count or new < offer.shape[0]):
        if new == offer.shape[0] or (old < count and value[old] >= offer[new, 1]):
            part = length[old]
            worth = value[old]
            old += 1
        else:
            part = offer[new, 0]
            worth = offer[new, 1]
            new += 1
        dropped = min(part, drop_wh)
        drop_wh -= dropped
        served += dropped * worth
        part = min(part - dropped, capacity - total)
        if part <= 0:
            continue
        total += part
        if written > 0 and out_value[written - 1] == worth:
            out_length[written - 1] += part
        else:
            out_length[written] = part
            out_value[written] = worth
            written += 1
    return written, served
