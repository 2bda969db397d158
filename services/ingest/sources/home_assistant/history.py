"""The past of sensors: what the recorder kept as far back as it goes, statistics for the time before."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Self

import numpy as np

from luna.timeline import Clock, FloatArray, InstantArray, SystemClock, floor_to
from services.ingest.reading import Samples
from services.ingest.sources.home_assistant.access import NAME, Access, Patience
from services.ingest.sources.home_assistant.holding import Duration, hold_values, longest_rise
from services.ingest.sources.home_assistant.socket import HomeAssistantSocket
from services.ingest.sources.home_assistant.state import as_datetime64, as_instant
from services.ingest.sources.home_assistant.statistics import StatisticRows, as_readings, parse_rows
from services.ingest.sources.home_assistant.web import CLOCK_TOLERANCE, Entity, HomeAssistantWeb
from services.ingest.sources.source import SourceRefusedError

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A power that changes every second has 86,400 states a day, a month of statistics 8,640 rows.
STATES_WINDOW, STATISTICS_WINDOW = DAY, 30 * DAY
MOST_SIMILAR = 3


class HomeAssistantHistory:
    """Reads the past of one Home Assistant's sensors."""

    name = NAME

    def __init__(self, web: HomeAssistantWeb, socket: HomeAssistantSocket, *, clock: Clock | None = None) -> None:
        self._web, self._socket = web, socket
        self._clock = clock or SystemClock()

    @classmethod
    def connect(cls, access: Access, *, patience: Patience | None = None, clock: Clock | None = None) -> Self:
        """Return a reader of the Home Assistant at ``access``; nothing is opened before the first question."""
        return cls(HomeAssistantWeb(access, patience=patience, clock=clock), HomeAssistantSocket(access, patience=patience), clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()
        self._socket.close()

    def check(self, sensors: Mapping[str, str]) -> None:
        """See that Home Assistant runs, knows the time, and has every sensor.

        Args:
            sensors: sensor → what names it, for the message: ``input_sensors.battery_soc``.

        Raises:
            SourceError: away, starting, or its clock is off.
            SourceRefusedError: the token, or a sensor that is not there; the remedy names similar ones.
        """
        self._web.check()
        for sensor, field in sensors.items():
            self.check_sensor(sensor, field)

    def check_sensor(self, sensor: str, field: str) -> None:
        """See that Home Assistant has a sensor, which stands in ``field``.

        Raises:
            SourceRefusedError: it has none of that name; the remedy names similar ones.
        """
        self._entity(sensor, field)

    def unit(self, sensor: str) -> str | None:
        """Return the unit of a sensor: the entity's, or that of its statistics.

        Raises:
            SourceRefusedError: no such sensor.
        """
        unit = self._entity(sensor, "sensor").unit
        if unit is None and sensor.startswith("sensor."):
            described = self._socket.ask("recorder/get_statistics_metadata", statistic_ids=[sensor])
            unit = next((row.get("statistics_unit_of_measurement") for row in described), None)
        return unit

    def read(self, sensor: str, first: datetime, end: datetime) -> Iterator[Samples]:
        """Yield what the sensor said from ``first`` on, before ``end`` and before now, in stretches in order of time.

        Raises:
            SourceError: away, too busy, or an answer nobody reads, after a bounded number of attempts.
            SourceRefusedError: no such sensor, or the token is refused.
        """
        unit, end = self.unit(sensor), min(end, self._clock.now())
        reach = self.find_reach(sensor, first, end)
        for window in cut_windows(first, reach, STATISTICS_WINDOW):
            yield Samples(sensor, unit, *self._statistics(sensor, *window))
        for window in cut_windows(reach, end, STATES_WINDOW):
            yield Samples(sensor, unit, *self._states(sensor, *window, longest=longest_rise(unit)))

    def find_reach(self, sensor: str, first: datetime, end: datetime) -> datetime:
        """Return the instant from which on the recorder has the sensor's states: ``first`` at the earliest, ``end`` where it has none.

        What was purged or never recorded lies before what is there, so bisecting finds the border in a dozen questions.
        """
        if first >= end or self._knows(sensor, first):
            return first
        # Of what lies ahead of its own clock, Home Assistant knows nothing.
        unknown, known = first, max(first, end - 2 * CLOCK_TOLERANCE)
        if not self._knows(sensor, known):
            unknown, known = known, end
        while known - unknown > HOUR:
            middle = unknown + (known - unknown) / 2
            unknown, known = (unknown, middle) if self._knows(sensor, middle) else (middle, known)
        instants, _ = self._web.history(sensor, unknown, known)
        return as_instant(instants[0]) if instants.size else known

    def statistics(self, sensor: str, first: datetime, end: datetime, *, period: str, **options: object) -> list[dict[str, Any]]:
        """Return the statistic rows of a sensor that begin from ``first`` on, before ``end``, as Home Assistant writes them.

        Raises:
            SourceError: away, or it failed.
        """
        window = {"start_time": first.isoformat(), "end_time": end.isoformat()}
        answer = self._socket.ask("recorder/statistics_during_period", **window, statistic_ids=[sensor], period=period, **options)
        return list(answer.get(sensor, []))

    def _knows(self, sensor: str, instant: datetime) -> bool:
        instants, _ = self._web.history(sensor, instant, instant + timedelta(seconds=1))
        return bool(instants.size)

    def _states(self, sensor: str, first: datetime, end: datetime, *, longest: Duration) -> tuple[InstantArray, FloatArray]:
        since, until = as_datetime64(first), as_datetime64(end)
        instants, values = self._web.history(sensor, first, end)
        # Older versions date what held at the window's start from when it began to hold.
        instants = np.maximum(instants, since)
        inside = instants < until
        return hold_values(instants[inside], values[inside], until, longest=longest)

    def _statistics(self, sensor: str, first: datetime, end: datetime) -> tuple[InstantArray, FloatArray]:
        # The row before tells what a counter stood at when the window began.
        earlier = first - HOUR
        fine = self._rows(sensor, earlier, end, "5minute")
        border = as_instant(fine.starts[0]) if len(fine) else end
        rows = self._rows(sensor, earlier, border, "hour").followed_by(fine) if border > earlier else fine
        instants, values = as_readings(rows)
        # What comes after the window begins the next one, or history.
        inside = (instants >= as_datetime64(first)) & ((instants < as_datetime64(end)) | ~np.isnan(values))
        return instants[inside], values[inside]

    def _rows(self, sensor: str, first: datetime, end: datetime, period: str) -> StatisticRows:
        rows = parse_rows(self.statistics(sensor, first, end, period=period, types=["state", "sum", "mean"]), sensor)
        return rows.between(as_datetime64(first), as_datetime64(end))

    def _entity(self, sensor: str, field: str) -> Entity:
        if sensor in self._entities:
            return self._entities[sensor]
        similar = get_close_matches(sensor, self._entities, n=MOST_SIMILAR, cutoff=0.5)
        remedy = f"There are {', '.join(similar)}." if similar else "Look it up under Developer tools, States."
        raise SourceRefusedError("Home Assistant has no such sensor", field=field, value=sensor, remedy=remedy)

    @cached_property
    def _entities(self) -> dict[str, Entity]:
        return self._web.entities()


def cut_windows(first: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Yield stretches of at most ``step``, bordered by multiples of it, so that reading again asks for the same."""
    while first < end:
        until = min(floor_to(first, step) + step, end)
        yield first, until
        first = until
