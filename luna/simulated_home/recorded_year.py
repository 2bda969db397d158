"""Repeat a recorded year for ever.

Shifted by whole weeks, each slot keeps its weekday, its time of day and, within days, its season.
"""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.errors import MachineError
from luna.energy.timeline import SLOT, SLOTS_PER_DAY, FloatArray, InstantArray, local_offsets

# Fifty-two weeks: the year that comes again.
PERIOD_DAYS = 364
_SERIES = ("load_kwh", "pv_kwh", "price")


@dataclass(frozen=True, slots=True)
class RecordedYear:
    """Energies (kWh) and prices (currency/kWh) of each quarter-hour on the local clock.

    Shape ``(364 · 96,)``, from ``first_day`` on.
    """

    zone: ZoneInfo
    first_day: np.datetime64
    load_kwh: FloatArray
    pv_kwh: FloatArray
    price: FloatArray

    @classmethod
    def of(
        cls,
        starts: InstantArray,
        zone: ZoneInfo,
        *,
        load_kwh: FloatArray,
        pv_kwh: FloatArray,
        price: FloatArray,
    ) -> Self:
        """Return the year that these slots begin (UTC, ascending, at least 364 local days).

        An hour that the clock skips repeats the one before it.
        """
        local = starts.astype("datetime64[s]") + local_offsets(starts, zone)
        clock, first_of = np.unique(local, return_index=True)
        quarter_hours = clock[0] + np.arange(PERIOD_DAYS * SLOTS_PER_DAY) * np.timedelta64(SLOT)
        rows = first_of[np.searchsorted(clock, quarter_hours, side="right") - 1]
        return cls(
            zone, clock[0].astype("datetime64[D]"), load_kwh[rows], pv_kwh[rows], price[rows]
        )

    def rows_of(self, starts: InstantArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Return which recorded quarter-hour is lived in each slot of today's calendar."""
        if starts.size == 1:
            # A simulated home asks for the same quarter-hour every few seconds.
            quarter = int(starts[0].astype("datetime64[s]").astype(np.int64)) // int(
                SLOT.total_seconds()
            )
            return np.array([_row_of(self.zone, self.first_day, quarter)])
        return _find_rows(self.zone, self.first_day, starts)

    def save(self, path: Path) -> None:
        arrays = {name: getattr(self, name) for name in _SERIES}
        np.savez_compressed(
            path,
            allow_pickle=False,
            zone=np.array(self.zone.key),
            first_day=self.first_day,
            **arrays,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it from a file.

        Raises:
            MachineError: the file is missing or damaged.
        """
        try:
            with path.open("rb") as opened, np.load(opened) as file:
                return cls(
                    ZoneInfo(str(file["zone"])),
                    file["first_day"][()],
                    **{name: file[name] for name in _SERIES},
                )
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as exc:
            raise MachineError(
                "the simulated home's year cannot be read",
                value=str(path),
                remedy="Remove the simulated home and try it anew.",
            ) from exc


def _find_rows(
    zone: ZoneInfo, first_day: np.datetime64, starts: InstantArray
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    local = starts.astype("datetime64[s]") + local_offsets(starts, zone)
    slots = (local - first_day.astype("datetime64[s]")) // np.timedelta64(SLOT)
    return np.asarray(slots.astype(np.int64) % (PERIOD_DAYS * SLOTS_PER_DAY))


@lru_cache(maxsize=1 << 8)
def _row_of(zone: ZoneInfo, first_day: np.datetime64, quarter: int) -> int:
    """Return the recorded quarter-hour of one, counted since 1970."""
    return int(
        _find_rows(
            zone, first_day, np.array([quarter * int(SLOT.total_seconds())], dtype="datetime64[s]")
        )[0]
    )
