"""Present values of sensors, by a subscription over the websocket.

It comes back by itself, and leaves no gap behind.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from luna.platform.address_policy import HOME_ASSISTANT, open_connection
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import Clock, SystemClock
from services.ingest.reading import Reading, Samples
from services.ingest.sources.home_assistant.connection import (
    LARGEST_MESSAGE,
    NAME,
    RequestPolicy,
    check_auth,
    parse_messages,
    read_result,
    write_auth,
)
from services.ingest.sources.home_assistant.history import HomeAssistantHistory, cut_windows
from services.ingest.sources.home_assistant.state import (
    as_datetime64,
    as_instant,
    from_seconds,
    hold_values,
    longest_rise,
    parse_state,
)
from services.ingest.sources.source import SourceError, SourceRefusedError

log = structlog.get_logger("luna.ingest")


class LastStates:
    """The last state of each sensor, and until when all its states are recorded."""

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
            # The same value once more does not begin to hold anew.
            holds_on = last is not None and (
                reading.value == last.value
                or (math.isnan(reading.value) and math.isnan(last.value))
            )
            if (
                last is None
                or last.instant > now
                or (reading.instant > last.instant and not holds_on)
            ):
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
            whole = [
                *event.get("a", {}).items(),
                *((sensor, change.get("+", {})) for sensor, change in event.get("c", {}).items()),
            ]
            readings = []
            for sensor, state in (each for each in whole if each[0] in self._units):
                unit = state.get("a", {}).get("unit_of_measurement")
                if unit is not None:
                    self._units[sensor] = unit
                if "s" in state:
                    readings.append(
                        Reading(
                            sensor,
                            from_seconds(state["lc"] if "lc" in state else state["lu"]),
                            parse_state(state["s"]),
                            self._units[sensor],
                        )
                    )
        except (TypeError, KeyError, AttributeError, OverflowError) as exc:
            raise SourceError(
                "its event has a form that nobody here reads", field="home_assistant"
            ) from exc
        return readings

    def holding(self, now: datetime) -> list[Reading]:
        """Return the states that still hold after a long silence.

        They stand at the quarter-hours since, as history would give them.
        """
        repeats = []
        for last in (last for last in self._last.values() if not math.isnan(last.value)):
            first = np.array([as_datetime64(last.instant)])
            values = np.array([last.value])
            instants, _ = hold_values(
                first, values, as_datetime64(now), longest=longest_rise(last.unit)
            )
            repeats += [
                Reading(last.sensor, as_instant(instant), last.value, last.unit)
                for instant in instants[1:]
            ]
        return [reading for reading in repeats if reading.instant > self._recorded[reading.sensor]]


Record = Callable[[Sequence[Reading]], Awaitable[None]]
SUBSCRIPTION = 1
# The recorder writes every five seconds; before that, history does not know what was said last.
RECORDER_LAG = timedelta(seconds=6)
# Two sides ask each other whether they are there; a socket half open is found within twice as long.
KEEPALIVE_S = 20.0
FILL_WINDOW = timedelta(hours=6)
FILL_READINGS = 1000
HOLD_EVERY = timedelta(minutes=5)


class HomeAssistantLive:
    """Tells what one Home Assistant's sensors say as it happens.

    ``fault`` is what keeps it from that now, None while all is well.
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
            since: until when everything is recorded already; the time from there on is read from
                history first. Without it, listening begins now.
            patience: waits and time-outs, of history too.
            clock: tells until when a value holds.
            recorder_lag: how long after a connection history may not know yet what was said before
                it.
        """
        self._access = access
        self._since = since
        self._patience, self._clock = patience or RequestPolicy(), clock or SystemClock()
        self._recorder_lag = recorder_lag
        self.fault: SourceError | None = None

    async def listen(self, sensors: Sequence[str], record: Record) -> None:
        """Hand every reading of ``sensors`` to ``record`` until cancelled.

        After each connection, what was said since the last recorded reading comes from history
        first, then what came in meanwhile, then what is said as it happens. A reading may come
        twice, with the same instant and value.

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
        """Yield what comes in over a new connection, frame by frame; None says that it is lost."""
        frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        options: dict[str, Any] = {
            "open_timeout": self._patience.timeout_s,
            "ping_interval": KEEPALIVE_S,
            "ping_timeout": KEEPALIVE_S,
        }
        async with AsyncExitStack() as stack:
            try:
                # A given socket keeps the library from following redirections, which would send the
                # token elsewhere.
                timeout_s = self._patience.timeout_s
                link = await asyncio.to_thread(
                    open_connection, HOME_ASSISTANT, *self._access.host_and_port, timeout_s
                )
                link.settimeout(0)
                connection = await stack.enter_async_context(
                    connect(
                        self._access.socket_url,
                        sock=link,
                        max_size=LARGEST_MESSAGE,
                        close_timeout=1,
                        **options,
                    )
                )
                async with asyncio.timeout(self._patience.timeout_s):
                    await connection.recv()
                    await connection.send(write_auth(self._access.token))
                    check_auth(parse_messages(await connection.recv())[0])
                    await connection.send(
                        json.dumps(
                            {
                                "id": SUBSCRIPTION,
                                "type": "subscribe_entities",
                                "entity_ids": list(sensors),
                            }
                        )
                    )
                    read_result(parse_messages(await connection.recv())[0])
            except (WebSocketException, OSError, ValueError) as exc:
                raise SourceError(
                    f"Home Assistant's websocket was lost: {exc or type(exc).__name__}", field=NAME
                ) from exc
            reader = asyncio.create_task(_read_frames(connection, frames))
            stack.callback(reader.cancel)
            yield frames

    async def _follow(
        self, last: LastStates, frames: "asyncio.Queue[str | bytes | None]", record: Record
    ) -> None:
        connected_at = self._clock.now()
        await asyncio.sleep(self._recorder_lag.total_seconds())
        # History since the last recorded readings, in order of time: after an interruption
        # everything before the last one is there.
        gaps = last.gaps()
        until = connected_at + self._recorder_lag
        with HomeAssistantHistory.connect(
            self._access, patience=self._patience, clock=self._clock
        ) as history:
            await asyncio.to_thread(_check, history, last.sensors)
            for window in cut_windows(min(gaps.values(), default=until), until, FILL_WINDOW):
                missed = await asyncio.to_thread(_read_all, history, gaps, *window)
                for first in range(0, len(missed), FILL_READINGS):
                    await record(missed[first : first + FILL_READINGS])
                    last.note(missed[first : first + FILL_READINGS], self._clock.now())
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
                readings = [
                    reading for message in parse_messages(frame) for reading in last.read(message)
                ]
            if readings:
                await record(readings)
                last.note(readings, self._clock.now())


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
        try:
            for samples in (
                history.read(sensor, max(since, first), end) if max(since, first) < end else ()
            ):
                readings += as_readings(samples)
        except SourceRefusedError as error:
            log.warning("sensor cannot be read", sensor=sensor, error=str(error))
    return sorted(readings, key=attrgetter("instant"))


def as_readings(samples: Samples) -> list[Reading]:
    """Return samples one by one."""
    pairs = zip(samples.instants, samples.values, strict=True)
    make = partial(Reading, samples.sensor, unit=samples.unit)
    return [make(as_instant(instant), float(value)) for instant, value in pairs]
