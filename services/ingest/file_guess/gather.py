"""Counter readings and powers of any rhythm as quarter-hours, batch by batch: each value holds until the next, a counter rises evenly. Pure."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from luna.contracts.file_guess import Measure
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray

SLOT_SECONDS = SLOT.total_seconds()
# Of a quarter-hour so much has to be known: the rest is what a clock is off.
LEAST_COVERAGE = 0.98
# Values that come when something changes may be silent all night, regular ones hardly at all.
LONGEST_HOLD = timedelta(hours=12)
MOST_SLOTS = 3_000_000
# A counter that falls by less did not begin anew: it was rounded, or its device wavered.
RESET_SHARE = 0.5


@dataclass
class GatheredSeries:
    """One series of a file on its way into quarter-hours.

    Args:
        measure: counter (kWh), power (kW), interval (kWh per ``step_seconds``) or level.
        step_seconds: between its rows; None: they come when something changes.
    """

    measure: Measure
    step_seconds: float | None
    _first_slot: int = 0
    _energy: FloatArray = field(default_factory=lambda: np.zeros(0))
    _covered: FloatArray = field(default_factory=lambda: np.zeros(0))
    _at: FloatArray = field(default_factory=lambda: np.zeros(0))
    _ends: list[tuple[float, float]] = field(default_factory=list)

    @property
    def hold_seconds(self) -> float:
        """For how long a value holds, or a counter is taken to have risen evenly, at most."""
        if self.step_seconds is None:
            return LONGEST_HOLD.total_seconds()
        return max(1.5 * self.step_seconds, SLOT_SECONDS if self.step_seconds < SLOT_SECONDS / 3 else 0.0)

    def add(self, seconds: FloatArray, values: FloatArray) -> None:
        """Take in rows: instants in seconds since 1970, in any order, and values, NaN where none is known."""
        there = np.isfinite(values) if self.measure in {"counter", "level"} else np.isfinite(seconds)
        order = np.argsort(seconds[there], kind="stable")
        seconds, values = seconds[there][order], values[there][order]
        if not seconds.size:
            return
        begin, end = (seconds[0], values[0]), (seconds[-1], values[-1])
        if self._ends:
            first, last = self._ends
            if seconds[0] >= last[0]:
                seconds, values, begin = np.concatenate(([last[0]], seconds)), np.concatenate(([last[1]], values)), first
            elif seconds[-1] <= first[0]:
                seconds, values, end = np.concatenate((seconds, [first[0]])), np.concatenate((values, [first[1]])), last
            else:
                begin, end = min(begin, first), max(end, last)
        self._ends = [begin, end]
        if self.measure == "level":
            # The state at the end of a slot is the last one that was said by then.
            slots = np.ceil(seconds / SLOT_SECONDS).astype(np.int64) - 1
            self._grow(int(slots[0]), int(slots[-1]) + 1)
            places = slots - self._first_slot
            newer = seconds >= self._at[places]
            self._energy[places[newer]], self._covered[places[newer]], self._at[places[newer]] = values[newer], SLOT_SECONDS, seconds[newer]
            return
        begins, distances = seconds[:-1], np.diff(seconds)
        whole = distances <= (self.step_seconds or np.inf if self.measure == "interval" else self.hold_seconds)
        if self.measure == "counter":
            rise = np.diff(values)
            energy = np.where(rise >= 0, rise, np.where(values[1:] < RESET_SHARE * values[:-1], values[1:], 0.0))
            lengths, energy = np.where(whole, distances, 0.0), np.where(whole, energy, 0.0)
        else:
            lengths = np.where(whole, distances, self.step_seconds or 0.0)
            energy = self._kw(values[:-1]) * lengths / 3600
        self._spread(begins, lengths, energy)

    def _kw(self, values: FloatArray) -> FloatArray:
        return values if self.measure == "power" else values * (3600 / (self.step_seconds or SLOT_SECONDS))

    def _spread(self, begins: FloatArray, lengths: FloatArray, energy: FloatArray) -> None:
        valid = np.isfinite(energy) & (lengths > 0)
        begins, lengths, energy = begins[valid], lengths[valid], energy[valid]
        if not begins.size:
            return
        ends = begins + lengths
        first, last = int(begins[0] // SLOT_SECONDS), int(-(-ends[-1] // SLOT_SECONDS))
        self._grow(first, last)
        edges = np.arange(first, last + 1) * SLOT_SECONDS
        points = np.column_stack((begins, ends)).ravel()
        for total, part in ((self._energy, energy), (self._covered, lengths)):
            so_far = np.concatenate(([0.0], np.cumsum(part)))
            at_points = np.column_stack((so_far[:-1], so_far[1:])).ravel()
            total[first - self._first_slot : last - self._first_slot] += np.diff(np.interp(edges, points, at_points))

    def _grow(self, first: int, last: int) -> None:
        if not self._energy.size:
            self._first_slot = first
        low, high = min(first, self._first_slot), max(last, self._first_slot + self._energy.size)
        if high - low > MOST_SLOTS:
            raise refuse("times-too-far-apart", field="time")
        before, after = self._first_slot - low, high - self._first_slot - self._energy.size
        if before or after:
            self._energy, self._covered, self._at = (np.pad(each, (before, after)) for each in (self._energy, self._covered, self._at))
            self._first_slot = low

    def close(self) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the starts (seconds since 1970) and the values of all slots from the first to the last, NaN where not enough is known."""
        if self._ends and self.step_seconds and self.measure in {"power", "interval"}:
            at, value = self._ends[1]
            self._spread(np.array([at]), np.array([self.step_seconds]), self._kw(np.array([value])) * self.step_seconds / 3600)
        values = np.where(self._covered >= LEAST_COVERAGE * SLOT_SECONDS, self._energy, np.nan)
        if self.measure == "level" and self.step_seconds is None and values.size:
            # Each level is held until the next, for at most so many slots.
            most = int(LONGEST_HOLD / SLOT)
            places = np.where(np.isfinite(values), np.arange(values.size), -1)
            last = np.maximum.accumulate(places)
            values = np.where((last >= 0) & (np.arange(values.size) - last <= most), values[np.maximum(last, 0)], np.nan)
        return (self._first_slot + np.arange(values.size)) * int(SLOT_SECONDS), values
