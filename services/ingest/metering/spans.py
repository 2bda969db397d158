"""Spans of time as arrays, and the limits for gaps between readings."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, InstantArray

MICROSECONDS_PER_HOUR = 3.6e9
# Resolution of instants.
MOMENT = np.timedelta64(1, "us")

# Longer than any restart or update of a home's automation. Within two hours a load is still more
# even than not.
LONGEST_GAP_HOURS = 2.0
# A night or a day offline. Over a longer gap the readings beside it bound no single day.
LONGEST_FILL_HOURS = 24.0
# A meter read every quarter-hour counts as measured; if a third more time passes, a reading is
# missing.
LONGEST_STEP_HOURS = 20 / 60
# Long-term statistics and many smart meters have hourly readings. Four equal distances in a row are
# a pace; a missing reading makes a single longer one.
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
        never = np.array([], dtype="datetime64[us]")
        return cls(never, never)

    @classmethod
    def between(cls, instants: InstantArray, chosen: NDArray[np.bool_]) -> Self:
        """Return the spans between neighbouring ``instants`` that ``chosen`` selects.

        Args:
            chosen: shape ``(instants - 1,)``.
        """
        return cls(instants[:-1][chosen], instants[1:][chosen])

    def hours_per_slot(self, edges: InstantArray) -> FloatArray:
        """Return the hours within spans, for each slot between two ``edges``."""
        if not self.starts.size:
            return np.zeros(edges.size - 1)
        origin = self.starts[0]
        lengths = hours_between(self.starts, self.ends)
        bounds = np.column_stack([self.starts, self.ends]).ravel()
        # Hours covered up to each start and end.
        covered = np.cumsum(np.column_stack([np.zeros(lengths.size), lengths]).ravel())
        covered_at_edges = np.interp(
            hours_between(origin, edges), hours_between(origin, bounds), covered
        )
        return np.diff(covered_at_edges)

    def cover(self, instants: InstantArray) -> NDArray[np.bool_]:
        """Return a mask of the instants within a span, both ends included."""
        if not self.starts.size:
            return np.zeros(instants.size, dtype=np.bool_)
        place = np.searchsorted(self.starts, instants, side="right") - 1
        return np.asarray((place >= 0) & (instants <= self.ends[np.maximum(place, 0)]))


def hours_between(
    first: InstantArray | np.datetime64, last: InstantArray | np.datetime64
) -> FloatArray:
    span = np.asarray(last) - np.asarray(first)
    return np.asarray(span.astype("timedelta64[us]").astype(np.int64) / MICROSECONDS_PER_HOUR)


def find_paced(hours: FloatArray) -> NDArray[np.bool_]:
    """Return a mask of the distances between readings that are the source's regular pace.

    They are at most an hour, and equal several times in a row.
    """
    is_new = np.append([True], np.abs(np.diff(hours)) > PACE_JITTER_HOURS)
    begins = np.flatnonzero(is_new)
    lengths = np.diff(np.append(begins, hours.size))
    is_repeated = np.repeat(lengths, lengths) >= FEWEST_PACED
    return np.asarray(is_repeated & (hours <= LONGEST_PACE_HOURS + PACE_JITTER_HOURS))


def runs_of(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first index and the end of each run of true values."""
    padded = np.concatenate([[False], chosen, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return [(first, end) for first, end in edges.reshape(-1, 2).tolist()]
