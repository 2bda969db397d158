"""Verification of stored slots against Home Assistant's own statistics, per series and day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter

import numpy as np
from sqlalchemy import Engine

from luna.contracts.history_care import DayComparison, VerifyReply, VerifyRequest
from luna.energy.site import SUBMETERED
from luna.energy.timeline import FloatArray, Timeline, floor_to, local_days, parse_zone
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import TaskContext
from services.ingest.metering.column_sensors import Column, measured_columns
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory

# Tolerance for a counter's steps, tenths or hundredths of a kilowatt-hour, at the borders of hours.
TOLERANCE_KWH = 0.1
TOLERANCE_SHARE = 0.02
# Requested units of the statistics; Home Assistant converts.
UNITS = {"energy": "kWh", "power": "kW"}


@dataclass(frozen=True, slots=True)
class DayDifference:
    """Energies of a local day by source and as stored, over hours known to both."""

    day: date
    series: str
    source_kwh: float
    stored_kwh: float
    hours: int
    day_hours: int

    @property
    def difference_kwh(self) -> float:
        """Stored minus source."""
        return self.stored_kwh - self.source_kwh

    @property
    def difference_share(self) -> float:
        """The difference relative to the source; NaN where the source has zero."""
        return self.difference_kwh / self.source_kwh if self.source_kwh else float("nan")

    @property
    def beyond(self) -> bool:
        """Whether the difference exceeds the tolerance."""
        return abs(self.difference_kwh) > max(TOLERANCE_KWH, TOLERANCE_SHARE * abs(self.source_kwh))


def ask_energy(source: HomeAssistantHistory, column: Column, hours: Timeline) -> FloatArray:
    """Return a column's energy per hour by the source, kWh.

    NaN where it is unknown for any of the column's sensors.

    Raises:
        SourceError: the source is away.
    """
    edges = np.append(hours.starts, hours.starts[-1:] + np.timedelta64(HOUR))
    energy = np.full(hours.count, np.nan)
    for together, place in column.in_turn(edges):
        signed = []
        for sensor in together.sensors:
            signed.append(sensor.sign * _read_sensor(source, sensor.name, hours))
        energy[place] = np.sum(signed, axis=0)[place]
    return energy


def add_submetered(stored: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the stored series with the submetered loads added to the house's load, as metered."""
    submetered = [stored[name] for name in SUBMETERED if name in stored]
    metered = dict(stored)
    if "load_kwh" in stored:
        metered["load_kwh"] = np.sum([stored["load_kwh"], *submetered], axis=0)
    return metered


def compare_days(
    series: str, source: FloatArray, stored: FloatArray, days: Sequence[tuple[date, slice]]
) -> Iterator[DayDifference]:
    """Yield a comparison per day.

    Args:
        source: kWh per hour, NaN where unknown.
        stored: the same hours, NaN where any of their slots is unknown.
        days: each local day with its slice of the hours.
    """
    both = ~np.isnan(source) & ~np.isnan(stored)
    for day, place in days:
        known = both[place]
        yield DayDifference(
            day,
            series,
            source_kwh=float(source[place][known].sum()),
            stored_kwh=float(stored[place][known].sum()),
            hours=int(known.sum()),
            day_hours=place.stop - place.start,
        )


def _read_sensor(source: HomeAssistantHistory, sensor: str, hours: Timeline) -> FloatArray:
    energy = np.full(hours.count, np.nan)
    rows = source.statistics(
        sensor, hours.start, hours.end, period="hour", types=["change", "mean", "min"], units=UNITS
    )
    for row in rows:
        start = np.datetime64(int(row["start"]), "ms")
        hour = (start - hours.starts[0]) // np.timedelta64(1, "h")
        # A counter's change, or the mean of a power that never changed direction.
        flowed = row.get("change")
        least = row.get("min")
        if flowed is None and (least is None or least >= 0):
            flowed = row.get("mean")
        if 0 <= hour < hours.count and flowed is not None:
            energy[hour] = float(flowed)
    return energy


HOUR = timedelta(hours=1)


def verify_days(
    engine: Engine, source: HomeAssistantHistory, site_id: str, *, first: date, last: date
) -> list[DayDifference]:
    """Compare the local days from ``first`` to ``last`` for each energy with sensors.

    Energies whose sensors all have a minus are left out: statistics do not separate the two
    directions of a power.

    Raises:
        NotFoundError: no such site.
        SourceError: the source is away.
    """
    with unit_of_work(engine) as connection:
        site = sites.load(connection, site_id)
    zone = parse_zone(site.timezone)
    whole = local_days(first, last, zone)
    start = floor_to(whole.start, HOUR)
    end = floor_to(whole.end, HOUR)
    hours = Timeline(start, HOUR, (end - start) // HOUR)
    days = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        slots = local_days(day, day, zone)
        begin = (floor_to(slots.start, HOUR) - start) // HOUR
        until = (floor_to(slots.end, HOUR) - start) // HOUR
        days.append((day, slice(begin, until)))
    columns = [column for column in measured_columns(site) if not column.is_level]
    names = tuple(column.name for column in columns)
    with unit_of_work(engine) as connection:
        stored = add_submetered(observations.read_series(connection, site_id, hours, names))
    differences: list[DayDifference] = []
    for column in columns:
        if not column.reversed:
            energy = ask_energy(source, column, hours)
            differences += compare_days(column.name, energy, stored[column.name], days)
    return sorted(differences, key=attrgetter("day"))


def verify(request: VerifyRequest, work: TaskContext) -> VerifyReply:
    """Compare the requested days with the statistics of the settings' Home Assistant.

    Raises:
        InvalidInputError: the settings name no Home Assistant.
        SourceError: it is away.
    """
    with HomeAssistantHistory.connect(HomeAssistantAccess.of(work.settings)) as source:
        differences = verify_days(
            work.database(), source, request.site_id, first=request.from_day, last=request.to_day
        )
    days = [_describe_difference(difference) for difference in differences]
    return VerifyReply(site_id=request.site_id, days=days)


def _describe_difference(difference: DayDifference) -> DayComparison:
    share = difference.difference_share
    return DayComparison(
        day=difference.day,
        series=difference.series,
        source_kwh=round(difference.source_kwh, 6),
        stored_kwh=round(difference.stored_kwh, 6),
        difference_kwh=round(difference.difference_kwh, 6),
        difference_share=None if np.isnan(share) else round(share, 6),
        hours=difference.hours,
        day_hours=difference.day_hours,
        beyond_tolerance=difference.beyond,
    )
