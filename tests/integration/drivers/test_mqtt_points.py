"""What may come over a broker, and what becomes of it: messages that are old, retained or broken, a
broker that is away, a device that keeps what it had.
"""

import json
import math
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.mqtt_points import MqttPoints
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.transports import MqttTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from tests.support.database.home_to_back_up import wait_until
from tests.support.home_assistant.broker import PATIENCE_SECONDS, Mosquitto, needs_mosquitto
from tests.support.worker.processes import free_port

pytestmark = needs_mosquitto
Reply = Callable[[paho.Client, str, Any], None]
PROFILE: dict[str, Any] = {
    "profile": "meter",
    "title": "A meter",
    "kind": "meter",
    "covers": [{"brand": "Fictional", "models": "one"}],
    "points": {
        "power": {"at": "{prefix}/power", "field": "w", "unit": "W"},
        "roof": {"at": "{prefix}/roof", "unit": "W", "absent": 0},
        "limit": {"at": "{prefix}/limit", "unit": "W", "write_to": "{prefix}/limit/set"},
        "button": {"at": "{prefix}/button", "write_to": "{prefix}/button/set", "write_only": True},
    },
    "reads": {"import_w": ["power"]},
    "evidence": [{"kind": "simulator", "source": "a test"}],
}
REQUEST = {"to": "{prefix}/tell", "every_s": 0, "done": "{prefix}/told"}


class Device:
    """Answers what is published to it as a test says."""

    def __init__(self, port: int, reply: Reply) -> None:
        listens = threading.Event()
        self.heard: list[tuple[str, bytes]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_subscribe = lambda *_: listens.set()

        def hear(client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
            self.heard.append((message.topic, bytes(message.payload)))
            reply(client, message.topic, json.loads(message.payload or "null"))

        self.client.on_message = hear
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe([("home/tell", 1), ("home/limit/set", 1), ("home/button/set", 1)])
        assert listens.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


def open_points(
    port: int,
    *,
    prefix: str | None = "home",
    secret: DeviceSecret | None = None,
    now: Callable[[], float] = time.monotonic,
    **transport: Any,
) -> MqttPoints:
    declared = {"kind": "mqtt", "request": REQUEST, "patience_s": 10, **transport}
    profile = DeviceProfile.model_validate(PROFILE | {"transport": declared})
    via = Via(profile="meter", host="127.0.0.1", port=port, prefix=prefix)
    return MqttPoints(profile, MqttTransport.model_validate(declared), via, secret=secret, now=now)


def tell(*messages: tuple[str, str]) -> Reply:
    def reply(client: paho.Client, topic: str, _: Any) -> None:
        for to, payload in messages if topic == "home/tell" else ():
            client.publish(to, payload)

    return reply


DONE = ("home/told", "1")


@pytest.mark.parametrize(
    ("messages", "power"),
    [
        ([("home/power", '{"w": -12.5}')], -12.5),
        ([("home/power", '{"w": null}')], math.nan),
        ([("home/power", '{"volts": 230}')], math.nan),
        ([("home/power", "no JSON {")], math.nan),
        ([("home/power", "")], math.nan),
        ([], math.nan),
    ],
    ids=["told", "null", "another field", "no JSON", "empty", "nothing"],
)
def test_a_number_that_was_not_told_is_unknown(
    broker: Mosquitto, messages: list[tuple[str, str]], power: float
) -> None:
    with (
        closing(Device(broker.port, tell(*messages, DONE))),
        closing(open_points(broker.port)) as points,
    ):
        assert points.read(["power"]) == {"power": pytest.approx(power, nan_ok=True)}


def test_what_a_device_does_not_have_is_nothing_once_it_told_everything_else(
    broker: Mosquitto,
) -> None:
    with (
        closing(Device(broker.port, tell(("home/power", '{"w": 1}'), DONE))),
        closing(open_points(broker.port)) as points,
    ):
        assert points.read(["power", "roof"]) == {"power": 1, "roof": 0}
    with (
        closing(Device(broker.port, tell(("home/power", '{"w": 1}')))),
        closing(open_points(broker.port, patience_s=1)) as points,
    ):
        assert math.isnan(points.read(["power", "roof"])["roof"])


def test_a_retained_message_is_none_and_an_old_one_ends(broker: Mosquitto) -> None:
    with closing(Device(broker.port, tell())) as device:
        device.client.publish("home/power", '{"w": 5}', qos=1, retain=True).wait_for_publish(
            PATIENCE_SECONDS
        )
        with (
            closing(open_points(broker.port, patience_s=0.5)) as points,
            pytest.raises(LunaError) as silent,
        ):
            points.read(["power"])
        device.client.publish("home/power", "", qos=1, retain=True).wait_for_publish(
            PATIENCE_SECONDS
        )
    assert silent.value.reason == "device-silent"
    seconds = [0.0]
    request = REQUEST | {"every_s": 3600}
    with (
        closing(Device(broker.port, tell(("home/power", '{"w": 5}'), DONE))),
        closing(
            open_points(broker.port, stale_s=60, request=request, now=lambda: seconds[0])
        ) as points,
    ):
        assert points.read(["power"]) == {"power": 5}
        seconds[0] = 60.0
        assert points.read(["power"]) == {"power": 5}
        seconds[0] = 61.0
        with pytest.raises(LunaError) as old:
            points.read(["power"])
    assert old.value.reason == "device-silent"


class LimitKeeper:
    """Takes a limit of at most 3000, and keeps what it had where more is written."""

    limit = 0

    def __call__(self, client: paho.Client, topic: str, value: Any) -> None:
        if topic == "home/limit/set" and value <= 3000:
            self.limit = value
        client.publish("home/limit", json.dumps(self.limit))


def test_what_is_written_is_read_back_and_what_is_kept_is_said(broker: Mosquitto) -> None:
    with (
        closing(Device(broker.port, LimitKeeper())) as device,
        closing(open_points(broker.port, patience_s=2)) as points,
    ):
        points.write([PointValue("limit", 1500), PointValue("button", 1)])
        assert points.hold([PointValue("limit", 1500), PointValue("button", 1)]) == [True, True]
        assert points.hold([PointValue("limit", 1501), PointValue("button", 0)]) == [False, False]
        with pytest.raises(LunaError) as kept:
            points.write([PointValue("limit", 4000), PointValue("button", 0)])
    assert (kept.value.reason, kept.value.parameters) == ("device-keeps-value", {"point": "limit"})
    # What comes after what was not taken is not written.
    assert [(topic, payload) for topic, payload in device.heard if topic.endswith("set")] == [
        ("home/limit/set", b"1500"),
        ("home/button/set", b"1"),
        ("home/limit/set", b"4000"),
    ]


def test_a_device_that_says_nothing_of_what_it_has_already_is_requested_to(
    broker: Mosquitto,
) -> None:
    with (
        closing(Device(broker.port, tell(("home/limit", "1500"), DONE))),
        closing(open_points(broker.port, patience_s=1)) as points,
    ):
        points.write([PointValue("limit", 1500)])
        assert points.hold([PointValue("limit", 1500)]) == [True]


def test_answers_that_another_program_asked_for_are_not_taken_for_ones_own(
    broker: Mosquitto,
) -> None:
    watts = count(1)

    def reply(client: paho.Client, topic: str, _: Any) -> None:
        # Later than the broker confirms the request.
        time.sleep(0.1)
        client.publish("home/power", json.dumps({"w": next(watts)}))
        client.publish(*DONE)

    with closing(Device(broker.port, reply)) as device, closing(open_points(broker.port)) as points:
        # At first it asks twice, and then the other program twice.
        points.read(["power"])
        for _ in range(2):
            device.client.publish("home/tell", "null", qos=1)
        wait_until(lambda: points.answers == 4)
        assert points.read(["power"]) == {"power": 5}


def test_two_requests_that_get_one_answer_are_waited_for_once(broker: Mosquitto) -> None:
    asked: list[str] = []

    def reply(client: paho.Client, topic: str, _: Any) -> None:
        asked.append(topic)
        # The first two come at once.
        if len(asked) != 1:
            client.publish("home/power", '{"w": 7}')
            client.publish(*DONE)

    with (
        closing(Device(broker.port, reply)),
        closing(open_points(broker.port, patience_s=1)) as points,
    ):
        points.read(["roof"])
        assert points.read(["power"]) == {"power": 7}
        waited_from = time.monotonic()
        for _ in range(6):
            points.read(["power"])
        assert time.monotonic() - waited_from < 3


def test_a_broker_lets_in_who_shows_the_secret_and_one_that_is_away_is_named(
    tmp_path: Path,
) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "luna", "hunter22"], check=True)
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    with (
        closing(
            open_points(broker.port, patience_s=1, secret=DeviceSecret("luna", "hunter22"))
        ) as points,
        pytest.raises(LunaError) as nobody,
    ):
        points.read(["power"])
    with (
        closing(open_points(broker.port, secret=DeviceSecret("luna", "wrong"))) as points,
        pytest.raises(LunaError) as refused,
    ):
        points.read(["power"])
    broker.kill()
    with closing(open_points(free_port())) as points, pytest.raises(LunaError) as away:
        points.read(["power"])
    assert [error.value.reason for error in (nobody, refused, away)] == [
        "device-silent",
        "device-unauthorized",
        "device-silent",
    ]


def test_a_broker_that_was_away_is_listened_to_again(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    with closing(open_points(broker.port, patience_s=5)) as points:
        with closing(Device(broker.port, tell(("home/power", '{"w": 1}'), DONE))):
            assert points.read(["power"]) == {"power": 1}
        broker.kill()
        with pytest.raises(LunaError):
            points.read(["power"])
        broker.start()
        with closing(Device(broker.port, tell(("home/power", '{"w": 2}'), DONE))):
            assert points.read(["power"]) == {"power": 2}
    broker.kill()


def test_a_device_whose_topics_nobody_named_is_refused() -> None:
    with pytest.raises(LunaError) as refused:
        open_points(1883, prefix=None)
    assert refused.value.reason == "device-prefix-missing"
