"""Luna's own MQTT against the simulated home's broker: what devices say is recorded, what the
executor writes is followed and read back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine

from luna.contracts.control import VehicleSetpoint
from luna.contracts.device_template import Write, matches
from luna.drivers.control.mqtt import MqttDevice
from luna.drivers.control.units import find_unit
from luna.drivers.control.units.unit import Setpoints
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.timeline import local_days
from luna.platform.addresses import Broker
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.state import choose_port
from luna.platform.settings import Settings
from luna.platform.settings.stored import read_stored, store_settings
from luna.simulated_home.__main__ import LivingHome
from luna.simulated_home.car import CarState
from luna.simulated_home.files import Faults, HomeFiles, HomeSetup
from luna.simulated_home.heater import HeaterState
from luna.simulated_home.house import HomeState
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import (
    CAR,
    CHARGER_SETTINGS,
    HEATER,
    HEATER_SETTINGS,
    SETTINGS,
    SITE_NAME,
    TOPICS,
    ZONE,
    build_site,
)
from services.ingest.listening.live_powers import LivePowers
from services.ingest.source_readings import Reading
from services.ingest.sources.mqtt.source import MqttSource

# A Saturday on which the car stays at home, by the seed 0.
NOON = datetime(2026, 12, 5, 12, tzinfo=UTC)
pytestmark = pytest.mark.anyio
CHARGE = [
    Write(f"{SETTINGS['power']}/set", "3000", SETTINGS["power"]),
    Write(f"{SETTINGS['target']}/set", "80", SETTINGS["target"]),
    Write(f"{SETTINGS['mode']}/set", "force_charge", SETTINGS["mode"]),
]
PATIENCE = timedelta(seconds=30)
ALL_SETTINGS = [*SETTINGS.values(), *CHARGER_SETTINGS.values(), *HEATER_SETTINGS.values()]
READ = [*ALL_SETTINGS, TOPICS["battery_soc"], TOPICS["grid_import"], TOPICS["car_energy"]]
# What no part of Luna records: powers, whose counters it has, and how warm the tank is.
_SAID_BESIDE = {
    "grid_power",
    "pv_power",
    "battery_power",
    "car_power",
    "heater_power",
    "heater_temperature",
}
# What a plan that charges with 6.9 kW, and keeps the tank cold, makes of both.
WANTED: dict[str, Setpoints] = {
    f"vehicle:{CAR}": {CAR: VehicleSetpoint(mode="charge", charge_kw=6.9)},
    f"load:{HEATER}": {HEATER: LoadSetpoint(mode="off")},
}


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

    def set_faults(self, *, inverter: Faults | None = None, car: Faults | None = None) -> None:
        self.files.write_setup(
            HomeSetup(self.port, faults=inverter or Faults(), car_faults=car or Faults())
        )
        self.home.turn()


@pytest.fixture(scope="module")
def year() -> RecordedYear:
    slots = local_days(date(2023, 1, 1), date(2023, 12, 31), ZONE)
    return RecordedYear.of(
        slots.starts,
        ZONE,
        load_kwh=np.full(slots.count, 0.2),
        pv_kwh=np.zeros(slots.count),
        price=np.full(slots.count, 0.1),
    )


@asynccontextmanager
async def living(folder: Path, year: RecordedYear) -> AsyncIterator[Lived]:
    files = HomeFiles(folder)
    clock = HandClock()
    port = choose_port(None)
    files.make()
    year.save(files.year)
    files.write_state(
        HomeState(
            NOON.timestamp(), BatteryCharge(5.0), car=CarState(10.0), heater=HeaterState(48.0)
        )
    )
    files.write_setup(HomeSetup(port))
    home = LivingHome(files, clock)
    async with home.broker:
        await home.broker.start(port)
        home.begin()
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


def has_come(powers: LivePowers, count: int) -> bool:
    """Return whether at least this many readings have come."""
    return powers.count >= count


async def follows(device: MqttDevice, lived: Lived, writes: list[Write]) -> bool:
    lived.pass_time(timedelta(seconds=5))
    return matches(
        writes, await asyncio.to_thread(device.read, ALL_SETTINGS, within=timedelta(seconds=0.2))
    )


def render_wanted() -> list[Write]:
    site = build_site()
    units = {key: find_unit(site, site.control, key) for key in WANTED}
    return [
        write
        for key, unit in units.items()
        if unit is not None
        for write in unit.render(unit.make_safe(WANTED[key], {}))
    ]


async def test_the_battery_does_what_the_executor_writes_and_says_so(
    tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        assert float(
            (await asyncio.to_thread(device.read, [TOPICS["battery_soc"]]))[TOPICS["battery_soc"]]
        ) == pytest.approx(50, abs=0.3)
        await asyncio.to_thread(device.apply, CHARGE)
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await follows(device, lived, CHARGE):
                pass
        lived.pass_time(timedelta(minutes=10))
    truth = lived.files.read_truth()
    assert (truth[0]["mode"], truth[-1]["mode"]) == ("self_use", "force_charge")
    assert float(truth[-1]["battery_kw"]) == pytest.approx(3.0)
    # Ten minutes at 3 kW, less 4.6 % lost on the way in.
    assert float(truth[-1]["soc"]) - float(truth[0]["soc"]) == pytest.approx(0.0477, abs=0.003)


async def test_car_and_heater_do_what_luna_makes_of_a_plan_and_by_themselves_they_begin_at_once(
    tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        lived.pass_time(timedelta(minutes=2))
        by_itself = lived.files.read_truth()[-1]
        await asyncio.to_thread(device.apply, render_wanted())
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await follows(device, lived, render_wanted()):
                pass
        before = lived.files.read_state()
        lived.pass_time(timedelta(minutes=10))
        after = lived.files.read_state()
        truth = lived.files.read_truth()[-1]
    # Below its thermostat's 50 °C the element heats with 2 kW, and the car takes all that its
    # charger gives.
    assert (by_itself["car_kw"], by_itself["heater_kw"]) == ("11.04", "2.0")
    assert (
        truth["car_mode"],
        truth["car_kw"],
        truth["car_is_home"],
        truth["heater_mode"],
        truth["heater_kw"],
    ) == ("on", "6.9", "1", "off", "0.0")
    assert before.car is not None
    assert after.car is not None
    charged = (after.car.charge_kwh - before.car.charge_kwh) / (after.at - before.at) * 3600.0
    assert charged == pytest.approx(6.9)
    flows = [float(truth[name]) for name in ("load_kw", "car_kw", "heater_kw", "battery_kw")]
    assert float(truth["grid_kw"]) == pytest.approx(sum(flows), abs=1e-3)


async def test_a_deaf_charger_goes_on_while_its_counter_stands_still(
    tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        lived.set_faults(car=Faults(deaf=True, frozen_meter=True))
        stood_still = [*CHARGER_SETTINGS.values(), TOPICS["car_energy"]]
        before = await asyncio.to_thread(device.read, stood_still)
        heater_alone = [
            write for write in render_wanted() if write.to.startswith(HEATER_SETTINGS["mode"])
        ]
        await asyncio.to_thread(device.apply, render_wanted())
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await follows(device, lived, heater_alone):
                pass
        lived.pass_time(timedelta(hours=1))
        assert await asyncio.to_thread(device.read, stood_still) == before
    truth = lived.files.read_truth()[-1]
    assert truth["car_mode"] == "neutral"
    assert float(truth["car_kwh"]) > 10.0


async def test_a_deaf_inverter_follows_nothing_and_a_frozen_meter_stands_still(
    tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        lived.set_faults(inverter=Faults(deaf=True, frozen_meter=True))
        stood_still = [*SETTINGS.values(), TOPICS["grid_import"]]
        before = await asyncio.to_thread(device.read, stood_still)
        await asyncio.to_thread(device.apply, CHARGE)
        lived.pass_time(timedelta(minutes=10))
        lived.pass_time(timedelta(hours=9))
        assert float(lived.files.read_truth()[-1]["import_kwh"]) > 1.0
        assert await asyncio.to_thread(device.read, stood_still) == before
        assert {row["mode"] for row in lived.files.read_truth()} == {"self_use"}


async def test_what_its_meters_say_is_recorded_from_topics_of_the_site(
    tmp_path: Path, year: RecordedYear
) -> None:
    heard: list[Reading] = []
    recorded = [topic for name, topic in TOPICS.items() if name not in _SAID_BESIDE]

    async def record(readings: object) -> None:
        heard.extend(readings)  # type: ignore[arg-type]

    async with living(tmp_path, year) as lived:
        source = MqttSource(Broker("127.0.0.1", lived.port), tmp_path / "mqtt", clock=lived.clock)
        listening = asyncio.create_task(source.listen(build_site().sensor_names, record))
        # One subscription after the other: an hour that begins before the last one would be missing
        # there.
        await until(
            lambda: (
                source.fault is None and all(lived.home.broker.hears(topic) for topic in recorded)
            )
        )
        lived.pass_time(timedelta(hours=1))
        await until(lambda: {reading.sensor for reading in heard} == set(build_site().sensor_names))
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    said = {reading.sensor: reading for reading in heard}
    # An hour of 5 kW at most, until the 4 kWh above its reserve are gone, less what is lost on the
    # way out.
    discharged = said[f"mqtt:{TOPICS['battery_discharge']} [kWh]"]
    assert (discharged.unit, discharged.value) == ("kWh", pytest.approx(3.8, abs=0.15))
    assert said[f"mqtt:{TOPICS['car_energy']} [kWh]"].value == pytest.approx(11.04, abs=0.1)
    assert said[f"mqtt:{TOPICS['car_connected']}"].value == 1.0


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x10\xff\xff\xff\xff\xff", id="a length that never ends"),
        pytest.param(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", id="MQTT 3.1.1"),
        pytest.param(b"\x10\x02\x00\x40", id="a packet that is cut off"),
        pytest.param(
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x02\x99\x01\x00\x00", id="no such property"
        ),
        pytest.param(
            b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00", id="a property cut off"
        ),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
    ],
)
async def test_whoever_speaks_something_else_is_let_go_and_nobody_else_notices(
    sent: bytes, tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        await asyncio.to_thread(device.read, [TOPICS["battery_soc"]])
        reader, writer = await asyncio.open_connection("127.0.0.1", lived.port)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await reader.read()
        writer.close()
        lived.pass_time(timedelta(minutes=1))
        assert TOPICS["grid_import"] in await asyncio.to_thread(
            device.read, [TOPICS["grid_import"]]
        )
        assert lived.home.broker.hears(TOPICS["battery_soc"])


@pytest.mark.parametrize("qos", [0, 1])
async def test_whoever_reads_nothing_is_let_go_before_its_messages_fill_the_memory(
    qos: int, tmp_path: Path, year: RecordedYear
) -> None:
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        slow = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        broker = lived.home.broker
        slow.on_connect = lambda *_: slow.subscribe("long", qos=qos)
        # Without keep-alive its silence is no reason to disconnect it.
        await asyncio.to_thread(slow.connect, "127.0.0.1", lived.port, 0)
        while not broker.hears("long"):
            await asyncio.to_thread(slow.loop, 0.1)
        # 40 MB: sockets hold fewer than ten.
        for _ in range(400):
            broker.publish("long", bytes(100_000), retain=False)
            await asyncio.sleep(0)
        await until(lambda: not broker.hears("long"))
        assert TOPICS["grid_import"] in await asyncio.to_thread(
            device.read, [TOPICS["grid_import"]]
        )


async def test_whoever_is_connected_when_it_ends_is_let_go_before_it_returns(
    tmp_path: Path, year: RecordedYear
) -> None:
    before = asyncio.all_tasks()
    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        await asyncio.to_thread(device.read, [TOPICS["battery_soc"]])
        _, silent = await asyncio.open_connection("127.0.0.1", lived.port)
        await lived.home.broker.close()
        assert asyncio.all_tasks() == before
        silent.close()


async def test_a_home_whose_site_was_deleted_ends_and_leaves_nothing(
    tmp_path: Path, year: RecordedYear, database: Engine
) -> None:
    # One that another process of the tests lives in is not taken for it.
    with unit_of_work(database) as connection:
        assert not sites.keys_of(connection, [SITE_NAME])
    files = HomeFiles(tmp_path)
    settings = Settings(data_folder=tmp_path)
    files.make()
    year.save(files.year)
    files.write_state(HomeState(NOON.timestamp(), BatteryCharge(5.0)))
    files.write_setup(HomeSetup(choose_port(None)))
    store_settings(settings, {"mqtt_url": "mqtt://127.0.0.1:1883"})
    home = LivingHome(files, HandClock())
    async with asyncio.timeout(PATIENCE.total_seconds()):
        await home.run(asyncio.Event(), database, settings)
    assert (files.is_there, files.folder.exists(), read_stored(tmp_path)) == (False, False, {})


async def test_what_its_counters_say_within_a_minute_is_what_flows(
    tmp_path: Path, year: RecordedYear
) -> None:
    powers = LivePowers()
    site = build_site()

    async def record(readings: Sequence[Reading]) -> None:
        powers.note("mqtt", readings, changes_only=False)

    async with living(tmp_path, year) as lived, telling(lived.port) as device:
        source = MqttSource(Broker("127.0.0.1", lived.port), tmp_path / "mqtt", clock=lived.clock)
        listening = asyncio.create_task(source.listen(list(site.sensor_names), record))
        recorded = [topic for name, topic in TOPICS.items() if name not in _SAID_BESIDE]
        await until(
            lambda: (
                source.fault is None and all(lived.home.broker.hears(topic) for topic in recorded)
            )
        )
        await asyncio.to_thread(device.apply, CHARGE)
        for turn in range(24):
            lived.pass_time(timedelta(seconds=5))
            await until(partial(has_come, powers, (turn + 1) * len(recorded)))
        flow = powers.read_flow(site, now=lived.clock.now())
        truth = lived.home.state
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    assert flow is not None
    assert flow.at == lived.clock.now()
    assert (flow.charge_kw, truth.battery.power_kw) == pytest.approx((3.0, 3.0), abs=0.12)
    assert (flow.import_kw, flow.export_kw, flow.pv_kw) == pytest.approx(
        (truth.grid_kw, 0.0, 0.0), abs=0.2
    )
    # Car and heater have counters of their own: what is left is the house alone.
    assert truth.car is not None
    assert flow.submetered_kw["vehicle_kwh"] == pytest.approx(truth.car.power_kw, abs=0.2)
    assert flow.load_kw == pytest.approx(truth.load_kw, abs=0.4)
    assert flow.soc == pytest.approx(0.5, abs=0.03)
