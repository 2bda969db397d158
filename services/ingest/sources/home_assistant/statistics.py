"""What Home Assistant's statistics say of a sensor, as readings; pure.

A counter has ``state`` (its value at the end of the row) and ``sum`` (all it ever counted, over resets); anything else has its ``mean`` over the row. The
counter's own value is read, so that statistics and history join without a step; where it began again within a row, ``sum`` tells how far it had come.
Source: Home Assistant developer documentation, Sensor entity, "Long-term statistics".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from luna.timeline import FloatArray, InstantArray
from services.ingest.sources.home_assistant.holding import STEP, hold_values
from services.ingest.sources.source import SourceError

COLUMNS = ("state", "sum", "mean")
# Below it a difference of two sums is rounding.
LEAST_RISE = 1e-6


@dataclass(frozen=True, slots=True)
class StatisticRows:
    """Rows in order of time; each array of shape ``(rows,)``, NaN where the row does not say."""

    starts: InstantArray
    ends: InstantArray
    state: FloatArray
    sum: FloatArray
    mean: FloatArray

    def __len__(self) -> int:
        return int(self.starts.size)

    @property
    def counts(self) -> bool:
        """Whether they are of a counter."""
        return bool((~np.isnan(self.state) | ~np.isnan(self.sum)).any())

    def between(self, first: np.datetime64, end: np.datetime64) -> "StatisticRows":
        """Return the rows that begin at ``first`` or later and end at ``end`` or earlier."""
        inside = (self.starts >= first) & (self.ends <= end)
        return StatisticRows(*(getattr(self, name)[inside] for name in ("starts", "ends", *COLUMNS)))

    def followed_by(self, later: "StatisticRows") -> "StatisticRows":
        """Return these rows and the later ones."""
        return StatisticRows(*(np.concatenate([getattr(self, name), getattr(later, name)]) for name in ("starts", "ends", *COLUMNS)))


def parse_rows(rows: Sequence[Mapping[str, Any]], sensor: str) -> StatisticRows:
    """Return the rows of an answer of ``recorder/statistics_during_period``.

    Raises:
        SourceError: they have another form.
    """
    try:
        times = [np.array([row[name] for row in rows], dtype=np.float64).astype("datetime64[ms]").astype("datetime64[us]") for name in ("start", "end")]
        values = [np.array([row.get(name) for row in rows], dtype=np.float64) for name in COLUMNS]
    except (TypeError, KeyError, ValueError, AttributeError) as exc:
        raise SourceError("its statistics have a form that nobody here reads", field=sensor) from exc
    return StatisticRows(*times, *values)


def as_readings(rows: StatisticRows) -> tuple[InstantArray, FloatArray]:
    """Return instants and values in order of time: a counter's at the end of each row, a mean from the start of its row until the row ends.

    Invariants: what a counter's readings rise by, from one row's end to another's, is what ``sum`` rose by there, also where it began again in between.
    """
    return _counter_readings(rows) if rows.counts else _mean_readings(rows)


def _counter_readings(rows: StatisticRows) -> tuple[InstantArray, FloatArray]:
    level = rows.sum if np.isnan(rows.state).all() else rows.state
    before, after = level[:-1], level[1:]
    # What it counted within the row beyond its value now, it counted before it began again.
    unseen = np.diff(rows.sum) - after
    reset = np.flatnonzero((after < before) & (unseen > LEAST_RISE))
    middles = rows.starts[1:][reset] + (rows.ends - rows.starts)[1:][reset] // 2
    instants = np.concatenate([rows.ends, middles])
    values = np.concatenate([level, before[reset] + unseen[reset]])
    order = np.argsort(instants, kind="stable")
    return instants[order], values[order]


def _mean_readings(rows: StatisticRows) -> tuple[InstantArray, FloatArray]:
    if not len(rows):
        return rows.starts, rows.mean
    # Nothing is known after the last row.
    silent = np.append(rows.starts[1:] != rows.ends[:-1], [True])
    instants = np.concatenate([rows.starts, rows.ends[silent]])
    values = np.concatenate([rows.mean, np.full(int(silent.sum()), np.nan)])
    order = np.argsort(instants, kind="stable")
    return hold_values(instants[order], values[order], rows.ends[-1], longest=STEP)
