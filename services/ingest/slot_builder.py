"""Building of a site's slots from stored readings, with quarantine, change history and verdicts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
from luna.house.silent_sensors import SPEAKS_WITHIN, find_unreported, list_several, read_silent
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
from luna.words.quarantine import say_row_fault
from services.ingest.metering import Rejected, SlotBuild, Spans, build_slots
from services.ingest.metering.column_sensors import SensorPresence, sensor_names
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.stuck import LONGEST_STILL_SLOTS
from services.ingest.quality_service import judge_slots
from services.ingest.rebuild import ENERGIES, REBUILT, RebuiltSeries, compare_day
from services.ingest.source_readings import Samples

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


def _ignore(_done: int, _total: int, _day: str) -> None:
    """Show no progress."""


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
        if values > 0:
            self.earlier_slots = LONGEST_STILL_SLOTS

    def series(self) -> dict[str, BuiltSeries]:
        series = {}
        for name, reasons in self.rejected.items():
            series[name] = BuiltSeries(
                known=self.known[name],
                interpolated=self.interpolated[name],
                filled=self.filled[name],
                rejected=dict(reasons),
            )
        return series


def build_site_slots(
    connection: Connection,
    request: BuildSlotsRequest,
    *,
    now: datetime,
    progress: Progress = _ignore,
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
        raise refuse("ends-before-start", field="end", value=request.end.isoformat())
    window = Timeline(start, SLOT, count)
    units = readings.read_units(connection, site.name)
    named = sensor_names(site)
    if not named:
        raise refuse("site-without-sensors", field="input_sensors", value=site.name)
    used = {name: units[name] for name in named & units.keys()}
    presence = _read_presence(connection, site, window, now)
    building = _Building(connection=connection, site=site, units=used, now=now, presence=presence)
    # Only ended slots, in stretches that end with a local day.
    zone = parse_zone(site.timezone)
    end = min(window.end, floor_to(now, SLOT))
    while start < end:
        progress((start - window.start) // SLOT, window.count, start.date().isoformat())
        until = min(local_midnight((start + STRETCH).astimezone(zone).date(), zone), end)
        stretch = Timeline(start, SLOT, (until - start) // SLOT)
        building.build(stretch, accept=request.accept, automatic=automatic)
        start = until
    tally = building.tally
    judge_slots(connection, site, window.start - tally.earlier_slots * SLOT, window.end, now=now)
    kept = [
        KeptDay(
            day=rebuilt.day,
            series=rebuilt.series,
            before_kwh=rebuilt.before_kwh,
            after_kwh=rebuilt.after_kwh,
        )
        for rebuilt in tally.unchanged_days
    ]
    return BuildSlotsReply(
        site_id=site.name,
        first=window.start,
        end=window.end,
        slots_written=tally.written,
        slots_withdrawn=tally.withdrawn,
        quarantined=tally.quarantined,
        series=tally.series(),
        missing_sensors=sorted(named - units.keys()),
        kept=kept,
    )


def _read_presence(
    connection: Connection, site: Site, window: Timeline, now: datetime
) -> SensorPresence:
    """Return the reporting of a site's sensors.

    A sensor that never reported, while others of its role do, is ignored, and the days say so; one
    that fell silent makes the total unknown.
    """
    several = list_several(site)
    heard = readings.read_spans(connection, site.name, several, now=now) if several else {}
    silent = read_silent(connection, site, now=now)
    absent = {silence.sensor.name for silence in silent if silence.since is None}
    # A name that was just written is waited for, but not by days that are over.
    missed_from = floor_to(now, SLOT) - SPEAKS_WITHIN
    unreported = find_unreported(site, heard, window.start, window.end)
    return SensorPresence(absent, heard, dict.fromkeys(unreported - absent, missed_from))


@dataclass(slots=True)
class _Building:
    """Builds and stores one site's slots, stretch by stretch.

    ``units`` are those of its sensors with any reading.
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
        samples, unconverted = self._read_samples(window, reading_span)
        build = build_slots(
            self.site,
            samples,
            window,
            now=self.now,
            released=self._read_released(),
            presence=self.presence,
        )
        build = replace(build, rejected=[*build.rejected, *unconverted])
        names = tuple(build.columns)
        before = observations.read_series(self.connection, self.site.name, window, names)
        measured = observations.read_measured(
            self.connection, self.site.name, window, tuple(before)
        )
        build = self._compare(build, measured, stretch, accept=accept, automatic=automatic)
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

    def _read_samples(
        self, window: Timeline, reading_span: tuple[datetime, datetime]
    ) -> tuple[dict[str, Samples], list[Rejected]]:
        """Return the samples of each sensor, and the unconvertible ones within the window."""
        first, end = reading_span
        reported = readings.read_each(
            self.connection, self.site.name, self.units, first=first, end=end
        )
        window_start = to_instant(window.start)
        window_end = to_instant(window.end)
        samples = {}
        unconverted: list[Rejected] = []
        for name, (instants, values) in reported.items():
            received = Samples(name, None, instants, values)
            samples[name], rejected = convert_samples(received, self.units[name])
            for run in rejected:
                if run.first < window_end and run.last >= window_start:
                    unconverted.append(run)
        return samples, unconverted

    def _read_released(self) -> dict[str, Spans]:
        """Return by sensor the spans whose values a person has confirmed."""
        sensor_of = {_source_of(sensor): sensor for sensor in self.units}
        rows = quarantine.list_let_in(
            self.connection, self.site.name, kind="readings", sources=sensor_of
        )
        released: dict[str, list[tuple[datetime, datetime]]] = {}
        for row in rows:
            if row.resolution == "released":
                span = (_naive(row.raw["instant"]), _naive(row.raw["until"]))
                released.setdefault(sensor_of[row.source], []).append(span)
        spans = {}
        for sensor, stretches in released.items():
            # In order of start, with non-decreasing ends, as ``Spans.cover`` needs.
            in_order = sorted(stretches)
            starts = np.array([start for start, _ in in_order], dtype="datetime64[us]")
            ends = np.array([end for _, end in in_order], dtype="datetime64[us]")
            spans[sensor] = Spans(starts, np.maximum.accumulate(ends))
        return spans

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
        days = _whole_days(stretch, zone)
        measured = {}
        for name, kwh in build.columns.items():
            measured[name] = np.where(build.filled[name], np.nan, kwh)
        changed: list[RebuiltSeries] = []
        unchanged = np.zeros(build.starts.size, dtype=np.bool_)
        for day in [] if accept else days:
            first_slot = build.starts[0].astype("datetime64[s]")
            begin = int((day.starts[0] - first_slot) // np.timedelta64(SLOT))
            place = slice(begin, begin + day.count)
            local_date = day.start.astimezone(zone).date()
            before_kwh = {name: kwh[place] for name, kwh in before.items()}
            measured_kwh = {name: kwh[place] for name, kwh in measured.items()}
            differences = list(compare_day(local_date, before_kwh, measured_kwh))
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
                reason=say_row_fault(first.row_fault),
            )
        if days:
            refused = [_refuse_rebuilt(rebuilt, zone) for rebuilt in changed]
            lines = (_line_of(days[0].start), _line_of(days[-1].end))
            quarantine.settle(self.connection, self.site.name, {REBUILT: refused}, lines=lines)
        self.tally.unchanged_days += changed
        columns = {}
        for name, kwh in build.columns.items():
            columns[name] = np.where(unchanged, np.nan, kwh)
        withdrawn = {}
        for name, kwh in build.withdrawn.items():
            withdrawn[name] = np.where(unchanged, np.nan, kwh)
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
            is_same_estimate = filled & (values == before[name])
            has_priority = np.where(was_filled, is_same_estimate, earlier | filled)
            sessions = has_priority & ~np.isnan(before[name])
            columns[name] = np.where(sessions, np.nan, values)
        has_values = np.logical_or.reduce([~np.isnan(values) for values in columns.values()])
        if has_values[earlier].any():
            self.tally.earlier_slots = LONGEST_STILL_SLOTS
        settled = build.starts < np.datetime64(_naive((self.now - SETTLING).isoformat()))
        for name, values in columns.items():
            revision = Revision(name, build.starts[settled], before[name][settled], values[settled])
            history_changes.record(self.connection, self.site.name, revision, rule=BUILT)
        was_repaired = quality.read_repaired(self.connection, self.site.name, window)
        repaired = _keep_marks(was_repaired, columns, build.repaired, SERIES)
        marks = _keep_marks(estimated, columns, build.marks, ESTIMABLE)
        known = {name: values[has_values] for name, values in columns.items()}
        rows: copy.Columns = {
            **known,
            "repaired": repaired[has_values],
            "estimated": marks[has_values],
            "source": SOURCE,
        }
        written = observations.write(
            self.connection, self.site.name, build.starts[has_values], rows
        )
        return written.inserted + written.updated

    def _quarantine(self, rejected: list[Rejected], window: Timeline) -> None:
        start = np.datetime64(_naive(window.start.isoformat()), "us")
        refused: dict[str, dict[int, Refused]] = {_source_of(sensor): {} for sensor in self.units}
        for run in rejected:
            # In the stored unit of the first rejected reading.
            units = self.units[run.sensor]
            unit = units.names[units.places(np.array([run.first]))[0]]
            value = float(np.round(run.value * ratio(run.unit, unit), 9))
            raw = {
                "sensor": run.sensor,
                "instant": _iso(run.first),
                "until": _iso(run.last),
                "unit": unit,
                "readings": run.readings,
                "value": value if np.isfinite(value) else str(value),
            }
            # A rejection that begins before the window gets one line per day, not another one for
            # each moving window.
            begin = run.first if run.first >= start else start.astype("datetime64[D]")
            line = _microseconds(begin)
            refused[_source_of(run.sensor)][line] = Refused(line, run.fault, raw)
        rows = {source: list(lines.values()) for source, lines in refused.items()}
        lines = (_line_of(window.start), _line_of(window.end))
        quarantine.settle(self.connection, self.site.name, rows, lines=lines)


def _whole_days(stretch: Timeline, zone: ZoneInfo) -> list[Timeline]:
    """Return the local days that lie in a stretch completely."""
    first = stretch.start.astimezone(zone).date()
    last = stretch.end.astimezone(zone).date()
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    days = [local_day(date, zone) for date in dates]
    return [day for day in days if stretch.start <= day.start and day.end <= stretch.end]


def _refuse_rebuilt(rebuilt: RebuiltSeries, zone: ZoneInfo) -> Refused:
    """Return the quarantine's row of a day that keeps its stored values."""
    slots = local_day(rebuilt.day, zone)
    start = np.datetime64(_naive(slots.start.isoformat()))
    end = np.datetime64(_naive(slots.end.isoformat()))
    raw = {
        "day": rebuilt.day.isoformat(),
        "series": rebuilt.series,
        "instant": _iso(start),
        "until": _iso(end),
        "before_kwh": rebuilt.row_fault.parameters["before_kwh"],
        "after_kwh": rebuilt.row_fault.parameters["after_kwh"],
    }
    # A distinct line per series of a day.
    line = _microseconds(start) + ENERGIES.index(rebuilt.series)
    return Refused(line, rebuilt.row_fault, raw)


def convert_samples(samples: Samples, units: UnitHistory) -> tuple[Samples, list[Rejected]]:
    """Convert a sensor's samples to their newest unit, and reject the unconvertible ones.

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
        fault = RowFault.of("other_unit", unit=str(name), newest=str(unit))
        if read_measure(name) is None:
            fault = refuse_unit(name)
        unconverted = Readings(
            sensor=samples.sensor,
            unit=name,
            factor=1.0,
            instants=samples.instants,
            values=samples.values,
        )
        refusals.refuse(unconverted, places == place, fault)
    is_convertible = ~np.isnan(factors)
    converted = Samples(
        samples.sensor,
        unit,
        samples.instants[is_convertible],
        (samples.values * factors)[is_convertible],
    )
    return converted, list(refusals.rejected.values())


def _keep_marks(
    stored: IndexArray,
    columns: Mapping[str, FloatArray],
    built: NDArray[np.int16],
    names: Sequence[str],
) -> NDArray[np.int16]:
    """Return the marks per slot, bit i for the i-th of ``names``.

    Built values get their new marks, unchanged values keep the stored ones.
    """
    marks = np.zeros(stored.size, dtype=np.int64)
    for bit, name in enumerate(names):
        sessions = (
            np.isnan(columns[name]) if name in columns else np.ones(stored.size, dtype=np.bool_)
        )
        marks |= np.where(sessions, stored, built) & (1 << bit)
    return marks.astype(np.int16)


def _source_of(sensor: str) -> str:
    return f"sensor {sensor}"


def _microseconds(instant: np.datetime64) -> int:
    return int(instant.astype("datetime64[us]").astype(np.int64))


def _line_of(instant: datetime) -> int:
    return _microseconds(np.datetime64(_naive(instant.isoformat()), "us"))


def _iso(instant: np.datetime64) -> str:
    return f"{np.datetime_as_string(instant, unit='us')}Z"


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
