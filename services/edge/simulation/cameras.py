"""What is simulated side by side: batteries, chargers and requests, arrays over cameras; and what a camera's state is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray, CameraModels
from services.edge.clean_share import IntArray
from services.edge.simulation.schedule import TaskSchedule

# A run begins with the battery half full, under every controller.
BEGIN_SHARE = 0.5
# Of a number's mantissa.
_DIGITS = 52
_SECONDS_PER_HOUR = 3600
_FIVE_MINUTES_US = 300_000_000


@dataclass(frozen=True, slots=True)
class Cameras:
    """Batteries, chargers and what users ask; arrays of shape ``(cameras,)``.

    Args:
        capacity_wh: how much each battery holds.
        charge_rate_w: how fast each is charged from the grid.
        discharge_efficiency: what of the stored energy arrives at the camera.
        accuracy: asked, as a share.
        latency_ms: asked.
    """

    capacity_wh: FloatArray
    charge_rate_w: FloatArray
    discharge_efficiency: FloatArray
    accuracy: FloatArray
    latency_ms: FloatArray

    @classmethod
    def of(cls, rows: Sequence[tuple[float, float, float, float, float]]) -> Self:
        """Return cameras of (capacity, charge rate, efficiency, accuracy, latency) each."""
        return cls(*np.array(rows, float).reshape(-1, 5).T.copy())

    @property
    def count(self) -> int:
        """How many there are."""
        return self.capacity_wh.size


class CameraState(NamedTuple):
    """All that changes of cameras: what is stored, and whether the charger was on during the last interval; arrays of shape ``(cameras,)``."""

    stored_wh: FloatArray
    charging: BoolArray

    @classmethod
    def at_begin(cls, table: "TaskTable") -> Self:
        """Return the state in which runs begin."""
        return cls(_round(table.capacity_wh * BEGIN_SHARE, table.quantum_wh), np.zeros(table.capacity_wh.size, bool))


class TaskTable(NamedTuple):
    """What a task takes and what it brings, per camera and model; one that stands for several takes and charges as much as they do.

    Energies are whole quanta, so small that a task's changes by less than a millionth, and so large that no sum of a run is ever rounded: what is stored is
    to the last digit what was stored, plus what was charged, less what was taken, in whatever order it is summed.

    Args:
        quantum_wh: a power of two, shape ``(cameras,)``.
        capacity_wh: shape ``(cameras,)``.
        charge_wh: what the charger brings in an interval, at most a whole battery, shape ``(cameras,)``.
        task_wh: what a model takes out of the battery, shape ``(cameras, models)``.
        fulfilled: whether a model is as accurate and as quick as asked, shape ``(cameras, models)``.
        smallest: the model of least energy that fulfils, the smallest of all where none does, shape ``(cameras,)``.
        five_minutes: how many tasks five minutes hold, at least one.
        weight: how many tasks one stands for.
    """

    quantum_wh: FloatArray
    capacity_wh: FloatArray
    charge_wh: FloatArray
    task_wh: FloatArray
    fulfilled: BoolArray
    smallest: IntArray
    five_minutes: int
    weight: int

    @classmethod
    def of(cls, cameras: Cameras, models: CameraModels, schedule: TaskSchedule) -> Self:
        """Return what tasks take of cameras with these models."""
        hours = schedule.interval_us / 1e6 / _SECONDS_PER_HOUR
        task_wh = models.energy_wh[None, :] * schedule.weight / cameras.discharge_efficiency[:, None]
        # No more can be charged than was taken and finds room.
        quantum = 2.0 ** (np.ceil(np.log2(task_wh.max(axis=1) * schedule.tasks + 2 * cameras.capacity_wh)) - _DIGITS)
        capacity = np.maximum(_round(cameras.capacity_wh, quantum), quantum)
        return cls(
            quantum_wh=quantum,
            capacity_wh=capacity,
            charge_wh=np.minimum(_round(cameras.charge_rate_w * hours, quantum), capacity),
            task_wh=_round(task_wh, quantum[:, None]),
            fulfilled=models.fulfil(cameras.accuracy, cameras.latency_ms),
            smallest=np.maximum(models.smallest(cameras.accuracy, cameras.latency_ms), 0),
            five_minutes=max(-(-_FIVE_MINUTES_US // schedule.interval_us), 1),
            weight=schedule.weight,
        )

    @property
    def needed_wh(self) -> FloatArray:
        """The energy of a task with the smallest model that fulfils, shape ``(cameras,)``."""
        return np.take_along_axis(self.task_wh, self.smallest[:, None], axis=1)[:, 0]


def _round(energy_wh: FloatArray, quantum_wh: FloatArray) -> FloatArray:
    return np.asarray(np.round(energy_wh / quantum_wh) * quantum_wh)
