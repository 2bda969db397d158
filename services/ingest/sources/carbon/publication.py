"""Conversion of published carbon intensities into sheets of quarter-hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite

import numpy as np

from luna.energy.timeline import SLOT, floor_to
from services.ingest.sources.source import CarbonSheet, SourceError

FIVE_MINUTES = timedelta(minutes=5)
HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Intensity:
    """The carbon intensity from ``start`` on, g/kWh, or None."""

    start: datetime
    g_per_kwh: float | None


def split_span(
    first: datetime, end: datetime, longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Yield consecutive pieces of a span, in UTC, each ``longest`` at most."""
    begin = first.astimezone(UTC)
    until = end.astimezone(UTC)
    while begin < until:
        yield begin, min(begin + longest, until)
        begin += longest


def make_sheet(
    service: str, intensities: Iterable[Intensity], length: timedelta, *, is_measured: bool
) -> CarbonSheet:
    """Return intensities that each last ``length`` on quarter-hours.

    A longer one holds in each of its quarter-hours. Shorter ones are averaged where all of a
    quarter-hour are known.

    Raises:
        SourceError: an intensity does not begin on a multiple of the length.
    """
    value_at: dict[datetime, float] = {}
    for intensity in intensities:
        start = intensity.start.astimezone(UTC)
        if start != floor_to(start, length):
            raise SourceError(
                f"has a value of {length} at {start.isoformat()}",
                field=service,
                remedy="Ask another source.",
            )
        # Of a repeated value the later one is valid.
        if intensity.g_per_kwh is not None and isfinite(intensity.g_per_kwh):
            value_at[start] = intensity.g_per_kwh
    by_slot = _average(value_at, length) if length < SLOT else _hold(value_at, length)
    slots = sorted(by_slot)
    starts = np.array([slot.replace(tzinfo=None) for slot in slots], dtype="datetime64[s]")
    g_per_kwh = np.array([by_slot[slot] for slot in slots], dtype=np.float64)
    return CarbonSheet(starts, g_per_kwh, is_measured)


def _hold(value_at: dict[datetime, float], length: timedelta) -> dict[datetime, float]:
    by_slot = {}
    for start, value in value_at.items():
        for part in range(length // SLOT):
            by_slot[start + part * SLOT] = value
    return by_slot


def _average(value_at: dict[datetime, float], length: timedelta) -> dict[datetime, float]:
    parts = defaultdict(list)
    for start in sorted(value_at):
        parts[floor_to(start, SLOT)].append(value_at[start])
    whole = SLOT // length
    return {slot: sum(values) / whole for slot, values in parts.items() if len(values) == whole}
