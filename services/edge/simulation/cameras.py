"""Arrays over simulated cameras: their equipment, requirements, state and task energies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from luna.energy.timeline import FloatArray
from services.edge.camera import BoolArray, CameraModels
from services.edge.clean_share import IntArray
from services.edge.simulation.schedule import TaskSchedule

# Initial state of charge of every run.
BEGIN_SHARE = 0.5
# Bits of a double's mantissa.
_DIGITS = 52
_SECONDS_PER_HOUR = 3600
_FIVE_MINUTES_US = 300_000_000


@dataclass(frozen=True, slots=True)
class Cameras:
    """Batteries, chargers and users' requirements; arrays of shape ``(cameras,)``.

    Args:
        capacity_wh: of the battery.
        charge_rate_w: charging power from the grid.
        discharge_efficiency: share of the stored energy that reaches the camera.
        accuracy: required, 0 to 1.
        latency_ms: required.
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
        """Number of cameras."""
        return self.capacity_wh.size


class CameraState(NamedTuple):
    """Stored energy of the cameras, and whether their chargers were last on.

    Arrays of shape ``(cameras,)``.
    """

    stored_wh: FloatArray
    charging: BoolArray

    @classmethod
    def at_begin(cls, table: "TaskTable") -> Self:
        """Return the initial state of a run."""
        return cls(
            _round(table.capacity_wh * BEGIN_SHARE, table.quantum_wh),
            np.zeros(table.capacity_wh.size, bool),
        )


class TaskTable(NamedTuple):
    """Energies of a task per camera and model.

    A task that stands for several takes and charges as much as they do.

    Energies are multiples of a quantum, small enough to change a task's by less than a millionth,
    and large enough that no sum of a run is ever rounded: the energy balance is exact in any order
    of summation.

    Args:
        quantum_wh: a power of two, shape ``(cameras,)``.
        capacity_wh: shape ``(cameras,)``.
        charge_wh: charged energy per interval, at most a whole battery, shape ``(cameras,)``.
        task_wh: a model's energy out of the battery, shape ``(cameras, models)``.
        fulfilled: whether a model meets the requirements, shape ``(cameras, models)``.
        smallest: model of least energy that meets them, the smallest of all where none does, shape
            ``(cameras,)``.
        five_minutes: number of tasks within five minutes, at least one.
        weight: number of tasks that one stands for.
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
        """Return the table of cameras with these models."""
        hours = schedule.interval_us / 1e6 / _SECONDS_PER_HOUR
        task_wh = (
            models.energy_wh[None, :] * schedule.weight / cameras.discharge_efficiency[:, None]
        )
        # Bound of every sum: no more can be charged than was taken and fits into the battery.
        bound_wh = task_wh.max(axis=1) * schedule.tasks + 2 * cameras.capacity_wh
        quantum = 2.0 ** (np.ceil(np.log2(bound_wh)) - _DIGITS)
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
        """The energy of a task with model ``smallest``, shape ``(cameras,)``."""
        return np.take_along_axis(self.task_wh, self.smallest[:, None], axis=1)[:, 0]


def _round(energy_wh: FloatArray, quantum_wh: FloatArray) -> FloatArray:
    return np.asarray(np.round(energy_wh / quantum_wh) * quantum_wh)
