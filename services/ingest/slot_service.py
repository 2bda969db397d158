"""Builds a site's slots from stored readings and stores them, with quarantine, change history and
quality verdicts.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsReply, BuildSlotsRequest, BuiltSeries, KeptDay
from luna.energy.observations import ESTIMABLE, SERIES
from luna.energy.refusals import refuse
from luna.energy.row_fault import RowFault, refuse_unit
from luna.energy.site import Site
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    IndexArray,
    Timeline,
    floor_to,
    local_day,
    local_midnight,
    parse_zone,
    to_instant,
)
from luna.energy.units import UnitHistory, ratio, read_measure
from luna.platform.database import (
    copy,
    energy_intervals,
    history_changes,
    observations,
    quality,
    quarantine,
    readings,
    sites,
)
from luna.platform.database.history_changes import Revision, Rule
from luna.platform.database.quarantine import Refused
from luna.platform.silent_sensors import SPEAKS_WITHIN, find_unheard, list_several, read_silent
from services.ingest.metering import Rejected, SlotBuild, Spans, build_slots
from services.ingest.metering.columns import SensorPresence, sensor_names
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.stuck import LONGEST_STILL_SLOTS
from services.ingest.quality_service import judge_slots
from services.ingest.reading import Samples
from services.ingest.rebuild import ENERGIES, REBUILT, RebuiltSeries, compare_day

SOURCE = "readings"
# Long windows are built by month: a year of ten sensors with readings every ten seconds does not
# fit into a small machine's memory.
STRETCH = timedelta(days=31)
# Younger slots may still be completed by late readings, which is no change of history.
SETTLING = timedelta(days=1)
# A counter may have been silent for the night before its first reading.
NIGHT = timedelta(days=1)
BUILT = Rule("built again from readings", fills=False)
WITHDRAWN = Rule("withdrawn: the sensor was stuck")

Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class _Tally:
    """Counts of all stretches.

    ``earlier_slots``: number of slots before the first stretch that may have changed as well.
    """

    earlier_slots: int = 0
    written: int = 0
    withdrawn: int = 0
    quarantined: int = 0
    known: Counter[str] = field(default_factory=Counter)
    interpolated: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, Counter[str]] = field(default_factory=dict)
    unchanged_days: list[RebuiltSeries] = field(default_factory=list)

    def add(self, build: SlotBuild, written: int) -> None:
        self.written += written
        self.quarantined += len(build.rejected)
        for name, counts in build.counts.items():
            self.known[name] += counts.known
            self.interpolated[name] += counts.interpolated
            self.filled[name] += counts.filled
            self.rejected.setdefault(name, Counter()).update(counts.rejected)

    def note_withdrawn(self, values: int) -> None:
        self.withdrawn += values
        self.earlier_slots = max(self.earlier_slots, LONGEST_STILL_SLOTS * (values > 0))

    def series(self) -> dict[str, BuiltSeries]:
        return {
            name: BuiltSeries(
                known=self.known[name],
                interpolated=self.interpolated[name],
                filled=self.filled[name],
                rejected=dict(reasons),
            )
            for name, reasons in self.rejected.items()
        }


def build_site_slots(
    connection: Connection,
    request: BuildSlotsRequest,
    *,
    now: datetime,
    progress: Progress = lambda *_: None,
    automatic: bool = False,
) -> BuildSlotsReply:
    """Build the requested slots from the site's readings, and quarantine rejected readings.

    In the two days before, unknown slots are filled where readings now determine them, and values
    of a stuck meter are withdrawn.

    Args:
        now: later readings are rejected.
        automatic: no person waits: a suspiciously changed day keeps its stored values, and its
            verdict names it, instead of a ConflictError.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site names no sensors, or the window is reversed.
        ConflictError: a known day would change suspiciously, and the request does not accept that.

    Invariants: idempotent; unknown values never erase stored ones, except those of a stuck meter.
    """
    site = sites.load(connection, request.site_id)
    start = floor_to(request.first.astimezone(UTC), SLOT)
    count = -((start - request.end) // SLOT)
    if count < 1:
        raise refuse("slots-window-reversed", field="end", value=request.end.isoformat())
    window = Timeline(start, SLOT, count)
    units = readings.read_units(connection, site.name)
    named = sensor_names(site)
    if not named:
        raise refuse("site-without-sensors", field="input_sensors", value=site.name)
    # A sensor that never reported, while others of its role do, is ignored, and the days say so;
    # one that fell silent makes the total unknown.
    several = list_several(site)
    heard = readings.read_spans(connection, site.name, several, now=now) if several else {}
    absent = {
        each.sensor.name for each in read_silent(connection, site, now=now) if each.since is None
    }
    # A name that was just written is waited for, but not by days that are over.
    missed_from = floor_to(now, SLOT) - SPEAKS_WITHIN
    awaited = dict.fromkeys(
        find_unheard(site, heard, window.start, window.end) - absent, missed_from
    )
    used = {name: units[name] for name in named & units.keys()}
    building = _Building(connection, site, used, now, SensorPresence(absent, heard, awaited))
    # Only ended slots, in stretches that end with a local day.
    zone = parse_zone(site.timezone)
    end = min(window.end, floor_to(now, SLOT))
    while start < end:
        progress((start - window.start) // SLOT, window.count, start.date().isoformat())
        until = min(local_midnight((start + STRETCH).astimezone(zone).date(), zone), end)
        building.build(
            Timeline(start, SLOT, (until - start) // SLOT),
            accept=request.accept,
            automatic=automatic,
        )
        start = until
    tally = building.tally
    judge_slots(connection, site, window.start - tally.earlier_slots * SLOT, window.end, now=now)
    return BuildSlotsReply(
        site_id=site.name,
        first=window.start,
        end=window.end,
        slots_written=tally.written,
        slots_withdrawn=tally.withdrawn,
        quarantined=tally.quarantined,
        series=tally.series(),
        missing_sensors=sorted(named - units.keys()),
        kept=[
            KeptDay(
                day=each.day,
                series=each.series,
                before_kwh=each.before_kwh,
                after_kwh=each.after_kwh,
            )
            for each in tally.unchanged_days
        ],
    )


@dataclass(slots=True)
class _Building:
    """Builds and stores one site's slots, stretch by stretch.

    ``units``: units of its sensors with any reading, ``presence``: which sensors speak.
    """

    connection: Connection
    site: Site
    units: Mapping[str, UnitHistory]
    now: datetime
    presence: SensorPresence = field(default_factory=SensorPresence)
    tally: _Tally = field(default_factory=_Tally)

    def build(self, stretch: Timeline, *, accept: bool, automatic: bool) -> None:
        # Rebuild the days before: a stuck meter is detected after days, and a silent night is known
        # in the morning.
        window = Timeline(
            stretch.start - LONGEST_STILL_SLOTS * SLOT, SLOT, stretch.count + LONGEST_STILL_SLOTS
        )
        margin = LONGEST_STILL_SLOTS * SLOT + NIGHT
        reading_span = window.start - margin, window.end + margin
        reported = readings.read_each(
            self.connection, self.site.name, self.units, first=reading_span[0], end=reading_span[1]
        )
        samples = {}
        unconverted = []
        for name, (instants, values) in reported.items():
            samples[name], rejected = convert_samples(
                Samples(name, None, instants, values), self.units[name]
            )
            unconverted += [
                part
                for part in rejected
                if part.first < to_instant(window.end) and part.last >= to_instant(window.start)
            ]
        sensor_of = {_source_of(sensor): sensor for sensor in self.units}
        released: dict[str, list[tuple[datetime, datetime]]] = {}
        for row in quarantine.list_let_in(
            self.connection, self.site.name, kind="readings", sources=sensor_of
        ):
            if row.resolution == "released":
                released.setdefault(sensor_of[row.source], []).append(
                    (_naive(row.raw["instant"]), _naive(row.raw["until"]))
                )
        spans = {}
        for sensor, stretches in released.items():
            # In order of start, with non-decreasing ends, as ``Spans.cover`` needs.
            first, last = (
                np.array(ends, dtype="datetime64[us]")
                for ends in zip(*sorted(stretches), strict=True)
            )
            spans[sensor] = Spans(first, np.maximum.accumulate(last))
        build = build_slots(
            self.site, samples, window, now=self.now, released=spans, presence=self.presence
        )
        build = replace(build, rejected=[*build.rejected, *unconverted])
        before = observations.read_series(
            self.connection, self.site.name, window, tuple(build.columns)
        )
        build = self._compare(
            build,
            observations.read_measured(self.connection, self.site.name, window, tuple(before)),
            stretch,
            accept=accept,
            automatic=automatic,
        )
        withdrawn = history_changes.withdraw_observations(
            self.connection, self.site.name, build.starts, build.withdrawn, rule=WITHDRAWN
        )
        self.tally.note_withdrawn(withdrawn)
        self._quarantine(build.rejected, window)
        energy_intervals.settle(
            self.connection,
            self.site.name,
            build.intervals,
            window=window,
            reading_span=reading_span,
        )
        self.tally.add(build.last(stretch.count), self._write(build, before, window))

    def _compare(
        self,
        build: SlotBuild,
        before: Mapping[str, FloatArray],
        stretch: Timeline,
        *,
        accept: bool,
        automatic: bool,
    ) -> SlotBuild:
        """Return the build without suspiciously changed days, which keep their stored values.

        Estimates are not compared.

        Raises:
            ConflictError: there are such days, and the build is not automatic.
        """
        zone = parse_zone(self.site.timezone)
        dates = [instant.astimezone(zone).date() for instant in (stretch.start, stretch.end)]
        local_days = [
            local_day(dates[0] + timedelta(days=number), zone)
            for number in range((dates[1] - dates[0]).days + 1)
        ]
        days = [day for day in local_days if stretch.start <= day.start and day.end <= stretch.end]
        changed: list[RebuiltSeries] = []
        unchanged = np.zeros(build.starts.size, dtype=np.bool_)
        for day in [] if accept else days:
            begin = int(
                (day.starts[0] - build.starts[0].astype("datetime64[s]")) // np.timedelta64(SLOT)
            )
            place = slice(begin, begin + day.count)
            local = day.start.astimezone(zone).date()
            measured = {
                name: np.where(build.filled[name], np.nan, kwh)
                for name, kwh in build.columns.items()
            }
            differences = list(
                compare_day(
                    local,
                    *(
                        {name: kwh[place] for name, kwh in series.items()}
                        for series in (before, measured)
                    ),
                )
            )
            unchanged[place] = bool(differences)
            changed += differences
        if changed and not automatic:
            first = changed[0]
            raise refuse(
                "days-would-change",
                field="accept",
                day=first.day,
                count=len(changed),
                why=first.row_fault,
            )
        if days:
            lines = (
                _microseconds(np.datetime64(_naive(days[0].start.isoformat()))),
                _microseconds(np.datetime64(_naive(days[-1].end.isoformat()))),
            )
            refused = []
            for each in changed:
                slots = local_day(each.day, zone)
                day_start, day_end = (
                    np.datetime64(_naive(instant.isoformat()))
                    for instant in (slots.start, slots.end)
                )
                raw = {
                    "day": each.day.isoformat(),
                    "series": each.series,
                    "instant": _iso(day_start),
                    "until": _iso(day_end),
                }
                energies = {
                    name: each.row_fault.parameters[name] for name in ("before_kwh", "after_kwh")
                }
                # A distinct line per series of a day.
                refused.append(
                    Refused(
                        _microseconds(day_start) + ENERGIES.index(each.series),
                        each.row_fault,
                        raw | energies,
                    )
                )
            quarantine.settle(self.connection, self.site.name, {REBUILT: refused}, lines=lines)
        self.tally.unchanged_days += changed
        columns, withdrawn = (
            {name: np.where(unchanged, np.nan, kwh) for name, kwh in series.items()}
            for series in (build.columns, build.withdrawn)
        )
        return replace(build, columns=columns, withdrawn=withdrawn)

    def _write(self, build: SlotBuild, before: Mapping[str, FloatArray], window: Timeline) -> int:
        """Store the known values, before the requested slots only where none was measured.

        Return the number of added and changed rows.
        """
        earlier = np.arange(window.count) < LONGEST_STILL_SLOTS
        estimated = quality.read_estimated(self.connection, self.site.name, window)
        columns = {}
        for name, values in build.columns.items():
            filled = build.filled[name]
            was_filled = estimated >> ESTIMABLE.index(name) & 1 > 0
            # A measured value is never replaced by an estimate, an estimate always by a measured
            # value.
            stays = np.where(
                was_filled, filled & (values == before[name]), earlier | filled
            ) & ~np.isnan(before[name])
            columns[name] = np.where(stays, np.nan, values)
        has_values = np.logical_or.reduce([~np.isnan(values) for values in columns.values()])
        if has_values[earlier].any():
            self.tally.earlier_slots = LONGEST_STILL_SLOTS
        settled = build.starts < np.datetime64(_naive((self.now - SETTLING).isoformat()))
        for name, values in columns.items():
            revision = Revision(name, build.starts[settled], before[name][settled], values[settled])
            history_changes.record(self.connection, self.site.name, revision, rule=BUILT)
        repaired = _keep_marks(
            quality.read_repaired(self.connection, self.site.name, window),
            columns,
            build.repaired,
            SERIES,
        )
        marks = {
            "repaired": repaired[has_values],
            "estimated": _keep_marks(estimated, columns, build.marks, ESTIMABLE)[has_values],
        }
        rows: copy.Columns = {
            **{name: values[has_values] for name, values in columns.items()},
            **marks,
            "source": SOURCE,
        }
        written = observations.write(
            self.connection, self.site.name, build.starts[has_values], rows
        )
        return written.inserted + written.updated

    def _quarantine(self, rejected: list[Rejected], window: Timeline) -> None:
        first, end = (
            np.datetime64(_naive(instant.isoformat()), "us")
            for instant in (window.start, window.end)
        )
        refused: dict[str, dict[int, Refused]] = {_source_of(sensor): {} for sensor in self.units}
        for part in rejected:
            # In the stored unit of the first rejected reading.
            units = self.units[part.sensor]
            unit = units.names[units.places(np.array([part.first]))[0]]
            value = float(np.round(part.value * ratio(part.unit, unit), 9))
            raw = {
                "sensor": part.sensor,
                "instant": _iso(part.first),
                "until": _iso(part.last),
                "unit": unit,
                "readings": part.readings,
            }
            # A rejection that begins before the window gets one line per day, not another one for
            # each moving window.
            line = _microseconds(
                part.first if part.first >= first else first.astype("datetime64[D]")
            )
            refused[_source_of(part.sensor)][line] = Refused(
                line, part.fault, raw | {"value": value if np.isfinite(value) else str(value)}
            )
        rows = {source: list(each.values()) for source, each in refused.items()}
        quarantine.settle(
            self.connection, self.site.name, rows, lines=(_microseconds(first), _microseconds(end))
        )


def convert_samples(samples: Samples, units: UnitHistory) -> tuple[Samples, list[Rejected]]:
    """Return a sensor's samples converted to their newest unit, and those that are not convertible.

    Args:
        samples: as received, in order of time.
        units: the sensor's units over time.
    """
    unit = units.newest(samples.instants)
    factors = units.factors(samples.instants, unit)
    places = units.places(samples.instants)
    refusals = Refusals()
    for place in np.unique(places[np.isnan(factors)]).tolist():
        name = units.names[place]
        fault = (
            refuse_unit(name)
            if read_measure(name) is None
            else RowFault.of("other_unit", unit=str(name), newest=str(unit))
        )
        refusals.refuse(
            Readings(samples.sensor, name, 1.0, samples.instants, samples.values),
            places == place,
            fault,
        )
    is_convertible = ~np.isnan(factors)
    return Samples(
        samples.sensor,
        unit,
        samples.instants[is_convertible],
        (samples.values * factors)[is_convertible],
    ), list(refusals.rejected.values())


def _keep_marks(
    stored: IndexArray,
    columns: Mapping[str, FloatArray],
    built: NDArray[np.int16],
    names: Sequence[str],
) -> NDArray[np.int16]:
    """Return the marks per slot, bit i for the i-th of ``names``: of built values the new ones, of
    unchanged values the stored ones.
    """
    marks = np.zeros(stored.size, dtype=np.int64)
    for bit, name in enumerate(names):
        stays = np.isnan(columns[name]) if name in columns else np.ones(stored.size, dtype=np.bool_)
        marks |= np.where(stays, stored, built) & (1 << bit)
    return marks.astype(np.int16)


def _source_of(sensor: str) -> str:
    return f"sensor {sensor}"


def _microseconds(instant: np.datetime64) -> int:
    return int(instant.astype("datetime64[us]").astype(np.int64))


def _iso(instant: np.datetime64) -> str:
    return f"{np.datetime_as_string(instant, unit='us')}Z"


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
