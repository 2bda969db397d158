"""Commands through a real broker, which goes away, and devices behind it that do not listen."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from luna.contracts.device_template import Write, matches
from luna.drivers.control.device import DeviceError
from luna.drivers.control.mqtt import MqttDevice
from luna.platform.addresses import Broker
from tests.support.control.inverters import BrokerDevice
from tests.support.home_assistant.broker import Mosquitto, Relay, needs_mosquitto
from tests.support.worker.workers import wait_for

pytestmark = needs_mosquitto
CHARGE = [
    Write("inverter/power/set", "3000", "inverter/power"),
    Write("inverter/mode/set", "Force Charge", "inverter/mode"),
]
EXPORT = [Write("inverter/mode/set", "Force Discharge", "inverter/mode")]
READ = ["inverter/power", "inverter/mode", "inverter/soc"]
SAID = {"inverter/soc": "50", "inverter/mode": "Self Use"}
# For a machine that is busy with much else.
PATIENCE = timedelta(seconds=30)
# Waited out where nobody answers.
IMPATIENCE = timedelta(seconds=1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def inverter(broker: Mosquitto) -> Iterator[BrokerDevice]:
    inverter = BrokerDevice(broker.port, SAID)
    yield inverter
    inverter.close()


@pytest.fixture
def relay(broker: Mosquitto) -> Iterator[Relay]:
    relay = Relay(broker.port)
    yield relay
    relay.close()


@pytest.fixture
def device(relay: Relay) -> Iterator[MqttDevice]:
    device = MqttDevice(Broker("127.0.0.1", relay.port), READ, patience=PATIENCE)
    yield device
    device.close()


@pytest.fixture
def near(broker: Mosquitto) -> Iterator[MqttDevice]:
    """One without a relay before the broker."""
    device = MqttDevice(Broker("127.0.0.1", broker.port), READ, patience=IMPATIENCE)
    yield device
    device.close()


@pytest.fixture
def impatient(relay: Relay) -> Iterator[MqttDevice]:
    device = MqttDevice(Broker("127.0.0.1", relay.port), READ, patience=IMPATIENCE)
    yield device
    device.close()


def test_what_the_broker_kept_is_read_at_once(inverter: BrokerDevice, device: MqttDevice) -> None:
    assert device.read(list(SAID), within=2 * PATIENCE) == SAID


def test_a_command_reaches_the_device_and_comes_back(
    inverter: BrokerDevice, device: MqttDevice
) -> None:
    device.apply(CHARGE)
    wait_for(lambda: matches(CHARGE, device.read(READ)))
    assert inverter.heard == [("inverter/power/set", "3000"), ("inverter/mode/set", "Force Charge")]


def test_a_device_that_does_not_listen_confirms_nothing(
    inverter: BrokerDevice, device: MqttDevice
) -> None:
    inverter.deaf = True
    device.apply(CHARGE)
    wait_for(lambda: len(inverter.heard) == 2)
    assert not matches(CHARGE, device.read(READ))


def test_a_lost_connection_is_made_again(
    inverter: BrokerDevice, impatient: MqttDevice, relay: Relay
) -> None:
    wait_for(lambda: takes(impatient, CHARGE))
    relay.drop()
    wait_for(lambda: takes(impatient, EXPORT))
    wait_for(lambda: inverter.heard[-1:] == [("inverter/mode/set", "Force Discharge")])


def test_what_the_broker_did_not_take_never_comes_later(
    inverter: BrokerDevice, near: MqttDevice, broker: Mosquitto
) -> None:
    near.read(list(SAID), within=2 * PATIENCE)
    broker.stop()
    with pytest.raises(DeviceError):
        near.apply(CHARGE)
    broker.start()
    wait_for(
        lambda: takes(near, EXPORT) and ("inverter/mode/set", "Force Discharge") in inverter.heard
    )
    assert {value for _, value in inverter.heard} == {"Force Discharge"}


def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be reached"):
        MqttDevice(Broker("127.0.0.1", 9), READ, patience=PATIENCE).read(READ)


def takes(device: MqttDevice, writes: Sequence[Write]) -> bool:
    try:
        device.apply(writes)
    except DeviceError:
        return False
    return True
