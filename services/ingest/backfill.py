"""Backfill of a site's sensor history from Home Assistant.

It is resumable by cursors; afterwards the slots are built.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

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
from services.ingest.slot_builder import build_site_slots
from services.ingest.source_readings import Samples
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory
from services.ingest.sources.home_assistant.entity_states import as_instant
from services.ingest.sources.source import SourceRefusedError

Progress = Callable[[int, int, str], None]
DAY = timedelta(days=1)
# The window's first and last slots need readings on both sides.
MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BackfillRun:
    """The requested slots up to now, and the window to read for them.

    Cursors are stored under its name, so that a repeated run of the same window resumes.
    """

    site_id: str
    first: datetime
    end: datetime
    window_first: datetime
    window_end: datetime
    name: str

    @classmethod
    def of(cls, request: BackfillRequest, source: str, now: datetime) -> Self:
        """Return the run of a request.

        Raises:
            InvalidInputError: the window is empty, reversed or in the future.
        """
        first = floor_to(request.first, SLOT)
        end = floor_to(min(request.end, now), SLOT)
        if first >= end:
            raise refuse("backfill-window-empty", field="first", value=request.first.isoformat())
        name = f"{source} backfill {request.first.isoformat()}/{request.end.isoformat()}"
        return cls(
            site_id=request.site_id,
            first=first,
            end=end,
            window_first=first - MARGIN,
            window_end=min(end + MARGIN, now),
            name=name,
        )

    @property
    def days(self) -> int:
        """Days to read per sensor."""
        return -(-(self.window_end - self.window_first) // DAY)

    def days_until(self, instant: datetime) -> int:
        """Return the number of days read up to ``instant``."""
        return (instant - self.window_first) // DAY


def backfill(request: BackfillRequest, work: TaskContext) -> BackfillReply:
    """Backfill a site from Home Assistant.

    Each stretch is committed with its cursor, so that a repeated request resumes after an
    interruption.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is empty, the site names no sensors, or the settings name no
            Home Assistant.
        SourceError: Home Assistant is away; a repeated request resumes.
        SourceRefusedError: the token is refused, or a sensor is missing.
    """
    with HomeAssistantHistory.connect(
        HomeAssistantAccess.of(work.settings), clock=work.clock
    ) as source:
        return backfill_site(
            work.database(), source, request, clock=work.clock, progress=work.progress
        )


def backfill_site(
    engine: Engine,
    source: HomeAssistantHistory,
    request: BackfillRequest,
    *,
    clock: Clock,
    progress: Progress,
) -> BackfillReply:
    """Store every sensor's history from ``source`` and build the slots.

    Raises like ``backfill``.
    """
    backfilling = BackfillRun.of(request, source.name, clock.now())
    with unit_of_work(engine) as connection:
        site = sites.load(connection, backfilling.site_id)
        cursors = source_cursors.read(connection, backfilling.site_id, backfilling.name)
    sensors, left_out = name_sensors(site)
    removed = _find_removed(source, sensors, valid=_list_valid_sensors(site, clock.now()))
    sensors = {sensor: field for sensor, field in sensors.items() if sensor not in removed}
    left_out = [*left_out, *removed]
    source.check(sensors)
    sensor_replies = []
    steps = len(sensors) * backfilling.days
    for place, (sensor, field) in enumerate(sensors.items()):
        intake = Intake(engine, backfilling, sensor)
        for until in intake.read(source, cursors.get(sensor, backfilling.window_first)):
            progress(place * backfilling.days + backfilling.days_until(until), steps, sensor)
        sensor_replies.append(intake.reply(field, source.unit(sensor)))
    build = BuildSlotsRequest(
        site_id=backfilling.site_id, first=backfilling.first, end=backfilling.end
    )
    with unit_of_work(engine) as connection:
        built = build_site_slots(connection, build, now=clock.now(), automatic=True)
        source_cursors.forget(connection, backfilling.site_id, backfilling.name)
    return BackfillReply(sensors=sensor_replies, left_out=left_out, slots=built)


def _list_valid_sensors(site: Site, now: datetime) -> set[str]:
    valid: set[str] = set()
    for sensors in site.sensor_roles.values():
        valid.update(sensor.name for sensor in sensors if not sensor.has_ended(now))
    return valid


def _find_removed(
    source: HomeAssistantHistory, sensors: Mapping[str, str], *, valid: set[str]
) -> list[str]:
    """Return the ended sensors that the source lacks.

    An exchanged meter's are left out; those still ``valid`` are not checked here.
    """
    removed = []
    for sensor, field in sensors.items():
        if sensor in valid:
            continue
        try:
            source.check({sensor: field})
        except SourceRefusedError:
            removed.append(sensor)
    return removed


def name_sensors(site: Site) -> tuple[dict[str, str], list[str]]:
    """Return the site's Home Assistant sensors with their fields, and its other sensors.

    Raises:
        InvalidInputError: the site names no Home Assistant sensor.
    """
    named = {sensor: f"input_sensors.{role}" for sensor, role in site.sensor_names.items()}
    if not named:
        raise refuse("site-without-sensors", field="input_sensors", value=site.name)
    entities = {sensor: field for sensor, field in named.items() if ENTITY.fullmatch(sensor)}
    left_out = [sensor for sensor in named if sensor not in entities]
    if not entities:
        raise refuse(
            "site-without-home-assistant", field="input_sensors", value=", ".join(left_out)
        )
    return entities, left_out


class Intake:
    """Import of one sensor, stretch by stretch."""

    def __init__(self, engine: Engine, backfilling: BackfillRun, sensor: str) -> None:
        self._engine = engine
        self._backfilling = backfilling
        self._sensor = sensor
        self._valid = 0
        self._unknown = 0
        self._written = 0

    def read(self, source: HomeAssistantHistory, since: datetime) -> Iterator[datetime]:
        """Store the sensor's readings from ``since`` on.

        After each stretch yield the instant up to which all is stored.
        """
        window_end = self._backfilling.window_end
        stretches = source.read(self._sensor, since, window_end) if since < window_end else ()
        for samples in stretches:
            if not len(samples):
                continue
            until = as_instant(samples.instants.max())
            with unit_of_work(self._engine) as connection:
                self._written += store_samples(connection, self._backfilling.site_id, samples)
                self._move(connection, until)
            unknown = int(np.isnan(samples.values).sum())
            self._valid += len(samples) - unknown
            self._unknown += unknown
            yield until
        with unit_of_work(self._engine) as connection:
            self._move(connection, window_end)

    def reply(self, field: str, unit: str | None) -> BackfilledSensor:
        """Return the sensor's part of the reply."""
        role = field.removeprefix("input_sensors.")
        return BackfilledSensor(
            sensor=self._sensor,
            role=role,
            unit=unit,
            readings=self._valid,
            unknown=self._unknown,
            rows_written=self._written,
        )

    def _move(self, connection: Connection, until: datetime) -> None:
        source_cursors.move(
            connection,
            self._backfilling.site_id,
            self._backfilling.name,
            self._sensor,
            complete_until=until,
        )


def store_samples(connection: Connection, site_id: str, samples: Samples) -> int:
    """Store the readings of one sensor, of several at one instant the last number.

    Return the number of new and changed rows.
    """
    key = readings.register(connection, site_id, {samples.sensor: None})[samples.sensor]
    # Reversed, numbers before NaN: ``np.unique`` keeps the first of each instant, which is the last
    # number.
    order = np.argsort(~np.isnan(samples.values), kind="stable")[::-1]
    instants, places = np.unique(samples.instants[order], return_index=True)
    keys = np.full(instants.size, key, dtype=np.int32)
    written = readings.upsert(
        connection,
        keys,
        instants,
        samples.values[order][places],
        units=StatedUnits.of([samples.unit] * instants.size),
    )
    return written.inserted + written.updated
