"""Collect runs as columns of numbers, and their days as sums by controller and week.

A run takes about a hundred bytes. A *week* is a week of a location: runs in it share its weather
and count as one observation. A *camera* is a location, a week and a variation.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from luna.contracts.edge_summary import DamagedRow
from luna.energy.timeline import FloatArray
from services.edge.analytics.runs import RowAt, RunRow

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
# Highest number of damaged rows to name.
NAMED_DAMAGE = 100
COLUMNS = (
    "tasks",
    "small_misses",
    "large_misses",
    "taken_wh",
    "charged_wh",
    "clean_wh",
    "dirty_wh",
    "dirty_settled_wh",
    "objective_wh",
    "days",
    "latency_ms",
    "inferences",
    "interventions",
)
DAY_COLUMNS = ("tasks", "charged_wh", "clean_wh", "misses", "runs")
# In the order of display: from the controller that knows least to the one that knows most.
CONTROLLER_ORDER = ("naive_weak", "naive_strong", "rule", "custom", "ensemble", "oracle")
SEASON_ORDER = ("winter", "spring", "summer", "fall")


@dataclass
class RunTable:
    """Columns of runs; row ``i`` of every column is the same run."""

    damaged: int = 0
    damage: list[DamagedRow] = field(default_factory=list)
    stand_in: set[str] = field(default_factory=set)
    _numbers: "array[float]" = field(default_factory=lambda: array("d"))
    _controller: "array[int]" = field(default_factory=lambda: array("q"))
    _camera: "array[int]" = field(default_factory=lambda: array("q"))
    _controllers: dict[str, int] = field(default_factory=dict)
    _cameras: dict[tuple[str, str, str, int], int] = field(default_factory=dict)
    _keys: set[int] = field(default_factory=set)
    _models: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _days: dict[tuple[str, str, str], list[list[float]]] = field(default_factory=dict)

    @classmethod
    def collect(cls, rows: Iterable[RowAt]) -> "RunTable":
        """Return a table of all intact rows.

        Damaged rows and repeated runs are counted and named.
        """
        table = cls()
        for row in rows:
            reason = table._add(row.run) if row.run is not None else row.reason
            if reason:
                table.damaged += 1
                if len(table.damage) < NAMED_DAMAGE:
                    table.damage.append(DamagedRow(file=row.file, line=row.line, reason=reason))
        return table

    def _add(self, run: RunRow) -> str:
        controller = self._controllers.setdefault(run.controller, len(self._controllers))
        camera = self._cameras.setdefault(
            (run.location, run.season, run.begin, run.variation), len(self._cameras)
        )
        # One integer for the pair saves memory: there may be millions.
        key = (camera << 16) | controller
        if key in self._keys:
            return (
                f"the run of {run.controller} in {run.location}, {run.begin}, variation "
                f"{run.variation} stands there twice"
            )
        self._keys.add(key)
        self._controller.append(controller)
        self._camera.append(camera)
        inferences = sum(run.models.values()) or run.tasks - run.large_misses
        latency = 0.0 if run.mean_latency_ms is None else run.mean_latency_ms * inferences
        counted = 0 if run.mean_latency_ms is None else inferences
        self._numbers.extend(float(getattr(run, name)) for name in COLUMNS[:-3])
        self._numbers.extend((latency, float(counted), float(run.guard_interventions)))
        self._models[run.controller].update(run.models)
        days = self._days.setdefault((run.controller, run.location, run.begin), [])
        length = max(run.days, 1e-9)
        for place, day in enumerate(run.per_day):
            if place == len(days):
                days.append([0.0] * len(DAY_COLUMNS))
            tasks = run.tasks * min(1.0, run.days - place) / length
            for column, value in enumerate(
                (tasks, day.charged_wh, day.clean_wh, day.small_misses + day.large_misses, 1)
            ):
                days[place][column] += value
        if run.stand_in:
            self.stand_in.add(run.location)
        return ""

    def __len__(self) -> int:
        return len(self._controller)

    @cached_property
    def controllers(self) -> list[str]:
        """The controllers of the runs in the order of display."""
        return _sort_by_order(self._controllers, CONTROLLER_ORDER)

    @cached_property
    def columns(self) -> Mapping[str, FloatArray]:
        """The numbers by name, each of shape ``(runs,)``."""
        if self._numbers:
            table = np.frombuffer(self._numbers, dtype=float).reshape(-1, len(COLUMNS))
        else:
            table = np.zeros((0, len(COLUMNS)))
        return {name: table[:, place] for place, name in enumerate(COLUMNS)}

    @cached_property
    def camera(self) -> IntArray:
        """Number of each run's camera, shape ``(runs,)``."""
        return np.array(self._camera, dtype=np.int64)

    @property
    def cameras(self) -> int:
        """Number of cameras."""
        return len(self._cameras)

    def list_cameras(self) -> list[tuple[str, str, str, int]]:
        """Return each camera's location, season, begin and variation."""
        return list(self._cameras)

    @cached_property
    def weeks(self) -> list[tuple[str, str]]:
        """The weeks, each as its location and begin."""
        return sorted({(location, begin) for location, _, begin, _ in self._cameras})

    @cached_property
    def week_of_camera(self) -> IntArray:
        """Number of each camera's week, shape ``(cameras,)``."""
        place = {week: number for number, week in enumerate(self.weeks)}
        weeks = [place[location, begin] for location, _, begin, _ in self._cameras]
        return np.array(weeks, dtype=np.int64)

    @cached_property
    def locations(self) -> list[str]:
        """The locations, by name."""
        return sorted({location for location, *_ in self._cameras})

    @cached_property
    def seasons(self) -> list[str]:
        """The seasons from winter to fall."""
        return _sort_by_order({season for _, season, *_ in self._cameras}, SEASON_ORDER)

    def rows_of(self, controller: str) -> IntArray:
        """Return the places of a controller's runs."""
        return self._rows[controller]

    @cached_property
    def _rows(self) -> Mapping[str, IntArray]:
        ran = np.array(self._controller, dtype=np.int64)
        return {name: np.flatnonzero(ran == place) for name, place in self._controllers.items()}

    def is_at(self, location: str | None, season: str | None) -> BoolArray:
        """Return a mask of the cameras at a location and in a season; None stands for any."""
        mask = []
        for camera_location, camera_season, _, _ in self._cameras:
            is_here = location in {None, camera_location}
            mask.append(is_here and season in {None, camera_season})
        return np.array(mask, dtype=bool)

    def pair(self, controller: str, other: str) -> tuple[IntArray, IntArray]:
        """Return the places of two controllers' runs, paired by camera."""
        rows = self.rows_of(controller)
        other_rows = self.rows_of(other)
        _, shared, other_shared = np.intersect1d(
            self.camera[rows], self.camera[other_rows], assume_unique=True, return_indices=True
        )
        return rows[shared], other_rows[other_shared]

    def model_shares(self, controller: str) -> dict[str, float]:
        """Return each model's share of a controller's inferences, the most used first."""
        chosen = self._models[controller]
        total = chosen.total()
        return {name: count / total for name, count in chosen.most_common() if count}

    def days_of(self, controller: str) -> list[FloatArray]:
        """Return sums over a controller's runs, one array ``(days, DAY_COLUMNS)`` per week."""
        weeks = [days for (name, *_), days in sorted(self._days.items()) if name == controller]
        return [np.array(days) for days in weeks if days]


def order_pairs(controllers: Sequence[str]) -> list[tuple[str, str]]:
    """Return every pair of controllers once, the one that knows more first."""
    pairs = []
    for place, controller in enumerate(controllers):
        pairs += [(controller, other) for other in controllers[:place]]
    return pairs


def _sort_by_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Return names in a given order, unknown ones last by name."""

    def rank(name: str) -> tuple[int, str]:
        return order.index(name) if name in order else len(order), name

    return sorted(names, key=rank)
