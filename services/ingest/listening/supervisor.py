"""Supervision of live sources.

It assigns the sites' sensors to sources, runs a task per source, and passes its readings to the
recorder.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from prometheus_client import Counter

from luna.energy.devices.commands import PROFILED
from luna.energy.errors import InvalidInputError, LunaError, UnavailableError
from services.ingest.listening.recording_state import SensedSite, SensorAges
from services.ingest.recorder import Recorder
from services.ingest.source_readings import Reading
from services.ingest.sources.eebus import EEBUS_SENSOR
from services.ingest.sources.source import LiveSource

PAUSE_AFTER_FAILURE = timedelta(seconds=30)
REFUSED = Counter(
    "luna_ingest_refused_readings_total",
    "Live readings that the recorder refused; they are not recorded.",
    ["source"],
)
# Home Assistant's entity id: domain, dot, object id.
ENTITY = re.compile(r"[a-z_]+\.[a-z0-9_]+")
MQTT_TOPIC = "mqtt:"
HOME_ASSISTANT = "home_assistant"
MQTT = "mqtt"
PROFILE = "profile"
EEBUS = "eebus"

log = structlog.get_logger("luna.ingest.live")


@dataclass(frozen=True, slots=True)
class Wiring:
    """Source → sensor → sites that use it; ``unserved`` are sensors without a source."""

    sources: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    unserved: tuple[str, ...] = ()


def wire(sensed: Iterable[tuple[str, Iterable[str]]], sources: Collection[str]) -> Wiring:
    """Return the assignment of sensors to ``sources``.

    MQTT topics go to MQTT, readings of devices with a profile to these. Entity ids go to Home
    Assistant, which has their instants, else to MQTT like any other name.

    Args:
        sensed: pairs of site and sensors.
    """
    routes: dict[str, dict[str, tuple[str, ...]]] = {}
    unserved: list[str] = []
    for site, sensors in sensed:
        for sensor in sensors:
            able = [source for source in _preferred_sources(sensor) if source in sources]
            if not able:
                unserved.append(sensor)
                continue
            users = routes.setdefault(able[0], {})
            users[sensor] = (*users.get(sensor, ()), site)
    return Wiring(routes, tuple(unserved))


def _preferred_sources(sensor: str) -> tuple[str, ...]:
    if sensor.startswith(MQTT_TOPIC):
        return (MQTT,)
    if sensor.startswith(PROFILED):
        return (PROFILE,)
    if sensor.startswith(EEBUS_SENSOR):
        return (EEBUS,)
    if ENTITY.fullmatch(sensor):
        return (HOME_ASSISTANT, MQTT)
    return (MQTT,)


class ReadingFollower(Protocol):
    """Keeps up with what sensors report."""

    def note(self, source: str, readings: Sequence[Reading], *, changes_only: bool) -> None:
        """Take a source's readings; ``changes_only``: it reports only changes."""
        ...


@dataclass(frozen=True, slots=True)
class SourceForm:
    """Declaration of a live source.

    Args:
        make: returns a source that continues after the last recorded instant.
        fault: returns its current fault, None without one.
        changes_only: it reports only changes.
    """

    make: Callable[[datetime | None], LiveSource]
    fault: Callable[[LiveSource], LunaError | None] = lambda _source: None
    changes_only: bool = False


class SourceSupervisor:
    """Runs one task per source.

    Restarts it when its sensors change, and after a pause when it fails.

    Args:
        recorder: stores readings.
        forms: declarations of the sources by name.
        ages: is updated by every reading.
        last_received: by source, the instant up to which everything is recorded.
        pause: before the restart of a failed source.
        followers: are told every reading beside the recorder.
    """

    def __init__(
        self,
        recorder: Recorder,
        forms: Mapping[str, SourceForm],
        *,
        ages: SensorAges,
        last_received: Mapping[str, datetime | None],
        pause: timedelta = PAUSE_AFTER_FAILURE,
        followers: Sequence[ReadingFollower] = (),
    ) -> None:
        self._recorder = recorder
        self._forms = forms
        self._ages = ages
        self._followers = (ages, *followers)
        self._pause = pause
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sources: dict[str, LiveSource] = {}
        self._faults: dict[str, LunaError] = {}
        self._wiring = Wiring()
        self.last_received = {
            name: instant for name, instant in last_received.items() if instant is not None
        }

    async def follow(self, sensed: Iterable[SensedSite]) -> None:
        """Listen for these sites and no others.

        Re-raise an unexpected exception of a source's task.
        """
        for task in self._tasks.values():
            if task.done():
                task.result()
        sites = tuple(sensed)
        self._ages.show(sites)
        wiring = wire(((site.name, site.sensors) for site in sites), self._forms)
        if wiring == self._wiring:
            return
        if wiring.unserved:
            remedy = (
                "Set LUNA_HOME_ASSISTANT_URL or LUNA_MQTT_URL; a topic is named mqtt:path/to/topic."
            )
            log.warning(
                "no source for these sensors", sensors=sorted(set(wiring.unserved)), remedy=remedy
            )
        for name in self._forms:
            if wiring.sources.get(name) != self._wiring.sources.get(name):
                await self._end(name)
                users = wiring.sources.get(name, {})
                if users:
                    log.info("listens", source=name, sensors=len(users))
                    self._tasks[name] = asyncio.create_task(self._listen(name, users), name=name)
        self._wiring = wiring

    async def close(self) -> None:
        """Cancel every task; acknowledged readings are safe."""
        for name in list(self._tasks):
            await self._end(name)

    def describe(self, name: str) -> str:
        """Return a source's state as text, for the health check.

        Raises:
            UnavailableError: the source has a fault.
        """
        fault = self._faults.get(name)
        if fault is None and name in self._sources:
            fault = self._forms[name].fault(self._sources[name])
        if fault is not None:
            raise UnavailableError(str(fault))
        silence = self._ages.silence(name)
        age = "nothing heard yet" if silence is None else f"last heard {silence:.0f} s ago"
        return f"{len(self._wiring.sources.get(name, {}))} sensors, {age}"

    async def _end(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        self._sources.pop(name, None)
        self._faults.pop(name, None)
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self, name: str, users: Mapping[str, tuple[str, ...]]) -> None:
        while True:
            try:
                self._sources[name] = source = self._forms[name].make(self.last_received.get(name))
                await source.listen(tuple(users), partial(self._record, name, users))
            except LunaError as error:
                self._faults[name] = error
                log.warning("source gave up and is asked again", source=name, error=str(error))
            await asyncio.sleep(self._pause.total_seconds())

    async def _record(
        self, name: str, users: Mapping[str, tuple[str, ...]], readings: Sequence[Reading]
    ) -> None:
        by_site: dict[str, list[Reading]] = {}
        for reading in readings:
            for site in users.get(reading.sensor, ()):
                by_site.setdefault(site, []).append(reading)
        await asyncio.gather(*(self._keep(name, site, rows) for site, rows in by_site.items()))
        self._faults.pop(name, None)
        changes_only = self._forms[name].changes_only
        for follower in self._followers:
            follower.note(name, readings, changes_only=changes_only)
        latest = max((reading.instant for reading in readings), default=None)
        if latest is not None:
            self.last_received[name] = max(latest, self.last_received.get(name, latest))

    async def _keep(self, name: str, site: str, readings: Sequence[Reading]) -> None:
        try:
            await self._recorder.record(readings, site_id=site, source=name)
        except InvalidInputError as error:
            # One invalid reading would fail the whole batch for ever: store them one by one.
            if len(readings) > 1:
                await asyncio.gather(*(self._keep(name, site, [reading]) for reading in readings))
                return
            REFUSED.labels(name).inc()
            log.warning(
                "reading is refused",
                source=name,
                site_id=site,
                sensor=readings[0].sensor,
                error=str(error),
            )
