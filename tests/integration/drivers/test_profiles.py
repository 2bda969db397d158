"""Every profile against its own simulator over Modbus TCP: read, each mode, limits, and all that
goes wrong on the way.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import (
    SIMULATED_PREFIX,
    SIMULATED_SERIAL,
    DeviceServer,
    RegisterServer,
    serve_device,
)
from luna.drivers.mode_emulation import stand_in
from luna.drivers.profile import MODES, DeviceProfile
from luna.drivers.profile_points import RegisterPoint
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.drivers.readings import SIGNED_READINGS
from luna.drivers.session import ASKED_SECONDS, InverterSession
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.transports import MqttTransport, MulticastTransport
from luna.drivers.trial import bound_unknown, move_battery
from luna.energy.devices.battery import Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError, UnavailableError
from tests.integration.drivers.fictional import read_file_of_the_page
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.suite.tables import each_row
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
FreePort: TypeAlias = Callable[[DeviceProfile], int]
HALF_A_MINUTE = 30.0
# What falls back within a minute or misses its heartbeat is looked at more often.
OFTEN_S = 15.0


def reach_here(profile: DeviceProfile, port: int) -> ProfiledDevice:
    """Return the device that is served on this machine."""
    prefix = SIMULATED_PREFIX
    if isinstance(profile.transport, MulticastTransport):
        prefix = SIMULATED_SERIAL
    return reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=port, prefix=prefix))


class Seconds:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """A device under command: what it is, what serves it, and the session that commands it."""

    device: SimulatedInverter
    server: DeviceServer
    session: InverterSession
    clock: Seconds

    def live(self, seconds: float, *, asked: bool = True, every_s: float = 30.0) -> None:
        """Let time pass as the session sees it: it looks every few seconds, and whoever commands
        asks once a minute.
        """
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += every_s
            if asked and self.clock.now % 60 == 0:
                self.session.read_back()
            self.session.look()

    def does(self, *modes: Mode) -> bool:
        """Return whether the device does one of these, or what stands for it while the house leaves
        something over.
        """
        return self.device.mode in {
            mode if mode in self.device.profile.modes else stand_in(mode, surplus_w=1.0)
            for mode in modes
        }


PROFILES = {
    path.stem: load_profile(path.stem, NO_FOLDER) for path in sorted(PACKAGED.glob("*.yaml"))
}
METERS = [
    name
    for name, profile in PROFILES.items()
    # A serial line has another test.
    if profile.kind == "meter" and profile.transport.kind != "p1_serial"
]


def list_flash(profile: DeviceProfile) -> list[int]:
    """Return the registers that wear out by writing."""
    return [
        point.register_
        for point in profile.points.values()
        if isinstance(point, RegisterPoint) and point.persistence == "flash"
    ]


INVERTERS = [name for name, profile in PROFILES.items() if profile.kind == "battery_inverter"]
COMMANDED = [*(name for name in INVERTERS if PROFILES[name].is_commanded), "fictional"]
# Batteries of which the maker tells others alone how they are commanded.
READ_ONLY = [name for name in INVERTERS if not PROFILES[name].is_commanded]
# Of these some of what is written is kept in flash, and a command is repeated.
WEARING = [
    name
    for name, profile in PROFILES.items()
    if name in INVERTERS
    and profile.reverts
    and profile.reverts.resend_s
    and any(list_flash(profile))
]
# What one request carries cannot break off half-way.
WHOLE = [
    name
    for name, profile in PROFILES.items()
    if getattr(profile.transport, "writes_together", False)
]


def hides_commands(name: str) -> bool:
    """Return whether another's command cannot be seen; any readable part of a block shows it."""
    hidden = [PROFILES[name].points[point].write_only for point in PROFILES[name].written_points]
    return all(hidden) if name in WHOLE else any(hidden)


# What these are told cannot be read back.
UNREADABLE = [name for name in INVERTERS if hides_commands(name)]
READABLE = [name for name in COMMANDED if name not in UNREADABLE]
DIVIDED = [name for name in COMMANDED if name not in WHOLE]
# A reboot shows at what can be read back, or as a broken connection.
BLIND = [
    name
    for name in UNREADABLE
    if all(PROFILES[name].points[point].write_only for point in PROFILES[name].written_points)
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


def speaks_mqtt(name: str) -> bool:
    return name in PROFILES and isinstance(PROFILES[name].transport, MqttTransport)


def each_of(names: Iterable[str]) -> list[Any]:
    """Return the names as parameters; those that need a broker are left out where there is none."""
    return [
        pytest.param(name, marks=needs_mosquitto if speaks_mqtt(name) else ()) for name in names
    ]


def one_of_each_transport(names: Iterable[str]) -> list[Any]:
    """Return the names as parameters; a short run tries one of each transport.

    What the test shows is the work of the transport and the session, not of the profile.
    """
    parameters: list[Any] = []
    kinds = set[str]()
    for name in names:
        kind = PROFILES[name].transport.kind if name in PROFILES else "own"
        marks = [] if kind not in kinds else [pytest.mark.long]
        if speaks_mqtt(name):
            marks.append(needs_mosquitto)
        kinds.add(kind)
        parameters.append(pytest.param(name, marks=marks))
    return parameters


@pytest.fixture
def free(request: pytest.FixtureRequest) -> FreePort:
    """Return where a profile's device is served: any port, or the broker's."""

    def choose(profile: DeviceProfile) -> int:
        return (
            request.getfixturevalue("broker").port
            if isinstance(profile.transport, MqttTransport)
            else 0
        )

    return choose


def ask_each_time(profile: DeviceProfile) -> DeviceProfile:
    """Return a profile whose device is asked at each look, over MQTT as well: the clock is the
    test's.
    """
    if not isinstance(profile.transport, MqttTransport) or profile.transport.request is None:
        return profile
    request = profile.transport.request.model_copy(update={"every_s": 0})
    return profile.model_copy(
        update={
            "transport": profile.transport.model_copy(update={"request": request, "patience_s": 2})
        }
    )


@pytest.fixture(params=each_of(COMMANDED))
def profile(request: pytest.FixtureRequest, tmp_path: Path) -> DeviceProfile:
    (tmp_path / OWN_FOLDER).mkdir(parents=True)
    (tmp_path / OWN_FOLDER / "fictional.yaml").write_text(read_file_of_the_page())
    return ask_each_time(load_profile(request.param, tmp_path))


@pytest.fixture
def bench(profile: DeviceProfile, free: FreePort) -> Iterator[Bench]:
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    with serve_device(device, port=free(profile)) as server:
        # Looks when the test says so.
        session = InverterSession(reach_here(profile, server.port), now=clock, look_seconds=1e6)
        yield Bench(device, server, session, clock)
        session.close()


def test_what_is_read_is_what_the_device_does(bench: Bench, profile: DeviceProfile) -> None:
    bench.session.command(BatterySetpoint(mode="charge", power_kw=2))
    bench.live(HALF_A_MINUTE)
    with closing(reach_here(profile, bench.server.port)) as reader:
        readings = reader.read()
    assert readings["charge_w"] == pytest.approx(3500, abs=1)
    assert readings["discharge_w"] == 0
    # Some tell each of seven powers in whole watts, and the charge in whole percents.
    assert readings["pv_w"] == pytest.approx(2000, abs=3.5)
    assert 50 <= readings["soc"] < 51


def test_what_a_device_can_and_holds_is_read_where_it_says_so(
    bench: Bench, profile: DeviceProfile
) -> None:
    device = reach_here(profile, bench.server.port)
    with closing(device):
        limits = device.read_limits()
    # The simulated battery: 5 kW either way, and what it holds.
    assert limits == {
        name: BatteryModel().capacity_kwh if name == "capacity_kwh" else 5000
        for name in profile.limits
    }


# The house uses half a kilowatt of the two that its roof gives: one and a half are left over.
FLOWS_KW: dict[Mode, float] = {
    "self_consumption": 1.5,
    "save": 1.5,
    "supply": 0.0,
    "hold": 0.0,
    "charge": 3.0,
    "export": -1.5,
}


@each_row("mode", MODES)
def test_each_mode_is_taken_read_back_and_done(bench: Bench, mode: Mode) -> None:
    power_kw = 1.5 if mode in {"charge", "export"} else None
    setpoint = BatterySetpoint.model_validate({"mode": mode, "power_kw": power_kw})
    bench.session.command(setpoint)
    bench.live(HALF_A_MINUTE)
    assert bench.session.read_back() == setpoint
    assert bench.does(mode)
    assert bench.device.power_kw == pytest.approx(FLOWS_KW[mode], abs=0.01)


def test_a_step_in_power_changes_what_flows_and_no_more_than_the_device_can_is_asked(
    bench: Bench,
) -> None:
    for power_kw, flows_kw in ((1.0, 2.5), (3.0, 4.5), (50.0, 5.0)):
        bench.session.command(BatterySetpoint(mode="charge", power_kw=power_kw))
        bench.live(HALF_A_MINUTE)
        assert bench.device.power_kw == pytest.approx(flows_kw, abs=0.01)


@pytest.mark.parametrize("profile", one_of_each_transport(COMMANDED), indirect=True)
def test_charging_ends_at_the_target_and_giving_at_the_reserve(bench: Bench) -> None:
    bench.session.command(
        BatterySetpoint(mode="charge", power_kw=3, target_soc=0.53, ceiling_soc=0.5)
    )
    # It charges 4.5 kW: 0.3 kWh take four minutes.
    bench.live(420)
    # What its inverter needs for itself comes out of it meanwhile.
    assert bench.session.read_soc() == pytest.approx(0.53, abs=0.012)
    assert bench.device.mode == "hold"
    bench.session.command(BatterySetpoint(mode="export", power_kw=3, target_soc=0.5, floor_soc=0.5))
    # It gives 1.5 kW, for twelve minutes.
    bench.live(1080)
    assert bench.session.read_soc() == pytest.approx(0.5, abs=0.02)
    assert bench.does("hold", "save")


def test_nothing_is_written_where_nothing_changed(bench: Bench) -> None:
    bench.session.command(BatterySetpoint(mode="save"))
    # Once it answers, it has taken everything.
    assert bench.session.read_back() is not None
    before = len(bench.device.written)
    bench.session.command(BatterySetpoint(mode="save"))
    assert bench.session.read_back() is not None
    assert len(bench.device.written) == before


@pytest.mark.parametrize("profile", WEARING, indirect=True)
def test_what_wears_out_is_not_written_again_with_a_command_that_is_repeated(
    bench: Bench, profile: DeviceProfile
) -> None:
    bench.session.command(BatterySetpoint(mode="hold"))
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    first = len(bench.device.written)
    assert profile.reverts is not None
    bench.live(3 * (profile.reverts.resend_s or 0))
    repeated = {address for address, _ in bench.device.written[first:]}
    assert repeated
    assert repeated.isdisjoint(list_flash(profile))


def without_heartbeat(profile: DeviceProfile) -> DeviceProfile:
    """Return a product that has no model 715, or a client that does not know it."""
    assert profile.reverts is not None
    assert profile.sunspec is not None
    lengths = {model: length for model, length in profile.sunspec.lengths.items() if model != 715}
    points = {
        name: point
        for name, point in profile.points.items()
        if name not in {profile.reverts.heartbeat, profile.reverts.device_heartbeat}
    }
    changed = {
        "reverts": profile.reverts.model_copy(update={"heartbeat": None, "device_heartbeat": None}),
        "points": points,
    }
    return profile.model_copy(
        update=changed | {"sunspec": profile.sunspec.model_copy(update={"lengths": lengths})}
    )


def test_a_device_that_wants_a_heartbeat_falls_back_without_it_whatever_else_is_written() -> None:
    profile = PROFILES["sunspec_7xx"]
    for client, mode, counted in (
        (profile, "charge", 10),
        (without_heartbeat(profile), "self_consumption", 0),
    ):
        clock = Seconds()
        device = SimulatedInverter(profile, now=clock)
        with (
            serve_device(device) as server,
            closing(
                InverterSession(reach_here(client, server.port), now=clock, look_seconds=1e6)
            ) as session,
        ):
            session.command(BatterySetpoint(mode="charge", power_kw=1))
            # Every minute; after 180 s without it the device falls back, and the session leaves
            # alone what does something else.
            Bench(device, server, session, clock).live(600)
        assert (device.mode, device.image.value("ControllerHb") >= counted) == (mode, True)


def test_a_heartbeat_is_counted_on_every_second_while_a_command_is_kept_up() -> None:
    # Model 715: the value is incremented every second by the controller.
    profile = PROFILES["sunspec_7xx"]
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    looks: list[float] = []

    class LookingSession(InverterSession):
        def look(self) -> None:
            super().look()
            looks.append(device.image.value("ControllerHb"))

    with (
        serve_device(device) as server,
        closing(
            LookingSession(reach_here(profile, server.port), now=clock, look_seconds=0.05)
        ) as session,
    ):
        session.command(BatterySetpoint(mode="charge", power_kw=1))
        wait_for(lambda: len(looks) >= 3)
        # It looks every five seconds.
        assert [after - before for before, after in pairwise(looks[:3])] == [5, 5]
        # Whoever commanded may be gone.
        clock.now += ASKED_SECONDS + 1
        seen = len(looks)
        wait_for(lambda: len(looks) >= seen + 3)
        assert looks[-1] == looks[-2]


def test_a_device_whose_own_heartbeat_stands_still_is_taken_as_one_that_does_not_answer() -> None:
    profile = PROFILES["sunspec_7xx"]
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    with (
        serve_device(device) as server,
        closing(
            InverterSession(
                replace(reach_here(profile, server.port), now=clock), now=clock, look_seconds=1e6
            )
        ) as session,
    ):
        bench = Bench(device, server, session, clock)
        session.command(BatterySetpoint(mode="charge", power_kw=1))
        bench.live(600, every_s=OFTEN_S)
        counted = device.image.value("DERHb")
        # Half of it hangs: it answers, and what it says is of then.
        device.stuck["DERHb"] = counted
        bench.live(165, every_s=OFTEN_S)
        assert session.read_back() is not None
        bench.live(60, asked=False, every_s=OFTEN_S)
        for ask in (
            session.read_back,
            session.read_soc,
            lambda: session.command(BatterySetpoint(mode="hold")),
        ):
            with pytest.raises(UnavailableError) as refused:
                ask()
            assert refused.value.reason == "device-stands-still"
        # It falls back once nobody counts for it any more, and is commanded again when it counts
        # itself.
        bench.live(200, asked=False, every_s=OFTEN_S)
        device.look()
        assert device.mode == "self_consumption"
        del device.stuck["DERHb"]
        session.command(BatterySetpoint(mode="hold"))
        assert session.read_back() is not None


def test_a_device_without_a_heartbeat_is_commanded_as_any() -> None:
    profile = PROFILES["sunspec_7xx"]
    clock = Seconds()
    device = SimulatedInverter(without_heartbeat(profile), now=clock)
    with (
        serve_device(device) as server,
        closing(
            InverterSession(reach_here(profile, server.port), now=clock, look_seconds=1e6)
        ) as session,
    ):
        session.command(BatterySetpoint(mode="charge", power_kw=1))
        Bench(device, server, session, clock).live(600)
        assert session.read_back() is not None
    assert device.mode == "charge"


def test_a_device_that_nobody_asks_for_any_more_is_left_to_itself(
    bench: Bench, profile: DeviceProfile
) -> None:
    assert profile.reverts is not None
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    # Beyond the time after which most devices would fall back.
    bench.live(min(1.5 * (profile.reverts.after_s or HALF_A_MINUTE), 600))
    assert bench.device.mode == "charge"
    bench.live(ASKED_SECONDS + (profile.reverts.after_s or 0) + 60, asked=False)
    assert bench.device.look()
    assert bench.device.mode == (
        "charge" if profile.reverts.after_s is None else "self_consumption"
    )


@pytest.mark.parametrize(
    "profile", each_of(name for name in COMMANDED if name not in BLIND), indirect=True
)
def test_a_device_that_forgot_is_seen_and_commanded_again_by_whoever_asks(bench: Bench) -> None:
    setpoint = BatterySetpoint(mode="hold")
    bench.session.command(setpoint)
    bench.device.reboot()
    bench.session.look()
    # It is not told behind its owner's back: somebody else may have commanded it.
    assert bench.device.mode == "self_consumption"
    assert bench.session.read_back() is None
    bench.session.command(setpoint)
    assert (bench.session.read_back(), bench.device.mode) == (setpoint, "hold")


@pytest.mark.parametrize("profile", BLIND, indirect=True)
def test_what_a_device_was_told_that_cannot_be_read_back_counts_while_the_connection_lasts(
    bench: Bench,
) -> None:
    setpoint = BatterySetpoint(mode="hold")
    bench.session.command(setpoint)
    bench.device.reboot()
    assert isinstance(bench.server, RegisterServer)
    bench.server.hang_up()
    bench.session.look()
    assert bench.device.mode == "self_consumption"
    assert bench.session.read_back() is None
    bench.session.command(setpoint)
    assert (bench.session.read_back(), bench.device.mode) == (setpoint, "hold")


def command_by_another(bench: Bench, profile: DeviceProfile) -> int:
    """Have somebody else charge, and return how often the device was written to until then."""
    with closing(reach_here(profile, bench.server.port)) as other:
        InverterSession(other, now=bench.clock, look_seconds=1e6).command(
            BatterySetpoint(mode="charge", power_kw=1)
        )
    return len(bench.device.written)


@pytest.mark.parametrize("profile", each_of(READABLE), indirect=True)
def test_a_second_master_is_seen_and_not_fought(bench: Bench, profile: DeviceProfile) -> None:
    bench.session.command(BatterySetpoint(mode="hold"))
    written = command_by_another(bench, profile)
    bench.live(45, asked=False, every_s=OFTEN_S)
    assert bench.session.read_back() is None
    assert (bench.device.mode, len(bench.device.written)) == ("charge", written)


@pytest.mark.parametrize("profile", UNREADABLE, indirect=True)
def test_a_second_master_that_nobody_can_see_is_overruled_with_the_next_repetition(
    bench: Bench, profile: DeviceProfile
) -> None:
    bench.session.command(BatterySetpoint(mode="hold"))
    command_by_another(bench, profile)
    before = bench.device.mode
    bench.live(45, asked=False, every_s=OFTEN_S)
    assert (before, bench.device.mode) == ("charge", "hold")


def find_far_mode(profile: DeviceProfile) -> Mode:
    """Return a mode from which charging takes several writes."""
    modes: tuple[Mode, ...] = ("hold", "self_consumption")
    charging = profile.modes["charge"]
    for mode in modes:
        kept = profile.modes[mode]
        if sum(write not in kept for write in charging) > 1:
            return mode
    raise AssertionError(profile.profile)


@pytest.mark.parametrize("profile", each_of(DIVIDED), indirect=True)
def test_what_breaks_off_in_mid_write_is_said_and_taken_up_again(
    bench: Bench, profile: DeviceProfile
) -> None:
    bench.session.command(BatterySetpoint(mode=find_far_mode(profile)))
    bench.server.faults.writes_taken = 1
    with pytest.raises(LunaError) as refused:
        bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    assert refused.value.reason in {
        "device-refuses",
        "device-keeps-value",
        "device-http-status",
    }
    assert bench.session.read_back() is None
    bench.server.faults.writes_taken = None
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    assert bench.device.mode == "charge"


def test_a_number_that_the_device_does_not_know_is_no_number(
    bench: Bench, profile: DeviceProfile
) -> None:
    bench.device.stuck |= dict.fromkeys(profile.reads["soc"], math.nan)
    assert math.isnan(bench.session.read_soc())
    # Nobody knows how full it is: it neither buys nor sells.
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1, target_soc=0.9))
    assert bench.device.mode == "hold"
    bench.device.stuck |= dict.fromkeys(
        (entry.removeprefix("-") for entry in profile.reads["charge_w"]), math.nan
    )
    with closing(reach_here(profile, bench.server.port)) as reader:
        assert math.isnan(reader.read()["charge_w"])


@pytest.mark.parametrize("profile", one_of_each_transport(COMMANDED), indirect=True)
def test_a_slow_device_is_waited_for_and_a_silent_one_named(
    profile: DeviceProfile, free: FreePort
) -> None:
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    with serve_device(device, port=free(profile)) as server:
        server.faults.delay_s = 0.05
        session = InverterSession(reach_here(profile, server.port), look_seconds=1e6)
        session.command(BatterySetpoint(mode="charge", power_kw=1))
        assert device.mode == "charge"
        # Its battery has come up to its power: until then its roof is throttled, and an idle
        # battery would leave less than the house needs.
        clock.now += HALF_A_MINUTE
    with pytest.raises(LunaError) as silent:
        session.command(BatterySetpoint(mode="hold"))
    assert (silent.value.reason, silent.value.value) == (
        "device-silent",
        f"127.0.0.1:{server.port}",
    )
    # It is back, on the same address.
    with serve_device(device, port=server.port):
        session.command(BatterySetpoint(mode="hold"))
        assert device.mode == "hold"
        session.close()


def shows(meter: ProfiledDevice, powers_w: tuple[float, float]) -> bool:
    readings = meter.read("import_w", "export_w")
    return (readings["import_w"], readings["export_w"]) == pytest.approx(powers_w, abs=2)


@pytest.mark.parametrize("name", each_of(METERS))
def test_a_meter_says_which_way_it_flows_and_counts(name: str, free: FreePort) -> None:
    profile = ask_each_time(PROFILES[name])
    clock = Seconds()
    device = SimulatedInverter(
        profile,
        now=clock,
        house=lambda seconds: (4.0, 0.0) if seconds < 3600 else (0.5, 8.0),
        battery=BatteryModel(limit_kw=1.0),
    )
    with (
        serve_device(device, port=free(profile)) as server,
        closing(reach_here(profile, server.port)) as meter,
    ):
        first = None
        for import_w, export_w in ((3000, 0), (0, 6500)):
            clock.now += 1800
            # What sends by itself sends after a second.
            wait_for(partial(shows, meter, (import_w, export_w)))
            readings = meter.read()
            first = first or readings
            # A phase's power has a sign: the simulated house uses all three alike.
            phases_w = [readings[name] for name in SIGNED_READINGS if name in readings]
            third_w = (import_w - export_w) / 3
            assert phases_w == pytest.approx([third_w] * len(phases_w), abs=1)
            clock.now += 1801
    last = device.look()
    assert last
    assert first is not None
    risen = {name: readings[name] - first[name] for name in readings if name.endswith("_kwh")}
    expected = {"import_kwh": 1.5, "export_kwh": 3.25}
    # Some count in tenths of a kilowatt-hour.
    assert risen == pytest.approx({name: expected[name] for name in risen}, abs=0.11)
    device.stuck |= dict.fromkeys(profile.points, math.nan)
    with (
        serve_device(device, port=free(profile)) as server,
        closing(reach_here(profile, server.port)) as meter,
    ):
        wait_for(lambda: all(math.isnan(value) for value in meter.read().values()))


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_battery_that_is_only_read_says_what_it_does(name: str) -> None:
    profile = PROFILES[name]
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    with (
        serve_device(device) as server,
        closing(reach_here(profile, server.port)) as reached,
    ):
        clock.now += HALF_A_MINUTE
        readings = reached.read()
        # Its own use of the surplus.
        assert readings["charge_w"] == pytest.approx(1500, abs=1)
        assert readings["pv_w"] == pytest.approx(2000, abs=1)
        with pytest.raises(LunaError) as refused:
            move_battery(reached, bound_unknown())
    assert refused.value.reason == "profile-not-tried"
    assert device.written == []
