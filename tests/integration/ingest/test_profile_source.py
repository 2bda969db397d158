"""Readings of a simulated device that the recorder asks itself: recorded with their units, away and
back, unknown, misnamed.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.drivers.sensor_name import ProfiledSensor, name_sensor
from luna.drivers.simulated_charge_point import SimulatedChargePoint
from luna.drivers.simulator import SimulatedInverter
from services.ingest.listening import wire
from services.ingest.source_readings import Reading
from services.ingest.sources.profile import ProfileSource

NO_FOLDER = Path("/nonexistent")
SOON = timedelta(milliseconds=20)


class Shelf:
    """What was recorded, and a way to wait for the next of it."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self._news = asyncio.Event()

    async def record(self, readings: Sequence[Reading]) -> None:
        self.readings += readings
        self._news.set()

    async def next(self) -> dict[str, Reading]:
        """Return the readings that come next, by what stands behind the sensor's #."""
        self.readings.clear()
        self._news.clear()
        await asyncio.wait_for(self._news.wait(), 60)
        return {reading.sensor.partition("#")[2]: reading for reading in self.readings}


async def happens(holds: Callable[[], bool]) -> None:
    """Wait for a state, for a minute."""
    for _ in range(6000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not happen in time")


def sensors(port: int, *names: str) -> list[str]:
    return [f"profile:sunspec_12x@127.0.0.1:{port}#{name}" for name in names]


@pytest.mark.anyio
async def test_readings_come_with_their_units_and_a_device_that_was_away_is_read_again() -> None:
    device = SimulatedInverter(load_profile("sunspec_12x", NO_FOLDER))
    shelf = Shelf()
    with serve_registers(device) as server:
        port = server.port
        source = ProfileSource(NO_FOLDER, every=SOON)
        task = asyncio.create_task(
            source.listen(sensors(port, "soc", "pv_w", "charge_w"), shelf.record)
        )
        readings = await shelf.next()
        assert {
            name: (reading.value, reading.unit)
            for name, reading in readings.items()
            if name != "charge_w"
        } == {
            "soc": (pytest.approx(50, abs=1), "%"),
            "pv_w": (pytest.approx(2000, abs=1), "W"),
        }
        device.stuck["ChaState"] = math.nan
        while not math.isnan((await shelf.next())["soc"].value):
            pass
        device.stuck.clear()
    await happens(lambda: source.fault is not None)
    assert source.fault is not None
    assert source.fault.reason == "device-silent"
    with serve_registers(device, port=port):
        assert (await shelf.next())["soc"].value == pytest.approx(50, abs=1)
        assert source.fault is None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.anyio
async def test_what_cannot_be_is_recorded_as_unknown_and_named_once() -> None:
    device = SimulatedInverter(load_profile("sunspec_12x", NO_FOLDER))
    shelf = Shelf()
    # Both directions at once, and more than the roof of the site gives.
    device.stuck |= {"Charging": 900.0, "Discharging": 900.0}
    with serve_registers(device) as server, capture_logs() as logged:
        source = ProfileSource(NO_FOLDER, every=SOON, rate=lambda _: {"pv_w": 1500.0})
        task = asyncio.create_task(
            source.listen(sensors(server.port, "soc", "pv_w", "charge_w"), shelf.record)
        )
        for _ in range(3):
            readings = await shelf.next()
            assert {name for name, reading in readings.items() if math.isnan(reading.value)} == {
                "pv_w",
                "charge_w",
            }
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    causes = [(entry["reading"], entry["cause"]) for entry in logged if "cause" in entry]
    assert causes == [
        ("pv_w", "beyond_rating"),
        ("charge_w", "contradicts"),
        ("discharge_w", "contradicts"),
    ]


@pytest.mark.anyio
async def test_of_a_device_whose_own_heartbeat_stands_still_nothing_is_recorded_until_it_moves(
    tmp_path: Path,
) -> None:
    folder = tmp_path / OWN_FOLDER
    folder.mkdir(parents=True)
    # Two seconds in the place of three minutes.
    text = (
        (PACKAGED / "sunspec_7xx.yaml")
        .read_text(encoding="utf-8")
        .replace("after_s: 180, resend_s: 60", "after_s: 2, resend_s: 1")
    )
    (folder / "sunspec_7xx.yaml").write_text(text, encoding="utf-8")
    device = SimulatedInverter(load_profile("sunspec_7xx", tmp_path))
    shelf = Shelf()
    with serve_registers(device) as server:
        source = ProfileSource(tmp_path, every=SOON)
        task = asyncio.create_task(
            source.listen([f"profile:sunspec_7xx@127.0.0.1:{server.port}#soc"], shelf.record)
        )
        await shelf.next()
        device.stuck["DERHb"] = 7
        await happens(lambda: source.fault is not None)
        assert source.fault is not None
        assert source.fault.reason == "device-stands-still"
        shelf.readings.clear()
        await asyncio.sleep(0.2)
        assert shelf.readings == []
        device.stuck.clear()
        assert (await shelf.next())["soc"].value == pytest.approx(50, abs=1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.anyio
async def test_a_device_that_is_away_holds_no_other_up() -> None:
    device = SimulatedInverter(load_profile("sunspec_12x", NO_FOLDER))
    shelf = Shelf()
    with serve_registers(device) as server:
        source = ProfileSource(NO_FOLDER, every=SOON)
        task = asyncio.create_task(
            source.listen(
                [*sensors(1, "soc"), "profile:nobody@127.0.0.1#soc", *sensors(server.port, "soc")],
                shelf.record,
            )
        )
        assert (await shelf.next())["soc"].sensor == sensors(server.port, "soc")[0]
        await happens(lambda: len(source.faults) == 2)
        assert {error.reason for error in source.faults.values()} == {
            "device-silent",
            "unknown-name",
        }
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("name", "host", "port", "unit", "reading"),
    [
        ("profile:sunspec_12x@192.168.1.20#soc", "192.168.1.20", None, None, "soc"),
        (
            "profile:sunspec_12x@inverter.local:1502#charge_w",
            "inverter.local",
            1502,
            None,
            "charge_w",
        ),
        ("profile:sunspec_12x@192.168.1.20:502/3#pv_w", "192.168.1.20", 502, 3, "pv_w"),
        ("profile:sunspec_12x@192.168.1.20/3#pv_w", "192.168.1.20", None, 3, "pv_w"),
    ],
)
def test_a_sensor_says_where_it_is_read(
    name: str, host: str, port: int | None, unit: int | None, reading: str
) -> None:
    sensor = ProfiledSensor.parse(name)
    assert sensor is not None
    assert (sensor.via.host, sensor.via.port, sensor.via.unit, sensor.reading) == (
        host,
        port,
        unit,
        reading,
    )
    assert name_sensor(sensor.via, sensor.reading) == name


def test_a_sensor_names_the_secret_of_its_device_and_never_says_it() -> None:
    sensor = ProfiledSensor.parse("profile:shelly_pro_3em@192.168.1.30:80?secret=meter#import_w")
    assert sensor is not None
    assert (sensor.via.port, sensor.via.secret, sensor.reading) == (80, "meter", "import_w")


def test_a_sensor_at_a_broker_names_how_its_topics_begin() -> None:
    name = (
        "profile:shelly_pro_3em_mqtt@broker.local:8883?prefix=home/shellypro3em-0123456789ab&"
        "secret=broker#export_w"
    )
    sensor = ProfiledSensor.parse(name)
    assert sensor is not None
    assert name_sensor(sensor.via, sensor.reading) == name
    assert (sensor.via.host, sensor.via.port, sensor.via.prefix, sensor.via.secret) == (
        "broker.local",
        8883,
        "home/shellypro3em-0123456789ab",
        "broker",
    )


def test_a_sensor_of_a_device_goes_to_it_and_to_no_broker() -> None:
    wiring = wire(
        [("home", ["profile:sunspec_12x@192.168.1.20#soc", "mqtt:soc"])], ["mqtt", "profile"]
    )
    assert {source: list(users) for source, users in wiring.sources.items()} == {
        "profile": ["profile:sunspec_12x@192.168.1.20#soc"],
        "mqtt": ["mqtt:soc"],
    }


@pytest.mark.anyio
async def test_a_device_that_somebody_looks_at_is_asked_at_once_for_counters_and_power() -> None:
    looked_at: set[str] = set()
    device = SimulatedInverter(load_profile("eastron_sdm630", NO_FOLDER))
    shelf = Shelf()
    with serve_registers(device) as server:
        named = [f"profile:eastron_sdm630@127.0.0.1:{server.port}#import_kwh"]
        source = ProfileSource(
            NO_FOLDER,
            every=timedelta(hours=1),
            find_pause=lambda sensors: None if looked_at.isdisjoint(sensors) else SOON,
        )
        task = asyncio.create_task(source.listen(named, shelf.record))
        first = (await shelf.next())["import_kwh"]
        assert first.power_kw is not None
        looked_at.update(named)
        assert (await shelf.next())["import_kwh"].instant > first.instant
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.anyio
async def test_a_charger_is_read_as_any_device_with_power_and_states() -> None:
    device = SimulatedChargePoint(load_profile("keba_p30", NO_FOLDER))
    shelf = Shelf()
    with serve_registers(device) as server:
        source = ProfileSource(NO_FOLDER, every=SOON)
        names = [
            f"profile:keba_p30@127.0.0.1:{server.port}#{name}"
            for name in ("car_kwh", "car_plugged", "car_charging")
        ]
        task = asyncio.create_task(source.listen(names, shelf.record))
        readings = await shelf.next()
        assert readings["car_kwh"].unit == "kWh"
        assert readings["car_kwh"].power_kw == pytest.approx(device.power_kw)
        states = [readings[name] for name in ("car_plugged", "car_charging")]
        assert [(state.value, state.unit) for state in states] == [(1, None), (1, None)]
        device.plug(None)
        while (await shelf.next())["car_plugged"].value:
            pass
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
