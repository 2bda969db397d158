"""Live readings from a real broker, hurt in every way that happens."""

import asyncio
import gc
import json
import math
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from luna.platform.addresses import parse_broker
from services.ingest.source_readings import Reading
from services.ingest.sources.mqtt.source import MqttSource
from tests.support.home_assistant.broker import (
    PATIENCE_SECONDS,
    Mosquitto,
    Publisher,
    Relay,
    needs_mosquitto,
)

pytestmark = [needs_mosquitto, pytest.mark.anyio]
GRID = "sensor.grid_import"
CONFIG = "homeassistant/sensor/meter/grid_import/config"
ANY_CONFIG = "homeassistant/sensor/+/+/config"
STATE = "meter/1/state"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def announced(device: Publisher) -> Publisher:
    """A meter that has described itself."""
    device.publish(CONFIG, json.dumps(METER), retain=True)
    return device


METER = {
    "unique_id": "meter_1_import",
    "object_id": "grid_import",
    "~": "meter/1",
    "stat_t": "~/state",
    "val_tpl": "{{ value_json.import.total | float }}",
    "unit_of_meas": "kWh",
    "avty_t": "~/status",
}


class Book:
    """Takes readings in."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    async def record(self, readings: Sequence[Reading]) -> None:
        self.readings += readings

    def values(self, sensor: str = GRID) -> list[float]:
        return [reading.value for reading in self.readings if reading.sensor == sensor]

    def kept(self) -> dict[tuple[str, object], float]:
        """What a table by sensor and instant would hold."""
        return {(reading.sensor, reading.instant): reading.value for reading in self.readings}


class KilledBook(Book):
    """Takes one batch in and never says so."""

    async def record(self, readings: Sequence[Reading]) -> None:
        await super().record(readings)
        await asyncio.Event().wait()


@asynccontextmanager
async def listening(source: MqttSource, book: Book, *sensors: str) -> AsyncIterator[None]:
    task = asyncio.create_task(source.listen(sensors or (GRID,), book.record))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def source_at(
    port: int, folder: Path, *, scheme: str = "mqtt", password: str | None = None
) -> MqttSource:
    broker = parse_broker(
        f"{scheme}://luna@127.0.0.1:{port}", SecretStr(password) if password else None
    )
    return MqttSource(broker, folder / "mqtt")


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for is seen from outside
            await asyncio.sleep(0.01)


async def connected(source: MqttSource, broker: Mosquitto, topic: str = STATE) -> None:
    await until(lambda: source.fault is None and broker.hears(topic))


def total(value: float) -> str:
    return json.dumps({"import": {"total": value}})


async def test_a_described_sensor_is_heard_with_its_unit(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        announced.publish(STATE, total(1.5))
        await until(lambda: book.readings)
    [reading] = book.readings
    assert (reading.sensor, reading.value, reading.unit) == (GRID, 1.5, "kWh")


async def test_a_device_that_describes_itself_later_is_heard_from_then_on(
    broker: Mosquitto, device: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker, ANY_CONFIG)
        device.publish(CONFIG, json.dumps(METER), retain=True)
        await connected(source, broker)
        device.publish(STATE, total(2))
        await until(lambda: book.values() == [2])


async def test_a_topic_can_be_named_without_any_description(
    broker: Mosquitto, device: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book, "mqtt:pv/power [W]", "mqtt:pv/all#ac.0.power"):
        await connected(source, broker, "pv/power")
        await connected(source, broker, "pv/all")
        device.publish("pv/power", "812.5")
        device.publish("pv/all", '{"ac": [{"power": 7}]}')
        await until(lambda: len(book.readings) == 2)
    assert [
        (reading.value, reading.unit)
        for reading in book.readings
        if reading.sensor == "mqtt:pv/power [W]"
    ] == [(812.5, "W")]
    assert book.values("mqtt:pv/all#ac.0.power") == [7]


async def test_what_the_broker_kept_while_nobody_listened_is_heard_later(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
    for value in range(50):
        announced.publish(STATE, total(value))
    async with listening(source_at(broker.port, tmp_path), book):
        await until(lambda: len(book.values()) == 50)
    assert book.values() == list(range(50))


async def test_a_number_kept_since_nobody_knows_when_is_not_taken_for_a_fresh_one(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    announced.publish(STATE, total(1), retain=True)
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        announced.publish(STATE, total(2), retain=True)
        await until(lambda: book.readings)
    assert book.values() == [2]


async def test_a_switch_kept_by_the_broker_holds_until_it_says_otherwise(
    broker: Mosquitto, device: Publisher, tmp_path: Path
) -> None:
    plug = {
        "object_id": "car_plugged",
        "state_topic": "car/plug",
        "payload_on": "yes",
        "payload_off": "no",
    }
    device.publish("homeassistant/binary_sensor/car_plugged/config", json.dumps(plug), retain=True)
    device.publish("car/plug", "yes", retain=True)
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book, "binary_sensor.car_plugged"):
        await until(lambda: book.readings)
        device.publish("car/plug", "no")
        await until(lambda: len(book.readings) == 2)
    assert book.values("binary_sensor.car_plugged") == [1, 0]


async def test_a_device_that_goes_offline_knows_no_value_until_it_speaks_again(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        for topic, payload in (
            ("state", total(1)),
            ("status", "offline"),
            ("status", "offline"),
            ("status", "online"),
            ("state", total(2)),
        ):
            announced.publish(f"meter/1/{topic}", payload)
        await until(lambda: len(book.readings) == 3)
    assert book.values()[::2] == [1, 2]
    assert math.isnan(book.values()[1])


async def test_garbage_is_left_out_and_what_follows_is_heard(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    announced.publish("homeassistant/sensor/broken/config", b"\xff{", retain=True)
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        for payload in (
            b"\xff\xfe",
            "{",
            "[]",
            '{"import": 5}',
            '{"import": {"total": "a lot"}}',
            '{"import": {"total": null}}',
            total(3),
        ):
            announced.publish(STATE, payload)
        await until(lambda: 3 in book.values())
    # What is told to be unknown is a reading; what cannot be read is none.
    assert math.isnan(book.values()[0])
    assert book.values()[1:] == [3]


async def test_a_broker_that_is_killed_and_comes_back_is_heard_again(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        await asyncio.to_thread(broker.kill)
        await until(lambda: source.fault is not None)
        await asyncio.to_thread(broker.start)
        await connected(source, broker)
        await asyncio.to_thread(announced.publish, STATE, total(4))
        await until(lambda: 4 in book.values())


async def test_dropped_sockets_neither_lose_nor_double_a_reading(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    relay = Relay(broker.port)
    source = source_at(relay.port, tmp_path)
    book = Book()
    async with listening(source, book):
        await connected(source, broker)
        for value in range(300):
            await asyncio.to_thread(announced.publish, STATE, total(value))
            if value % 60 == 30:
                relay.drop()
        await until(lambda: len(set(book.values())) == 300)
    relay.close()
    assert sorted(book.kept().values()) == list(range(300))


async def test_a_message_whose_acknowledgement_was_lost_counts_once(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    source = source_at(broker.port, tmp_path)
    killed = KilledBook()
    book = Book()
    async with listening(source, killed):
        await connected(source, broker)
        announced.publish(STATE, total(5))
        await until(lambda: killed.readings)
    async with listening(source_at(broker.port, tmp_path), book):
        await until(lambda: book.readings)
    assert book.kept() == killed.kept()


@dataclass
class MovedClock:
    """A clock that somebody sets."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


async def test_a_clock_that_is_set_by_a_day_is_followed_and_no_reading_is_lost(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    day = timedelta(days=1)
    clock = MovedClock(noon)
    book = Book()
    address = parse_broker(f"mqtt://127.0.0.1:{broker.port}", None)
    source = MqttSource(address, tmp_path / "mqtt", clock=clock)
    async with listening(source, book):
        await connected(source, broker)
        for number, moved in enumerate((timedelta(0), -day, day, timedelta(minutes=1))):
            clock.instant = noon + moved
            for value in (10 * number, 10 * number + 1):
                announced.publish(STATE, total(value))
            # Awaited at once.
            await until(lambda: len(book.readings) == 2 * number + 2)  # noqa: B023
    assert book.values() == [0, 1, 10, 11, 20, 21, 30, 31]
    assert len(book.kept()) == len(book.readings)
    days = [reading.instant.date().day for reading in book.readings]
    assert days == [20, 20, 19, 19, 21, 21, 20, 20]


async def test_a_broker_that_refuses_the_password_is_named(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker/passwords").write_text("")
    broker = Mosquitto(
        tmp_path / "broker",
        "allow_anonymous false",
        f"password_file {tmp_path / 'broker/passwords'}",
    )
    broker.start()
    source = source_at(broker.port, tmp_path, password="wrong")
    async with listening(source, Book()):
        await until(lambda: "refuses" in str(source.fault))
    broker.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that its owner alone has signed; the key lies beside it."""
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        *subject,
        "-keyout",
        tmp_path / "key",
        "-out",
        tmp_path / "certificate",
    ]
    subprocess.run(made, check=True, capture_output=True)
    return tmp_path / "certificate"


# paho leaves the sockets of a refused certificate to the collector.
@pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")
async def test_a_certificate_that_nobody_trusts_is_refused_and_a_trusted_one_is_not(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = certificate.parent
    broker = Mosquitto(
        folder, "allow_anonymous true", f"certfile {certificate}", f"keyfile {folder / 'key'}"
    )
    broker.start()
    source = source_at(broker.port, folder, scheme="mqtts")
    async with listening(source, Book()):
        await until(lambda: "TLS" in str(source.fault))
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(certificate))
        await until(lambda: source.fault is None)
    broker.stop()
    gc.collect()


async def test_many_messages_that_come_again_and_again_count_once(
    broker: Mosquitto, announced: Publisher, tmp_path: Path
) -> None:
    first = source_at(broker.port, tmp_path)
    async with listening(first, Book()):
        await connected(first, broker)
    # More than one batch, and each listener ends before it acknowledges any.
    for value in range(700):
        announced.publish(STATE, total(value))
    book = Book()
    for _ in range(4):
        killed = KilledBook()
        async with listening(source_at(broker.port, tmp_path), killed):
            await until(partial(getattr, killed, "readings"))
        await book.record(killed.readings)
    async with listening(source_at(broker.port, tmp_path), book):
        await until(lambda: len(set(book.values())) == 700)
    assert sorted(book.kept().values()) == list(range(700))
