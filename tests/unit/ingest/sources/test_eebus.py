"""An EEBUS sidecar at its socket, played by the tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.source_readings import Reading
from services.ingest.sources.eebus import EebusLive

START = datetime(2026, 12, 1, 17, tzinfo=UTC)
LOOK = timedelta(milliseconds=5)
SENSORS = ("eebus:lpc", "eebus:lpp")


@dataclass
class StoppedClock:
    """A clock that the test moves."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class FakeSidecar:
    """The sidecar's end of the connection, and what Luna recorded."""

    clock: StoppedClock
    source: EebusLive
    recorded: dict[str, float] = field(default_factory=dict)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def send(self, **message: Any) -> dict[str, Any]:
        """Send a line and return Luna's answer."""
        return await self.send_line(json.dumps(message).encode())

    async def send_line(self, line: bytes) -> dict[str, Any]:
        await until(lambda: self.writer is not None)
        assert self.writer is not None
        assert self.reader is not None
        self.writer.write(line + b"\n")
        answer = json.loads(await self.reader.readline())
        assert isinstance(answer, dict)
        return answer

    async def reads(self, sensor: str, watts: float) -> None:
        """Wait until a sensor has a value."""
        await until(lambda: self.recorded.get(sensor) == watts)


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while True:
            if holds():
                return
            await asyncio.sleep(0.002)


@asynccontextmanager
async def sidecar(tmp_path: Path) -> AsyncIterator[FakeSidecar]:
    clock = StoppedClock()
    socket = tmp_path / "eebus.sock"
    source = EebusLive(socket, clock=clock, look=LOOK, reconnect=LOOK)
    fake = FakeSidecar(clock, source)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fake.reader = reader
        fake.writer = writer

    async def record(readings: Sequence[Reading]) -> None:
        fake.recorded.update({reading.sensor: reading.value for reading in readings})

    async with await asyncio.start_unix_server(serve, socket):
        listening = asyncio.create_task(source.listen(SENSORS, record))
        try:
            yield fake
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            if fake.writer is not None:
                fake.writer.close()


def test_limit_comes_and_goes(tmp_path: Path) -> None:
    async def play() -> None:
        async with sidecar(tmp_path) as box:
            await box.reads("eebus:lpc", 4200)
            limit = {"type": "limit", "use_case": "lpc", "active": True, "value_w": 6500}
            assert await box.send(**limit) == {"accepted": True}
            await box.reads("eebus:lpc", 6500)
            assert box.recorded["eebus:lpp"] == -1
            await box.send(type="limit", use_case="lpc", active=False)
            await box.reads("eebus:lpc", -1)

    asyncio.run(play())


def test_production_is_limited_apart(tmp_path: Path) -> None:
    async def play() -> None:
        async with sidecar(tmp_path) as box:
            await box.send(type="limit", use_case="lpp", active=True, value_w=0)
            await box.reads("eebus:lpp", 0)
            assert box.recorded["eebus:lpc"] == 4200

    asyncio.run(play())


def test_lost_heartbeat_fails_safe_and_comes_back(tmp_path: Path) -> None:
    async def play() -> None:
        async with sidecar(tmp_path) as box:
            await box.send(type="failsafe", use_case="lpc", value_w=3000)
            await box.send(type="limit", use_case="lpc", active=False)
            await box.reads("eebus:lpc", -1)
            for _ in range(3):
                box.clock.pass_seconds(60)
                await box.send(type="heartbeat")
            assert box.recorded["eebus:lpc"] == -1
            box.clock.pass_seconds(121)
            await box.reads("eebus:lpc", 3000)
            await box.send(type="limit", use_case="lpc", active=False)
            await box.reads("eebus:lpc", -1)

    asyncio.run(play())


def test_sidecar_that_dies_is_called_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with sidecar(tmp_path) as box:
            await box.send(type="heartbeat")
            assert box.writer is not None
            box.writer.close()
            box.writer = None
            await until(lambda: box.source.fault is not None)
            assert (await box.send(type="heartbeat")) == {"accepted": True}
            assert box.source.fault is None

    asyncio.run(play())


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b'{"type": "limit", "use_case": "lpc", "active": true, "value_w": -5}',
        b'{"type": "limit", "use_case": "lpc", "active": true, "value_w": NaN}',
        b'{"type": "failsafe", "use_case": "lpc", "value_w": 1000, "duration_s": 60}',
        b'{"type": "storm"}',
    ],
)
def test_line_that_says_nothing_usable_is_refused(tmp_path: Path, line: bytes) -> None:
    async def play() -> None:
        async with sidecar(tmp_path) as box:
            answer = await box.send_line(line)
            assert answer["accepted"] is False
            assert answer["reason"]
            assert (await box.send(type="heartbeat")) == {"accepted": True}

    asyncio.run(play())
