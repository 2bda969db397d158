"""What a subscription to entities says, and what each sensor said last; pure.

Home Assistant sends entities whole once (``a``), then what changed of them (``c``, below ``+``): ``s`` is the state, ``lc`` the second it began to hold,
``a`` attributes. An attribute that changes alone brings no state.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import structlog

from services.ingest.reading import Reading
from services.ingest.sources.home_assistant.holding import hold_values, longest_rise
from services.ingest.sources.home_assistant.state import as_datetime64, as_instant, from_seconds, parse_state
from services.ingest.sources.source import SourceError

log = structlog.get_logger("luna.ingest")


class LastSaid:
    """What each sensor said last, and until when all it said is recorded."""

    def __init__(self, sensors: Sequence[str], *, since: datetime | None = None) -> None:
        self._units: dict[str, str | None] = dict.fromkeys(sensors)
        self._last: dict[str, Reading] = {}
        self._recorded = {sensor: since for sensor in sensors if since is not None}
        self._moved = False

    @property
    def sensors(self) -> tuple[str, ...]:
        """Those listened to."""
        return tuple(self._units)

    def moved(self) -> bool:
        """Return whether anything was recorded since this was last asked."""
        moved, self._moved = self._moved, False
        return moved

    def gaps(self) -> dict[str, datetime]:
        """Return per sensor the instant from which on something may be missing; a sensor of which nothing was ever recorded has no gap."""
        return dict(self._recorded)

    def note(self, readings: Sequence[Reading]) -> None:
        """Remember that ``readings`` are recorded."""
        self._moved = True
        for reading in readings:
            self._recorded[reading.sensor] = max(reading.instant, self._recorded.get(reading.sensor, reading.instant))
            last = self._last.get(reading.sensor)
            # The same value said again does not begin to hold anew.
            if last is None or (reading.instant > last.instant and not _same(reading.value, last.value)):
                self._last[reading.sensor] = reading

    def read(self, message: Mapping[str, Any]) -> list[Reading]:
        """Return the readings in a message, of the sensors listened to.

        Raises:
            SourceError: it has another form.
        """
        event = message.get("event") or {}
        try:
            for sensor in set(event.get("r", ())) & set(self._units):
                log.warning("sensor was removed from home assistant", sensor=sensor)
            whole = [*event.get("a", {}).items(), *((sensor, change.get("+", {})) for sensor, change in event.get("c", {}).items())]
            return [reading for sensor, said in whole if sensor in self._units for reading in self._reading(sensor, said)]
        except (TypeError, KeyError, AttributeError, OverflowError) as exc:
            raise SourceError("its event has a form that nobody here reads", field="home_assistant") from exc

    def holding(self, now: datetime) -> list[Reading]:
        """Return what still holds though nothing was said for long, at the quarter-hours since, as history would say it."""
        said_again = [again for last in self._last.values() for again in _say_again(last, now)]
        return [again for again in said_again if again.instant > self._recorded[again.sensor]]

    def _reading(self, sensor: str, said: Mapping[str, Any]) -> Iterator[Reading]:
        unit = said.get("a", {}).get("unit_of_measurement")
        if unit is not None:
            self._units[sensor] = unit
        if "s" in said:
            yield Reading(sensor, from_seconds(said["lc"] if "lc" in said else said["lu"]), parse_state(said["s"]), self._units[sensor])


def _same(value: float, other: float) -> bool:
    return value == other or (math.isnan(value) and math.isnan(other))


def _say_again(last: Reading, now: datetime) -> list[Reading]:
    if math.isnan(last.value):
        return []
    said, value = np.array([as_datetime64(last.instant)]), np.array([last.value])
    instants, _ = hold_values(said, value, as_datetime64(now), longest=longest_rise(last.unit))
    return [Reading(last.sensor, as_instant(instant), last.value, last.unit) for instant in instants[1:]]
