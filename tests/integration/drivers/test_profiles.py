"""Every profile against its own simulator over Modbus TCP: read, each mode, limits, and all that goes wrong on the way."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.platform.drivers.inverter import ProfiledDevice, reach
from luna.platform.drivers.modbus_server import RegisterServer, serve_registers
from luna.platform.drivers.profile import MODES, DeviceProfile
from luna.platform.drivers.profiles import PACKAGED, load_profile
from luna.platform.drivers.session import ASKED_SECONDS, InverterSession
from luna.platform.drivers.simulator import SimulatedInverter
from luna.platform.simulated_home.battery import BatteryModel
from tests.integration.drivers.fictional import read_file_of_the_page

NO_FOLDER = Path("/nonexistent")
HALF_A_MINUTE = 30.0


def reach_here(profile: DeviceProfile, port: int) -> ProfiledDevice:
    """Return the device that is served on this machine."""
    return reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=port))


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
    server: RegisterServer
    session: InverterSession
    clock: Seconds

    def live(self, seconds: float, *, asked: bool = True) -> None:
        """Let time pass as the session sees it: it looks every few seconds, and whoever commands asks once a minute."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += 5.0
            if asked and self.clock.now % 60 == 0:
                self.session.read_back()
            self.session.look()


PROFILES = {path.stem: load_profile(path.stem, NO_FOLDER) for path in sorted(PACKAGED.glob("*.yaml"))}
METERS = [name for name, profile in PROFILES.items() if profile.kind == "meter"]


@pytest.fixture(params=[*(name for name in PROFILES if name not in METERS), "fictional"])
def profile(request: pytest.FixtureRequest, tmp_path: Path) -> DeviceProfile:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "fictional.yaml").write_text(read_file_of_the_page())
    return load_profile(request.param, tmp_path)


@pytest.fixture
def bench(profile: DeviceProfile) -> Iterator[Bench]:
    clock = Seconds()
    device = SimulatedInverter(profile, now=clock)
    with serve_registers(device) as server:
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
    assert readings["pv_w"] == pytest.approx(2000, abs=1)
    assert 50 < readings["soc"] < 51


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_taken_read_back_and_done(bench: Bench, mode: str) -> None:
    power_kw = 1.5 if mode in {"charge", "export"} else None
    setpoint = BatterySetpoint.model_validate({"mode": mode, "power_kw": power_kw})
    bench.session.command(setpoint)
    bench.live(HALF_A_MINUTE)
    assert bench.session.read_back() == setpoint
    assert bench.device.mode == mode
    # The house uses half a kilowatt of the two that its roof gives: one and a half are left over.
    flows = {"self_consumption": 1.5, "save": 1.5, "supply": 0.0, "hold": 0.0, "charge": 3.0, "export": -1.5}
    assert bench.device.power_kw == pytest.approx(flows[mode], abs=0.01)


def test_a_step_in_power_changes_what_flows_and_no_more_than_the_device_can_is_asked(bench: Bench) -> None:
    for power_kw, flows_kw in ((1.0, 2.5), (3.0, 4.5), (50.0, 5.0)):
        bench.session.command(BatterySetpoint(mode="charge", power_kw=power_kw))
        bench.live(HALF_A_MINUTE)
        assert bench.device.power_kw == pytest.approx(flows_kw, abs=0.01)


def test_charging_ends_at_the_target_and_giving_at_the_reserve(bench: Bench) -> None:
    bench.session.command(BatterySetpoint(mode="charge", power_kw=3, target_soc=0.55, ceiling_soc=0.5))
    bench.live(3600)
    # What its inverter needs for itself comes out of it meanwhile.
    assert bench.session.read_soc() == pytest.approx(0.55, abs=0.012)
    assert bench.device.mode == "hold"
    bench.session.command(BatterySetpoint(mode="export", power_kw=3, target_soc=0.5, floor_soc=0.5))
    bench.live(3600)
    assert bench.session.read_soc() == pytest.approx(0.5, abs=0.02)
    assert bench.device.mode in {"hold", "save"}


def test_nothing_is_written_where_nothing_changed(bench: Bench) -> None:
    bench.session.command(BatterySetpoint(mode="save"))
    before = len(bench.device.written)
    bench.session.command(BatterySetpoint(mode="save"))
    assert len(bench.device.written) == before


def test_a_device_that_nobody_asks_for_any_more_is_left_to_itself(bench: Bench, profile: DeviceProfile) -> None:
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    bench.live(600)
    assert bench.device.mode == "charge"
    assert profile.reverts is not None
    bench.live(ASKED_SECONDS + (profile.reverts.after_s or 0) + 60, asked=False)
    assert bench.device.look()
    assert bench.device.mode == ("charge" if profile.reverts.after_s is None else "self_consumption")


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


def test_a_second_master_is_seen_and_not_fought(bench: Bench, profile: DeviceProfile) -> None:
    bench.session.command(BatterySetpoint(mode="hold"))
    with closing(reach_here(profile, bench.server.port)) as other:
        InverterSession(other, now=bench.clock, look_seconds=1e6).command(BatterySetpoint(mode="charge", power_kw=1))
    written = len(bench.device.written)
    bench.live(120, asked=False)
    assert bench.session.read_back() is None
    assert (bench.device.mode, len(bench.device.written)) == ("charge", written)


def test_what_breaks_off_in_mid_write_is_said_and_taken_up_again(bench: Bench) -> None:
    bench.session.command(BatterySetpoint(mode="hold"))
    bench.server.faults.writes_taken = 1
    with pytest.raises(LunaError) as refused:
        bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    assert refused.value.reason == "device-refuses"
    assert bench.session.read_back() is None
    bench.server.faults.writes_taken = None
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    assert bench.device.mode == "charge"


def test_a_number_that_the_device_does_not_know_is_no_number(bench: Bench, profile: DeviceProfile) -> None:
    points = {entry.removeprefix("-") for entry in profile.reads["soc"] + profile.reads["charge_w"]}
    bench.device.stuck |= dict.fromkeys(points, math.nan)
    assert math.isnan(bench.session.read_soc())
    with closing(reach_here(profile, bench.server.port)) as reader:
        assert math.isnan(reader.read()["charge_w"])
    # Nobody knows how full it is: it neither buys nor sells.
    bench.session.command(BatterySetpoint(mode="charge", power_kw=1, target_soc=0.9))
    assert bench.device.mode == "hold"


def test_a_slow_device_is_waited_for_and_a_silent_one_named(profile: DeviceProfile) -> None:
    device = SimulatedInverter(profile)
    with serve_registers(device) as server:
        server.faults.delay_s = 0.05
        session = InverterSession(reach_here(profile, server.port), look_seconds=1e6)
        session.command(BatterySetpoint(mode="save"))
        assert device.mode == "save"
    with pytest.raises(LunaError) as silent:
        session.command(BatterySetpoint(mode="hold"))
    assert (silent.value.reason, silent.value.value) == ("device-silent", f"127.0.0.1:{server.port}")
    # It is back, on the same address.
    with serve_registers(device, port=server.port):
        session.command(BatterySetpoint(mode="hold"))
        assert device.mode == "hold"
        session.close()


def first_takes_then_gives(seconds: float) -> tuple[float, float]:
    """A house that uses four kilowatts for an hour, then gives more than its battery takes."""
    return (4.0, 0.0) if seconds < 3600 else (0.5, 8.0)


@pytest.mark.parametrize("name", METERS)
def test_a_meter_says_which_way_it_flows_and_counts(name: str) -> None:
    clock = Seconds()
    device = SimulatedInverter(
        PROFILES[name], now=clock, house=lambda seconds: (4.0, 0.0) if seconds < 3600 else (0.5, 8.0), battery=BatteryModel(limit_kw=1.0)
    )
    with serve_registers(device) as server, closing(reach_here(PROFILES[name], server.port)) as meter:
        first = None
        for import_w, export_w in ((3000, 0), (0, 6500)):
            clock.now += 1800
            first = first or meter.read()
            readings = meter.read()
            assert (readings["import_w"], readings["export_w"]) == (pytest.approx(import_w, abs=2), pytest.approx(export_w, abs=2))
            clock.now += 1801
    last = device.look()
    assert last
    assert first is not None
    assert readings["import_kwh"] - first["import_kwh"] == pytest.approx(1.5, abs=0.01)
    assert readings["export_kwh"] - first["export_kwh"] == pytest.approx(3.25, abs=0.01)
    device.stuck |= dict.fromkeys(PROFILES[name].points, math.nan)
    with serve_registers(device) as server, closing(reach_here(PROFILES[name], server.port)) as meter:
        assert all(math.isnan(value) for value in meter.read().values())
