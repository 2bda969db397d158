"""Measured days with something wrong in them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from luna.energy.observations import Observations
from luna.energy.timeline import FloatArray


def between(
    history: Observations, first: datetime, end: datetime
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which slots begin within a window."""
    begin, stop = (np.datetime64(instant.replace(tzinfo=None), "s") for instant in (first, end))
    return (history.starts >= begin) & (history.starts < stop)


def change(
    history: Observations, first: datetime, end: datetime, series: Mapping[str, FloatArray | float]
) -> Observations:
    """Return the history with other values within a window."""
    within = between(history, first, end)
    return replace(
        history,
        **{
            name: np.where(within, values, getattr(history, name))
            for name, values in series.items()
        },
    )


def hold_load(history: Observations, first: datetime, end: datetime) -> Observations:
    """Return the history with a load sensor that stood still within a window."""
    return change(history, first, end, {"load_kwh": 0.123})


def grow_roof(history: Observations, since: datetime, factor: float) -> Observations:
    """Return the history with arrays that yield ``factor`` times as much from an instant on."""
    return change(
        history, since, datetime.max.replace(tzinfo=UTC), {"pv_kwh": history.pv_kwh * factor}
    )
