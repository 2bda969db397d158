"""Every profile of a charge point or a switched load against its own simulator: each command is
taken, read back, done, kept up, and given up with whoever gave it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.control.profile import ProfileDevice
from luna.drivers.device_server import SIMULATED_PREFIX, serve_device, serve_registers
from luna.drivers.obedience import OBEYS_WITHIN_S
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import RegisterPoint
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import PACKAGED, load_profile
from luna.drivers.server_faults import ServerFaults
from luna.drivers.session import ASKED_SECONDS
from luna.drivers.simulated_charge_point import (
    SimulatedCar,
    SimulatedChargePoint,
    SimulatedLoad,
)
from luna.drivers.transports import MqttTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
PROFILES = {
    path.stem: load_profile(path.stem, NO_FOLDER) for path in sorted(PACKAGED.glob("*.yaml"))
}


def list_kind(kind: str) -> list[object]:
    """Return the profiles of a kind as parameters; those over MQTT need a broker."""
    names: list[object] = []
    for name, profile in PROFILES.items():
        over_mqtt = isinstance(profile.transport, MqttTransport)
        # A charge point that connects to Luna is simulated by its protocol's own client, and one
        # that publishes changes alone lags behind a clock that a test moves: see
        # test_independent_switches.py.
        is_slow = isinstance(profile.transport, MqttTransport) and profile.transport.alive
        is_simulated = profile.transport.kind != "ocpp" and profile.is_commanded
        if profile.kind == kind and is_simulated and not is_slow:
            names.append(pytest.param(name, marks=needs_mosquitto if over_mqtt else ()))
    return names


CHARGE_POINTS = list_kind("charge_point")
LOADS = list_kind("switched_load")
LEAST = DeviceCommand("charge", current_a=6, power_w=6 * 3 * 230)
OWN = DeviceCommand("own", stand_in="charge", current_a=16, power_w=11_040)
STOP = DeviceCommand("stop")


class Seconds:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Commanded:
    """A device under command, and the clock of both."""

    device: SimulatedChargePoint | SimulatedLoad
    session: CommandSession
    clock: Seconds
    faults: ServerFaults

    def live(self, seconds: float, *, asked: bool = True) -> None:
        """Let time pass: the session looks four times a minute, its caller asks once."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += 15
            if asked and self.clock.now % 60 == 0:
                self.session.read_back()
            self.session.look()


Commanding = Callable[[str], Commanded]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def command(request: pytest.FixtureRequest) -> Iterator[Commanding]:
    """Serve the simulator of a profile and open a session with it."""
    with ExitStack() as opened:

        def open_one(name: str) -> Commanded:
            profile = PROFILES[name]
            clock = Seconds()
            device: SimulatedChargePoint | SimulatedLoad
            if profile.kind == "charge_point":
                device = SimulatedChargePoint(profile, now=clock)
            else:
                device = SimulatedLoad(profile, now=clock)
            port = find_port(profile, request)
            server = opened.enter_context(serve_device(device, port=port))
            via = Via(profile=name, host="127.0.0.1", port=server.port, prefix=SIMULATED_PREFIX)
            session = CommandSession(reach(profile, via), now=clock, look_seconds=1e6)
            opened.enter_context(closing(session))
            return Commanded(device, session, clock, server.faults)

        yield open_one


def find_port(profile: DeviceProfile, request: pytest.FixtureRequest) -> int:
    if not isinstance(profile.transport, MqttTransport):
        return 0
    broker: Mosquitto = request.getfixturevalue("broker")
    return broker.port


def charger(commanded: Commanded) -> SimulatedChargePoint:
    assert isinstance(commanded.device, SimulatedChargePoint)
    return commanded.device


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_a_charge_is_taken_read_back_and_done(command: Commanding, name: str) -> None:
    commanded = command(name)
    device = charger(commanded)
    for order in (LEAST, STOP, DeviceCommand("charge", current_a=10, power_w=6900), OWN):
        commanded.session.command(order)
        assert commanded.session.read_back() == order
        if order.mode == "stop":
            assert device.power_kw == 0
        elif order.mode == "charge" or "own" not in device.profile.modes:
            assert device.drawn_a == order.current_a
        else:
            assert device.drawn_a > 0


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_no_charger_is_given_more_than_the_command_or_less_than_it_can(
    command: Commanding, name: str
) -> None:
    commanded = command(name)
    device = charger(commanded)
    device.plug(SimulatedCar(most_a=80))
    for current_a in (5.0, 6.0, 7.9, 15.999, 31.7, 63.0):
        power_w = current_a * device.phases * 230
        commanded.session.command(DeviceCommand("charge", current_a=current_a, power_w=power_w))
        # A register of single precision rounds in its last digit.
        assert device.offered_a <= current_a + 1e-5
        assert (device.drawn_a > 0) == (current_a >= 6)


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_phases_are_switched_without_the_current_of_the_other_number(
    command: Commanding, name: str
) -> None:
    commanded = command(name)
    device = charger(commanded)
    if not device.profile.switches_phases:
        pytest.skip("it cannot switch phases")
    one = DeviceCommand("charge", current_a=16, phases=1, power_w=3680)
    three = DeviceCommand("charge", current_a=6, phases=3, power_w=4140)
    for order in (one, three, one):
        before = len(device.written)
        commanded.session.command(order)
        assert (commanded.session.read_back(), device.phases) == (order, order.phases)
        assert device.power_kw * 1000 <= (order.power_w or 0)
        assert len(device.written) > before


@pytest.mark.parametrize("name", ["go_e_charger", "openwb_pro", "keba_p30", "alfen_eve", "evcc"])
@pytest.mark.parametrize("phases", [1, 3])
def test_a_charger_with_one_number_of_phases_is_set_to_it(
    command: Commanding, name: str, phases: int
) -> None:
    commanded = command(name)
    device = charger(commanded)
    other = 4 - phases
    commanded.session.command(DeviceCommand("charge", current_a=6, phases=other, power_w=4140))
    assert device.phases == other
    power_w = 10 * phases * 230
    order = DeviceCommand("charge", current_a=10, fixed_phases=phases, power_w=power_w)
    commanded.session.command(order)
    assert (commanded.session.read_back(), device.phases) == (order, phases)
    assert device.power_kw * 1000 == pytest.approx(power_w)


@pytest.mark.parametrize("fault", ["refuses", "ignores"])
def test_one_without_a_contactor_is_sent_its_number_once_and_charges(
    command: Commanding, fault: str
) -> None:
    commanded = command("keba_p30")
    device = charger(commanded)
    switch = device.profile.points["phases"]
    assert isinstance(switch, RegisterPoint)
    place = switch.write_register or 0
    if fault == "refuses":
        commanded.faults.lacks.add(place)
    else:
        device.stuck["phases"] = 3
    for current_a in (10, 12):
        order = DeviceCommand("charge", current_a=current_a, fixed_phases=1, power_w=2800)
        commanded.session.command(order)
        assert commanded.session.read_back() == order
        assert device.drawn_a == current_a
    assert commanded.session.keeps_phases
    sent = [written for written, _ in device.written if written == place]
    assert len(sent) == (1 if fault == "ignores" else 0)


def test_phases_are_switched_once_the_car_has_ended_its_current(command: Commanding) -> None:
    commanded = command("go_e_charger")
    device = charger(commanded)
    waited: list[int] = []

    def end_current(_seconds: float) -> None:
        waited.append(device.phases)
        device.stuck.clear()
        device.look()

    commanded.session._sleep = end_current
    commanded.session.command(DeviceCommand("charge", current_a=6, phases=3, power_w=4140))
    # The car takes its time.
    device.stuck["power"] = 4140.0
    commanded.session.command(DeviceCommand("charge", current_a=16, phases=1, power_w=3680))
    assert waited == [3]
    assert device.phases == 1


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_one_that_cannot_switch_phases_keeps_the_power_of_the_fewer(
    command: Commanding, name: str
) -> None:
    commanded = command(name)
    device = charger(commanded)
    if device.profile.switches_phases:
        pytest.skip("it switches phases")
    for current_a in (10, 16, 24, 32):
        power_w = current_a * 230
        order = DeviceCommand("charge", current_a=current_a, phases=1, power_w=power_w)
        commanded.session.command(order)
        assert device.power_kw * 1000 <= power_w


class NoMoreOf:
    """A counter of which one point has had all its writes; those of others are free."""

    def __init__(self, point: str) -> None:
        self.point = point

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        return datetime(2026, 12, 1, tzinfo=UTC) if self.point in most else None

    def read_share(self, most: Mapping[str, int]) -> float:
        return 1.0


class Counted:
    """A counter of the writes to each point."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        self.written.update(most.keys())
        return None

    def read_share(self, most: Mapping[str, int]) -> float:
        return max(self.written[point] / count for point, count in most.items())


def test_what_is_left_of_a_days_currents_is_known(command: Commanding) -> None:
    commanded = command("go_e_charger")
    commanded.session._device.counter = Counted()
    device = ProfileDevice({}, others={"profile:vehicle:car": commanded.session})
    left = []
    for order in (LEAST, DeviceCommand("charge", current_a=10, power_w=6900), STOP):
        commanded.session.command(order)
        left.append(device.read_writes_left("profile:vehicle:car"))
    # A stop writes no current.
    assert left == [395, 394, 394]


def test_a_charger_that_may_be_written_at_any_time_has_no_end_of_writes(
    command: Commanding,
) -> None:
    commanded = command("keba_p30")
    assert commanded.session.read_writes_left() == math.inf


def test_a_charger_whose_current_may_not_be_lowered_any_more_is_stopped(
    command: Commanding,
) -> None:
    commanded = command("go_e_charger")
    device = charger(commanded)
    commanded.session.command(DeviceCommand("charge", current_a=16, power_w=11_040))
    commanded.session._device.counter = NoMoreOf("current")
    with pytest.raises(UnavailableError) as spent:
        commanded.session.command(DeviceCommand("charge", current_a=8, power_w=5520))
    assert spent.value.reason == "device-writes-spent"
    assert device.power_kw == 0
    # More is not written, and what it holds already may flow again.
    with pytest.raises(UnavailableError):
        commanded.session.command(DeviceCommand("charge", current_a=20, power_w=13_800))
    assert device.power_kw == 0
    commanded.session.command(DeviceCommand("charge", current_a=16, power_w=11_040))
    assert device.drawn_a == 16


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_what_is_read_is_what_the_car_does(command: Commanding, name: str) -> None:
    commanded = command(name)
    device = charger(commanded)
    read = commanded.session._device.read
    commanded.session.command(LEAST)
    expected = {"car_w": device.power_kw * 1000, "car_plugged": 1, "car_charging": 1}
    readings = read()
    for reading, value in expected.items():
        if reading in readings:
            assert readings[reading] == pytest.approx(value, abs=1)
    counted = readings.get("car_kwh")
    commanded.live(300)
    if counted is not None:
        assert read()["car_kwh"] > counted
    device.plug(None)
    readings = read()
    assert readings.get("car_plugged", 0) == 0
    assert readings.get("car_charging", 0) == 0


@pytest.mark.parametrize("name", [*CHARGE_POINTS, *LOADS])
def test_nothing_is_written_where_nothing_changed(command: Commanding, name: str) -> None:
    commanded = command(name)
    order = LEAST if commanded.device.profile.kind == "charge_point" else DeviceCommand("off")
    commanded.session.command(order)
    written = len(commanded.device.written)
    commanded.session.look()
    commanded.session.look()
    assert len(commanded.device.written) == written


@pytest.mark.parametrize("name", [*CHARGE_POINTS, *LOADS])
def test_a_command_is_kept_up_while_somebody_asks_and_given_up_after(
    command: Commanding, name: str
) -> None:
    commanded = command(name)
    reverts = commanded.device.profile.reverts
    assert reverts is not None
    if reverts.after_s is None:
        pytest.skip("it keeps its last command")
    is_charger = commanded.device.profile.kind == "charge_point"
    order = (
        DeviceCommand("charge", current_a=13, power_w=13 * 690)
        if is_charger
        else DeviceCommand("on", power_w=1500)
    )
    commanded.session.command(order)
    power_kw = commanded.device.power_kw
    commanded.live(3 * reverts.after_s)
    assert commanded.session.read_back() == order
    assert commanded.device.power_kw == power_kw
    commanded.live(ASKED_SECONDS + 2 * reverts.after_s, asked=False)
    commanded.device.look()
    assert commanded.device.power_kw != power_kw


@pytest.mark.parametrize("name", [*CHARGE_POINTS, *LOADS])
def test_a_second_master_is_seen_and_not_fought(command: Commanding, name: str) -> None:
    commanded = command(name)
    profile = commanded.device.profile
    order = LEAST if profile.kind == "charge_point" else DeviceCommand("on", power_w=1000)
    mode = order.mode
    readable = [
        write
        for write in profile.modes[mode]
        if not profile.points[write.write].write_only and write.put in {None, "current_a"}
    ]
    if not readable:
        pytest.skip("what it is told cannot be read back")
    commanded.session.command(order)
    point = readable[-1].write
    held = commanded.device.image.value(point)
    codes = profile.points[point].codes
    others = [value for value in codes.values() if value != held]
    commanded.device.image.put(point, others[0] if others else held + 3)
    written = len(commanded.device.written)
    commanded.session.look()
    # Over MQTT it is told of the change a moment later.
    wait_for(lambda: commanded.session.read_back() is None)
    commanded.session.look()
    assert len(commanded.device.written) == written


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_a_charger_that_does_not_stop_is_reported(command: Commanding, name: str) -> None:
    commanded = command(name)
    device = charger(commanded)
    if "car_w" not in device.profile.reads:
        pytest.skip("it does not measure")
    device.deaf = True
    commanded.session.command(STOP)
    commanded.live(OBEYS_WITHIN_S + 120)
    assert commanded.session.disobeys
    device.deaf = False
    commanded.live(60)
    assert not commanded.session.disobeys


@pytest.mark.parametrize("name", LOADS)
def test_a_load_is_switched_and_given_back(command: Commanding, name: str) -> None:
    commanded = command(name)
    for mode in ("on", "off", "on"):
        order = DeviceCommand(mode, power_w=3000 if mode == "on" else None)
        commanded.session.command(order)
        assert commanded.session.read_back() == order
        assert (commanded.device.power_kw > 0) == (mode == "on")
    commanded.session.command(DeviceCommand("own", stand_in="off", power_w=3000))
    assert commanded.session.read_back() is not None


@pytest.mark.parametrize("name", LOADS)
def test_no_load_is_given_more_than_its_profile_says_or_a_power_that_is_none(
    command: Commanding, name: str
) -> None:
    commanded = command(name)
    profile = commanded.device.profile
    powers = [write.write for write in profile.modes["on"] if write.put == "power_w"]
    if not powers:
        pytest.skip("it takes no power")
    [power] = powers
    commanded.session.command(DeviceCommand("on", power_w=50_000))
    highest = profile.points[power].high
    assert highest is not None
    assert commanded.device.image.value(power) <= highest
    with pytest.raises(UnavailableError) as unknown:
        commanded.session.command(DeviceCommand("on"))
    assert unknown.value.reason == "device-value-unknown"


@pytest.mark.parametrize("name", LOADS)
def test_what_is_read_is_what_the_load_does(command: Commanding, name: str) -> None:
    commanded = command(name)

    def shows(on: int, power_w: float) -> bool:
        readings = commanded.session._device.read()
        is_power_right = abs(readings.get("heater_w", power_w) - power_w) <= 1
        return readings.get("load_on", on) == on and is_power_right

    commanded.session.command(DeviceCommand("on", power_w=3000))
    wait_for(lambda: shows(1, 3000))
    commanded.session.command(DeviceCommand("off"))
    wait_for(lambda: shows(0, 0))


@pytest.mark.parametrize("name", [*CHARGE_POINTS, *LOADS])
def test_a_device_that_is_away_is_named(name: str) -> None:
    profile = PROFILES[name]
    if isinstance(profile.transport, MqttTransport):
        pytest.skip("a broker is asked for it")
    # Nothing listens at the discard port.
    via = Via(profile=name, host="127.0.0.1", port=9, prefix=SIMULATED_PREFIX)
    mode = "stop" if profile.kind == "charge_point" else "off"
    session = CommandSession(reach(profile, via))
    with closing(session), pytest.raises(UnavailableError) as away:
        session.command(DeviceCommand(mode))
    assert away.value.reason == "device-silent"


def test_what_a_device_refused_to_hear_again_does_not_count_as_held() -> None:
    profile = PROFILES["abb_terra_ac"]
    with serve_registers(SimulatedChargePoint(profile)) as server:
        via = Via(profile=profile.profile, host="127.0.0.1", port=server.port)
        with closing(reach(profile, via).points) as points:
            values = [PointValue("current", 10.0)]
            points.write(values)
            assert points.hold(values) == [True]
            server.faults.writes_taken = 0
            with pytest.raises(UnavailableError):
                points.write(values)
            assert points.hold(values) == [False]
