"""Simulated devices at a broker as a plain MQTT client sees them, by what their makers say of
topics and messages.

Victron: N/<portal>/<path> tells, R/<portal>/keepalive has everything told, W/<portal>/<path>
writes; each message is {"value": …}. Above zero a battery's power charges it. The override of the
set-point is what the grid gives, and ends when nobody repeats it. Shelly: <prefix>/command with
status_update has <prefix>/status/em:0 and emdata:0 told; above zero power is taken from the grid,
energies are watt-hours.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from tests.support.home_assistant.broker import PATIENCE_SECONDS, Mosquitto, needs_mosquitto

pytestmark = needs_mosquitto
SETPOINT = "hub4/0/Overrides/Setpoint"
DISCHARGE = "settings/0/Settings/CGwacs/MaxDischargePower"
CHARGE = "settings/0/Settings/SystemSetup/MaxChargeCurrent"


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class PlainClient:
    """Hears everything, and waits for a topic."""

    def __init__(self, port: int) -> None:
        self._heard: dict[str, Any] = {}
        self._news, self._listens = threading.Condition(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        assert self._listens.wait(PATIENCE_SECONDS)

    def ask(self, topic: str, payload: str, *, reply: str) -> Any:
        """Publish, and return the next message of a topic."""
        with self._news:
            self._heard.pop(reply, None)
        self._client.publish(topic, payload, qos=1)
        with self._news:
            assert self._news.wait_for(lambda: reply in self._heard, PATIENCE_SECONDS), (
                f"nobody speaks of {reply}"
            )
            return self._heard[reply]

    def last(self, topic: str) -> Any:
        """Return the last message of a topic."""
        return self._heard[topic]

    def write(self, topic: str, value: float, *, reply: str) -> None:
        """Publish a value, and return when a topic says that it holds."""
        self._client.publish(topic, json.dumps({"value": value}), qos=1)
        with self._news:
            assert self._news.wait_for(
                lambda: self._heard.get(reply) == {"value": value}, PATIENCE_SECONDS
            ), f"{reply} keeps {self._heard.get(reply)}"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._news:
            self._heard[message.topic] = (
                json.loads(message.payload) if message.payload.startswith(b"{") else None
            )
            self._news.notify_all()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def client(broker: Mosquitto) -> Iterator[PlainClient]:
    client = PlainClient(broker.port)
    yield client
    client.close()


@pytest.mark.parametrize(
    ("writes", "flows_w"),
    [
        ({}, 1500),  # what the house leaves over
        ({DISCHARGE: 0}, 1500),
        ({CHARGE: 0}, 0),
        ({DISCHARGE: 0, CHARGE: 0}, 0),
        ({SETPOINT: 2000}, 3500),  # two kilowatts of the grid beside the surplus
    ],
    ids=["left alone", "no discharging", "no charging", "neither", "from the grid"],
)
def test_a_gx_does_what_is_written_to_it(
    broker: Mosquitto, client: PlainClient, writes: dict[str, float], flows_w: float
) -> None:
    clock = Seconds()
    device = SimulatedInverter(load_profile("victron_mqtt", Path("/nonexistent")), now=clock)
    with serve_device(device, port=broker.port, prefix="c0619ab12345"):
        for path, value in writes.items():
            client.write(f"W/c0619ab12345/{path}", value, reply=f"N/c0619ab12345/{path}")
        clock.now += 30
        power = client.ask(
            "R/c0619ab12345/keepalive", "", reply="N/c0619ab12345/system/0/Dc/Battery/Power"
        )
        soc = client.ask(
            "R/c0619ab12345/keepalive", "", reply="N/c0619ab12345/system/0/Dc/Battery/Soc"
        )
    assert power["value"] == pytest.approx(flows_w, abs=5)
    assert soc["value"] == pytest.approx(50, abs=1)


def test_a_set_point_that_nobody_repeats_ends(broker: Mosquitto, client: PlainClient) -> None:
    clock = Seconds()
    device = SimulatedInverter(load_profile("victron_mqtt", Path("/nonexistent")), now=clock)
    # An address of its own: what the device of another test said last may still come.
    with serve_device(device, port=broker.port, prefix="c0619ab12346"):
        client.write(f"W/c0619ab12346/{SETPOINT}", 2000, reply=f"N/c0619ab12346/{SETPOINT}")
        for seconds, flows_w in ((55, 3500), (35, 1500)):
            clock.now += seconds
            # Once it has said everything: what came before may be of the write.
            client.ask(
                "R/c0619ab12346/keepalive", "", reply="N/c0619ab12346/full_publish_completed"
            )
            assert client.last("N/c0619ab12346/system/0/Dc/Battery/Power")[
                "value"
            ] == pytest.approx(flows_w, abs=5)


def test_a_shelly_tells_its_power_and_its_counters(broker: Mosquitto, client: PlainClient) -> None:
    clock = Seconds()
    # Five of the nine kilowatts come from the battery.
    device = SimulatedInverter(
        load_profile("shelly_pro_3em_mqtt", Path("/nonexistent")),
        now=clock,
        house=lambda _: (9.0, 0.0),
    )
    with serve_device(device, port=broker.port, prefix="shellypro3em-0123456789ab"):
        before = client.ask(
            "shellypro3em-0123456789ab/command",
            "status_update",
            reply="shellypro3em-0123456789ab/status/emdata:0",
        )
        clock.now += 360
        power = client.ask(
            "shellypro3em-0123456789ab/command",
            "status_update",
            reply="shellypro3em-0123456789ab/status/em:0",
        )
        after = client.ask(
            "shellypro3em-0123456789ab/command",
            "status_update",
            reply="shellypro3em-0123456789ab/status/emdata:0",
        )
    assert power["total_act_power"] == pytest.approx(4000, abs=5)
    assert after["total_act"] - before["total_act"] == pytest.approx(400, abs=10)
    assert after["total_act_ret"] == before["total_act_ret"]
