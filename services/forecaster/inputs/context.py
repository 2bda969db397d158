"""What a forecast may know besides what was measured: the weather as issued, and whether the household was away."""

from dataclasses import dataclass, field

import numpy as np

from luna.timeline import FloatArray, IndexArray, InstantArray
from luna.weather import NO_WEATHER, WeatherBook

SLOT_MICROSECONDS = 900 * 1_000_000


@dataclass(frozen=True, slots=True)
class Vacation:
    """Vacation mode as read: from each instant (ascending, UTC) on, the share ``on`` (0 to 1) holds; both of shape ``(readings,)``."""

    instants: InstantArray
    on: FloatArray

    def shares(self, slots: IndexArray) -> FloatArray:
        """Return the share of each quarter-hour (counted from 1970, consecutive) in which the mode was on; NaN before the first reading.

        Invariants: a reading changes no slot that ended before it.
        """
        if not self.instants.size or not slots.size:
            return np.full(slots.size, np.nan)
        edges = np.append(slots, slots[-1] + 1) * SLOT_MICROSECONDS
        at = np.append(self.instants.astype("datetime64[us]").astype(np.int64), max(edges[-1], _last(self.instants)) + 1)
        held = np.concatenate([[0.0], np.cumsum(np.nan_to_num(self.on) * np.diff(at))])
        shares = np.diff(np.interp(edges, at, held)) / SLOT_MICROSECONDS
        # Running totals leave dust, which a slot must not take from readings before it.
        known: FloatArray = np.where(edges[1:] > at[0], np.clip(np.round(shares, 6), 0.0, 1.0), np.nan)
        return known


def _last(instants: InstantArray) -> int:
    return int(instants[-1].astype("datetime64[us]").astype(np.int64))


NO_VACATION = Vacation(np.empty(0, dtype="datetime64[us]"), np.empty(0))


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a site's surroundings; by default nothing."""

    weather: WeatherBook = field(default=NO_WEATHER)
    vacation: Vacation = field(default=NO_VACATION)


NO_CONTEXT = Context()
