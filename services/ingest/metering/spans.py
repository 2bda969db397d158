"""Spans of time as arrays, and the limits for gaps between readings."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, InstantArray

MICROSECONDS_PER_HOUR = 3.6e9

# Longer than any restart or update of a home's automation takes; over two hours a load's shape is
# still more even than not.
LONGEST_GAP_HOURS = 2.0
# A night, a day offline: the counter's readings before and after a longer gap no longer bound a
# single day.
LONGEST_FILL_HOURS = 24.0
# A meter read every quarter-hour counts as measured; a third more time between readings means that
# one is missing.
LONGEST_STEP_HOURS = 20 / 60
# Long-term statistics and many smart meters have hourly readings: four equal distances in a row are
# a pace, a missing reading makes a single longer one.
LONGEST_PACE_HOURS = 1.0
FEWEST_PACED = 4
PACE_JITTER_HOURS = 1 / 60
# Standby of a heat pump, wallbox or inverter: below it silence means that nothing changes. No whole
# house uses so little.
REST_KW = 0.03


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint spans of time in order: ``starts`` and ``ends`` are ``datetime64[us]``, UTC."""

    starts: InstantArray
    ends: InstantArray

    @classmethod
    def none(cls) -> Self:
        """Return an empty set of spans."""
        never = np.array([], dtype="datetime64[us]")
        return cls(never, never)

    @classmethod
    def between(cls, instants: InstantArray, chosen: NDArray[np.bool_]) -> Self:
        """Return the spans between neighbouring ``instants`` where ``chosen``, shape
        ``(instants - 1,)``, is true.
        """
        return cls(instants[:-1][chosen], instants[1:][chosen])

    def hours_per_slot(self, edges: InstantArray) -> FloatArray:
        """Return the hours of each slot between two ``edges`` that lie within a span."""
        if not self.starts.size:
            return np.zeros(edges.size - 1)
        lengths = hours_between(self.starts, self.ends)
        at = hours_between(self.starts[0], np.column_stack([self.starts, self.ends]).ravel())
        covered = np.cumsum(np.column_stack([np.zeros(lengths.size), lengths]).ravel())
        return np.diff(np.interp(hours_between(self.starts[0], edges), at, covered))

    def cover(self, instants: InstantArray) -> NDArray[np.bool_]:
        """Return which instants lie within a span, both ends included."""
        if not self.starts.size:
            return np.zeros(instants.size, dtype=np.bool_)
        place = np.searchsorted(self.starts, instants, side="right") - 1
        return np.asarray((place >= 0) & (instants <= self.ends[np.maximum(place, 0)]))


def hours_between(
    first: InstantArray | np.datetime64, last: InstantArray | np.datetime64
) -> FloatArray:
    """Return the hours from ``first`` to ``last``."""
    span = np.asarray(last) - np.asarray(first)
    return np.asarray(span.astype("timedelta64[us]").astype(np.int64) / MICROSECONDS_PER_HOUR)


def find_paced(hours: FloatArray) -> NDArray[np.bool_]:
    """Return which distances (hours) between readings are the source's regular pace: at most an
    hour, and equal several times in a row.
    """
    begins = np.flatnonzero(np.append([True], np.abs(np.diff(hours)) > PACE_JITTER_HOURS))
    lengths = np.diff(np.append(begins, hours.size))
    return np.asarray(
        (np.repeat(lengths, lengths) >= FEWEST_PACED)
        & (hours <= LONGEST_PACE_HOURS + PACE_JITTER_HOURS)
    )


def runs_of(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first index and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(first, end) for first, end in edges.reshape(-1, 2).tolist()]
