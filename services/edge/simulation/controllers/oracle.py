"""The controller that knows the whole run: the exact dynamic programme over five-minute slots, carried out by levels.

What stored energy saves from a slot on is concave in how much is stored, so its derivative is a list of segments, worth the most first. A slot adds what its
tasks are worth and what its charger offers, both segments too, and cuts the list to the battery; nothing is rounded to a grid. Within a slot it is a fluid:
that a camera's charger brings whole intervals costs what ``values`` bounds. Source: base-stock policies of inventory control.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import LARGE_MISS_WH, SMALL_MISS_WH
from services.edge.clean_share import IntArray
from services.edge.simulation.cameras import CameraState, TaskTable
from services.edge.simulation.controllers.kernels import GridCourse, TaskWorth, walk_back
from services.edge.simulation.controllers.leveled import LevelController
from services.edge.simulation.engine import RunSetting
from services.edge.simulation.protocol import Levels, Observation


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
        table, schedule = setting.table, setting.schedule
        course = GridCourse(1 - setting.clean_share, setting.place, schedule.tasks_of_slots(), setting.mean_dirty)
        start_wh, lean_wh = np.empty((2, schedule.slots, setting.cameras.count))
        least = walk_back(tuple(course), tuple(_weigh_tasks(table, CameraState.at_begin(table).stored_wh)), start_wh, lean_wh)
        return cls("oracle", least, table.smallest, np.zeros_like(table.smallest), start_wh, lean_wh)

    def levels(self, observation: Observation) -> Levels:
        start_wh = self._start_wh[observation.step]
        return Levels(self._model, self._lean_model, self._lean_wh[observation.step], start_wh, start_wh)


def _weigh_tasks(table: TaskTable, begin_wh: FloatArray) -> TaskWorth:
    """Return what tasks of each camera are worth with the smallest model of all, and with the smallest that fulfils the request."""
    cameras = np.arange(table.smallest.size)
    lean_wh, needed_wh, fulfilled = table.task_wh[:, 0], table.needed_wh, table.fulfilled[cameras, table.smallest]
    # The smallest model that fulfils is the smallest of all, or none fulfils: one segment, whose second half is worth no less than its first.
    any_worth = np.where(fulfilled & (table.smallest == 0), LARGE_MISS_WH, LARGE_MISS_WH - SMALL_MISS_WH) / lean_wh
    more_wh = needed_wh - lean_wh
    more_worth = np.divide(SMALL_MISS_WH, more_wh, out=np.zeros_like(more_wh), where=more_wh > 0)
    # A wrong picture saves less of each Wh than a right one: then it is either a right one or none.
    steep = (table.smallest > 0) & (more_worth >= any_worth)
    any_worth = np.where(steep, LARGE_MISS_WH / needed_wh, any_worth)
    more_worth = np.where(steep, any_worth, more_worth)
    worth = np.stack([any_worth, more_worth], axis=1) * table.weight
    return TaskWorth(table.capacity_wh, table.charge_wh, begin_wh, np.stack([lean_wh, more_wh], axis=1), worth, LARGE_MISS_WH * table.weight, needed_wh)
