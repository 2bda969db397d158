"""Readings with their faults through Luna, and what is stored and judged of them beside the
truth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest, DayQuality
from luna.energy.observations import SERIES
from luna.energy.timeline import FloatArray, IndexArray, local_day
from luna.platform.database import observations, quality, quarantine, sites
from services.ingest.loading import FileForm, load_file
from services.ingest.slot_builder import build_site_slots
from tests.support.metering.faults import Fault, Place
from tests.support.metering.house import ZONE, House, describe_house, say

SITE = "metered"
ENERGIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
BATTERY = ("charge_kwh", "discharge_kwh")
STORED = (*ENERGIES, *BATTERY, "soc", "vehicle_kwh")
# What the verdict of a day bears, as the guide says: a quarter of a kilowatt-hour, or a twentieth
# of what flowed, and of a state of charge what whole per cents and losses come to.
METER_ERROR_SHARE = 0.05
METER_ERROR_KWH = 0.25
METER_ERROR_SOC = 0.03
# What rounding to the last digit of a meter leaves of a quarter-hour.
ROUNDING_KWH = 0.002
ROUNDING_SOC = 0.001


@dataclass(frozen=True, slots=True)
class Happening:
    """A fault, and where it happens."""

    fault: Fault
    place: Place

    @property
    def touched(self) -> set[date]:
        """The local days that may be other than they were."""
        return self.place.touched | {
            self.place.day - timedelta(days=number)
            for number in range(1, self.fault.days_before + 1)
        }

    def __str__(self) -> str:
        return (
            f"{self.fault.name} ({self.place.sensor}, {self.place.day} {self.place.hour:g}:00, "
            f"{self.place.hours:g} h)"
        )


def hear(house: House, happenings: Iterable[Happening]) -> pl.DataFrame:
    """Return what reaches Luna of what the meters say, as a file holds it."""
    rows = say(house)
    for happening in happenings:
        rows = happening.fault.change(rows, happening.place)
    written = pl.coalesce("said", pl.col("value").round(3).cast(pl.String))
    return rows.select(
        pl.col("instant").dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        "sensor",
        written.alias("value"),
        "unit",
    )


def take_in(
    connection: Connection, house: House, rows: pl.DataFrame, folder: Path, *, name: str = SITE
) -> None:
    """Load the readings, of which a first import was interrupted, and build and judge what they
    come to.
    """
    sites.save(connection, describe_house(name))
    for part in (rows.head(rows.height // 8), rows):
        path = folder / "readings.csv"
        part.write_csv(path)
        load_file(connection, name, path, FileForm("readings"))
    request = BuildSlotsRequest(site_id=name, first=house.timeline.start, end=house.timeline.end)
    build_site_slots(connection, request, now=house.timeline.end + timedelta(days=3))


def find_contradictions(
    connection: Connection, house: House, happenings: Sequence[Happening]
) -> list[str]:
    """Return what is stored wrong on days that are said to be right, and what is refused of days to
    which nothing happened.
    """
    stored = observations.read_series(connection, SITE, house.timeline, STORED)
    marks = quality.read_repaired(connection, SITE, house.timeline)
    verdicts = {
        day.day: day for day in quality.read(connection, SITE, house.days[0], house.days[-1])
    }
    touched: dict[date, list[Happening]] = {}
    for happening in happenings:
        for day in happening.touched:
            touched.setdefault(day, []).append(happening)
    refused = _count_refused(connection)
    found: list[str] = []
    for day in house.days:
        slots = local_day(day, ZONE)
        begin = (slots.start - house.timeline.start) // slots.step
        place = slice(begin, begin + slots.count)
        record = {
            name: (stored[name][place], house.series[name][place], marks[place]) for name in STORED
        }
        faults = (
            _find_wrong_but_clean(record, verdicts[day])
            if day in touched
            else _find_right_but_doubted(record, verdicts[day], refused.get(day, 0))
        )
        found += [
            (
                f"{day}: {fault}; {verdicts[day].verdict} {verdicts[day].reasons}; "
                f"{', '.join(map(str, touched.get(day, [])))}"
            )
            for fault in faults
        ]
    return found


def _find_wrong_but_clean(
    record: dict[str, tuple[FloatArray, FloatArray, IndexArray]], verdict: DayQuality
) -> list[str]:
    flowed = sum(float(record[name][1].sum()) for name in ("import_kwh", "pv_kwh", "discharge_kwh"))
    return [
        f"{name} is wrong by {error:.2f} and trusted"
        for name, (values, truth, marks) in record.items()
        if (
            verdict.verdict == "clean"
            or (verdict.verdict == "mask_battery" and name not in {*BATTERY, "soc"})
        )
        and (error := measure_error(name, values, truth, marks))
        > (METER_ERROR_SOC if name == "soc" else max(METER_ERROR_KWH, METER_ERROR_SHARE * flowed))
    ]


def measure_error(name: str, values: FloatArray, truth: FloatArray, marks: IndexArray) -> float:
    """Return by how much what is stored as measured differs from the truth: kWh that stand where
    they were not, or how far a state of charge is off.

    Of what is marked as repaired, and of appliances, which have no such mark, the sum counts.
    """
    known = np.isfinite(values)
    marked = (
        (marks >> SERIES.index(name) & 1).astype(np.bool_)
        if name in SERIES
        else np.ones(values.size, dtype=np.bool_)
    )
    if name == "soc":
        return float(np.abs(values - truth)[known & ~marked].max(initial=0.0))
    filled = known & marked
    displaced = np.abs(np.cumsum(np.where(known & ~marked, values - truth, 0.0))).max(initial=0.0)
    return float(displaced + abs(values[filled].sum() - truth[filled].sum()))


def _find_right_but_doubted(
    record: dict[str, tuple[FloatArray, FloatArray, IndexArray]], verdict: DayQuality, refused: int
) -> list[str]:
    found = [] if verdict.verdict == "clean" else ["nothing happened, and the day is not clean"]
    found += [f"nothing happened, and {refused} readings are refused"] * bool(refused)
    for name, (values, truth, _) in record.items():
        if not np.allclose(
            values, truth, rtol=0, atol=ROUNDING_SOC if name == "soc" else ROUNDING_KWH
        ):
            found.append(f"nothing happened, and {name} is not the truth")
    return found


def _count_refused(connection: Connection) -> dict[date, int]:
    counts: dict[date, int] = {}
    below: int | None = None
    while rows := quarantine.list_rows(connection, SITE, limit=1000, below=below):
        below = rows[-1].quarantine_id
        for row in rows:
            first = datetime.fromisoformat(str(row.raw["instant"])).astimezone(ZONE).date()
            counts[first] = counts.get(first, 0) + 1
    return counts
