"""Share of clean energy in the grid per location and five minutes, measured or generated.

``newest`` returns the value known at an instant, ``expect`` forecasts from known values alone, and
``ahead`` returns the actual future values. Every fourth week is held out: no training scenario
touches it, and learned controllers are evaluated in these weeks.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray
from services.edge.config import Location, Season

IntArray = NDArray[np.int64]
STEP_MINUTES = 5
DAY_SLOTS = 24 * 60 // STEP_MINUTES
WEEK_SLOTS = 7 * DAY_SLOTS
YEAR = 2024
YEAR_SLOTS = 366 * DAY_SLOTS
YEAR_BEGIN = np.datetime64(f"{YEAR}-01-01T00:00", "m")
TIME_COLUMN = "Datetime (UTC)"
SHARE_COLUMN = "Carbon-free energy percentage (CFE%)"
FILES: dict[Location, str] = {
    "CA": f"US-CAL-LDWP_{YEAR}_5_minute.csv",
    "FL": f"US-FLA-FPL_{YEAR}_5_minute.csv",
    "NW": f"US-NW-PSEI_{YEAR}_5_minute.csv",
    "NY": f"US-NY-NYIS_{YEAR}_5_minute.csv",
}
# Months of each season.
SEASON_OF_MONTH: dict[Season, tuple[int, ...]] = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "fall": (9, 10, 11),
}
# A file with a larger share of damaged or missing values is refused.
MOST_MISSING = 0.01
HELD_OUT_EVERY = 4
# Forecast: number of past days averaged, and decay time of the current deviation from them.
_PAST_DAYS = 7
_DEVIATION_HOURS = 3.0


@dataclass(frozen=True, slots=True)
class Damage:
    """An unusable value, replaced by the last one before it.

    ``row``: line of the file from 1, header included.
    """

    file: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}, {self.column}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CleanShare:
    """A location's year.

    Args:
        location: of the grid.
        share: clean energy as a share of all, per five minutes from ``YEAR_BEGIN`` on, shape
            ``(YEAR_SLOTS,)``.
        measured: False: generated.
        damage: unusable values.
    """

    location: Location
    share: FloatArray
    measured: bool
    damage: tuple[Damage, ...] = ()
    _sums: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Beyond the year's end the last day is repeated, for horizons that reach over it.
        after_year = np.tile(self.share[-DAY_SLOTS:], 8)
        cumulative = np.cumsum(np.concatenate([self.share, after_year]))
        # The class is frozen: a derived field can only be set this way.
        object.__setattr__(self, "_sums", np.concatenate([[0.0], cumulative]))

    def newest(self, slots: IntArray) -> FloatArray:
        """Return the newest value known at the slots' starts, shape of ``slots``."""
        return self.share[slots]

    def ahead(self, slots: IntArray, steps: int, *, step_minutes: int) -> FloatArray:
        """Return the actual means of the next steps, shape ``(slots, steps)``."""
        width = step_minutes // STEP_MINUTES
        offsets = np.arange(steps)[None, :] * width
        return self._means(np.asarray(slots)[:, None], offsets, width)

    def expect(self, slots: IntArray, steps: int, *, step_minutes: int) -> FloatArray:
        """Return the forecast of the next steps at each slot's start, shape ``(slots, steps)``.

        The forecast is the mean of the same time of day over the last seven days, plus the newest
        value's deviation from that mean, which decays within hours.
        """
        slots = np.asarray(slots)[:, None]
        width = step_minutes // STEP_MINUTES
        offsets = np.arange(steps)[None, :] * width
        usual_sum = np.zeros((slots.shape[0], steps))
        usual_now_sum = np.zeros((slots.shape[0], 1))
        day_count = np.zeros((slots.shape[0], 1))
        for day in range(1, _PAST_DAYS + 1):
            available = (slots >= day * DAY_SLOTS).astype(float)
            before = np.maximum(slots - day * DAY_SLOTS, 0)
            usual_sum += available * self._means(before, offsets % DAY_SLOTS, width)
            usual_now_sum += available * self.share[before]
            day_count += available
        divisor = np.maximum(day_count, 1)
        newest = self.share[slots]
        deviation = newest - usual_now_sum / divisor
        decay = np.exp(-offsets * (STEP_MINUTES / 60) / _DEVIATION_HOURS)
        expected = usual_sum / divisor + deviation * decay
        # On the first day no past day is known: the newest value is the forecast.
        return np.clip(np.where(day_count > 0, expected, newest), 0.0, 1.0)

    def _means(self, slots: IntArray, offsets: IntArray, width: int) -> FloatArray:
        begin = slots + offsets
        return np.asarray((self._sums[begin + width] - self._sums[begin]) / width)


def slot_of(instant: np.datetime64) -> int:
    """Return the slot of an instant."""
    return int((instant - YEAR_BEGIN) / np.timedelta64(STEP_MINUTES, "m"))


def instants_of(slots: IntArray) -> NDArray[np.datetime64]:
    """Return the slots' starts in UTC."""
    return YEAR_BEGIN + np.asarray(slots) * np.timedelta64(STEP_MINUTES, "m")


def months_of(slots: IntArray) -> IntArray:
    """Return the months of slots, 1 to 12."""
    return instants_of(slots).astype("datetime64[M]").astype(int) % 12 + 1


def is_held_out(slots: IntArray) -> NDArray[np.bool_]:
    """Return which slots lie in held-out weeks."""
    return np.asarray(np.asarray(slots) // WEEK_SLOTS % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)


def held_out_weeks(season: Season) -> list[int]:
    """Return the first slots of the held-out weeks that lie completely in a season."""
    weeks = np.arange(HELD_OUT_EVERY - 1, YEAR_SLOTS // WEEK_SLOTS, HELD_OUT_EVERY)
    begins = weeks * WEEK_SLOTS
    last_slots = begins + WEEK_SLOTS - 1
    months = SEASON_OF_MONTH[season]
    is_within = np.isin(months_of(begins), months) & np.isin(months_of(last_slots), months)
    return [int(begin) for begin in begins[is_within]]


def load_clean_shares(
    folder: Path | None, locations: Sequence[Location]
) -> dict[Location, CleanShare]:
    """Return the years of locations, measured where their file is in ``folder``, else generated.

    Raises:
        InvalidInputError: an existing file is unusable; names file, row and column.
    """
    years = {}
    for location in locations:
        path = folder / FILES[location] if folder else None
        if path and path.exists():
            years[location] = read_clean_share(path, location)
        else:
            years[location] = draw_clean_share(location)
    return years


def read_clean_share(path: Path, location: Location) -> CleanShare:
    """Return a location's year from a file.

    Up to ``MOST_MISSING`` damaged or missing values are replaced by the last one before.

    Raises:
        InvalidInputError: the file is unreadable, lacks a column, or has too many damaged or
            missing values.
    """
    share = np.full(YEAR_SLOTS, np.nan)
    damage = []
    for row in _read_rows(path):
        if isinstance(row, Damage):
            damage.append(row)
        else:
            slot, value = row
            share[slot] = value
    missing = np.isnan(share)
    if missing.mean() > MOST_MISSING:
        first = f" The first: {damage[0]}." if damage else ""
        raise InvalidInputError(
            f"{missing.sum()} of {YEAR_SLOTS} values of the year are missing or damaged",
            field=path.name,
            remedy=f"At most a hundredth may be.{first}",
        )
    known_slots = np.flatnonzero(~missing)
    # Per slot, the place of the last known value; -1 before the first.
    newest = np.searchsorted(known_slots, np.arange(len(share)), side="right") - 1
    filled = share[known_slots[np.maximum(newest, 0)]]
    return CleanShare(location, filled, measured=True, damage=tuple(damage))


def _read_rows(path: Path) -> Iterator[tuple[int, float] | Damage]:
    try:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as lines:
            reader = csv.DictReader(lines)
            for column in (TIME_COLUMN, SHARE_COLUMN):
                if column not in (reader.fieldnames or ()):
                    columns = ", ".join(reader.fieldnames or ()) or "none"
                    raise InvalidInputError(
                        f"the column {column!r} is missing",
                        field=f"{path.name}, row 1",
                        value=columns,
                        remedy="Take the file as it was published.",
                    )
            slots_so_far: set[int] = set()
            for row in reader:
                yield _read_row(path.name, reader.line_num, row, slots_so_far)
    except (OSError, csv.Error) as error:
        raise InvalidInputError(
            "the clean shares cannot be read",
            field=path.name,
            value=str(error),
            remedy="Take the file as it was published.",
        ) from error


def _read_row(
    file: str, line: int, row: dict[str, Any], slots_so_far: set[int]
) -> tuple[int, float] | Damage:
    text = row[TIME_COLUMN] or ""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return Damage(file, line, TIME_COLUMN, f"{text[:40]!r} is no time")
    # Without an offset it is UTC, as the column's name says.
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    slot = slot_of(np.datetime64(utc, "m"))
    if not 0 <= slot < YEAR_SLOTS:
        return Damage(file, line, TIME_COLUMN, f"{text[:40]!r} is not in {YEAR}")
    if slot in slots_so_far:
        return Damage(file, line, TIME_COLUMN, f"{text[:40]!r} stands there twice")
    value = row[SHARE_COLUMN] or ""
    try:
        percent = float(value)
    except ValueError:
        return Damage(file, line, SHARE_COLUMN, f"{value[:40]!r} is no number")
    if not 0 <= percent <= 100:
        return Damage(file, line, SHARE_COLUMN, f"{percent:g} is no percentage")
    slots_so_far.add(slot)
    return slot, percent / 100


@dataclass(frozen=True, slots=True)
class _Climate:
    """Parameters of a generated year of a location.

    Args:
        base: share at night.
        sun: addition by full sun.
        rivers: addition by spring's rivers.
        days, hours: standard deviation of the noise over days and over hours.
        latitude: in degrees north.
        offset_hours: of solar time to UTC.
    """

    base: float
    sun: float
    rivers: float
    days: float
    hours: float
    latitude: float
    offset_hours: float


# Chosen for plausible shapes (sun in California, gas and some nuclear power in Florida, rivers and
# wind in the north-west and New York); not measured.
_CLIMATES: dict[Location, _Climate] = {
    "CA": _Climate(
        base=0.34, sun=0.42, rivers=0.05, days=0.05, hours=0.03, latitude=34.0, offset_hours=-7.9
    ),
    "FL": _Climate(
        base=0.22, sun=0.22, rivers=0.01, days=0.03, hours=0.02, latitude=27.0, offset_hours=-5.4
    ),
    "NW": _Climate(
        base=0.58, sun=0.05, rivers=0.12, days=0.08, hours=0.04, latitude=47.5, offset_hours=-8.1
    ),
    "NY": _Climate(
        base=0.46, sun=0.06, rivers=0.05, days=0.06, hours=0.03, latitude=42.7, offset_hours=-4.9
    ),
}


def draw_clean_share(location: Location) -> CleanShare:
    """Return a generated year of a location; deterministic."""
    climate = _CLIMATES[location]
    slots = np.arange(YEAR_SLOTS)
    noise = np.random.default_rng(sorted(FILES).index(location))
    day = slots / DAY_SLOTS
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (day + 10) / 366)
    day_share = (slots % DAY_SLOTS) / DAY_SLOTS
    hour_angle = 2 * np.pi * (day_share - 0.5 + climate.offset_hours / 24)
    latitude = np.radians(climate.latitude)
    mean_elevation = np.sin(latitude) * np.sin(declination)
    daily_swing = np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    # Sine of the sun's elevation, none at night.
    elevation = np.maximum(mean_elevation + daily_swing, 0.0)
    cloud_logit = _wander(noise, hours=30) * 1.5 - 1.2
    cloud_cover = np.asarray(1 / (1 + np.exp(-cloud_logit)))
    clear_sky = 1 - 0.5 * cloud_cover
    rivers = climate.rivers * np.cos(2 * np.pi * (day - 135) / 366)
    day_noise = climate.days * _wander(noise, hours=60)
    hour_noise = climate.hours * _wander(noise, hours=2)
    sun = climate.sun * elevation * clear_sky
    share = climate.base + sun + rivers + day_noise + hour_noise
    return CleanShare(location, np.round(np.clip(share, 0.02, 0.99), 4), measured=False)


def _wander(noise: np.random.Generator, *, hours: float) -> FloatArray:
    """Return autoregressive noise of unit variance with a correlation time of ``hours``."""
    persistence = float(np.exp(-STEP_MINUTES / 60 / hours))
    shocks = noise.standard_normal(YEAR_SLOTS) * np.sqrt(1 - persistence**2)
    shocks[0] = noise.standard_normal()

    def follow(last: float, shock: float) -> float:
        return shock + persistence * last

    # SciPy's filter runs in a fiftieth of the time, but takes a hundred times longer to import.
    return np.fromiter(accumulate(shocks.tolist(), follow), float, YEAR_SLOTS)
