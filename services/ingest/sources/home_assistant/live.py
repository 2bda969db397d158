"""Live readings of Home Assistant's sensors over its websocket.

After a lost connection the subscription is renewed, and the gap filled from history.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from luna.energy.timeline import to_instant
from luna.platform.address_policy import HOME_ASSISTANT, open_connection
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import Clock, SystemClock
from services.ingest.source_readings import Reading, Samples
from services.ingest.sources.home_assistant.connection import (
    LARGEST_MESSAGE,
    NAME,
    RequestPolicy,
    check_auth,
    parse_messages,
    read_result,
    write_auth,
)
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory, cut_windows
from services.ingest.sources.home_assistant.entity_states import (
    as_instant,
    from_seconds,
    hold_values,
    longest_rise,
    parse_state,
)
from services.ingest.sources.source import SourceError, SourceRefusedError

log = structlog.get_logger("luna.ingest")


class LastStates:
    """The last state of each sensor, and the end of its recorded states."""

    def __init__(self, sensors: Sequence[str], *, since: datetime | None = None) -> None:
        self._units: dict[str, str | None] = dict.fromkeys(sensors)
        self._last: dict[str, Reading] = {}
        self._recorded = {sensor: since for sensor in sensors if since is not None}
        self._moved = False

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors listened to."""
        return tuple(self._units)

    def moved(self) -> bool:
        """Return whether anything was recorded since the last call."""
        moved = self._moved
        self._moved = False
        return moved

    def gaps(self) -> dict[str, datetime]:
        """Return per sensor the instant from which on something may be missing.

        A sensor of which nothing was ever recorded has no gap.
        """
        return dict(self._recorded)

    def note(self, readings: Sequence[Reading], now: datetime) -> None:
        """Remember that ``readings`` are recorded.

        One from a clock that runs ahead counts as of ``now``: it must hide no gap, and outlive no
        later one.
        """
        self._moved = True
        for reading in readings:
            until = min(reading.instant, now)
            self._recorded[reading.sensor] = max(until, self._recorded.get(reading.sensor, until))
            last = self._last.get(reading.sensor)
            if last is None or last.instant > now:
                self._last[reading.sensor] = reading
                continue
            # The same value once more does not begin to hold anew.
            are_both_unknown = math.isnan(reading.value) and math.isnan(last.value)
            is_same_value = reading.value == last.value or are_both_unknown
            if reading.instant > last.instant and not is_same_value:
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
            # ``a`` holds whole states of added sensors, ``c`` changes of others.
            states = list(event.get("a", {}).items())
            for sensor, change in event.get("c", {}).items():
                states.append((sensor, change.get("+", {})))
            readings = []
            for sensor, state in states:
                if sensor not in self._units:
                    continue
                unit = state.get("a", {}).get("unit_of_measurement")
                if unit is not None:
                    self._units[sensor] = unit
                if "s" in state:
                    seconds = state["lc"] if "lc" in state else state["lu"]
                    value = parse_state(state["s"])
                    reading = Reading(sensor, from_seconds(seconds), value, self._units[sensor])
                    readings.append(reading)
        except (TypeError, KeyError, AttributeError, OverflowError) as exc:
            raise SourceError(
                "its event has a form that nobody here reads", field="home_assistant"
            ) from exc
        return readings

    def holding(self, now: datetime) -> list[Reading]:
        """Return the states that still hold, repeated at the quarter-hours since.

        History gives the same repetitions. Those already recorded are left out.
        """
        repeats = []
        for last in self._last.values():
            if math.isnan(last.value):
                continue
            first = np.array([to_instant(last.instant)])
            values = np.array([last.value])
            instants, _ = hold_values(
                first, values, to_instant(now), longest=longest_rise(last.unit)
            )
            for instant in instants[1:]:
                repeat = Reading(last.sensor, as_instant(instant), last.value, last.unit)
                if repeat.instant > self._recorded[repeat.sensor]:
                    repeats.append(repeat)
        return repeats


Record = Callable[[Sequence[Reading]], Awaitable[None]]
SUBSCRIPTION = 1
# The recorder writes every five seconds; until then history lacks the latest states.
RECORDER_LAG = timedelta(seconds=6)
# Interval of the pings; a half-open connection is found within twice as long.
KEEPALIVE_S = 20.0
FILL_WINDOW = timedelta(hours=6)
FILL_READINGS = 1000
HOLD_EVERY = timedelta(minutes=5)


class HomeAssistantLive:
    """Live readings of one Home Assistant's sensors.

    ``fault`` is the error that interrupts them at present, None without one.
    """

    name = NAME

    def __init__(
        self,
        access: HomeAssistantAccess,
        *,
        since: datetime | None = None,
        patience: RequestPolicy | None = None,
        clock: Clock | None = None,
        recorder_lag: timedelta = RECORDER_LAG,
    ) -> None:
        """Listen to the Home Assistant at ``access``.

        Args:
            access: address and token.
            since: everything before it is recorded already; the time from there on is read from
                history first. Without it, listening begins now.
            patience: waits and time-outs, of history too.
            clock: source of the current time, until which a value holds.
            recorder_lag: how long after a connection history may still lack the states before it.
        """
        self._access = access
        self._since = since
        self._patience = patience or RequestPolicy()
        self._clock = clock or SystemClock()
        self._recorder_lag = recorder_lag
        self.fault: SourceError | None = None

    async def listen(self, sensors: Sequence[str], record: Record) -> None:
        """Hand every reading of ``sensors`` to ``record`` until cancelled.

        After each connection, the readings since the last recorded one come from history first,
        then those received meanwhile, then new ones as they arrive. A reading may come twice,
        with the same instant and value.

        Raises:
            SourceRefusedError: the token is not accepted.
        """
        since = None if self._since is None else min(self._since, self._clock.now())
        last = LastStates(sensors, since=since)
        failures = 0
        while True:
            try:
                async with self._subscribed(sensors) as frames:
                    await self._follow(last, frames, record)
            except SourceError as error:
                self.fault = error
                failures = 1 if last.moved() else failures + 1
                wait_s = self._patience.wait_s(failures)
                log.warning("home assistant is away", error=str(error), wait_s=round(wait_s, 1))
                await asyncio.sleep(wait_s)

    @asynccontextmanager
    async def _subscribed(
        self, sensors: Sequence[str]
    ) -> AsyncIterator["asyncio.Queue[str | bytes | None]"]:
        """Yield a queue of the frames of a new connection; None marks its loss."""
        frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        async with AsyncExitStack() as stack:
            try:
                connection = await self._connect(stack)
                async with asyncio.timeout(self._patience.timeout_s):
                    await self._subscribe(connection, sensors)
            except (WebSocketException, OSError, ValueError) as exc:
                raise SourceError(
                    f"Home Assistant's websocket was lost: {exc or type(exc).__name__}", field=NAME
                ) from exc
            reader = asyncio.create_task(_read_frames(connection, frames))
            stack.callback(reader.cancel)
            yield frames

    async def _connect(self, stack: AsyncExitStack) -> ClientConnection:
        timeout_s = self._patience.timeout_s
        # A given socket keeps the library from following redirections, which would send the
        # token elsewhere.
        link = await asyncio.to_thread(
            open_connection, HOME_ASSISTANT, *self._access.host_and_port, timeout_s
        )
        link.settimeout(0)
        connecting = connect(
            self._access.socket_url,
            sock=link,
            max_size=LARGEST_MESSAGE,
            open_timeout=timeout_s,
            close_timeout=1,
            ping_interval=KEEPALIVE_S,
            ping_timeout=KEEPALIVE_S,
        )
        return await stack.enter_async_context(connecting)

    async def _subscribe(self, connection: ClientConnection, sensors: Sequence[str]) -> None:
        await connection.recv()
        await connection.send(write_auth(self._access.token))
        check_auth(parse_messages(await connection.recv())[0])
        command = {
            "id": SUBSCRIPTION,
            "type": "subscribe_entities",
            "entity_ids": list(sensors),
        }
        await connection.send(json.dumps(command))
        read_result(parse_messages(await connection.recv())[0])

    async def _follow(
        self, last: LastStates, frames: "asyncio.Queue[str | bytes | None]", record: Record
    ) -> None:
        await self._fill_gaps(last, record)
        self.fault = None
        hold_at = 0.0
        while True:
            try:
                async with asyncio.timeout_at(hold_at):
                    frame = await frames.get()
            except TimeoutError:
                readings = last.holding(self._clock.now())
                hold_at = asyncio.get_running_loop().time() + HOLD_EVERY.total_seconds()
            else:
                if frame is None:
                    raise SourceError("Home Assistant closed the websocket", field=NAME)
                readings = []
                for message in parse_messages(frame):
                    readings += last.read(message)
            if readings:
                await record(readings)
                last.note(readings, self._clock.now())

    async def _fill_gaps(self, last: LastStates, record: Record) -> None:
        """Record the readings that history has since the last recorded ones.

        They come in order of time, so that after an interruption only later ones are missing.
        """
        connected_at = self._clock.now()
        await asyncio.sleep(self._recorder_lag.total_seconds())
        gaps = last.gaps()
        until = connected_at + self._recorder_lag
        with HomeAssistantHistory.connect(
            self._access, patience=self._patience, clock=self._clock
        ) as history:
            await asyncio.to_thread(_check, history, last.sensors)
            for window in cut_windows(min(gaps.values(), default=until), until, FILL_WINDOW):
                missed = await asyncio.to_thread(_read_all, history, gaps, *window)
                for first in range(0, len(missed), FILL_READINGS):
                    piece = missed[first : first + FILL_READINGS]
                    await record(piece)
                    last.note(piece, self._clock.now())


async def _read_frames(
    connection: ClientConnection, frames: "asyncio.Queue[str | bytes | None]"
) -> None:
    # Home Assistant drops a client that lets a thousand messages wait; they wait here while the gap
    # is filled.
    try:
        async for frame in connection:
            frames.put_nowait(frame)
    except WebSocketException as exc:
        log.info("home assistant's websocket ended", error=str(exc))
    frames.put_nowait(None)


def _check(history: HomeAssistantHistory, sensors: Sequence[str]) -> None:
    history.check({})
    for sensor in sensors:
        try:
            history.check_sensor(sensor, "sensor")
        except SourceRefusedError as error:
            # Renamed or removed; the others are listened to all the same.
            log.warning("sensor is not listened to", sensor=sensor, error=str(error))


def _read_all(
    history: HomeAssistantHistory, gaps: Mapping[str, datetime], first: datetime, end: datetime
) -> list[Reading]:
    """Return the states of all sensors in a window, in order of time."""
    readings: list[Reading] = []
    for sensor, since in gaps.items():
        begin = max(since, first)
        if begin >= end:
            continue
        try:
            for samples in history.read(sensor, begin, end):
                readings += as_readings(samples)
        except SourceRefusedError as error:
            log.warning("sensor cannot be read", sensor=sensor, error=str(error))
    return sorted(readings, key=attrgetter("instant"))


def as_readings(samples: Samples) -> list[Reading]:
    """Return samples one by one."""
    readings = []
    for instant, value in zip(samples.instants, samples.values, strict=True):
        reading = Reading(samples.sensor, as_instant(instant), float(value), samples.unit)
        readings.append(reading)
    return readings
