"""Weather vintages, for look-ups as of an instant.

Every revision of measured and forecast weather is kept by slot and issue time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

import numpy as np

from luna.energy.timeline import SLOT_SECONDS, FloatArray, IndexArray, InstantArray

# Physical bounds. Radiation exceeds that above the atmosphere only for minutes, beside bright
# clouds.
BOUNDS = {
    "temperature_c": (-90.0, 60.0),
    "ghi_w_m2": (0.0, 1600.0),
    "dhi_w_m2": (0.0, 1600.0),
    "dni_w_m2": (0.0, 1400.0),
    "wind_m_s": (0.0, 115.0),
    "cloud_fraction": (0.0, 1.0),
}
WEATHER = tuple(BOUNDS)
KEY_BITS = 32  # of a key, for the issue; the slot stands above them


@dataclass(frozen=True)
class WeatherVintages:
    """Every revision of the weather, in order of slot and issue.

    Args:
        slot: quarter-hour of a revision, counted from 1970.
        issued: first quarter-hour that begins at or after its issue, counted from 1970.
        series: the values of each of ``WEATHER``, NaN where unknown; each of shape
            ``(revisions,)``.
    """

    slot: IndexArray
    issued: IndexArray
    series: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls,
        starts: InstantArray,
        issued_at: InstantArray,
        series: Mapping[str, FloatArray],
        *,
        known_at: datetime | None = None,
    ) -> Self:
        """Return the vintages of revisions in any order.

        Series that are missing and values beyond ``BOUNDS`` become NaN.

        Args:
            starts: slot start of each revision, UTC.
            issued_at: issue time of each revision, UTC.
            series: values of each revision.
            known_at: instant of the query, after which nothing was issued; all revisions count as
                known from the start of its quarter-hour on.
        """
        order = np.lexsort((issued_at, starts))
        seconds = issued_at[order].astype("datetime64[us]").astype(np.int64)
        issued = -(-seconds // (SLOT_SECONDS * 1_000_000))
        if known_at is not None:
            issued = np.minimum(issued, int(known_at.timestamp()) // SLOT_SECONDS)
        slot = starts[order].astype("datetime64[s]").astype(np.int64) // SLOT_SECONDS
        unknown = np.full(order.size, np.nan)
        possible = {}
        for name in WEATHER:
            possible[name] = _possible(name, series[name][order]) if name in series else unknown
        return cls(slot, issued, possible)

    def __len__(self) -> int:
        return int(self.slot.size)

    def at(self, slot: IndexArray, known_at: IndexArray) -> dict[str, FloatArray]:
        """Return the weather of each ``slot`` as known at ``known_at``.

        It is the last issued by the start of that quarter-hour, element by element; NaN where none
        was.

        Invariants: a revision issued after ``known_at`` changes nothing.
        """
        if not len(self):
            return {name: np.full(slot.size, np.nan) for name in WEATHER}
        place = np.searchsorted(self._keys, _key(slot, known_at), side="right") - 1
        is_here = (place >= 0) & (self.slot[place] == slot)
        return {
            name: np.where(is_here, values[place], np.nan) for name, values in self.series.items()
        }

    @cached_property
    def _keys(self) -> IndexArray:
        return _key(self.slot, self.issued)


def _possible(name: str, values: FloatArray) -> FloatArray:
    least, most = BOUNDS[name]
    return np.where((values >= least) & (values <= most), values, np.nan)


def _key(slot: IndexArray, issued: IndexArray) -> IndexArray:
    key: IndexArray = (slot << KEY_BITS) + issued
    return key


_NONE: InstantArray = np.empty(0, dtype="datetime64[us]")
NO_WEATHER = WeatherVintages.of(_NONE, _NONE, {})
