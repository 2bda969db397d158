"""Cut a run's clean shares and the week before from a year, to send them to other processes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.ndimage import percentile_filter

from luna.energy.timeline import FloatArray
from services.edge.clean_share import DAY_SLOTS, STEP_MINUTES, YEAR_SLOTS, CleanShare, instants_of
from services.edge.config import Location

_PAST_SLOTS = 7 * DAY_SLOTS


@dataclass(frozen=True, slots=True)
class GridPeriod:
    """A period of a location's year.

    Args:
        location: of the grid.
        measured: False: generated.
        begin: slot of the year at which runs start.
        past: number of slots before it, at most a week's.
        share: clean energy as a share of all, per slot: the past, then the run; shape
            ``(past + slots,)``.
    """

    location: Location
    measured: bool
    begin: int
    past: int
    share: FloatArray

    @classmethod
    def cut(cls, year: CleanShare, begin: int, slots: int) -> Self:
        """Return ``slots`` slots of a year from ``begin`` on.

        They are shifted to earlier where they would exceed the year.
        """
        begin = max(min(begin, YEAR_SLOTS - slots), 0)
        past = min(begin, _PAST_SLOTS)
        return cls(
            location=year.location,
            measured=year.measured,
            begin=begin,
            past=past,
            share=year.share[begin - past : begin + slots].copy(),
        )

    @property
    def slots(self) -> int:
        """Greatest length of a run in slots."""
        return self.share.size - self.past

    @property
    def running(self) -> FloatArray:
        """The newest clean share in each slot of the run, shape ``(slots,)``."""
        return self.share[self.past :]

    @property
    def begins_at(self) -> np.datetime64:
        """Start of runs in UTC."""
        return np.datetime64(instants_of(np.array(self.begin)).item(), "m")

    def expect(self, steps: int, *, step_minutes: int) -> FloatArray:
        """Return the forecast of the next steps at each slot's start; shape ``(slots, steps)``."""
        if steps == 0:
            return np.empty((self.slots, 0))
        window = CleanShare(self.location, self.share, self.measured)
        return window.expect(
            np.arange(self.past, self.share.size), steps, step_minutes=step_minutes
        )

    def recent_quantile(self, quantile: float, *, hours: int) -> FloatArray:
        """Return for each slot a quantile of the shares of the last ``hours`` hours.

        Shape ``(slots,)``.
        """
        width = hours * 60 // STEP_MINUTES
        # Before the first value: the first.
        padded = np.concatenate([np.full(width, self.share[0]), self.share])
        # The window ends with the slot itself.
        origin = width // 2 - 1
        filtered = percentile_filter(padded, 100 * quantile, size=width, origin=origin)
        return np.asarray(filtered[width + self.past :])

    def to_json(self) -> dict[str, Any]:
        """Return the period as JSON values."""
        return {
            "location": self.location,
            "measured": self.measured,
            "begin": self.begin,
            "past": self.past,
            "share": self.share.tolist(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return the period of ``to_json``'s values."""
        return cls(
            location=document["location"],
            measured=document["measured"],
            begin=document["begin"],
            past=document["past"],
            share=np.array(document["share"], float),
        )
