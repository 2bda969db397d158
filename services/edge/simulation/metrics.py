"""Sum up runs: tallies per day and camera while they run, then the final figures."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.edge.camera import LARGE_MISS_WH, SMALL_MISS_WH, CameraModels
from services.edge.clean_share import IntArray
from services.edge.simulation.cameras import TaskTable


class Tally(NamedTuple):
    """Figures per day; energies in Wh, counts in tasks.

    Args:
        inferences: made by each model, shape ``(days, cameras, models)``.
        small_misses, large_misses: inferences below the requirements, and missing ones; shape
            ``(days, cameras)``, as all below.
        charged_wh: from the grid into the battery.
        clean_wh: the clean part of it.
        guarded: decisions that a guard overrode.
    """

    inferences: IntArray
    small_misses: IntArray
    large_misses: IntArray
    charged_wh: FloatArray
    clean_wh: FloatArray
    guarded: IntArray

    @classmethod
    def empty(cls, days: int, cameras: int, models: int) -> Self:
        """Return zero figures."""
        small, large, guarded = np.zeros((3, days, cameras), np.int64)
        charged_wh, clean_wh = np.zeros((2, days, cameras))
        return cls(
            inferences=np.zeros((days, cameras, models), np.int64),
            small_misses=small,
            large_misses=large,
            charged_wh=charged_wh,
            clean_wh=clean_wh,
            guarded=guarded,
        )

    def total(self) -> "Tally":
        """Return the sums over days, without the first axis.

        Days are added in order, so that results do not depend on the cameras simulated beside.
        """
        return Tally(*(np.asarray(figure.cumsum(axis=0)[-1]) for figure in self))


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Final figures of runs.

    Args:
        tally: per day.
        table: energies of tasks per camera and model.
        stored_begin_wh, stored_end_wh: in the batteries, shape ``(cameras,)``.
        mean_dirty: value of stored energy, shape ``(cameras,)``.
    """

    tally: Tally
    table: TaskTable
    stored_begin_wh: FloatArray
    stored_end_wh: FloatArray
    mean_dirty: FloatArray

    @property
    def taken_wh(self) -> FloatArray:
        """Energy taken from the batteries by inferences, shape ``(cameras,)``."""
        inferences = self.tally.total().inferences // self.table.weight
        return np.asarray((inferences * self.table.task_wh).sum(axis=-1))

    def to_rows(self, models: CameraModels) -> list[dict[str, Any]]:
        """Return a row of results per camera."""
        total = self.tally.total()
        dirty = total.charged_wh - total.clean_wh
        settled = dirty - (self.stored_end_wh - self.stored_begin_wh) * self.mean_dirty
        small_wh = SMALL_MISS_WH * total.small_misses
        large_wh = LARGE_MISS_WH * total.large_misses
        objective = settled + small_wh + large_wh
        inference_count = total.inferences.sum(axis=-1)
        latency = (total.inferences * models.latency_ms).sum(axis=-1)
        used_wh = (total.inferences * models.energy_wh).sum(axis=-1)
        used_wh_by_day = (self.tally.inferences * models.energy_wh).sum(axis=-1)
        figures: dict[str, NDArray[Any]] = {
            "tasks": inference_count + total.large_misses,
            "small_misses": total.small_misses,
            "large_misses": total.large_misses,
            "used_wh": used_wh,
            "taken_wh": self.taken_wh,
            "charged_wh": total.charged_wh,
            "clean_wh": total.clean_wh,
            "dirty_wh": dirty,
            "stored_begin_wh": self.stored_begin_wh,
            "stored_end_wh": self.stored_end_wh,
        }
        by_day: dict[str, NDArray[Any]] = {
            "charged_wh": self.tally.charged_wh,
            "clean_wh": self.tally.clean_wh,
            "used_wh": used_wh_by_day,
            "small_misses": self.tally.small_misses,
            "large_misses": self.tally.large_misses,
        }
        rows = []
        for camera in range(self.stored_end_wh.size):
            row: dict[str, Any] = {name: values[camera].item() for name, values in figures.items()}
            row["clean_share"] = row["clean_wh"] / row["charged_wh"] if row["charged_wh"] else None
            row["dirty_settled_wh"] = settled[camera].item()
            row["objective_wh"] = objective[camera].item()
            if inference_count[camera]:
                row["mean_latency_ms"] = latency[camera].item() / inference_count[camera].item()
            else:
                row["mean_latency_ms"] = None
            row["models"] = dict(zip(models.names, total.inferences[camera].tolist(), strict=True))
            row["guard_interventions"] = total.guarded[camera].item()
            row["per_day"] = []
            for day in range(len(used_wh_by_day)):
                of_day = {name: values[day, camera].item() for name, values in by_day.items()}
                row["per_day"].append(of_day)
            rows.append(row)
        return rows
