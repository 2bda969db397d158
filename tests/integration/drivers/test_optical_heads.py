"""Reading heads at German meters: Tasmota's JSON, and messages of the meter passed on unchanged.

Read by another decoder, found at their broker, and never wrong whatever comes.
"""

import json
import math
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luna.drivers.device_search import list_announced
from luna.drivers.device_server import serve_device
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.sml import encode_sml
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
TASMOTA = load_profile("tasmota_sml", NO_FOLDER)
PULSE = load_profile("sml_mqtt", NO_FOLDER)
BRIDGE = load_profile("tibber_pulse", NO_FOLDER)
SERVER = "0a01454d480000bc614e"


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def read_obis(message: bytes, code: str) -> float:
    """Return a number of a meter's message by the bytes of its OBIS code.

    After the code come status, time and unit, then the power of ten and the number, each with its
    length in the lower half of its first byte.
    """
    place = message.index(bytes.fromhex(f"07{code}")) + 7
    fields: list[bytes] = []
    for _ in range(5):
        length = message[place] & 0x0F
        fields.append(message[place + 1 : place + length])
        place += length
    scaler, number = (int.from_bytes(field, "big", signed=True) for field in fields[3:])
    return number * 10.0**scaler


def test_a_bridge_passes_on_what_another_decoder_reads() -> None:
    clock = Seconds()
    device = SimulatedInverter(BRIDGE, now=clock, house=lambda _: (0.5, 9.0))
    with serve_device(device) as server:
        clock.now = 60.0
        url = f"http://127.0.0.1:{server.port}/data.json?node_id=1"
        message = httpx.get(url, verify=NO_CERTIFICATES).content
        via = Via(profile="tibber_pulse", host="127.0.0.1", port=server.port)
        with closing(reach(BRIDGE, via)) as meter:
            identity = meter.identify()
            readings = meter.read()
    # Five of the eight and a half kilowatts that are left over go into the battery.
    assert read_obis(message, "0100100700ff") == pytest.approx(-3500, abs=1)
    assert read_obis(message, "0100010800ff") == pytest.approx(1_000_000, abs=10)
    assert identity is not None
    assert identity.serial == SERVER
    assert readings["export_w"] == pytest.approx(3500, abs=1)
    assert readings["phase_2_w"] == pytest.approx(-3500 / 3, abs=1)
    assert readings["export_kwh"] == pytest.approx(1000, abs=0.1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def reach_head(profile: DeviceProfile, port: int, prefix: str) -> closing[ProfiledDevice]:
    via = Via(profile=profile.profile, host="127.0.0.1", port=port, prefix=prefix)
    return closing(reach(profile, via))


def publish(client: paho.Client, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
    client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)


@needs_mosquitto
@pytest.mark.parametrize("section", ["SML", "MT681", "Strom"])
def test_a_section_of_any_name_is_read(
    broker: Mosquitto, client: paho.Client, section: str
) -> None:
    # Beside the chip's own temperature.
    numbers = {"Total_in": 1234.5, "Power_curr": -700, "Total_out": 99.0, "Meter_id": "0a01"}
    document = {"Time": "2026-11-30T12:00:00", "ESP32": {"Temperature": 41.7}, section: numbers}

    def answer(client: paho.Client, _data: object, _message: paho.MQTTMessage) -> None:
        client.publish(f"tele/head_{section}/SENSOR", json.dumps(document))

    listens = threading.Event()
    client.on_message = answer
    client.on_subscribe = lambda *_: listens.set()
    client.subscribe(f"cmnd/head_{section}/TelePeriod")
    assert listens.wait(10)
    with reach_head(TASMOTA, broker.port, f"head_{section}") as meter:
        readings: dict[str, float] = {}

        def answers() -> bool:
            try:
                readings.update(meter.read())
            except UnavailableError:
                return False
            return True

        wait_for(answers)
    assert readings == {
        "import_w": 0,
        "export_w": 700,
        "import_kwh": 1234.5,
        "export_kwh": 99,
    }


@needs_mosquitto
def test_heads_are_found_at_their_broker_and_told_from_other_devices(
    broker: Mosquitto, client: paho.Client
) -> None:
    meter = {"Time": "now", "MT681": {"Total_in": 1.0, "Power_curr": 5}}
    plug = {"Time": "now", "ENERGY": {"Power": 5, "Total": 1.0}}
    message = encode_sml({"server": SERVER, "obis_16_7_0": 5.0})
    for topic, payload in (
        ("tele/head/SENSOR", json.dumps(meter)),
        ("tele/plug/SENSOR", json.dumps(plug)),
        ("pulse/publish", message),
        ("other/publish", b"\x1b\x1b\x1b\x1b"),
        ("another/publish", b'{"server": "no message"}'),
    ):
        publish(client, topic, payload, retain=True)
    found = list_announced("127.0.0.1", broker.port, [TASMOTA, PULSE]) or []
    assert {(each.prefix, each.profile.profile) for each in found} == {
        ("head", "tasmota_sml"),
        ("pulse", "sml_mqtt"),
    }
    for topic in ("tele/head/SENSOR", "tele/plug/SENSOR", "pulse/publish"):
        publish(client, topic, b"", retain=True)


@needs_mosquitto
def test_a_garbled_message_makes_its_readings_unknown_until_the_next(
    broker: Mosquitto, client: paho.Client
) -> None:
    numbers = {"obis_16_7_0": 350.0, "obis_1_8_0": 2_000_000.0}
    message = encode_sml({"server": SERVER, **numbers})
    garbled = [message[:-9], message.replace(b"\x1b\x1a", b"\x1b\x1b"), b"\xff" * 300, b"{}"]
    sent = {"payload": message}
    ending = threading.Event()

    def send() -> None:
        while not ending.wait(0.03):
            client.publish("garbled/publish", sent["payload"])

    sender = threading.Thread(target=send)
    sender.start()
    with reach_head(PULSE, broker.port, "garbled") as meter:

        def shows(payload: bytes, import_w: float) -> bool:
            sent["payload"] = payload
            value = meter.read("import_w")["import_w"]
            return value == import_w or (math.isnan(value) and math.isnan(import_w))

        wait_for(partial(shows, message, 350.0))
        # It does not count what it feeds in.
        assert math.isnan(meter.read("export_kwh")["export_kwh"])
        for payload in garbled:
            wait_for(partial(shows, payload, math.nan))
            wait_for(partial(shows, message, 350.0))
    ending.set()
    sender.join()
