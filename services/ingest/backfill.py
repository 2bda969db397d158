"""Take over the past of a site's sensors: read, store, go on where it was interrupted, build slots."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.data import BackfilledSensor, BackfillReply, BackfillRequest, BuildSlotsRequest
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.energy.units import StatedUnits
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import Clock
from luna.platform.database import readings, sites, source_cursors
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import TaskContext
from services.ingest.listening.supervisor import ENTITY
from services.ingest.reading import Samples
from services.ingest.slot_service import build_site_slots
from services.ingest.sources.home_assistant.history import HomeAssistantHistory
from services.ingest.sources.home_assistant.state import as_instant
from services.ingest.sources.source import HistorySource, SourceRefusedError

Progress = Callable[[int, int, str], None]
DAY = timedelta(days=1)
# What a counter showed on either side of a border tells what lies in the slots beside it.
MARGIN = timedelta(hours=1)


class CheckedSource(HistorySource, Protocol):
    """A source of history that can say beforehand whether it has the sensors."""

    def check(self, sensors: Mapping[str, str]) -> None:
        """Raise where a sensor (→ the field that names it) is not there."""
        ...

    def unit(self, sensor: str) -> str | None:
        """Return the unit of a sensor's values."""
        ...


@dataclass(frozen=True, slots=True)
class BackfillRun:
    """A run of the backfill: the requested slots, as far as their time has passed, and the time to read for them.

    Cursors stand under its name, so that each run resumes at its own position.
    """

    site_id: str
    first: datetime
    end: datetime
    window_first: datetime
    window_end: datetime
    name: str

    @classmethod
    def of(cls, request: BackfillRequest, source: str, now: datetime) -> Self:
        """Return the run that ``request`` describes.

        Raises:
            InvalidInputError: the window ends before it begins, or lies ahead.
        """
        first, end = floor_to(request.first, SLOT), floor_to(min(request.end, now), SLOT)
        if first >= end:
            raise refuse("backfill-window-empty", field="first", value=request.first.isoformat())
        name = f"{source} backfill {request.first.isoformat()}/{request.end.isoformat()}"
        return cls(request.site_id, first, end, first - MARGIN, min(end + MARGIN, now), name)

    @property
    def days(self) -> int:
        """Days to read per sensor."""
        return -(-(self.window_end - self.window_first) // DAY)

    def days_until(self, instant: datetime) -> int:
        """Return how many of them are over at ``instant``."""
        return (instant - self.window_first) // DAY


def backfill(request: BackfillRequest, work: TaskContext) -> BackfillReply:
    """Take over what Home Assistant knows; each part is committed by itself, so that what was read stays when the work is interrupted.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window ends before it begins, the site names no sensors, or Home Assistant is not set up.
        SourceError: Home Assistant is away; what was read is kept, and asking again goes on there.
        SourceRefusedError: the token, or a sensor that is not there.
    """
    with HomeAssistantHistory.connect(HomeAssistantAccess.of(work.settings), clock=work.clock) as source:
        return backfill_site(work.database(), source, request, clock=work.clock, progress=work.progress)


def backfill_site(engine: Engine, source: CheckedSource, request: BackfillRequest, *, clock: Clock, progress: Progress) -> BackfillReply:
    """Read every sensor of a site from ``source`` into the database and build the slots; raises as ``backfill``."""
    backfilling = BackfillRun.of(request, source.name, clock.now())
    with unit_of_work(engine) as connection:
        site = sites.load(connection, backfilling.site_id)
        cursors = source_cursors.read(connection, backfilling.site_id, backfilling.name)
    sensors, left_out = name_sensors(site)
    # Of sensors that count no more, as of a meter that was exchanged, the source may have some no longer.
    counting = {sensor.name for named in site.sensor_roles.values() for sensor in named if not sensor.has_ended(clock.now())}
    removed = []
    for sensor, field in sensors.items():
        if sensor not in counting:
            try:
                source.check({sensor: field})
            except SourceRefusedError:
                removed.append(sensor)
    sensors, left_out = {sensor: field for sensor, field in sensors.items() if sensor not in removed}, [*left_out, *removed]
    source.check(sensors)
    sensor_replies, steps = [], len(sensors) * backfilling.days
    for place, (sensor, field) in enumerate(sensors.items()):
        intake = Intake(engine, backfilling, sensor)
        for until in intake.read(source, cursors.get(sensor, backfilling.window_first)):
            progress(place * backfilling.days + backfilling.days_until(until), steps, sensor)
        sensor_replies.append(intake.reply(field, source.unit(sensor)))
    build = BuildSlotsRequest(site_id=backfilling.site_id, first=backfilling.first, end=backfilling.end)
    with unit_of_work(engine) as connection:
        built = build_site_slots(connection, build, now=clock.now(), automatic=True)
        source_cursors.forget(connection, backfilling.site_id, backfilling.name)
    return BackfillReply(sensors=sensor_replies, left_out=left_out, slots=built)


def name_sensors(site: Site) -> tuple[dict[str, str], list[str]]:
    """Return the site's sensors of Home Assistant with the fields that name them, and those that are none of its.

    Raises:
        InvalidInputError: it names none.
    """
    named = {sensor: f"input_sensors.{role}" for sensor, role in site.sensor_names.items()}
    if not named:
        raise refuse("site-without-sensors", field="input_sensors", value=site.name)
    entities = {sensor: field for sensor, field in named.items() if ENTITY.fullmatch(sensor)}
    left_out = [sensor for sensor in named if sensor not in entities]
    if not entities:
        raise refuse("site-without-home-assistant", field="input_sensors", value=", ".join(left_out))
    return entities, left_out


class Intake:
    """Takes over one sensor, stretch by stretch."""

    def __init__(self, engine: Engine, backfilling: BackfillRun, sensor: str) -> None:
        self._engine, self._backfilling, self._sensor = engine, backfilling, sensor
        self._valid = self._unknown = self._written = 0

    def read(self, source: HistorySource, since: datetime) -> Iterator[datetime]:
        """Store the sensor's readings from ``since`` on; yield after each stretch until when everything is stored."""
        for samples in source.read(self._sensor, since, self._backfilling.window_end) if since < self._backfilling.window_end else ():
            if len(samples):
                since = as_instant(samples.instants.max())
                with unit_of_work(self._engine) as connection:
                    self._written += store_samples(connection, self._backfilling.site_id, samples)
                    self._move(connection, since)
                unknown = int(np.isnan(samples.values).sum())
                self._valid, self._unknown = self._valid + len(samples) - unknown, self._unknown + unknown
                yield since
        with unit_of_work(self._engine) as connection:
            self._move(connection, self._backfilling.window_end)

    def reply(self, field: str, unit: str | None) -> BackfilledSensor:
        """Return what it brought."""
        role = field.removeprefix("input_sensors.")
        return BackfilledSensor(sensor=self._sensor, role=role, unit=unit, readings=self._valid, unknown=self._unknown, rows_written=self._written)

    def _move(self, connection: Connection, until: datetime) -> None:
        source_cursors.move(connection, self._backfilling.site_id, self._backfilling.name, self._sensor, complete_until=until)


def store_samples(connection: Connection, site_id: str, samples: Samples) -> int:
    """Store the readings of one sensor; of several with the same instant the last number counts. Returns how many rows are new or changed."""
    key = readings.register(connection, site_id, {samples.sensor: None})[samples.sensor]
    # Unknown first, numbers last: of each instant the last one stays.
    order = np.argsort(~np.isnan(samples.values), kind="stable")[::-1]
    instants, places = np.unique(samples.instants[order], return_index=True)
    keys = np.full(instants.size, key, dtype=np.int32)
    written = readings.upsert(connection, keys, instants, samples.values[order][places], units=StatedUnits.of([samples.unit] * instants.size))
    return written.inserted + written.updated
