"""What one series looks like from an origin: features for the trees and members for the blend. One function serves training and prediction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, IntArray, Pairs
from services.forecaster.inputs.recall import Windows

Part = str  # "centre", for mean and median alike, or the name of a head: "expected", "p05" … "p95"
Matrix = NDArray[np.float32]
EDGES: tuple[tuple[Part, float], ...] = (("p10", 0.1), ("p90", 0.9))
MEMORY = 28  # days of the long profile
WEEK = 7
HOUR = 4
FLOOR_KWH = 0.002  # scale of a series that has been zero for long


@dataclass(frozen=True, slots=True)
class View:
    """One series seen from its origins, by row.

    Args:
        features: shape ``(rows, features)``, NaN where unknown.
        scale_kwh: what the trees' outputs are multiplied with, shape ``(rows,)``, positive.
        members: forecasts to blend with, kWh, each of shape ``(rows,)`` and free of NaN: by name, for the centre (mean and median) and for every head.
        known_days: on how many of the recalled days the target's slot is known, shape ``(rows,)``.
        limit_kwh: what cannot be exceeded, shape ``(rows,)``; zero at night for PV.
        names: what each column of ``features`` is.
    """

    features: Matrix
    scale_kwh: FloatArray
    members: dict[Part, dict[str, FloatArray]]
    known_days: IntArray
    limit_kwh: FloatArray
    names: tuple[str, ...]

    def column(self, name: str) -> FloatArray:
        """Return a feature by its name, shape ``(rows,)``."""
        return self.features[:, self.names.index(name)].astype(np.float64)

    def select(self, rows: NDArray[np.bool_]) -> "View":
        """Return the chosen rows."""
        members = {part: {name: member[rows] for name, member in named.items()} for part, named in self.members.items()}
        return View(self.features[rows], self.scale_kwh[rows], members, self.known_days[rows], self.limit_kwh[rows], self.names)


def stack_columns(columns: Mapping[str, FloatArray]) -> Matrix:
    """Return named columns, each of shape ``(rows,)``, side by side."""
    return np.column_stack([*columns.values()]).astype(np.float32)


def name_edges(edges: Mapping[Part, Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return the members of both edges by names that tell them apart."""
    return {f"{part}_{name}": member for part, members in edges.items() for name, member in members.items()}


def mark_time(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return lead and local calendar of each target: slot of day, weekday, weekend, season; and the slot of day of the origin."""
    local = frame.local_slot[pairs.target]
    day = local // DAY_SLOTS
    weekday = (day + 3) % WEEK  # 1970 began on a Thursday
    season = 2 * np.pi * (day % 365.2425) / 365.2425
    columns = {
        "lead": pairs.lead,
        "slot_of_day": local % DAY_SLOTS,
        "day_of_week": weekday,
        "weekend": weekday >= 5,
        "season_sin": np.sin(season),
        "season_cos": np.cos(season),
        "origin_slot_of_day": frame.local_slot[pairs.origin] % DAY_SLOTS,
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def deviate_from_week(windows: Windows, origin: IntArray, length: int) -> FloatArray:
    """Return how far the last ``length`` slots lie above the same slots of the seven days before, kWh per slot; NaN where unknown."""
    before = np.stack([windows.mean(origin - back * DAY_SLOTS, length) for back in range(1, WEEK + 1)])
    known = ~np.isnan(before)
    usual = divide(np.where(known, before, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
    deviation: FloatArray = windows.mean(origin, length) - usual
    return deviation


def divide(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the ratio, NaN where there is nothing to divide by."""
    ratio: FloatArray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.nan_to_num(below) > 1e-9)
    return ratio
