"""Documents with numbers that cannot be, over HTTP and MQTT: never a wrong number that looks
valid.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from luna.drivers.device_server import SIMULATED_PREFIX, serve_device
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import load_profile
from luna.drivers.readings import split_sign
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.transports import MqttTransport
from luna.energy.devices.commands import Via
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto

NO_FOLDER = Path("/nonexistent")
# No value; what a register means by none, passed on as a number; more than a home has, either way.
IMPOSSIBLE = (math.nan, 2147483647.0, -2147483648.0, 3.4e38, -3.4e38)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


def ask_each_time(profile: DeviceProfile) -> DeviceProfile:
    """Return a profile whose device is asked at each read, over MQTT as well."""
    if not isinstance(profile.transport, MqttTransport) or profile.transport.request is None:
        return profile
    request = profile.transport.request.model_copy(update={"every_s": 0})
    return profile.model_copy(
        update={
            "transport": profile.transport.model_copy(update={"request": request, "patience_s": 2})
        }
    )


@pytest.mark.parametrize(
    "name",
    [
        "shelly_pro_3em",
        "sonnen",
        "shelly_em",
        "shelly_3em",
        "shelly_em_gen3",
        *(
            pytest.param(name, marks=needs_mosquitto)
            for name in ("shelly_pro_3em_mqtt", "victron_mqtt")
        ),
    ],
)
def test_no_number_of_a_document_becomes_a_wrong_reading(
    name: str, request: pytest.FixtureRequest, subtests: pytest.Subtests
) -> None:
    profile = ask_each_time(load_profile(name, NO_FOLDER))
    over_mqtt = isinstance(profile.transport, MqttTransport)
    instants = iter([0.0])
    device = SimulatedInverter(
        profile, battery=BatteryModel(limit_kw=1.0), now=lambda: next(instants, 60.0)
    )
    port = request.getfixturevalue("broker").port if over_mqtt else 0
    points = {split_sign(entry)[1] for entries in profile.reads.values() for entry in entries}
    with serve_device(device, port=port) as server:
        via = Via(profile=name, host="127.0.0.1", port=server.port, prefix=SIMULATED_PREFIX)
        with closing(reach(profile, via)) as reached:
            before = reached.read()
            assert not any(map(math.isnan, before.values()))
            for point in sorted(points):
                resting = {
                    reading
                    for reading, entries in profile.reads.items()
                    if point in {split_sign(entry)[1] for entry in entries}
                }
                for value in IMPOSSIBLE:
                    with subtests.test(point=point, value=value):
                        device.stuck = {point: value}
                        measured = reached.measure()
                        assert {
                            reading
                            for reading, number in measured.values.items()
                            if math.isnan(number)
                        } == resting
                        assert {fault.name for fault in measured.implausible} == resting
            device.stuck = {}
            assert reached.read() == pytest.approx(before)
