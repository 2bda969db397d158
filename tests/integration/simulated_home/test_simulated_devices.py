"""Luna's own MQTT against the simulated home's broker: what devices say is recorded, what the executor writes is followed and read back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from luna.addresses import Broker
from luna.embedded.state import choose_port
from luna.simulated_home import ZONE, BatteryCharge, Faults, HomeFiles, HomeSetup, HomeState, RecordedYear, build_site
from luna.simulated_home.site import SETTINGS, TOPICS
from luna.timeline import local_days
from services.executor.mqtt import MqttDevice
from services.executor.template import Write, matches
from services.ingest.reading import Reading
from services.ingest.sources.mqtt import MqttSource
from services.simulated_home.__main__ import LivingHome

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
pytestmark = pytest.mark.anyio
CHARGE = [
    Write(f"{SETTINGS['power']}/set", "3000", SETTINGS["power"]),
    Write(f"{SETTINGS['target']}/set", "80", SETTINGS["target"]),
    Write(f"{SETTINGS['mode']}/set", "force_charge", SETTINGS["mode"]),
]
PATIENCE = timedelta(seconds=30)
READ = [*SETTINGS.values(), TOPICS["battery_soc"], TOPICS["grid_import"]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant


@dataclass
class Lived:
    """A home that runs in this loop, and its clock."""

    home: LivingHome
    files: HomeFiles
    clock: HandClock
    port: int

    def pass_time(self, passed: timedelta) -> None:
        self.clock.instant += passed
        self.home.turn()

    def set_faults(self, faults: Faults) -> None:
        self.files.write_setup(HomeSetup(self.port, faults=faults))
        self.home.turn()


@pytest.fixture(scope="module")
def year() -> RecordedYear:
    slots = local_days(date(2023, 1, 1), date(2023, 12, 31), ZONE)
    return RecordedYear.of(slots.starts, ZONE, load_kwh=np.full(slots.count, 0.2), pv_kwh=np.zeros(slots.count), price=np.full(slots.count, 0.1))


@asynccontextmanager
async def living(folder: Path, year: RecordedYear) -> AsyncIterator[Lived]:
    files, clock, port = HomeFiles(folder), HandClock(), choose_port(None)
    files.make()
    year.save(files.year)
    files.write_state(HomeState(at=NOON.timestamp(), battery=BatteryCharge(5.0)))
    files.write_setup(HomeSetup(port))
    home = LivingHome(files, clock)
    async with home.broker:
        await home.broker.start(port)
        home.turn()
        yield Lived(home, files, clock, port)


@asynccontextmanager
async def telling(port: int) -> AsyncIterator[MqttDevice]:
    device = MqttDevice(Broker("127.0.0.1", port), READ, patience=PATIENCE)
    try:
        yield device
    finally:
        await asyncio.to_thread(device.close)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not holds():  # noqa: ASYNC110 - what is waited for is seen from outside
            await asyncio.sleep(0.01)


async def follows(device: MqttDevice, lived: Lived) -> bool:
    lived.pass_time(timedelta(seconds=5))
    return matches(CHARGE, await asyncio.to_thread(device.read, list(SETTINGS.values()), within=timedelta(seconds=0.2)))


async def test_the_battery_does_what_the_executor_writes_and_says_so(tmp_path: Path, year: RecordedYear) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        assert float((await asyncio.to_thread(device.read, [TOPICS["battery_soc"]]))[TOPICS["battery_soc"]]) == pytest.approx(50, abs=0.3)
        await asyncio.to_thread(device.apply, CHARGE)
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await follows(device, lived):
                pass
        lived.pass_time(timedelta(minutes=10))
    truth = lived.files.read_truth()
    assert (truth[0]["mode"], truth[-1]["mode"]) == ("self_use", "force_charge")
    assert float(truth[-1]["battery_kw"]) == pytest.approx(3.0)
    # Ten minutes at 3 kW, less 4.6 % lost on the way in.
    assert float(truth[-1]["soc"]) - float(truth[0]["soc"]) == pytest.approx(0.0477, abs=0.003)


async def test_a_deaf_inverter_follows_nothing_and_a_frozen_meter_stands_still(tmp_path: Path, year: RecordedYear) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        lived.set_faults(Faults(deaf=True, frozen_meter=True))
        stood_still = [*SETTINGS.values(), TOPICS["grid_import"]]
        before = await asyncio.to_thread(device.read, stood_still)
        await asyncio.to_thread(device.apply, CHARGE)
        lived.pass_time(timedelta(minutes=10))
        lived.pass_time(timedelta(hours=9))
        assert float(lived.files.read_truth()[-1]["import_kwh"]) > 1.0
        assert await asyncio.to_thread(device.read, stood_still) == before
        assert {row["mode"] for row in lived.files.read_truth()} == {"self_use"}


async def test_what_its_meters_say_is_recorded_from_topics_of_the_site(tmp_path: Path, year: RecordedYear) -> None:
    heard: list[Reading] = []

    async def record(readings: object) -> None:
        heard.extend(readings)  # type: ignore[arg-type]

    async with living(tmp_path, year) as lived:
        source = MqttSource(Broker("127.0.0.1", lived.port), tmp_path / "mqtt", clock=lived.clock)
        listening = asyncio.create_task(source.listen(build_site().sensor_names, record))
        await until(lambda: source.fault is None and lived.home.broker.hears(TOPICS["battery_soc"]))
        lived.pass_time(timedelta(hours=1))
        await until(lambda: {reading.sensor for reading in heard} == set(build_site().sensor_names))
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    said = {reading.sensor: reading for reading in heard}
    # An hour of 0.8 kW, by what is random within a third more or less, out of the battery alone.
    discharged = said[f"mqtt:{TOPICS['battery_discharge']} [kWh]"]
    assert (discharged.unit, discharged.value) == ("kWh", pytest.approx(0.8, abs=0.15))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x10\xff\xff\xff\xff\xff", id="a length that never ends"),
        pytest.param(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", id="MQTT 3.1.1"),
        pytest.param(b"\x10\x02\x00\x40", id="a packet that is cut off"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
    ],
)
async def test_whoever_speaks_something_else_is_let_go_and_nobody_else_notices(sent: bytes, tmp_path: Path, year: RecordedYear) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        await asyncio.to_thread(device.read, [TOPICS["battery_soc"]])
        reader, writer = await asyncio.open_connection("127.0.0.1", lived.port)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await reader.read()
        writer.close()
        lived.pass_time(timedelta(minutes=1))
        assert TOPICS["grid_import"] in await asyncio.to_thread(device.read, [TOPICS["grid_import"]])
        assert lived.home.broker.hears(TOPICS["battery_soc"])
