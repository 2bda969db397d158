"""The controller with perfect foresight: an exact dynamic programme over five-minute slots.

The saving of stored energy from a slot on is a concave function of the stored amount. Its
derivative, the marginal value, is therefore a list of segments in falling order of value. Going
back by a slot merges the segments of its tasks and its charger into the list, and cuts the list at
the battery's capacity; nothing is rounded to a grid. Within a slot energy flows
continuously, although a real charger delivers whole intervals. Continuous flow allows more than any
controller can do, so ``least_objective_wh`` is a lower bound of all objectives. The result is a
level per slot below which to charge. Source: base-stock policies of inventory control.
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

# Bisection steps over an interval's charge: finer than a millionth of it.
_HALVINGS = 20


@dataclass(frozen=True, slots=True)
class OracleController(LevelController):
    """Charges while a stored Wh saves more later than its dirty share costs now.

    Args:
        least_objective_wh: lower bound of any controller's objective, shape ``(cameras,)``.
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
        worth = _weigh_tasks(table, CameraState.at_begin(table).stored_wh)
        start_wh, lean_wh = np.empty((2, schedule.slots, setting.cameras.count))
        least = walk_back(tuple(course), tuple(worth), start_wh, lean_wh)
        lean_model = np.zeros_like(table.smallest)
        return cls(
            name="oracle",
            least_objective_wh=least,
            _model=table.smallest,
            _lean_model=lean_model,
            _start_wh=start_wh,
            _lean_wh=lean_wh,
        )

    def levels(self, observation: Observation) -> Levels:
        start_wh = self._start_wh[observation.step]
        lean_wh = self._lean_wh[observation.step]
        return Levels(
            model=self._model,
            lean_model=self._lean_model,
            lean_wh=lean_wh,
            start_wh=start_wh,
            stop_wh=start_wh,
        )


class GridCourse(NamedTuple):
    """The slots of a run.

    Args:
        dirty: the dirty share, shape ``(periods, slots)``.
        place: each camera's period, shape ``(cameras,)``.
        tasks: number of tasks in each slot, shape ``(slots,)``.
        end_value: of a Wh stored at the end of the run, shape ``(cameras,)``.
    """

    dirty: FloatArray
    place: IntArray
    tasks: IntArray
    end_value: FloatArray


class TaskWorth(NamedTuple):
    """The value of energy for tasks, per camera, in two segments.

    The first segment is the energy of any inference at all, the second the additional energy of one
    that fulfils the request.

    Args:
        capacity_wh: of the battery, shape ``(cameras,)``.
        charge_wh: of the charger in an interval, shape ``(cameras,)``.
        begin_wh: stored at the begin of the run, shape ``(cameras,)``.
        length_wh: energy of a segment, shape ``(cameras, 2)``.
        value: saving per Wh of a segment, falling; shape ``(cameras, 2)``.
        missed_wh: cost of a task without an inference.
        task_wh: energy of the usual model, shape ``(cameras,)``.
    """

    capacity_wh: FloatArray
    charge_wh: FloatArray
    begin_wh: FloatArray
    length_wh: FloatArray
    value: FloatArray
    missed_wh: float
    task_wh: FloatArray


def _weigh_tasks(table: TaskTable, begin_wh: FloatArray) -> TaskWorth:
    """Return the value of energy for each camera's tasks."""
    cameras = np.arange(table.smallest.size)
    lean_wh = table.task_wh[:, 0]
    needed_wh = table.needed_wh
    fulfilled = table.fulfilled[cameras, table.smallest]
    # If the lean model itself fulfils, its segment avoids a large miss, else it only turns a large
    # miss into a small one.
    lean_fulfils = fulfilled & (table.smallest == 0)
    avoided_wh = np.where(lean_fulfils, LARGE_MISS_WH, LARGE_MISS_WH - SMALL_MISS_WH)
    any_worth = avoided_wh / lean_wh
    more_wh = needed_wh - lean_wh
    more_worth = np.divide(SMALL_MISS_WH, more_wh, out=np.zeros_like(more_wh), where=more_wh > 0)
    # Values must fall along the list. Where the second segment would be worth more per Wh, an
    # inference either fulfils or is left out: both segments get their mean value.
    steep = (table.smallest > 0) & (more_worth >= any_worth)
    any_worth = np.where(steep, LARGE_MISS_WH / needed_wh, any_worth)
    more_worth = np.where(steep, any_worth, more_worth)
    worth = np.stack([any_worth, more_worth], axis=1) * table.weight
    return TaskWorth(
        capacity_wh=table.capacity_wh,
        charge_wh=table.charge_wh,
        begin_wh=begin_wh,
        length_wh=np.stack([lean_wh, more_wh], axis=1),
        value=worth,
        missed_wh=LARGE_MISS_WH * table.weight,
        task_wh=needed_wh,
    )


@njit(cache=True, nogil=True)
def walk_back(
    course: tuple[Any, ...], worth: tuple[Any, ...], start_wh: FloatArray, lean_wh: FloatArray
) -> FloatArray:
    """Write the levels of each slot and camera, and return the least objectives.

    Below ``start_wh`` a camera charges, below ``lean_wh`` it uses the lean model. ``course`` is a
    ``GridCourse`` and ``worth`` a ``TaskWorth``, as plain tuples. ``value`` and ``length`` are the
    segments of the marginal value of stored energy from a slot on: in falling order of value,
    together as long as the battery's capacity.
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
        # After the last slot every stored Wh has the same value.
        length[0] = capacity
        value[0] = end_value
        count = 1
        # Objective of the rest of the run with an empty battery.
        empty_wh = 0.0
        for slot in range(slots - 1, -1, -1):
            dirty = dirty_shares[place[camera], slot]
            tasks = tasks_of[slot]
            level = _stop_level(length, value, count, dirty, charge)
            # Energy for the next task must be there before the charger brings more.
            start_wh[slot, camera] = np.inf if level >= capacity else max(level, task) + task
            lean_wh[slot, camera] = _stored_above(length, value, count, worth_of[camera, 1]) + task
            # The slot's own segments: two of its tasks, and one of its charger at the dirty share.
            offer = np.empty((3, 2))
            for part in range(2):
                offer[part, 0] = length_wh[camera, part] * tasks
                offer[part, 1] = worth_of[camera, part]
            offer[2, 0] = charge * tasks
            offer[2, 1] = dirty
            _sort_by_value(offer)
            count, served_wh = _merge(
                length, value, count, offer, charge * tasks, capacity, next_length, next_value
            )
            length, value, next_length, next_value = next_length, next_value, length, value
            empty_wh += dirty * charge * tasks + missed_wh * tasks - served_wh
        begin_gain = _gain(length, value, count, 0.0, 0.0, begin_wh[camera])
        least[camera] = empty_wh - begin_gain + end_value * begin_wh[camera]
    return least


@njit(cache=True, nogil=True)
def _stored_above(length: FloatArray, value: FloatArray, count: int, price: float) -> float:
    """Return the highest level at which another Wh is worth more than a price."""
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
    """Return the highest level at which a whole interval's charge pays off."""
    high = _stored_above(length, value, count, price)
    if count == 0 or value[count - 1] > price:
        return high
    # A whole interval's charge may reach beyond ``high``: it pays while its gain below outweighs
    # its loss above.
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
    """Return the saving of the energy between two levels over its price, none beyond capacity."""
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
    """Sort the few segments of a slot in falling order of value."""
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
    """Merge the stored segments with a slot's, drop what its charger serves, cut at capacity.

    The charger's energy serves the most valuable segments, those in front.

    Returns:
        Number of the segments left, and the saving of the dropped ones.
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
