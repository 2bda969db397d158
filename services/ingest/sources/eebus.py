"""Limits of a grid operator over EEBUS, through a sidecar that speaks SHIP and SPINE.

No EEBUS library for Python is kept up, so a program beside Luna holds the connection to the control
box. Luna connects to its Unix socket in the folder of devices and reads lines of JSON:

- ``{"type": "heartbeat"}``: the control box is there. At least one a minute.
- ``{"type": "limit", "use_case": "lpc", "active": true, "value_w": 4200, "duration_s": 3600}``: a
  limit of consumption (``lpc``) or production (``lpp``). Without ``active`` nothing is limited;
  ``duration_s`` may be missing.
- ``{"type": "failsafe", "use_case": "lpc", "value_w": 4200, "duration_s": 7200}``: what holds
  without heartbeats, and how long at least.

Luna answers each line with ``{"accepted": true}`` or ``{"accepted": false, "reason": "…"}``. The
limits become readings of the sensors ``eebus:lpc`` and ``eebus:lpp``, in watts; -1 says that
nothing is limited. ``luna.energy.power_limitation`` decides what holds.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from luna.drivers import DEVICES_FOLDER
from luna.energy.errors import LunaError
from luna.energy.power_limitation import (
    FAILSAFE_LONGEST,
    FAILSAFE_SHORTEST,
    FailSafe,
    PowerLimitation,
)
from luna.platform.clock import Clock, SystemClock
from services.ingest.source_readings import Reading
from services.ingest.sources.source import SourceUnreachedError

UseCase = Literal["lpc", "lpp"]
# Prefix of the sensors: "eebus:lpc" and "eebus:lpp".
EEBUS_SENSOR = "eebus:"
NOTHING_LIMITED_W = -1.0
# What § 14a leaves to one device, until the control box says what it wants.
CONSUMPTION_FAIL_SAFE_KW = 4.2
# In the data folder; in containers on the volume that programs of devices share.
EEBUS_SOCKET = Path(DEVICES_FOLDER) / "eebus.socket"
RECONNECT = timedelta(seconds=5)
# How often the machine looks whether a heartbeat is missing.
LOOK = timedelta(seconds=1)
LONGEST_LINE = 4096
W_IN_KW = 1e-3

log = structlog.get_logger("luna.ingest.eebus")


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class HeartbeatLine(_Line):
    """The control box is there."""

    type: Literal["heartbeat"]


class LimitLine(_Line):
    """A limit of consumption or production, or its end."""

    type: Literal["limit"]
    use_case: UseCase
    active: bool
    value_w: Annotated[float, Field(ge=0)] = 0.0
    duration_s: Annotated[float | None, Field(gt=0, le=86_400 * 7)] = None


class FailSafeLine(_Line):
    """The limit without heartbeats."""

    type: Literal["failsafe"]
    use_case: UseCase
    value_w: Annotated[float, Field(ge=0)]
    duration_s: Annotated[
        float,
        Field(ge=FAILSAFE_SHORTEST.total_seconds(), le=FAILSAFE_LONGEST.total_seconds()),
    ] = FAILSAFE_SHORTEST.total_seconds()


SidecarLine = Annotated[HeartbeatLine | LimitLine | FailSafeLine, Field(discriminator="type")]
_LINES: TypeAdapter[HeartbeatLine | LimitLine | FailSafeLine] = TypeAdapter(SidecarLine)
# Without a word from the control box production is not held back.
_FIRST_FAIL_SAFES = {
    "lpc": FailSafe(CONSUMPTION_FAIL_SAFE_KW),
    "lpp": FailSafe(math.inf),
}


class EebusLive:
    """Turns a sidecar's heartbeats and limits into readings.

    Args:
        socket: at which the sidecar listens.
        clock: gives each message its instant.
        look: pause between two looks for a missing heartbeat.
        reconnect: pause before a lost sidecar is called again.
    """

    name = "eebus"

    def __init__(
        self,
        socket: Path,
        *,
        clock: Clock | None = None,
        look: timedelta = LOOK,
        reconnect: timedelta = RECONNECT,
    ) -> None:
        self._socket = socket
        self._clock = clock or SystemClock()
        self._look = look
        self._reconnect = reconnect
        self._links: dict[str, PowerLimitation] = {}
        self._reported: dict[str, float] = {}
        self.fault: LunaError | None = None

    async def listen(
        self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]
    ) -> None:
        """Pass each change of the limits to ``record`` until cancelled."""
        now = self._clock.now()
        for use_case, fail_safe in _FIRST_FAIL_SAFES.items():
            self._links.setdefault(use_case, PowerLimitation.begin(fail_safe, now))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_sidecar())
            group.create_task(self._report(sensors, record))

    async def _report(
        self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]
    ) -> None:
        """Record what holds, each time it changes."""
        while True:
            now = self._clock.now()
            readings = []
            for use_case, link in self._links.items():
                advanced = link.advance(now)
                self._links[use_case] = advanced
                sensor = EEBUS_SENSOR + use_case
                value_w = _read_watts(advanced)
                if sensor in sensors and self._reported.get(sensor) != value_w:
                    readings.append(Reading(sensor, now, value_w, "W"))
            if readings:
                await record(readings)
                for reading in readings:
                    self._reported[reading.sensor] = reading.value
            await asyncio.sleep(self._look.total_seconds())

    async def _follow_sidecar(self) -> None:
        while True:
            try:
                await self._read_sidecar()
            except OSError as error:
                self._note_loss(error.strerror or str(error))
            except ValueError:
                self._note_loss("a line is too long")
            await asyncio.sleep(self._reconnect.total_seconds())

    async def _read_sidecar(self) -> None:
        """Take the sidecar's lines until it closes the connection.

        Raises:
            OSError: it is away.
            ValueError: a line is too long.
        """
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=LONGEST_LINE)
        with closing(writer):
            while line := await reader.readline():
                self.fault = None
                answer = self._take(line, self._clock.now())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        self._note_loss("it closed the connection")

    def _take(self, line: bytes, now: datetime) -> dict[str, object]:
        """Follow one line and return the answer."""
        try:
            message = _LINES.validate_json(line)
        except ValidationError as error:
            reason = _describe(error)
            log.warning("a line of the EEBUS sidecar is refused", reason=reason)
            return {"accepted": False, "reason": reason}
        if isinstance(message, HeartbeatLine):
            for use_case, link in self._links.items():
                self._links[use_case] = link.receive_heartbeat(now)
            return {"accepted": True}
        link = self._links[message.use_case]
        if isinstance(message, LimitLine):
            limit_kw = message.value_w * W_IN_KW if message.active else None
            seconds = message.duration_s
            duration = None if seconds is None else timedelta(seconds=seconds)
            changed = link.receive_limit(now, limit_kw, duration)
        else:
            fail_safe = FailSafe(message.value_w * W_IN_KW, timedelta(seconds=message.duration_s))
            changed = replace(link.receive_heartbeat(now), fail_safe=fail_safe)
        self._links[message.use_case] = changed
        log.info("the EEBUS sidecar commands", type=message.type, use_case=message.use_case)
        return {"accepted": True}

    def _note_loss(self, why: str) -> None:
        if self.fault is None:
            log.warning("the EEBUS sidecar is away", socket=str(self._socket), why=why)
        self.fault = SourceUnreachedError(
            f"the EEBUS sidecar is away: {why}",
            field="eebus",
            value=str(self._socket),
            remedy="Start the sidecar, and have it listen there.",
        )


def _read_watts(link: PowerLimitation) -> float:
    limit_kw = link.limit_in_force_kw
    if limit_kw is None or math.isinf(limit_kw):
        return NOTHING_LIMITED_W
    return round(limit_kw / W_IN_KW, 3)


def _describe(error: ValidationError) -> str:
    """Return the first fault of a line, such as ``limit.value_w: …``."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
