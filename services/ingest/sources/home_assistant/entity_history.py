"""History of sensors in Home Assistant.

Recorded states as far back as they go, long-term statistics before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np

from luna.energy.timeline import FloatArray, InstantArray, floor_to, to_instant
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import Clock, SystemClock
from services.ingest.source_readings import Samples
from services.ingest.sources.home_assistant.connection import (
    CLOCK_TOLERANCE,
    NAME,
    Entity,
    HomeAssistantSocket,
    HomeAssistantWeb,
    RequestPolicy,
)
from services.ingest.sources.home_assistant.entity_states import (
    STEP,
    as_instant,
    hold_values,
    longest_rise,
)
from services.ingest.sources.source import SourceError, SourceRefusedError

COLUMNS = ("state", "sum", "mean")
# Smaller differences of two sums are rounding.
LEAST_RISE = 1e-6


@dataclass(frozen=True, slots=True)
class StatisticRows:
    """Rows of statistics in order of time; arrays of shape ``(rows,)``, NaN where not stated."""

    starts: InstantArray
    ends: InstantArray
    state: FloatArray
    sum: FloatArray
    mean: FloatArray

    def __len__(self) -> int:
        return int(self.starts.size)

    @property
    def counts(self) -> bool:
        """Whether the sensor is a counter."""
        return bool((~np.isnan(self.state) | ~np.isnan(self.sum)).any())

    def between(self, first: np.datetime64, end: np.datetime64) -> "StatisticRows":
        """Return the rows that begin at ``first`` or later and end at ``end`` or earlier."""
        inside = (self.starts >= first) & (self.ends <= end)
        return StatisticRows(
            starts=self.starts[inside],
            ends=self.ends[inside],
            state=self.state[inside],
            sum=self.sum[inside],
            mean=self.mean[inside],
        )

    def followed_by(self, later: "StatisticRows") -> "StatisticRows":
        """Return these rows and the later ones."""
        return StatisticRows(
            starts=np.concatenate([self.starts, later.starts]),
            ends=np.concatenate([self.ends, later.ends]),
            state=np.concatenate([self.state, later.state]),
            sum=np.concatenate([self.sum, later.sum]),
            mean=np.concatenate([self.mean, later.mean]),
        )


def parse_rows(rows: Sequence[Mapping[str, Any]], sensor: str) -> StatisticRows:
    """Return the rows of an answer of ``recorder/statistics_during_period``.

    Raises:
        SourceError: they are malformed.
    """
    try:
        starts = _parse_times([row["start"] for row in rows])
        ends = _parse_times([row["end"] for row in rows])
        values = [np.array([row.get(name) for row in rows], dtype=np.float64) for name in COLUMNS]
    except (TypeError, KeyError, ValueError, AttributeError) as exc:
        raise SourceError(
            "its statistics have a form that nobody here reads", field=sensor
        ) from exc
    return StatisticRows(starts, ends, *values)


def _parse_times(milliseconds: Sequence[Any]) -> InstantArray:
    exact = np.array(milliseconds, dtype=np.float64).astype("datetime64[ms]")
    instants: InstantArray = exact.astype("datetime64[us]")
    return instants


def as_readings(rows: StatisticRows) -> tuple[InstantArray, FloatArray]:
    """Return the instants and values of statistics in order of time.

    A counter's value stands at the end of its row, a mean from start to end of its row.

    Invariants: between the ends of two rows a counter's readings rise by as much as ``sum``, also
    across a reset.
    """
    if not len(rows):
        return rows.starts, rows.mean
    if rows.counts:
        level = rows.sum if np.isnan(rows.state).all() else rows.state
        before = level[:-1]
        after = level[1:]
        # Energy of the row beyond the counter's value at its end was counted before the reset.
        unseen = np.diff(rows.sum) - after
        reset = np.flatnonzero((after < before) & (unseen > LEAST_RISE))
        middles = rows.starts[1:][reset] + (rows.ends - rows.starts)[1:][reset] // 2
        instants = np.concatenate([rows.ends, middles])
        values = np.concatenate([level, before[reset] + unseen[reset]])
    else:
        # Unknown after a row that no other follows.
        silent = np.append(rows.starts[1:] != rows.ends[:-1], [True])
        instants = np.concatenate([rows.starts, rows.ends[silent]])
        values = np.concatenate([rows.mean, np.full(int(silent.sum()), np.nan)])
    order = np.argsort(instants, kind="stable")
    instants = instants[order]
    values = values[order]
    if rows.counts:
        return instants, values
    return hold_values(instants, values, rows.ends[-1], longest=STEP)


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
QUICKEST = ("minimal_response", "no_attributes")
# A power that changes every second has 86,400 states a day, a month of statistics 8,640 rows.
STATES_WINDOW = DAY
STATISTICS_WINDOW = 30 * DAY
MOST_SIMILAR = 3


class HomeAssistantHistory:
    """Reader of the history of one Home Assistant's sensors."""

    name = NAME

    def __init__(
        self, web: HomeAssistantWeb, socket: HomeAssistantSocket, *, clock: Clock | None = None
    ) -> None:
        self._web = web
        self._socket = socket
        self._clock = clock or SystemClock()

    @classmethod
    def connect(
        cls,
        access: HomeAssistantAccess,
        *,
        patience: RequestPolicy | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Return a reader of the Home Assistant at ``access``; it connects at the first request."""
        return cls(
            HomeAssistantWeb(access, patience=patience, clock=clock),
            HomeAssistantSocket(access, patience=patience),
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()
        self._socket.close()

    def check(self, sensors: Mapping[str, str]) -> None:
        """Check that Home Assistant is running, has the right time, and has every sensor.

        Args:
            sensors: sensor → field that names it, for the message: ``input_sensors.battery_soc``.

        Raises:
            SourceError: no answer, starting, or its clock is off.
            SourceRefusedError: the token is refused, or a sensor is missing; the remedy names
                similar ones.
        """
        self._web.check()
        for sensor, field in sensors.items():
            self.check_sensor(sensor, field)

    def check_sensor(self, sensor: str, field: str) -> None:
        """Check that Home Assistant has the sensor of ``field``.

        Raises:
            SourceRefusedError: no such sensor; the remedy names similar ones.
        """
        self._entity(sensor, field)

    def unit(self, sensor: str) -> str | None:
        """Return the unit of a sensor: the entity's, else that of its statistics.

        Raises:
            SourceRefusedError: no such sensor.
        """
        unit = self._entity(sensor, "sensor").unit
        if unit is None and sensor.startswith("sensor."):
            described = self._socket.ask("recorder/get_statistics_metadata", statistic_ids=[sensor])
            unit = next((row.get("statistics_unit_of_measurement") for row in described), None)
        return unit

    def read(self, sensor: str, first: datetime, end: datetime) -> Iterator[Samples]:
        """Yield the sensor's samples from ``first`` on, before ``end`` and before now.

        They come in consecutive stretches.

        Raises:
            SourceError: no answer, busy, or an unreadable answer, after all retries.
            SourceRefusedError: no such sensor, or the token is refused.
        """
        unit = self.unit(sensor)
        end = min(end, self._clock.now())
        reach = self.find_reach(sensor, first, end)
        for begin, until in cut_windows(first, reach, STATISTICS_WINDOW):
            yield self._statistics_samples(sensor, begin, until, unit=unit)
        for window in cut_windows(reach, end, STATES_WINDOW):
            yield from self._states(sensor, *window, usual=unit)

    def find_reach(self, sensor: str, first: datetime, end: datetime) -> datetime:
        """Return the instant from which on the recorder has the sensor's states.

        It is ``first`` at the earliest, and ``end`` if the recorder has none.

        Purged and unrecorded time precedes the recorded, so bisection finds the border in a dozen
        requests.
        """
        if first >= end or self._knows(sensor, first):
            return first
        # Home Assistant returns nothing for instants ahead of its own clock.
        purged = first
        recorded = max(first, end - 2 * CLOCK_TOLERANCE)
        if not self._knows(sensor, recorded):
            purged = recorded
            recorded = end
        while recorded - purged > HOUR:
            middle = purged + (recorded - purged) / 2
            if self._knows(sensor, middle):
                recorded = middle
            else:
                purged = middle
        instants, *_ = self._web.history(sensor, purged, recorded, flags=QUICKEST)
        return as_instant(instants[0]) if instants.size else recorded

    def statistics(
        self, sensor: str, first: datetime, end: datetime, *, period: str, **options: object
    ) -> list[dict[str, Any]]:
        """Return a sensor's statistics rows that begin from ``first`` on, before ``end``.

        Raises:
            SourceError: no answer, or a failure.
        """
        window = {"start_time": first.isoformat(), "end_time": end.isoformat()}
        answer = self._socket.ask(
            "recorder/statistics_during_period",
            **window,
            statistic_ids=[sensor],
            period=period,
            **options,
        )
        return list(answer.get(sensor, []))

    def _statistics_samples(
        self, sensor: str, first: datetime, end: datetime, *, unit: str | None
    ) -> Samples:
        # The row before has the counter's value at the window's start.
        earlier = first - HOUR
        rows = self._rows(sensor, earlier, end, "5minute")
        # Five-minute rows are purged after some days; hourly ones stay.
        purged_until = as_instant(rows.starts[0]) if len(rows) else end
        if purged_until > earlier:
            rows = self._rows(sensor, earlier, purged_until, "hour").followed_by(rows)
        instants, values = as_readings(rows)
        # The value at the end belongs to the next window or to the states; only NaN, after which
        # nothing is known, stays.
        is_before_end = (instants < to_instant(end)) | ~np.isnan(values)
        inside = (instants >= to_instant(first)) & is_before_end
        return Samples(sensor, unit, instants[inside], values[inside])

    def _knows(self, sensor: str, instant: datetime) -> bool:
        instants, *_ = self._web.history(
            sensor, instant, instant + timedelta(seconds=1), flags=QUICKEST
        )
        return bool(instants.size)

    def _states(
        self, sensor: str, first: datetime, end: datetime, *, usual: str | None
    ) -> Iterator[Samples]:
        """Yield the states of a window in stretches of one unit.

        ``usual`` is the current unit, assumed for states without one.
        """
        since = to_instant(first)
        until = to_instant(end)
        instants, values, stated = self._web.history(sensor, first, end, flags=QUICKEST[:1])
        if {*stated} - {None, usual}:
            # The unit changed within the window: only full states tell when.
            instants, values, stated = self._web.history(sensor, first, end)
        inside = instants < until
        instants = instants[inside]
        values = values[inside]
        stated = [unit for unit, is_inside in zip(stated, inside, strict=True) if is_inside]
        # Older versions date the state in force at the window's start by its own beginning.
        instants = np.maximum(instants, since)
        units: list[str | None] = []
        last_unit = usual
        for unit in stated:
            # An unavailable state has no unit: that of the state before goes on.
            last_unit = unit or last_unit
            units.append(last_unit)
        if not units:
            return
        changes = [place for place in range(1, len(units)) if units[place] != units[place - 1]]
        for begin, end_place in pairwise([0, *changes, len(units)]):
            unit = units[begin]
            stretch_end = instants[end_place] if end_place < len(units) else until
            held_instants, held_values = hold_values(
                instants[begin:end_place],
                values[begin:end_place],
                stretch_end,
                longest=longest_rise(unit),
            )
            yield Samples(sensor, unit, held_instants, held_values)

    def _rows(self, sensor: str, first: datetime, end: datetime, period: str) -> StatisticRows:
        answer = self.statistics(sensor, first, end, period=period, types=list(COLUMNS))
        rows = parse_rows(answer, sensor)
        return rows.between(to_instant(first), to_instant(end))

    def _entity(self, sensor: str, field: str) -> Entity:
        if sensor in self._entities:
            return self._entities[sensor]
        similar = get_close_matches(sensor, self._entities, n=MOST_SIMILAR, cutoff=0.5)
        remedy = "Look it up under Developer tools, States."
        if similar:
            remedy = f"There are {', '.join(similar)}."
        raise SourceRefusedError(
            "Home Assistant has no such sensor", field=field, value=sensor, remedy=remedy
        )

    @cached_property
    def _entities(self) -> dict[str, Entity]:
        return self._web.entities()


def cut_windows(
    first: datetime, end: datetime, step: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Yield windows of at most ``step``, aligned to multiples of it.

    So a repeated read makes the same requests.
    """
    while first < end:
        until = min(floor_to(first, step) + step, end)
        yield first, until
        first = until
